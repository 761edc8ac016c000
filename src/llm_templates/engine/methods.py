"""The methods of the closed world's types as tables: one row a method, and the reason for each that is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .calls import call
from .comparison import equal
from .formatting import format_text
from .iteration import each
from .printing import text
from .reading import ATTRIBUTES, METHODS, REFUSED_METHODS, entry
from .run import Run
from .values import MISSING, Cycler, Function, Group, Joiner, Loop, Macro, Markup, Undefined, View, type_name

Method = Callable[..., Any]

# -- text --


def _scans(name: str) -> Method:
    """A method whose work grows with the text and whose result does not."""
    method = getattr(str, name)

    def scan(run: Run, value: str, /, *args: Any) -> Any:
        run.work(len(value))
        for arg in args:
            if isinstance(arg, str):
                run.search(len(value), len(arg), name in ("rfind", "rindex"))
        return method(value, *_bounded(args))

    return scan


def _copies(name: str, growth: int = 1) -> Method:
    """A method whose result is at most `growth` times as long as the text."""

    def copy(run: Run, value: str, /, *args: Any) -> Any:
        run.create_text(growth * len(value), value)
        return _kept(value, getattr(value, name)(*_bounded(args)))

    return copy


def _strips(name: str) -> Method:
    method = getattr(str, name)

    def strip(run: Run, value: str, /, chars: Any = None) -> str:
        stripped = method(value, chars)
        if len(stripped) != len(value):
            run.strip(value, stripped)
        return _kept(value, stripped)  # type: ignore[no-any-return]

    return strip


def _bounded(args: tuple[Any, ...]) -> tuple[Any, ...]:
    for arg in args:
        if type(arg) is Undefined:
            arg.fail()
    return args


def _kept(value: str, result: Any) -> Any:
    """Markup stays our own Markup: its methods make instances of the class they are called on."""
    return Markup(result) if isinstance(value, Markup) and isinstance(result, str) else result


def _pads(name: str) -> Method:
    def pad(run: Run, value: str, width: int, /, *fill: str) -> Any:
        run.create_text(max(len(value), _whole(width)), value, *(text for text in fill if isinstance(text, str)))
        return _kept(value, getattr(value, name)(_whole(width), *fill))

    return pad


def _whole(number: Any) -> int:
    if not isinstance(number, int):
        raise TypeError(f"a number is needed, not {type_name(number)}")
    return int(number)


def _expandtabs(run: Run, value: str, /, tabsize: int = 8) -> str:
    run.create_text(len(value) + value.count("\t") * max(0, _whole(tabsize)), value)
    return _kept(value, value.expandtabs(_whole(tabsize)))  # type: ignore[no-any-return]


def replace(run: Run, value: str, old: Any, new: Any, count: int = -1) -> str:
    """`value.replace(old, new, count)`."""
    if isinstance(value, Markup) and not isinstance(new, str):
        new = text(run, new)
    if not isinstance(old, str) or not isinstance(new, str):
        _bounded((old, new))
        raise TypeError(f"replace needs text, not {type_name(new if isinstance(old, str) else old)}")
    if not isinstance(count, int):
        raise TypeError(f"a number of replacements is needed, not {type_name(count)}")
    run.search(len(value), len(old))
    times = value.count(old)
    if not times:
        return value
    if count >= 0:
        times = min(times, int(count))
    growth = 6 if isinstance(value, Markup) else 1
    run.create_text(len(value) + times * max(0, growth * len(new) - len(old)), value, new)
    return _kept(value, value.replace(old, new, count))  # type: ignore[no-any-return]


def join(run: Run, separator: str, values: Any) -> str:
    """`separator.join(values)`."""
    pieces = []
    size = 0
    for position, value in enumerate(each(run, values)):
        if isinstance(separator, Markup) and not isinstance(value, str):
            value = text(run, value)
        if not isinstance(value, str):
            raise TypeError(f"sequence item {position}: expected text, {type_name(value)} found")
        pieces.append(value)
        size += len(value)
    growth = 6 if isinstance(separator, Markup) else 1
    run.create_text(growth * (size + len(separator) * len(pieces)), separator, *pieces)
    return _kept(separator, separator.join(pieces))  # type: ignore[no-any-return]


def _splits(name: str) -> Method:
    method = getattr(str, name)

    def split(run: Run, value: str, /, sep: Any = None, maxsplit: Any = -1) -> list[str]:
        if isinstance(sep, str):
            run.search(len(value), len(sep), name == "rsplit")
        if type(sep) is str:
            pieces = value.count(sep) + 1 if sep else 1
        elif sep is None:
            # Every kind of white space that ASCII has; any other text may be half of white space.
            ascii_only = value.isascii()
            pieces = sum(map(value.count, " \n\t\r\v\f\x1c\x1d\x1e\x1f")) + 1 if ascii_only else len(value) // 2 + 1
        elif isinstance(sep, str):
            pieces = value.count(str(sep)) + 1
        else:
            _bounded((sep,))
            raise TypeError(f"the separator must be text or none, not {type_name(sep)}")
        if isinstance(maxsplit, int) and 0 <= maxsplit < pieces:
            pieces = int(maxsplit) + 1
        run.create_text(len(value), value)
        run.charge(64 * pieces)
        if type(value) is str:
            return method(value, sep, maxsplit)  # type: ignore[no-any-return]
        return [_kept(value, part) for part in getattr(value, name)(sep, maxsplit)]

    return split


def _splitlines(run: Run, value: str, /, keepends: Any = False) -> list[str]:
    run.work(len(value))
    run.create_text(len(value), value)
    run.charge(64 * (sum(map(value.count, "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")) + 1))
    return [_kept(value, line) for line in value.splitlines(bool(keepends))]


def _partitions(name: str) -> Method:
    def partition(run: Run, value: str, /, sep: str) -> tuple[str, ...]:
        run.create_text(len(value), value)
        if isinstance(sep, str):
            run.search(len(value), len(sep), name == "rpartition")
        return tuple(_kept(value, part) for part in getattr(value, name)(*_bounded((sep,))))

    return partition


def _format(run: Run, value: str, /, *args: Any, **kwargs: Any) -> str:
    return format_text(run, value, args, kwargs)


_SCANS = [
    "count",
    "find",
    "index",
    "rfind",
    "rindex",
    "startswith",
    "endswith",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
]
_TEXT: dict[str, Method] = {
    **{name: _scans(name) for name in _SCANS},
    **{name: _strips(name) for name in ("strip", "lstrip", "rstrip")},
    **{name: _copies(name) for name in ("removeprefix", "removesuffix")},
    **{name: _copies(name, 3) for name in ("capitalize", "casefold", "lower", "swapcase", "title", "upper")},
    **{name: _pads(name) for name in ("center", "ljust", "rjust", "zfill")},
    **{name: _splits(name) for name in ("split", "rsplit")},
    **{name: _partitions(name) for name in ("partition", "rpartition")},
    "expandtabs": _expandtabs,
    "replace": replace,
    "join": join,
    "splitlines": _splitlines,
    "format": _format,
}

# -- sequences --


def _count(run: Run, value: Any, /, wanted: Any) -> int:
    return sum(found is wanted or equal(run, found, wanted) for found in each(run, value))


def _index(run: Run, value: Any, /, wanted: Any, start: int = 0, stop: int | None = None) -> int:
    positions = range(len(value))[start:stop]
    for position, found in enumerate(each(run, value)):
        if position in positions and (found is wanted or equal(run, found, wanted)):
            return position
    raise ValueError("the value is not in the sequence")


def _copy_list(run: Run, value: list[Any], /) -> list[Any]:
    run.create(8 * len(value))
    return list(value)


_SEQUENCE: dict[str, Method] = {"count": _count, "index": _index}

# -- dicts --


def _view(name: str) -> Method:
    def view(run: Run, value: dict[Any, Any], /) -> View:
        whole = run.border.whole(value)
        run.create((72 if name == "items" else 8) * len(whole))
        lower = run.border.lower
        if name == "keys":
            return View("dict_keys", [lower(key) for key in whole])
        if name == "values":
            return View("dict_values", [lower(found) for found in whole.values()])
        return View("dict_items", [(lower(key), lower(found)) for key, found in whole.items()])

    return view


def get(run: Run, value: dict[Any, Any], key: Any, default: Any = None, /) -> Any:
    """`value.get(key, default)`."""
    found = entry(run, value, key)
    return default if found is MISSING else found


def _copy_dict(run: Run, value: dict[Any, Any], /) -> dict[Any, Any]:
    run.create(64 * len(value))
    return dict(run.border.whole(value))


_DICT: dict[str, Method] = {
    "get": get,
    "items": _view("items"),
    "keys": _view("keys"),
    "values": _view("values"),
    "copy": _copy_dict,
}

# -- numbers, loops and the rest --


def _number(name: str) -> Method:
    return lambda run, value, /: getattr(value, name)()


def _cycle(run: Run, loop: Loop, /, *values: Any) -> Any:
    if not values:
        raise TypeError("no items for cycling given")
    return values[loop.index0 % len(values)]


def _changed(run: Run, loop: Loop, /, *values: Any) -> bool:
    changed = type(loop.changed_value) is not tuple or not equal(run, loop.changed_value, values)
    loop.changed_value = values
    return changed


def _next(run: Run, cycler: Cycler, /) -> Any:
    value = cycler.items[cycler.position]
    cycler.position = (cycler.position + 1) % len(cycler.items)
    return value


def _reset(run: Run, cycler: Cycler, /) -> None:
    cycler.position = 0


def _function_method(name: str) -> Method:
    def method(run: Run, function: Function, /, *args: Any, **kwargs: Any) -> Any:
        return call(run, function.attributes[name], *args, **kwargs)

    return method


def _unescape(run: Run, value: Markup, /) -> str:
    run.work(64 * len(value))
    run.create_text(len(value), value)
    return value.unescape()


def striptags(run: Run, value: Markup, /) -> str:
    """`value.striptags()`."""
    # Each tag found copies the text once.
    run.work(len(value) * (1 + value.count("<")))
    run.create_text(len(value), value)
    return value.striptags()


METHODS.update(
    {
        str: _TEXT,
        Markup: {**_TEXT, "unescape": _unescape, "striptags": striptags},
        list: {**_SEQUENCE, "copy": _copy_list},
        tuple: _SEQUENCE,
        Group: _SEQUENCE,
        range: _SEQUENCE,
        dict: _DICT,
        int: {
            "bit_length": _number("bit_length"),
            "bit_count": _number("bit_count"),
            "conjugate": _number("conjugate"),
        },
        bool: {"bit_length": _number("bit_length"), "bit_count": _number("bit_count")},
        float: {"is_integer": _number("is_integer"), "hex": _number("hex"), "conjugate": _number("conjugate")},
        Loop: {"cycle": _cycle, "changed": _changed},
        Cycler: {"next": _next, "reset": _reset},
    }
)

_BYTES = "it gives bytes, which no prompt holds"
_CHANGES = "it would change the value in place"
_MAPS = "it maps characters by tables whose size nothing bounds"
_LOOKUP = "it reads by names the caller chose"
_TYPES = "it belongs to the type, not to a value"
REFUSED_METHODS.update(
    {
        str: {"encode": _BYTES, "translate": _MAPS, "maketrans": _MAPS, "format_map": _LOOKUP},
        Markup: {
            "encode": _BYTES,
            "translate": _MAPS,
            "maketrans": _MAPS,
            "format_map": _LOOKUP,
            **dict.fromkeys(("escape",), _TYPES),
        },
        list: dict.fromkeys(("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"), _CHANGES),
        dict: {
            **dict.fromkeys(("clear", "pop", "popitem", "setdefault", "update"), _CHANGES),
            "fromkeys": _TYPES,
        },
        int: {"to_bytes": _BYTES, "from_bytes": _BYTES, "as_integer_ratio": "no prompt needs it"},
        float: {"fromhex": _TYPES, "as_integer_ratio": "no prompt needs it"},
    }
)


def _loop_previous(loop: Loop) -> Any:
    return loop.before if loop.index0 > 0 else Undefined("there is no previous item")


def _loop_next(loop: Loop) -> Any:
    after = loop.index0 + 1
    return loop.items[after] if after < len(loop.items) else Undefined("there is no next item")


ATTRIBUTES.update(
    {
        Loop: {
            "index0": lambda loop: loop.index0,
            "index": lambda loop: loop.index0 + 1,
            "revindex0": lambda loop: len(loop.items) - loop.index0 - 1,
            "revindex": lambda loop: len(loop.items) - loop.index0,
            "first": lambda loop: loop.index0 == 0,
            "last": lambda loop: loop.index0 == len(loop.items) - 1,
            "length": lambda loop: len(loop.items),
            "depth": lambda loop: loop.depth0 + 1,
            "depth0": lambda loop: loop.depth0,
            "previtem": _loop_previous,
            "nextitem": _loop_next,
        },
        Macro: {
            "name": lambda macro: macro.signature.name,
            "arguments": lambda macro: macro.signature.parameters,
            "catch_kwargs": lambda macro: macro.signature.catch_kwargs,
            "catch_varargs": lambda macro: macro.signature.catch_varargs,
            "caller": lambda macro: macro.signature.takes_caller,
        },
        Group: {"grouper": lambda group: group[0], "list": lambda group: group[1]},
        Cycler: {"current": lambda cycler: cycler.items[cycler.position], "items": lambda cycler: cycler.items},
        int: {
            "real": lambda value: value,
            "imag": lambda value: 0,
            "numerator": lambda value: value,
            "denominator": lambda value: 1,
        },
        bool: {"real": int, "imag": lambda value: 0, "numerator": int, "denominator": lambda value: 1},
        float: {"real": lambda value: value, "imag": lambda value: 0.0},
        range: {"start": lambda value: value.start, "stop": lambda value: value.stop, "step": lambda value: value.step},
        Joiner: {"sep": lambda joiner: joiner.separator, "used": lambda joiner: joiner.used},
    }
)
