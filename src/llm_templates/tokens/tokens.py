"""Tokens: what `encode` returns, token by token, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..engine.provenance import Origin
from ..errors import InputError, MissingExtraError
from ..masking import EMPTY
from .places import Places
from .truncation import kept_ranges

if TYPE_CHECKING:
    import numpy

    from ..prompt import Segment


class Attempt(NamedTuple):
    """A control token in text that may not have one; it was encoded as ordinary text.

    >>> print(Attempt("<|im_end|>", 12, 22, Origin("message", index=1, path="content", start=3)))
    '<|im_end|>' in messages[1].content, character 3
    """

    #: The control token's text.
    token: str
    #: Where it stands in the prompt, in characters.
    start: int
    end: int
    #: Where the first of its characters that is not the template's came from.
    origin: Origin

    def __str__(self) -> str:
        return f"{self.token!r} in {self.origin}"


@dataclass(frozen=True, slots=True)
class Tokens:
    """A prompt as a model reads it: parallel lists with one item for each token, made by `encode`."""

    #: The whole prompt, also after a truncation.
    text: str
    #: The tokens' ids.
    ids: list[int]
    #: 1 for a token that the model itself would write, else 0.
    mask: list[int]
    #: What a token counts for in training: 0.0 where the mask is 0.
    weights: list[float]
    #: The prompt's segments.
    segments: list[Segment] = field(repr=False)
    places: Places = field(repr=False, compare=False)
    #: The messages that a turn begins with: a user's question, and the first one after the system's.
    turn_starts: tuple[int, ...] = field(default=(0,), repr=False)
    #: Control tokens in text that may not have them.
    attempts: list[Attempt] = field(default_factory=list)
    #: What is worth knowing of the mask: that it is empty, or that turns are not written as the model would write them.
    findings: tuple[str, ...] = ()
    #: The messages whose turns `truncate` dropped.
    dropped: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def offsets(self) -> list[tuple[int, int]]:
        """The characters of `text` that each token stands for, as (start, end), white space before a word included."""
        return self.places.offsets

    @property
    def segment(self) -> list[int]:
        """The number of the segment that each token begins in."""
        return self.places.segment

    def labels(self, ignore_index: int = -100) -> list[int]:
        """The ids where the mask is 1, and `ignore_index` elsewhere: what most trainers want."""
        return [identity if sampled else ignore_index for identity, sampled in zip(self.ids, self.mask, strict=True)]

    @property
    def origins(self) -> list[Origin]:
        """Who wrote each token: the origin of the segment it begins in."""
        return [self.segments[place].origin for place in self.segment]

    def numpy(self) -> dict[str, numpy.ndarray[Any, Any]]:
        """Everything as arrays: input_ids, attention_mask, labels, mask, weights, offsets (one pair a row) and segment.

        Raises:
            MissingExtraError: NumPy is not installed.
        """
        try:
            import numpy
        except ImportError:
            raise MissingExtraError("arrays need NumPy", hint="pip install 'llm-templates[numpy]'") from None
        return {
            "input_ids": numpy.array(self.ids, numpy.int64),
            "attention_mask": numpy.ones(len(self.ids), numpy.uint8),
            "labels": numpy.array(self.labels(), numpy.int64),
            "mask": numpy.array(self.mask, numpy.uint8),
            "weights": numpy.array(self.weights, numpy.float32),
            "offsets": numpy.array(self.offsets, numpy.int64).reshape(-1, 2),
            "segment": numpy.array(self.segment, numpy.int64),
        }

    def truncate(self, max_tokens: int, *, keep: str = "end") -> Tokens:
        """At most `max_tokens` of the tokens; `text` and the offsets into it stay as they are.

        Args:
            max_tokens: how many may stay.
            keep: "start" or "end" cut wherever that is. "turns" drops whole turns, the oldest first, each a
                question with all that follows it: what belongs to no turn stays, and system messages before all others,
                and the last turn; results of tool calls go with the call. `dropped` names the messages.

        Raises:
            InputError: what "turns" may not drop is longer than that.
        """
        if max_tokens < 0:
            raise InputError(f"max_tokens is {max_tokens}", hint="give a number that is not negative")
        if keep not in ("start", "end", "turns"):
            raise InputError(f"keep={keep!r} is none of 'start', 'end', 'turns'")
        total = len(self.ids)
        if total <= max_tokens:
            return self
        dropped: list[int] = []
        if keep == "start":
            ranges = [(0, max_tokens)]
        elif keep == "end":
            ranges = [(total - max_tokens, total)]
        else:
            owners = [segment.owner for segment in self.segments]
            ranges, dropped = kept_ranges([owners[place] for place in self.segment], self.turn_starts, max_tokens)

        def cut(values: list[Any]) -> list[Any]:
            return [value for start, end in ranges for value in values[start:end]]

        mask = cut(self.mask)
        is_emptied = 1 in self.mask and 1 not in mask
        return replace(
            self,
            ids=cut(self.ids),
            mask=mask,
            weights=cut(self.weights),
            places=self.places.kept(ranges),
            findings=(*self.findings, EMPTY) if is_emptied else self.findings,
            dropped=self.dropped + dropped,
        )
