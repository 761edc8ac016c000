"""The ids of words, asked of the tokenizer once for each; and of whole texts, put together from these."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from typing import Any

from tokenizers import Tokenizer, pre_tokenizers

from .cutting import BYTE_LEVEL, Cutter

#: How many words are remembered, before it begins anew, and how long they are at most.
MOST = 1 << 18
LONGEST = 64


class Memory:
    """A byte-level tokenizer that remembers the words it has seen.

    Args:
        model: the tokenizer's model.
        steps: its pre-tokenizer, as its file has it: what cuts text into words, and what goes on with these.
        added: its added tokens, by id.

    Raises:
        ValueError: its words or its added tokens cannot be told by this.
    """

    def __init__(self, model: Any, steps: Sequence[dict[str, Any]], added: dict[int, Any]) -> None:
        first, *rest = steps
        if first["type"] == "ByteLevel" and first.get("use_regex", True) and not rest:
            self._cutter = Cutter(BYTE_LEVEL)
        elif first["type"] == "Split" and [(step["type"], step.get("use_regex", True)) for step in rest] == [
            ("ByteLevel", False)
        ]:
            if "Regex" not in first["pattern"] or first["behavior"] not in ("Isolated", "Removed"):
                raise ValueError("another way to cut")
            self._cutter = Cutter(first["pattern"]["Regex"])
        else:
            raise ValueError("several ways to cut")
        tokens = {token.content: identity for identity, token in added.items() if token.content}
        if len({token.normalized for token in added.values()}) > 1:
            raise ValueError("added tokens that are found one after the other")
        if any(token.lstrip or token.rstrip or token.single_word for token in added.values()):
            raise ValueError("added tokens that look at what is around them")
        self._added = {content: _bytes([identity]) for content, identity in tokens.items()}
        # Of those that begin at one place the longest counts.
        longest_first = sorted(tokens, key=len, reverse=True)
        self._split = re.compile(f"({'|'.join(map(re.escape, longest_first))})").split if tokens else None
        self._words = Tokenizer(model)
        self._words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        self._known = dict(self._added)

    def ids(self, text: str) -> bytes | None:
        """The ids of a text as int32 in bytes; None for one that has to be given to the tokenizer itself.

        Added tokens count wherever they stand.
        """
        words: list[str] = []
        for number, part in enumerate(self._split(text) if self._split else (text,)):
            if number % 2:
                words.append(part)
            elif part:
                cut = self._cutter.words(part)
                if cut is None:
                    return None
                words += cut
        try:
            return b"".join(map(self._known.__getitem__, words))
        except KeyError:
            return b"".join(map(self._with(words).__getitem__, words))

    def _with(self, words: Sequence[str]) -> dict[str, bytes]:
        """The ids of all words, among them those of a text of which some are new."""
        known = self._known
        if len(known) > MOST:
            # Another thread may be at the old one.
            known = self._known = dict(self._added)
        new = list({*words}.difference(known))
        encodings = self._words.encode_batch_fast(new, add_special_tokens=False)
        found = {word: _bytes(encoding.ids) for word, encoding in zip(new, encodings, strict=True)}
        if max(map(len, new), default=0) > LONGEST:
            return {**{word: known[word] for word in {*words}.difference(found)}, **found}
        known.update(found)
        return known


def _bytes(ids: Sequence[int]) -> bytes:
    return array("i", ids).tobytes()
