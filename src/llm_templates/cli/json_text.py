"""JSON as people write it into files: read, or refused with the place, the line and the way out."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
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
        return json.loads(text)
    except ValueError as error:
        raise _refusal(path, text, error) from None
    except RecursionError:
        raise _too_much(path) from None


def read_json_or_lines(path: str) -> tuple[Any, bool]:
    """The same, or the contents of JSON lines as a list; and whether they are lines.

    Raises:
        InputError: it cannot be read, or is not UTF-8, or neither JSON nor JSON lines.
    """
    text = read_text(path)
    try:
        return json.loads(text), False
    except ValueError as error:
        first = next((line for line in text.split("\n") if line.strip()), "")
        if getattr(error, "msg", "") != "Extra data" or not _is_json(first):
            raise _refusal(path, text, error) from None
    except RecursionError:
        raise _too_much(path) from None
    return list(_read_lines(path, text)), True


def _read_lines(path: str, text: str) -> Iterator[Any]:
    at = 0
    for line in text.split("\n"):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                # The place in the file, not in the line.
                raise _refusal(path, text, json.JSONDecodeError(error.msg, text, at + error.pos)) from None
            except (ValueError, RecursionError):
                raise _too_much(path) from None
        at += len(line) + 1


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


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


def _too_much(path: str) -> InputError:
    # A number of more than 4,300 digits; thousands of nested brackets.
    return InputError(
        f"{place(path)}: this JSON has too long a number or is nested too deep", hint="is it the file that was meant?"
    )


def _refusal(path: str, text: str, error: ValueError) -> InputError:
    if not isinstance(error, json.JSONDecodeError):
        return _too_much(path)
    if not text.strip():
        return InputError(f"{place(path)}: there is nothing in it", hint="it must hold JSON")
    at = _comma_before_bracket(text, error.pos)
    if at is None:
        at, hint = error.pos, _way_out(text[error.pos :], error.msg, is_start=not text[: error.pos].strip())
    else:
        hint = "remove the comma before the closing bracket"
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return InputError(
        f"{place(path)}: not valid JSON at line {line}, column {column}",
        excerpt=_excerpt(text.split("\n")[line - 1], line, column),
        hint=hint,
    )


def _comma_before_bracket(text: str, at: int) -> int | None:
    """Where the comma stands that is too much; Python's versions differ in where they stop."""
    if not text[at:].lstrip(", \t\r\n").startswith(("]", "}")):
        return None
    if text.startswith(",", at):
        return at
    before = text[:at].rstrip(" \t\r\n")
    return len(before) - 1 if before.endswith(",") else None


def _way_out(rest: str, said: str, is_start: bool) -> str:
    """What to do about JSON that cannot be read from `rest` on."""
    if not rest.strip() or said.startswith("Unterminated string"):
        return "it ends in the middle: was the file cut short?"
    if rest.startswith("'"):
        return "JSON wants double quotes; json.dumps in Python writes them"
    if rest.startswith(("True", "False", "None")):
        return "JSON writes true, false and null"
    if rest.startswith(("//", "/*", "#")):
        return "JSON has no comments"
    if said.startswith("Invalid control character"):
        return "write a line break inside a text as \\n"
    if said.startswith("Invalid \\"):
        return "write a backslash as \\\\"
    if is_start:
        return "JSON begins with [ or {"
    return f"{said[:1].lower()}{said[1:]}"


def _excerpt(text: str, line: int, column: int) -> str:
    shown = text.replace("\t", " ").rstrip("\r")
    start = max(0, column - 1 - WIDTH // 2)
    number = f"{line:>3}"
    return f"{number} | {shown[start : start + WIDTH]}\n{' ' * len(number)} | {' ' * (column - 1 - start)}^"
