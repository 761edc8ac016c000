"""From a reference (what a user names a model by) to its template: one ordered table of sources."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

from .. import families
from ..errors import SourceError
from . import builtin, path, text, tokenizer
from .source import DEFAULT, Access, TemplateSource

__all__ = ["DEFAULT", "SOURCES", "Access", "Source", "TemplateSource", "fetch", "resolve"]


def _from_hub(reference: Any, access: Access) -> TemplateSource | None:
    # Imported when nothing before it knew the reference: the hub is the largest of the sources.
    from . import hub

    return hub.read(reference, access)


class Source(NamedTuple):
    """A kind of reference: what it looks like, and the reader that returns None for a reference of another kind."""

    description: str
    read: Callable[[Any, Access], TemplateSource | None]


#: Asked in this order; the first reader that knows the reference answers.
SOURCES = (
    Source("Jinja text (it contains '{{' or '{%')", text.read),
    Source("a model's folder or a .jinja, .gguf or tokenizer_config.json file", path.read),
    Source("a built-in name", builtin.read),
    Source("the id of a model on the hub (owner/name)", _from_hub),
    Source("a loaded tokenizer or processor", tokenizer.read),
)


def resolve(
    reference: Any,
    *,
    revision: str | None = None,
    offline: bool = False,
    token: str | bool | None = None,
    endpoint: str | None = None,
) -> TemplateSource:
    """The templates that `reference` stands for, with their special tokens; none for a model without a template.

    Args:
        reference: Jinja text, the path of a model's folder or file, a built-in name, a hub id, or a tokenizer or
            processor that is loaded.
        revision: the branch, tag or commit of a hub id.
        offline: look for a hub id in the cache only.
        token: what shows a private or gated model; None for the one that is logged in, False for none.
        endpoint: another hub's address.

    Raises:
        SourceError: the reference is none of these, or what it names is broken or cannot be had.

    >>> resolve("{{ messages[0].content }}").origin
    'text'
    >>> resolve("zephyr").special_tokens["eos_token"]
    '</s>'
    """
    access = Access(revision, offline, token, endpoint)
    for source in SOURCES:
        found = source.read(reference, access)
        if found is not None:
            return found
    raise _unknown(reference)


def fetch(
    reference: str,
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    endpoint: str | None = None,
) -> TemplateSource:
    """The templates of a hub id as they are on the hub now, whatever the cache says; afterwards they are in the cache.

    Raises:
        SourceError: the reference is not a hub id, or the model cannot be had.
    """
    from . import hub

    return hub.fetch(reference, Access(revision, False, token, endpoint))


def _unknown(reference: Any) -> SourceError:
    if not isinstance(reference, str | os.PathLike):
        kind = type(reference).__name__
        return SourceError(f"a reference must be text, a path or a tokenizer, not {kind}", hint=_kinds())
    name = os.fsdecode(reference)
    shown = name if len(name) <= 200 else f"{name[:200]}…"
    if not isinstance(reference, str) or os.path.isabs(name) or name.startswith((".", "~")) or name.endswith(_ENDINGS):
        return SourceError(f"there is no file or folder {shown!r}", hint=_kinds())
    return SourceError(f"nothing is known by the name {shown!r}", hint=f"{families.suggestion(name)}\n{_kinds()}")


_ENDINGS = (*path.TEMPLATE_ENDINGS, ".gguf", ".json")


def _kinds() -> str:
    *others, last = (source.description for source in SOURCES)
    return f"a reference is {', '.join(others)}, or {last}"
