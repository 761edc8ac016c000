"""The table of formats: one module each, which detects, reads and writes it. The module's name is the format's."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Protocol

from ..evidence import Evidence, Look
from ..example import Example
from ..notes import Notes
from . import (
    alpaca,
    anthropic,
    gradio,
    gradio_pairs,
    harmony,
    haystack,
    hh,
    kto,
    langchain,
    llamaindex,
    openai,
    preference,
    prompt_completion,
    responses,
    segments,
    sharegpt,
    swift,
    text,
    trl,
)


class Format(Protocol):
    """What a module of this package has."""

    #: What it can write; names in `example.KINDS`.
    KINDS: frozenset[str]
    __doc__: str | None

    def detect(self, look: Look) -> Evidence | None:
        """Why a record may be of this format; None where it cannot."""

    def read(self, record: Any, notes: Notes) -> Example:
        """What the record says. It is plain data that belongs to the reader, without nulls at its top."""

    def write(self, example: Example, notes: Notes) -> Any:
        """A record that says the same; the example is of one of `KINDS`, and never changed."""


_MODULES: tuple[Format, ...] = (
    openai,
    responses,
    anthropic,
    sharegpt,
    alpaca,
    prompt_completion,
    preference,
    kto,
    text,
    hh,
    segments,
    trl,
    swift,
    gradio,
    gradio_pairs,
    harmony,
    langchain,
    llamaindex,
    haystack,
)


def _name(module: Format) -> str:
    return str(getattr(module, "__name__", "")).rpartition(".")[2].replace("_", "-")


#: Every format by its name. Of formats that read a record alike, the first counts.
FORMATS = MappingProxyType({_name(module): module for module in _MODULES})
