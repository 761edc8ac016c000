"""The names under which a message has its reasoning, as one: `reasoning_content`."""

from __future__ import annotations

from typing import Any

from .notes import Notes, wrong

#: Keys that hold a message's reasoning as text; the first is the one used here.
KEYS = ("reasoning_content", "reasoning", "thinking", "thought", "thoughts", "reasoning_text")


def take_reasoning(fields: dict[str, Any], place: str, notes: Notes) -> dict[str, Any]:
    """The fields with what they have of reasoning under `reasoning_content`.

    Raises:
        InputError: two fields have different reasoning, or `reasoning_content` is no text.

    >>> take_reasoning({"role": "assistant", "thinking": "Hm.", "content": "No."}, "messages[1]", Notes())
    {'role': 'assistant', 'reasoning_content': 'Hm.', 'content': 'No.'}
    """
    if fields.keys().isdisjoint(KEYS):
        return fields
    said = {}
    for key in KEYS:
        value = fields.get(key)
        if isinstance(value, str):
            said[key] = value
        elif value is not None and key == KEYS[0]:
            raise wrong(f"{place}.{key}", f"reasoning is text, not {type(value).__name__}")
        elif value is not None:
            notes.add("kept", f"{place}.{key}", f"{key!r} that is no text")
    texts = {value for value in said.values() if value}
    if len(texts) > 1:
        raise wrong(place, f"it has different reasoning under {', '.join(said)}", "keep one of these keys")
    if not said:
        return fields
    if not texts:
        for key in said:
            notes.add("removed", f"{place}.{key}", "empty reasoning")
    made: dict[str, Any] = {}
    for key, value in fields.items():
        if key not in said:
            made[key] = value
        elif texts:
            if key != KEYS[0]:
                notes.add("renamed", f"{place}.{key}", f"{key!r} is 'reasoning_content'")
            made[KEYS[0]] = next(iter(texts))
    return made


def with_reasoning(fields: dict[str, Any], reasoning: str | None, place: str) -> dict[str, Any]:
    """The fields with reasoning that was found within the content.

    Raises:
        InputError: they have other reasoning already.
    """
    if not reasoning:
        return fields
    if fields.get(KEYS[0], reasoning) != reasoning:
        raise wrong(place, "it has different reasoning beside its content and within it", "keep one of these")
    if KEYS[0] in fields:
        return fields
    return {"role": fields["role"], KEYS[0]: reasoning, **fields}
