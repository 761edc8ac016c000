"""What ends a model's turn, read off the prompts that a template renders, where no family says it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .errors import TemplatesError
from .families.markers import CONTROL

#: Texts that are nobody's words.
QUESTION, ANSWER, NEXT = "Qzu1kx", "Qza2kx", "Qzu3kx"
#: An answer in the middle of a conversation, and one at its end.
CONVERSATIONS = (
    ((QUESTION, "user"), (ANSWER, "assistant"), (NEXT, "user")),
    ((QUESTION, "user"), (ANSWER, "assistant")),
)


def derived_stops(render: Callable[[list[Any]], str], tokens: Iterable[str]) -> tuple[str, ...]:
    """The texts after which a model's turn is over, as the template ends an answer.

    Args:
        render: the template, without a generation prompt.
        tokens: special tokens of the model, of which the first after an answer ends it.

    >>> def render(messages):
    ...     return "".join(f"[{message['role']}] {message['content']} </s>\\n" for message in messages)
    >>> derived_stops(render, ["<s>", "</s>"])
    ('</s>',)
    """
    known = [token for token in tokens if token]
    return tuple(dict.fromkeys(stop for tail in _tails(render) for stop in _first_stop(tail, known)))


def _tails(render: Callable[[list[Any]], str]) -> Iterator[str]:
    """What the template writes after an answer, up to what the user says next."""
    for conversation in CONVERSATIONS:
        for as_parts in (False, True):
            messages = [
                {"role": role, "content": [{"type": "text", "text": text}] if as_parts else text}
                for text, role in conversation
            ]
            try:
                prompt = render(messages)
            except TemplatesError:
                continue
            _, found, tail = prompt.rpartition(ANSWER)
            if found:
                yield tail.partition(NEXT)[0]
                break


def _first_stop(tail: str, tokens: list[str]) -> Iterator[str]:
    places = [(tail.find(token), -len(token), token) for token in tokens if token in tail]
    match = CONTROL.search(tail)
    if match:
        places.append((match.start(), -len(match[0]), match[0]))
    if places:
        yield min(places)[2]
    elif tail.strip():
        # Ordinary words between an answer and what follows: the next turn's header, which a model runs on with.
        yield tail.rstrip(" ")
