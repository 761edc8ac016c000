"""`format_chat_history`: a history of [user, assistant] pairs, as chat interfaces keep it, to a model's prompt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .errors import InputError, RaisedError
from .loading import load
from .template import ChatTemplate

PAIR = "a pair looks like ['Hello!', 'Hi.'], or ['Hello!', None] when it is the model's turn"


def format_chat_history(
    history: Iterable[Sequence[str | None]],
    model: Any,
    *,
    system: str | None = None,
    add_generation_prompt: bool = True,
    tools: Sequence[Any] | None = None,
    variables: Mapping[str, Any] | None = None,
) -> str:
    """The prompt of a history of pairs: what the user said and what the model answered, None for what is not there.

    Args:
        history: the pairs, lists or tuples, the oldest first. The answer of the last pair may be None, or "" as long as
            nothing of it has arrived: it is the model's turn.
        model: anything `load` takes, or a `ChatTemplate`, which spares loading it again.
        system: a system message before all of them.
        add_generation_prompt: end with what makes the model answer.
        tools: tool schemas.
        variables: what else the template may read.

    Raises:
        InputError: the history is none, with the index of the pair that is wrong.
        SourceError: the model gives no template.
        TemplatesError: the template refuses the conversation, or fails.

    >>> print(format_chat_history([["Hello!", "Hi."], ["How are you?", None]], "zephyr"))
    <|user|>
    Hello!</s>
    <|assistant|>
    Hi.</s>
    <|user|>
    How are you?</s>
    <|assistant|>
    <BLANKLINE>
    """
    pairs = _checked(history)
    messages = [] if system is None else [{"role": "system", "content": system}]
    for user, assistant in pairs:
        if user is not None:
            messages.append({"role": "user", "content": user})
        if assistant is not None:
            messages.append({"role": "assistant", "content": assistant})
    template = model if isinstance(model, ChatTemplate) else load(model)
    try:
        return template.render(messages, add_generation_prompt=add_generation_prompt, tools=tools, variables=variables)
    except RaisedError as error:
        error.hint = error.hint or _open_pair(pairs)
        raise


def _checked(history: Any) -> list[tuple[str | None, str | None]]:
    """The pairs, after making sure that each is one; an empty last answer is none."""
    if isinstance(history, str | bytes | Mapping) or not isinstance(history, Iterable):
        raise InputError(f"a history is a list of [user, assistant] pairs, not {_kind(history)}", hint=PAIR)
    pairs = [_pair(f"history[{index}]", pair) for index, pair in enumerate(history)]
    if not pairs:
        raise InputError("the history is empty", hint="begin it with what the user said: [['Hello!', None]]")
    user, answer = pairs[-1]
    return [*pairs[:-1], (user, answer or None)]


def _pair(place: str, pair: Any) -> tuple[str | None, str | None]:
    if isinstance(pair, Mapping) and "role" in pair:
        raise InputError(
            f"{place} is a message, not a [user, assistant] pair",
            hint="for a list of messages: load(model).render(messages, add_generation_prompt=True)",
        )
    if not isinstance(pair, list | tuple):
        raise InputError(f"{place} is {_kind(pair)}, not a [user, assistant] pair", hint=PAIR)
    if len(pair) != 2:
        raise InputError(f"{place} does not have two items but {len(pair)}", hint=PAIR)
    user, assistant = pair
    for who, text in (("user", user), ("assistant", assistant)):
        if isinstance(text, tuple | Mapping):
            raise InputError(
                f"{place}: the {who}'s part is {_kind(text)}, not text",
                hint="a file cannot stand in a prompt: leave the pair out, or put what it says as text",
            )
        if text is not None and not isinstance(text, str):
            raise InputError(f"{place}: the {who}'s part is {_kind(text)}, not text or None", hint=PAIR)
    if user is None and not assistant:
        raise InputError(f"{place} is empty: nobody says anything", hint="leave the pair out")
    return user, assistant


def _open_pair(pairs: list[tuple[str | None, str | None]]) -> str | None:
    """What the template may have refused: a pair in the middle that one of both did not answer."""
    for index, (user, assistant) in enumerate(pairs):
        if assistant is None and index < len(pairs) - 1:
            return f"history[{index}] has no answer, so that two user messages follow each other"
        if user is None:
            return f"history[{index}] has no user's part, so that the assistant speaks unasked"
    return None


def _kind(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
