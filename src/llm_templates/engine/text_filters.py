"""The filters that make text of text."""

from __future__ import annotations

from collections.abc import Callable
from pprint import pformat
from typing import Any
from urllib.parse import quote_from_bytes

import markupsafe

from ..errors import TemplateRuntimeError
from . import methods, selection, sequence_filters
from .calls import call_method
from .formatting import printf
from .iteration import each, has_items
from .printing import text
from .reading import METHODS
from .run import Run, settle
from .values import (
    Markup,
    type_name,
)

Filter = Callable[..., Any]


def soft(run: Run, value: Any) -> str:
    """Text, keeping Markup: what filters on strings do with other values."""
    return value if isinstance(value, str) else text(run, value)


def on_text(name: str) -> Filter:
    """A filter that is a method of text."""
    method = METHODS[str][name]
    return lambda run, value, /, *args: method(run, soft(run, value), *args)


_strip = METHODS[str]["strip"]


def trim(run: Run, value: Any, /, chars: Any = None) -> str:
    """Strip white space, or `chars`, from both ends."""
    return _strip(run, value if isinstance(value, str) else text(run, value), chars)  # type: ignore[no-any-return]


def title(run: Run, value: Any, /) -> str:
    """Words begin with capitals; unlike the method, only after a dash, a bracket or white space."""
    value = soft(run, value)
    run.create_text(3 * len(value), value)
    # Every word is a text of its own for a while.
    run.spend(len(value))
    run.charge(32 * len(value))
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
    if isinstance(value, Markup):
        margin, newline = Markup(margin), Markup(newline)
    run.create_text(len(value) + (value.count("\n") + 2) * len(margin), value, margin)
    lines = METHODS[str]["splitlines"](run, value + newline)
    run.create_text(sum(map(len, lines)) + len(lines) * (len(margin) + 1), value, margin)
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
    return METHODS[str]["center"](run, soft(run, value), width)  # type: ignore[no-any-return]


def truncate(
    run: Run, value: Any, /, length: int = 255, killwords: Any = False, end: str = "...", leeway: Any = None
) -> str:
    """Cut at `length` characters, at the end of a word unless `killwords`."""
    leeway = 5 if leeway is None else leeway
    if not isinstance(end, str) or length < len(end) or leeway < 0:
        raise ValueError(f"expected length >= {len(text(run, end))} and leeway >= 0, got {length} and {leeway}")
    if not isinstance(value, str):
        if sequence_filters.count(run, value) <= length + leeway:
            return value  # type: ignore[no-any-return]
        raise TypeError(f"only text can be truncated, not {type_name(value)}")
    if len(value) <= length + leeway:
        return value
    run.create_text(length + 6 * len(end), value, end)
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
    lines = METHODS[str]["splitlines"](run, value)
    # textwrap cuts text into chunks and looks at each: far more than a scan, and a line may be a single character.
    run.spend(8 * len(value))
    run.create_text(len(value) * (len(between) + 1), value, between)
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
    return between.join(wrapped)


def wordcount(run: Run, value: Any, /) -> int:
    """How many words, runs of letters, digits and underscores, the text has."""
    value = soft(run, value)
    run.spend(len(value))
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
    if isinstance(value, Markup):
        return value
    return force_escape(run, value)


def force_escape(run: Run, value: Any, /) -> Markup:
    """The same, Markup or not."""
    value = text(run, value)
    run.create_text(6 * len(value), value)
    return Markup(markupsafe.escape(value))


def safe(run: Run, value: Any, /) -> Markup:
    """Mark as Markup: with `+` and `%`, text beside it is escaped from now on."""
    value = text(run, value)
    run.create_text(len(value), value)
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
    run.create_text(size, between, *pieces)
    return between.join(pieces)


def pretty(run: Run, value: Any, /) -> str:
    """What Python's pprint gives."""
    value, size = settle(run, value)
    run.create(8 * size)
    run.spend(size)
    return pformat(value)
