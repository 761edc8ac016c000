"""What begins and ends a model's turn, read off the prompts that a template renders for probes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .errors import TemplatesError
from .families.markers import CONTROL
from .families.probes import CALLED, RESULT, TOOL

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


_QUESTION = {"role": "user", "content": QUESTION}

#: What stands before the turn, by the role of the last message; the first that the template takes is probed.
BEFORE: dict[str | None, tuple[list[dict[str, Any]], ...]] = {
    "user": ([_QUESTION],),
    "system": ([{"role": "system", "content": "Qzs5kx"}], [_QUESTION]),
    "assistant": ([_QUESTION, {"role": "assistant", "content": ANSWER}], [_QUESTION]),
    "tool": ([*CALLED, RESULT], [_QUESTION]),
}


def generation_prompt(render: Callable[..., str], role: str | None, tools: bool) -> str:
    """What a template adds to a prompt, for the model to answer after a message of this role.

    Args:
        render: the template, with `tools` and `add_generation_prompt`.
        role: the role of the last message; None, or one that is not known, counts as the user's.
        tools: whether the conversation has tools.
    """
    for messages in BEFORE.get(role, BEFORE["user"]):
        for given in ([TOOL] if tools else None, None):
            for probe in (messages, _as_parts(messages)):
                try:
                    without = render(probe, tools=given)
                    prompt = render(probe, tools=given, add_generation_prompt=True)
                except TemplatesError:
                    continue
                return _added(without, prompt)
    return ""


def _as_parts(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**message, "content": [{"type": "text", "text": message["content"]}]} for message in messages]


def _added(without: str, prompt: str) -> str:
    """What the second has after what both begin with, from the beginning of a control text."""
    if prompt.startswith(without):
        return prompt[len(without) :]
    place = next(
        (at for at, (one, other) in enumerate(zip(without, prompt, strict=False)) if one != other),
        min(len(without), len(prompt)),
    )
    for match in CONTROL.finditer(prompt):
        if match.start() < place < match.end():
            place = match.start()
            break
    return prompt[place:]
