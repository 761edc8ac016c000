"""What a docstring says about a function: its summary, its parameters and what it returns.

There are two readers. `read_plain` understands what `get_json_schema` of transformers understands, with every oddity,
since its texts end up in prompts. `read_any` is for the docstrings that one refuses: Google style with types, numpy
style and the fields of reStructuredText, told apart line by line, so that they may also be mixed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Docstring(NamedTuple):
    """The parts of a docstring; `returns` is None where nothing is said."""

    summary: str
    parameters: dict[str, str]
    returns: str | None


# ---- as the reference reads -------------------------------------------------------------------------------------

ENTRY = re.compile(r"([ \t]*)(\w+):")


def read_plain(text: str) -> Docstring:
    """The parts of a docstring as the reference reads them.

    Sections are found by their word and a colon. Where one begins, a whole line is asked for; where one ends, or the
    summary, the word is enough, wherever it stands.

    >>> read_plain("Adds.\\n\\nArgs:\\n    x: one\\n        number\\n    y: another\\n\\nReturns:\\n    the sum")
    Docstring(summary='Adds.', parameters={'x': 'one number', 'y': 'another'}, returns='the sum')
    """
    parameters = _section(text, "Args:", ("Returns:", "Raises:"))
    return Docstring(
        _until(text, ("Args:", "Returns:", "Raises:")).strip(),
        _plain_entries(parameters) if parameters is not None else {},
        _section(text, "Returns:", ("Raises:",)),
    )


def _until(text: str, words: Iterable[str]) -> str:
    """`text` up to the first of `words` in it."""
    found = [at for at in map(text.find, words) if at >= 0]
    return text[: min(found)] if found else text


def _section(text: str, word: str, ends: Iterable[str]) -> str | None:
    """What follows the first line that is `word`, if it is not the first of all."""
    at = text.find(f"{word}\n")
    while at >= 0:
        before = text[:at]
        if "\n" in before[len(before.rstrip()) :]:
            body = _until(text[at + len(word) + 1 :], ends)
            return body.rstrip() if word == "Args:" else body.strip()
        at = text.find(f"{word}\n", at + 1)
    return None


def _plain_entries(body: str) -> dict[str, str]:
    """The entries `name: text` of a section. One ends where a line like it begins that is not indented deeper."""
    lines = [line for line in body.split("\n") if line.strip()]
    entries: dict[str, str] = {}
    at = 0
    while at < len(lines):
        entry = ENTRY.match(lines[at])
        if entry is None:  # Only before the first entry.
            at += 1
            continue
        indent, name = entry.groups()
        said = [lines[at][entry.end() :].strip()]
        at += 1
        if not said[0] and at < len(lines):  # The text may begin below the name: whatever stands there is its text.
            said = [lines[at].strip()]
            at += 1
        while at < len(lines) and not _begins_entry(lines[at], indent):
            said.append(lines[at].strip())
            at += 1
        entries[name] = " ".join(said)
    return entries


def _begins_entry(line: str, indent: str) -> bool:
    deeper = line.startswith(indent) and line[len(indent) : len(indent) + 1] in (" ", "\t")
    return not deeper and ENTRY.match(line) is not None


# ---- any style --------------------------------------------------------------------------------------------------

PARAMETERS = {
    *("args", "arguments", "parameters", "params", "keyword args", "keyword arguments", "keyword parameters"),
    *("other parameters", "attributes", "fields"),
}
RETURNS = {"returns", "return"}
#: Sections that say nothing about parameters, but end the summary and the section before them.
OTHERS = {
    *("raises", "yields", "yield", "receives", "warns", "warnings", "warning", "example", "examples", "note", "notes"),
    *("see also", "references", "todo", "methods"),
}
SECTIONS = PARAMETERS | RETURNS | OTHERS

GOOGLE_HEADER = re.compile(r"\s*([A-Za-z][A-Za-z ]*):\s*")
UNDERLINE = re.compile(r"\s*(?:-{3,}|={3,})\s*")
GOOGLE_ENTRY = re.compile(r"\\?\*{0,2}(\w+)\s*(?:\(.*?\)\s*)?:(?!:)\s*(.*)")
NUMPY_ENTRY = re.compile(r"(\\?\*{0,2}\w+(?:\s*,\s*\\?\*{0,2}\w+)*)\s*(?::.*)?")
FIELD = re.compile(
    r"\s*[:@](param|parameter|arg|argument|key|keyword|type|returns?|rtype|raises?|except|exception|yields?|ytype|var"
    r"|ivar|cvar|vartype|meta)\b([^:]*):\s*(.*)"
)
PARAMETER_FIELDS = {"param", "parameter", "arg", "argument", "key", "keyword", "var", "ivar", "cvar"}


def read_any(text: str) -> Docstring:
    """The parts of a docstring in any of the usual styles; types that it names are passed over.

    >>> read_any("Adds.\\n\\nArgs:\\n    x (int): one number\\n    *rest: more")
    Docstring(summary='Adds.', parameters={'x': 'one number', 'rest': 'more'}, returns=None)
    >>> read_any("Adds.\\n\\nParameters\\n----------\\nx, y : int\\n    a number")
    Docstring(summary='Adds.', parameters={'x': 'a number', 'y': 'a number'}, returns=None)
    >>> read_any("Adds.\\n\\n:param int x: one number\\n:returns: the sum")
    Docstring(summary='Adds.', parameters={'x': 'one number'}, returns='the sum')
    """
    lines = text.expandtabs().split("\n")
    summary: list[str] = []
    parameters: dict[str, str] = {}
    returns: str | None = None
    begun = False
    at = 0
    while at < len(lines):
        section = _header(lines, at)
        if section is not None:
            begun = True
            name, body_at, underlined = section
            body, at = _body(lines, body_at, _indent(lines[at]), underlined)
            if name in PARAMETERS:
                _merge(parameters, _numpy_entries(body) if underlined else _google_entries(body))
            elif name in RETURNS and returns is None:
                returns = _joined(line for line in body if _indent(line)) if underlined else _joined(body)
            continue
        field = FIELD.fullmatch(lines[at])
        if field is not None:
            begun = True
            kind, subject, said = field.groups()
            more, at = _continued(lines, at + 1, _indent(lines[at]))
            described = _joined([said, *more]) or ""
            if kind in PARAMETER_FIELDS and subject.split():
                _merge(parameters, [(subject.split()[-1].lstrip("\\*"), described)])
            elif kind in ("return", "returns") and returns is None:
                returns = described
            continue
        if not begun:
            summary.append(lines[at])
        at += 1
    return Docstring("\n".join(summary).strip(), parameters, returns)


def _header(lines: list[str], at: int) -> tuple[str, int, bool] | None:
    """The section that begins at a line: its name, the line below its header, and whether it is underlined."""
    below = lines[at + 1] if at + 1 < len(lines) else ""
    name = lines[at].strip().lower()
    if name in SECTIONS and UNDERLINE.fullmatch(below):
        return name, at + 2, True
    header = GOOGLE_HEADER.fullmatch(lines[at])
    name = header[1].lower() if header else ""
    return (name, at + 1, False) if name in SECTIONS else None


def _begins(lines: list[str], at: int) -> bool:
    """Whether a section or a field begins at a line."""
    return _header(lines, at) is not None or FIELD.fullmatch(lines[at]) is not None


def _body(lines: list[str], at: int, header: int, underlined: bool) -> tuple[list[str], int]:
    """The lines of a section without its indentation, and the line after it."""
    body: list[str] = []
    indent: int | None = None
    while at < len(lines):
        line = lines[at]
        if line.strip():
            if indent is None:
                indent = _indent(line)
            if _indent(line) < indent or (_indent(line) <= header and _begins(lines, at)):
                break
            if not underlined and indent <= header and body and not body[-1]:
                break  # A section that is not indented ends with its paragraph.
            body.append(line[indent:].rstrip())
        else:
            body.append("")
        at += 1
    return body, at


def _continued(lines: list[str], at: int, indent: int) -> tuple[list[str], int]:
    """The lines that go on with a field: those of its paragraph, and indented ones after it."""
    more: list[str] = []
    blank = False
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            blank = True
        elif _indent(line) <= indent and (blank or _begins(lines, at)):
            break
        else:
            more.append(line)
        at += 1
    return more, at


def _google_entries(body: list[str]) -> Iterator[tuple[str, str]]:
    """The entries `name: text` and `name (type): text` of a section."""
    name, said = "", [""]
    for line in body:
        entry = None if _indent(line) else GOOGLE_ENTRY.fullmatch(line)
        if entry is None:
            said.append(line)
            continue
        if name:
            yield name, _joined(said) or ""
        name, said = entry[1], [entry[2]]
    if name:
        yield name, _joined(said) or ""


def _numpy_entries(body: list[str]) -> Iterator[tuple[str, str]]:
    """The entries of a section in numpy's style: `name : type`, or several names, with the text indented below."""
    names: list[str] = []
    said: list[str] = []
    for line in body:
        entry = None if _indent(line) or not line else NUMPY_ENTRY.fullmatch(line)
        if entry is None:
            said.append(line)
            continue
        yield from ((name, _joined(said) or "") for name in names)
        names, said = [name.strip().lstrip("\\*") for name in entry[1].split(",")], []
    yield from ((name, _joined(said) or "") for name in names)


def _merge(parameters: dict[str, str], entries: Iterable[tuple[str, str]]) -> None:
    """Adds entries; of two for one name, the first that says something stays."""
    for name, said in entries:
        parameters[name] = parameters.get(name) or said


def _joined(lines: Iterable[str]) -> str | None:
    """Lines as one, or None where there is nothing in them."""
    return " ".join(line.strip() for line in lines if line.strip()) or None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
