"""The operators on numbers, and on sequences where they have them."""

from __future__ import annotations

from typing import Any

from ..errors import BudgetError
from .budget import FREE_TEXT
from .run import Run
from .values import (
    Group,
    Undefined,
    type_name,
)


def add(run: Run, left: Any, right: Any) -> Any:
    """`left + right`."""
    kind, other = type(left), type(right)
    if kind is str and other is str:
        size = len(left) + len(right)
        if size > FREE_TEXT:
            run.create_text(size, left, right)
        return left + right
    if kind is list and other is list:
        run.create(8 * (len(left) + len(right)))
        return left + right
    if isinstance(left, str) and isinstance(right, str):
        run.create_text(6 * (len(left) + len(right)), left, right)  # one of them is Markup, which escapes the other
        return left + right
    if isinstance(left, tuple) and isinstance(right, tuple):
        run.create(8 * (len(left) + len(right)))
        return (*left, *right)
    return _number(run, left + right) if _numeric(left, right) else _unsupported("+", left, right)


def subtract(run: Run, left: Any, right: Any) -> Any:
    """`left - right`."""
    return _number(run, left - right) if _numeric(left, right) else _unsupported("-", left, right)


def multiply(run: Run, left: Any, right: Any) -> Any:
    """`left * right`: numbers, or a sequence repeated."""
    for value, times in ((left, right), (right, left)):
        if isinstance(value, str | list | tuple) and isinstance(times, int):
            length = len(value) * max(0, int(times))
            if isinstance(value, str):
                run.create_text(length, value)
            else:
                run.create(8 * length)
            return value * times if type(value) is not Group else tuple(value) * times
    if not _numeric(left, right):
        return _unsupported("*", left, right)
    if isinstance(left, int) and isinstance(right, int):
        _bits(run, left.bit_length() + right.bit_length())
    return left * right


def divide(run: Run, left: Any, right: Any) -> Any:
    """`left / right`."""
    return left / right if _numeric(left, right) else _unsupported("/", left, right)


def floor_divide(run: Run, left: Any, right: Any) -> Any:
    """`left // right`."""
    return left // right if _numeric(left, right) else _unsupported("//", left, right)


def power(run: Run, left: Any, right: Any) -> Any:
    """`left ** right`, with the size of an integer result bounded before it is made."""
    if not _numeric(left, right):
        return _unsupported("**", left, right)
    if isinstance(left, int) and isinstance(right, int) and right > 0:
        _bits(run, max(left.bit_length(), 1) * right if abs(left) > 1 else 1)
    result = left**right
    if isinstance(result, complex):
        raise ValueError("a root of a negative number is no real number")
    return result


def negative(run: Run, value: Any) -> Any:
    """`-value`."""
    return -value if _numeric(value, 0) else _unsupported("-", value)


def positive(run: Run, value: Any) -> Any:
    """`+value`."""
    return +value if _numeric(value, 0) else _unsupported("+", value)


def _numeric(left: Any, right: Any) -> bool:
    return isinstance(left, int | float) and isinstance(right, int | float)


def _unsupported(operator: str, *operands: Any) -> Any:
    for operand in operands:
        if type(operand) is Undefined:
            return operand.fail()
    raise TypeError(f"unsupported operand type(s) for {operator}: " + " and ".join(map(type_name, operands)))


def _number(run: Run, result: Any) -> Any:
    if isinstance(result, int):
        _bits(run, result.bit_length() - 1)
    return result


def _bits(run: Run, bits: int) -> None:
    if bits > run.limits.integer_bits:
        raise BudgetError(f"the template makes an integer of more than {run.limits.integer_bits} bits")
