"""Prompts and what may follow them, as trainers take them: text or messages, the prompt given or implied."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from .chat import read_messages
from .example import Example, Message
from .fields import VARIABLES
from .notes import Notes, wrong
from .transcript import is_transcript
from .writing import with_columns, with_objects

#: Who says a text that is given in place of messages.
SPEAKERS = {"prompt": "user"}


def read_side(record: Mapping[str, Any], key: str, notes: Notes) -> list[Message]:
    """The messages under a key; text is the user's if it is the prompt, else the assistant's.

    Raises:
        InputError: they are neither messages nor text.
    """
    given = record.get(key)
    if isinstance(given, str):
        if is_transcript(given):
            raise wrong(key, "the text is a transcript of several turns", "name its format: source='hh'")
        role = SPEAKERS.get(key, "assistant")
        notes.add("assumed", key, f"text is what the {role} says")
        return [{"role": role, "content": given}]
    if isinstance(given, dict):
        given = [given]
    return read_messages(given, key, notes)


def is_raw(record: Mapping[str, Any], keys: tuple[str, ...]) -> bool:
    """Whether prompt and answers are text, all of them."""
    return all(isinstance(record[key], str) for key in keys if key in record)


def cut_prompt(prompt: list[Message], answer: list[Message], place: str, notes: Notes) -> list[Message]:
    """The answer without the prompt, which some records repeat at its beginning.

    Raises:
        InputError: it begins with something else that is not the assistant's.
    """
    if answer[0]["role"] in ("assistant", "tool"):
        return answer
    if answer[: len(prompt)] == prompt and len(answer) > len(prompt):
        notes.add("changed", place, "it repeats the prompt, which is there once now")
        return answer[len(prompt) :]
    raise wrong(
        f"{place}[0]",
        f"it begins with the words of {answer[0]['role']!r}, and not with the prompt",
        "give an answer that goes on where the prompt ends, or leave the prompt out if both answers hold it",
    )


def implied_prompt(chosen: list[Message], rejected: list[Message]) -> int:
    """How many messages two conversations have in common before their answers.

    The answer of each has at least one message, even where one conversation is the beginning of the other, and begins
    where the assistant speaks.

    Raises:
        InputError: they differ before the assistant speaks, or not at all.
    """
    if chosen == rejected:
        raise wrong("chosen", "it is the same as 'rejected'")
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(chosen, rejected, strict=False)))
    if alike == min(len(chosen), len(rejected)):
        alike -= 1
        while alike >= 0 and chosen[alike]["role"] != "assistant":
            alike -= 1
    if alike <= 0 or any(side[alike]["role"] != "assistant" for side in (chosen, rejected)):
        raise wrong("chosen", "the two do not part where the assistant speaks", "give the prompt: 'prompt'")
    return alike


def written_sides(example: Example, sides: Mapping[str, list[Message]], notes: Notes) -> dict[str, Any]:
    """Prompt and answers as text where they were text, else as messages; tools, variables and images beside them."""
    if example.raw and all(len(side) == 1 and set(side[0]) <= {"role", "content"} for side in sides.values()):
        record: dict[str, Any] = {key: side[0]["content"] for key, side in sides.items()}
    else:
        columns: dict[str, list[Any]] = {}
        record = {key: with_objects(with_columns(side, key, columns, notes), key) for key, side in sides.items()}
        record.update(columns)
    if example.tools is not None:
        record["tools"] = example.tools
    if example.variables:
        record[VARIABLES] = example.variables
    return record
