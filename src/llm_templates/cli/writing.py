"""What the command line writes: a text exactly, a JSON document, or a table, as UTF-8."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any

import click

from ..errors import InputError
from .failures import OutputError

#: Control characters as a terminal is shown them, so that a stranger's template cannot drive it.
ESCAPES = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}
#: The same for a table, where a line is a row.
ROW_ESCAPES = {**ESCAPES, ord("\n"): "\\n", ord("\t"): "\\t"}


def write_text(text: str, what: str) -> None:
    """Write `text` to standard output, byte for byte.

    A terminal is written to for a person: with a line break at the end, and control characters as escapes.

    Raises:
        InputError: UTF-8 cannot write it; the error calls it `what`.
    """
    if sys.stdout.isatty():
        text = text.translate(ESCAPES)
        if not text.endswith("\n"):
            text += "\n"
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"{what} holds half a character (U+{ord(text[error.start]):04X}), which UTF-8 cannot write",
            hint="a \\u escape in the JSON stands without its other half; --json writes it as that escape",
        ) from None
    _write(data)


def write_note(note: str) -> None:
    """Write what a user should know to standard error."""
    click.echo(f"Note: {note.translate(ROW_ESCAPES)}", err=True)


def write_document(content: Any) -> None:
    """Write one JSON document, on one line, for programs."""
    text = json.dumps(content, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = json.dumps(content)
    write_text(text + "\n", "the document")


def write_table(rows: Sequence[tuple[str, str]]) -> None:
    """Write names and values in two columns, a row on each line; the names are bold where a terminal shows it."""
    width = max((len(name) for name, _ in rows), default=0)
    coloured = sys.stdout.isatty() and click.get_current_context().color is not False
    lines = []
    for name, value in rows:
        shown = click.style(name, bold=True) if coloured and name else name
        lines.append(f"{shown}{' ' * (width - len(name))}  {value.translate(ROW_ESCAPES)}".rstrip() + "\n")
    _write("".join(lines).encode("utf-8", "backslashreplace"))


def write_lines(lines: Sequence[str]) -> None:
    """Write lines that are ready to be shown."""
    _write("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))


def write_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table with a header; on a terminal each line is cut to its width, in a file none is."""
    table = [header, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    terminal = sys.stdout.isatty()
    coloured = terminal and click.get_current_context().color is not False
    room = shutil.get_terminal_size().columns if terminal else None
    lines = []
    for index, row in enumerate(table):
        cells = (cell.translate(ROW_ESCAPES).ljust(width) for cell, width in zip(row, widths, strict=True))
        line = "  ".join(cells).rstrip()
        if room is not None and len(line) > room:
            line = line[: room - 1].rstrip() + "…"
        if coloured:
            end = widths[0] if index else len(line)
            line = click.style(line[:end], bold=True) + line[end:]
        lines.append(f"{line}\n")
    _write("".join(lines).encode("utf-8", "backslashreplace"))


def _write(data: bytes) -> None:
    rest = memoryview(data)
    try:
        while rest:  # an unbuffered stream (PYTHONUNBUFFERED) takes what the pipe has room for
            rest = rest[sys.stdout.buffer.write(rest) :]
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"the output cannot be written: {error.strerror or error}") from None
