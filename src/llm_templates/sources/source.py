"""TemplateSource: what every source returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TemplateSource:
    """A chat template's text and what belongs to it."""

    #: The template, as Jinja text.
    text: str
    #: The special tokens it may read: `bos_token`, `eos_token`, ...; one that is not set is not there.
    special_tokens: Mapping[str, str] = field(default_factory=dict)
    #: What the template is called in errors and listings, if it has a name.
    name: str | None = None
    #: Where the text came from, in words.
    origin: str = "text"
