"""Records of a prompt, a completion and a label that says whether it is a good one."""

from __future__ import annotations

from typing import Any

from ..answers import cut_prompt, is_raw, read_side, written_sides
from ..evidence import Evidence, Look
from ..example import Answer, Example
from ..fields import as_object, beside, example, with_extras
from ..notes import Notes, wrong

KINDS = frozenset({"unpaired"})

SIDES = ("prompt", "completion")
KEYS = (*SIDES, "label")


def detect(look: Look) -> Evidence | None:
    """Prompt, completion and label."""
    fits = all(key in look.fields for key in SIDES) and isinstance(look.fields.get("label"), bool)
    return Evidence(KEYS, KEYS) if fits else None


def read(record: Any, notes: Notes) -> Example:
    """The prompt's messages, and the labelled answer to them."""
    record = as_object(record)
    label = record.get("label")
    if not isinstance(label, bool):
        raise wrong("label", f"whether the completion is good is true or false, not {label!r}")
    prompt = read_side(record, "prompt", notes)
    answer = cut_prompt(prompt, read_side(record, "completion", notes), "completion", notes)
    raw = is_raw(record, SIDES)
    return example(prompt, beside(record, KEYS, notes), notes, answers=(Answer(answer, label),), raw=raw)


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`prompt`, `completion` and `label`."""
    (answer,) = example.answers
    sides = {"prompt": example.messages, "completion": answer.messages}
    record = written_sides(example, sides, notes)
    return with_extras({**record, "label": answer.label}, example, notes)
