"""What the command line reads: conversations as JSON or JSON lines, variables as NAME=VALUE."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

import click

from ..errors import InputError
from ..families import find
from .json_text import place, read_json_or_lines

#: The keys of a conversation given as an object.
KEYS = ("messages", "tools", "documents")
EXAMPLE = 'a conversation of one message: [{"role": "user", "content": "Hello!"}]'


class Request(NamedTuple):
    """A conversation with what came along with it."""

    messages: list[Any]
    tools: list[Any] | None = None
    documents: list[Any] | None = None
    #: What the user should know about it.
    notes: tuple[str, ...] = ()


def check_path(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The path of a conversation, or `-`; what a newcomer may have meant instead is told.

    Raises:
        click.UsageError: there is no such file.
    """
    if value is not None and os.path.isdir(value):
        raise click.UsageError(f"{value!r} is a folder; a conversation is a file", ctx)
    if value is None or value == "-" or os.path.exists(value):
        return value
    message = f"there is no file {value!r}"
    near = _near_file(value)
    if near is not None:
        message += f"; did you mean {near!r}?"
    elif find(value) is not None:
        message += "; the model comes first, then the file"
    elif not value.endswith((".json", ".jsonl")):
        message += "; a message is given as text with --user"
    raise click.UsageError(message, ctx)


def _near_file(path: str) -> str | None:
    """A file of nearly that name in the same folder."""
    from difflib import get_close_matches

    folder, name = os.path.split(path)
    try:
        near = get_close_matches(name, os.listdir(folder or "."), n=1, cutoff=0.75)
    except OSError:
        return None
    return os.path.join(folder, near[0]) if near else None


def read_request(path: str) -> Request:
    """The conversation in a file, or on standard input for `-`.

    It is a JSON list of messages, an object that has one as `messages`, or a message on each line.

    Raises:
        InputError: not UTF-8, not JSON, or another shape.
    """
    content, lines = read_json_or_lines(path)
    if lines:
        return Request(_messages_of_lines(path, content))
    if isinstance(content, list):
        return Request(content)
    if not isinstance(content, dict) or "messages" not in content:
        if _is_message(content):
            return Request([content])
        raise InputError(
            f"{place(path)}: expected a list of messages or an object with 'messages', found {found(content)}",
            hint=EXAMPLE,
        )
    given = {key: content[key] for key in KEYS if key == "messages" or content.get(key) is not None}
    for key, value in given.items():
        if not isinstance(value, list):
            raise InputError(f"{place(path)}: {key}: expected a list, found {found(value)}", hint=EXAMPLE)
    unused = ", ".join(sorted(content.keys() - set(KEYS)))
    return Request(**given, notes=(f"{place(path)}: not used: {unused}",) if unused else ())


def _messages_of_lines(path: str, lines: list[Any]) -> list[Any]:
    for number, content in enumerate(lines, 1):
        if _is_message(content):
            continue
        if isinstance(content, list) or (isinstance(content, dict) and "messages" in content):
            raise InputError(
                f"{place(path)}: these are {len(lines)} conversations, one on each line, and one is rendered at a time",
                hint=f"pick one: sed -n {number}p FILE | llm-templates render MODEL -",
            )
        raise InputError(f"{place(path)}: line {number}: expected a message, found {found(content)}", hint=EXAMPLE)
    return lines


def _is_message(content: Any) -> bool:
    return isinstance(content, dict) and "role" in content


def read_variable(text: str) -> tuple[str, Any]:
    """NAME=VALUE as a name and a value: JSON where VALUE is JSON, its own text otherwise.

    >>> read_variable("enable_thinking=false"), read_variable("date=26 Jul 2024")
    (('enable_thinking', False), ('date', '26 Jul 2024'))
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE", param_hint="--var")
    try:
        return name, json.loads(value, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return name, value


def found(content: Any) -> str:
    """What a JSON value is called in an error."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(content), "a number")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
