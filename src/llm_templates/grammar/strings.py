"""Strings: what stands between quotes, read as it comes and told as what stands in a JSON string."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from .cursor import Cursor, Cut, Markers, Reading
from .spelling import ESCAPE_DIGITS, SPECIAL, escape_text, string_body

#: How far to look over white space for what follows a quote; a quote before more than that closes its string.
LONGEST_SPACE = 64

#: What stands for itself, by the character that quotes it.
_PLAIN = {
    '"': re.compile('[^"\\\\\x00-\x1f\ud800-\udfff]+'),
    "'": re.compile("[^\"'\\\\\x00-\x1f\ud800-\udfff]+"),
}

#: Whether a text has none but such characters.
_ABSENT = {quote: (SPECIAL | {quote}).isdisjoint for quote in _PLAIN}


@lru_cache(maxsize=64)
def _quotes(quote: str) -> Markers:
    return Markers([quote], SPECIAL)


def read_body(
    cursor: Cursor, emit: Callable[[str], None], quote: str, followers: str = "", raw: bool = False
) -> Reading[None]:
    """Read a string that begins with `quote`, up to its closing quote; what is between them goes to `emit`.

    Args:
        cursor: stands at the opening quote, and after the closing one in the end.
        emit: takes JSON text, never less than an escape.
        quote: `"`, `'`, or another text, between two of which no character means anything else.
        followers: characters one of which must stand after the closing quote, or it closes nothing; then escapes are
            Python's, and three quotes may stand for one. "" where every quote closes, and escapes are JSON's.
        raw: whether there are no escapes.

    Raises:
        Cut: the output ended inside of the string.
    """
    cursor.at += len(quote)
    if quote not in _PLAIN:
        marks, take = _quotes(quote), lambda piece: emit(string_body(piece))
        if not (yield from cursor.until(marks, take, lambda: cursor.shortcut(emit))):
            raise Cut("the output ended inside a string")
        return
    size = 1
    if followers and (yield from _repeats(cursor, quote, 2)):
        cursor.at += 2
        size = 3
    plain = _PLAIN[quote]
    while True:
        match = plain.match(cursor.text, cursor.at)
        if match is not None:
            emit(match[0])
            cursor.at = match.end()
        if cursor.at == len(cursor.text):
            if not cursor.final and (stream := cursor.shortcut(emit)):
                cursor.pass_to(_ABSENT[quote], stream)
            if not (yield from cursor.more()):
                raise Cut("the output ended inside a string")
            continue
        special = cursor.text[cursor.at]
        if special == "\\":
            yield from _escape(cursor, emit, bool(followers), raw)
        elif special == quote and (not followers or (yield from _closes(cursor, quote, size, followers))):
            cursor.at += size
            return
        else:
            cursor.at += 1
            emit(string_body(special))


def _repeats(cursor: Cursor, quote: str, times: int) -> Reading[bool]:
    """Whether a quote stands here so many times."""
    for offset in range(times):
        if (yield from cursor.peek(offset)) != quote:
            return False
    return True


def _closes(cursor: Cursor, quote: str, times: int, followers: str) -> Reading[bool]:
    """Whether a closing quote stands here: one of `followers`, or the end, comes after it and white space."""
    if times > 1 and not (yield from _repeats(cursor, quote, times)):
        return False
    end = yield from cursor.spaces(times, LONGEST_SPACE)
    if end == times + LONGEST_SPACE:
        return True
    following = yield from cursor.peek(end)
    return not following or following in followers


def _escape(cursor: Cursor, emit: Callable[[str], None], python: bool, raw: bool) -> Reading[None]:
    """Read a backslash and what belongs to it."""
    kind = yield from cursor.peek(1)
    digits, alphabet = ESCAPE_DIGITS.get(kind, (0, "")) if python or kind == "u" else (0, "")
    size = 2
    while kind and not raw and size < 2 + digits:
        kind = yield from cursor.peek(size)
        if not kind or kind not in alphabet:
            break
        size += 1
    if not kind:
        raise Cut("the output ended inside a string")
    written = cursor.text[cursor.at : cursor.at + size]
    cursor.at += size
    emit(string_body(written) if raw else escape_text(written, python))
