"""What TRL's trainers read, and `render` here: messages with arguments as objects, media in columns; by its kind."""

from __future__ import annotations

from typing import Any

from ..answers import written_sides
from ..evidence import Evidence, Look, look_at
from ..example import Example
from ..fields import with_extras
from ..notes import Notes
from . import kto, preference, prompt_completion, text

KINDS = frozenset({"conversation", "completion", "unpaired", "preference", "text"})


def detect(look: Look) -> Evidence | None:
    """Nothing: each of TRL's shapes is a format of its own here."""
    return None


def read(record: Any, notes: Notes) -> Example:
    """The record, by the first of the formats whose shape it has; messages if by none."""
    from . import openai

    rows = (kto, preference, prompt_completion, text)
    look = look_at(record)
    row: Any = next((row for row in rows if row.detect(look) is not None), openai)
    return row.read(record, notes)  # type: ignore[no-any-return]


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`messages`, or what the format of the example's kind is; a text that is a prompt alone stays one."""
    if example.kind == "conversation" and not example.raw:
        return with_extras(written_sides(example, {"messages": example.messages}, notes), example, notes)
    return WRITERS[example.kind](example, notes)


#: Who writes an example, by its kind.
WRITERS = {
    "conversation": prompt_completion.write,
    "completion": prompt_completion.write,
    "unpaired": kto.write,
    "preference": preference.write,
    "text": text.write,
}
