"""Traced twins of the methods and filters that cut, join and change text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import selection, sequence_filters, text_filters
from .iteration import each
from .printing import text as plain_text
from .provenance import Node, branch, computed, cut, mapped, marked, marked_safe, node_of, replaced
from .reading import METHODS
from .run import Run
from .values import Markup, Text

Twin = Callable[..., Any]


def _as(like: object, result: str, node: Node) -> Any:
    """A result with its mark: Markup where the plain operation gave that."""
    return marked_safe(result, node) if isinstance(like, Markup) else marked(str.__str__(result), node)


def _plain(value: str) -> dict[str, Callable[..., Any]]:
    return METHODS[Markup if isinstance(value, Markup) else str]


def _strips(name: str, left: bool) -> Twin:
    """A method that cuts at the ends; `left` says whether at the beginning, too."""
    method = getattr(str, name)

    def twin(run: Run, value: str, /, chars: Any = None) -> Any:
        if type(value) is not str and type(value) is not Text:
            kept = METHODS[Markup][name](run, value, chars)
        else:
            kept = method(value, chars)
            if len(kept) != len(value):
                run.strip(value, kept)
        if len(kept) == len(value):
            return value
        start = len(value) - len(str.lstrip(value, chars)) if left else 0
        if type(value) is str:
            result = Text(kept)
            result.node = (len(kept), value, start, None)
            return result
        return _as(kept, kept, cut(node_of(value), start, start + len(kept)))

    return twin


def _cuts(name: str, begin: Callable[..., int]) -> Twin:
    """A method that keeps a part of the text; `begin` says where the part begins."""

    def twin(run: Run, value: str, /, *args: Any, **kwargs: Any) -> Any:
        kept = _plain(value)[name](run, value, *args, **kwargs)
        if len(kept) == len(value):
            return value
        start = begin(value, kept, *args, **kwargs)
        return _as(kept, kept, cut(node_of(value), start, start + len(kept)))

    return twin


def _maps(name: str) -> Twin:
    """A method that changes each character by itself."""
    change = getattr(str, name)

    def twin(run: Run, value: str, /, *args: Any) -> Any:
        result = _plain(value)[name](run, value, *args)
        return _as(result, result, mapped(value, result, change))

    return twin


def _pads(name: str) -> Twin:
    def twin(run: Run, value: str, /, *args: Any) -> Any:
        result = _plain(value)[name](run, value, *args)
        room = len(result) - len(value)
        # Python's own rule for a field that cannot be filled evenly.
        left = {"ljust": 0, "rjust": room, "zfill": room, "center": room // 2 + (room & len(result) & 1)}[name]
        if result[left : left + len(value)] != value:
            return _as(result, result, replaced(node_of(value), len(result)))
        fill = node_of(args[1]) if len(args) > 1 and isinstance(args[1], str) else node_of(computed(" "))
        before, after = ((size, *fill[1:]) if fill[1] else replaced(fill, size) for size in (left, room - left))
        return _as(result, result, branch((before, node_of(value), after)))

    return twin


def _pieces(value: str, parts: Iterable[str], gaps: Callable[[str, int], int]) -> list[Any]:
    """The parts of a text that was split; `gaps` gives where the next one begins, from where the last one ended."""
    node, place = node_of(value), 0
    found = []
    for part in parts:
        start = gaps(part, place)
        place = start + len(part)
        found.append(_as(part, part, cut(node, start, place)))
    return found


def _splits(name: str) -> Twin:
    def twin(run: Run, value: str, /, sep: Any = None, maxsplit: Any = -1) -> list[Any]:
        parts = _plain(value)[name](run, value, sep, maxsplit)
        if sep is None:
            return _pieces(value, parts, lambda part, place: str.find(value, part, place))
        return _pieces(value, parts, lambda part, place: place + len(sep) if place or part is not parts[0] else 0)

    def after(run: Run, value: str, /, sep: Any = None, maxsplit: Any = -1) -> list[Any]:
        parts = _plain(value)[name](run, value, sep, maxsplit)
        if sep is None:
            return twin(run, value, sep, maxsplit)
        node, place, found = node_of(value), 0, []
        for part in parts:
            found.append(_as(part, part, cut(node, place, place + len(part))))
            place += len(part) + len(sep)
        return found

    return after


def _splitlines(run: Run, value: str, /, keepends: Any = False) -> list[Any]:
    lines = _plain(value)["splitlines"](run, value, keepends)
    node, place, found = node_of(value), 0, []
    for line, ended in zip(lines, str.splitlines(value, True), strict=True):
        found.append(_as(line, line, cut(node, place, place + len(line))))
        place += len(ended)
    return found


def _partitions(name: str) -> Twin:
    def twin(run: Run, value: str, /, sep: Any) -> tuple[Any, ...]:
        node, place, found = node_of(value), 0, []
        for part in _plain(value)[name](run, value, sep):
            found.append(_as(part, part, cut(node, place, place + len(part))))
            place += len(part)
        return tuple(found)

    return twin


def _replace(run: Run, value: str, old: Any, new: Any, count: int = -1) -> Any:
    result = _plain(value)["replace"](run, value, old, new, count)
    if not isinstance(new, str):
        new = plain_text(run, new)
    if isinstance(result, Markup):
        new = Markup.escape(new)
    node, put = node_of(value), node_of(new)
    nodes, place, left = [], 0, count if count >= 0 else len(value) + 1
    if not old:
        for at in range(min(left, len(value) + 1)):
            nodes += [put, cut(node, at, at + 1)]
            place = at + 1
    while old and left:
        found = str.find(value, old, place)
        if found < 0:
            break
        nodes += [cut(node, place, found), put]
        place, left = found + len(old), left - 1
    nodes.append(cut(node, place, len(value)) if place < len(value) else (0, *put[1:]))
    return _as(result, result, branch(nodes))


def _joined(result: str, between: str, pieces: list[str]) -> Any:
    nodes: list[Node] = []
    for piece in pieces:
        if nodes:
            nodes.append(node_of(between))
        if isinstance(result, Markup) and not isinstance(piece, Markup):
            nodes.append(mapped(piece, str(Markup.escape(piece)), lambda c: str(Markup.escape(c))))
        else:
            nodes.append(node_of(piece))
    return _as(result, result, branch(nodes))


def _join(run: Run, separator: str, values: Any) -> Any:
    from .traced import text

    pieces = [value if isinstance(value, str) else text(run, value) for value in each(run, values)]
    given = pieces if isinstance(separator, Markup) or type(values) not in (list, tuple) else values
    return _joined(_plain(separator)["join"](run, separator, given), separator, pieces)


METHOD_TWINS: dict[str, Twin] = {
    "strip": _strips("strip", True),
    "lstrip": _strips("lstrip", True),
    "rstrip": _strips("rstrip", False),
    "removeprefix": _cuts("removeprefix", lambda value, kept, prefix: len(value) - len(kept)),
    "removesuffix": _cuts("removesuffix", lambda value, kept, suffix: 0),
    **{name: _maps(name) for name in ("capitalize", "casefold", "lower", "swapcase", "title", "upper")},
    **{name: _pads(name) for name in ("center", "ljust", "rjust", "zfill")},
    **{name: _splits(name) for name in ("split", "rsplit")},
    **{name: _partitions(name) for name in ("partition", "rpartition")},
    "splitlines": _splitlines,
    "replace": _replace,
    "join": _join,
    "expandtabs": lambda run, value, /, *args: _rewrites(_plain(value)["expandtabs"])(run, value, *args),
}

# -- filters --


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

    return _replace(run, text(run, value), text(run, old), text(run, new), -1 if count is None else count)


def _indent(run: Run, value: Any, /, width: Any = 4, first: Any = False, blank: Any = False) -> Any:
    result = text_filters.indent(run, value, width, first, blank)
    margin = node_of(width) if isinstance(width, str) else node_of(computed(" " * int(width)))
    newline = node_of(computed("\n"))
    nodes: list[Node] = []
    lines = _splitlines(run, marked(value + "\n", branch((node_of(value), newline))))
    for position, line in enumerate(lines):
        if position:
            nodes.append(newline)
        if first if not position else line or blank:
            nodes.append(margin)
        nodes.append(node_of(line))
    return _as(result, result, branch(nodes))


_strip = METHOD_TWINS["strip"]


def _trim(run: Run, value: Any, /, chars: Any = None) -> Any:
    return _strip(run, value if isinstance(value, str) else _soft(run, value), chars)


def _join_filter(run: Run, value: Any, /, d: Any = "", attribute: Any = None) -> Any:
    from .traced import text

    getter = selection.getter(run, attribute)
    pieces = [text(run, getter(item) if getter else item) for item in each(run, value)]
    between = text(run, d)
    return _joined(text_filters.join(run, pieces, between), between, list(pieces))


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
        return _as(found, found, cut(node_of(value), place, place + 1))
    return found


def _reverse(run: Run, value: Any, /) -> Any:
    found = sequence_filters.reverse(run, value)
    if not isinstance(found, str):
        return found
    node = node_of(value)
    return _as(found, found, branch(cut(node, place - 1, place) for place in range(len(value), 0, -1)))


def _list(run: Run, value: Any, /) -> Any:
    found = sequence_filters.to_list(run, value)
    if not isinstance(value, str):
        return found
    node = node_of(value)
    return [_as(character, character, cut(node, place, place + 1)) for place, character in enumerate(found)]


def _truncate(run: Run, value: Any, /, *args: Any, **kwargs: Any) -> Any:
    result = text_filters.truncate(run, value, *args, **kwargs)
    if result is value or not isinstance(value, str):
        return result
    kept = next((size for size in range(len(result), -1, -1) if value[:size] == result[:size]), 0)
    rest = result[kept:]
    return _as(result, result, branch((cut(node_of(value), 0, kept), node_of(rest))))


def characters(value: str) -> list[Any]:
    """The characters of text, each with its mark."""
    node = node_of(value)
    return [_as(character, character, cut(node, place, place + 1)) for place, character in enumerate(value)]


def _over_characters(plain: Twin) -> Twin:
    """A filter on sequences, which may be given text."""
    return lambda run, value, /, *args, **kwargs: plain(
        run, characters(value) if isinstance(value, str) else value, *args, **kwargs
    )


def _rewrites(plain: Twin) -> Twin:
    """An operation that changes text in its own way: what it gives is from where its texts are, if that is one place."""

    def twin(run: Run, value: Any, /, *args: Any, **kwargs: Any) -> Any:
        result = plain(run, value, *args, **kwargs)
        if result == value or not isinstance(value, str):
            return value if result is value else result
        sources = [source for source in (value, *args, *kwargs.values()) if isinstance(source, str)]
        return _as(result, result, replaced(branch(map(node_of, sources)), len(result)))

    return twin


FILTER_TWINS: dict[str, Twin] = {
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
