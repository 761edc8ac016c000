"""Patterns: literal text and layouts as regular expressions that tolerate any white space between markers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .layout import Atom, Field, atoms, layout

#: What a tool may be called, or an id or a number be: it ends where any mark begins.
WORD = r"[^\s<>{}()\[\]\"',;|=]"
_SPECIAL = re.compile(r"[\\.^$*+?{}\[\]|()]")
_ESCAPES = {"\n": r"\n", "\t": r"\t", "\r": r"\r"}


def escaped(text: str) -> str:
    r"""Literal text as a pattern; only what every dialect of patterns lets one escape is escaped.

    >>> print(escaped("<|end|>\n"))
    <\|end\|>\n
    """
    return "".join(_ESCAPES.get(letter, letter) for letter in _SPECIAL.sub(r"\\\g<0>", text))


def literal_pattern(text: str) -> str:
    r"""A pattern for literal text, with any white space where it has some between its markers.

    >>> print(literal_pattern("<tool_call>\n<function=\n"))
    <tool_call>\s*<function=
    """
    return _joined(atoms(text))


def is_literal(text: str) -> bool:
    """Whether a text without the white space at its ends is matched by itself alone."""
    return literal_pattern(text) == escaped(text.strip())


def either(patterns: Iterable[str]) -> str:
    """A pattern for any of several."""
    distinct = list(dict.fromkeys(patterns))
    return distinct[0] if len(distinct) == 1 else f"(?:{'|'.join(distinct)})"


def field_pattern(parts: Sequence[Atom | Field]) -> str:
    r"""A pattern for the part of a layout that precedes arguments, with groups for the name and the id of a call.

    >>> print(field_pattern(layout("[TOOL_CALLS]{name}[ARGS]").parts))
    \[TOOL_CALLS\](?P<name>[^\s<>{}()\[\]\"',;|=]+)\[ARGS\]
    """
    names = [part.name for part in parts if isinstance(part, Field)]
    written: list[str] = []
    for index, part in enumerate(parts):
        before = parts[index - 1] if index else None
        if isinstance(part, Atom):
            # The mark of an id may be missing together with it, but not the mark that begins the call.
            is_left_out = Field("id") in parts[index + 1 : index + 2] and index > 0 and "name" in names
            mark = _joined((part,))
            gap = r"\s*" if before is not None and part.before else ""
            written.append(f"{gap}(?:{mark})?" if is_left_out else gap + mark)
            continue
        if isinstance(before, Field) or (before is not None and before.after):
            written.append(r"\s*")
        if part in parts[:index]:
            written.append(f"{WORD}+")
        elif part.name == "name":
            written.append(f"(?P<name>{WORD}+)")
        elif part.name == "id" and "name" in names:
            written.append(f"(?P<id>{WORD}*)")
        elif part.name == "id":
            written.append(rf"(?P<id>(?:functions\.)?(?P<name>{WORD}+?)(?::\d+)?)")
        else:
            written.append(f"{WORD}*")
    return "".join(written)


def argument_pattern(text: str) -> str:
    r"""A pattern for one argument, which takes at most the white space away that the layout has around a value.

    >>> print(argument_pattern("<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n"))
    <arg_key>(?P<key>[^<\n]+)</arg_key>\s*<arg_value>(?P<value>.*?)</arg_value>
    """
    parts = layout(text).parts
    written: list[str] = []
    for index, part in enumerate(parts):
        before, after = parts[index - 1] if index else None, parts[index + 1] if index + 1 < len(parts) else None
        if isinstance(part, Field):
            closing = after.text[0] if isinstance(after, Atom) else "\n"
            written.append("(?P<value>.*?)" if part.name == "value" else rf"(?P<key>[^{escaped(closing)}\n]+)")
            continue
        if before == Field("value"):
            written.append(_optional(part.before))
        elif before is not None and part.before:
            written.append(r"\s*")
        written.append(escaped(part.text))
        if after == Field("value"):
            written.append(_optional(part.after))
        elif isinstance(after, Field) and part.after:
            written.append(r"\s*")
    return "".join(written)


def _joined(literal: Sequence[Atom]) -> str:
    return "".join((r"\s*" if index and atom.before else "") + escaped(atom.text) for index, atom in enumerate(literal))


def _optional(space: str) -> str:
    return "".join(f"{escaped(letter)}?" for letter in space)
