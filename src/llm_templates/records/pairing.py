"""Which result answers which call: by its id, by its name, or by the order where that leaves no choice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .calls import called
from .example import Message
from .notes import Notes, wrong


def pair(messages: Sequence[Message], places: Sequence[str], notes: Notes) -> None:
    """Give every call an id and every result the id of its call, in place.

    Args:
        messages: freshly made messages; these are what is changed.
        places: what an error calls each of them.
        notes: told of every id that is filled in.

    Raises:
        InputError: a result answers no call, or may answer several.
    """
    links: list[Link] = []
    pending: list[dict[str, Any]] = []
    index = 0
    while index < len(messages):
        message = messages[index]
        if message["role"] != "tool":
            if message["role"] == "assistant":
                pending += _distinct(message.get("tool_calls", ()), places[index])
            else:
                _unanswered(pending, places[index], notes)
                pending = []
            index += 1
            continue
        end = index
        while end < len(messages) and messages[end]["role"] == "tool":
            end += 1
        pending = _answer(pending, messages[index:end], places[index:end], links)
        index = end
    _identify(messages, places, notes)
    for link in links:
        if link.result.get("tool_call_id") is None:
            link.result["tool_call_id"] = link.call["id"]
            notes.add("added", link.place, "the id of the call that it answers")


class Link(NamedTuple):
    """A result and the call that it answers."""

    call: dict[str, Any]
    result: Message
    place: str


def _free_ids(messages: Sequence[Message]) -> Iterator[str]:
    """Ids that no call has: nine letters and digits, because some templates take no others."""
    taken = {one.get("id") for message in messages for one in message.get("tool_calls", ())}
    taken |= {message.get("tool_call_id") for message in messages}
    number = 0
    while True:
        number += 1
        if (made := f"call{number:05d}") not in taken:
            yield made


def _distinct(calls: Sequence[dict[str, Any]], place: str) -> Sequence[dict[str, Any]]:
    seen = set()
    for one in calls:
        identity = one.get("id", "")
        if not isinstance(identity, str):
            raise wrong(f"{place}.tool_calls", f"an id is text, not {type(identity).__name__}")
        if identity in seen:
            raise wrong(f"{place}.tool_calls", f"two calls have the id {identity!r}")
        if "id" in one:
            seen.add(identity)
    return calls


def _unanswered(pending: Sequence[dict[str, Any]], place: str, notes: Notes) -> None:
    for one in pending:
        notes.add("kept", place, f"the call of {called(one)!r} before it has no result")


def _answer(
    pending: list[dict[str, Any]], results: Sequence[Message], places: Sequence[str], links: list[Link]
) -> list[dict[str, Any]]:
    """Pair the results that stand together; the calls that are left without one."""
    # The latest call of an id is meant: some models number their calls anew in every turn.
    open_calls = list(pending)
    left: list[tuple[Message, str]] = []
    for result, place in zip(results, places, strict=True):
        found = _by_id(open_calls, result)
        if found is None:
            left.append((result, place))
        else:
            open_calls = _without(open_calls, found)
    nameless: list[tuple[Message, str]] = []
    for result, place in left:
        found = _by_name(open_calls, result, [other for other, _ in left])
        if found is None:
            nameless.append((result, place))
        else:
            open_calls = _without(open_calls, found)
            links.append(_linked(found, result, place))
    for (result, place), found in zip(nameless, _by_order(open_calls, nameless), strict=True):
        open_calls = _without(open_calls, found)
        links.append(_linked(found, result, place))
    return open_calls


def _without(calls: list[dict[str, Any]], found: dict[str, Any]) -> list[dict[str, Any]]:
    # By identity: two calls may say the same.
    return [one for one in calls if one is not found]


def _by_id(calls: list[dict[str, Any]], result: Message) -> dict[str, Any] | None:
    identity = result.get("tool_call_id")
    return next((one for one in reversed(calls) if identity is not None and one.get("id") == identity), None)


def _by_name(calls: list[dict[str, Any]], result: Message, others: Sequence[Message]) -> dict[str, Any] | None:
    name = result.get("name")
    fitting = [one for one in calls if called(one) == name and _may_answer(one, result)]
    alone = sum(other.get("name") == name for other in others) == 1
    return fitting[0] if len(fitting) == 1 and alone else None


def _by_order(calls: list[dict[str, Any]], results: Sequence[tuple[Message, str]]) -> list[dict[str, Any]]:
    if not results:
        return []
    for (result, place), one in zip(results, calls, strict=False):
        if "name" in result and result["name"] != called(one):
            raise wrong(place, f"a result of {result['name']!r}, where {called(one)!r} was called")
        if not _may_answer(one, result):
            raise wrong(place, f"tool_call_id {result['tool_call_id']!r} is the id of no call before it", _asked(calls))
    if len(calls) != len(results):
        place = results[min(len(calls), len(results) - 1)][1]
        if not calls:
            raise wrong(place, "a result of no call: none before it is without one")
        counts = f"{len(results)} results for {len(calls)} calls"
        raise wrong(place, f"{counts}, and nothing says which answers which", "give them ids: tool_call_id")
    return list(calls)


def _asked(calls: Sequence[dict[str, Any]]) -> str:
    return f"the calls without a result are {', '.join(str(one.get('id')) for one in calls)}"


def _may_answer(one: dict[str, Any], result: Message) -> bool:
    return "id" not in one or result.get("tool_call_id") is None


def _linked(one: dict[str, Any], result: Message, place: str) -> Link:
    if "id" not in one and result.get("tool_call_id") is not None:
        _put_id(one, result["tool_call_id"])
    return Link(one, result, place)


def _identify(messages: Sequence[Message], places: Sequence[str], notes: Notes) -> None:
    """Give an id to every call that has none, in their order."""
    ids = _free_ids(messages)
    for message, place in zip(messages, places, strict=True):
        for one in message.get("tool_calls", ()):
            if "id" not in one:
                _put_id(one, next(ids))
                notes.add("added", f"{place}.tool_calls", "ids of calls that have none")


def _put_id(one: dict[str, Any], identity: str) -> None:
    # The id comes first in a call, as everybody writes it.
    rest = dict(one)
    one.clear()
    one.update({"id": identity, **rest})
