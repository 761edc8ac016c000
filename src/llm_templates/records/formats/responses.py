"""Items of OpenAI's Responses API: messages, reasoning, calls and their outputs, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..calls import call, leave_rest
from ..chat import read_message, with_system
from ..evidence import Evidence, Look
from ..example import Example, Message
from ..fields import VARIABLES, beside, example, with_extras
from ..media import address
from ..notes import Notes, wrong
from ..parts import read_content
from ..tools import flat_tools
from ..turns import Turns
from ..writing import words_only

KINDS = frozenset({"conversation"})

ITEMS = ("function_call", "function_call_output", "reasoning")
PARTS = ("input_text", "output_text", "input_image")
OWN = ("reasoning_content", "tool_calls", "tool_call_id")
#: What items say of their own making.
MADE = ("id", "status", "encrypted_content", "annotations", "logprobs", "phase")


def detect(look: Look) -> Evidence | None:
    """Items of the types that only this API has, or instructions beside an input; messages as input have its shape."""
    record, items = look.record, _items(look.record)
    if items is None:
        return None
    fields = ("",) if isinstance(record, list) else tuple(key for key in ("input", "output") if key in record)
    if any(item.get("type") in ITEMS for item in items):
        return Evidence(fields, ("items of the Responses API",))
    parts = [part for item in items if isinstance(item.get("content"), list) for part in item["content"]]
    if any(isinstance(part, dict) and part.get("type") in PARTS for part in parts):
        return Evidence(fields, ("parts of the Responses API",))
    if not isinstance(look.fields.get("input"), str | list):
        return None
    if isinstance(look.fields.get("instructions"), str):
        return Evidence(fields, ("instructions",))
    is_chat = isinstance(look.fields["input"], list) and all("role" in item for item in items)
    return Evidence(fields) if is_chat else None


def _items(record: Any) -> list[Mapping[str, Any]] | None:
    """The items of a request and of the response to it; None where there is something else."""
    if isinstance(record, list):
        given = record
    elif isinstance(record, dict) and ("input" in record or "output" in record):
        asked, answered = record.get("input", []), record.get("output", [])
        asked = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
        if not isinstance(asked, list) or not isinstance(answered, list):
            return None
        given = [*asked, *answered]
    else:
        return None
    return given if given and all(isinstance(item, dict) for item in given) else None


def read(record: Any, notes: Notes) -> Example:
    """The conversation, what the assistant does between two turns of others in one message."""
    items = _items(record)
    if items is None:
        raise wrong("input", "there is no list of items")
    turns = Turns(notes)
    name = "output" if isinstance(record, dict) and "input" not in record else "input"
    for index, item in enumerate(items):
        at = f"{name}[{index}]"
        fields = {key: value for key, value in item.items() if value is not None}
        for key in MADE:
            if fields.pop(key, None):
                notes.add("left out", f"{at}.{key}", f"{key!r} of an item")
        kind = fields.pop("type", "message")
        if not isinstance(kind, str) or kind not in READERS:
            raise wrong(f"{at}.type", f"an item of the type {kind!r}", f"known are {', '.join(READERS)}")
        READERS[kind](turns, fields, at, notes)
    rest = record if isinstance(record, dict) else {}
    messages = with_system(turns.messages(), rest.get("instructions"), "instructions", notes)
    return example(messages, beside(rest, ("input", "output", "instructions"), notes), notes)


def _message(turns: Turns, fields: dict[str, Any], place: str, notes: Notes) -> None:
    content = fields.get("content")
    # A lone text is written as a list in this API whenever the model wrote it.
    said = content[0] if isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict) else {}
    if said.get("type") == "output_text":
        fields["content"] = said.get("text")
    message = read_message(fields, place, notes)
    if message["role"] == "assistant":
        turns.say(message, place)
    else:
        turns.add(message, place)


def _reasoning(turns: Turns, fields: dict[str, Any], place: str, notes: Notes) -> None:
    said = fields.get("content") or fields.get("summary") or []
    if not fields.get("content") and said:
        notes.add("assumed", place, "a summary of reasoning is the reasoning")
    reasoning = read_content(said, f"{place}.content", notes).reasoning
    if reasoning:
        turns.reason(reasoning, place)
    else:
        notes.add("left out", place, "reasoning that cannot be read")


def _call(turns: Turns, fields: dict[str, Any], place: str, notes: Notes) -> None:
    turns.call(call(fields, place, notes), place)


def _output(turns: Turns, fields: dict[str, Any], place: str, notes: Notes) -> None:
    rest = {key: value for key, value in fields.items() if key != "output"}
    turns.add(read_message({"role": "tool", "content": fields.get("output", ""), **rest}, place, notes), place)


#: What becomes of an item, by its type.
READERS = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _call,
    "function_call_output": _output,
}


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`input` with all items, `tools` as this API has them."""
    items: list[dict[str, Any]] = []
    for index, message in enumerate(example.messages):
        at = f"messages[{index}]"
        words_only(message, at, "responses", notes, OWN)
        items += _written(message, at, notes)
    record: dict[str, Any] = {"input": items}
    if example.tools is not None:
        record["tools"] = flat_tools(example.tools, type="function")
    for name in example.variables:
        notes.lose(f"{VARIABLES}.{name}", "responses has no place for template variables")
    return with_extras(record, example, notes)


def _written(message: Message, place: str, notes: Notes) -> list[dict[str, Any]]:
    if message["role"] == "tool":
        output = _parts(message["content"], "input_text", place, notes)
        return [{"type": "function_call_output", "call_id": message["tool_call_id"], "output": output}]
    items: list[dict[str, Any]] = []
    if "reasoning_content" in message:
        said = [{"type": "reasoning_text", "text": message["reasoning_content"]}]
        items.append({"type": "reasoning", "summary": [], "content": said})
    calls = message.get("tool_calls", ())
    if message.get("content") or not calls:
        kind = "output_text" if message["role"] == "assistant" else "input_text"
        content = _parts(message["content"], kind, place, notes)
        if kind == "output_text" and isinstance(content, str):
            content = [{"type": kind, "text": content}]
        items.append({"type": "message", "role": message["role"], "content": content})
    for one in calls:
        leave_rest(one, place, notes)
        items.append({"type": "function_call", "call_id": one["id"], **one["function"]})
    return items


def _parts(content: Any, kind: str, place: str, notes: Notes) -> Any:
    if not isinstance(content, list):
        return content
    return [_part(part, kind, f"{place}.content[{index}]", notes) for index, part in enumerate(content)]


def _part(part: dict[str, Any], kind: str, place: str, notes: Notes) -> dict[str, Any]:
    if part.get("type") == "text":
        return {**part, "type": kind}
    found = address(part) if part.get("type") == "image" else None
    if found is None:
        notes.add("kept", place, f"a part of the type {part.get('type')!r}")
        return part
    return {"type": "input_image", "image_url": found, **{key: part[key] for key in ("detail",) if key in part}}
