"""The tests of the language (`is defined`, `is mapping`, ...) as one table: a row a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .comparison import contains, equal, greater, greater_equal, less, less_equal, unequal
from .formatting import modulo
from .iteration import has_items
from .printing import text
from .run import Run
from .values import INDEXED_TYPES, Function, Joiner, Loop, Macro, Markup, Method, Real, Undefined, Whole

Test = Callable[..., bool]


def _of(check: Callable[[Any], bool]) -> Test:
    return lambda run, value, /: check(value)


def _remainder(run: Run, value: Any, /, number: Any) -> Any:
    return modulo(run, value, number)


_CALLABLE = frozenset({Macro, Function, Method, Joiner, Loop, Undefined})

TESTS: dict[str, Test] = {
    "odd": lambda run, value, /: bool(_remainder(run, value, 2) == 1),
    "even": lambda run, value, /: bool(_remainder(run, value, 2) == 0),
    "divisibleby": lambda run, value, /, num: bool(_remainder(run, value, num) == 0),
    "defined": _of(lambda value: type(value) is not Undefined),
    "undefined": _of(lambda value: type(value) is Undefined),
    "filter": lambda run, value, /: _known(run, "filter", value),
    "test": lambda run, value, /: _known(run, "test", value),
    "none": _of(lambda value: value is None),
    "boolean": _of(lambda value: value is True or value is False),
    "false": _of(lambda value: value is False),
    "true": _of(lambda value: value is True),
    "integer": _of(lambda value: type(value) in (int, Whole)),
    "float": _of(lambda value: type(value) in (float, Real)),
    "lower": lambda run, value, /: _scanned(run, value).islower(),
    "upper": lambda run, value, /: _scanned(run, value).isupper(),
    "string": _of(lambda value: isinstance(value, str)),
    "mapping": _of(lambda value: type(value) is dict),
    "number": _of(lambda value: isinstance(value, int | float)),
    "sequence": _of(lambda value: type(value) in INDEXED_TYPES or type(value) in (dict, Undefined)),
    "iterable": _of(has_items),
    "callable": _of(lambda value: type(value) in _CALLABLE),
    "sameas": lambda run, value, /, other: value is other,
    "escaped": _of(lambda value: isinstance(value, Markup)),
    "in": contains,
    "==": equal,
    "eq": equal,
    "equalto": equal,
    "!=": unequal,
    "ne": unequal,
    ">": greater,
    "gt": greater,
    "greaterthan": greater,
    "ge": greater_equal,
    ">=": greater_equal,
    "<": less,
    "lt": less,
    "lessthan": less,
    "<=": less_equal,
    "le": less_equal,
}


def _scanned(run: Run, value: Any) -> str:
    scanned = text(run, value)
    run.work(len(scanned))
    return scanned


def _known(run: Run, kind: str, name: Any) -> bool:
    return name in run.tables[kind]
