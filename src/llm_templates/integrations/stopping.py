"""Stops: output in pieces, up to the text that ends it."""

from __future__ import annotations

from collections.abc import Sequence


class Stops:
    """Lets output through up to the first of some texts, wherever the pieces are cut.

    >>> stops = Stops(["</s>"])
    >>> stops.feed("Hi<"), stops.feed("/s"), stops.feed("> you"), stops.found
    ('Hi', '', '', '</s>')
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = [text for text in texts if text]
        self._held = ""
        #: The one that came; None as long as there is none.
        self.found: str | None = None

    def feed(self, text: str) -> str:
        """What is certain to stand before any of them, of what is new and what was held back."""
        if self.found is not None:
            return ""
        text = self._held + text
        first = min(((text.find(stop), -len(stop), stop) for stop in self._texts if stop in text), default=None)
        if first is not None:
            place, _, self.found = first
            self._held = ""
            return text[:place]
        kept = max((_overlap(text, stop) for stop in self._texts), default=0)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]

    def rest(self) -> str:
        """What was held back, once nothing more comes."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """How much of the beginning of `stop` the text ends with."""
    for size in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:size]):
            return size
    return 0
