"""Which turns to drop from a prompt that is too long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import groupby
from typing import Any

from ..errors import InputError
from ..sampling import RESULT_ROLES

#: Who speaks before the conversation.
SYSTEM_ROLES = ("system", "developer")


def turns(messages: Sequence[Mapping[Any, Any]]) -> tuple[int, list[int]]:
    """How many system messages a conversation begins with, and where it may begin after them.

    A turn is what a user says and all that follows up to the next thing a user says, but for a thing said between a
    call and its result.

    >>> call = {"role": "assistant", "tool_calls": [{"id": "1"}]}
    >>> result = {"role": "tool", "tool_call_id": "1"}
    >>> turns([{"role": "system"}, {"role": "user"}, call, {"role": "user"}, result, {"role": "user"}])
    (1, [1, 5])
    """
    head = 0
    while head < len(messages) - 1 and messages[head].get("role") in SYSTEM_ROLES:
        head += 1
    starts = {number for number, message in enumerate(messages) if number > head and _begins_turn(message)}
    callers: dict[Any, int] = {}
    caller = None
    for number, message in enumerate(messages):
        calls = message.get("tool_calls")
        if isinstance(calls, list | tuple) and calls:
            caller = number
            callers.update(
                (call["id"], number) for call in calls if isinstance(call, Mapping) and _names(call.get("id"))
            )
        elif message.get("role") in RESULT_ROLES:
            named = message.get("tool_call_id")
            answered = callers.get(named, caller) if _names(named) else caller
            if answered is not None:
                starts.difference_update(range(answered + 1, number + 1))
    return head, [head, *sorted(starts)]


def _names(identity: Any) -> bool:
    return isinstance(identity, str | int)


def _begins_turn(message: Mapping[Any, Any]) -> bool:
    """Whether a message is what a user says, not the results of calls that some formats have users give."""
    parts = message.get("content")
    return message.get("role") == "user" and not (
        isinstance(parts, list | tuple)
        and any(isinstance(part, Mapping) and part.get("type") == "tool_result" for part in parts)
    )


def kept_ranges(
    owners: Sequence[int | None], starts: Sequence[int], max_tokens: int
) -> tuple[list[tuple[int, int]], list[int]]:
    """The ranges of tokens that stay when whole turns are dropped, the oldest first, and the messages that go.

    Args:
        owners: the message that each token belongs to.
        starts: where the conversation may begin, as `turns` tells.
        max_tokens: how many tokens may stay.

    Raises:
        InputError: what has to stay is longer.

    >>> kept_ranges([None, 0, 0, 1, 1, 2], [0, 2], 3)
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
    said = sorted(message for message in sizes if message >= starts[0])
    left = len(owners)
    count = 0
    for start in starts:
        while count < len(said) and said[count] < start:
            left -= sizes[said[count]]
            count += 1
        if left <= max_tokens:
            return _without(set(said[:count]), runs), said[:count]
    raise InputError(
        f"max_tokens={max_tokens} is less than the last turn and what belongs to none take",
        hint="give more, or cut inside a turn with keep='start' or keep='end'",
    )


def _without(gone: Set[int], runs: Sequence[tuple[int | None, int, int]]) -> list[tuple[int, int]]:
    """The ranges of what belongs to other messages."""
    ranges: list[tuple[int, int]] = []
    for owner, start, end in runs:
        if owner in gone:
            continue
        if ranges and ranges[-1][1] == start:
            start = ranges.pop()[0]
        ranges.append((start, end))
    return ranges
