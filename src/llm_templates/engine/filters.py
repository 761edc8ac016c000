"""The filters of the language as one table: a row a filter, and the reason for each that is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pprint import pformat
from typing import Any
from urllib.parse import quote_from_bytes

import markupsafe

from ..errors import BudgetError, SecurityError, TemplateRuntimeError
from . import methods, selection
from .formatting import printf, to_json
from .operations import attribute, call_method, each, has_items, listed, no_attribute, text
from .run import Run, settle
from .values import (
    CLOSED_ITEMS,
    INDEXED_TYPES,
    Loop,
    Markup,
    Stream,
    Undefined,
    View,
    type_name,
)

Filter = Callable[..., Any]


def soft(run: Run, value: Any) -> str:
    """Text, keeping Markup: what filters on strings do with other values."""
    return value if isinstance(value, str) else text(run, value)


def on_text(name: str) -> Filter:
    """A filter that is a method of text."""
    method = methods.METHODS[str][name]
    return lambda run, value, /, *args: method(run, soft(run, value), *args)


# -- text --

_strip = methods.METHODS[str]["strip"]


def trim(run: Run, value: Any, /, chars: Any = None) -> str:
    """Strip white space, or `chars`, from both ends."""
    return _strip(run, value if isinstance(value, str) else text(run, value), chars)  # type: ignore[no-any-return]


def title(run: Run, value: Any, /) -> str:
    """Words begin with capitals; unlike the method, only after a dash, a bracket or white space."""
    value = soft(run, value)
    run.create(3 * len(value))
    run.work(8 * len(value))
    pieces: list[str] = []
    begins = True
    start = 0
    for position, character in enumerate(value):
        separates = character in "-({[<" or character.isspace()
        if separates != begins or position == 0:
            if position > start:
                pieces.append(_titled(value[start:position]))
            start = position
        begins = separates
    if start < len(value):
        pieces.append(_titled(value[start:]))
    return "".join(pieces)


def _titled(word: str) -> str:
    return word[0].upper() + word[1:].lower()


def replace(run: Run, value: Any, /, old: Any, new: Any, count: Any = None) -> str:
    """Replace text."""
    return methods.replace(run, text(run, value), text(run, old), text(run, new), -1 if count is None else count)


def indent(run: Run, value: Any, /, width: Any = 4, first: Any = False, blank: Any = False) -> str:
    """Indent every line but the first and blank ones."""
    if not isinstance(value, str):
        raise TypeError(f"only text can be indented, not {type_name(value)}")
    margin = width if isinstance(width, str) else " " * _affordable(run, width)
    newline = "\n"
    if type(value) is Markup:
        margin, newline = Markup(margin), Markup(newline)
    run.create(len(value) + (value.count("\n") + 2) * len(margin))
    lines = methods.METHODS[str]["splitlines"](run, value + newline)
    run.create(sum(map(len, lines)) + len(lines) * (len(margin) + 1))
    if blank:
        result = (newline + margin).join(lines)
    else:
        result = lines.pop(0)
        if lines:
            result += newline + newline.join(margin + line if line else line for line in lines)
    return margin + result if first else result


def _affordable(run: Run, width: Any) -> int:
    if not isinstance(width, int):
        raise TypeError(f"a width is a number, not {type_name(width)}")
    run.create(max(0, int(width)))
    return int(width)


def center(run: Run, value: Any, /, width: Any = 80) -> str:
    """Center in a field of `width`."""
    return methods.METHODS[str]["center"](run, soft(run, value), width)  # type: ignore[no-any-return]


def truncate(
    run: Run, value: Any, /, length: int = 255, killwords: Any = False, end: str = "...", leeway: Any = None
) -> str:
    """Cut at `length` characters, at the end of a word unless `killwords`."""
    leeway = 5 if leeway is None else leeway
    if not isinstance(end, str) or length < len(end) or leeway < 0:
        raise ValueError(f"expected length >= {len(text(run, end))} and leeway >= 0, got {length} and {leeway}")
    if not isinstance(value, str):
        if count(run, value) <= length + leeway:
            return value  # type: ignore[no-any-return]
        raise TypeError(f"only text can be truncated, not {type_name(value)}")
    if len(value) <= length + leeway:
        return value
    run.create(length + 6 * len(end))
    kept = value[: length - len(end)]
    return kept + end if killwords else kept.rsplit(" ", 1)[0] + end


def wordwrap(
    run: Run,
    value: Any,
    /,
    width: int = 79,
    break_long_words: Any = True,
    wrapstring: Any = None,
    break_on_hyphens: Any = True,
) -> str:
    """Wrap to `width`, each existing line by itself."""
    import textwrap

    if not isinstance(value, str):
        raise TypeError(f"only text can be wrapped, not {type_name(value)}")
    between = "\n" if wrapstring is None else wrapstring
    lines = methods.METHODS[str]["splitlines"](run, value)
    # textwrap cuts text into chunks and looks at each: far more than a scan, and a line may be a single character.
    run.work(64 * len(value))
    run.create(len(value) * (len(between) + 1))
    wrapped = [
        between.join(
            textwrap.wrap(
                line,
                width=width,
                expand_tabs=False,
                replace_whitespace=False,
                break_long_words=bool(break_long_words),
                break_on_hyphens=bool(break_on_hyphens),
            )
        )
        for line in lines
    ]
    return between.join(wrapped)  # type: ignore[no-any-return]


def wordcount(run: Run, value: Any, /) -> int:
    """How many words, runs of letters, digits and underscores, the text has."""
    value = soft(run, value)
    run.work(8 * len(value))
    count = 0
    inside = False
    for character in value:
        word = character == "_" or character.isalnum()
        count += word and not inside
        inside = word
    return count


def urlencode(run: Run, value: Any, /) -> str:
    """Quote for a URL: text, a mapping or pairs."""
    if isinstance(value, str) or not has_items(value):
        return _quoted(run, value)
    found = call_method(run, value, "items") if type(value) is dict else value
    return "&".join(
        f"{_quoted(run, key, True)}={_quoted(run, item, True)}" for key, item in map(_pair, each(run, found))
    )


def _pair(value: Any) -> tuple[Any, Any]:
    first, second = value
    return first, second


def _quoted(run: Run, value: Any, for_query: bool = False) -> str:
    value = text(run, value)
    run.create(12 * len(value))
    quoted = quote_from_bytes(value.encode("utf-8"), b"" if for_query else b"/")
    return quoted.replace("%20", "+") if for_query else quoted


def escape(run: Run, value: Any, /) -> Markup:
    """Markup in which `& < > " '` are entities, unless it is Markup already."""
    if type(value) is Markup:
        return value
    return force_escape(run, value)


def force_escape(run: Run, value: Any, /) -> Markup:
    """The same, Markup or not."""
    value = text(run, value)
    run.create(6 * len(value))
    return Markup(markupsafe.escape(value))


def safe(run: Run, value: Any, /) -> Markup:
    """Mark as Markup: with `+` and `%`, text beside it is escaped from now on."""
    value = text(run, value)
    run.create(len(value))
    return Markup(value)


def striptags(run: Run, value: Any, /) -> str:
    """Remove tags, and fold white space."""
    return methods.striptags(run, Markup(text(run, value)))


def format_values(run: Run, value: Any, /, *args: Any, **kwargs: Any) -> str:
    """`value % args`."""
    if args and kwargs:
        raise TemplateRuntimeError("can't handle positional and keyword arguments at the same time")
    return printf(run, soft(run, value), kwargs or args)


def join(run: Run, value: Any, /, d: Any = "", attribute: Any = None) -> str:
    """The texts of the items, `d` between them."""
    getter = selection.getter(run, attribute)
    pieces: list[str] = []
    size = 0
    between = text(run, d)
    for item in each(run, value):
        piece = text(run, getter(item) if getter else item)
        size += len(piece) + len(between)
        if size > run.value_limit:
            run.create(size)
        pieces.append(piece)
    run.create(size)
    return between.join(pieces)


def pretty(run: Run, value: Any, /) -> str:
    """What Python's pprint gives."""
    value, size = settle(run, value)
    run.create(8 * size)
    run.spend(size)
    return pformat(value)


# -- numbers --


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
    shown = ""
    for position, prefix in enumerate(_BINARY if binary else _DECIMAL):
        unit = base ** (position + 2)
        shown = f"{base * size / unit:.1f} {prefix}"
        if size < unit:
            break
    return shown


# -- sequences and mappings --


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
        run.create(len(value))
        return value[::-1]
    if not has_items(value):
        raise TemplateRuntimeError("argument must be iterable")
    items = list(each(run, value))
    items.reverse()
    return items if type(value) is Stream else Stream(iter(items))


def items(run: Run, value: Any, /) -> Any:
    """The pairs of a mapping."""
    if type(value) is Undefined:
        return Stream(iter(()))
    if type(value) is not dict:
        return Stream(_not_a_mapping())
    return Stream(each(run, call_method(run, value, "items")))


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
        return no_attribute(value, name)
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

    return Stream(parts(), value)


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

    return Stream(parts(), value)


# -- the tables --

FILTERS: dict[str, Filter] = {
    "abs": absolute,
    "attr": attr,
    "batch": batch,
    "capitalize": on_text("capitalize"),
    "center": center,
    "count": count,
    "d": default,
    "default": default,
    "dictsort": selection.dictsort,
    "e": escape,
    "escape": escape,
    "filesizeformat": file_size,
    "first": first,
    "float": to_float,
    "forceescape": force_escape,
    "format": format_values,
    "groupby": selection.groupby,
    "indent": indent,
    "int": to_int,
    "items": items,
    "join": join,
    "last": last,
    "length": count,
    "list": to_list,
    "lower": on_text("lower"),
    "map": selection.map_items,
    "max": selection.largest,
    "min": selection.smallest,
    "pprint": pretty,
    "reject": selection.reject,
    "rejectattr": selection.reject_attribute,
    "replace": replace,
    "reverse": reverse,
    "round": round_number,
    "safe": safe,
    "select": selection.select,
    "selectattr": selection.select_attribute,
    "slice": fill_slices,
    "sort": selection.sort,
    "string": lambda run, value, /: soft(run, value),
    "striptags": striptags,
    "sum": selection.total,
    "title": title,
    "tojson": to_json,
    "trim": trim,
    "truncate": truncate,
    "unique": selection.unique,
    "upper": on_text("upper"),
    "urlencode": urlencode,
    "wordcount": wordcount,
    "wordwrap": wordwrap,
}


def _refused(name: str, reason: str) -> Filter:
    def refuse(run: Run, value: Any, /, *args: Any, **kwargs: Any) -> Any:
        raise SecurityError(f"the filter {name!r} is refused: {reason}")

    return refuse


#: Filters of Jinja that the language knows and does not have, and why.
REFUSED_FILTERS: dict[str, str] = {
    "random": "the same conversation must always give the same prompt",
    "urlize": "it writes HTML links, which no prompt needs, by patterns that are slow on hostile text",
    "xmlattr": "it writes HTML attributes, which no prompt needs",
}
FILTERS.update({name: _refused(name, reason) for name, reason in REFUSED_FILTERS.items()})


def from_json(run: Run, value: Any, /) -> Any:
    """What `json.loads` gives: an extension, off unless asked for (`extensions=("from_json",)`)."""
    value = text(run, value)
    run.create(32 * len(value))
    depth = run.limits.value_depth
    if value.count("[") + value.count("{") > depth and _json_depth(value) > depth:
        raise BudgetError(f"the JSON text is nested deeper than {depth}")
    return json.loads(value)


def _json_depth(value: str) -> int:
    depth = deepest = 0
    for character in value:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


#: Filters some publishers' hosts add; each is off unless a template is loaded with its name among `extensions`.
EXTENSION_FILTERS: dict[str, Filter] = {"from_json": from_json, "fromjson": from_json}
