"""Rows of a data set: what a record becomes, and how a history that the template rewrites is told and split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import TemplatesError
from ..prompt import Prompt
from ..sampling import Turn
from ..tokens.growth import common_length


@dataclass(slots=True)
class Row:
    """A prompt, and its tokens if a tokenizer is given: arrays of int32, int8 and float32."""

    #: The number of the record it was made of.
    record: int
    prompt: str
    ids: Any = ()
    mask: Any = ()
    weights: Any = ()
    #: How many tokens of it were cut off.
    cut: int = 0
    #: Whether the template rewrites turns of the record's history.
    is_rewritten: bool = False
    #: What is worth knowing of its mask.
    findings: tuple[str, ...] = ()
    #: How many control tokens stand in text that may not have them.
    attempts: int = 0


@dataclass(slots=True)
class Rejected:
    """A record of which no row could be made, and why."""

    record: int
    error: TemplatesError


def rewritten_turns(prompt: Prompt, messages: Sequence[Any], render: Callable[[Sequence[Any]], str]) -> list[Turn]:
    """The turns of the model that the whole prompt does not write as the model wrote them when it was its turn.

    Many templates leave the reasoning of earlier turns out, or write something where the conversation ends. A model
    that is trained on such a turn inside of the whole prompt is trained on what it never sees.

    Args:
        prompt: the whole conversation.
        messages: its messages.
        render: renders some of them with everything else the same.

    >>> from llm_templates import load
    >>> template = load("qwen3")
    >>> talk = [
    ...     {"role": "user", "content": "Is 91 a prime?"},
    ...     {"role": "assistant", "content": "No.", "reasoning_content": "7 times 13."},
    ...     {"role": "user", "content": "Sure?"},
    ...     {"role": "assistant", "content": "Yes."},
    ... ]
    >>> [turn.message for turn in rewritten_turns(template.trace(talk), talk, template.render)]
    [1]
    """
    text = str(prompt)
    found = []
    for turn in prompt.turns:
        if turn.message + 1 >= len(messages):
            continue
        try:
            then = render(messages[: turn.message + 1])
        except TemplatesError:
            # A template that refuses such a beginning was never asked for this turn alone.
            continue
        # A beginning that ends without the stop token is still a beginning.
        if not text.startswith(then) and common_length(then, text) < turn.end:
            found.append(turn)
    return found
