"""Where tokens stand in a text: asked of the library one by one, and made into lists when somebody wants them all."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Encoding

Offsets = list[tuple[int, int]]


class Places:
    """The places of tokens in a text that is cut into segments.

    >>> places = Places([(0, 2), (2, 3), (3, 6)], [0, 3])
    >>> places.segment, places.within(1, 3), places.within(3, 3)
    ([0, 0, 1], (0, 2), (2, 2))
    """

    def __init__(self, source: Offsets | Encoding, starts: Sequence[int]) -> None:
        self._source = source
        #: Where the segments begin.
        self.starts = starts

    @cached_property
    def at(self) -> Callable[[int], tuple[int, int]]:
        """The place of one token."""
        source: Any = self._source
        return source.__getitem__ if isinstance(source, list) else source.token_to_chars

    @cached_property
    def offsets(self) -> Offsets:
        """The places of all tokens."""
        source = self._source
        return source if isinstance(source, list) else source.offsets

    @cached_property
    def segment(self) -> list[int]:
        """The number of the segment that each token begins in."""
        found: list[int] = []
        for segment, end in enumerate(self.starts[1:]):
            count = self.first(end, len(found)) - len(found)
            if count:
                found += [segment] * count
        return found + [max(len(self.starts) - 1, 0)] * (len(self._source) - len(found))

    def first(self, place: int, low: int = 0) -> int:
        """The first token from `low` on that begins at `place` or after it."""
        at = self.at
        return bisect_left(range(len(self._source)), place, low, key=lambda token: at(token)[0])

    def within(self, start: int, end: int) -> tuple[int, int]:
        """The range of tokens that have a character of [start, end)."""
        if start >= end:
            return (first := self.first(start)), first
        first = self.first(start)
        last = self.first(end, first)
        # Tokens that begin before it and reach into it; the parts of one character share its place.
        while first and self.at(first - 1)[1] > start:
            first -= 1
        return first, last

    def kept(self, ranges: Iterable[tuple[int, int]]) -> Places:
        """The places of the tokens in these ranges."""
        cut = Places([], self.starts)
        cut.offsets = cut._source = [place for start, end in ranges for place in self.offsets[start:end]]
        cut.segment = [number for start, end in ranges for number in self.segment[start:end]]
        return cut

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.offsets, self.segment, self.starts)


def _rebuilt(offsets: Offsets, segment: list[int], starts: Sequence[int]) -> Places:
    places = Places(offsets, starts)
    places.segment = segment
    return places
