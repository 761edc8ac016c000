"""Traced twins of the filters that cut, join and change text, or read its characters."""

from __future__ import annotations

from typing import Any

from . import selection, sequence_filters, text_filters
from .filters import FILTERS
from .iteration import each
from .provenance import COMPUTED, Node, branch, computed, cut, mapped, marked, marked_safe, node_of, number, replaced
from .run import Run
from .traced_text import METHOD_TWINS, Twin, characters, joined, marked_like, replace, rewrites, split_lines
from .values import Markup, Real, Whole

_ELLIPSIS = computed("...")


def _soft(run: Run, value: Any) -> Any:
    """Text, keeping Markup."""
    from .traced import text

    return value if isinstance(value, str) else text(run, value)


def _by_method(name: str) -> Twin:
    method = METHOD_TWINS[name]
    return lambda run, value, /, *args: method(run, _soft(run, value), *args)


def _title(run: Run, value: Any, /) -> Any:
    value = _soft(run, value)
    result = text_filters.title(run, value)
    return marked(result, mapped(value, result, str.upper))


def _replace_filter(run: Run, value: Any, /, old: Any, new: Any, count: Any = None) -> Any:
    from .traced import text

    return replace(run, text(run, value), text(run, old), text(run, new), -1 if count is None else count)


def _indent(run: Run, value: Any, /, width: Any = 4, first: Any = False, blank: Any = False) -> Any:
    result = text_filters.indent(run, value, width, first, blank)
    margin = node_of(width) if isinstance(width, str) else node_of(computed(" " * int(width)))
    newline = node_of(computed("\n"))
    nodes: list[Node] = []
    lines = split_lines(run, marked(value + "\n", branch((node_of(value), newline))))
    for position, line in enumerate(lines):
        if position:
            nodes.append(newline)
        if first if not position else line or blank:
            nodes.append(margin)
        nodes.append(node_of(line))
    return marked_like(result, result, branch(nodes))


_strip = METHOD_TWINS["strip"]


def _trim(run: Run, value: Any, /, chars: Any = None) -> Any:
    return _strip(run, value if isinstance(value, str) else _soft(run, value), chars)


def _join_filter(run: Run, value: Any, /, d: Any = "", attribute: Any = None) -> Any:
    from .traced import text

    getter = selection.getter(run, attribute)
    pieces = [text(run, getter(item) if getter else item) for item in each(run, value)]
    between = text(run, d)
    return joined(text_filters.join(run, pieces, between), between, list(pieces))


def _escape(run: Run, value: Any, /) -> Any:
    return value if isinstance(value, Markup) else _force_escape(run, value)


def _force_escape(run: Run, value: Any, /) -> Any:
    from .traced import text

    value = text(run, value)
    result = text_filters.force_escape(run, value)
    return marked_safe(result, mapped(value, result, lambda character: str(Markup.escape(character))))


def _safe(run: Run, value: Any, /) -> Any:
    from .traced import text

    value = text(run, value)
    return marked_safe(text_filters.safe(run, value), node_of(value))


def _first(run: Run, value: Any, /) -> Any:
    return _ended(sequence_filters.first(run, value), value, 0)


def _last(run: Run, value: Any, /) -> Any:
    return _ended(sequence_filters.last(run, value), value, len(value) - 1 if isinstance(value, str) else 0)


def _ended(found: Any, value: Any, place: int) -> Any:
    if isinstance(value, str) and isinstance(found, str):
        return marked_like(found, found, cut(node_of(value), place, place + 1))
    return found


def _reverse(run: Run, value: Any, /) -> Any:
    found = sequence_filters.reverse(run, value)
    if not isinstance(found, str):
        return found
    node = node_of(value)
    return marked_like(found, found, branch(cut(node, place - 1, place) for place in range(len(value), 0, -1)))


def _list(run: Run, value: Any, /) -> Any:
    found = sequence_filters.to_list(run, value)
    if not isinstance(value, str):
        return found
    node = node_of(value)
    return [marked_like(character, character, cut(node, place, place + 1)) for place, character in enumerate(found)]


def _truncate(
    run: Run, value: Any, /, length: Any = 255, killwords: Any = False, end: Any = _ELLIPSIS, leeway: Any = None
) -> Any:
    result = text_filters.truncate(run, value, length, killwords, end, leeway)
    if result is value or not isinstance(value, str):
        return result
    return marked_like(result, result, branch((cut(node_of(value), 0, len(result) - len(end)), node_of(end))))


#: Filters on sequences that read the items.
_ON_SEQUENCES = (
    *("batch", "groupby", "map", "max", "min", "reject", "rejectattr", "select", "selectattr", "slice", "sort"),
    *("sum", "unique"),
)


def _over_characters(plain: Twin) -> Twin:
    """A filter on sequences, which may be given text, and numbers of the input as keys."""

    def twin(run: Run, value: Any, /, *args: Any, **kwargs: Any) -> Any:
        given = [int(arg) if type(arg) is Whole else arg for arg in args]
        named = {name: int(arg) if type(arg) is Whole else arg for name, arg in kwargs.items()}
        return plain(run, characters(value) if isinstance(value, str) else value, *given, **named)

    return twin


def _reads_number(plain: Twin) -> Twin:
    """A filter that makes a number of a number or a text: it is from where that is."""

    def twin(run: Run, value: Any, /, *args: Any, **kwargs: Any) -> Any:
        result = plain(run, value, *args, **kwargs)
        if type(result) is not int and type(result) is not float:
            return result
        if isinstance(value, str):
            return number(result, replaced(node_of(value), 1)[1])
        if type(value) is Whole or type(value) is Real:
            return number(result, value.origin)
        return number(result, value if type(value) is int or type(value) is float else COMPUTED)

    return twin


FILTER_TWINS: dict[str, Twin] = {
    **{name: _over_characters(FILTERS[name]) for name in _ON_SEQUENCES},
    **{name: rewrites(FILTERS[name]) for name in ("pprint", "striptags", "urlencode", "wordwrap")},
    **{name: _reads_number(FILTERS[name]) for name in ("abs", "float", "int", "round")},
    **{name: _by_method(name) for name in ("capitalize", "lower", "upper")},
    "center": lambda run, value, /, width=80: METHOD_TWINS["center"](run, _soft(run, value), width),
    "e": _escape,
    "escape": _escape,
    "first": _first,
    "forceescape": _force_escape,
    "indent": _indent,
    "join": _join_filter,
    "last": _last,
    "list": _list,
    "replace": _replace_filter,
    "reverse": _reverse,
    "safe": _safe,
    "string": _soft,
    "title": _title,
    "trim": _trim,
    "truncate": _truncate,
}
