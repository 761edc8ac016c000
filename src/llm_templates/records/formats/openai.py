"""OpenAI's chat records: messages with tools and weights, or an input with a preferred and another output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chat import read_messages
from ..evidence import Evidence, Look
from ..example import Answer, Example
from ..fields import Beside, beside, example, opened, with_extras
from ..notes import Notes, wrong
from ..plain import without_padding
from ..writing import head, written

KINDS = frozenset({"conversation", "unpaired", "preference"})

PREFERRED = ("preferred_output", "non_preferred_output")


def detect(look: Look) -> Evidence | None:
    """Messages with roles, or the outputs of a preference."""
    if all(key in look.fields for key in PREFERRED):
        return Evidence(PREFERRED, PREFERRED)
    return Evidence((look.key,)) if look.messages and all("role" in item for item in look.messages) else None


def read(record: Any, notes: Notes) -> Example:
    """The conversation of `messages`, or the preference between two outputs for an `input`."""
    if isinstance(record, dict) and all(key in record for key in PREFERRED):
        return _preference(record, notes)
    key, place, given, fields = opened(record, notes)
    messages = read_messages(given, place, notes)
    around = beside(fields, (), notes)
    if key not in ("", "messages"):
        notes.add("renamed", "", f"{key!r} is 'messages'")
    return _labelled(messages, around, notes)


def _labelled(messages: list[dict[str, Any]], around: Beside, notes: Notes) -> Example:
    """An example with a label, if there is one that says whether the answer is good."""
    label = around.extras.get("label")
    if not isinstance(label, bool) or messages[-1]["role"] != "assistant":
        return example(messages, around, notes)
    extras = {key: value for key, value in around.extras.items() if key != "label"}
    *prompt, last = messages
    return example(prompt, around._replace(extras=extras), notes, answers=(Answer([last], label),))


def _preference(record: Mapping[str, Any], notes: Notes) -> Example:
    given = record.get("input")
    if not isinstance(given, dict):
        raise wrong("input", "it is an object with messages")
    prompt = read_messages(given.get("messages"), "input.messages", notes)
    around = beside({**without_padding(given, "input", notes), **record}, ("input", "messages", *PREFERRED), notes)
    answers = tuple(Answer(read_messages(record[key], key, notes), key == PREFERRED[0]) for key in PREFERRED)
    return example(prompt, around, notes, answers=answers)


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`messages`, with a label if there is one; or `input` with two outputs."""
    columns: dict[str, list[Any]] = {}
    if example.kind == "preference":
        prompt = {"messages": written(example.messages, "messages", columns, notes), **head(example)}
        outputs = {
            key: written(answer.messages, key, columns, notes)
            for key, answer in zip(PREFERRED, (example.chosen, example.rejected), strict=True)
        }
        return with_extras({"input": prompt, **outputs, **columns}, example, notes)
    record = {"messages": written(example.turns, "messages", columns, notes), **head(example), **columns}
    if example.kind == "unpaired":
        record["label"] = example.answers[0].label
        notes.add("kept", "label", "OpenAI's own fine-tuning does not read it, and trains on any answer")
    return with_extras(record, example, notes)
