"""JSON as people write it into files: read, or refused with the place, the line and the way out."""

from __future__ import annotations

import codecs
import json
from typing import Any

import click

from ..errors import InputError

#: The longest part of a line an excerpt shows.
WIDTH = 100

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_json(path: str) -> Any:
    """The content of a JSON file, or of standard input for `-`.

    Raises:
        InputError: it cannot be read, or is not UTF-8 or not JSON.
    """
    text = read_text(path)
    try:
        return _loads(text)
    except json.JSONDecodeError as error:
        raise _refusal(path, text, error) from None
    except (ValueError, RecursionError):
        raise _too_much(path) from None


def read_json_or_lines(path: str) -> tuple[Any, bool]:
    """The same, or the contents of JSON lines as a list; and whether they are lines.

    Raises:
        InputError: it cannot be read, or is not UTF-8, or neither JSON nor JSON lines.
    """
    text = read_text(path)
    try:
        return _loads(text), False
    except json.JSONDecodeError as error:
        lines = text.splitlines() if "\u2028" not in text else text.split("\n")
        if error.msg != "Extra data" or not _is_json(next(line for line in lines if line.strip())):
            raise _refusal(path, text, error) from None
    except (ValueError, RecursionError):
        raise _too_much(path) from None
    return [content for content in _each(path, text)], True


def _each(path: str, text: str) -> Any:
    at = 0
    for line in text.split("\n"):
        if line.strip():
            try:
                yield _loads(line)
            except json.JSONDecodeError as error:
                # The place in the file, not in the line.
                raise _refusal(path, text, json.JSONDecodeError(error.msg, text, at + error.pos)) from None
            except (ValueError, RecursionError):
                raise _too_much(path) from None
        at += len(line) + 1


def read_text(path: str) -> str:
    """The text of a file, or of standard input for `-`, as UTF-8 with or without a byte order mark.

    Raises:
        InputError: it cannot be read, or is not UTF-8.
    """
    try:
        with click.open_file(path, "rb") as file:
            data: bytes = file.read()
    except OSError as error:
        raise InputError(f"{place(path)}: cannot be read: {error.strerror or error}") from None
    if data.startswith(UTF_16):
        raise InputError(f"{place(path)}: this is UTF-16, not UTF-8 text", hint="save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{place(path)}: not UTF-8 text (byte {error.start})", hint="save it as UTF-8") from None


def place(path: str) -> str:
    """What an error calls a file."""
    return "standard input" if path == "-" else path


def _loads(text: str) -> Any:
    return json.loads(text)


def _is_json(text: str) -> bool:
    try:
        _loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _too_much(path: str) -> InputError:
    # A number of more than 4,300 digits; thousands of nested brackets.
    return InputError(f"{place(path)}: this JSON has too long a number or is nested too deep")


def _refusal(path: str, text: str, error: json.JSONDecodeError) -> InputError:
    if not text.strip():
        return InputError(f"{place(path)}: there is nothing in it", hint="it must hold JSON")
    where = f"line {error.lineno}, column {error.colno}"
    return InputError(
        f"{place(path)}: not valid JSON at {where}", excerpt=_excerpt(text, error), hint=_way_out(text, error)
    )


def _way_out(text: str, error: json.JSONDecodeError) -> str:
    rest = text[error.pos :]
    if not rest.strip() or error.msg.startswith("Unterminated string"):
        return "it ends in the middle: was the file cut short?"
    if rest.startswith("'"):
        return "JSON wants double quotes; json.dumps in Python writes them"
    if rest.startswith(("True", "False", "None")):
        return "JSON writes true, false and null"
    if rest.lstrip(", \t\r\n").startswith(("]", "}")):
        return "remove the comma before the closing bracket"
    if error.msg.startswith("Invalid control character"):
        return "write a line break inside a text as \\n"
    if error.msg.startswith("Invalid \\"):
        return "write a backslash as \\\\"
    if rest.startswith(("//", "/*", "#")):
        return "JSON has no comments"
    return f"{error.msg[:1].lower()}{error.msg[1:]}"


def _excerpt(text: str, error: json.JSONDecodeError) -> str:
    line = text.split("\n")[error.lineno - 1].replace("\t", " ").rstrip("\r")
    at = error.colno - 1
    start = max(0, at - WIDTH // 2)
    number = f"{error.lineno:>3}"
    return f"{number} | {line[start : start + WIDTH]}\n{' ' * len(number)} | {' ' * (at - start)}^"
