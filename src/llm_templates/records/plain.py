"""Any record to plain data of its own: dicts, lists, texts and numbers, copied, so that nobody's are changed."""

from __future__ import annotations

import dataclasses
import enum
import os
from collections.abc import Mapping
from typing import Any

from ..conversation import Conversation
from ..engine import Border
from .notes import Notes, wrong

#: How deep a record may be nested.
DEPTH = 100
#: What is plain data already, and cannot be changed.
ATOMS = frozenset({type(None), str, int, float, bool, bytes})


def plain(value: Any, place: str = "", depth: int = 0) -> Any:
    """`value` as plain data; what is none, such as an image or bytes, is passed on as it is.

    Raises:
        InputError: a key that is not text, or more levels than `DEPTH`.

    >>> plain(({"role": "user"}, "x"))
    [{'role': 'user'}, 'x']
    """
    if type(value) in ATOMS:
        return value
    if depth > DEPTH:
        raise wrong(place[:200], f"the record is nested more than {DEPTH} levels deep")
    # Most of a record is text: it is passed over here, without a name for its place.
    if isinstance(value, Mapping):
        return {
            key if type(key) is str else _key(key, place): (
                item if type(item) in ATOMS else plain(item, _below(place, key), depth + 1)
            )
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [
            item if type(item) in ATOMS else plain(item, f"{place}[{index}]", depth + 1)
            for index, item in enumerate(value)
        ]
    if isinstance(value, enum.Enum):
        return plain(value.value, place, depth + 1)
    if isinstance(value, str | int | float):
        return Border().lower(value)
    fields = _fields(value)
    return value if fields is None else plain(fields, place, depth + 1)


def _key(key: Any, place: str) -> str:
    if not isinstance(key, str):
        raise wrong(place, f"a key is not text: {key!r}")
    return str.__str__(key)


def _below(place: str, key: Any) -> str:
    return f"{place}.{key}" if place else str(key)


def _fields(value: Any) -> Any:
    """What an object consists of; None where it is nothing but itself."""
    if isinstance(value, type):
        return None
    if isinstance(value, Conversation):
        model = {} if value.model is None else {"model": value.model}
        return {"messages": [message.as_message() for message in value.messages], **model}
    # A class that says itself how it is written knows best: some leave fields out of `model_dump`.
    for name in ("as_message", "to_dict", "model_dump"):
        own = getattr(value, name, None)
        if callable(own):
            return own()
    if dataclasses.is_dataclass(value) or hasattr(value, "__attrs_attrs__") or hasattr(value, "__struct_fields__"):
        return Border().lower(value)
    # Values of Arrow and NumPy, as data sets hand them out; an array of more dimensions is an image.
    for name in ("as_py", "tolist"):
        own = getattr(value, name, None)
        if callable(own) and getattr(value, "ndim", 0) < 2:
            return own()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    address = getattr(value, "unicode_string", None)
    return address() if callable(address) else None


def without_padding(fields: Mapping[str, Any], place: str, notes: Notes) -> dict[str, Any]:
    """The fields without those that are null, or the NaN which pandas has in their place.

    Arrow gives every object of a column the keys of all. What is within a field stays: who reads it knows what null
    says there.
    """
    kept = {}
    for key, value in fields.items():
        if value is None or (isinstance(value, float) and value != value):
            notes.add("removed", _below(place, key), "null padding")
        else:
            kept[key] = value
    return kept
