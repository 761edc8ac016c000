"""LlamaIndex's chat messages, as objects or as their dumps: a role, blocks, and additional keyword arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..calls import call_alone
from ..chat import read_messages
from ..evidence import Evidence, Look, by_messages
from ..example import Example, Message
from ..fields import beside, example, lone_text, opened, with_extras
from ..media import address, leave_rest
from ..notes import Notes
from ..texts import text_alone
from ..writing import head, words_only

KINDS = frozenset({"conversation"})

SIGNS = {
    "blocks": lambda item: isinstance(item.get("blocks"), list),
    "additional_kwargs": lambda item: "additional_kwargs" in item and "role" in item,
}
OWN = ("tool_calls", "tool_call_id", "name", "reasoning_content")
#: What a block holds a medium by, of each type.
MEDIA = ("image", "audio", "video")


def detect(look: Look) -> Evidence | None:
    """Blocks, or additional keyword arguments beside a role."""
    return by_messages(look, SIGNS, needs="role")


def read(record: Any, notes: Notes) -> Example:
    """The conversation, its blocks as content, reasoning and calls."""
    _, place, given, fields = opened(record, notes)
    items = [_fields(item) for item in given]
    return example(read_messages(items, place, notes), beside(fields, (), notes), notes)


def _fields(item: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in item.items() if value is not None}
    also = fields.pop("additional_kwargs", {})
    also = dict(also) if isinstance(also, dict) else {"additional_kwargs": also}
    blocks = fields.pop("blocks", None)
    if isinstance(blocks, list):
        parts = [_part(block) if isinstance(block, dict) else block for block in blocks]
        # Every text is written as a block there.
        fields["content"] = lone_text(parts) or None
        if any(isinstance(part, dict) and part.get("type") == "tool_call" for part in parts):
            also = {name: value for name, value in also.items() if name != "tool_calls"}
    return {**fields, **also}


def _part(block: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in block.items() if value is not None and value != {}}
    kind = fields.pop("block_type", fields.get("type"))
    if kind in MEDIA:
        coded, mime = fields.pop(kind, None), fields.pop(f"{kind}_mimetype", None)
        if isinstance(coded, bytes):
            coded = coded.decode("ascii", "replace")
        if coded is not None:
            fields["source"] = {"type": "base64", "media_type": mime, "data": coded}
    return {**fields, "type": kind} if kind != "text" else {"type": "text", **fields}


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`messages`, each of which `ChatMessage.model_validate` takes."""
    dumps = [_written(message, f"messages[{index}]", notes) for index, message in enumerate(example.messages)]
    return with_extras({"messages": dumps, **head(example)}, example, notes)


def _written(message: Message, place: str, notes: Notes) -> dict[str, Any]:
    words_only(message, place, "llamaindex", notes, OWN)
    blocks: list[dict[str, Any]] = []
    if "reasoning_content" in message:
        blocks.append({"block_type": "thinking", "content": message["reasoning_content"]})
    content = message.get("content")
    for index, part in enumerate([{"type": "text", "text": content}] if isinstance(content, str) else content or ()):
        blocks += _blocks(part, f"{place}.content[{index}]", notes)
    for one in message.get("tool_calls", ()):
        alone = call_alone(one, place, notes)
        names = {"tool_call_id": alone.identity, "tool_name": alone.name, "tool_kwargs": alone.arguments}
        blocks.append({"block_type": "tool_call", **names})
    also = {name: message[name] for name in ("tool_call_id", "name") if name in message}
    return {"role": message["role"], "additional_kwargs": also, "blocks": blocks}


def _blocks(part: Mapping[str, Any], place: str, notes: Notes) -> list[dict[str, Any]]:
    kind = part.get("type")
    if kind == "text":
        return [{"block_type": "text", "text": text_alone(part, place, notes)}]
    found = address(part)
    if kind in MEDIA and found is not None:
        leave_rest(part, (), place, notes)
        return [{"block_type": kind, "path" if part.get("path") == found else "url": found}]
    notes.lose(place, f"llamaindex has no place for a part of the type {kind!r}")
    return []
