"""Records of other projects, read to one form and written from it: data for fine-tuning, messages of frameworks."""

from __future__ import annotations

from typing import Any, NamedTuple

from .detection import detected, format_named
from .example import fitted
from .formats import FORMATS
from .notes import Notes, Remark
from .plain import plain, without_padding

__all__ = ["FORMATS", "Conversion", "Remark", "convert"]


class Conversion(NamedTuple):
    """A record in another format, and how it came about."""

    #: The new record; it shares nothing with the old one but what is no data, such as images.
    record: Any
    #: The format it was in.
    source: str
    #: What was renamed, added, removed, left out or lost, what matters most first.
    report: tuple[Remark, ...]


def convert(record: Any, to: str = "openai", *, source: str | None = None, strict: bool = True) -> Conversion:
    """The record in the format `to`.

    Args:
        record: a record of any known format: an object, a list of messages or of pairs, a transcript; messages may be
            objects of LangChain, LlamaIndex, Haystack, openai-harmony, OpenAI or this library. Never changed.
        to: the name of a format, one of `FORMATS`.
        source: the name of the record's format, where that cannot be told or should not be guessed.
        strict: refuse what would lose words, calls, media or weights. Without it, they are left out, and the report
            says so.

    Raises:
        InputError: the record has no known format or several, cannot be read, or cannot be said in the other format;
            with the index of the message and the key.

    >>> turns = [{"from": "human", "value": "Is 91 a prime?"}, {"from": "gpt", "value": "No."}]
    >>> conversion = convert({"conversations": turns}, to="openai")
    >>> conversion.record
    {'messages': [{'role': 'user', 'content': 'Is 91 a prime?'}, {'role': 'assistant', 'content': 'No.'}]}
    >>> conversion.source
    'sharegpt'
    """
    target, writer = format_named(to, "to")
    given = plain(record)
    notes = Notes(strict)
    if isinstance(given, dict):
        given = without_padding(given, "", notes)
    if source is None:
        found, example, remarks = detected(given, strict)
        notes.extend(remarks)
    else:
        found, reader = format_named(source, "source")
        example = reader.read(given, notes)
    written = writer.write(fitted(example, writer.KINDS, target, notes), notes)
    return Conversion(written, found, notes.report())
