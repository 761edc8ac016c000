"""An output or a prompt on the command line: as text, as the name of a file, or on standard input."""

from __future__ import annotations

import os
import sys

import click

from ..errors import InputError
from .json_text import read_text
from .writing import write_note

#: What the name of a file begins with where text is expected.
FILE = "@"


def check_given(given: str | None, what: str) -> None:
    """Refuse to wait for text that nobody is going to type.

    Raises:
        click.UsageError: there is neither an argument nor anything on standard input.
    """
    if given is None and sys.stdin.isatty():
        raise click.UsageError(f"give {what}: as text, as {FILE}FILE, or on standard input")


def read_given_text(given: str | None) -> str:
    """The text that an argument is or names: `@FILE` a file, `-` or nothing standard input, anything else itself.

    Raises:
        InputError: a file cannot be read, or is not UTF-8.
    """
    if given is None or given == "-":
        return read_text("-")
    if given.startswith(FILE):
        try:
            return read_text(given.removeprefix(FILE))
        except InputError as error:
            error.hint = error.hint or f"text that begins with {FILE} is given on standard input"
            raise
    if len(given) < 256 and os.path.isfile(given):
        write_note(f"the text {given!r} is taken as it stands; {FILE}{given} is what is in the file of that name")
    return given
