"""The filters on whole sequences and mappings; those that look into each item are in `selection`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..errors import TemplateRuntimeError
from .calls import call_method
from .iteration import each, has_items, listed, stream
from .reading import attribute, no_attribute
from .run import Run
from .values import (
    CLOSED_ITEMS,
    INDEXED_TYPES,
    Loop,
    Stream,
    Undefined,
    View,
    type_name,
)

Filter = Callable[..., Any]


def count(run: Run, value: Any, /) -> int:
    """How many items, keys or characters."""
    kind = type(value)
    if kind is dict:
        return len(run.border.whole(value))
    if kind in INDEXED_TYPES or kind is View or kind is Undefined:
        return len(value)
    if kind is Loop:
        return len(value.items)
    raise TypeError(f"object of type {type_name(value)!r} has no len()")


def first(run: Run, value: Any, /) -> Any:
    """The first item."""
    for item in each(run, value):
        return item
    return Undefined("No first item, sequence was empty.")


def last(run: Run, value: Any, /) -> Any:
    """The last item."""
    if type(value) in (Stream, Loop) or not has_items(value):
        raise TypeError(f"a {type_name(value)} is not reversible")
    found = listed(run, value) if type(value) in (dict, View) else value
    if not found:
        return Undefined("No last item, sequence was empty.")
    item = found[-1]
    return item if type(item) in CLOSED_ITEMS else run.border.lower(item)


def to_list(run: Run, value: Any, /) -> list[Any]:
    """A new list of the items."""
    return listed(run, value)


def reverse(run: Run, value: Any, /) -> Any:
    """Text backwards, or the items from the last to the first."""
    if isinstance(value, str):
        run.create_text(len(value), value)
        return value[::-1]
    if not has_items(value):
        raise TemplateRuntimeError("argument must be iterable")
    items = list(each(run, value))
    items.reverse()
    return items if type(value) is Stream else stream(run, iter(items))


def items(run: Run, value: Any, /) -> Any:
    """The pairs of a mapping."""
    if type(value) is Undefined:
        return stream(run, iter(()))
    if type(value) is not dict:
        return stream(run, _not_a_mapping())
    return stream(run, each(run, call_method(run, value, "items")))


def _not_a_mapping() -> Iterator[Any]:
    raise TypeError("Can only get item pairs from a mapping.")
    yield


def default(run: Run, value: Any, /, default_value: Any = "", boolean: Any = False) -> Any:
    """`default_value` where the value is undefined, or false if `boolean`."""
    if type(value) is Undefined or (boolean and not value):
        return default_value
    return value


def attr(run: Run, value: Any, /, name: Any) -> Any:
    """`value.name` without a look at keys."""
    if not isinstance(name, str):
        raise TypeError(f"attribute name must be string, not {type_name(name)}")
    if type(value) is dict and not hasattr(dict, name):
        return no_attribute(run, value, name)
    return attribute(run, value, str(name))


def fill_slices(run: Run, value: Any, /, slices: Any, fill_with: Any = None) -> Stream:
    """So many lists, of as equal length as may be."""
    if not isinstance(slices, int):
        raise TypeError(f"slices must be a number, not {type_name(slices)}")

    def parts() -> Iterator[Any]:
        found = list(each(run, value))
        run.create(8 * len(found))
        per_slice, extra = divmod(len(found), slices)
        offset = 0
        for number in range(slices):
            run.create(8 * per_slice)
            start = offset + number * per_slice
            if number < extra:
                offset += 1
            part = found[start : offset + (number + 1) * per_slice]
            if fill_with is not None and number >= extra:
                part.append(fill_with)
            yield part

    return stream(run, parts(), value)


def batch(run: Run, value: Any, /, linecount: Any, fill_with: Any = None) -> Stream:
    """Lists of `linecount` items."""

    def parts() -> Iterator[Any]:
        part: list[Any] = []
        for item in each(run, value):
            if len(part) == linecount:
                yield part
                part = []
            run.create(8)
            part.append(item)
        if part:
            if fill_with is not None and len(part) < linecount:
                run.create(8 * (int(linecount) - len(part)))
                part = part + [fill_with] * (linecount - len(part))
            yield part

    return stream(run, parts(), value)
