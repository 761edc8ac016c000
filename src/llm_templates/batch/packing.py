"""Which rows go together into one of a given size, so that little of it stays empty."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence


def packed(sizes: Sequence[int], capacity: int) -> list[list[int]]:
    """The places of the rows that share one, none of them larger than `capacity`.

    The largest goes first, each into the fullest one that has room for it (best-fit decreasing). Within one they are in
    their order, and those come in the order of their first.

    Args:
        sizes: how many tokens each row has, at most `capacity`.
        capacity: how many fit into one.

    >>> packed([5, 3, 4, 2], 8)
    [[0, 1], [2, 3]]
    """
    bins: list[list[int]] = []
    # The free room of each, with its place, from the fullest on.
    rooms: list[tuple[int, int]] = []
    for place in sorted(range(len(sizes)), key=lambda place: (-sizes[place], place)):
        at = bisect_left(rooms, (sizes[place], 0))
        if at < len(rooms):
            room, chosen = rooms.pop(at)
            bins[chosen].append(place)
        else:
            room, chosen = capacity, len(bins)
            bins.append([place])
        insort(rooms, (room - sizes[place], chosen))
    return sorted(sorted(places) for places in bins)
