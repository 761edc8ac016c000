"""Words to tokens by a model alone, without the control tokens that its own vocabulary has."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Token
    from tokenizers.models import Model


class Words:
    """Encodes words with the model, and keeps it from writing control tokens that its own vocabulary has."""

    def __init__(self, model: Model, control: dict[int, Any]) -> None:
        self._model = model
        self._control = control
        self._known: dict[str, list[Token]] = {}

    def tokens(self, word: str) -> list[Token]:
        """The tokens of a word, with offsets in bytes."""
        found = self._known.get(word)
        if found is None:
            found = self._known[word] = self._tokens(word)
        return found

    def _tokens(self, word: str) -> list[Token]:
        found: list[Token] = self._model.tokenize(word)
        control = self._control
        leaks = [token for token in found if token.id in control]
        if not leaks:
            return found
        from tokenizers import Token

        data = word.encode()
        # Inside the text of each such token, after its first character.
        cuts = [0]
        for token in leaks:
            start, end = token.offsets
            content = data[start:end].decode("utf-8", "ignore")
            if content == control[token.id].content and len(content) > 1:
                cuts.append(start + len(content[0].encode()))
        if len(cuts) == 1:
            return found
        result: list[Token] = []
        for start, end in pairwise([*cuts, len(data)]):
            for token in self.tokens(data[start:end].decode()):
                low, high = token.offsets
                result.append(Token(token.id, token.value, (low + start, high + start)))
        return result
