"""Which turns to drop from a prompt that is too long."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from ..errors import InputError

#: Who speaks before the conversation.
SYSTEM_ROLES = ("system", "developer")
#: Who answers a tool call; such a turn does not stand without the call.
RESULT_ROLES = ("tool", "function", "ipython", "observation")


def kept_ranges(
    owners: Sequence[int | None], roles: Sequence[str | None], max_tokens: int
) -> tuple[list[tuple[int, int]], list[int]]:
    """The ranges of tokens that stay when whole turns are dropped, the oldest first, and the messages that go.

    Args:
        owners: the message that each token belongs to.
        roles: the role of each message.
        max_tokens: how many tokens may stay.

    Raises:
        InputError: what has to stay is longer.

    >>> kept_ranges([None, 0, 0, 1, 1, 2], ["user", "assistant", "user"], 3)
    ([(0, 1), (5, 6)], [0, 1])
    """
    runs: list[tuple[int | None, int, int]] = []
    sizes: dict[int, int] = {}
    place = 0
    for owner, group in groupby(owners):
        size = sum(1 for _ in group)
        runs.append((owner, place, place + size))
        place += size
        if owner is not None:
            sizes[owner] = sizes.get(owner, 0) + size
    first = 0
    while first < len(roles) and roles[first] in SYSTEM_ROLES:
        first += 1
    turns = sorted(message for message in sizes if message >= first)
    left = len(owners)
    for at, message in enumerate(turns):
        whole = message >= len(roles) or roles[message] not in RESULT_ROLES
        if left <= max_tokens and whole:
            gone = set(turns[:at])
            ranges: list[tuple[int, int]] = []
            for owner, start, end in runs:
                if owner in gone:
                    continue
                if ranges and ranges[-1][1] == start:
                    start = ranges.pop()[0]
                ranges.append((start, end))
            return ranges, turns[:at]
        left -= sizes[message]
    raise InputError(
        f"max_tokens={max_tokens} is less than the last turn and what belongs to none take",
        hint="give more, or cut inside a turn with keep='start' or keep='end'",
    )
