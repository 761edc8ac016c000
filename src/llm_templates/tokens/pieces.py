"""Stretches between control tokens: cut out of a text, and put together again as tokens."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .matching import Match
from .places import Offsets

if TYPE_CHECKING:
    from tokenizers import NormalizedString


def between(spans: Sequence[tuple[int, int]], matches: Sequence[Match]) -> list[tuple[int, int]]:
    """What of the spans no match takes; matches do not go beyond their span."""
    pieces: list[tuple[int, int]] = []
    at = 0
    for start, end in spans:
        while at < len(matches) and matches[at].start < end:
            if matches[at].start > start:
                pieces.append((start, matches[at].start))
            start = matches[at].end
            at += 1
        if start < end:
            pieces.append((start, end))
    return pieces


def without(piece: NormalizedString, kept: list[tuple[Match, Match]]) -> list[NormalizedString]:
    """What of a normalized piece no match takes."""
    content = [(0, len(piece.normalized))]
    return slices(piece, between(content, [match for _, match in kept]))


def slices(text: NormalizedString, ranges: Iterable[tuple[int, int]]) -> list[NormalizedString]:
    """Stretches of a text that a tokenizer normalizes, with their places in the original."""
    found: list[Any] = [text[start:end] for start, end in ranges]
    return found


def in_windows(
    spans: Sequence[tuple[int, int]], matches: Sequence[Match], ids: Sequence[int], offsets: Offsets
) -> tuple[list[list[int]], list[Offsets]]:
    """Tokens and matches from left to right, by the span they stand in."""
    starts = [start for start, _ in spans]
    new_ids: list[list[int]] = [[] for _ in spans]
    new_offsets: list[Offsets] = [[] for _ in spans]
    at = 0
    # The last one is after all tokens, and is none itself.
    for match in (*matches, None):
        # What begins where a match does is a mark that a normalizer inserted before it.
        while at < len(ids) and (match is None or offsets[at][0] <= match.start):
            window = bisect_right(starts, offsets[at][0]) - 1
            new_ids[window].append(ids[at])
            new_offsets[window].append(offsets[at])
            at += 1
        if match is not None:
            window = bisect_right(starts, match.start) - 1
            new_ids[window].append(match.id)
            new_offsets[window].append((match.start, match.end))
    return new_ids, new_offsets
