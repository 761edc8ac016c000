"""Records of two answers, chosen and rejected, to a prompt that is given or that both begin with."""

from __future__ import annotations

from typing import Any

from ..answers import cut_prompt, implied_prompt, is_raw, read_side, written_sides
from ..evidence import Evidence, Look, by_fields
from ..example import Answer, Example
from ..fields import as_object, beside, example, with_extras
from ..notes import Notes, wrong

KINDS = frozenset({"preference"})

ANSWERS = ("chosen", "rejected")
KEYS = ("prompt", *ANSWERS)


def detect(look: Look) -> Evidence | None:
    """Two answers, both texts or both messages."""
    kinds = {type(look.fields.get(key)) for key in ANSWERS}
    return by_fields(look.fields, KEYS) if kinds in ({str}, {list}) else None


def read(record: Any, notes: Notes) -> Example:
    """The prompt's messages, and the two answers to them."""
    record = as_object(record)
    around = beside(record, KEYS, notes)
    raw = is_raw(record, KEYS)
    if "prompt" not in record and raw:
        raise wrong(
            "chosen",
            "two texts without a prompt: nothing says where the prompt ends in them",
            "give the prompt: 'prompt'",
        )
    chosen, rejected = (read_side(record, key, notes) for key in ANSWERS)
    if "prompt" in record:
        prompt = read_side(record, "prompt", notes)
        chosen, rejected = (
            cut_prompt(prompt, side, key, notes) for key, side in zip(ANSWERS, (chosen, rejected), strict=True)
        )
        if chosen == rejected:
            raise wrong("chosen", "it is the same as 'rejected'")
    else:
        count = implied_prompt(chosen, rejected)
        prompt, chosen, rejected = chosen[:count], chosen[count:], rejected[count:]
        notes.add("changed", "prompt", "the messages that both answers begin with are the prompt")
    return example(prompt, around, notes, answers=(Answer(chosen, True), Answer(rejected, False)), raw=raw)


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`prompt`, `chosen` and `rejected`."""
    sides = {"prompt": example.messages, "chosen": example.chosen.messages, "rejected": example.rejected.messages}
    return with_extras(written_sides(example, sides, notes), example, notes)
