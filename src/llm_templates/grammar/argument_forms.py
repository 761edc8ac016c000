"""Argument forms: finds how a template writes the arguments of a call that are not one JSON object."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .differences import same_end, same_start
from .layout import escaped
from .probes import Call

#: Stand for what varies while literal text is compared; nobody's text has them.
KEY, VALUE, TYPE = "\ue000", "\ue001", "\ue002"
FIELDS = {KEY: "{key}", VALUE: "{value}", TYPE: "{type}"}

_QUOTED_END = re.compile(r"[\"']?\s{0,20}\)")


class Span(NamedTuple):
    """Where arguments stand in a turn."""

    start: int
    end: int


class Argument(NamedTuple):
    """How one argument among several is written: literal text around its key and its value."""

    open: str
    between: str
    #: May hold the key again.
    close: str
    quoted: bool = False
    types: Mapping[str, str] = {}

    @property
    def is_nested(self) -> bool:
        """Whether the key is what the tags are called, so that they can nest."""
        return KEY in self.close

    @property
    def layout(self) -> str:
        """The layout, with fields."""
        text = escaped(self.open + KEY + self.between + VALUE + self.close)
        for mark, field in FIELDS.items():
            text = text.replace(mark, field)
        return text

    def span(self, text: str, call: Call, place: int) -> Span | None:
        """Where the call's arguments are written in this way, from `place` on."""
        keys = list(call.arguments)
        start = text.find(keys[0], place)
        last = text.find(keys[-1], place)
        value = text.find(str(call.arguments[keys[-1]]), last + len(keys[-1])) if last >= 0 else -1
        if start < 0 or value < 0 or not text.startswith(self.open, start - len(self.open)):
            return None
        end = value + len(str(call.arguments[keys[-1]]))
        close = self.close.replace(KEY, keys[-1])
        close = close if text.startswith(close, end) else close.rstrip()
        return Span(start - len(self.open), end + len(close)) if text.startswith(close, end) else None


class _Gaps(NamedTuple):
    """What stands around the keys and values of two arguments."""

    before: str
    one: str
    middle: str
    other: str
    after: str


def _gaps(text: str, arguments: Mapping[str, Any], place: int) -> _Gaps | None:
    found = []
    for word in [str(word) for item in arguments.items() for word in item]:
        start = text.find(word, place)
        if start < 0:
            return None
        found.append(text[place:start])
        place = start + len(word)
    first, second = list(arguments)[:2]
    before, one, middle, other = found[:4]
    return _Gaps(before, one, middle.replace(first, KEY), other, text[place:].replace(second, KEY))


def tagged(text: str, call: Call, place: int) -> Argument | None:
    """How each of two arguments is written between literal text of its own.

    Args:
        text: the turn.
        call: its call, with two arguments.
        place: where its name ends.
    """
    gaps = _gaps(text, call.arguments, place)
    if gaps is None or gaps.one != gaps.other:
        return None
    begin = same_end(gaps.before, gaps.middle).lstrip()
    rest = gaps.middle[: len(gaps.middle) - len(begin)]
    close = same_start(rest, gaps.after)
    if not begin.strip() or not (close.strip() or gaps.one.strip()):
        return None
    return Argument(begin, gaps.one, close)


def typed(argument: Argument, text: str, call: Call, place: int) -> Argument:
    """What the layout says of a value's type, from a call with a string and a number."""
    gaps = _gaps(text, call.arguments, place)
    if gaps is None or gaps.one == gaps.other:
        return argument
    if gaps.one == gaps.other + '"' and argument.close.startswith('"'):
        return argument._replace(between=gaps.other, close=argument.close[1:], quoted=True)
    start = same_start(gaps.one, gaps.other)
    end = same_end(gaps.one[len(start) :], gaps.other[len(start) :])
    words = [gap[len(start) : len(gap) - len(end)] for gap in (gaps.one, gaps.other)]
    if not all(word.isalnum() for word in words):
        return argument
    return argument._replace(between=start + TYPE + end, types={words[0]: "string", words[1]: "json"})


def more_types(argument: Argument, text: str, values: Sequence[str]) -> Argument:
    """The types that a turn names before the keys and values of other arguments."""
    start, _, end = argument.between.partition(TYPE)
    pattern = re.compile(rf"({'|'.join(map(re.escape, values))}){re.escape(start)}(\w{{1,20}}){re.escape(end)}")
    found = {match[2]: "json" for match in pattern.finditer(text)}
    return argument._replace(types={**found, **argument.types})


def python_span(text: str, call: Call, place: int) -> Span | None:
    """Where keyword arguments stand, without the brackets: `name(key="value")`."""
    gaps = _around(text, call, place)
    if gaps is None or not gaps[0].rstrip().endswith("(") or not gaps[1].startswith("="):
        return None
    end = _QUOTED_END.match(text, gaps[2])
    start = place + len(gaps[0].rstrip())
    return Span(start, end.end() - 1) if end else None


class Loose(NamedTuple):
    """Where an object with bare keys stands, and what quotes its strings."""

    span: Span
    quote: str


def loose(text: str, call: Call, place: int) -> Loose | None:
    """An object with bare keys: `{key:<|"|>value<|"|>}`."""
    gaps = _around(text, call, place)
    if gaps is None or not gaps[0].endswith("{") or gaps[1][:1] not in (":", "="):
        return None
    quote = gaps[1][1:].strip()
    end = text.find("}", gaps[2])
    if end < 0 or text[gaps[2] : end].strip() != quote:
        return None
    return Loose(Span(place + len(gaps[0]) - 1, end + 1), "" if quote in ('"', "'") else quote)


def _around(text: str, call: Call, place: int) -> tuple[str, str, int] | None:
    """What precedes the first key, what stands between the last key and its value, and where that ends."""
    keys = list(call.arguments)
    start, last = text.find(keys[0], place), text.find(keys[-1], place)
    value = text.find(str(call.arguments[keys[-1]]), last)
    if start < 0 or last < 0 or value < 0:
        return None
    end = value + len(str(call.arguments[keys[-1]]))
    return text[place:start], text[last + len(keys[-1]) : value], end
