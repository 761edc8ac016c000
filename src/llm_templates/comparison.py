"""Two templates compared by what they render, conversation by conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .arguments import PARAMETERS
from .errors import RaisedError, TemplatesError
from .families.probes import PROBES
from .template import ChatTemplate

#: How many characters are shown on each side of the first difference.
CONTEXT = 40


class Comparison(NamedTuple):
    """What two templates make of one conversation."""

    #: The conversation, in words.
    shape: str
    #: What each renders: a prompt, or in angle brackets why there is none.
    left: str
    right: str

    @property
    def equal(self) -> bool:
        """Whether they are the same, byte for byte."""
        return self.left == self.right

    @property
    def place(self) -> int:
        """The index of the first character that differs; the length of both when none does."""
        pairs = zip(self.left, self.right, strict=False)
        shorter = min(len(self.left), len(self.right))
        return next((index for index, (one, other) in enumerate(pairs) if one != other), shorter)

    def around(self, text: str) -> tuple[str, str, str]:
        """What is shown of one of the texts: before the first difference, its first character, and after it."""
        place = self.place
        return text[max(0, place - CONTEXT) : place], text[place : place + 1], text[place + 1 : place + 1 + CONTEXT]


def compare(left: ChatTemplate, right: ChatTemplate) -> Sequence[Comparison]:
    """What two templates make of each probe conversation.

    >>> from llm_templates import load
    >>> [found.shape for found in compare(load("chatml"), load("chatml")) if not found.equal]
    []
    """
    return [Comparison(shape, _rendered(left, shape), _rendered(right, shape)) for shape in PROBES]


def _rendered(template: ChatTemplate, shape: str) -> str:
    probe = PROBES[shape]
    given = {name: value for name, value in probe.items() if name in PARAMETERS}
    variables = {name: value for name, value in probe.items() if name not in PARAMETERS}
    try:
        return template.render(given.pop("messages"), variables=variables, strict=False, **given)
    except RaisedError as refusal:
        return f"<refused: {refusal.message}>"
    except TemplatesError as error:
        return f"<fails: {error.message}>"
