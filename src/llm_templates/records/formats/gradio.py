"""Gradio's messages: role and content, where a file is an object with a path, and metadata for what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chat import read_messages
from ..evidence import Evidence, Look, by_messages
from ..example import Example, Message
from ..fields import beside, example, lone_text, opened, parts_of, with_extras
from ..media import address, leave_rest
from ..notes import Notes
from ..writing import head, refuse_roles, words_only
from .gradio_pairs import ENDINGS

KINDS = frozenset({"conversation"})

SIGNS = {
    "metadata": lambda item: isinstance(item.get("metadata"), dict) and "title" in item["metadata"],
    "options": lambda item: isinstance(item.get("options"), list) and "metadata" in item,
    "a file": lambda item: (
        (isinstance(item.get("content"), dict) and "path" in item["content"])
        or any(part.get("type") == "file" and "path" in _inner(part) for part in parts_of(item))
    ),
}
OWN = ("metadata", "options")


def _inner(part: Mapping[str, Any]) -> Mapping[str, Any]:
    held = part.get("file")
    return held if isinstance(held, dict) else {}


def detect(look: Look) -> Evidence | None:
    """Metadata with a title, options, or content that is a file."""
    return by_messages(look, SIGNS, needs="role")


def read(record: Any, notes: Notes) -> Example:
    """The conversation; metadata and options stay in their messages."""
    _, place, given, fields = opened(record, notes)
    messages = read_messages(
        [_with_parts(item, f"{place}[{index}]", notes) for index, item in enumerate(given)], place, notes
    )
    return example(messages, beside(fields, (), notes), notes)


def _with_parts(item: Mapping[str, Any], place: str, notes: Notes) -> dict[str, Any]:
    """The message with its files as parts, and without metadata that says nothing."""
    fields = {name: value for name, value in item.items() if name not in OWN or value}
    held = fields.get("metadata")
    if isinstance(held, dict) and not any(held.values()):
        del fields["metadata"]
    content = item.get("content")
    if isinstance(content, dict):
        content = [{"type": "file", "file": content}] if "path" in content else [content]
    if isinstance(content, list):
        # Every text is written as a list there.
        fields["content"] = lone_text([_part(part, place, notes) for part in content])
    return fields


def _part(part: Any, place: str, notes: Notes) -> Any:
    inner = _inner(part) if isinstance(part, dict) else {}
    if not isinstance(inner.get("path"), str):
        return part
    kind = ENDINGS.get(inner["path"].rpartition(".")[2].lower(), "file")
    alt = part.get("alt_text", inner.get("alt_text"))
    for key, value in inner.items():
        if value is not None and key not in ("path", "alt_text"):
            notes.add("left out", f"{place}.content", f"{key!r} of a file")
    return {"type": kind, "path": inner["path"], **({"alt_text": alt} if alt else {})}


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`messages`, their files as Gradio has them."""
    messages: list[Message] = []
    for index, message in enumerate(example.messages):
        at = f"messages[{index}]"
        words_only(message, at, "gradio", notes, OWN)
        refuse_roles(message, at, ("system", "user", "assistant"), "gradio")
        content = lone_text(message.get("content", ""))
        if isinstance(content, list):
            content = [_file(part, at, notes) for part in content]
        own = {name: message[name] for name in sorted(OWN) if name in message}
        messages.append({"role": message["role"], "content": content, **own})
    return with_extras({"messages": messages, **head(example)}, example, notes)


def _file(part: Mapping[str, Any], place: str, notes: Notes) -> dict[str, Any]:
    if part.get("type") == "text":
        return dict(part)
    found = address(part)
    if found is None:
        notes.add("kept", place, f"a part of the type {part.get('type')!r}")
        return dict(part)
    leave_rest(part, ("alt_text",), place, notes)
    alt = {"alt_text": part["alt_text"]} if "alt_text" in part else {}
    return {"type": "file", "file": {"path": found}, **alt}
