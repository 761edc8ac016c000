"""The parts of a message's content: text, reasoning, calls and media, from any of their spellings to one."""

from __future__ import annotations

from typing import Any, NamedTuple

from .calls import call, calls_in_text
from .flags import take_weight
from .media import MEDIA, media_part
from .notes import Notes, wrong
from .plain import without_padding

TEXTS = ("text", "input_text", "output_text", "refusal")
REASONING = ("thinking", "reasoning", "thought", "reasoning_text", "summary_text")
CALLS = ("tool_call", "tool_use", "function_call")
#: Reasoning that only who made it can read.
SEALED = ("redacted_thinking",)
#: The keys under which a part has its reasoning.
SAID = ("thinking", "reasoning", "text", "reasoning_text", "value", "content", "summary")


class Content(NamedTuple):
    """What a list of parts says, sorted."""

    #: Text, a list of parts, or None where nothing is left.
    content: Any
    reasoning: str | None
    calls: list[dict[str, Any]]


def read_content(given: Any, place: str, notes: Notes) -> Content:
    """The content of a message with reasoning and calls taken out of its parts.

    Raises:
        InputError: it is neither text nor a list of parts.

    >>> read_content([{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "No."}], "content", Notes())
    Content(content='No.', reasoning='Hm.', calls=[])
    """
    if given is None or isinstance(given, str):
        return Content(given, None, [])
    if isinstance(given, dict):
        given = [given]
    if not isinstance(given, list):
        raise wrong(place, f"content is text or a list of parts, not {type(given).__name__}")
    parts: list[dict[str, Any]] = []
    reasoning: list[str] = []
    calls: list[dict[str, Any]] = []
    taken = False
    for index, part in enumerate(given):
        at = f"{place}[{index}]"
        fields = _fields(part, at, notes)
        kind = fields.get("type")
        if kind in SEALED:
            notes.add("left out", at, "reasoning that cannot be read")
            taken = True
            continue
        if kind in CALLS:
            value = fields.get("value")
            calls += [call(fields, at, notes)] if value is None else calls_in_text(value, at, notes)
            continue
        if calls or (parts and kind in REASONING):
            notes.add("changed", at, "the order is reasoning, text, calls now")
        if kind in REASONING:
            reasoning.append(_reasoning(fields, at, notes))
        else:
            parts.append(_part(fields, at, notes))
    taken = taken or not parts or bool(reasoning or calls)
    if len(reasoning) > 1:
        notes.add("changed", place, "several pieces of reasoning are one")
    content = _content(parts, place, notes) if taken else parts
    return Content(content, "\n\n".join(filter(None, reasoning)) if reasoning else None, calls)


def _fields(part: Any, place: str, notes: Notes) -> dict[str, Any]:
    if isinstance(part, str):
        notes.add("changed", place, "a text in a list of parts is a text part")
        return {"type": "text", "text": part}
    if not isinstance(part, dict):
        raise wrong(place, f"a part is an object, not {type(part).__name__}")
    fields = without_padding(part, place, notes)
    if "type" not in fields and "text" in fields:
        fields = {"type": "text", **fields}
    if not isinstance(fields.get("type"), str):
        raise wrong(place, f"the type of a part is text; its keys are {', '.join(fields) or 'none'}")
    return take_weight(fields, place, notes)


def _part(fields: dict[str, Any], place: str, notes: Notes) -> dict[str, Any]:
    kind = fields.get("type")
    if kind in TEXTS:
        return _text_part(fields, place, notes)
    if kind in MEDIA:
        return media_part(fields, place)
    notes.add("kept", place, f"a part of the type {kind!r}")
    return fields


def _text_part(fields: dict[str, Any], place: str, notes: Notes) -> dict[str, Any]:
    text = next((fields[key] for key in ("text", "value", "refusal") if key in fields), None)
    if not isinstance(text, str):
        raise wrong(place, "a text part has no text")
    rest = {key: value for key, value in fields.items() if key not in ("type", "text", "value", "refusal")}
    if not rest.get("annotations", True):
        del rest["annotations"]
    if fields["type"] != "text" or "value" in fields:
        notes.add("renamed", place, f"a part of the type {fields['type']!r} is a text part")
    return {"type": "text", "text": text, **rest}


def _reasoning(fields: dict[str, Any], place: str, notes: Notes) -> str:
    said = next((fields[key] for key in SAID if key in fields), "")
    rest = [key for key in fields if key not in (*SAID, "type")]
    for key in rest:
        notes.add("left out", f"{place}.{key}", f"{key!r} of reasoning")
    texts: list[str] = []
    for item in said if isinstance(said, list) else [said]:
        text = item.get("text") if isinstance(item, dict) else item
        if not isinstance(text, str):
            raise wrong(place, f"reasoning is text, not {type(text).__name__}")
        texts.append(text)
    notes.add("renamed", place, f"a part of the type {fields['type']!r} is 'reasoning_content'")
    return "\n\n".join(texts)


def _content(parts: list[dict[str, Any]], place: str, notes: Notes) -> Any:
    """What is left once reasoning and calls are out: a lone text is text again."""
    if not parts:
        return None
    if len(parts) > 1 or parts[0].get("type") != "text":
        return parts
    for key in parts[0]:
        if key not in ("type", "text"):
            notes.add("left out", place, f"{key!r} of a text")
    return parts[0]["text"]
