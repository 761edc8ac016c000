"""Data: a grammar as plain tables and as TOML, and back; a table that is wrong is refused with its place."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from ..errors import InputError
from .grammar import Block, CallForm, Grammar, Header, Keys, Route
from .layout import Layout, layout

_T = TypeVar("_T")

#: What a table becomes.
NAMED = (Block, CallForm, Grammar, Header, Keys, Route)
#: How TOML writes characters that cannot stand in a text.
ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
#: How arguments may be written.
DIALECTS = ("json", "tagged", "nested", "python", "loose")
#: The dialects in which every argument has a layout of its own.
TAGGED = ("tagged", "nested")
#: Where the text after a header may go.
TARGETS = ("reasoning", "content", "arguments", "calls", "nothing")
#: What `{type}` may say of a value.
TYPES = ("string", "json")
#: The order in which a grammar is written: texts first, since in TOML tables follow values.
ORDER = ("opener", "prompt", "stops", "ignored", "reasoning", "content", "calls", "header", "evidence")
#: The same for a form of calls: the marks as they follow each other, then what is inside.
FORM_ORDER = ("begin", "call", "between", "end", "arguments", "argument", "types", "quoted", "quote", "keys")


def grammar_of(table: Mapping[str, Any]) -> Grammar:
    """The grammar that a table describes; what is not said is the default.

    Raises:
        InputError: a key is unknown or its value is wrong, with the place of it.

    >>> grammar_of({"calls": [{"call": "[TOOL_CALLS]{json}"}], "stops": ["</s>"]}).calls[0].call
    '[TOOL_CALLS]{json}'
    """
    entries = _entries(table, Grammar._fields, "")
    return Grammar(**{key: READERS[key](value, key) for key, value in entries.items()})


def table_of(grammar: Grammar) -> dict[str, Any]:
    """A grammar as plain data, without what is the default.

    >>> table_of(Grammar(reasoning=(Block("<think>", "</think>"),), stops=("</s>",)))
    {'stops': ['</s>'], 'reasoning': [{'open': '<think>', 'close': '</think>'}]}
    """
    plain = _plain(grammar)
    return {key: plain[key] for key in ORDER if key in plain}


def from_toml(text: str) -> Grammar:
    """The grammar that TOML text describes.

    Raises:
        InputError: the text is not TOML, or no grammar.

    >>> from_toml('stops = ["</s>"]').stops
    ('</s>',)
    """
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(
            f"not TOML: {error}", hint='texts stand in quotes: call = "<tool_call>{json}</tool_call>"'
        ) from None
    return grammar_of(table)


def to_toml(grammar: Grammar) -> str:
    r"""A grammar as TOML, one layout a line, which `from_toml` reads back exactly.

    >>> print(to_toml(Grammar(calls=(CallForm("<tool_call>\n{json}\n</tool_call>", between="\n"),))), end="")
    [[calls]]
    call = "<tool_call>\n{json}\n</tool_call>"
    between = "\n"
    """
    table = table_of(grammar)
    sections = [_values({key: value for key, value in table.items() if not _is_section(value)})]
    for key, value in table.items():
        if _is_section(value):
            head, rows = (f"[[{key}]]", value) if isinstance(value, list) else (f"[{key}]", [value])
            sections += [f"{head}\n{_values(row)}" for row in rows]
    return "\n".join(filter(None, sections))


# Reading


def _entries(value: Any, known: Collection[str], place: str) -> Mapping[str, Any]:
    """A table that has no unknown keys."""
    if not isinstance(value, Mapping):
        raise _wrong(place or "a grammar", "a table", value)
    for key in value:
        if key not in known:
            where = f"{place}.{key}" if place else str(key)
            raise InputError(f"{where}: there is no such key", hint=f"the keys are {', '.join(known)}")
    return value


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise _wrong(place, "text", value)
    return value


def _marker(value: Any, place: str) -> str:
    if not _text(value, place):
        raise InputError(f"{place}: the text is empty", hint="leave it out")
    return str(value)


def _flag(value: Any, place: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(place, "true or false", value)
    return value


def _choice(options: Collection[str]) -> Callable[[Any, str], str]:
    def read(value: Any, place: str) -> str:
        if _text(value, place) not in options:
            raise InputError(f"{place}: {value!r} is none of {', '.join(options)}")
        return str(value)

    return read


def _rows(read: Callable[[Any, str], _T]) -> Callable[[Any, str], tuple[_T, ...]]:
    def read_rows(value: Any, place: str) -> tuple[_T, ...]:
        if not isinstance(value, list | tuple):
            raise _wrong(place, "a list", value)
        return tuple(read(row, f"{place}[{index}]") for index, row in enumerate(value))

    return read_rows


def _texts_by(read: Callable[[Any, str], str]) -> Callable[[Any, str], dict[str, str]]:
    def read_texts(value: Any, place: str) -> dict[str, str]:
        if not isinstance(value, Mapping):
            raise _wrong(place, "a table", value)
        return {str(key): read(text, f"{place}.{key}") for key, text in value.items()}

    return read_texts


def _layout(value: Any, place: str, fields: Collection[str]) -> Layout:
    try:
        found = layout(_text(value, place))
    except InputError as error:
        raise InputError(f"{place}: {error.message}", hint=error.hint) from None
    for name in found.fields:
        if name not in fields:
            raise InputError(
                f"{place}: there is no field {{{name}}} here", hint=f"the fields are {', '.join(map(_braced, fields))}"
            )
    return found


def _block(value: Any, place: str) -> Block:
    entries = {key: _text(text, f"{place}.{key}") for key, text in _entries(value, Block._fields, place).items()}
    if not any(entries.values()):
        raise InputError(f"{place}: it neither opens nor closes", hint='write open = "..." or close = "..."')
    return Block(entries.get("open", ""), entries.get("close", ""))


def _keys(value: Any, place: str) -> Keys:
    entries = _entries(value, Keys._fields, place)
    keys = Keys(**{key: _text(text, f"{place}.{key}") for key, text in entries.items()})
    if not keys.arguments and keys.name:
        raise InputError(f"{place}.arguments: the text is empty", hint="only the name may be a key itself: name = ''")
    return keys


def _form(value: Any, place: str) -> CallForm:
    entries = _entries(value, CallForm._fields, place)
    if "call" not in entries:
        raise InputError(f"{place}.call is missing", hint='call = "<tool_call>{json}</tool_call>", for example')
    form = CallForm(**{key: FORM_READERS[key](text, f"{place}.{key}") for key, text in entries.items()})
    _check_call(form, place)
    _check_argument(form, place)
    return form


def _check_call(form: CallForm, place: str) -> None:
    """Raises InputError for a call whose fields do not make one."""
    place = f"{place}.call"
    fields = _layout(form.call, place, ("name", "id", "index", "arguments", "json")).fields
    if fields.count("arguments") > 1:
        raise InputError(f"{place}: {{arguments}} stands there twice")
    if "json" in fields:
        if len(fields) > 1 or form.arguments in TAGGED:
            raise InputError(f"{place}: {{json}} is the whole call", hint="without it: {name} and {arguments}")
    elif "arguments" not in fields or not {"name", "id"} & set(fields):
        raise InputError(f"{place}: it needs {{json}}, or {{arguments}} and a {{name}} or an {{id}} that holds it")


def _check_argument(form: CallForm, place: str) -> None:
    """Raises InputError where the dialect and what is said of arguments do not fit."""
    for key, dialects in (("argument", TAGGED), ("types", TAGGED), ("quoted", ("tagged",)), ("quote", ("loose",))):
        if getattr(form, key) and form.arguments not in dialects:
            raise InputError(f"{place}.{key}: only arguments that are {' or '.join(dialects)} have it")
    if form.arguments not in TAGGED:
        return
    if not form.argument:
        raise InputError(f"{place}.argument is missing", hint=f"arguments that are {form.arguments} need it")
    fields = _layout(form.argument, f"{place}.argument", ("key", "value", "type")).fields
    for name in ("key", "value"):
        if name not in fields:
            raise InputError(f"{place}.argument: the field {{{name}}} is missing")
    if ("type" in fields) != bool(form.types):
        raise InputError(f"{place}.types: they are said where the argument has a field {{type}}, and only there")


def _route(value: Any, place: str) -> Route:
    entries = _entries(value, Route._fields, place)
    for key in Route._fields:
        if key not in entries:
            raise InputError(f"{place}.{key} is missing")
    to = _choice(TARGETS)(entries["to"], f"{place}.to")
    fields = _layout(_marker(entries["match"], f"{place}.match"), f"{place}.match", ("name",)).fields
    if to == "arguments" and not fields:
        raise InputError(f"{place}.match: arguments are those of a call, whose {{name}} is missing")
    return Route(entries["match"], to)


def _header(value: Any, place: str) -> Header:
    entries = _entries(value, Header._fields, place)
    read = {key: HEADER_READERS[key](entry, f"{place}.{key}") for key, entry in entries.items()}
    header = Header(**{"begin": "", "ends": (), "closes": (), "routes": (), **read})
    if not header.ends:
        raise InputError(f"{place}.ends: nothing ends the header", hint='ends = ["<|message|>"], for example')
    return header


def _wrong(place: str, wanted: str, value: Any) -> InputError:
    return InputError(f"{place}: expected {wanted}, not {type(value).__name__}")


def _braced(name: str) -> str:
    return f"{{{name}}}"


READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "reasoning": _rows(_block),
    "content": _block,
    "calls": _rows(_form),
    "header": _header,
    "stops": _rows(_marker),
    "opener": _text,
    "prompt": _text,
    "ignored": _rows(_marker),
    "evidence": _texts_by(_text),
}
FORM_READERS: Mapping[str, Callable[[Any, str], Any]] = {
    **dict.fromkeys(("call", "begin", "end", "between", "argument", "quote"), _text),
    "arguments": _choice(DIALECTS),
    "types": _texts_by(_choice(TYPES)),
    "quoted": _flag,
    "keys": _keys,
}
HEADER_READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "begin": _text,
    "ends": _rows(_marker),
    "closes": _rows(_marker),
    "routes": _rows(_route),
}

# Writing


def _plain(value: Any) -> Any:
    """Tuples with names as dicts, without what is the default or empty; other tuples as lists."""
    if isinstance(value, NAMED):
        defaults: Mapping[str, Any] = value._field_defaults
        order = FORM_ORDER if isinstance(value, CallForm) else value._fields
        entries = ((key, getattr(value, key)) for key in order)
        said = ((key, entry) for key, entry in entries if (entry != defaults[key] if key in defaults else entry))
        return {key: _plain(entry) for key, entry in said}
    if isinstance(value, Mapping):
        return dict(value)
    return [_plain(row) for row in value] if isinstance(value, tuple) else value


def _is_section(value: Any) -> bool:
    """Whether a value has a heading of its own in TOML."""
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _values(table: Mapping[str, Any]) -> str:
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in table.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(key)} = {_value(entry)}' for key, entry in value.items())} }}"
    if _is_section(value):
        return "".join(["[\n", *(f"    {_value(row)},\n" for row in value), "]"])
    return f"[{', '.join(map(_value, value))}]"


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if bare else _quoted(key)


def _quoted(text: str) -> str:
    return f'"{"".join(map(_written, text))}"'


def _written(character: str) -> str:
    if character in ESCAPES:
        return ESCAPES[character]
    code = ord(character)
    # Half of a pair of surrogates has no escape in TOML.
    if character.isprintable() or 0xD800 <= code <= 0xDFFF:
        return character
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
