"""`fit`: a conversation cut to a number of tokens, by leaving out its oldest turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import index
from typing import Any

from .errors import InputError, RaisedError
from .lowering import plain_messages
from .prompt import Prompt
from .template import ChatTemplate
from .tokens import encode
from .tokens.truncation import turns


@dataclass(frozen=True, slots=True)
class Fitted:
    """A conversation that fits."""

    #: The messages that stay, the caller's own, in their order.
    messages: list[Any]
    #: The numbers of those that were left out.
    dropped: list[int]
    #: How many tokens the prompt has.
    tokens: int


def fit(
    template: ChatTemplate,
    messages: Any,
    tokenizer: Any,
    max_tokens: int,
    *,
    tools: Sequence[Any] | None = None,
    documents: Sequence[Any] | None = None,
    add_generation_prompt: bool = True,
    reasoning: bool | str | None = None,
    variables: Mapping[str, Any] | None = None,
    reserve: int = 0,
) -> Fitted:
    """The conversation without as many of its oldest turns as it takes for the prompt to fit.

    A turn is what a user says and all that follows up to the next thing a user says. System messages at the beginning
    stay, and so does the last turn; results stay with the calls they answer. What the template refuses, such as a
    conversation that begins with the wrong role, is not chosen.

    Args:
        template: the model's template.
        messages: what `render` takes.
        tokenizer: what `encode` takes, or a function from a text to its ids or their number.
        max_tokens: how many tokens the prompt and what is reserved may have.
        tools: tool schemas, or Python functions.
        documents: documents for retrieval.
        add_generation_prompt: count what precedes the model's answer.
        reasoning: whether the model is to reason, or how much.
        variables: what else the template may read.
        reserve: how many tokens to leave for the answer.

    Raises:
        InputError: the last turn alone is too long, or an option cannot be used.
        RaisedError: the template refuses the conversation, and each that would be left of it.

    >>> from llm_templates import load
    >>> messages = [
    ...     {"role": "system", "content": "Be brief."},
    ...     {"role": "user", "content": "Who are you?"},
    ...     {"role": "assistant", "content": "A model."},
    ...     {"role": "user", "content": "Since when?"},
    ... ]
    >>> fitted = fit(load("chatml"), messages, len, 140)
    >>> fitted.dropped, fitted.tokens, [message["role"] for message in fitted.messages]
    ([1, 2], 100, ['system', 'user'])
    """
    held = getattr(messages, "messages", None)
    plain = plain_messages(messages)
    own = list(held if isinstance(held, list | tuple) else messages)
    options = {
        "tools": tools,
        "documents": documents,
        "add_generation_prompt": add_generation_prompt,
        "reasoning": reasoning,
        "variables": variables,
    }
    room = max_tokens - reserve
    if room <= 0:
        raise InputError(
            f"max_tokens={max_tokens} less reserve={reserve} leaves no room for a prompt",
            hint="give more, or reserve less",
        )
    head, starts = turns(plain)
    search = _Search(partial(_count, template, tokenizer, options), own, head, starts, room)
    found = search.best()
    if found is None:
        raise search.failure(max_tokens, reserve)
    start = starts[found]
    return Fitted([*own[:head], *own[start:]], list(range(head, start)), search.size(found) or 0)


def _count(template: ChatTemplate, tokenizer: Any, options: Mapping[str, Any], messages: list[Any]) -> int:
    """How many tokens a prompt has."""
    holders = (tokenizer, getattr(tokenizer, "tokenizer", None))
    if not callable(tokenizer) or any(hasattr(holder, "backend_tokenizer") for holder in holders):
        # No mask is asked for.
        prompt: Prompt = template.trace(messages, **options)
        return len(encode(prompt, tokenizer, sampled=()))
    counted = tokenizer(template.render(messages, **options))
    if hasattr(counted, "__index__"):
        return index(counted)
    if isinstance(counted, Mapping) or not hasattr(counted, "__len__"):
        raise InputError(
            f"the tokenizer gives a {type(counted).__name__}, neither ids nor their number",
            hint="pass a function from a text to a list of ids, which adds no special tokens",
        )
    return len(counted)


class _Search:
    """Looks for the first start from which the conversation fits, with few renders."""

    def __init__(
        self, count: Callable[[list[Any]], int], messages: list[Any], head: int, starts: list[int], room: int
    ) -> None:
        self._count = count
        self._messages = messages
        self._head = head
        self._starts = starts
        self._room = room
        self._sizes: dict[int, int | None] = {}
        self._refusal: RaisedError | None = None

    def size(self, place: int) -> int | None:
        """The tokens of the conversation from a start on; None if the template refuses it."""
        if place not in self._sizes:
            messages = [*self._messages[: self._head], *self._messages[self._starts[place] :]]
            try:
                self._sizes[place] = self._count(messages)
            except RaisedError as error:
                self._refusal = self._refusal or error
                self._sizes[place] = None
        return self._sizes[place]

    def best(self) -> int | None:
        """The start, by its number, that leaves out the fewest turns; None if nothing fits."""
        # All before `low` is too long or refused; `high` fits, as does all after it that is not refused.
        low, high = 0, len(self._starts)
        found: int | None = None
        probe = 0
        while low < high:
            place, size = self._accepted(probe, high)
            if size is None:
                high = probe
            elif size <= self._room:
                found, high = place, probe
            else:
                low = place + 1
            probe = self._guess(low, high)
        return found

    def _accepted(self, first: int, end: int) -> tuple[int, int | None]:
        """The first start of a range that the template takes, and the tokens from there on."""
        for place in range(first, end):
            size = self.size(place)
            if size is not None:
                return place, size
        return end, None

    def _guess(self, low: int, high: int) -> int:
        """Where between two starts the limit may be, if turns of what was measured are of one length."""
        measured = sorted((place, size) for place, size in self._sizes.items() if size is not None)
        before = max((pair for pair in measured if pair[0] < low), default=None)
        after = min((pair for pair in measured if pair[0] >= high), default=(len(self._starts), 0))
        if before is None or len(self._sizes) > 8:
            return (low + high) // 2
        share = (before[1] - self._room) / max(1, before[1] - after[1])
        guess = before[0] + share * (after[0] - before[0])
        return max(low, min(high - 1, round(guess)))

    def failure(self, max_tokens: int, reserve: int) -> Exception:
        """Why nothing fits."""
        sizes = [size for size in self._sizes.values() if size is not None]
        if not sizes:
            assert self._refusal is not None
            return self._refusal
        less = f", of which {reserve} are reserved" if reserve else ""
        return InputError(
            f"the shortest prompt has {min(sizes)} tokens, {min(sizes) - self._room} more than fit: "
            f"max_tokens={max_tokens}{less}",
            hint="the system messages and the last turn stay: shorten these, or give more room",
        )
