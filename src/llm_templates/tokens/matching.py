"""Where added tokens stand in a text, found as the `tokenizers` library finds them, but only where they may count."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple
from unicodedata import category


class Match(NamedTuple):
    """An added token and the stretch it stands for, white space that it takes with it included."""

    start: int
    end: int
    id: int


class Spans:
    """Stretches of a text, in order and apart from each other.

    >>> spans = Spans([(2, 5), (8, 9)])
    >>> spans.meet(0, 2), spans.meet(4, 8), spans.meet(5, 8)
    (False, True, False)
    """

    __slots__ = ("ends", "starts")

    def __init__(self, spans: Iterable[tuple[int, int]] = ()) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        for start, end in spans:
            self.starts.append(start)
            self.ends.append(end)

    def meet(self, start: int, end: int) -> bool:
        """Whether one of them has a character of [start, end)."""
        return start < end and bisect_right(self.ends, start) < bisect_left(self.starts, end)

    def first(self, start: int, end: int) -> int:
        """The first character of [start, end) in one of them, for a stretch that meets one."""
        return max(start, self.starts[bisect_right(self.ends, start)])


class Matcher:
    """Added tokens by their contents, with the flags that say how they match."""

    def __init__(self, tokens: Sequence[tuple[str, int, Any]]) -> None:
        self._tokens = {content: (identity, token) for content, identity, token in tokens if content}
        self._lengths: dict[str, list[int]] = {}
        for content in self._tokens:
            self._lengths.setdefault(content[0], []).append(len(content))
        for first, lengths in self._lengths.items():
            self._lengths[first] = sorted(set(lengths), reverse=True)
        firsts = "".join(map(re.escape, self._lengths))
        self._candidate = re.compile(f"[{firsts}]") if firsts else None

    def __bool__(self) -> bool:
        return bool(self._tokens)

    def find(self, text: str, start: int, end: int, counts: Callable[[int, int, int], bool]) -> list[Match]:
        """The tokens in `text[start:end]`: of those that begin first the longest, and none inside another.

        Args:
            text: where to look.
            start: where the stretch begins.
            end: where it ends.
            counts: whether the token of this id may stand at [start, end).
        """
        found: list[Match] = []
        if self._candidate is None:
            return found
        free = place = start
        while candidate := self._candidate.search(text, place, end):
            place = candidate.start()
            for length in self._lengths[candidate[0]]:
                stop = place + length
                known = self._tokens.get(text[place:stop]) if stop <= end else None
                if known is not None and counts(place, stop, known[0]):
                    break
            else:
                place += 1
                continue
            identity, token = known
            low, high = place, stop
            place = stop
            if token.single_word and (_in_word(text[low - 1 : low]) or _in_word(text[high : high + 1])):
                continue
            if token.lstrip:
                while low > free and _is_space(text[low - 1]):
                    low -= 1
            if token.rstrip:
                while high < end and _is_space(text[high]):
                    high += 1
            found.append(Match(low, high, identity))
            free = high
        return found


def _in_word(character: str) -> bool:
    return character.isalnum() or category(character or " ") in ("Mn", "Mc", "Me", "Pc")


def _is_space(character: str) -> bool:
    # Python counts the separators of old files as space, Unicode and the library do not.
    return character.isspace() and not "\x1c" <= character <= "\x1f"
