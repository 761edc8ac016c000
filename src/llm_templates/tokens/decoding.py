"""Decoding: ids, as a model gives them one after the other, back to text that says which parts are control tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .loading import load_tokenizer

if TYPE_CHECKING:
    from tokenizers.decoders import DecodeStream


class Decoder:
    """Text of ids that come in pieces; a character that several tokens make is told when it is whole.

    Args:
        tokenizer: as for `ChatTemplate.encode`.

    Raises:
        MissingExtraError: the library `tokenizers` is not installed.
        SourceError: there is no tokenizer of that name, or its file is broken.
        InputError: the object is not a tokenizer that can be used.

    >>> from tokenizers import Tokenizer, decoders, models
    >>> tokenizer = Tokenizer(models.WordLevel({"Hi": 0, "<end>": 1}))
    >>> tokenizer.decoder = decoders.Fuse()
    >>> _ = tokenizer.add_special_tokens(["<end>"])
    >>> Decoder(tokenizer).texts([0, 1])
    [('Hi', False), ('<end>', True)]
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = load_tokenizer(tokenizer)
        from tokenizers.decoders import DecodeStream

        added = self._tokenizer.get_added_tokens_decoder()
        #: The texts of the tokens that count as control tokens, by id.
        self.controls = {identity: token.content for identity, token in added.items() if token.content.strip()}
        self._stream: DecodeStream = DecodeStream(skip_special_tokens=False)
        #: Ids that gave no text yet.
        self._waiting: list[int] = []

    def texts(self, ids: Sequence[int]) -> list[tuple[str, bool]]:
        """The text of more ids, in pieces that are a control token or hold none.

        Ids that the tokenizer does not have give no text.
        """
        found: list[tuple[str, bool]] = []
        for identity in ids:
            self._waiting.append(identity)
            piece = self._stream.step(self._tokenizer, identity)
            control = self.controls.get(identity)
            if control is not None:
                before = piece.removesuffix(control) if piece else ""
                found += [(before, False), (control, True)]
                self._waiting = []
            elif piece:
                found.append((piece, False))
                self._waiting = []
        return [(piece, is_control) for piece, is_control in found if piece]

    def rest(self) -> str:
        """The text of what was cut off inside of a character."""
        waiting, self._waiting = self._waiting, []
        return self._tokenizer.decode(waiting, skip_special_tokens=False) if waiting else ""
