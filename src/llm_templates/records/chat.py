"""Messages as role and content, in all their dialects, to the one form of `Example`."""

from __future__ import annotations

from typing import Any

from .calls import call, calls_in_text, json_text
from .example import Message
from .flags import take_weight
from .notes import Notes, wrong
from .pairing import pair
from .parts import read_content
from .plain import without_padding
from .reasoning import take_reasoning, with_reasoning
from .roles import has_words_alone, is_call, role_of

#: Where a result names the call that it answers.
RESULT_IDS = ("tool_call_id", "call_id", "tool_use_id")
#: What a turn has in place of role and content.
TURN = (("from", "role"), ("value", "content"))


def read_messages(given: Any, place: str, notes: Notes) -> list[Message]:
    """A list of messages, with calls and results paired.

    Args:
        given: the list; its messages have `role` and `content`, or `from` and `value`.
        place: what an error calls the list.
        notes: told of everything that is done.

    Raises:
        InputError: with the index of the message and the key that cannot be used.
    """
    if not isinstance(given, list):
        raise wrong(place, f"messages are a list, not {type(given).__name__}")
    if not given:
        raise wrong(place, "there are no messages")
    messages: list[Message] = []
    places: list[str] = []
    for index, one in enumerate(given):
        at = f"{place}[{index}]"
        if has_words_alone(one):
            messages.append({"role": one["role"], "content": one["content"]})
            places.append(at)
            continue
        fields = _fields(one, at, notes)
        message = read_message(fields, at, notes)
        if is_call(fields) and messages and _may_join(messages[-1], message):
            notes.add("changed", at, "a call in a turn of its own belongs to the assistant's turn before it")
            messages[-1].setdefault("tool_calls", []).extend(message["tool_calls"])
        else:
            messages.append(message)
            places.append(at)
    pair(messages, places, notes)
    return messages


def _may_join(before: Message, message: Message) -> bool:
    rest = {key for key in message if key not in ("role", "tool_calls", "weight")}
    return before["role"] == "assistant" and not rest and before.get("weight") == message.get("weight")


def _fields(given: Any, place: str, notes: Notes) -> dict[str, Any]:
    """The message as a dict, without nulls, its role and content under these names."""
    if not isinstance(given, dict):
        raise wrong(place, f"a message is an object, not {type(given).__name__}")
    fields = without_padding(given, place, notes)
    renamed = {}
    for old, new in TURN:
        if old not in fields:
            continue
        # A call needs no content, and then `value` is a field like any other.
        if new in fields or (new == "content" and "tool_calls" in fields):
            notes.add("kept", f"{place}.{old}", f"{old!r} beside {new!r}")
            continue
        renamed[old] = new
        notes.add("renamed", f"{place}.{old}", f"{old!r} is {new!r}")
    return {renamed.get(key, key): value for key, value in fields.items()} if renamed else fields


def read_message(fields: dict[str, Any], place: str, notes: Notes) -> Message:
    """One message; its calls and results are not paired yet.

    Raises:
        InputError: with the key that cannot be used.
    """
    if "role" not in fields:
        raise wrong(place, "the message has no role", f"its keys are {', '.join(fields) or 'none'}")
    calling = is_call(fields)
    role = role_of(fields["role"], f"{place}.role", notes)
    fields = take_weight(take_reasoning({**fields, "role": role}, place, notes), place, notes)
    if calling:
        calls = calls_in_text(fields.get("content"), f"{place}.content", notes)
        return {**{key: value for key, value in fields.items() if key != "content"}, "tool_calls": calls}
    given = fields.pop("content", None)
    if role == "tool":
        return _result(fields, given, place, notes)
    content, reasoning, calls = read_content(given, f"{place}.content", notes)
    calls += _calls(fields, place, notes)
    fields = with_reasoning(fields, reasoning, place)
    if calls and role != "assistant":
        raise wrong(place, f"only the assistant calls tools, not {role!r}")
    if content is None and not calls:
        notes.add("added", place, "empty content, because there is none")
        content = ""
    made = {"role": role} if content is None else {"role": role, "content": content}
    rest = {key: value for key, value in fields.items() if key not in ("role", "tool_calls", "function_call")}
    return {**made, **rest, **({"tool_calls": calls} if calls else {})}


def _calls(fields: dict[str, Any], place: str, notes: Notes) -> list[dict[str, Any]]:
    calls = []
    listed = fields.get("tool_calls")
    if listed is not None:
        if not isinstance(listed, list):
            raise wrong(f"{place}.tool_calls", f"calls are a list, not {type(listed).__name__}")
        calls = [call(one, f"{place}.tool_calls[{index}]", notes) for index, one in enumerate(listed)]
        if not listed:
            notes.add("removed", f"{place}.tool_calls", "an empty list of calls")
    if fields.get("function_call") is not None:
        notes.add("renamed", f"{place}.function_call", "'function_call' is 'tool_calls'")
        calls.append(call(fields["function_call"], f"{place}.function_call", notes))
    return calls


def _result(fields: dict[str, Any], given: Any, place: str, notes: Notes) -> Message:
    identity = next((fields[key] for key in RESULT_IDS if key in fields), None)
    rest = {key: value for key, value in fields.items() if key not in ("role", "tool_calls", *RESULT_IDS)}
    if given is not None and not isinstance(given, str) and not _is_parts(given):
        notes.add("changed", f"{place}.content", "a result that is no text is its JSON text")
        given = json_text(given, f"{place}.content")
    said = read_content(given, f"{place}.content", notes)
    if said.reasoning or said.calls:
        raise wrong(f"{place}.content", "a result holds neither reasoning nor calls")
    made: Message = {"role": "tool", "content": "" if said.content is None else said.content}
    if identity is not None:
        if not isinstance(identity, str):
            raise wrong(place, f"an id is text, not {type(identity).__name__}")
        made["tool_call_id"] = identity
    return {**made, **rest}


def _is_parts(given: Any) -> bool:
    if not isinstance(given, list) or not given:
        return False
    return all(isinstance(part, dict) and ("type" in part or "text" in part) for part in given)


def with_system(messages: list[Message], system: Any, place: str, notes: Notes) -> list[Message]:
    """The messages with a system message before them, given beside them.

    Raises:
        InputError: they begin with another one.
    """
    content = read_content(system, place, notes).content
    if content is None or content == "":
        return messages
    if messages and messages[0]["role"] == "system":
        if messages[0]["content"] == content:
            return messages
        raise wrong(place, "the messages begin with another system message", "keep one of the two")
    return [{"role": "system", "content": content}, *messages]
