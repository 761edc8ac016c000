"""Methods that change a value in place, for templates outside of chat: a chat template may not call them."""

from __future__ import annotations

from typing import Any

from ..errors import BudgetError
from .comparison import comparable, equal
from .iteration import each
from .reading import MUTATIONS
from .run import Run
from .values import MISSING, type_name


def _append(run: Run, value: list[Any], item: Any, /) -> None:
    run.create(8)
    value.append(item)


def _extend(run: Run, value: list[Any], items: Any, /) -> None:
    for item in list(each(run, items)):
        _append(run, value, item)


def _insert(run: Run, value: list[Any], at: int, item: Any, /) -> None:
    run.create(8)
    run.work(8 * len(value))
    value.insert(at, item)


def _pop(run: Run, value: list[Any], at: int = -1, /) -> Any:
    run.work(8 * len(value))
    return run.border.lower(value.pop(at))


def _remove(run: Run, value: list[Any], item: Any, /) -> None:
    for position, found in enumerate(each(run, list(value))):
        if found is item or equal(run, found, item):
            del value[position]
            return
    raise ValueError("the value is not in the list")


def _reverse(run: Run, value: list[Any], /) -> None:
    run.work(8 * len(value))
    value.reverse()


def _clear(run: Run, value: Any, /) -> None:
    value.clear()


def _pop_key(run: Run, value: dict[Any, Any], key: Any, default: Any = MISSING, /) -> Any:
    found = value.pop(comparable(run, key), default)
    if found is MISSING:
        raise KeyError(key)
    return run.border.lower(found)


def _set_default(run: Run, value: dict[Any, Any], key: Any, default: Any = None, /) -> Any:
    run.create(64)
    return run.border.lower(value.setdefault(comparable(run, key), default))


def _update(run: Run, value: dict[Any, Any], other: Any = None, /, **items: Any) -> None:
    if other is not None and type(other) is not dict:
        raise TypeError(f"update needs a mapping, not {type_name(other)}")
    run.create(64 * (len(other or ()) + len(items)))
    value.update(other or {})
    value.update(items)


MUTATIONS.update(
    {
        list: {
            "append": _append,
            "extend": _extend,
            "insert": _insert,
            "pop": _pop,
            "remove": _remove,
            "reverse": _reverse,
            "clear": _clear,
        },
        dict: {"pop": _pop_key, "setdefault": _set_default, "update": _update, "clear": _clear},
    }
)


def copied(run: Run, value: Any, depth: int = 0) -> Any:
    """A deep copy of plain data, so that nothing of the caller's is ever changed."""
    run.spend(1)
    if depth > run.limits.value_depth:
        raise BudgetError(f"a value is nested deeper than {run.limits.value_depth}")
    value = run.border.lower(value)
    if type(value) is dict:
        return {key: copied(run, item, depth + 1) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(copied(run, item, depth + 1) for item in value)
    return value
