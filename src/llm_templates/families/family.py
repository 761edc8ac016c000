"""Family: the facts about one prompt format as its TOML file states them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .switches import Switch, switch

_REASONING = ("reasoning", "<think", "[think", "thought", "_thinking|>")


class Quirk(NamedTuple):
    """Something a reader would not expect of a format, and why it is so."""

    what: str
    why: str


class Stop(NamedTuple):
    """What ends the model's turn: `tokens` by their text, `strings` where a model runs on in ordinary text."""

    tokens: tuple[str, ...] = ()
    strings: tuple[str, ...] = ()


class Origin(NamedTuple):
    """Whose text the format was checked against, and the licence of that text."""

    #: "publisher", "engine", "framework", "community" or "documentation".
    kind: str
    #: What it is, in a sentence.
    text: str
    licence: str


class Variable(NamedTuple):
    """A template variable beyond the standard ones."""

    #: "boolean", "string", "integer", "number", "list" or "object".
    type: str
    #: One sentence.
    meaning: str
    #: What the template takes it for when it is not given; None if it has no meaning then.
    default: Any = None
    #: The values it may have, where there are few.
    values: tuple[Any, ...] = ()


class Conventions(NamedTuple):
    """The shape of input that the template was written for; never converted to in silence."""

    #: What a tool call's arguments are: "object", "string" (JSON text), "either", or "none" if calls are not written.
    arguments: str = "none"
    #: What a message's content is: "string", "parts" or "either".
    content: str = "string"


class Family(NamedTuple):
    """A prompt format and the models that speak it, as the data files state them.

    >>> from llm_templates import families
    >>> family = families.get("zephyr")
    >>> family.title
    'Zephyr 7B'
    >>> family.special_tokens["eos_token"]
    '</s>'
    >>> family.stop_strings
    ('</s>', '<|system|>', '<|user|>', '<|assistant|>')
    """

    name: str
    #: The chat template, as Jinja text.
    template: str
    #: The publisher's other named templates, such as "tool_use" and "rag".
    variants: Mapping[str, str]
    title: str
    #: One sentence that says how the format looks.
    description: str
    origin: Origin
    #: Hub ids of the publishers' models in this format.
    models: tuple[str, ...]
    #: Hub ids with `*` for what varies; an id in `models` of another family, or a longer pattern, goes before.
    patterns: tuple[str, ...]
    #: Other names `load` knows the family by.
    aliases: tuple[str, ...]
    #: The roles the template writes.
    roles: tuple[str, ...]
    #: What a message's content may be and what happens to it.
    content: str
    #: How long a prompt the models take, in a sentence.
    context: str
    conventions: Conventions
    special_tokens: Mapping[str, str]
    stop: Stop
    variables: Mapping[str, Variable]
    reasoning: Switch | None
    quirks: tuple[Quirk, ...]
    #: What of the model's output cannot be read off the template, as data.
    response: Mapping[str, Any]

    @property
    def stop_strings(self) -> tuple[str, ...]:
        """What ends the model's turn: the texts of its stop tokens, and what it runs on with in ordinary text."""
        return (*self.stop.tokens, *self.stop.strings)

    @property
    def tools(self) -> bool:
        """Whether the template writes tools or calls of them."""
        return any("tools" in text or "tool_calls" in text for text in (self.template, *self.variants.values()))

    @property
    def reasons(self) -> bool:
        """Whether the format has a place for reasoning, in history or at the beginning of an answer."""
        return self.reasoning is not None or any(word in self.template.lower() for word in _REASONING)

    @property
    def media(self) -> tuple[str, ...]:
        """What beside text a message's parts may be: some of "image", "video", "audio"."""
        return tuple(kind for kind in ("image", "video", "audio") if f"'{kind}" in self.template)


def family_of(name: str, template: str, variants: Mapping[str, str], facts: Mapping[str, Any]) -> Family:
    """The family that a data file's entries describe."""
    stop, reasoning = facts["stop"], facts.get("reasoning")
    return Family(
        name=name,
        template=template,
        variants=variants,
        title=facts["title"],
        description=facts["description"],
        origin=Origin(**facts["origin"]),
        models=tuple(facts["models"]),
        patterns=tuple(facts.get("patterns", ())),
        aliases=tuple(facts.get("aliases", ())),
        roles=tuple(facts["roles"]),
        content=facts["content"],
        context=facts.get("context", ""),
        conventions=Conventions(**facts.get("conventions", {})),
        special_tokens=facts["special_tokens"],
        stop=Stop(tokens=tuple(stop["tokens"]), strings=tuple(stop["strings"])),
        variables={
            key: Variable(**{**entry, "values": tuple(entry.get("values", ()))})
            for key, entry in facts.get("variables", {}).items()
        },
        reasoning=switch(**reasoning) if reasoning else None,
        quirks=tuple(Quirk(**quirk) for quirk in facts.get("quirks", ())),
        response=facts.get("response", {}),
    )
