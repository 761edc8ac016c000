"""Messages of an `Example` as the dicts that chat templates and trainers read."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .calls import arguments_object
from .example import Example, Message
from .fields import VARIABLES
from .media import COLUMNS, address, is_placeholder, leave_rest, medium
from .notes import Notes, wrong

#: What OpenAI says of a medium besides its address.
DETAILS = ("detail", "format")


def written(messages: list[Message], place: str, columns: dict[str, list[Any]], notes: Notes) -> list[Message]:
    """Messages as OpenAI has them: arguments as JSON text, images by their address.

    Args:
        messages: never changed.
        place: what a remark calls the list.
        columns: given the media that have no address; placeholders stand for them.
        notes: told what that is.
    """
    return [_message(message, f"{place}[{index}]", columns, notes) for index, message in enumerate(messages)]


def _message(message: Message, place: str, columns: dict[str, list[Any]], notes: Notes) -> Message:
    made = dict(message)
    if isinstance(message.get("content"), list):
        parts = enumerate(message["content"])
        made["content"] = [_addressed(part, f"{place}.content[{at}]", columns, notes) for at, part in parts]
    return made


def _addressed(part: dict[str, Any], place: str, columns: dict[str, list[Any]], notes: Notes) -> dict[str, Any]:
    kind = part.get("type")
    if kind not in COLUMNS or is_placeholder(part):
        return part
    found = address(part)
    if found is None:
        notes.add("kept", place, "a medium without an address, in a column beside the messages")
        columns.setdefault(COLUMNS[kind], []).append(medium(part))
        return {"type": kind}
    leave_rest(part, DETAILS, place, notes)
    rest = {key: value for key, value in part.items() if key in DETAILS}
    return {"type": f"{kind}_url", f"{kind}_url": {"url": found, **rest}}


def with_objects(messages: list[Message], place: str) -> list[Message]:
    """Messages whose calls have their arguments as objects."""
    return [_with_objects(message, f"{place}[{index}]") for index, message in enumerate(messages)]


def _with_objects(message: Message, place: str) -> Message:
    if "tool_calls" not in message:
        return message
    calls = []
    for index, one in enumerate(message["tool_calls"]):
        arguments = arguments_object(one["function"]["arguments"], f"{place}.tool_calls[{index}].function.arguments")
        calls.append({**one, "function": {**one["function"], "arguments": arguments}})
    return {**message, "tool_calls": calls}


def with_columns(messages: list[Message], place: str, columns: dict[str, list[Any]], notes: Notes) -> list[Message]:
    """Messages with placeholders for all media, which go to `columns`."""
    return [_with_columns(message, f"{place}[{index}]", columns, notes) for index, message in enumerate(messages)]


def _with_columns(message: Message, place: str, columns: dict[str, list[Any]], notes: Notes) -> Message:
    if not isinstance(message.get("content"), list):
        return message
    content = []
    for index, part in enumerate(message["content"]):
        if part.get("type") in COLUMNS and not is_placeholder(part):
            leave_rest(part, (), f"{place}.content[{index}]", notes)
            columns.setdefault(COLUMNS[part["type"]], []).append(medium(part))
            content.append({"type": part["type"]})
        else:
            content.append(part)
    return {**message, "content": content}


def head(example: Example) -> dict[str, Any]:
    """Tools and variables, where there are any."""
    tools = {} if example.tools is None else {"tools": example.tools}
    return {**tools, **({VARIABLES: example.variables} if example.variables else {})}


def leave_head(example: Example, target: str, notes: Notes) -> None:
    """Give up tools and variables, for which a target has no place."""
    if example.tools is not None:
        notes.lose("tools", f"{target} has no place for tools")
    for name in example.variables:
        notes.lose(f"{VARIABLES}.{name}", f"{target} has no place for template variables")


#: What a message may have besides role and content, and still be said in words alone.
WORDS = ("role", "content")


def words_only(message: Message, place: str, target: str, notes: Notes, also: Collection[str] = ()) -> None:
    """Give up what a target has no place for besides role, content and the keys in `also`."""
    for key in message:
        if key in WORDS or key in also:
            continue
        default = 1 if message["role"] == "assistant" else 0
        if key == "weight" and message[key] == default:
            continue
        if key in ("weight", "reasoning_content", "tool_calls"):
            notes.lose(f"{place}.{key}", f"{target} has no place for {key!r}")
        else:
            notes.add("left out", f"{place}.{key}", f"{key!r}, for which {target} has no place")


def refuse_roles(message: Message, place: str, roles: Collection[str], target: str) -> None:
    """Refuse a role that a target does not have.

    Raises:
        InputError: it is one.
    """
    if message["role"] not in roles:
        raise wrong(place, f"{target} has no place for the role {message['role']!r}")
