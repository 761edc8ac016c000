"""The traced dialect: for each operation that makes text, its twin that makes the same text with its mark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import arithmetic, calls, formatting, globals, iteration, printing, reading
from .budget import FREE_TEXT
from .filters import EXTENSION_FILTERS, FILTERS
from .provenance import BUFFER, DERIVED, Node, branch, computed, cut, marked, marked_safe, node_of, replaced, whole
from .reading import ATTRIBUTES, METHODS, REFUSED_METHODS
from .run import Run
from .tests import TESTS
from .traced_filters import FILTER_TWINS
from .traced_formatting import format_text, printf, shown_node, to_json
from .traced_text import METHOD_TWINS, characters, escaped_node
from .values import CONTAINERS, Function, Markup, Real, SafeText, Text, Undefined, Whole

#: The types of text that is not Markup.
TEXTS = frozenset({str, Text})
EMPTY = computed("")


class TracedRun(Run):
    """The run of a traced render."""

    #: The message whose turn is being written, by its number; None outside of any.
    owner: int | None = None
    #: The messages by the identity of their dicts.
    turns: Mapping[int, int] = {}
    #: The pieces of the whole output, each followed by its owner.
    output: Sequence[Any] = ()


# -- printing --


def text(run: Run, value: Any) -> Any:
    """What printing `value` writes."""
    kind = type(value)
    if kind is str or kind is Text:
        return value
    if kind is SafeText:
        return marked(str.__str__(value), value.node)
    if kind is Undefined:
        return EMPTY
    if kind in CONTAINERS:
        plain = printing.text(run, value)
        return marked(plain, shown_node(run, value, plain))
    if kind is Whole or kind is Real:
        return whole(str(value), value.origin)
    if value is None or kind is bool:
        return computed(str(value))
    plain = printing.text(run, value)
    if kind is int or kind is float:
        return marked(plain, (len(plain), value, -1, None))
    return marked(plain, (len(plain), DERIVED, 0, None))


def counted(number: int) -> Text:
    """What printing a number writes that the template counted."""
    return computed(str(number))


def cat(run: Any, *values: Any) -> Text:
    """Texts one after the other."""
    result = Text("".join(values))
    nodes = [value.node if type(value) is Text else (len(value), value, 0, None) for value in values]
    result.node = (len(result), None, nodes, run.owner)
    return result


def concat(run: Any, *values: Any) -> Text:
    """`a ~ b ~ c`."""
    pieces = [text(run, value) for value in values]
    run.create_text(sum(map(len, pieces)), *pieces)
    return cat(run, *pieces)


def join(run: Run, buffer: list[Any]) -> Text:
    """The pieces of a buffer in one text."""
    result = Text(printing.join(run, buffer[::2]))
    result.node = (len(result), BUFFER, buffer, None)
    return result


def finish(run: Any, buffer: list[Any]) -> str:
    """The pieces of the whole output in one text, and kept for those who ask where they came from."""
    run.output = buffer
    return printing.finish(run, buffer[::2])


def require_text(run: Run, value: Any) -> Any:
    """`value`, which a filter block gave, and which must be text."""
    from .making import require_text

    require_text(run, value)
    return text(run, value)


# -- operators --


def add(run: Any, left: Any, right: Any) -> Any:
    """`left + right`."""
    if type(left) in TEXTS and type(right) in TEXTS:
        size = len(left) + len(right)
        if size > FREE_TEXT:
            run.create_text(size, left, right)
        return cat(run, left, right)
    result = arithmetic.add(run, left, right)
    if not isinstance(result, str):
        return result
    mark = escaped_node if isinstance(result, Markup) else node_of
    return _as(result, branch((mark(left), mark(right)), run.owner))


def _as(result: str, node: Node) -> Any:
    return marked_safe(result, node) if isinstance(result, Markup) else marked(result, node)


def multiply(run: Any, left: Any, right: Any) -> Any:
    """`left * right`."""
    result = arithmetic.multiply(run, left, right)
    if not isinstance(result, str):
        return result
    value, times = (left, right) if isinstance(left, str) else (right, left)
    times = max(0, int(times))
    # A mark of its own for each repetition would cost more than the text.
    node = node_of(value)
    node = branch([node] * times, run.owner) if times <= 1000 else replaced(node, len(result))
    return _as(result, node)


def modulo(run: Any, left: Any, right: Any) -> Any:
    """`left % right`."""
    return printf(run, left, right) if isinstance(left, str) else formatting.modulo(run, left, right)


# -- reading --


def call_method(run: Run, value: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
    """`value.name(...)`."""
    twin = METHOD_TWINS.get(name) if isinstance(value, str) else None
    if twin is not None:
        return twin(run, value, *args, **kwargs)
    return calls.call_method(run, value, name, *args, **kwargs)


def call_item(run: Run, value: Any, key: Any, /, *args: Any, **kwargs: Any) -> Any:
    """`value[key](...)`."""
    if isinstance(value, str) and isinstance(key, str):
        return call_method(run, value, str(key), *args, **kwargs)
    return calls.call_item(run, value, key, *args, **kwargs)


def item(run: Any, value: Any, key: Any) -> Any:
    """`value[key]`; outside of loops, reading a message begins its turn."""
    found = reading.item(run, value, int(key) if type(key) is Whole else key)
    if type(found) is dict:
        run.owner = run.turns.get(id(found), run.owner)
    elif isinstance(value, str) and isinstance(found, str):
        place = range(len(value))[key]
        return _as(found, cut(node_of(value), place, place + 1))
    return found


def peek(run: Any, value: Any, key: Any) -> Any:
    """The same in a loop or a macro, where only the first message read begins a turn: others are looked at."""
    owner = run.owner
    found = item(run, value, key)
    if owner is not None:
        run.owner = owner
    return found


def part(run: Any, value: Any, start: Any, stop: Any, step: Any) -> Any:
    """`value[start:stop:step]`."""
    found = reading.part(run, value, start, stop, step)
    if not isinstance(found, str):
        return found
    places = range(*slice(start, stop, step).indices(len(value)))
    node = node_of(value)
    if places.step == 1:
        return _as(found, cut(node, places.start, max(places.start, places.stop)))
    return _as(found, branch(cut(node, place, place + 1) for place in places))


def sequence(run: Run, value: Any, cost: int) -> Any:
    """What a loop over `value` walks."""
    walked = iteration.sequence(run, value, cost)
    return characters(walked) if isinstance(walked, str) else walked


# -- the dialect --

#: What generated code calls in place of the plain operations of these names.
DIALECT: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *(text, counted, cat, concat, join, finish, require_text),
        *(add, multiply, modulo, call_method, call_item, item, peek, part, sequence),
    )
}


def _strftime_now(run: Run, format: Any, /) -> Text:
    return computed(globals.strftime_now(run, format))


_strftime_now.__qualname__ = globals.strftime_now.__qualname__
GLOBALS: dict[str, Function] = {**globals.GLOBALS, "strftime_now": Function("strftime_now", _strftime_now)}


def _format(run: Run, value: Any, /, *args: Any, **kwargs: Any) -> Any:
    """`value % args`."""
    if args and kwargs:
        return FILTERS["format"](run, value, *args, **kwargs)
    return printf(run, value if isinstance(value, str) else text(run, value), kwargs or args)


FILTER_TWINS.update(tojson=to_json, format=_format)
for _name, _twin in FILTER_TWINS.items():
    # Python's own error texts name the function.
    _twin.__qualname__ = FILTERS[_name].__qualname__
METHOD_TWINS.update(format=lambda run, value, /, *args, **kwargs: format_text(run, value, args, kwargs))

TRACED_FILTERS: dict[str, Callable[..., Any]] = {**FILTERS, **FILTER_TWINS}
TRACED_EXTENSION_FILTERS = EXTENSION_FILTERS
TracedRun.tables = {"filter": TRACED_FILTERS, "test": TESTS}

#: Marked values have the methods and attributes of plain ones.
for _kind, _plain in ((Text, str), (SafeText, Markup), (Whole, int), (Real, float)):
    _kind.__name__ = _kind.__qualname__ = _plain.__name__  # in Python's own error texts
    METHODS[_kind] = METHODS[_plain]
    REFUSED_METHODS[_kind] = REFUSED_METHODS[_plain]
    if _plain in ATTRIBUTES:
        ATTRIBUTES[_kind] = ATTRIBUTES[_plain]
