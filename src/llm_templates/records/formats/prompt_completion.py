"""Records of a prompt and a completion, texts or messages, of which the completion alone is trained on."""

from __future__ import annotations

from typing import Any

from ..answers import cut_prompt, is_raw, read_side, written_sides
from ..evidence import Evidence, Look, by_fields
from ..example import Answer, Example
from ..fields import as_object, beside, example, with_extras
from ..notes import Notes, wrong

#: A conversation without an answer is a prompt alone.
KINDS = frozenset({"completion"})

KEYS = ("prompt", "completion")


def detect(look: Look) -> Evidence | None:
    """A prompt, by itself or with a completion that has no label."""
    fields = look.fields
    if not isinstance(fields.get("prompt"), str | list):
        return None
    if isinstance(fields.get("label"), bool) and "completion" in fields:
        return None
    if any(key in fields for key in ("chosen", "rejected", "instruction")):
        return None
    # Many records have their first question under `prompt`, beside all else.
    return by_fields(fields, KEYS)._replace(is_last="completion" not in fields)


def read(record: Any, notes: Notes) -> Example:
    """The prompt's messages, and the completion as the answer to them."""
    record = as_object(record)
    if isinstance(record.get("completions"), list) and isinstance(record.get("labels"), list):
        raise wrong("completions", "steps with a label each, for which no format has a place")
    prompt = read_side(record, "prompt", notes)
    around = beside(record, KEYS, notes)
    raw = is_raw(record, KEYS)
    if "completion" not in record:
        return example(prompt, around, notes, raw=raw)
    answer = cut_prompt(prompt, read_side(record, "completion", notes), "completion", notes)
    return example(prompt, around, notes, answers=(Answer(answer),), raw=raw)


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`prompt`, and `completion` if the example has an answer."""
    sides = {"prompt": example.messages}
    if example.answers:
        sides["completion"] = example.answers[0].messages
    return with_extras(written_sides(example, sides, notes), example, notes)
