"""Records of one text, rendered already or never meant for a template."""

from __future__ import annotations

from typing import Any

from ..evidence import Evidence, Look
from ..example import Example, Stretch
from ..fields import as_object, beside, example, with_extras
from ..notes import Notes, wrong
from ..writing import head

KINDS = frozenset({"text"})


def detect(look: Look) -> Evidence | None:
    """A text, where there are no messages."""
    # Many records have their words under `text` once more, rendered.
    return Evidence(("text",), is_last=True) if isinstance(look.fields.get("text"), str) else None


def read(record: Any, notes: Notes) -> Example:
    """The text as one stretch."""
    record = as_object(record)
    text = record.get("text")
    if not isinstance(text, str):
        raise wrong("text", "there is no text")
    around = beside(record, ("text",), notes)
    return example([], around, notes, texts=(Stretch(text),))


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`text`, which is all stretches together."""
    if any(stretch.label is False for stretch in example.texts):
        notes.lose("text", "nothing says which stretches are trained on")
    record = {"text": "".join(stretch.text for stretch in example.texts)}
    return with_extras({**record, **head(example)}, example, notes)
