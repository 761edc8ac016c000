"""Pattern reading: what literal text, with which groups, a regular expression stands for."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from ..errors import InputError
from .layout import escaped

#: How many ways of matching a pattern are looked at; and how long it may be, and how deep its groups may nest.
WAYS, LENGTH, DEPTH = 64, 4_096, 32

_QUANTIFIER = re.compile(r"[*+?]|\{(\d*),?\d*\}")
_CLASS = re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*\]", re.DOTALL)
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}


class Literal(NamedTuple):
    """Text that stands for itself."""

    text: str


class Group(NamedTuple):
    """A named group, whatever it matches."""

    name: str


class Edge(NamedTuple):
    """The beginning or the end of the text, or something that is only looked at."""

    is_start: bool = False


class Anything(NamedTuple):
    """Text that may be anything."""


class Space(NamedTuple):
    """White space, if there is any."""


Piece = Literal | Group | Edge | Anything | Space
#: One way of matching.
Way = tuple[Piece, ...]


def ways(pattern: str) -> list[Way]:
    r"""What a pattern may match, way by way, as it is written.

    Raises:
        InputError: it is no pattern, or has too many ways.

    >>> ways(r"<call>\s*(?P<name>\w+)|<tool>")
    [(Literal(text='<call>'), Space(), Group(name='name')), (Literal(text='<tool>'),)]
    """
    if len(pattern) > LENGTH:
        raise InputError(f"the pattern has more than {LENGTH:,} characters")
    reader = _Reader(pattern)
    found = reader.choice(0)
    if reader.at < len(pattern):
        raise InputError(f"the pattern {pattern!r} has a bracket that nothing opens")
    return [_merged(way) for way in found]


def layout_of(way: Way, groups: Collection[str] = ("name", "id")) -> str:
    r"""A way of matching as a layout, with a line break where there may be white space.

    >>> layout_of(ways(r"<call>\s*(?P<name>\w+)>")[0])
    '<call>\n{name}>'
    """
    written, is_gap = "", False
    for piece in way:
        if isinstance(piece, Anything):
            is_gap = True
        elif isinstance(piece, Space) and written[-1:] != "\n":
            written += "\n"
        elif isinstance(piece, Literal):
            # Anything may be nothing, except between two words.
            written += " " if is_gap and written and (written[-1] + piece.text[:1]).isalnum() else ""
            written += escaped(piece.text)
            is_gap = False
        elif isinstance(piece, Group) and piece.name in groups:
            written += f"{{{piece.name}}}"
    return re.sub(r"\s*\n\s*", "\n", written)


def text_of(way: Way) -> str:
    """The text of a way of matching without its groups, and without white space at its ends."""
    return plain(layout_of(way, ())).strip()


def plain(text: str) -> str:
    """A layout without fields as the text that it is."""
    return text.replace("{{", "{").replace("}}", "}")


class _Reader:
    """A pattern, and how far it was read."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def choice(self, depth: int) -> list[Way]:
        """Alternatives, up to the bracket that ends them."""
        if depth > DEPTH:
            raise InputError(f"the groups of the pattern {self.pattern!r} nest too deep")
        found = self._sequence(depth)
        while self._next("|"):
            found += self._sequence(depth)
        return self._bounded(found)

    def _sequence(self, depth: int) -> list[Way]:
        found: list[Way] = [()]
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            items = self._repeated(self._item(depth))
            found = self._bounded([way + item for way in found for item in items])
        return found

    def _repeated(self, items: list[Way]) -> list[Way]:
        """What was read, as often as a quantifier after it says."""
        match = _QUANTIFIER.match(self.pattern, self.at)
        if match is None:
            return items
        self.at = match.end()
        # Lazy or greedy is the same to whoever asks what can be matched.
        _ = self._next("?") or self._next("+")
        blank = all(isinstance(piece, Space) or _is_blank(piece) for item in items for piece in item)
        if blank:
            return [(Space(),)]
        if match[0] == "?":
            return [*items, ()]
        return items if items == [(Anything(),)] else [(Anything(),)]

    def _item(self, depth: int) -> list[Way]:
        pattern, start = self.pattern, self.at
        self.at += 1
        character = pattern[start]
        if character == "(":
            return self._group(depth)
        if character == "[":
            match = _CLASS.match(pattern, start)
            if match is None:
                raise InputError(f"the pattern {pattern!r} has a bracket that nothing closes")
            self.at = match.end()
            return [(Space() if match[0] in (r"[\s]", r"[ \n]", r"[\n ]") else Anything(),)]
        if character == "\\":
            self.at += 1
            return [(self._escape(pattern[start + 1 : start + 2]),)]
        if character in "^$":
            return [(Edge(character == "^"),)]
        return [(Anything() if character == "." else Literal(character),)]

    def _escape(self, letter: str) -> Piece:
        if letter == "s":
            return Space()
        if letter in _CONTROLS:
            return Literal(_CONTROLS[letter])
        if letter and letter in "AbBzZ":
            return Edge(letter == "A")
        return Anything() if letter.isalnum() else Literal(letter)

    def _group(self, depth: int) -> list[Way]:
        kind = re.compile(r"\?(?:P?<(\w+)>|:|<?[=!])").match(self.pattern, self.at)
        if kind is None and self.pattern[self.at : self.at + 1] == "?":
            raise InputError(f"the pattern {self.pattern!r} has a group of an unknown kind")
        self.at = kind.end() if kind else self.at
        found = self.choice(depth + 1)
        if not self._next(")"):
            raise InputError(f"the pattern {self.pattern!r} has a bracket that nothing closes")
        if kind is None or kind[0] == "?:":
            return found
        return [(Group(kind[1]),)] if kind[1] else [(Edge(),)]

    def _next(self, character: str) -> bool:
        if self.pattern[self.at : self.at + 1] != character:
            return False
        self.at += 1
        return True

    def _bounded(self, found: list[Way]) -> list[Way]:
        if len(found) > WAYS:
            raise InputError(f"the pattern {self.pattern!r} has more than {WAYS} ways of matching")
        return found


def _is_blank(piece: Piece) -> bool:
    return isinstance(piece, Literal) and piece.text.isspace()


def _merged(way: Way) -> Way:
    """The same with literal texts side by side as one."""
    merged: list[Piece] = []
    for piece in way:
        last = merged[-1] if merged else None
        if isinstance(piece, Literal) and isinstance(last, Literal):
            merged[-1] = Literal(last.text + piece.text)
        else:
            merged.append(piece)
    return tuple(merged)
