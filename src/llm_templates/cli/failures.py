"""How a command ends when it fails: the exit status of each kind of error, and its text for people or as JSON."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import click

from ..errors import TEXT_LIMIT, InputError, MissingExtraError, SourceError, TemplatesError

#: The exit status of each kind of error of the library; the first kind that fits.
STATUSES = ((MissingExtraError, 7), (InputError, 3), (SourceError, 5), (TemplatesError, 4))
#: A fault of this program.
BUG = 70
#: The output cannot be written.
OUTPUT = 74
#: Ended from the keyboard.
INTERRUPTED = 130
#: The reader of the output went away: the status of a program that SIGPIPE ends.
READER_GONE = 141

ON_HUB = ", or the id of a model on the hub (owner/name)"
#: How the library's hints, which name Python arguments, read on a command line.
OPTIONS = (
    (re.compile(r"\bvariant='([^']*)'"), r"--variant \1"),
    (re.compile(r"\b(default|revision|variant)=\"?([\w./-]+)\"?"), r"--\1 \2"),
    (re.compile(r", the id of a model on the hub \(owner/name\), or a loaded tokenizer or processor"), ON_HUB),
    (re.compile(r"its template is built in: load\('([^']*)'\)"), r"its template is built in, as \1"),
    (re.compile(r", set HF_TOKEN, or pass a token"), " or set HF_TOKEN"),
    (re.compile(r"\boffline=(True|False)"), "--offline"),
    (re.compile(r" \(strict=False passes it anyway\)"), ""),
    (re.compile(r"pass it as the argument of that name, if there is one"), "it is set by an option or by the input"),
    (re.compile(r"raise it with limits=Limits\(.*\)"), "from Python, load(..., limits=...) raises it"),
)


class OutputError(click.ClickException):
    """Standard output takes no more: a full disk, mostly."""

    exit_code = OUTPUT


class Failure(NamedTuple):
    """What is told about an error, whoever reads it."""

    #: The name of the error's class.
    kind: str
    #: The exit status.
    status: int
    #: What went wrong, in one sentence.
    message: str
    #: The template line, where there is one.
    line: int | None = None
    #: What an excerpt shows: the template's line or the input's, with a caret below it.
    excerpt: str | None = None
    #: The way out, in one sentence.
    hint: str | None = None

    @classmethod
    def of(cls, error: TemplatesError | click.ClickException) -> Failure:
        """The failure that an error of the library, or a wrong command line, is.

        >>> Failure.of(SourceError("nothing is known by the name 'x'")).status
        5
        """
        if isinstance(error, click.ClickException):
            kind = click.UsageError if isinstance(error, click.UsageError) else type(error)
            return cls(kind.__name__, error.exit_code, error.format_message())
        status = next(status for kind, status in STATUSES if isinstance(error, kind))
        hint = None if error.hint is None else on_command_line(error.hint)
        message = error.message[:TEXT_LIMIT]  # a template may say anything, of any length
        return cls(type(error).__name__, status, message, error.line, error.excerpt, hint)

    def as_json(self) -> str:
        """One line of JSON: an object with the one key `error`."""
        return json.dumps({"error": self._asdict()}, ensure_ascii=True)

    def as_text(self) -> str:
        """The message, the excerpt and the hint, as the library writes them."""
        return str(TemplatesError(self.message, excerpt=self.excerpt, hint=self.hint))


def on_command_line(hint: str) -> str:
    """A hint of the library in the words of the command line.

    >>> on_command_line("load it with variant='tool_use', or another of these")
    'load it with --variant tool_use, or another of these'
    """
    for pattern, replacement in OPTIONS:
        hint = pattern.sub(replacement, hint)
    return hint
