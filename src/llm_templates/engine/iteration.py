"""What loops and filters walk, each item charged, and lowered when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .calls import call_method
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


def sequence(run: Run, value: Any, cost: int) -> Any:
    """What a loop over `value` walks, each turn charged `cost` steps now: a list, a tuple, a string or a range."""
    kind = type(value)
    if kind is not list and kind is not range and not isinstance(value, str | tuple):
        value = listed(run, value)
    run.steps_left -= len(value) * cost
    if run.steps_left < 0:
        run.spend(0)
    return value


def listed(run: Run, value: Any) -> list[Any]:
    """A new list of the items of `value`, not lowered. Raises TypeError for what has none."""
    kind = type(value)
    if kind is dict:
        whole = run.border.whole(value)
        run.create(8 * len(whole))
        return list(whole)
    if kind is View:
        return list(value.items)
    if kind is Stream:
        # A stream gives no more items than what it reads from, which has been charged, or charges them itself.
        items = list(value.iterator)
        # A slot for each, and what `map` may have made of it.
        run.create(64 * len(items))
        return items
    if kind is Loop:
        raise TypeError("a loop cannot be looped over")
    if kind in INDEXED_TYPES:
        # A list of slots; a character and a number of its own for each, where there were none before.
        run.create((64 if isinstance(value, str) else 40 if kind is range else 8) * len(value))
        return list(value)
    if kind is Undefined:
        return []
    raise TypeError(f"a {type_name(value)} is not iterable")


def each(run: Run, value: Any) -> Iterator[Any]:
    """The items of `value`, lowered one by one as they are asked for."""
    source: Iterable[Any] = value.iterator if type(value) is Stream else sequence(run, value, 1)
    for found in source:
        yield found if type(found) in CLOSED_ITEMS else run.border.lower(found)


def stream(run: Run, iterator: Iterator[Any], source: object = None) -> Stream:
    """A lazy value that reads from `source`: an object, an iterator and the frame of a generator."""
    run.spend(25)
    run.charge(512)
    return Stream(iterator, source)


def pairs(run: Run, value: Any, cost: int) -> Any:
    """What a loop over `value.items()` walks: pairs."""
    if type(value) is not dict:
        return [unpack(run, found, 2) for found in sequence(run, call_method(run, value, "items"), cost)]
    whole = run.border.whole(value)
    run.spend(len(whole) * cost)
    return whole.items()


def filter_pairs(run: Run, value: Any, cost: int) -> Any:
    """What a loop over `value|items` walks."""
    if type(value) is dict:
        return pairs(run, value, cost)
    if type(value) is Undefined:
        return ()
    raise TypeError("Can only get item pairs from a mapping.")


def has_items(value: Any) -> bool:
    """`value is iterable`."""
    kind = type(value)
    return kind in INDEXED_TYPES or kind in (dict, View, Stream, Undefined, Loop)


def unpack(run: Run, value: Any, count: int) -> list[Any]:
    """`a, b = value`."""
    items = list(each(run, value))
    if len(items) != count:
        raise ValueError(f"cannot unpack {len(items)} values into {count} names")
    return items


def spread(run: Run, value: Any) -> list[Any]:
    """The positional arguments of `f(*value)`."""
    return list(each(run, value))


def spread_keywords(run: Run, value: Any) -> dict[str, Any]:
    """The keyword arguments of `f(**value)`."""
    if type(value) is not dict:
        raise TypeError(f"the argument after ** must be a mapping, not {type_name(value)}")
    whole = run.border.whole(value)
    run.create(32 * len(whole))
    if not all(isinstance(key, str) for key in whole):
        raise TypeError("keywords must be strings")
    return {str(key): run.border.lower(found) for key, found in whole.items()}
