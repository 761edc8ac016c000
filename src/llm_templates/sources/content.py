"""The content of a model's files: text and JSON of bounded size, and the errors when it is neither."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..errors import SourceError

#: The largest file that is read: a tokenizer_config.json that lists 65,536 added tokens has 12 MiB.
FILE_LIMIT = 16 * 2**20
#: The same for JSON with characters beyond ASCII, which take four times the memory.
WIDE_LIMIT = 7 * 2**20
#: How many values JSON may hold; the file with the added tokens has 460,000.
VALUE_LIMIT = 500_000

_OTHER_FILE = "is it the file that was meant? a model's configuration is a small JSON object"
_LIST = 'a list of named templates is [{"name": "default", "template": "..."}, ...]'


def read_bytes(path: str) -> bytes | None:
    """The content of a file; None when there is no such file.

    Raises:
        SourceError: it cannot be read, or is too large.
    """
    if not os.path.isfile(path):
        return None
    try:
        with open(path, "rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise SourceError(
            f"{path}: the file cannot be read: {error.strerror or error}", hint="is it yours to read?"
        ) from None
    check_size(len(data), path, FILE_LIMIT)
    return data


def write_bytes(path: str, data: bytes) -> None:
    """Make a file, or put it in the place of another, whole or not at all."""
    folder, name = os.path.split(path)
    os.makedirs(folder or ".", exist_ok=True)
    # Beside the file, so that it can be moved; opened like any new file, so that it gets the usual permissions.
    unfinished = os.path.join(folder, f".{name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with open(unfinished, "xb") as file:
            file.write(data)
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            os.remove(unfinished)
        raise


def check_size(size: int, place: str, limit: int) -> None:
    """Raises SourceError for a file that is larger than any honest one."""
    if size > limit:
        raise SourceError(f"{place}: the file has more than {limit // 2**20} MiB", hint=_OTHER_FILE)


def decode(data: bytes, place: str) -> str:
    """UTF-8 text."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(f"{place}: not UTF-8 text (byte {error.start})", hint="save the file as UTF-8") from None


def parse_object(data: bytes, place: str) -> dict[str, Any]:
    """A JSON object.

    >>> parse_object(b'{"bos_token": "<s>"}', "tokenizer_config.json")
    {'bos_token': '<s>'}
    """
    check_size(len(data), place, FILE_LIMIT if data.isascii() else WIDE_LIMIT)
    text = decode(data, place)
    # Each value but the first of its kind follows one of these; small ones take a hundred times their text.
    if text.count(",") + text.count("{") + text.count("[") > VALUE_LIMIT:
        raise SourceError(f"{place}: this JSON holds more than {VALUE_LIMIT:,} values", hint=_OTHER_FILE)
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise SourceError(f"{place}: not valid JSON: {error}", hint="was the download cut short?") from None
    except (ValueError, RecursionError):  # a number of more than 4,300 digits; thousands of nested brackets
        raise SourceError(
            f"{place}: this JSON holds a number too long or is nested too deep to be read", hint=_OTHER_FILE
        ) from None
    if not isinstance(content, dict):
        raise SourceError(f"{place}: expected a JSON object, found {type(content).__name__}", hint=_OTHER_FILE)
    return content


def named_templates(content: Any, place: str) -> dict[str, str]:
    """The templates of an entry `chat_template`: text, a list of named templates, or a mapping from name to template.

    >>> named_templates([{"name": "rag", "template": "{{ 1 }}"}], "tokenizer_config.json")
    {'rag': '{{ 1 }}'}
    """
    if isinstance(content, str):
        return {"default": content}
    if isinstance(content, list | tuple):
        if not all(isinstance(entry, Mapping) and {"name", "template"} <= entry.keys() for entry in content):
            raise SourceError(f"{place}: the entries of chat_template need a name and a template", hint=_LIST)
        if not all(isinstance(entry["name"], str) for entry in content):
            raise SourceError(f"{place}: the names in chat_template must be text", hint=_LIST)
        content = {entry["name"]: entry["template"] for entry in content}
    if not isinstance(content, Mapping) or not all(isinstance(value, str) for value in content.values()):
        raise SourceError(
            f"{place}: chat_template must be text, a list of named templates, or an object of them", hint=_LIST
        )
    return {str(name): template for name, template in content.items()}


def without_blank(templates: Mapping[str, str], place: str) -> dict[str, str]:
    """The templates that say something: a model whose only template is blank has none.

    Raises:
        SourceError: one of several is blank; every prompt made with it would be empty.
    """
    kept = {name: template for name, template in templates.items() if template.strip()}
    if kept and len(kept) < len(templates):
        blank = ", ".join(repr(name) for name in templates if name not in kept)
        raise SourceError(
            f"{place}: the chat template {blank} is empty", hint="remove it, or load the file of the one you want"
        )
    return kept
