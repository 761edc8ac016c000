"""Content as text, for formats that have nothing else: parts joined, media as tags within the words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .example import Message
from .media import COLUMNS, is_placeholder, leave_rest, medium
from .notes import Notes, wrong


def text_alone(part: Mapping[str, Any], place: str, notes: Notes) -> str:
    """The text of a part, for a target that has no place for anything else in one."""
    for key in part:
        if key == "weight":
            notes.lose(f"{place}.weight", "there is no place for the weight of a part")
        elif key not in ("type", "text"):
            notes.add("left out", place, f"{key!r} of a text")
    return str(part["text"])


def text_of(content: Any, place: str, notes: Notes) -> str:
    """The content as text, for a format that has nothing else; what is no text is lost."""
    if content is None or isinstance(content, str):
        return content or ""
    texts = []
    for index, part in enumerate(content):
        if part.get("type") == "text":
            texts.append(text_alone(part, f"{place}[{index}]", notes))
        else:
            notes.lose(f"{place}[{index}]", f"there is no place for a part of the type {part.get('type')!r}")
    if len(texts) > 1:
        notes.add("changed", place, "texts of several parts are one, a line each")
    return "\n".join(texts)


def cut(content: str, extras: Mapping[str, Any]) -> str | list[dict[str, Any]]:
    """Text with tags such as `<image>` as parts, where the record has a column for them; a mere text otherwise."""
    kinds = [kind for kind, column in COLUMNS.items() if isinstance(extras.get(column), list) and extras[column]]
    tag = "|".join(f"<{kind}>" for kind in kinds)
    if not tag or not re.search(tag, content):
        return content
    pieces = re.split(f"({tag})", content)
    return [
        {"type": piece[1:-1]} if index % 2 else {"type": "text", "text": piece}
        for index, piece in enumerate(pieces)
        if piece
    ]


def tagged(content: Any, place: str, columns: dict[str, list[Any]], notes: Notes) -> str:
    """Parts as text with tags; the media go to `columns`."""
    if content is None or isinstance(content, str):
        return content or ""
    text = ""
    for index, part in enumerate(content):
        kind = part.get("type")
        if kind == "text":
            text += text_alone(part, f"{place}[{index}]", notes)
        elif kind in COLUMNS and not is_placeholder(part):
            leave_rest(part, (), f"{place}[{index}]", notes)
            text += f"<{kind}>"
            columns.setdefault(COLUMNS[kind], []).append(medium(part))
        else:
            notes.lose(f"{place}[{index}]", f"there is no place for a part of the type {kind!r}")
    return text


def check_tags(messages: Iterable[Message], columns: Mapping[str, Any]) -> None:
    """Refuse text in which a tag stands for itself, where tags stand for media.

    Raises:
        InputError: there is such a text.
    """
    kinds = [kind for kind, column in COLUMNS.items() if columns.get(column)]
    for index, message in enumerate(messages):
        content = message.get("content")
        texts = (
            [content]
            if isinstance(content, str)
            else [part["text"] for part in content or () if part["type"] == "text"]
        )
        for kind in kinds:
            if any(f"<{kind}>" in text for text in texts):
                raise wrong(f"messages[{index}].content", f"the text holds <{kind}>, which would stand for a medium")
