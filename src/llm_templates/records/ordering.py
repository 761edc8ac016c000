"""Results for targets without ids, where the order of calls and results must say which answers which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import InputError
from .calls import called
from .example import Message
from .notes import Notes
from .pairing import pair


def in_order(messages: Sequence[Message], place: str, notes: Notes, *, named: bool = False) -> list[Message]:
    """The messages, with results in the order of their calls where nothing else says which is whose.

    What even the order does not tell is lost, such as which of two calls has the one result.

    Args:
        messages: never changed; all their calls and results have ids.
        place: what a remark calls the list.
        notes: told of every result that is moved.
        named: whether the target names the tool that a result is from.
    """
    answered = _answered(messages)
    if _told(messages, named) == answered:
        return list(messages)
    order = _sorted(messages, answered)
    ordered = [messages[index] for index in order]
    told = _told(ordered, named)
    for index, number in _answered(ordered).items():
        at = f"{place}[{order[index]}]"
        if told.get(index) != number:
            notes.lose(f"{at}.tool_call_id", "nothing else says which call this result answers")
            break
        if order[index] != index:
            notes.add("changed", at, "results are in the order of their calls, for want of ids")
    return ordered


def _sorted(messages: Sequence[Message], answered: dict[int, int]) -> list[int]:
    """The indexes of messages, those of results that stand together in the order of their calls."""
    order = list(range(len(messages)))
    start = 0
    while start < len(order):
        end = start
        while end in answered:
            end += 1
        order[start:end] = sorted(order[start:end], key=lambda index: answered[index])
        start = end + 1
    return order


def _answered(messages: Sequence[Message]) -> dict[int, int]:
    """For the index of each result, the number of its call among all calls."""
    latest: dict[Any, int] = {}
    found: dict[int, int] = {}
    count = 0
    for index, message in enumerate(messages):
        for one in message.get("tool_calls", ()):
            latest[one["id"]] = count
            count += 1
        if message["role"] == "tool":
            found[index] = latest.get(message.get("tool_call_id"), -1)
    return found


def _told(messages: Sequence[Message], named: bool) -> dict[int, int]:
    """The same as it is read where there are no ids."""
    if not any(message["role"] == "tool" for message in messages):
        return {}
    names = {one["id"]: called(one) for message in messages for one in message.get("tool_calls", ())}
    bare: list[Message] = []
    for message in messages:
        made = {key: value for key, value in message.items() if key != "tool_call_id"}
        if "tool_calls" in made:
            made["tool_calls"] = [{"function": one["function"]} for one in made["tool_calls"]]
        if named and made["role"] == "tool":
            made["name"] = names.get(message["tool_call_id"])
        bare.append(made)
    try:
        pair(bare, [""] * len(bare), Notes())
    except InputError:
        return {}
    return _answered(bare)
