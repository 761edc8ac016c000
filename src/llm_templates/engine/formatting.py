"""Text from values by a format: JSON, `%`, `str.format`; widths are read and charged before anything is made."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from string import Formatter
from typing import Any

import markupsafe

from .printing import text
from .reading import attribute, item
from .run import Run, scalar_size, settle
from .values import CONTAINERS, Group, Markup, Namespace, Undefined, View, type_name

# -- JSON --

_encode_plain = json.JSONEncoder(ensure_ascii=False).encode
_string = json.encoder.encode_basestring
_ascii_string = json.encoder.encode_basestring_ascii


def to_json(
    run: Run,
    value: Any,
    ensure_ascii: Any = False,
    indent: Any = None,
    separators: Any = None,
    sort_keys: Any = False,
) -> str:
    """The text `json.dumps` gives for `value` with the same arguments, as the reference's `tojson` does."""
    if type(value) is str:
        run.create_text((6 if ensure_ascii else 2) * len(value), value)
        return _ascii_string(value) if ensure_ascii else _string(value)
    value, size = settle(run, value)
    _refuse_unserializable(value)
    if indent is None and separators is None and not ensure_ascii and not sort_keys:
        run.create(size)
        result = _encode_plain(value)
    else:
        result = _dumps(run, value, size, ensure_ascii, indent, separators, sort_keys)
    # What `size` did not foresee: escapes, and characters of four bytes.
    if len(result) > size or not result.isascii():
        run.create_text(len(result), result)
    return result


def _dumps(run: Run, value: Any, size: int, ensure_ascii: Any, indent: Any, separators: Any, sort_keys: Any) -> str:
    if type(indent) is not str and indent is not None:
        indent = " " * _width(run, indent)
    if separators is None:
        separators = (", " if indent is None else ",", ": ")
    item_separator, key_separator = (text(run, part) for part in _two(separators))
    string = _ascii_string if ensure_ascii else _string
    lines = 1 if indent is None else 1 + len(indent) * run.limits.value_depth
    run.create((6 if ensure_ascii else 1) * size + (size >> 2) * (len(item_separator) + len(key_separator)))
    if indent:
        run.create((size >> 2) * min(lines, 1 + len(indent) * _depth(value)))
    pieces: list[str] = []
    _Writer(pieces, string, indent, item_separator, key_separator, bool(sort_keys)).write(value, "\n")
    return "".join(pieces)


def _two(separators: Any) -> Any:
    if not isinstance(separators, list | tuple) or len(separators) != 2:
        raise TypeError("separators must be a pair of strings")
    return separators


def _width(run: Run, value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError(f"an indent must be a number or text, not {type_name(value)}")
    width = max(0, int(value))
    run.create(width)
    return width


def _depth(value: Any) -> int:
    level = [value]
    depth = 0
    while level:
        depth += 1
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node if isinstance(node, list | tuple) else ())
            if isinstance(child, dict | list | tuple)
        ]
    return depth


def _refuse_unserializable(value: Any) -> None:
    kind = type(value)
    if kind in (Undefined, Namespace, View) or (kind not in CONTAINERS and not _is_scalar(value)):
        raise TypeError(f"Object of type {type_name(value).capitalize()} is not JSON serializable")


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


class _Writer:
    """Writes settled values as `json.dumps` does where its C encoder cannot help: with an indent above all."""

    __slots__ = ("indent", "item_separator", "key_separator", "pieces", "sort_keys", "string")

    def __init__(
        self,
        pieces: list[str],
        string: Callable[[str], str],
        indent: str | None,
        item_separator: str,
        key_separator: str,
        sort_keys: bool,
    ) -> None:
        self.pieces = pieces
        self.string = string
        self.indent = indent
        self.item_separator = item_separator
        self.key_separator = key_separator
        self.sort_keys = sort_keys

    def write(self, value: Any, newline: str) -> None:
        pieces = self.pieces
        kind = type(value)
        if kind is str:
            pieces.append(self.string(value))
        elif kind is dict:
            if not value:
                pieces.append("{}")
                return
            indented, between = self._separators(newline)
            opening = "{" + indented
            for key, found in sorted(value.items()) if self.sort_keys else value.items():
                pieces.append(opening)
                pieces.append(self.string(key if type(key) is str else _key(key)))
                pieces.append(self.key_separator)
                self.write(found, indented)
                opening = between
            pieces.append(newline + "}" if self.indent is not None else "}")
        elif kind is list or kind is tuple or kind is Group:
            if not value:
                pieces.append("[]")
                return
            indented, between = self._separators(newline)
            opening = "[" + indented
            for found in value:
                pieces.append(opening)
                self.write(found, indented)
                opening = between
            pieces.append(newline + "]" if self.indent is not None else "]")
        else:
            pieces.append(_scalar(value) if not isinstance(value, str) else self.string(value))

    def _separators(self, newline: str) -> tuple[str, str]:
        if self.indent is None:
            return "", self.item_separator
        indented = newline + self.indent
        return indented, self.item_separator + indented


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        if value != value:
            return "NaN"
        if value in (float("inf"), float("-inf")):
            return "Infinity" if value > 0 else "-Infinity"
        return float.__repr__(value)
    raise TypeError(f"Object of type {type_name(value).capitalize()} is not JSON serializable")


def _key(key: Any) -> str:
    if isinstance(key, str):
        return str(key)
    if key is None or isinstance(key, int | float):
        return _scalar(key)
    raise TypeError(f"keys must be str, int, float, bool or None, not {type_name(key)}")


# -- the % operator --


def modulo(run: Run, left: Any, right: Any) -> Any:
    """`left % right`: of numbers, or a printf-style format with its values."""
    if isinstance(left, str):
        return printf(run, left, right)
    if type(left) is Undefined:
        return left.fail()
    if type(right) is Undefined:
        return right.fail()
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left % right
    raise TypeError(f"unsupported operand type(s) for %: {type_name(left)} and {type_name(right)}")


def printf(run: Run, form: str, values: Any) -> str:
    """`form % values`, as Python does it, once its widths are known to be affordable."""
    run.spend(len(form) >> 3)
    run.create(64 * form.count("%"))
    values, _ = settle(run, values)
    fields = _printf_fields(form)
    given = values if isinstance(values, tuple) else () if type(values) is dict else (values,)
    shown = values.values() if type(values) is dict else given
    largest = settle(run, values)[1] if type(values) is dict else 0
    for value in shown:
        largest = max(largest, settle(run, value)[1] if type(value) in CONTAINERS else scalar_size(value))
    width = position = 0
    for stars, fixed in fields:
        width += fixed
        for value in given[position : position + stars]:
            width += abs(int(value)) if isinstance(value, int) else 0
        position += stars + 1
    escapes = 10 if "%r" in form or "%a" in form or isinstance(form, Markup) else 1
    run.create(len(form) + width + len(fields) * (escapes * largest + 350))
    if not fields and type(values) in (Undefined, Namespace):
        # Python takes what could be asked for keys for a mapping, and a mapping need not be used.
        values = {}
    return str.__mod__(form, values) if not isinstance(form, Markup) else Markup(form % values)


def _printf_fields(form: str) -> list[tuple[int, int]]:
    """For each conversion of `form`: how many `*` it has, and the sum of its width and precision."""
    fields: list[tuple[int, int]] = []
    at = form.find("%")
    while at >= 0:
        at += 1
        if form[at : at + 1] == "(":
            closing = form.find(")", at)
            if closing < 0:
                break
            at = closing + 1
        stars = width = number = 0
        while at < len(form) and (form[at] in "#0- +.*hlL" or form[at].isdecimal()):
            stars += form[at] == "*"
            # The digits of a number count more than once: too much is as good as exact, and a limit all the same.
            number = min(10 * number + int(form[at]), 1 << 40) if form[at].isdecimal() else 0
            width += number
            at += 1
        if form[at : at + 1] != "%":
            fields.append((stars, width))
        at = form.find("%", at + 1)
    return fields


# -- str.format --


def format_text(run: Run, form: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """`form.format(*args, **kwargs)`, its fields read by the language's own rules."""
    run.spend(len(form) >> 3)
    run.create(64 * (form.count("{") + form.count("}")))
    escape = markupsafe.escape if isinstance(form, Markup) else None
    result = _format(run, form, args, kwargs, [0], 2, escape)
    return Markup(result) if escape else result


def _format(
    run: Run, form: str, args: tuple[Any, ...], kwargs: dict[str, Any], auto: list[int], depth: int, escape: Any
) -> str:
    if depth < 0:
        raise ValueError("Max string recursion exceeded")
    pieces: list[str] = []
    for literal, name, spec, conversion in _FORMATTER.parse(str(form)):
        pieces.append(literal)
        if name is None:
            continue
        value = _field(run, name, args, kwargs, auto)
        spec = _format(run, spec or "", args, kwargs, auto, depth - 1, None)
        if conversion:
            value = _converted(run, value, conversion)
        if escape and isinstance(value, Markup):
            if spec:
                raise ValueError(f"Unsupported format specification {spec!r} for Markup.")
            pieces.append(str(value))
            continue
        shown = _format_field(run, value, spec)
        if escape:
            run.create_text(5 * len(shown), shown)
        pieces.append(str(escape(shown)) if escape else shown)
        run.spend(1)
    run.create_text(sum(map(len, pieces)), *pieces)
    return "".join(pieces)


def _field(run: Run, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], auto: list[int]) -> Any:
    match = _FIRST.match(name)
    first, rest = (match[0], name[match.end() :]) if match else ("", name)
    if not first:
        first = str(auto[0])
        auto[0] += 1
    if first.isdecimal():
        position = int(first) if len(first) < 9 else len(args)
        if position >= len(args):
            raise IndexError("Replacement index out of range for positional args tuple")
        value = args[position]
    elif first in kwargs:
        value = kwargs[first]
    else:
        raise KeyError(first)
    while rest:
        step = _STEP.match(rest)
        if step is None:
            raise ValueError(f"{name!r} is no field name: after ']' comes '.' or '['")
        key, bracketed = step[1], step[2]
        if bracketed is not None:
            value = item(run, value, int(bracketed) if bracketed.isdecimal() and len(bracketed) < 9 else bracketed)
        else:
            value = attribute(run, value, key)
        rest = rest[step.end() :]
    return value


_FORMATTER = Formatter()
#: The parts of a field name: what comes first, and then `.attribute` and `[key]`.
_FIRST = re.compile(r"[^.\[]+")
_STEP = re.compile(r"\.([^.\[]+)|\[([^\]]+)\]")


def _converted(run: Run, value: Any, conversion: str) -> str:
    if conversion == "s":
        return text(run, value)
    if conversion in "ra":
        value, size = settle(run, value)
        run.create(10 * size)
        return repr(value) if conversion == "r" else ascii(value)
    raise ValueError(f"Unknown conversion specifier {conversion!r}")


def _format_field(run: Run, value: Any, spec: str) -> str:
    if not spec:
        return text(run, value)
    if not isinstance(value, str | int | float):
        raise TypeError(f"unsupported format string passed to {type_name(value)}.__format__")
    width = number = 0
    for character in spec:
        number = min(number * 10 + int(character), 1 << 40) if character.isdecimal() else 0
        width += number
    run.create(width + scalar_size(value) + 350)
    return format(value, spec)
