"""Value types: the type that a tool's schema gives to a value which stands as raw text in the output.

- Without a schema the text is the value.
- Where the schema allows only strings, too, whatever the text looks like: `"foo"` keeps its quotes, `007` its zeros.
- Otherwise the first of null, integer, number, boolean, object, array that the schema allows and that *all* of the
  text is (white space around it aside); text that is none of them stays a string, exactly as it is.
- `null` and `None` are null; `true` and `false` are boolean in any case.
- Numbers keep their digits. `007`, `+5` and, for an integer, `3.0` count as 7, 5 and 3, but not where a string is
  allowed: `02134` may be a postal code. A number that is no integer is taken as it is where only an integer is allowed.
- Objects and arrays may be written as JSON or as Python does.
- Where the schema allows anything, a complete JSON value is that value.
- Where the schema allows a string and lists this very text among its values, it is that string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .cursor import Broken
from .literals import JSON, PYTHON, Style, whole_text
from .spelling import LONGEST_NUMBER, number_text, string_body

#: How many parts of a schema are looked at for one value.
MOST_PARTS = 256


class Schema(NamedTuple):
    """A JSON schema, and the document that its references point into."""

    node: Mapping[str, Any]
    root: Mapping[str, Any] = {}


class ToolTypes:
    """The types of the arguments of a request's tools; whatever is not a tool is ignored.

    >>> tool = {"name": "set_alarm", "parameters": {"properties": {"hour": {"type": "integer"}}}}
    >>> types = ToolTypes([{"type": "function", "function": tool}])
    >>> json_text("007", types.schema("set_alarm", "hour"))
    '7'
    """

    def __init__(self, tools: Sequence[Any] | None) -> None:
        self._parameters: dict[str, Mapping[str, Any]] = {}
        for tool in tools if isinstance(tools, Sequence) else ():
            function = tool.get("function", tool) if isinstance(tool, Mapping) else None
            if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
                continue
            found = (function.get(key) for key in ("parameters", "input_schema"))
            self._parameters[function["name"]] = next((one for one in found if isinstance(one, Mapping)), {})
        self._schemas: dict[tuple[str, str], Schema | None] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the tools, in their order."""
        return tuple(self._parameters)

    def knows(self, name: str) -> bool:
        """Whether there is a tool of this name."""
        return name in self._parameters

    def schema(self, name: str, key: str) -> Schema | None:
        """The schema of an argument; None if the tools say nothing of it."""
        if (name, key) not in self._schemas and name in self._parameters:
            root = self._parameters[name]
            self._schemas[name, key] = _property(Schema(root, root), key)
        return self._schemas.get((name, key))


def is_text(schema: Schema | None) -> bool:
    """Whether a value is a string whatever it looks like.

    >>> [is_text(Schema(node)) for node in ({"type": "string"}, {"enum": ["a", "b"]}, {"type": ["string", "null"]})]
    [True, True, False]
    """
    return schema is None or _kinds(schema) == {"string"}


def json_text(raw: str, schema: Schema | None) -> str:
    """JSON text of the value that raw text is.

    >>> either = Schema({"type": ["integer", "string"]})
    >>> [json_text(raw, either) for raw in ("12", "1abc", "02134")]
    ['12', '"1abc"', '"02134"']
    """
    if schema is None:
        return f'"{string_body(raw)}"'
    kinds = _kinds(schema)
    text = raw.strip()
    strict = not kinds.isdisjoint({"string", "anything"})
    if not (strict and raw in _listed(schema)):
        for kind, read in _READERS.items():
            if kind in kinds and (told := read(text, strict)) is not None:
                return told
    return f'"{string_body(raw)}"'


def typed(value: Any, schema: Schema | None) -> Any:
    """A value whose strings, at any depth, are raw text, as what the schema says they are.

    Empty text where only an array or only an object may stand is an empty one, and a lone `item` where only an object
    may stand is its key.

    >>> typed({"id": "3", "tags": ["1"]}, Schema({"properties": {"id": {"type": "integer"}}}))
    {'id': 3, 'tags': ['1']}
    """
    if schema is None:
        return value
    if isinstance(value, str):
        told = json_text(value, schema)
        return json.loads(told if value.strip() else _EMPTY.get(frozenset(_kinds(schema)), told))
    if isinstance(value, list) and len(value) == 1 and _kinds(schema) == {"object"}:
        value = {"item": value[0]}
    if isinstance(value, list):
        return [typed(one, _item(schema, index)) for index, one in enumerate(value)]
    if isinstance(value, dict):
        return {key: typed(one, _property(schema, key)) for key, one in value.items()}
    return value


# -- texts --

#: What empty tags hold, by the types that are allowed.
_EMPTY = {frozenset({"array"}): "[]", frozenset({"object"}): "{}"}

_JSON_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"(-?[0-9]+)\.0+")


def _null(text: str, strict: bool) -> str | None:
    return "null" if text in ("null", "None") else None


def _boolean(text: str, strict: bool) -> str | None:
    return text.lower() if text.lower() in ("true", "false") else None


def _integer(text: str, strict: bool) -> str | None:
    if strict:
        return text if len(text) <= LONGEST_NUMBER and _JSON_INTEGER.fullmatch(text) else None
    told = number_text(text)
    whole = _WHOLE.fullmatch(told) if told else None
    return whole[1] if whole else told


def _number(text: str, strict: bool) -> str | None:
    if strict:
        return text if len(text) <= LONGEST_NUMBER and _JSON_NUMBER.fullmatch(text) else None
    return number_text(text)


def _object(text: str, strict: bool) -> str | None:
    return _container(text, "{")


def _array(text: str, strict: bool) -> str | None:
    return _container(text, "[" if strict else "[(")


def _container(text: str, opening: str) -> str | None:
    if not text or text[0] not in opening:
        return None
    return _anything(text, True) or _complete(text, PYTHON)


def _complete(text: str, style: Style) -> str | None:
    """JSON text of what all of `text` is."""
    try:
        told, end = whole_text(text, 0, style)
    except Broken:
        return None
    return told if end == len(text) else None


def _anything(text: str, strict: bool) -> str | None:
    told = _complete(text, JSON)
    # Valid JSON is told verbatim; what is not the same is only nearly JSON.
    return told if told == text else None


_READERS: dict[str, Callable[[str, bool], str | None]] = {
    "null": _null,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "object": _object,
    "array": _array,
    "anything": _anything,
}

# -- schemas --

#: The names that types have, in JSON Schema and beside it.
_NAMES = {
    **{name: name for name in ("string", "integer", "number", "boolean", "object", "array", "null")},
    "str": "string",
    "int": "integer",
    "float": "number",
    "double": "number",
    "bool": "boolean",
    "dict": "object",
    "list": "array",
    "tuple": "array",
    "none": "null",
}
#: What a schema without a type is about, by the keys that it has.
_SIGNS = {
    **dict.fromkeys(("properties", "additionalProperties", "required"), "object"),
    **dict.fromkeys(("items", "prefixItems", "minItems", "maxItems"), "array"),
    **dict.fromkeys(("pattern", "format", "minLength", "maxLength"), "string"),
    **dict.fromkeys(("minimum", "maximum", "multipleOf"), "number"),
}


def _kinds(schema: Schema) -> set[str]:
    """The names of the types that a value may have; "anything" where that is open."""
    found: set[str] = set()
    for node, choices in _nodes(schema, only_untyped=True):
        kinds = _own_kinds(node)
        if node.get("nullable") is True:
            found.add("null")
        found |= kinds or (set() if choices else {"anything"})
    return found or {"anything"}


def _own_kinds(node: Mapping[str, Any]) -> set[str]:
    """The types that a schema names, or that its values or other keys show."""
    if (names := node.get("type")) is not None:
        listed = names if isinstance(names, list | tuple) else [names]
        return {_NAMES.get(name.lower(), "anything") if isinstance(name, str) else "anything" for name in listed}
    if values := _values(node):
        return {_kind_of(value) for value in values}
    if "anyOf" in node or "oneOf" in node:
        return set()
    return {kind for key, kind in _SIGNS.items() if key in node}


def _values(node: Mapping[str, Any]) -> list[Any]:
    """The values that a schema lists."""
    values = [node["const"]] if "const" in node else node.get("enum")
    return list(values) if isinstance(values, list | tuple) else []


def _kind_of(value: Any) -> str:
    """The name of a value's type."""
    if value is None:
        return "null"
    kinds = ((str, "string"), (bool, "boolean"), (int, "integer"), (float, "number"), (Mapping, "object"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "array")


def _listed(schema: Schema) -> set[str]:
    """The strings among the values that a schema lists."""
    return {value for node, _ in _nodes(schema) for value in _values(node) if isinstance(value, str)}


def _property(schema: Schema, key: str) -> Schema | None:
    """The schema of what an object has under a key."""
    nodes = [node for node, _ in _nodes(schema)]
    found = [properties[key] for node in nodes if key in (properties := _mapping(node.get("properties")))]
    if not found:
        found = [other for node in nodes if isinstance(other := node.get("additionalProperties"), Mapping)]
    return _one_of(found, schema.root)


def _item(schema: Schema, index: int) -> Schema | None:
    """The schema of what an array has at a place."""
    found: list[Any] = []
    for node, _ in _nodes(schema):
        first, rest = node.get("prefixItems"), node.get("items")
        if isinstance(rest, list):
            first, rest = rest, node.get("additionalItems")
        inside = isinstance(first, list) and index < len(first)
        found.append(first[index] if inside and isinstance(first, list) else rest)
    return _one_of(found, schema.root)


def _one_of(found: Sequence[Any], root: Mapping[str, Any]) -> Schema | None:
    """A schema of several."""
    nodes = [{} if one is True else one for one in found if one is True or isinstance(one, Mapping)]
    if not nodes:
        return None
    return Schema(nodes[0] if len(nodes) == 1 else {"anyOf": nodes}, root)


#: The keys that make a schema of several others.
_COMBINING = frozenset({"$ref", "allOf", "anyOf", "oneOf"})


def _nodes(schema: Schema, only_untyped: bool = False) -> Iterator[tuple[Mapping[str, Any], list[Any]]]:
    """A schema and the choices it offers, at any depth, each without references, and with its own choices.

    With `only_untyped`, the choices of a schema that has a type itself are left out.
    """
    if _COMBINING.isdisjoint(schema.node):
        yield schema.node, []
        return
    pending: list[Any] = [schema.node]
    seen: set[int] = set()
    while pending and len(seen) < MOST_PARTS:
        part = pending.pop(0)
        if id(part) in seen:
            continue
        seen.add(id(part))
        node = _resolved({} if part is True else _mapping(part), schema.root)
        choices = [one for key in ("anyOf", "oneOf") for one in _list(node.get(key))]
        yield node, choices
        if not (only_untyped and _own_kinds(node)):
            pending += choices


def _resolved(part: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema merged with what it refers to and with all of its `allOf`; what stands nearer holds."""
    if "$ref" not in part and "allOf" not in part:
        return part
    merged: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    pending: list[Any] = [part]
    seen: set[int] = set()
    while pending and len(seen) < MOST_PARTS:
        node = _mapping(pending.pop(0))
        if id(node) in seen:
            continue
        seen.add(id(node))
        for key, value in node.items():
            merged.setdefault(key, value)
        for key, value in _mapping(node.get("properties")).items():
            properties[key] = {"allOf": [properties[key], value]} if key in properties else value
        pending += [_target(node.get("$ref"), root), *_list(node.get("allOf"))]
    if properties:
        merged["properties"] = properties
    return merged


def _target(reference: Any, root: Mapping[str, Any]) -> Any:
    """What a reference such as `#/$defs/city` points to; None if that is nowhere in the document."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    found: Any = root
    for name in reference[1:].split("/")[1:MOST_PARTS]:
        name = name.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdecimal() and len(name) < 6 and int(name) < len(found):
            found = found[int(name)]
        else:
            found = _mapping(found).get(name)
    return found


def _mapping(value: Any) -> Mapping[str, Any]:
    """A mapping as it is, and anything else as an empty one."""
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> Sequence[Any]:
    """A list as it is, and anything else as an empty one."""
    return value if isinstance(value, list | tuple) else ()
