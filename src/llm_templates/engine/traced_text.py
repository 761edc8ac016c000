"""Traced twins of the methods that cut, join and change text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import calls
from .iteration import each
from .printing import text as plain_text
from .provenance import Node, branch, computed, cut, mapped, marked, marked_safe, node_of, replaced
from .reading import METHODS
from .run import Run
from .values import Markup, Text

Twin = Callable[..., Any]


def marked_like(like: object, result: str, node: Node) -> Any:
    """A result with its mark: Markup where the plain operation gave that."""
    return marked_safe(result, node) if isinstance(like, Markup) else marked(str.__str__(result), node)


def escaped_node(value: str) -> Node:
    """The mark of text as it stands in Markup: escaped, unless it is Markup itself."""
    if isinstance(value, Markup):
        return node_of(value)
    return mapped(value, str(Markup.escape(value)), lambda character: str(Markup.escape(character)))


def _plain(value: str) -> dict[str, Callable[..., Any]]:
    return METHODS[Markup if isinstance(value, Markup) else str]


def characters(value: str) -> list[Any]:
    """The characters of text, each with its mark."""
    node = node_of(value)
    return [marked_like(character, character, cut(node, place, place + 1)) for place, character in enumerate(value)]


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
        return marked_like(kept, kept, cut(node_of(value), start, start + len(kept)))

    return twin


def _cuts(name: str, begin: Callable[..., int]) -> Twin:
    """A method that keeps a part of the text; `begin` says where the part begins."""

    def twin(run: Run, value: str, /, *args: Any, **kwargs: Any) -> Any:
        kept = _plain(value)[name](run, value, *args, **kwargs)
        if len(kept) == len(value):
            return value
        start = begin(value, kept, *args, **kwargs)
        return marked_like(kept, kept, cut(node_of(value), start, start + len(kept)))

    return twin


def _maps(name: str) -> Twin:
    """A method that changes each character by itself."""
    change = getattr(str, name)

    def twin(run: Run, value: str, /, *args: Any) -> Any:
        result = _plain(value)[name](run, value, *args)
        return marked_like(result, result, mapped(value, result, change))

    return twin


def _pads(name: str) -> Twin:
    def twin(run: Run, value: str, /, *args: Any) -> Any:
        result = _plain(value)[name](run, value, *args)
        room = len(result) - len(value)
        # Python's own rule for a field that cannot be filled evenly.
        left = {"ljust": 0, "rjust": room, "zfill": room, "center": room // 2 + (room & len(result) & 1)}[name]
        if result[left : left + len(value)] != value:
            return marked_like(result, result, replaced(node_of(value), len(result)))
        fill = node_of(args[1]) if len(args) > 1 and isinstance(args[1], str) else node_of(computed(" "))
        before, after = (replaced(fill, size) for size in (left, room - left))
        return marked_like(result, result, branch((before, node_of(value), after)))

    return twin


def _pieces(value: str, parts: Iterable[str], gaps: Callable[[str, int], int]) -> list[Any]:
    """The parts of a text that was split; `gaps` gives where the next one begins, from where the last one ended."""
    node, place = node_of(value), 0
    found = []
    for part in parts:
        start = gaps(part, place)
        place = start + len(part)
        found.append(marked_like(part, part, cut(node, start, place)))
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
            found.append(marked_like(part, part, cut(node, place, place + len(part))))
            place += len(part) + len(sep)
        return found

    return after


def split_lines(run: Run, value: str, /, keepends: Any = False) -> list[Any]:
    """`value.splitlines(keepends)`, each line with its mark."""
    lines = _plain(value)["splitlines"](run, value, keepends)
    node, place, found = node_of(value), 0, []
    for line, ended in zip(lines, str.splitlines(value, True), strict=True):
        found.append(marked_like(line, line, cut(node, place, place + len(line))))
        place += len(ended)
    return found


def _partitions(name: str) -> Twin:
    def twin(run: Run, value: str, /, sep: Any) -> tuple[Any, ...]:
        node, place, found = node_of(value), 0, []
        for part in _plain(value)[name](run, value, sep):
            found.append(marked_like(part, part, cut(node, place, place + len(part))))
            place += len(part)
        return tuple(found)

    return twin


def replace(run: Run, value: str, old: Any, new: Any, count: int = -1) -> Any:
    """`value.replace(old, new, count)` with its marks."""
    result = _plain(value)["replace"](run, value, old, new, count)
    if not isinstance(new, str):
        new = plain_text(run, new)
    node, put = node_of(value), escaped_node(new) if isinstance(result, Markup) else node_of(new)
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
    return marked_like(result, result, branch(nodes))


def _rewritten(name: str) -> Twin:
    def twin(run: Run, value: str, /, *args: Any) -> Any:
        method = _plain(value).get(name)
        if method is None:  # a method of Markup only
            return calls.call_method(run, value, name, *args)
        return rewrites(method)(run, value, *args)

    return twin


def rewrites(plain: Twin) -> Twin:
    """An operation that changes text in its own way: the result is from where its texts are, if that is one place."""

    def twin(run: Run, value: Any, /, *args: Any, **kwargs: Any) -> Any:
        result = plain(run, value, *args, **kwargs)
        if not isinstance(value, str) or result is value:
            return result
        if result == value:
            return marked_like(result, result, node_of(value))
        sources = [source for source in (value, *args, *kwargs.values()) if isinstance(source, str)]
        return marked_like(result, result, replaced(branch(map(node_of, sources)), len(result)))

    return twin


def joined(result: str, between: str, pieces: list[str]) -> Any:
    """Texts that were joined, with `between` between them, and their marks."""
    nodes: list[Node] = []
    for piece in pieces:
        if nodes:
            nodes.append(node_of(between))
        nodes.append(escaped_node(piece) if isinstance(result, Markup) else node_of(piece))
    return marked_like(result, result, branch(nodes))


def _join(run: Run, separator: str, values: Any) -> Any:
    from .traced import text

    items = characters(values) if isinstance(values, str) else list(each(run, values))
    result = _plain(separator)["join"](run, separator, items)
    return joined(result, separator, [item if isinstance(item, str) else text(run, item) for item in items])


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
    "splitlines": split_lines,
    "replace": replace,
    "join": _join,
    **{name: _rewritten(name) for name in ("expandtabs", "striptags", "unescape")},
}
