"""Records of text in segments, each with a label that says whether it is trained on."""

from __future__ import annotations

from typing import Any

from ..evidence import Evidence, Look
from ..example import Example, Stretch
from ..fields import as_object, beside, example, with_extras
from ..notes import Notes, wrong
from ..writing import head

KINDS = frozenset({"text"})


def detect(look: Look) -> Evidence | None:
    """A list of segments."""
    held = look.fields.get("segments")
    is_list = isinstance(held, list) and all(isinstance(item, dict) and "text" in item for item in held)
    return Evidence(("segments",), ("segments",)) if is_list else None


def read(record: Any, notes: Notes) -> Example:
    """The stretches, with their labels."""
    record = as_object(record)
    texts = []
    given = record.get("segments")
    if not isinstance(given, list) or not given:
        raise wrong("segments", "there are none")
    for index, segment in enumerate(given):
        at = f"segments[{index}]"
        if not isinstance(segment, dict) or not isinstance(segment.get("text"), str):
            raise wrong(at, "a segment is an object with a text and a label")
        if not isinstance(segment.get("label"), bool):
            raise wrong(f"{at}.label", "whether a segment is trained on is true or false")
        for key in segment:
            if key not in ("text", "label"):
                notes.add("left out", f"{at}.{key}", f"{key!r} of a segment")
        texts.append(Stretch(segment["text"], segment["label"]))
    around = beside(record, ("segments",), notes)
    return example([], around, notes, texts=tuple(texts))


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`segments`; text that says nothing about training is trained on."""
    segments = []
    for stretch in example.texts:
        if stretch.label is None:
            notes.add("assumed", "segments", "text is trained on")
        segments.append({"label": stretch.label is not False, "text": stretch.text})
    return with_extras({"segments": segments, **head(example)}, example, notes)
