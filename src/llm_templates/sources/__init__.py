"""From a reference (what a user names a model by) to its template: one ordered table of sources."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from .. import families
from ..errors import SourceError
from . import builtin, directory, text
from .source import DEFAULT, TemplateSource

__all__ = ["DEFAULT", "SOURCES", "Source", "TemplateSource", "resolve"]


class Source(NamedTuple):
    """A kind of reference: what it looks like, and the reader that returns None for a reference of another kind."""

    description: str
    read: Callable[[str | os.PathLike[str]], TemplateSource | None]


#: Asked in this order; the first reader that knows the reference answers.
SOURCES = (
    Source("Jinja text (it contains '{{' or '{%')", text.read),
    Source("a model's folder or a .jinja file", directory.read),
    Source("a built-in name", builtin.read),
)


def resolve(reference: str | os.PathLike[str], *, revision: str | None = None, offline: bool = False) -> TemplateSource:
    """The template that `reference` stands for, with its special tokens.

    Args:
        reference: Jinja text, the path of a model's folder or of a `.jinja` file, or a built-in name.

    Raises:
        SourceError: the reference is none of these, or what it names holds no usable template.

    >>> resolve("{{ messages[0].content }}").origin
    'text'
    >>> resolve("zephyr").special_tokens["eos_token"]
    '</s>'
    """
    if not isinstance(reference, str | os.PathLike):
        raise SourceError(f"a reference must be text or a path, not {type(reference).__name__}", hint=_kinds())
    for source in SOURCES:
        found = source.read(reference)
        if found is not None:
            return found
    raise _unknown(reference)


def _unknown(reference: str | os.PathLike[str]) -> SourceError:
    name = os.fsdecode(reference)
    shown = name if len(name) <= 200 else f"{name[:200]}…"
    if not isinstance(reference, str) or os.path.isabs(name) or name.startswith((".", "~")) or name.endswith(".jinja"):
        return SourceError(f"there is no file or folder {shown!r}", hint=_kinds())
    return SourceError(f"nothing is known by the name {shown!r}", hint=f"{families.suggestion(name)}\n{_kinds()}")


def _kinds() -> str:
    *others, last = (source.description for source in SOURCES)
    return f"a reference is {', '.join(others)}, or {last}"
