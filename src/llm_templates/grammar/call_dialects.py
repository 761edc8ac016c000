"""Call dialects: finds how the call in a turn is written, as JSON or otherwise, and where its arguments stand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .argument_forms import Argument, Span, loose, python_span, tagged
from .cursor import Broken
from .grammar import Keys
from .literals import PYTHON, whole_value
from .probes import ONE, Call

#: How many brackets before an argument are tried as the beginning of what holds it.
_BRACKETS_TRIED = 32
_BRACKET = re.compile(r"[\[{]|\"(?=\{)")


class Dialect(NamedTuple):
    """How calls are written."""

    #: What `CallForm.arguments` says.
    name: str
    #: Where the arguments of a call stand in a text, from a place on; the whole call if `is_whole`.
    span: Callable[[str, Call, int], Span | None]
    argument: Argument | None = None
    quote: str = ""
    keys: Keys = Keys()
    #: Whether the whole call is JSON, and whether all calls stand in one array.
    is_whole: bool = False
    is_array: bool = False
    #: Whether it is what other programs read, too; JSON in a string or in Python's quotes is not.
    is_plain: bool = True


def dialect_of(text: str) -> Dialect | None:
    """How the call `ONE` is written in a turn; None if it is not, or in no way that is known."""
    whole = _whole(text)
    if whole is not None:
        # A name that stands before the object, too, cannot be told from an answer.
        span = whole.span(text, ONE, 0)
        return whole if span and ONE.name not in text[: span.start] else None
    place = name_end(text, ONE)
    if place < 0:
        return None
    return next((found for find in _DIALECTS if (found := find(text, place))), None)


def name_end(text: str, call: Call) -> int:
    """Where the name or the id of a call ends, whichever comes last before its arguments; -1 for neither."""
    before = text[: text.find(next(iter(call.arguments)))]
    places = [before.rfind(word) + len(word) for word in (call.name, call.id) if word in before]
    return max(places, default=-1)


def _whole(text: str) -> Dialect | None:
    """Calls that are JSON as a whole."""

    def span(text: str, call: Call, place: int) -> Span | None:
        found = _enclosing(text, call, place, lambda value: _keys(value, call) is not None)
        return found.span if found else None

    found = _enclosing(text, ONE, 0, lambda value: _keys(value, ONE) is not None)
    if found is None:
        return None
    keys, is_array = _keys(found.value, ONE) or Keys(), isinstance(found.value, list)
    return Dialect("json", span, keys=keys, is_whole=True, is_array=is_array, is_plain=found.is_json)


def _object(text: str, place: int) -> Dialect | None:
    """Arguments that are one JSON object."""

    def span(text: str, call: Call, place: int) -> Span | None:
        found = _enclosing(text, call, place, lambda value: _same(value, call.arguments))
        return found.span if found else None

    found = _enclosing(text, ONE, place, lambda value: _same(value, ONE.arguments))
    if found is None:
        return None
    return Dialect("json", span, is_plain=found.is_json and not isinstance(found.value, str))


def _python(text: str, place: int) -> Dialect | None:
    """Arguments as Python writes them in a call."""
    return Dialect("python", python_span) if python_span(text, ONE, place) else None


def _loose(text: str, place: int) -> Dialect | None:
    """Arguments that are an object with bare keys."""

    def span(text: str, call: Call, place: int) -> Span | None:
        found = loose(text, call, place)
        return found.span if found else None

    found = loose(text, ONE, place)
    return Dialect("loose", span, quote=found.quote) if found else None


def _tagged(text: str, place: int) -> Dialect | None:
    """Arguments with literal text around each."""
    argument = tagged(text, ONE, place)
    if argument is None:
        return None
    return Dialect("nested" if argument.is_nested else "tagged", argument.span, argument)


#: What is tried, in this order, where the whole call is no JSON.
_DIALECTS = (_object, _python, _loose, _tagged)


class _Found(NamedTuple):
    value: Any
    span: Span
    #: Whether it is JSON to the letter.
    is_json: bool


def _enclosing(text: str, call: Call, place: int, accept: Callable[[Any], bool]) -> _Found | None:
    """The largest value which holds the call's first argument that is accepted."""
    first = text.find(next(iter(call.arguments)), place)
    brackets = [match.start() for match in _BRACKET.finditer(text, place, max(first, place))]
    for start in brackets[-_BRACKETS_TRIED:]:
        found = _value(text, start)
        if found and found.span.end > first and accept(found.value):
            return found
    return None


def _value(text: str, place: int) -> _Found | None:
    try:
        value, end = json.JSONDecoder().raw_decode(text, place)
        return _Found(value, Span(place, end), True)
    except (ValueError, RecursionError):
        pass
    try:
        value, end = whole_value(text, place, PYTHON)
        return _Found(value, Span(place, end), False)
    except Broken:
        return None


def _same(value: Any, arguments: Mapping[str, Any]) -> bool:
    """Whether a value is the arguments, or JSON text of them."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return False
    return bool(value == dict(arguments))


def _keys(value: Any, call: Call) -> Keys | None:
    """What the parts of a call are called in a value that is one, or an array of them."""
    item = value[0] if isinstance(value, list) and value else value
    found: dict[str, str] = {}
    while isinstance(item, dict):
        inner = None
        for key, part in item.items():
            if key == call.name and _same(part, call.arguments):
                return Keys("", "", found.get("id", ""))
            if part == call.name:
                found["name"] = key
            elif _same(part, call.arguments):
                found["arguments"] = key
            elif part == call.id or key.endswith("id"):
                found["id"] = key
            elif isinstance(part, dict):
                inner = part
        item = inner
    if not {"name", "arguments"} <= found.keys():
        return None
    return Keys(found["name"], found["arguments"], found.get("id", ""))
