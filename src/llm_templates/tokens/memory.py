"""The ids of words, asked of the tokenizer once for each; and of whole texts, put together from these."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from unicodedata import is_normalized

from .cutting import BYTE_LEVEL, Cutter

#: How byte-level models spell the bytes that are no letters of theirs: with the letters from U+0100 on, in order.
SPELLING = {
    byte: 0x100 + place
    for place, byte in enumerate(byte for byte in range(256) if not (0x21 <= byte < 0x7F or 0xA1 <= byte != 0xAD))
}
#: How many words are remembered, before it begins anew, and how long they are at most.
MOST = 1 << 18
LONGEST = 64
#: How many of the last texts between added tokens are remembered, and how long they are at most.
TEXTS = 256
LONGEST_TEXT = 1 << 14


class Memory:
    """A byte-level tokenizer that remembers the words it has seen.

    Args:
        model: the tokenizer's model.
        steps: its pre-tokenizer, as its file has it: what cuts text into words, and what goes on with these.
        added: its added tokens, by id.

    Raises:
        ValueError: its words or its added tokens cannot be told by this.

    >>> from tokenizers import models
    >>> memory = Memory(models.BPE({"H": 0, "i": 1, "Hi": 2}, [("H", "i")]), [{"type": "ByteLevel"}], {})
    >>> list(memoryview(memory.ids("HiHi")).cast("i")), list(memoryview(memory.ids("i")).cast("i"))
    ([2, 2], [1])
    """

    def __init__(self, model: Any, steps: Sequence[dict[str, Any]], added: dict[int, Any]) -> None:
        first, *rest = steps
        if first["type"] == "ByteLevel" and first.get("use_regex", True) and not rest:
            self._cutter = Cutter(BYTE_LEVEL)
        elif first["type"] == "Split" and [(step["type"], step.get("use_regex", True)) for step in rest] == [
            ("ByteLevel", False)
        ]:
            keeps = first["behavior"] == "Isolated" or (first["behavior"] == "Removed" and first.get("invert"))
            if "Regex" not in first["pattern"] or not keeps:
                raise ValueError("another way to cut")
            self._cutter = Cutter(first["pattern"]["Regex"])
        else:
            raise ValueError("several ways to cut")
        tokens = {token.content: identity for identity, token in added.items() if token.content}
        if not all(is_normalized("NFC", token.content) for token in added.values()):
            raise ValueError("added tokens that are found in another spelling")
        if len({token.normalized for token in added.values()}) > 1:
            raise ValueError("added tokens that are found one after the other")
        if any(token.lstrip or token.rstrip or token.single_word for token in added.values()):
            raise ValueError("added tokens that look at what is around them")
        # Of those that begin at one place the longest counts.
        longest_first = sorted(tokens, key=len, reverse=True)
        self._split = re.compile(f"({'|'.join(map(re.escape, longest_first))})").split if tokens else None
        # System prompts and tools stand in one row after the other.
        self._between = lru_cache(TEXTS)(self._between_tokens)
        self._known = _Known(model, {content: _bytes([identity]) for content, identity in tokens.items()})

    def ids(self, text: str) -> bytes | None:
        """The ids of a text as int32 in bytes; None for one that has to be given to the tokenizer itself.

        Added tokens count wherever they stand.
        """
        parts: list[bytes] = []
        for number, part in enumerate(self._split(text) if self._split else (text,)):
            if number % 2:
                ids: bytes | None = self._known[part]
            else:
                ids = self._between(part) if len(part) <= LONGEST_TEXT else self._between_tokens(part)
            if ids is None:
                return None
            parts.append(ids)
        return b"".join(parts)

    def _between_tokens(self, text: str) -> bytes | None:
        """The ids of a text that has no added tokens."""
        words = self._cutter.words(text)
        return None if words is None else b"".join(map(self._known.__getitem__, words))


class _Known(dict[str, bytes]):
    """The ids of words by the words; of one that is not there they are found when it is asked for."""

    def __init__(self, model: Any, added: dict[str, bytes]) -> None:
        super().__init__()
        self._tokenize = model.tokenize
        self._added = added

    def __missing__(self, word: str) -> bytes:
        ids = self._added.get(word)
        if ids is None:
            ids = _bytes([token.id for token in self._tokenize(word.encode().decode("latin-1").translate(SPELLING))])
        if len(word) <= LONGEST:
            if len(self) >= MOST:
                self.clear()
            self[word] = ids
        return ids


def _bytes(ids: Sequence[int]) -> bytes:
    return array("i", ids).tobytes()
