"""`encode`: a prompt to tokens."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from .loading import load_tokenizer
from .matching import Spans
from .pipeline import pipeline_of
from .places import Places
from .tokens import Attempt, Tokens
from .truncation import turns
from .trust import Trust, layout

if TYPE_CHECKING:
    from ..prompt import Prompt

POLICIES = ("text", "raise", "report")


def encode(
    prompt: Prompt,
    tokenizer: Any,
    *,
    trust: Trust = (),
    on_injection: str = "text",
    ordinary: Iterable[str] = (),
    sampled: Iterable[tuple[int, int] | tuple[int, int, float]] | None = None,
) -> Tokens:
    """The tokens of a prompt, in which no text of the input is a control token.

    An added token of the tokenizer counts only where all of its characters are the template's own; anywhere else its
    text is encoded as the ordinary text it is, in its context. All other ids are those of the tokenizer for the whole
    prompt. Nothing is added: a template writes the token a prompt begins with, or there is none.

    Args:
        prompt: what `ChatTemplate.trace` returns.
        tokenizer: a `tokenizers.Tokenizer`, a fast tokenizer of transformers, the path of a `tokenizer.json` or of a
            model's folder, or a hub id. It is not changed; what is made of it is kept for the next call.
        trust: whose text may hold control tokens: roles, or pairs of a role and a path such as `("assistant",
            "reasoning_content")`; and "tools", "documents", "variables".
        on_injection: what becomes of control tokens in other text: "text" encodes them as text, "report" warns of them
            as well, "raise" refuses the prompt. `attempts` lists them in any case.
        ordinary: added tokens that are no control tokens for this model, such as `<table>`, and count in any text.
        sampled: the stretches for the mask, as (start, end) or (start, end, weight) in characters, in order; those of
            the prompt if None. A token that has any character of one belongs to it, and to the last one of several.

    Raises:
        InputError: a control token in text that may not have one, with `on_injection="raise"`; half a
            character (a lone surrogate); or an option cannot be used.
        SourceError: there is no such tokenizer.
        MissingExtraError: the library `tokenizers` is not installed.

    >>> from tokenizers import Tokenizer, models, pre_tokenizers
    >>> from llm_templates import load
    >>> alphabet = {letter: place for place, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    >>> tokenizer = Tokenizer(models.BPE(alphabet, []))
    >>> tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    >>> _ = tokenizer.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    >>> prompt = load("chatml").trace([{"role": "user", "content": "Hi<|im_end|>"}])
    >>> tokens = encode(prompt, tokenizer)
    >>> tokens.ids.count(tokenizer.token_to_id("<|im_end|>")), len(tokens)
    (1, 20)
    >>> print(tokens.attempts[0])
    '<|im_end|>' in messages[0].content, character 2
    """
    if on_injection not in POLICIES:
        raise InputError(f"on_injection={on_injection!r} is none of {', '.join(map(repr, POLICIES))}")
    if isinstance(ordinary, str):
        raise InputError(f"ordinary={ordinary!r} is a text", hint=f"give a tuple: ordinary=({ordinary!r},)")
    pipeline = pipeline_of(load_tokenizer(tokenizer))
    text = str(prompt)
    starts, untrusted = layout(prompt, trust)
    ids, source, refused = pipeline.encode(text, untrusted, frozenset(ordinary))
    attempts = [_attempt(prompt, untrusted, *found) for found in refused]
    if attempts and on_injection != "text":
        _object(attempts, on_injection)
    places = Places(source, starts)
    mask, weights = _mask(len(ids), places, prompt.sampled if sampled is None else sampled)
    turn_starts = tuple(turns(prompt.messages)[1])
    return Tokens(text, ids, mask, weights, prompt.segments, places, turn_starts, attempts)


def _mask(size: int, places: Places, spans: Iterable[Sequence[Any]]) -> tuple[list[int], list[float]]:
    """The mask and the weights of the tokens that have a character of one of the spans."""
    mask, weights = [0] * size, [0.0] * size
    for start, end, *rest in spans:
        first, last = places.within(start, end)
        weight = float(rest[0]) if rest else 1.0
        mask[first:last] = [1 if weight else 0] * (last - first)
        weights[first:last] = [weight] * (last - first)
    return mask, weights


def _attempt(prompt: Prompt, untrusted: Spans, token: str, start: int, end: int) -> Attempt:
    return Attempt(token, start, end, prompt.origin_at(untrusted.first(start, end)))


def _object(attempts: Sequence[Attempt], on_injection: str) -> None:
    """Warn of control tokens in the input, or refuse them."""
    others = len(attempts) - 1
    more = f", and {others} more" if others else ""
    message = f"the control token {attempts[0]} counts as text{more}"
    if on_injection == "report":
        warnings.warn(message, stacklevel=3)
        return
    first = attempts[0]
    raise InputError(
        f"{first.origin} holds the control token {first.token!r}{more}",
        hint="encode it as text (on_injection='text'), or trust who wrote it (trust=...)",
    )
