"""Equality, order and membership, of trees whose every node is charged."""

from __future__ import annotations

from typing import Any

from .budget import FREE_SCAN
from .iteration import each
from .run import Run, settle
from .values import (
    CONTAINERS,
    Namespace,
    Real,
    Text,
    Undefined,
    Whole,
    type_name,
)

#: Types that compare in no time: numbers, and text, of which Python compares lengths first.
SCALARS: frozenset[type] = frozenset({str, Text, int, Whole, float, Real, bool, type(None), Undefined})


def comparable(run: Run, value: Any) -> Any:
    """`value` ready for Python's own comparison: lowered throughout, every node and character of it charged."""
    if type(value) in CONTAINERS:
        settled, size = settle(run, value)
        run.work(size)
        return value if type(value) is Namespace else settled
    if isinstance(value, str) and len(value) > FREE_SCAN:
        run.work(len(value))
    return value


def place(run: Run, key: Any, size: int) -> None:
    """Charge a place for `key` among `size` others in a dict or a set.

    Numbers beyond 60 bits, and tuples, can be chosen so that all of them fall on one place; the hashes of text cannot.
    """
    if type(key) is tuple or (isinstance(key, int | float) and not -(1 << 60) < key < 1 << 60):
        run.spend(size + 1)


def equal(run: Run, left: Any, right: Any) -> bool:
    """`left == right`."""
    if type(left) in SCALARS and type(right) in SCALARS:
        if isinstance(left, str) and isinstance(right, str) and len(left) == len(right) > FREE_SCAN:
            run.work(len(left))
        return bool(left == right)
    return bool(comparable(run, left) == comparable(run, right))


def unequal(run: Run, left: Any, right: Any) -> bool:
    """`left != right`."""
    return bool(comparable(run, left) != comparable(run, right))


def less(run: Run, left: Any, right: Any) -> bool:
    """`left < right`."""
    return bool(comparable(run, left) < comparable(run, right))


def less_equal(run: Run, left: Any, right: Any) -> bool:
    """`left <= right`."""
    return bool(comparable(run, left) <= comparable(run, right))


def greater(run: Run, left: Any, right: Any) -> bool:
    """`left > right`."""
    return bool(comparable(run, left) > comparable(run, right))


def greater_equal(run: Run, left: Any, right: Any) -> bool:
    """`left >= right`."""
    return bool(comparable(run, left) >= comparable(run, right))


def contains(run: Run, needle: Any, haystack: Any) -> bool:
    """`needle in haystack`."""
    kind = type(haystack)
    if kind is dict:
        if needle in run.watched:
            return not run.watched.isdisjoint(haystack) and needle in run.border.whole(haystack)
        return needle in haystack and (haystack[needle] is not None or needle in run.border.whole(haystack))
    if isinstance(haystack, str):
        if not isinstance(needle, str):
            raise TypeError(f"'in' on text requires text on its left, not {type_name(needle)}")
        run.search(len(haystack), len(needle))
        return str(needle) in haystack
    if kind is range:
        return isinstance(needle, int | float) and needle in haystack
    if kind is Undefined:
        return False
    needle = comparable(run, needle)
    return any(found is needle or equal(run, found, needle) for found in each(run, haystack))


def absent(run: Run, needle: Any, haystack: Any) -> bool:
    """`needle not in haystack`."""
    return not contains(run, needle, haystack)
