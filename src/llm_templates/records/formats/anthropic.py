"""Anthropic's messages: the system prompt apart, and content in blocks, with calls, results and thinking among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..calls import call_alone
from ..chat import read_message
from ..evidence import Evidence, Look, by_messages
from ..example import Example, Message
from ..fields import beside, example, lone_text, opened, parts_of, with_extras
from ..media import address, leave_rest
from ..notes import Notes, wrong
from ..pairing import pair
from ..plain import without_padding
from ..tools import flat_tools
from ..writing import refuse_roles, words_only

KINDS = frozenset({"conversation"})

BLOCKS = ("tool_use", "tool_result", "redacted_thinking", "server_tool_use")
#: What a message may have beside role and content that is said in blocks.
SAID = ("reasoning_content", "tool_calls", "tool_call_id", "is_error")

SIGNS = {
    "blocks of tool_use or tool_result": lambda item: any(part.get("type") in BLOCKS for part in parts_of(item)),
    "a signature of thinking": lambda item: any(part.get("signature") is not None for part in parts_of(item)),
    "an image with a source": lambda item: any(isinstance(part.get("source"), dict) for part in parts_of(item)),
}


def detect(look: Look) -> Evidence | None:
    """A system prompt beside messages, tools with an `input_schema`, or blocks that nobody else has."""
    if not look.messages or not all(item.get("role") in ("user", "assistant", "system") for item in look.messages):
        return None
    shown = by_messages(look, SIGNS)
    signs = shown.signs if shown else ()
    if look.key == "messages":
        signs += ("system beside messages",) if "system" in look.fields else ()
        tools = look.fields.get("tools")
        schemas = tools if isinstance(tools, list) else ()
        if any(isinstance(tool, dict) and tool.get("input_schema") is not None for tool in schemas):
            signs += ("tools with an input_schema",)
    return Evidence((look.key,), signs) if signs else None


def read(record: Any, notes: Notes) -> Example:
    """The conversation, each result a message of its own."""
    _, place, given, fields = opened(record, notes)
    messages: list[Message] = []
    places: list[str] = []
    for index, item in enumerate(given):
        for at, one in _cut(item, f"{place}[{index}]", notes):
            messages.append(read_message(one, at, notes))
            places.append(at)
    pair(messages, places, notes)
    around = beside(fields, (), notes)
    return example(messages, around._replace(system=lone_text(around.system)), notes)


def _cut(item: Mapping[str, Any], place: str, notes: Notes) -> list[tuple[str, dict[str, Any]]]:
    """A message as messages: the results it holds by themselves, what stands between them too."""
    fields = without_padding(item, place, notes)
    content = fields.get("content")
    if not isinstance(content, list):
        return [(place, fields)]
    messages: list[tuple[str, dict[str, Any]]] = []
    rest: list[Any] = []
    for index, block in enumerate(content):
        if not isinstance(block, dict) or block.get("type") != "tool_result":
            rest.append(block)
            continue
        if rest:
            messages.append((place, {**fields, "content": lone_text(rest)}))
            rest = []
        at = f"{place}.content[{index}]"
        result = {name: value for name, value in block.items() if name not in ("type", "content", "cache_control")}
        if "cache_control" in block:
            notes.add("left out", at, "'cache_control' of a result")
        if not result.get("is_error"):
            result.pop("is_error", None)
        messages.append((at, {"role": "tool", "content": lone_text(block.get("content")), **result}))
    if rest or not content:
        messages.append((place, {**fields, "content": lone_text(rest)}))
    return messages


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`system`, `messages` and `tools` as the Messages API takes them."""
    messages: list[Message] = []
    system: Any = None
    for index, message in enumerate(example.messages):
        at = f"messages[{index}]"
        words_only(message, at, "anthropic", notes, SAID)
        if index == 0 and message["role"] in ("system", "developer"):
            if message["role"] == "developer":
                notes.add("renamed", at, "the role 'developer' is 'system'")
            system = _blocks(message["content"], at, notes)
            continue
        refuse_roles(message, at, ("user", "assistant", "tool"), "anthropic")
        _append(messages, message, at, notes)
    record: dict[str, Any] = {"messages": messages}
    if system is not None:
        record = {"system": system, **record}
    if example.tools is not None:
        record["tools"] = flat_tools(example.tools, "input_schema")
    for name in example.variables:
        notes.lose(f"chat_template_kwargs.{name}", "anthropic has no place for template variables")
    return with_extras(record, example, notes)


def _append(messages: list[Message], message: Message, place: str, notes: Notes) -> None:
    """Add a message; results that follow each other, and the user's words after them, are one message."""
    content = _content(message, place, notes)
    after_result = bool(messages) and any(part.get("type") == "tool_result" for part in parts_of(messages[-1]))
    if message["role"] != "assistant" and after_result:
        messages[-1]["content"] += [{"type": "text", "text": content}] if isinstance(content, str) else content
        return
    messages.append({"role": "assistant" if message["role"] == "assistant" else "user", "content": content})


def _content(message: Message, place: str, notes: Notes) -> Any:
    said = _blocks(message.get("content"), place, notes)
    if message["role"] == "tool":
        result = {"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": said}
        return [{**result, "is_error": True} if message.get("is_error") else result]
    blocks: list[dict[str, Any]] = []
    if "reasoning_content" in message:
        blocks.append({"type": "thinking", "thinking": message["reasoning_content"]})
    calls = message.get("tool_calls", ())
    if not blocks and not calls:
        return said
    if said:
        blocks += [{"type": "text", "text": said}] if isinstance(said, str) else said
    for one in calls:
        alone = call_alone(one, place, notes)
        blocks.append({"type": "tool_use", "id": alone.identity, "name": alone.name, "input": alone.arguments})
    return blocks


def _blocks(given: Any, place: str, notes: Notes) -> Any:
    content = lone_text(given)
    if not isinstance(content, list):
        return content
    return [_block(part, f"{place}.content[{index}]", notes) for index, part in enumerate(content)]


def _block(part: dict[str, Any], place: str, notes: Notes) -> dict[str, Any]:
    if part.get("type") == "text":
        if "weight" in part:
            notes.lose(f"{place}.weight", "anthropic has no place for the weight of a part")
        return {key: value for key, value in part.items() if key != "weight"}
    if part.get("type") != "image":
        notes.add("kept", place, f"a part of the type {part.get('type')!r}")
        return part
    found = address(part)
    leave_rest(part, (), place, notes)
    if found is None:
        raise wrong(place, "an image without an address or data")
    if found.startswith("data:"):
        kind, _, data = found.removeprefix("data:").partition(";base64,")
        return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}
    return {"type": "image", "source": {"type": "url", "url": found}}
