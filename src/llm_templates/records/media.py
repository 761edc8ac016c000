"""Images, audio and video: parts with their source, columns beside the messages, and tags within the text."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .example import Message
from .notes import Notes, wrong

#: Every type of a part that stands for a medium, and which.
MEDIA = {
    **dict.fromkeys(("image", "image_url", "input_image"), "image"),
    **dict.fromkeys(("video", "video_url"), "video"),
    **dict.fromkeys(("audio", "audio_url"), "audio"),
}
#: The column of a record that holds the media of a kind.
COLUMNS = {"image": "images", "video": "videos", "audio": "audios"}
#: Where a part has its medium: an address, a file, text in base64, or the thing itself.
SOURCES = ("url", "path", "base64", "image", "video", "audio")
#: What files of a kind begin with, in base64.
BEGINNINGS = {"iVBORw0KGgo": "image/png", "/9j/": "image/jpeg", "R0lGOD": "image/gif", "UklGR": "image/webp"}


def media_part(fields: dict[str, Any], place: str) -> dict[str, Any]:
    """A part with its medium under `url`, `path`, `base64`, or under its own name; a placeholder has none of these.

    >>> media_part({"type": "image_url", "image_url": {"url": "cat.png", "detail": "low"}}, "content[0]")
    {'type': 'image', 'url': 'cat.png', 'detail': 'low'}
    """
    given = fields["type"]
    kind = MEDIA[given]
    rest = {key: value for key, value in fields.items() if key not in ("type", given, "value", "source", "image_url")}
    held = next((fields[key] for key in (given, "image_url", "value", "source") if key in fields), None)
    if held is None:
        return {"type": kind, **rest}
    if isinstance(held, dict):
        inner = {key: value for key, value in held.items() if value is not None}
        if inner.get("type") == "base64":
            return {"type": kind, **_coded(inner.get("data"), inner.get("media_type"), place), **rest}
        if "url" in inner:
            return {"type": kind, **{key: value for key, value in inner.items() if key != "type"}, **rest}
        return {"type": kind, kind: dict(inner), **rest}
    if isinstance(held, str):
        return {"type": kind, "url": held, **rest}
    if isinstance(held, list):
        raise wrong(place, f"a part of the type {given!r} holds one {kind}, not a list")
    return {"type": kind, kind: held, **rest}


def _coded(data: Any, kind: Any, place: str) -> dict[str, str]:
    """A medium in base64: with its type as a URL, by itself otherwise."""
    if not isinstance(data, str):
        raise wrong(place, f"data in base64 is text, not {type(data).__name__}")
    return {"url": f"data:{kind};base64,{data}"} if isinstance(kind, str) else {"base64": data}


def is_placeholder(part: Mapping[str, Any]) -> bool:
    """Whether a part stands for a medium that is elsewhere."""
    return part.get("type") in COLUMNS and not any(key in part for key in SOURCES)


def address(part: Mapping[str, Any]) -> str | None:
    """Where a medium is, as a URL or a path; None for the thing itself.

    >>> address({"type": "image", "base64": "iVBORw0KGgoAAAA"})
    'data:image/png;base64,iVBORw0KGgoAAAA'
    """
    for key in ("url", "path"):
        if isinstance(part.get(key), str):
            return str(part[key])
    coded = part.get("base64")
    if isinstance(coded, str):
        return _data_url(coded)
    held = part.get(str(part.get("type")))
    if isinstance(held, str):
        return held
    if isinstance(held, dict):
        data = held.get("bytes")
        if isinstance(data, bytes):
            return _data_url(base64.b64encode(data).decode("ascii"))
        path = held.get("path")
        return path if isinstance(path, str) else None
    return None


def leave_rest(part: Mapping[str, Any], kept: Collection[str], place: str, notes: Notes) -> None:
    """Note what a part of a medium says besides where it is, and a target has no place for."""
    for key in part:
        if key not in ("type", *SOURCES, *kept):
            notes.add("left out", place, f"{key!r} of a medium")


def _data_url(coded: str) -> str | None:
    kind = next((kind for start, kind in BEGINNINGS.items() if coded.startswith(start)), None)
    return f"data:{kind};base64,{coded}" if kind else None


def media_parts(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """The parts of all messages that stand for media."""
    contents = (message.get("content") for message in messages)
    lists = [content for content in contents if isinstance(content, list)]
    return [part for content in lists for part in content if part.get("type") in COLUMNS]


def fill(messages: list[Message], extras: dict[str, Any], notes: Notes) -> dict[str, Any]:
    """Put the media of a record's columns where their placeholders are, in place; the extras without the columns.

    Raises:
        InputError: there are more of one than of the other.
    """
    left = dict(extras)
    for kind, column in COLUMNS.items():
        held = left.get(column)
        if not isinstance(held, list) or not held:
            continue
        slots = [part for part in media_parts(messages) if part["type"] == kind and is_placeholder(part)]
        if not slots:
            notes.add("kept", column, "media of which nothing marks where they stand")
            continue
        if len(slots) != len(held):
            raise wrong(column, f"{len(held)} for {len(slots)} places in the messages")
        for part, medium in zip(slots, held, strict=True):
            part["url" if isinstance(medium, str) else kind] = medium
        del left[column]
    return left


def medium(part: Mapping[str, Any]) -> Any:
    """What a column holds of a part: its address, or the thing itself."""
    found = address(part)
    return found if found is not None else part.get(str(part["type"]), part.get("base64"))
