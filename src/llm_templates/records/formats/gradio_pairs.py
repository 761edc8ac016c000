"""Gradio's older histories: pairs of what the user and the assistant said, null for what is not there."""

from __future__ import annotations

from typing import Any

from ..evidence import Evidence, Look
from ..example import Example, Message
from ..fields import leave_extras
from ..media import address, leave_rest
from ..notes import Notes, wrong
from ..texts import text_alone
from ..writing import leave_head, refuse_roles, words_only

KINDS = frozenset({"conversation"})

ROLES = ("user", "assistant")
#: What files are, by the end of their names; anything else is a file.
ENDINGS = {
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "webp", "bmp", "svg"), "image"),
    **dict.fromkeys(("mp4", "webm", "mov", "avi", "mkv"), "video"),
    **dict.fromkeys(("wav", "mp3", "flac", "ogg", "m4a"), "audio"),
}


def detect(look: Look) -> Evidence | None:
    """A list of lists of two."""
    record = look.record
    pairs = isinstance(record, list) and record and all(isinstance(pair, list) and len(pair) == 2 for pair in record)
    return Evidence(("",), ("pairs",)) if pairs else None


def read(record: Any, notes: Notes) -> Example:
    """The conversation; a file, which stands as a tuple, is a part."""
    if not isinstance(record, list):
        raise wrong("", f"a history is a list of pairs, not {type(record).__name__}")
    messages: list[Message] = []
    for index, pair in enumerate(record):
        if not isinstance(pair, list) or len(pair) != 2:
            raise wrong(f"[{index}]", "a pair is what the user and what the assistant said")
        for role, said in zip(ROLES, pair, strict=True):
            if said is not None:
                messages.append({"role": role, "content": _content(said, f"[{index}]", notes)})
    if not messages:
        raise wrong("", "nobody says anything")
    return Example(messages)


def _content(said: Any, place: str, notes: Notes) -> Any:
    if isinstance(said, str):
        return said
    file = said if isinstance(said, list) and said else [said.get("path")] if isinstance(said, dict) else [None]
    path = file[0]
    if not isinstance(path, str):
        raise wrong(place, f"what is said is a text or a file, not {type(said).__name__}")
    kind = ENDINGS.get(path.rpartition(".")[2].lower(), "file")
    part: dict[str, Any] = {"type": kind, "path": path}
    if isinstance(said, list) and len(said) > 1 and said[1] is not None:
        part["alt_text"] = said[1]
    notes.add("changed", place, f"a file is a part of the type {kind!r}")
    return [part]


def write(example: Example, notes: Notes) -> list[list[Any]]:
    """Pairs, with null where one of the two says nothing or speaks again."""
    leave_head(example, "gradio-pairs", notes)
    leave_extras(example, notes)
    pairs: list[list[Any]] = []
    for index, message in enumerate(example.messages):
        at = f"messages[{index}]"
        refuse_roles(message, at, ROLES, "gradio-pairs")
        words_only(message, at, "gradio-pairs", notes)
        for said in _said(message, at, notes):
            if message["role"] == "assistant" and pairs and pairs[-1][1] is None:
                pairs[-1][1] = said
            else:
                pairs.append([said, None] if message["role"] == "user" else [None, said])
    return pairs


def _said(message: Message, place: str, notes: Notes) -> list[Any]:
    content = message.get("content")
    if not isinstance(content, list):
        return [content or ""]
    said: list[Any] = []
    for index, part in enumerate(content):
        found = address(part)
        if part.get("type") == "text":
            said.append(text_alone(part, f"{place}.content[{index}]", notes))
        elif found is not None:
            leave_rest(part, ("alt_text",), f"{place}.content[{index}]", notes)
            said.append([found, part["alt_text"]] if "alt_text" in part else [found])
        else:
            notes.lose(f"{place}.content[{index}]", f"there is no place for a part of the type {part.get('type')!r}")
    if len(said) > 1:
        notes.add("changed", place, "a message of several parts is several turns")
    return said
