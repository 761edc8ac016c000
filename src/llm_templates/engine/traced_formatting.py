"""Traced twins of what writes values by a format: JSON, Python's notation of containers, `%` and `str.format`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from . import formatting
from .formatting import _FORMATTER, _ascii_string, _string  # the same functions that the plain twin writes with
from .provenance import COMPUTED, DERIVED, Item, Node, branch, cut, mapped, marked, marked_safe, node_of, replaced
from .run import Run, settle
from .values import CONTAINERS, Markup, Namespace, Real, Text, View, Whole

#: A piece of what is written: its text, and its mark.
Piece = tuple[str, Node]

#: What may stand between the values of a JSON text for them to be found there.
_BETWEEN = re.compile(r"[\s,:;]*")


def to_json(
    run: Run,
    value: Any,
    ensure_ascii: Any = False,
    indent: Any = None,
    separators: Any = None,
    sort_keys: Any = False,
) -> Text:
    """What the plain `tojson` gives, each text and number in it with its own mark."""
    from .traced import text

    if isinstance(indent, str):
        indent = str.__str__(indent)
    given = str.__str__(value) if type(value) is Text else value
    plain = formatting.to_json(run, given, ensure_ascii, indent, separators, sort_keys)
    string = _ascii_string if ensure_ascii else _string
    if isinstance(value, str):
        return marked(plain, _quoted(value, string, plain))
    if type(value) not in CONTAINERS:
        return marked(plain, (len(plain), _source_of(value, None), -1, None))
    settled, _ = settle(run, value)
    pieces = list(_scalars(settled, string, bool(sort_keys)))
    between = [*(separators or ()), *([indent] if isinstance(indent, str) else [])]
    if between and not all(_BETWEEN.fullmatch(text(run, part)) for part in between):
        # A value could be found in what stands between values.
        return marked(plain, (len(plain), DERIVED, 0, None))
    return marked(plain, _aligned(plain, pieces))


#: The mark of a quotation mark.
QUOTE: Node = (1, COMPUTED, 0, None)


def _quoted(value: str, string: Callable[[str], str], shown: str) -> Node:
    """The mark of text in quotes, with escapes."""
    inside = mapped(value, shown[1:-1], lambda character: string(character)[1:-1])
    return (inside[0] + 2, None, (QUOTE, inside, QUOTE), None)


def _scalars(value: Any, string: Callable[[str], str], sort_keys: bool, source: Any = None) -> Iterator[Piece]:
    """What is written of each text and number in a tree, in the order of writing."""
    kind = type(value)
    if kind is dict:
        for key, found in sorted(value.items()) if sort_keys else value.items():
            if isinstance(key, str):
                shown = string(str.__str__(key))
                yield shown, _quoted(_sourced(key, Item(value, key, True)), string, shown)
            yield from _scalars(found, string, sort_keys, Item(value, key))
    elif kind in CONTAINERS:
        for index, found in enumerate(value):
            yield from _scalars(found, string, sort_keys, Item(value, index))
    elif isinstance(value, str):
        shown = string(str.__str__(value))
        yield shown, _quoted(_sourced(value, source), string, shown)
    else:
        shown = formatting._scalar(value)
        yield shown, (len(shown), _source_of(value, source), -1, None)


def _sourced(text: str, source: Any) -> str:
    """Text in a container with its place there as its source, unless it has a mark of its own."""
    return (
        text if type(text) is Text or isinstance(text, Markup) else marked(text, (len(text), source or text, 0, None))
    )


def _source_of(number: Any, source: Any) -> Any:
    if type(number) in (Whole, Real):
        return number.origin
    return source or (COMPUTED if number is None or type(number) is bool else number)


def _aligned(plain: str, pieces: list[Piece]) -> Node:
    """The mark of a text in which the pieces occur in this order; what is between them is computed."""
    nodes: list[Node] = []
    place = 0
    for shown, node in pieces:
        found = plain.find(shown, place)
        if found < 0 or node[0] != len(shown):
            return replaced(branch(node for _, node in pieces), len(plain))
        if found > place:
            nodes.append((found - place, COMPUTED, 0, None))
        nodes.append(node)
        place = found + len(shown)
    if place < len(plain):
        nodes.append((len(plain) - place, COMPUTED, 0, None))
    return branch(nodes)


def shown_node(run: Run, value: Any, plain: str) -> Node:
    """The mark of a container as Python writes it, which is what printing it gives."""
    settled, _ = settle(run, value)
    return _aligned(plain, list(_shown(settled)))


def _shown(value: Any, source: Any = None) -> Iterator[Piece]:
    kind = type(value)
    if kind is dict or kind is Namespace:
        entries = value if kind is dict else value.attributes
        for key, found in entries.items():
            yield from _shown(key, Item(entries, key, True))
            yield from _shown(found, Item(entries, key))
    elif kind in CONTAINERS:
        for index, found in enumerate(value.items if kind is View else value):
            yield from _shown(found, None if kind is View else Item(value, index))
    elif isinstance(value, str):
        shown = repr(value)
        value = _sourced(value, source)
        inner = mapped(value, shown[1:-1], lambda character: repr(character)[1:-1])
        if isinstance(value, Markup) or inner[0] != len(shown) - 2:
            yield shown, replaced(node_of(value), len(shown))
        else:
            quote = (1, COMPUTED, 0, None)
            yield shown, branch((quote, inner, quote))
    elif isinstance(value, int | float) or value is None:
        yield repr(value), (len(repr(value)), _source_of(value, source), -1, None)
    else:
        # A macro's name and a loop's numbers are nobody's values, and must not be taken for such.
        yield repr(value), (len(repr(value)), COMPUTED, 0, None)


# -- % and str.format --

_PERCENT = re.compile(r"%[sdi%]")


def printf(run: Any, form: str, values: Any) -> Any:
    """`form % values`; a mark for each plain `%s` and `%d`, of one place for anything else."""
    from .traced import text

    plain = formatting.printf(run, form, values)
    given = list(values) if isinstance(values, tuple) else [values]
    found = list(_PERCENT.finditer(form))
    simple = form.count("%") == sum(match[0].count("%") for match in found) and type(values) is not dict
    wanted = sum(match[0] != "%%" for match in found)
    if not simple or wanted != len(given) or isinstance(plain, Markup):
        return _mixed(plain, [form, *(given if type(values) is not dict else values.values())], run)
    node, pieces, place = node_of(form), [], 0
    arguments = iter(given)
    for match in found:
        pieces.append(cut(node, place, match.start()))
        pieces.append(
            cut(node, match.start(), match.start() + 1) if match[0] == "%%" else node_of(text(run, next(arguments)))
        )
        place = match.end()
    pieces.append(cut(node, place, len(form)) if place < len(form) else (0, COMPUTED, 0, None))
    return _checked(plain, branch(pieces, run.owner), form, given, run)


def format_text(run: Any, form: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`form.format(...)`; a mark for each plain field, of one place for anything else."""
    from .traced import text

    plain = formatting.format_text(run, form, args, kwargs)
    given = [*args, *kwargs.values()]
    nodes: list[Node] = []
    place = automatic = 0
    node = node_of(form)
    for literal, name, spec, conversion in _FORMATTER.parse(str.__str__(form)):
        start = str.find(form, literal, place)
        if name is None and "{" not in literal and "}" not in literal:
            nodes.append(cut(node, start, start + len(literal)))
            place = start + len(literal)
            continue
        if name is None or spec or conversion or start < 0 or "{" in literal or "}" in literal:
            return _mixed(plain, [form, *given], run)
        nodes.append(cut(node, start, start + len(literal)))
        place = start + len(literal)
        position = automatic if not name else int(name) if name.isdecimal() else None
        automatic += not name
        if position is not None and position < len(args):
            value = args[position]
        elif name in kwargs:
            value = kwargs[name]
        else:
            return _mixed(plain, [form, *given], run)
        nodes.append(node_of(text(run, value)))
    return _checked(plain, branch(nodes, run.owner), form, given, run)


def _checked(plain: str, node: Node, form: str, given: list[Any], run: Run) -> Any:
    if isinstance(plain, Markup) or node[0] != len(plain):
        return _mixed(plain, [form, *given], run)
    return marked(plain, node)


def _mixed(plain: str, sources: list[Any], run: Run) -> Any:
    """Text that all sources may have gone into, in whatever way."""
    from .traced import text

    node = replaced(branch(node_of(text(run, source)) for source in sources), len(plain))
    return marked_safe(plain, node) if isinstance(plain, Markup) else marked(plain, node)
