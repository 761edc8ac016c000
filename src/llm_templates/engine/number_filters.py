"""The filters on numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..errors import BudgetError, TemplateRuntimeError
from .run import Run
from .values import (
    Undefined,
    type_name,
)

Filter = Callable[..., Any]


def absolute(run: Run, value: Any, /) -> Any:
    """`abs(value)`."""
    if type(value) is Undefined:
        return value.fail()
    if not isinstance(value, int | float):
        raise TypeError(f"bad operand type for abs(): {type_name(value)}")
    return abs(value)


def to_int(run: Run, value: Any, /, default: Any = 0, base: int = 10) -> Any:
    """A whole number, or `default`."""
    if type(value) is Undefined:
        return value.fail()
    bits = run.limits.integer_bits
    try:
        if isinstance(value, str):
            # A long enough numeral would be past the limit in any base but zeros and blanks, so none is read.
            if len(value) > bits:
                raise BudgetError(f"a numeral of {len(value):,} characters is too long to read")
            return _bounded_int(int(value, base), bits)
        if not isinstance(value, int | float):
            return default
        return int(value)
    except (TypeError, ValueError):
        try:
            return int(float(value))
        except (TypeError, ValueError, OverflowError):
            return default


def _bounded_int(number: int, bits: int) -> int:
    if number.bit_length() > bits:
        raise BudgetError(f"the template makes an integer of more than {bits} bits")
    return number


def to_float(run: Run, value: Any, /, default: Any = 0.0) -> Any:
    """A float, or `default`."""
    if type(value) is Undefined:
        return value.fail()
    if not isinstance(value, str | int | float):
        return default
    try:
        if isinstance(value, str):
            run.work(len(value))
        return float(value)
    except ValueError:
        return default


def round_number(run: Run, value: Any, /, precision: Any = 0, method: Any = "common") -> Any:
    """Round to `precision` digits, to even; or always up, or always down."""
    if method not in ("common", "ceil", "floor"):
        raise TemplateRuntimeError("method must be common, ceil or floor")
    if type(value) is Undefined:
        return value.fail()
    if not isinstance(value, int | float) or not isinstance(precision, int):
        raise TypeError(f"only numbers can be rounded, not {type_name(value)}")
    if abs(precision) > 308:
        raise BudgetError("round() to more than 308 digits")
    if method == "common":
        return round(value, precision)
    function = math.ceil if method == "ceil" else math.floor
    return function(value * (10**precision)) / (10**precision)


_DECIMAL = ("kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")


_BINARY = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")


def file_size(run: Run, value: Any, /, binary: Any = False) -> str:
    """A number of bytes as people write it."""
    if type(value) is Undefined:
        return value.fail()  # type: ignore[no-any-return]
    if not isinstance(value, str | int | float):
        raise TypeError(f"a file size is a number, not {type_name(value)}")
    size = float(value)
    base = 1024 if binary else 1000
    if size == 1:
        return "1 Byte"
    if size < base:
        return f"{int(size)} Bytes"
    prefixes = _BINARY if binary else _DECIMAL
    position = next((at for at in range(len(prefixes)) if size < base ** (at + 2)), len(prefixes) - 1)
    # Powers, a division and hundreds of digits: some ten microseconds.
    run.spend(100)
    run.create(350)
    return f"{base * size / base ** (position + 2):.1f} {prefixes[position]}"
