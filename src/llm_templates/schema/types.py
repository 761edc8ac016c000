"""Type hints to JSON schemas: first what `get_json_schema` of transformers writes, then the types it refuses.

The rows above `# beyond` decide bytes that end up in prompts, so their order and the order of keys are the reference's.
A type that leads back to itself is written once, under `definitions`, and referred to by `$ref`; any other is
written where it stands, because a model reads the schema as text.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import sys
import types
from collections import OrderedDict, abc, defaultdict, deque
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from .docstrings import read_any
from .fields import (
    Field,
    UnwritableError,
    dataclass_fields,
    is_qualifier,
    is_typed_dict,
    name_of,
    own_docstring,
    typed_dict_fields,
)

Schema = dict[str, Any]

#: The types that JSON writes as one word or number, and what JSON schema calls them.
SCALARS: dict[Any, str] = {int: "integer", float: "number", str: "string", bool: "boolean", type(None): "null"}
NAMED: dict[Any, str] = {**SCALARS, list: "array", tuple: "array", dict: "object"}

#: Types of modules that are not imported here: who has one in a hint has imported its module.
MEDIA: dict[tuple[str, str], Schema] = {
    ("PIL.Image", "Image"): {"type": "image"},
    ("torch", "Tensor"): {"type": "audio"},
}
PLAIN: dict[tuple[str, str], Schema] = {
    ("builtins", "bytes"): {"type": "string", "format": "binary"},
    ("datetime", "datetime"): {"type": "string", "format": "date-time"},
    ("datetime", "date"): {"type": "string", "format": "date"},
    ("datetime", "time"): {"type": "string", "format": "time"},
    ("datetime", "timedelta"): {"type": "string", "format": "duration"},
    ("uuid", "UUID"): {"type": "string", "format": "uuid"},
    ("pathlib", "Path"): {"type": "string", "format": "path"},
    ("decimal", "Decimal"): {"type": "number"},
    ("builtins", "object"): {},
}
LISTS = {abc.Sequence, abc.MutableSequence, abc.Collection, abc.Iterable, abc.Iterator, abc.Reversible, deque}
SETS = {set, frozenset, abc.Set, abc.MutableSet}
MAPPINGS = {abc.Mapping, abc.MutableMapping, OrderedDict, defaultdict}


class TypeSchemas:
    """Writes type hints as schemas.

    Args:
        beyond: whether types are taken that the reference refuses.

    >>> TypeSchemas().schema(list[int] | None)
    {'type': 'array', 'items': {'type': 'integer'}, 'nullable': True}
    """

    def __init__(self, *, beyond: bool = True) -> None:
        #: Types that lead back to themselves, by the name that `$ref` gives.
        self.definitions: dict[str, Schema] = {}
        self._beyond = beyond
        self._names: dict[Any, str] = {}
        self._open: list[Any] = []
        self._recursive: list[Any] = []

    def schema(self, hint: Any) -> Schema:
        """The schema of one hint.

        Raises:
            UnwritableError: there is none.
        """
        origin, args = get_origin(hint), get_args(hint)
        if origin is None:
            return self._bare(hint)
        if origin is Union or origin is types.UnionType:
            return self._union(args)
        if origin is Literal and args:
            return _choices(self._literals(args), hint)
        if origin is list:
            return {"type": "array", "items": self.schema(args[0])} if args else {"type": "array"}
        if origin is tuple:
            return self._tuple(hint, args)
        if origin is dict:
            return self._mapping(args)
        if self._beyond:
            return self._generic(hint, origin, args)
        raise UnwritableError(f"{name_of(hint)} is not basic")

    # ---- as the reference writes ------------------------------------------------------------------------------

    def _bare(self, hint: Any) -> Schema:
        """A hint without arguments."""
        if isinstance(hint, type) and issubclass(hint, Enum):
            return _choices([member.value for member in hint], hint)
        if hint is Any:
            return {}
        for kind, name in NAMED.items():  # Not looked up: a hint can be anything, also what has no hash.
            if kind is hint:
                return {"type": name}
        media = _listed(hint, MEDIA)
        if media is not None:
            return media
        if self._beyond:
            return self._bare_beyond(hint)
        raise UnwritableError(f"{name_of(hint)} is not basic")

    def _union(self, args: tuple[Any, ...]) -> Schema:
        """One of several: names side by side while there is nothing but names, else `anyOf`; None is `nullable`."""
        members = [self.schema(arg) for arg in args if arg is not type(None)]
        schema: Schema
        if len(members) == 1:
            schema = members[0]
        elif all(member.keys() == {"type"} and isinstance(member["type"], str) for member in members):
            names = sorted({member["type"] for member in members})
            schema = {"type": names[0] if len(names) == 1 else names}
        else:
            schema = {"anyOf": members}
        if type(None) in args:
            schema["nullable"] = True
        return schema

    def _tuple(self, hint: Any, args: tuple[Any, ...]) -> Schema:
        if not args:
            return {"type": "array"}
        if self._beyond and len(args) == 2 and args[1] is ... and not getattr(hint, "__unpacked__", False):
            return {"type": "array", "items": self.schema(args[0])}
        if any(arg is ... for arg in args) or (len(args) == 1 and not self._beyond):
            raise UnwritableError(
                f"{name_of(hint)} has dots among its types",
                "write tuple[int, ...] or list[int] where the length may vary",
            )
        return {"type": "array", "prefixItems": [self.schema(arg) for arg in args]}

    def _mapping(self, args: tuple[Any, ...]) -> Schema:
        schema: Schema = {"type": "object"}
        if len(args) == 2:
            schema["additionalProperties"] = self.schema(args[1])
        return schema

    # ---- beyond -----------------------------------------------------------------------------------------------

    def _literals(self, args: tuple[Any, ...]) -> list[Any]:
        return [arg.value if self._beyond and isinstance(arg, Enum) else arg for arg in args]

    def _bare_beyond(self, hint: Any) -> Schema:
        plain = _listed(hint, PLAIN)
        if plain is not None:
            return plain
        if inspect.isclass(hint):
            if callable(getattr(hint, "model_json_schema", None)):
                return self._model(hint)
            if is_typed_dict(hint):
                return self._named(hint, lambda: self._object(hint, typed_dict_fields(hint)))
            if dataclasses.is_dataclass(hint):
                return self._named(hint, lambda: self._object(hint, dataclass_fields(hint)))
            return self._container(hint, hint, ())
        if hasattr(hint, "__supertype__"):  # typing.NewType
            return self.schema(hint.__supertype__)
        if hasattr(hint, "__value__"):  # the `type` statement
            return self._named(hint, lambda: self.schema(hint.__value__))
        raise UnwritableError(f"{name_of(hint)} has no JSON form")

    def _generic(self, hint: Any, origin: Any, args: tuple[Any, ...]) -> Schema:
        if origin is Annotated or is_qualifier(hint):
            return self.schema(args[0])
        return self._container(hint, origin, args)

    def _container(self, hint: Any, origin: Any, args: tuple[Any, ...]) -> Schema:
        if origin in MAPPINGS:
            return self._mapping(args)
        if origin not in LISTS and origin not in SETS:
            raise UnwritableError(f"{name_of(hint)} has no JSON form")
        schema: Schema = {"type": "array"}
        if args:
            schema["items"] = self.schema(args[0])
        if origin in SETS:
            schema["uniqueItems"] = True
        return schema

    def _object(self, kind: type, fields: list[Field]) -> Schema:
        """An object with named fields, described by its docstring where there is one."""
        properties = {}
        for field in fields:
            schema = properties[field.name] = self.schema(field.hint)
            own = schema.pop("description", None)
            if field.description or own:
                schema["description"] = field.description or own
        written: Schema = {"type": "object", "properties": properties}
        required = [field.name for field in fields if field.required]
        if required:
            written["required"] = required
        summary = read_any(own_docstring(kind)).summary
        if summary:
            written["description"] = summary
        return written

    def _named(self, key: Any, write: Callable[[], Schema], name: str = "") -> Schema:
        """What `write` gives, or a reference to it if the type leads back to itself."""
        if key in self._open:
            self._recursive.append(key)
            return self._reference(key, name)
        self._open.append(key)
        try:
            schema = write()
        finally:
            self._open.pop()
        if key not in self._recursive:
            return schema
        reference = self._reference(key, name)
        self.definitions[self._names[key]] = schema
        return reference

    def _reference(self, key: Any, name: str) -> Schema:
        if key not in self._names:
            wanted = free = name or getattr(key, "__name__", "Type")
            taken = self._names.values()
            count = 1
            while free in taken:
                count += 1
                free = f"{wanted}{count}"
            self._names[key] = free
        return {"$ref": f"#/$defs/{self._names[key]}"}

    def _model(self, kind: Any) -> Schema:
        """What a class says of itself, as pydantic's models do, with its definitions written where they are used."""
        try:
            schema = kind.model_json_schema()
        except (RuntimeError, NameError, TypeError, ValueError, AttributeError) as error:
            raise UnwritableError(f"{name_of(kind)} has no schema: {error}") from None
        if not isinstance(schema, dict):
            raise UnwritableError(f"{name_of(kind)}.model_json_schema() gives no dict")
        definitions = schema.get("$defs", {})
        root = {key: value for key, value in schema.items() if key != "$defs"}
        written: Schema = self._inlined(root, definitions)
        return written

    def _inlined(self, node: Any, definitions: Mapping[str, Any]) -> Any:
        if isinstance(node, list):
            return [self._inlined(item, definitions) for item in node]
        if not isinstance(node, dict):
            return node
        target = node.get("$ref")
        name = target.removeprefix("#/$defs/") if isinstance(target, str) else ""
        if name not in definitions:
            return {key: self._inlined(value, definitions) for key, value in node.items()}
        definition = definitions[name]
        same = name, json.dumps(definition)
        beside = {key: self._inlined(value, definitions) for key, value in node.items() if key != "$ref"}
        return {**self._named(same, lambda: self._inlined(definition, definitions), name), **beside}


def _choices(values: list[Any], hint: Any) -> Schema:
    """One of some values; their types are named once each, in the order they come."""
    if not values:
        raise UnwritableError(
            f"{name_of(hint)} has no members, so no value could match it", "give the Enum members, or use another type"
        )
    for value in values:
        if type(value) not in SCALARS:
            raise UnwritableError(
                f"{name_of(hint)} has the value {value!r}",
                "the values that a model chooses from are text, numbers, True, False or None",
            )
    names = list(dict.fromkeys(SCALARS[type(value)] for value in values))
    return {"type": names[0] if len(names) == 1 else names, "enum": values}


def _listed(hint: Any, table: Mapping[tuple[str, str], Schema]) -> Schema | None:
    """The schema of the type in a table that the hint is."""
    for (module, name), schema in table.items():
        if module in sys.modules and getattr(sys.modules[module], name, None) is hint:
            return dict(schema)
    return None
