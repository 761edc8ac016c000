"""Literals: values as JSON, Python and objects without quotes write them, read as they come and told as JSON text.

Valid JSON is told verbatim, its white space included; anything else becomes JSON token by token:

- Numbers keep their digits; JSON's `json.loads` reads them exactly. NaN and infinity are no JSON, so they are broken.
- A key that comes twice is told twice; `json.loads` keeps the last.
- Control characters in strings are escaped. An escape that the dialect does not have keeps its backslash.
- JSON may also have the constants of Python, and single quotes around strings. Nothing else is forgiven: a comma that
  is missing, a bracket that does not fit and words that mean nothing are broken.
- Where quotes are Python's, models forget to escape them: `'sed -n '360,450p' f'`. So one closes a string only where
  what may follow the string follows. Two strings side by side, which Python joins, are therefore read as one.
- Nothing is guessed where the output ends: a number or a word there may have been longer, unless it is the whole value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from .cursor import Broken, Cursor, Cut, Reading, markers_of
from .spelling import CONSTANTS, LONGEST_NUMBER, number_text, string_body
from .strings import read_body

#: How deep values may nest.
DEEPEST = 100
#: How long a word without quotes may be.
LONGEST_WORD = 1_024


class Style(NamedTuple):
    """How values are written."""

    #: What quotes strings beside `'`, which always may. Between quotes of another kind than `"` and `'` text stands as
    #: it is, without escapes.
    quotes: tuple[str, ...] = ('"',)
    #: Whether keys may stand without quotes: `{a: 1}`.
    bare_keys: bool = False
    #: Whether escapes, numbers, tuples, triple quotes and a comma at the end are Python's.
    python: bool = False
    #: Whether an unquoted word that is no constant and no number is a string: `{a: foo}`.
    bare_words: bool = False


JSON = Style()
PYTHON = Style(quotes=('"', "'"), python=True)


def loose(quote: str = "") -> Style:
    """Objects with bare keys and words, whose strings stand between `quote`, or `"`.

    >>> whole_value('{a:<|"|>say "x"<|"|>,b:[1,two]}', style=loose('<|"|>'))[0]
    {'a': 'say "x"', 'b': [1, 'two']}
    """
    return Style(quotes=(quote, '"') if quote else ('"',), bare_keys=True, bare_words=True)


def read_value(cursor: Cursor, emit: Callable[[str], None], style: Style = JSON) -> Reading[None]:
    """Read one value; JSON text of it goes to `emit` as soon as it is certain. `cursor.at` stands after the value.

    Raises:
        Broken: this is no value of the style.
        Cut: the output ended inside of it.
    """
    return _Reader(cursor, emit, style).value([])


def read_object(cursor: Cursor, emit: Callable[[str], None], style: Style = JSON) -> Reading[None]:
    """Read one object; a string that holds one is unwrapped, and null or an empty string is an object without keys.

    Raises:
        Broken: this is no object.
        Cut: the output ended inside of it.
    """
    return _Reader(cursor, emit, style).object()


def read_keywords(
    cursor: Cursor, emit: Callable[[str], None], style: Style = PYTHON, close: str = ")"
) -> Reading[None]:
    """Read keyword arguments up to `close`, one character that is read, too: `a=1, b='x')` is `{"a": 1, "b": "x"}`.

    One object may stand in their place: `{"a": 1})`.

    Raises:
        Broken: these are no keyword arguments; positional ones are not, because nobody says which they are.
        Cut: the output ended inside of them.
    """
    return _Reader(cursor, emit, style).keywords(close)


def whole_value(text: str, start: int = 0, style: Style = JSON) -> tuple[Any, int]:
    """The value that begins at `start`, and where it ends.

    >>> whole_value('the answer: {"a": [1, 2]} and more', 12)
    ({'a': [1, 2]}, 25)

    Raises:
        Broken: no value begins there.
    """
    told, end = whole_text(text, start, style)
    return json.loads(told), end


def whole_text(text: str, start: int = 0, style: Style = JSON) -> tuple[str, int]:
    """JSON text of the value that begins at `start`, and where the value ends in `text`.

    >>> whole_text("{'a': (1, None,)}", style=PYTHON)
    ('{"a": [1, null]}', 17)

    Raises:
        Broken: no value begins there.
    """
    cursor = Cursor()
    cursor.text, cursor.at, cursor.final = text, start, True
    pieces: list[str] = []
    for _ in read_value(cursor, pieces.append, style):
        pass
    return "".join(pieces), cursor.at


#: What may follow a value of which nothing is known.
_FOLLOWERS = ",)]}:"
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
#: A constant or a number, with anything beside it that would make it something else.
_WORD = re.compile(r"[\w.+-]+")
_NAME = re.compile(r"[^\W\d][\w.-]*")
#: A word without quotes, as a value and as a key; it may have blanks inside.
_BARE_WORD = re.compile(r'[^,{}\[\]()<"\t\n\r]+')
_BARE_KEY = re.compile(r"""[^,:{}\[\]()<"'\t\n\r]+""")
#: A string without escapes, and an item that is a scalar, with the comma after it.
_SIMPLE_STRING = re.compile('"[^"\\\\\x00-\x1f\ud800-\udfff]*"')
_SIMPLE_ITEM = (
    rf"[ \t\n\r]*(?:{_SIMPLE_STRING.pattern}|-?(?:0|[1-9][0-9]{{0,30}})(?:\.[0-9]{{1,30}})?|true|false|null)[ \t\n\r]*,"
)
#: The same by what stands between a key and its value.
_ITEMS = {
    "": re.compile(_SIMPLE_ITEM),
    ":": re.compile(rf"[ \t\n\r]*{_SIMPLE_STRING.pattern}[ \t\n\r]*:{_SIMPLE_ITEM}"),
}

#: Characters one of which shows how an item begins, by what stands between a key and its value: whether there is none.
_UNDECIDED = {"": frozenset(',"[]{}').isdisjoint, ":": frozenset(":}").isdisjoint, "=": frozenset("=)").isdisjoint}
#: How many characters are waited for.
_WAIT = 64


def _drop(text: str) -> None:
    """Take nothing."""


class _Open:
    """A container that has been opened and not closed."""

    __slots__ = ("between", "close", "commas", "fresh", "told")

    def __init__(self, close: str, told: str, between: str) -> None:
        self.close = close
        #: What closes it in JSON.
        self.told = told
        #: What stands between a key and its value; "" if there are no keys.
        self.between = between
        #: Whether nothing has been read of it.
        self.fresh = True
        self.commas = False


class _Reader:
    """Reads values from a cursor; what is open lies on a stack of its own, so that depth costs nothing."""

    __slots__ = ("cursor", "emit", "raw_quotes", "style")

    def __init__(self, cursor: Cursor, emit: Callable[[str], None], style: Style) -> None:
        self.cursor = cursor
        self.emit = emit
        self.style = style
        self.raw_quotes = tuple(quote for quote in style.quotes if quote not in ('"', "'"))

    # -- values --

    def value(self, stack: list[_Open]) -> Reading[None]:
        """Read a value, or what is left of the containers on the stack."""
        cursor = self.cursor
        # A comma and the white space after it, which are dropped if nothing follows.
        comma: list[str] = []
        while True:
            inside = stack[-1] if stack else None
            if inside is not None and not self.style.python:
                self._skip_items(inside)
                while not cursor.final and not self._is_decided(inside):
                    yield from cursor.gather(_UNDECIDED[inside.between], _WAIT)
                    self._skip_items(inside)
            take = _drop if inside is None else comma.append if comma else self.emit
            first = yield from self._skip_space(take)
            if inside is not None and first == inside.close and (inside.fresh or comma):
                self._close(stack.pop())
            else:
                for piece in comma:
                    self.emit(piece)
                if inside is not None:
                    inside.fresh = False
                    if inside.between:
                        first = yield from (self._keyword() if inside.between == "=" else self._key(first))
                opened = self._opened(first)
                if opened is None:
                    yield from self._scalar(first, stack)
                else:
                    if len(stack) == DEEPEST:
                        raise Broken(f"values nest deeper than {DEEPEST}")
                    cursor.at += 1
                    self.emit("{" if opened.between else "[")
                    stack.append(opened)
            comma = []
            while not comma and stack and not stack[-1].fresh:
                inside = stack[-1]
                found = yield from self._skip_space(self.emit)
                if found == ",":
                    cursor.at += 1
                    inside.commas = True
                    if self.style.python:
                        comma.append(",")
                        break
                    self.emit(",")
                    break
                if found != inside.close or (inside.close == ")" and not inside.between and not inside.commas):
                    raise self._unexpected(found, f"',' or {inside.close!r}")
                self._close(stack.pop())
            if not stack:
                return

    def _skip_items(self, inside: _Open) -> None:
        """Read what is plain JSON up to a comma, as most items are; what is left is read piece by piece."""
        pattern = _ITEMS.get(inside.between)
        cursor = self.cursor
        while pattern is not None and (match := pattern.match(cursor.text, cursor.at)):
            cursor.at = match.end()
            inside.fresh = False
            self.emit(match[0])

    def _is_decided(self, inside: _Open) -> bool:
        """Whether what waits to be read shows how an item begins."""
        text, at = self.cursor.text, self.cursor.at
        return len(text) - at >= _WAIT or not _UNDECIDED[inside.between](text[at:])

    def object(self) -> Reading[None]:
        """Read an object, a string that holds one, or what stands for none."""
        first = yield from self._skip_space(_drop)
        if first == "{":
            yield from self.value([])
            return
        quote = yield from self._quote(first)
        if quote:
            yield from self._unwrap(quote)
            return
        word = yield from self._run(_WORD, LONGEST_WORD)
        if CONSTANTS.get(word) != "null":
            begun = self._is_over() and any(null.startswith(word) for null in ("null", "None"))
            raise self._unexpected("" if begun else word or first, "an object")
        self.emit("{}")

    def keywords(self, close: str) -> Reading[None]:
        """Read keyword arguments, or one object, up to `close`."""
        first = yield from self._skip_space(_drop)
        if first != "{":
            self.emit("{")
            yield from self.value([_Open(close, "}", "=")])
            return
        yield from self.value([])
        if (found := (yield from self._skip_space(_drop))) != close:
            raise self._unexpected(found, repr(close))
        self.cursor.at += 1

    def _opened(self, first: str) -> _Open | None:
        """The container that a character opens."""
        if first == "{":
            return _Open("}", "}", ":")
        if first == "[":
            return _Open("]", "]", "")
        if first == "(" and self.style.python:
            return _Open(")", "]", "")
        return None

    def _close(self, closed: _Open) -> None:
        self.cursor.at += 1
        self.emit(closed.told)

    def _scalar(self, first: str, stack: list[_Open]) -> Reading[None]:
        """Read a string, a number or a constant."""
        raw = first == "r" and self.style.python and (yield from self.cursor.peek(1)) in ('"', "'")
        self.cursor.at += raw
        quote = yield from self._quote(self.cursor.text[self.cursor.at] if raw else first)
        if quote:
            yield from self._string(quote, "," + stack[-1].close if stack else _FOLLOWERS, raw)
            return
        if self.style.bare_words:
            word = (yield from self._run(_BARE_WORD, LONGEST_NUMBER)).strip()
        else:
            word = yield from self._run(_WORD, LONGEST_NUMBER)
        told = CONSTANTS.get(word)
        if told is None:
            told = number_text(word) if self.style.python else word if _NUMBER.fullmatch(word) else None
        if told is None and self.style.bare_words and 0 < len(word) <= LONGEST_WORD:
            told = f'"{string_body(word)}"'
        if told is None or (stack and self._is_over()):
            raise self._unexpected("" if self._is_over() else word or first, "a value")
        self.emit(told)

    # -- keys --

    def _key(self, first: str) -> Reading[str]:
        """Read a key and the colon; what follows comes back."""
        quote = yield from self._quote(first)
        if quote:
            yield from self._string(quote, ":")
        elif self.style.bare_keys:
            word = (yield from self._run(_BARE_KEY, LONGEST_WORD)).strip()
            if not word:
                raise self._unexpected(first, "a key")
            self.emit(f'"{string_body(word)}"')
        else:
            word = yield from self._run(_WORD, LONGEST_WORD)
            # Python has keys that are no strings; as JSON they are.
            told = (CONSTANTS.get(word) or number_text(word)) if self.style.python else None
            if told is None:
                raise self._unexpected("" if self.style.python and self._is_over() else word or first, "a key")
            self.emit(f'"{told}"')
        found = yield from self._skip_space(self.emit)
        if found != ":":
            raise self._unexpected(found, "':'")
        self.cursor.at += 1
        self.emit(":")
        return (yield from self._skip_space(self.emit))

    def _keyword(self) -> Reading[str]:
        """Read the name of an argument and the sign after it; what follows comes back."""
        name = yield from self._run(_WORD, LONGEST_WORD)
        found = yield from self._skip_space(_drop)
        if found != "=" or not _NAME.fullmatch(name):
            raise self._unexpected(found, "name=value")
        self.cursor.at += 1
        self.emit(f'"{name}": ')
        return (yield from self._skip_space(_drop))

    # -- strings --

    def _quote(self, first: str) -> Reading[str]:
        """The quote that opens a string here; "" for none."""
        if first and first in "\"'":
            return first
        if any(first == quote[0] for quote in self.raw_quotes):
            found = yield from self.cursor.starts(markers_of(*self.raw_quotes))
            for quote in self.raw_quotes:
                rest = self.cursor.text[self.cursor.at : self.cursor.at + len(quote)]
                if not found and len(rest) < len(quote) and quote.startswith(rest):
                    raise self._unexpected("", repr(quote))
            return found
        return ""

    def _follows(self, quote: str, followers: str) -> str:
        """What must follow a closing quote; "" where every quote closes."""
        return followers if self.style.python or quote == "'" else ""

    def _string(self, quote: str, followers: str, raw: bool = False) -> Reading[None]:
        """Read a string; see `read_body`."""
        followers = self._follows(quote, followers)
        if quote == '"' and not followers:
            # Most strings are whole and have no escapes.
            match = _SIMPLE_STRING.match(self.cursor.text, self.cursor.at)
            if match is not None:
                self.cursor.at = match.end()
                self.emit(match[0])
                return
        self.emit('"')
        yield from read_body(self.cursor, self.emit, quote, followers, raw)
        self.emit('"')

    def _unwrap(self, quote: str) -> Reading[None]:
        """Read a string that holds an object."""
        inner = Cursor()
        reading = _only_object(_Reader(inner, self.emit, JSON))
        next(reading)

        def take(piece: str) -> None:
            inner.add(json.loads(f'"{piece}"'))
            next(reading)

        yield from read_body(self.cursor, take, quote, self._follows(quote, _FOLLOWERS))
        inner.final = True
        try:
            next(reading, None)
        except Cut as error:
            raise Broken("a string holds no whole object") from error

    # -- text --

    def _skip_space(self, take: Callable[[str], None]) -> Reading[str]:
        """Read white space; the character after it comes back, "" at the end."""
        cursor = self.cursor
        while True:
            match = _SPACE.match(cursor.text, cursor.at)
            if match is not None and match.end() > cursor.at:
                take(match[0])
                cursor.at = match.end()
            if cursor.at < len(cursor.text):
                return cursor.text[cursor.at]
            if not (yield from cursor.more()):
                return ""

    def _run(self, pattern: re.Pattern[str], limit: int) -> Reading[str]:
        """Read all characters that `pattern` has."""
        cursor = self.cursor
        pieces: list[str] = []
        size = 0
        while True:
            match = pattern.match(cursor.text, cursor.at)
            if match is not None:
                pieces.append(match[0])
                cursor.at = match.end()
                size += len(match[0])
                if size > limit:
                    raise Broken(f"a word has more than {limit} characters")
            if cursor.at < len(cursor.text) or not (yield from cursor.more()):
                return "".join(pieces)

    def _is_over(self) -> bool:
        """Whether a word that was read may have been longer, had the output not ended."""
        return self.cursor.at == len(self.cursor.text)

    def _unexpected(self, found: str, wanted: str) -> Broken:
        """The error for what stands where something else was wanted."""
        if not found:
            return Cut(f"the output ended where {wanted} was expected")
        return Broken(f"{wanted} was expected at character {self.cursor.place}, not {found[:40]!r}")


def _only_object(reader: _Reader) -> Reading[None]:
    """Read an object, or nothing but white space."""
    first = yield from reader._skip_space(_drop)
    if not first:
        reader.emit("{}")
        return
    if first != "{":
        raise reader._unexpected(first, "an object")
    yield from reader.value([])
    if first := (yield from reader._skip_space(_drop)):
        raise reader._unexpected(first, "nothing")
