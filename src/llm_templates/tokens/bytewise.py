"""The fast way to ids and masks, for byte-level tokenizers.

Such a tokenizer leaves nothing out and adds nothing, so the bytes of its tokens, one after the other, are the text:
their lengths tell where they stand, and nobody has to ask. Each word has its ids whatever stands around it, so a data
set's words are encoded once each, by the tokenizer itself, and remembered.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import is_normalized

import numpy
from tokenizers import pre_tokenizers

from ..prompt import Segment
from .memory import Memory
from .trust import Trust, policy

if TYPE_CHECKING:
    from ..prompt import Prompt
    from ..sampling import Piece
    from .pipeline import Pipeline

Array = numpy.ndarray[Any, Any]

#: Steps before the model that change no byte; that none leaves any out is seen by the lengths.
KEEPING = ("Split", "Digits", "Punctuation", "UnicodeScripts")


class Encoded(NamedTuple):
    """The tokens of a prompt: ids, and for each whether it is sampled and what it weighs."""

    ids: Array
    mask: Array
    weights: Array


class Bytewise:
    """A tokenizer's pipeline, with the length of every token in bytes; 0 where it has no one length."""

    def __init__(self, pipeline: Pipeline, lengths: Array, needs_nfc: bool, memory: Memory | None) -> None:
        self._encode = pipeline.ids
        self._memory = memory
        self._lengths = lengths
        self._needs_nfc = needs_nfc
        self._control = numpy.zeros(len(lengths), bool)
        self._control[list(pipeline.control)] = True

    def encode(self, prompt: Prompt, spans: Sequence[Sequence[Any]], trust: Trust = ()) -> Encoded | None:
        """The tokens; None where only `encoding.encode` gives the right ones, or an error that says what is wrong.

        Args:
            prompt: a whole prompt.
            spans: the stretches for the mask, as (start, end, weight) in characters, in order.
            trust: as for `encoding.encode`.
        """
        text = str(prompt)
        is_ascii = text.isascii()
        if self._needs_nfc and not is_ascii and not is_normalized("NFC", text):
            return None
        try:
            size = len(text) if is_ascii else len(text.encode())
        except UnicodeEncodeError:
            return None
        known = None if self._memory is None else self._memory.ids(text)
        ids: Array = numpy.array(self._encode(text), "int32") if known is None else numpy.frombuffer(known, "int32")
        lengths = self._lengths[ids]
        ends = lengths.cumsum()
        if size != (ends[-1] if len(ends) else 0) or not lengths.all():
            return None
        pieces = prompt.pieces
        # Where the pieces begin, in bytes, and where the last one ends.
        starts = [piece[0] for piece in pieces]
        bases = [*starts, size] if is_ascii else _bases(text, pieces)
        hits = self._control[ids].nonzero()[0]
        if len(hits):
            untrusted = _untrusted(prompt, trust)
            lows = [bases[number] for number in untrusted]
            highs = [bases[number + 1] for number in untrusted]
            stops = ends[hits]
            if (numpy.searchsorted(highs, stops - lengths[hits], "right") < numpy.searchsorted(lows, stops)).any():
                return None

        def place(character: int) -> int:
            """The byte at which a character stands."""
            if is_ascii:
                return character
            at = bisect_right(starts, character) - 1
            return bases[at] + len(text[starts[at] : character].encode())

        mask = numpy.zeros(len(ids), numpy.int8)
        weights = numpy.zeros(len(ids), numpy.float32)
        for start, end, weight in spans:
            first = ends.searchsorted(place(start), "right")
            last = ends.searchsorted(place(end) - 1, "right") + 1
            mask[first:last] = 1 if weight else 0
            weights[first:last] = weight
        return Encoded(ids, mask, weights)


def _bases(text: str, pieces: Sequence[Piece]) -> list[int]:
    """The bytes at which the pieces begin, and at which the last one ends."""
    return [0, *accumulate(len(text[piece.start : piece.end].encode()) for piece in pieces)]


def _untrusted(prompt: Prompt, trust: Trust) -> list[int]:
    """The numbers of the pieces in which control tokens do not count."""
    rules, text = policy(prompt, trust), str(prompt)
    return [
        number
        for number, (start, end, origin, owner) in enumerate(prompt.pieces)
        if origin[0] != "template"
        and not ((trust or origin[3] == "role") and rules(Segment(text[start:end], origin, owner)))
    ]


def bytewise_of(pipeline: Pipeline) -> Bytewise | None:
    """The fast way of a pipeline; None if its tokens do not tell where they stand."""
    if not pipeline.is_known:
        pipeline.bytewise, pipeline.is_known = _made(pipeline), True
    return pipeline.bytewise


def _made(pipeline: Pipeline) -> Bytewise | None:
    normalizers = _steps(pipeline.normalizer, "normalizers")
    if any(step["type"] != "NFC" for step in normalizers) or not _keeps_bytes(pipeline):
        return None
    model = pipeline.model
    if type(model).__name__ != "BPE" or model.unk_token or model.byte_fallback or model.dropout:
        return None
    if model.continuing_subword_prefix or model.end_of_word_suffix:
        return None
    vocabulary = pipeline.vocabulary()
    lengths: Array = numpy.zeros(1 + max([*vocabulary.values(), *pipeline.added], default=0), numpy.int64)
    alphabet = frozenset(pre_tokenizers.ByteLevel.alphabet())
    for token, identity in vocabulary.items():
        # One that is spelt with other letters can only be an added token.
        lengths[identity] = len(token) if alphabet.issuperset(token) else 0
    for identity, added in pipeline.added.items():
        size = len(added.content.encode("utf-8", "surrogatepass"))
        # One that takes white space along, or that the model spells otherwise, has no one length.
        is_certain = not (added.lstrip or added.rstrip) and lengths[identity] in (0, size)
        lengths[identity] = size if is_certain else 0
    try:
        if pipeline.is_renamed:
            raise ValueError("ids that stand for two tokens")
        memory = Memory(model, _steps(pipeline.pre_tokenizer, "pretokenizers"), pipeline.added)
    except ValueError:
        memory = None
    return Bytewise(pipeline, lengths, bool(normalizers), memory)


def _keeps_bytes(pipeline: Pipeline) -> bool:
    """Whether what goes before the model leaves every byte, and spells it as byte-level models do."""
    *before, last = _steps(pipeline.pre_tokenizer, "pretokenizers") or [{"type": ""}]
    if last["type"] != "ByteLevel" or last.get("add_prefix_space"):
        return False
    return all(step["type"] in KEEPING for step in before)


def _steps(component: Any, key: str) -> list[dict[str, Any]]:
    """What a normalizer or a pre-tokenizer consists of, as its file has it."""
    if component is None:
        return []
    found = json.loads(component.__getstate__())
    return list(found[key]) if found["type"] == "Sequence" else [found]
