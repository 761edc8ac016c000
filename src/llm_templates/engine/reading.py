"""Reading attributes, keys, items and slices, by the rules of the closed world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import SecurityError
from .budget import FREE_SCAN
from .run import Run
from .values import (
    CLOSED,
    CLOSED_ITEMS,
    INDEXED_TYPES,
    MISSING,
    Function,
    Group,
    Method,
    Namespace,
    Undefined,
    type_name,
)

#: type -> name -> implementation(run, value, ...)
METHODS: dict[type, dict[str, Callable[..., Any]]] = {}


#: The same for methods that change a value in place, which only a run that says so may call.
MUTATIONS: dict[type, dict[str, Callable[..., Any]]] = {}


#: type -> name -> why it is refused
REFUSED_METHODS: dict[type, dict[str, str]] = {}


#: type -> name -> getter of a plain attribute
ATTRIBUTES: dict[type, dict[str, Callable[[Any], Any]]] = {}


#: Names by which Python's own objects lead out of a sandbox. Here they lead nowhere; asking for one is refused.
INTERNAL_NAMES: frozenset[str] = frozenset(
    [
        "mro",
        "gi_code",
        "gi_frame",
        "gi_yieldfrom",
        "cr_code",
        "cr_frame",
        "cr_await",
        "ag_code",
        "ag_frame",
        "ag_await",
        "func_code",
        "func_globals",
        "func_closure",
        "func_defaults",
        "func_dict",
        "im_class",
        "im_func",
        "im_self",
        "tb_frame",
        "tb_next",
        "f_back",
        "f_builtins",
        "f_code",
        "f_globals",
        "f_locals",
        "co_code",
        "co_consts",
    ]
)


#: Every name that a dict's methods take before its keys.
DICT_METHODS: frozenset[str] = frozenset(name for name in dir(dict) if not name.startswith("_"))


def no_attribute(run: Run, owner: object, name: Any) -> Undefined:
    """The undefined value of an attribute or item that `owner` does not have."""
    run.spend(3)
    run.charge(256)
    shown = type_name(owner) if owner is None else f"{type_name(owner)} object"
    if isinstance(name, str):
        return Undefined(f"{shown!r} has no attribute {name[:NAME_SHOWN]!r}")
    return Undefined(f"{shown} has no element {name!r}" if type(name) is int else f"{shown} has no such element")


#: How much of a name an error text shows.
NAME_SHOWN = 100


def entry(run: Run, mapping: dict[Any, Any], key: Any) -> Any:
    """The value at `key` as the template sees it, or `MISSING`."""
    if type(key) is str and len(key) > FREE_SCAN:
        run.work(len(key))
    value = mapping.get(key, MISSING)
    if value is None or (key in run.watched and not run.watched.isdisjoint(mapping)):
        value = run.border.whole(mapping).get(key, MISSING)
    if value is MISSING or type(value) in CLOSED_ITEMS:
        return value
    return run.border.lower(value)


def lowered(run: Run, container: Any, key: Any, value: Any, undefined: Undefined) -> Any:
    """What a fast read of `container[key]` that gave `value`, not one of the closed types, means."""
    if value is None:
        if type(container) is not dict:
            return None
        value = run.border.whole(container).get(key, undefined)
        if value is None:
            return None
    return value if type(value) in CLOSED else run.border.lower(value)


def attribute(run: Run, value: Any, name: str) -> Any:
    """`value.name`: a method before a key, as in the reference."""
    kind = type(value)
    if kind is dict:
        if name in DICT_METHODS:
            return _method(value, name)
        found = entry(run, value, name)
        if found is not MISSING:
            return found
        if name.startswith("__") and hasattr(dict, name):
            raise SecurityError(f"access to attribute {name!r} of a dict is refused")
        return no_attribute(run, value, name)
    if kind is Undefined:
        return value.fail()
    if kind is Namespace:
        found = value.attributes.get(name, MISSING)
        if found is not MISSING:
            return found
    if kind is Function and name in value.attributes:
        return value.attributes[name]
    getter = ATTRIBUTES.get(kind, {}).get(name)
    if getter is not None:
        return getter(value)
    if name in METHODS.get(kind, ()):
        return _method(value, name)
    if name.startswith("_") or name in INTERNAL_NAMES:
        raise SecurityError(f"access to attribute {name!r} of a {type_name(value)} is refused")
    if name in REFUSED_METHODS.get(kind, ()):
        return _refused(value, name)
    return no_attribute(run, value, name)


def _method(value: Any, name: str) -> Any:
    if name in REFUSED_METHODS.get(type(value), ()):
        return _refused(value, name)
    return Method(value, name)


def _refused(value: Any, name: str) -> Undefined:
    reason = REFUSED_METHODS[type(value)][name]
    return Undefined(f"the method {name!r} of a {type_name(value)} is refused: {reason}", SecurityError)


def item(run: Run, value: Any, key: Any) -> Any:
    """`value[key]`: a key before a method, as in the reference."""
    kind = type(value)
    if kind is dict:
        try:
            found = entry(run, value, key)
        except TypeError:  # a key that cannot be hashed
            return no_attribute(run, value, key)
        if found is not MISSING:
            return found
    elif kind is Undefined:
        return value.fail()
    elif kind in INDEXED_TYPES and type(key) in (int, bool):
        try:
            found = value[key]
        except IndexError:
            return no_attribute(run, value, key)
        return found if type(found) in CLOSED_ITEMS else run.border.lower(found)
    if isinstance(key, str):
        return attribute(run, value, str(key))
    return no_attribute(run, value, key)


def part(run: Run, value: Any, start: Any, stop: Any, step: Any) -> Any:
    """`value[start:stop:step]`."""
    kind = type(value)
    if kind is Undefined:
        return value.fail()
    if kind not in INDEXED_TYPES:
        raise TypeError(f"a value of type {type_name(value)} cannot be sliced")
    bounds = slice(start, stop, step)
    if kind is range:
        return value[bounds]
    length = len(range(*bounds.indices(len(value))))
    if isinstance(value, str):
        run.create_text(length, value)
    else:
        run.create(8 * length)
    return tuple(value[bounds]) if kind is Group else value[bounds]
