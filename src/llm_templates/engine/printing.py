"""Values to text, and pieces of text to one."""

from __future__ import annotations

from typing import Any

from ..errors import SecurityError
from .run import Run, settle
from .values import (
    CONTAINERS,
    UNPRINTABLE,
    Markup,
    SafeText,
    Undefined,
    type_name,
)


def text(run: Run, value: Any) -> str:
    """What printing `value` writes."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is Markup or kind is SafeText:
        return str.__str__(value)
    if kind is Undefined:
        return ""
    if kind in CONTAINERS:
        value, size = settle(run, value)
        run.create(size)
        # A settled tree holds closed values only, whose `repr` is deterministic and, at most, this deep.
        result = repr(value)
        if len(result) > size:
            run.create(len(result) - size)
        return result
    if kind in UNPRINTABLE:
        raise SecurityError(f"a {type_name(value)} cannot be printed", hint="call it, or print what it holds")
    return str(value)


def join(run: Run, pieces: list[str]) -> str:
    """The pieces of a buffer in one string."""
    run.create_text(sum(map(len, pieces)), *pieces)
    return "".join(pieces)


def finish(run: Run, pieces: list[str]) -> str:
    """The pieces of the whole output in one string."""
    run.emit(sum(map(len, pieces)))
    return "".join(pieces)


def concat(run: Run, *values: Any) -> str:
    """`a ~ b ~ c`."""
    pieces = [text(run, value) for value in values]
    run.create_text(sum(map(len, pieces)), *pieces)
    return "".join(pieces)
