"""LangChain's messages, as objects or as any of their dumps: by type, with calls beside the content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..calls import call_alone
from ..chat import read_messages
from ..evidence import Evidence, Look
from ..example import Example, Message
from ..fields import beside, example, opened, with_extras
from ..notes import Notes, wrong
from ..writing import head, words_only, written

KINDS = frozenset({"conversation"})

#: The types of messages; of `chat`, the role is in a field.
ROLES = {
    "human": "user",
    "ai": "assistant",
    "system": "system",
    "tool": "tool",
    "function": "function",
    "HumanMessageChunk": "user",
    "AIMessageChunk": "assistant",
    "SystemMessageChunk": "system",
    "ToolMessageChunk": "tool",
}
TYPES = {"user": "human", "assistant": "ai", "system": "system", "tool": "tool"}
#: What messages say of their own making.
MADE = ("response_metadata", "usage_metadata", "id", "example", "artifact", "status", "type", "invalid_tool_calls")
OWN = ("tool_calls", "tool_call_id", "name", "reasoning_content")


def detect(look: Look) -> Evidence | None:
    """Messages with a type in place of a role, or serialized constructors of messages."""
    if not look.messages:
        return None
    if all(map(_is_constructor, look.messages)):
        return Evidence((look.key,), ("lc",))
    typed = all("role" not in item and _type(item) in (*ROLES, "chat") for item in look.messages)
    return Evidence((look.key,), ("a type in place of a role",)) if typed else None


def _is_constructor(item: Mapping[str, Any]) -> bool:
    return "lc" in item and isinstance(item.get("kwargs"), dict)


def _type(item: Mapping[str, Any]) -> Any:
    return item.get("type") if "content" in item or isinstance(item.get("data"), dict) else None


def read(record: Any, notes: Notes) -> Example:
    """The conversation; what a message says of its own making is left out."""
    _, place, given, fields = opened(record, notes)
    items = [_fields(item, f"{place}[{index}]", notes) for index, item in enumerate(given)]
    return example(read_messages(items, place, notes), beside(fields, (), notes), notes)


def _fields(item: Mapping[str, Any], place: str, notes: Notes) -> dict[str, Any]:
    if _is_constructor(item):
        fields = dict(item["kwargs"])
        path = item.get("id")
        named = (
            str(path[-1] if isinstance(path, list) and path else path)
            .removesuffix("Chunk")
            .removesuffix("Message")
            .lower()
        )
        kind = fields.get("type", named)
    else:
        held = item.get("data")
        # What stands beside the dump of a message belongs to it, too.
        outer = {name: value for name, value in item.items() if name != "data"}
        fields = {**outer, **held} if isinstance(held, dict) else dict(item)
        kind = item.get("type")
    role = fields.pop("role", None) if kind == "chat" else ROLES.get(str(kind))
    if role is None:
        raise wrong(place, f"{kind!r} is no type of a message", f"known are {', '.join(ROLES)}, chat")
    also = fields.pop("additional_kwargs", None) or {}
    if not isinstance(also, dict):
        raise wrong(f"{place}.additional_kwargs", f"an object, not {type(also).__name__}")
    calls = fields.pop("tool_calls", None) or also.get("tool_calls")
    if fields.get("invalid_tool_calls"):
        notes.lose(f"{place}.invalid_tool_calls", "calls that are none")
    for name in MADE:
        if fields.pop(name, None) and name != "type":
            notes.add("left out", f"{place}.{name}", f"{name!r} of a message")
    # Raw calls stand beside those that were read of them.
    rest = {name: value for name, value in also.items() if name != "tool_calls"}
    content = _content(fields.pop("content", None)) if calls else fields.pop("content", None)
    made = {"role": role, "content": content, **rest, **fields, "tool_calls": calls or None}
    # A dump has every field of the class.
    return {name: value for name, value in made.items() if value is not None}


def _content(content: Any) -> Any:
    """Content beside calls: None where it is the empty text that a message must have, and without the same calls."""
    if not isinstance(content, list):
        return content or None
    kinds = ("tool_use", "tool_call", "function_call")
    rest = [part for part in content if not isinstance(part, dict) or part.get("type") not in kinds]
    return rest or None


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`messages`, which `messages_from_dict` takes."""
    columns: dict[str, list[Any]] = {}
    messages = written(example.messages, "messages", columns, notes)
    for column in columns:
        notes.lose(column, "langchain has no place for media without an address")
    dumps = [_written(message, f"messages[{index}]", notes) for index, message in enumerate(messages)]
    return with_extras({"messages": dumps, **head(example)}, example, notes)


def _written(message: Message, place: str, notes: Notes) -> dict[str, Any]:
    words_only(message, place, "langchain", notes, OWN)
    # LangChain's own way to say a role it has no type for is a message of the type `chat`.
    kind = TYPES.get(message["role"], "chat")
    data = {"content": message.get("content", ""), "type": kind}
    if kind == "chat":
        data["role"] = message["role"]
    for name in ("name", "tool_call_id"):
        if name in message:
            data[name] = message[name]
    if "reasoning_content" in message:
        data["additional_kwargs"] = {"reasoning_content": message["reasoning_content"]}
    if "tool_calls" in message:
        data["tool_calls"] = [_call(one, place, notes) for one in message["tool_calls"]]
    return {"type": kind, "data": data}


def _call(one: dict[str, Any], place: str, notes: Notes) -> dict[str, Any]:
    alone = call_alone(one, place, notes)
    return {"name": alone.name, "args": alone.arguments, "id": alone.identity, "type": "tool_call"}
