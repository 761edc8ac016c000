"""Several prompts' tokens as rows of one length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import InputError
from .loading import load_tokenizer
from .tokens import Tokens


def pad(
    batch: Sequence[Tokens],
    tokenizer: Any = None,
    *,
    pad_id: int | None = None,
    side: str = "right",
    length: int | None = None,
    multiple_of: int | None = None,
    ignore_index: int = -100,
) -> dict[str, list[Any]]:
    """Rows of one length, as plain lists: `input_ids`, `attention_mask`, `labels` and `weights`.

    Args:
        batch: the tokens of each row.
        tokenizer: whose padding token is used; what `encode` takes.
        pad_id: the id to pad with, in place of a tokenizer's.
        side: where the padding goes, "right" or "left".
        length: how long the rows are at least; the longest row if None.
        multiple_of: what their length is a multiple of.
        ignore_index: the label of what is not trained on.

    Raises:
        InputError: there is no id to pad with, or an option cannot be used.

    >>> from tokenizers import Tokenizer, models
    >>> from llm_templates import load
    >>> from llm_templates.tokens import encode
    >>> tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "[PAD]": 1}, unk_token="[UNK]"))
    >>> _ = tokenizer.add_tokens(["<|im_start|>", "<|im_end|>", "[PAD]"])
    >>> prompt = load("chatml").trace([{"role": "user", "content": "Hi"}])
    >>> pad([encode(prompt, tokenizer)], tokenizer, multiple_of=6)["input_ids"]
    [[2, 0, 3, 0, 1, 1]]
    """
    if side not in ("right", "left"):
        raise InputError(f"side={side!r} is neither 'right' nor 'left'")
    if multiple_of is not None and multiple_of < 1:
        raise InputError(f"multiple_of={multiple_of} is not a positive number")
    size = max([len(tokens) for tokens in batch] + [length or 0])
    if multiple_of:
        size += -size % multiple_of
    if pad_id is None and any(len(tokens) < size for tokens in batch):
        pad_id = _pad_id(tokenizer)

    def filled(values: list[Any], filler: Any) -> list[Any]:
        rest = [filler] * (size - len(values))
        return rest + values if side == "left" else values + rest

    return {
        "input_ids": [filled(tokens.ids, pad_id) for tokens in batch],
        "attention_mask": [filled([1] * len(tokens), 0) for tokens in batch],
        "labels": [filled(tokens.labels(ignore_index), ignore_index) for tokens in batch],
        "weights": [filled(tokens.weights, 0.0) for tokens in batch],
    }


def _pad_id(tokenizer: Any) -> int:
    """The padding token's id: the one that is set, or the added token that is called so."""
    if tokenizer is not None:
        known = getattr(tokenizer, "pad_token_id", None)
        if isinstance(known, int):
            return known
        loaded = load_tokenizer(tokenizer)
        if loaded.padding:
            return int(loaded.padding["pad_id"])
        added = loaded.get_added_tokens_decoder()
        called = [identity for identity, token in sorted(added.items()) if "pad" in token.content.lower()]
        # <|image_pad|> and its like stand for pictures.
        plain = [identity for identity in called if added[identity].content.lower().strip("<>[]|｜▁_") == "pad"]
        if plain or len(called) == 1:
            return int((plain or called)[0])
    raise InputError("there is no token to pad with", hint="give pad_id, such as the id of the eos token")
