"""What the command line reads: conversations and tools as JSON, variables as NAME=VALUE."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import click

from ..errors import InputError

#: The keys of a conversation given as an object.
KEYS = ("messages", "tools", "documents")


class Request(NamedTuple):
    """A conversation with what came along with it."""

    messages: list[Any]
    tools: list[Any] | None = None
    documents: list[Any] | None = None


def read_request(path: str) -> Request:
    """The conversation in a JSON file, or on standard input for `-`: a list of messages, or an object that has one.

    Raises:
        InputError: not UTF-8, not JSON, or another shape.
    """
    content = _read_json(path)
    if isinstance(content, list):
        return Request(content)
    if not isinstance(content, dict) or "messages" not in content:
        raise InputError(
            f"{_place(path)}: expected a list of messages or an object with 'messages', found {_found(content)}",
            hint='a conversation of one message: [{"role": "user", "content": "Hello!"}]',
        )
    ignored = sorted(content.keys() - set(KEYS))
    if ignored:
        click.echo(f"Note: {_place(path)}: not used: {', '.join(ignored)}", err=True)
    given = {key: content[key] for key in KEYS if key == "messages" or content.get(key) is not None}
    for key, value in given.items():
        if not isinstance(value, list):
            raise InputError(f"{_place(path)}: {key}: expected a list, found {_found(value)}")
    return Request(**given)


def read_tools(path: str) -> list[Any]:
    """The tools in a JSON file: a list of tool definitions.

    Raises:
        InputError: not UTF-8, not JSON, or not a list.
    """
    content = _read_json(path)
    if not isinstance(content, list):
        raise InputError(f"{_place(path)}: expected a list of tools, found {_found(content)}")
    return content


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


def _read_json(path: str) -> Any:
    try:
        with click.open_file(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise InputError(f"{_place(path)}: cannot be read: {error.strerror or error}") from None
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{_place(path)}: not UTF-8 text (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{_place(path)}: not valid JSON: {error}") from None
    except (ValueError, RecursionError):  # a number of more than 4,300 digits; thousands of nested brackets
        raise InputError(f"{_place(path)}: this JSON has too long a number or is nested too deep") from None


def _place(path: str) -> str:
    return "standard input" if path == "-" else path


def _found(content: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(content), "a number")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
