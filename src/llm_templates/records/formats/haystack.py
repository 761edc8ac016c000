"""Haystack's chat messages, as objects or as their dumps of any version: content as a list of named things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..calls import call_alone
from ..chat import read_messages
from ..evidence import Evidence, Look, by_messages
from ..example import Example, Message
from ..fields import beside, example, lone_text, opened, parts_of, with_extras
from ..media import address
from ..notes import Notes, wrong
from ..texts import text_alone
from ..writing import head, refuse_roles, words_only

KINDS = frozenset({"conversation"})

#: What a part of the content is named by.
PARTS = ("text", "tool_call", "tool_call_result", "reasoning", "image")
#: What of them is read under another name.
HELD = ("reasoning_text", "base64_image", "mime_type", "validation")
OWN = ("tool_calls", "tool_call_id", "name", "reasoning_content", "meta", "is_error")


def _is_part(part: Mapping[str, Any]) -> bool:
    return "type" not in part and any(name in part for name in PARTS)


SIGNS = {
    "_role": lambda item: "_role" in item,
    "content of named things": lambda item: any(map(_is_part, parts_of(item))),
    "meta": lambda item: isinstance(item.get("meta"), dict) and "role" in item,
}


def detect(look: Look) -> Evidence | None:
    """Content of named things, `meta` beside a role, or fields that begin with an underscore."""
    return by_messages(look, SIGNS)


def read(record: Any, notes: Notes) -> Example:
    """The conversation, each result a message of its own; `meta` stays where it says something."""
    _, place, given, rest = opened(record, notes)
    items = [fields for index, item in enumerate(given) for fields in _cut(item, f"{place}[{index}]", notes)]
    return example(read_messages(items, place, notes), beside(rest, (), notes), notes)


def _cut(item: Mapping[str, Any], place: str, notes: Notes) -> list[dict[str, Any]]:
    fields = {name.removeprefix("_"): value for name, value in item.items() if value is not None and value != {}}
    content = fields.get("content")
    if not isinstance(content, list):
        return [fields]
    held = [part.get("tool_call_result") for part in content if isinstance(part, dict)]
    results = [result for result in held if isinstance(result, dict)]
    if not results:
        parts = [_part(part, place, notes) if isinstance(part, dict) else part for part in content]
        return [{**fields, "content": lone_text(parts) or None}]
    if len(results) != len(content):
        raise wrong(f"{place}.content", "a message holds results or anything else, not both")
    return [{**fields, **_result(result)} for result in results]


def _part(part: Mapping[str, Any], place: str, notes: Notes) -> dict[str, Any]:
    if not _is_part(part):
        return dict(part)
    name = next(name for name in PARTS if name in part)
    held = part[name]
    if name == "text":
        return {"type": "text", "text": held}
    if not isinstance(held, dict):
        raise wrong(f"{place}.content", f"{name!r} holds an object, not {type(held).__name__}")
    rest = {key: value for key, value in held.items() if value and key not in HELD}
    if name == "reasoning":
        return {"type": "reasoning", "text": held.get("reasoning_text", ""), **rest}
    if name == "tool_call":
        return {"type": "tool_call", **{key: value for key, value in held.items() if value or key == "arguments"}}
    source = {"type": "base64", "media_type": held.get("mime_type"), "data": held.get("base64_image")}
    return {"type": "image", "source": source, **rest}


def _result(result: Mapping[str, Any]) -> dict[str, Any]:
    origin = result.get("origin")
    origin = origin if isinstance(origin, dict) else {}
    made = {"content": result.get("result", ""), "tool_call_id": origin.get("id")}
    if origin.get("tool_name"):
        made["name"] = origin["tool_name"]
    return {**made, "is_error": True} if result.get("error") else made


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`messages`, each of which `ChatMessage.from_dict` takes."""
    calls: dict[str, Any] = {}
    messages = []
    for index, message in enumerate(example.messages):
        calls.update({one["id"]: one for one in message.get("tool_calls", ())})
        messages.append(_written(message, f"messages[{index}]", calls, notes))
    return with_extras({"messages": messages, **head(example)}, example, notes)


def _written(message: Message, place: str, calls: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    refuse_roles(message, place, ("system", "user", "assistant", "tool"), "haystack")
    words_only(message, place, "haystack", notes, OWN)
    name = message.get("name") if message["role"] != "tool" else None
    made = {"role": message["role"], "meta": message.get("meta", {}), "name": name}
    content = message.get("content")
    if message["role"] == "tool":
        said = content if isinstance(content, str) else [_text(part, place, notes) for part in content or ()]
        origin = _call(calls[message["tool_call_id"]], place, notes)
        result = {"result": said, "origin": origin, "error": bool(message.get("is_error"))}
        return {**made, "content": [{"tool_call_result": result}]}
    parts: list[dict[str, Any]] = []
    if "reasoning_content" in message:
        parts.append({"reasoning": {"reasoning_text": message["reasoning_content"], "extra": {}}})
    listed = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    parts += [_text(part, place, notes) for part in listed]
    parts += [{"tool_call": _call(one, place, notes)} for one in message.get("tool_calls", ())]
    return {**made, "content": parts}


def _text(part: Mapping[str, Any], place: str, notes: Notes) -> dict[str, Any]:
    if part.get("type") == "text":
        return {"text": text_alone(part, f"{place}.content", notes)}
    found = address(part) if part.get("type") == "image" else None
    if found is not None and found.startswith("data:"):
        kind, _, data = found.removeprefix("data:").partition(";base64,")
        return {"image": {"base64_image": data, "mime_type": kind, "detail": part.get("detail"), "meta": {}}}
    raise wrong(f"{place}.content", f"haystack has no place for a part of the type {part.get('type')!r} without data")


def _call(one: dict[str, Any], place: str, notes: Notes) -> dict[str, Any]:
    alone = call_alone(one, place, notes)
    return {"tool_name": alone.name, "arguments": alone.arguments, "id": alone.identity}
