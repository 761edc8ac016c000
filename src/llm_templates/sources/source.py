"""TemplateSource: what every source returns; and Access: how one on the network is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

#: The name of the template that is used unless another one is asked for.
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class TemplateSource:
    """The chat templates of one model or file, and what belongs to them.

    >>> TemplateSource.of("{{ messages[0].content }}").templates
    {'default': '{{ messages[0].content }}'}
    """

    #: Jinja texts by name; most models have only a "default", some a "tool_use" or "rag" beside it. Empty for a model
    #: without any.
    templates: Mapping[str, str]
    #: The special tokens they may read: `bos_token`, `eos_token`, ...; one that is not set is not there.
    special_tokens: Mapping[str, str] = field(default_factory=dict)
    #: What the model is called in errors and listings, if it has a name.
    name: str | None = None
    #: Where the templates came from, in words.
    origin: str = "text"
    #: Whether they are a processor's, for a model that sees or hears: unlike a tokenizer it does not choose "tool_use"
    #: when tools are given, and it writes a message's `image_url` parts as `image` parts.
    by_processor: bool = False
    #: The commit they were read at, for a model of the hub.
    commit: str | None = None
    #: The built-in family whose template this is, if it is one.
    family: str | None = None
    #: The texts of the tokens that the model's generation configuration stops at.
    stop_tokens: tuple[str, ...] = ()
    #: How the publisher describes outputs: `response_template` of the tokenizer's configuration; {} without one.
    response_template: Mapping[str, Any] = field(default_factory=dict)
    #: For a model without a template: where one was looked for and may be found, in a sentence.
    hint: str | None = None

    @classmethod
    def of(
        cls,
        text: str,
        special_tokens: Mapping[str, str] | None = None,
        name: str | None = None,
        origin: str = "text",
    ) -> TemplateSource:
        """A source with a single template."""
        return cls({DEFAULT: text}, special_tokens or {}, name, origin)

    @property
    def text(self) -> str:
        """The default template."""
        return self.templates[DEFAULT]


class Access(NamedTuple):
    """How a repository on the hub is reached; references of other kinds have no use for it."""

    #: A branch, tag or commit.
    revision: str | None = None
    #: Whether only the cache is looked into.
    offline: bool = False
    #: A token of one's account; None for the one that is logged in, False for none.
    token: str | bool | None = None
    #: The address of the hub.
    endpoint: str | None = None
