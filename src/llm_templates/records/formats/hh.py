"""Records of transcripts, as in the HH data: every turn after a blank line and `Human:` or `Assistant:`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..answers import implied_prompt
from ..evidence import Evidence, Look
from ..example import Answer, Example
from ..fields import beside, example, with_extras
from ..notes import Notes, wrong
from ..transcript import answer_of, is_transcript, transcript, turns_of
from ..writing import leave_head

KINDS = frozenset({"conversation", "preference"})

ANSWERS = ("chosen", "rejected")
SIDES = (*ANSWERS, "completion")


def detect(look: Look) -> Evidence | None:
    """A transcript: the record itself, its text, its prompt, or its two answers."""
    is_text = isinstance(look.record, str)
    fields = {"text": look.record} if is_text else look.fields
    found = tuple(key for key in ("text", "prompt", *ANSWERS) if is_transcript(fields.get(key)))
    if not found:
        return None
    read_fields = ("",) if is_text else (*found, *(key for key in SIDES if key in fields))
    return Evidence(read_fields, tuple(f"{key} is a transcript" for key in found))


def read(record: Any, notes: Notes) -> Example:
    """The turns; where two transcripts are given without a prompt, it is what both begin with."""
    fields: Mapping[str, Any] = {"text": record} if not isinstance(record, dict) else record
    if "prompt" not in fields and "chosen" not in fields:
        return example(turns_of(fields.get("text"), "text"), beside(fields, ("text",), notes), notes)
    label = fields["label"] if isinstance(fields.get("label"), bool) and "completion" in fields else None
    around = beside(fields, ("prompt", *SIDES, *(("label",) if label is not None else ())), notes)
    if "prompt" not in fields:
        chosen, rejected = (turns_of(fields.get(key), key) for key in ANSWERS)
        count = implied_prompt(chosen, rejected)
        notes.add("changed", "prompt", "the messages that both answers begin with are the prompt")
        compared = (Answer(chosen[count:], True), Answer(rejected[count:], False))
        return example(chosen[:count], around, notes, answers=compared)
    prompt = turns_of(fields["prompt"], "prompt")
    labels = {"chosen": True, "rejected": False, "completion": label}
    given = [key for key in SIDES if key in fields]
    if given not in ([], ["completion"], [*ANSWERS]):
        raise wrong("prompt", f"what follows it is {' and '.join(given)}", "a completion, or one chosen, one rejected")
    answers = tuple(Answer(_answer(fields[key], fields["prompt"], key), labels[key]) for key in given)
    return example(prompt, around, notes, answers=answers)


def _answer(text: Any, prompt: str, place: str) -> list[dict[str, Any]]:
    """The answer, without the prompt if that is repeated."""
    if isinstance(text, str) and text.startswith(prompt):
        text = text[len(prompt) :]
    return answer_of(text, place)


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`text`, or `chosen` and `rejected`."""
    leave_head(example, "hh", notes)
    if example.kind == "preference":
        sides = {"chosen": example.chosen, "rejected": example.rejected}
        record = {key: transcript([*example.messages, *side.messages], notes) for key, side in sides.items()}
    else:
        record = {"text": transcript(example.messages, notes)}
    return with_extras(record, example, notes)
