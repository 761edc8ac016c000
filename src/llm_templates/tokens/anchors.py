"""Control tokens after which a prompt can be encoded by itself, because no token reaches over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from .tokens import Tokens


class Anchor(NamedTuple):
    """A control token in a sequence."""

    #: The character it ends at.
    end: int
    #: How many ids there are up to it, its own included.
    length: int
    #: Its text.
    content: str


#: Where every sequence begins.
START = Anchor(0, 0, "")


class Anchors:
    """Finds a tokenizer's anchors in tokens."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        added = tokenizer.get_added_tokens_decoder()
        raw = tokenizer.normalizer is None
        every = "\0".join(token.content for token in added.values())
        #: The texts of the tokens that are matched before anything else, whatever stands around them.
        self._contents: dict[int, str] = {}
        #: Those that stand inside of another token's text, which may be the one that is matched; known when asked.
        self._inside: dict[int, bool] = {}
        self._every = every
        for identity, token in added.items():
            if token.content.strip() and (raw or not token.normalized) and not (token.lstrip or token.single_word):
                self._contents[identity] = token.content

    @property
    def any(self) -> str:
        """The text of one of them, or none."""
        return next((content for identity, content in self._contents.items() if self.content(identity)), "")

    def content(self, identity: int) -> str | None:
        """The text of a token that is an anchor wherever it stands; None for any other."""
        content = self._contents.get(identity)
        if content is None:
            return None
        if identity not in self._inside:
            self._inside[identity] = self._every.count(content) > 1
        return None if self._inside[identity] else content

    def found(self, tokens: Tokens, first: int, count: int, shift: int) -> list[Anchor]:
        """The anchors among tokens, in their order.

        Args:
            tokens: the tokens of a stretch of the prompt.
            first: the token to begin with.
            count: how many ids the sequence has before that one.
            shift: where the stretch begins in the prompt.
        """
        text, known = tokens.text, self._contents
        anchors: list[Anchor] = []
        for place in range(first, len(tokens.ids)):
            identity = tokens.ids[place]
            if identity in known:
                content, start = self.content(identity), tokens.offsets[place][0]
                # The token for what the model does not know stands for other texts, too.
                if content is not None and text.startswith(content, start):
                    anchors.append(Anchor(start + len(content) + shift, count + place - first + 1, content))
        return anchors
