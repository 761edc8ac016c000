"""Prompt: the text of a traced render, cut into segments that say who wrote them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from .attribution import AmbiguousError, Inputs
from .engine.provenance import BEGINS, BUFFER, ENDS, Node, Origin, leaves, node_of
from .errors import InputError
from .masking import Mask, Training, masked
from .sampling import Piece, Rules, Turn, sampled_turns


class Segment(NamedTuple):
    """A stretch of a prompt from one place."""

    text: str
    origin: Origin
    #: The number of the message whose turn it belongs to; None outside of any turn.
    owner: int | None
    #: Whether the model itself would write it.
    sampled: bool = False


class Prefill(NamedTuple):
    """A prompt that ends inside the last message, for the model to go on."""

    prompt: Prompt
    #: White space at the end of the message that the template does not write; the model begins after it.
    dropped: str


class Prompt:
    """A prompt that knows where each of its characters came from.

    Made by `ChatTemplate.trace`; `str(prompt)` is what `render` gives.

    >>> from llm_templates import load
    >>> prompt = load("zephyr").trace([{"role": "user", "content": "Hello!"}])
    >>> for segment in prompt.segments:
    ...     print(repr(segment.text), "-", segment.origin)
    '<|user|>\\n' - template line 6
    'Hello!' - messages[0].content
    '</s>' - the special token eos_token
    '\\n' - template line 6
    """

    def __init__(
        self, text: str, run: Any, inputs: Inputs, rules: Rules, again: Callable[[], tuple[Any, Inputs]]
    ) -> None:
        self._text = text
        self._run = run
        self._inputs = inputs
        self._rules = rules
        self._again = again
        #: Where `{% generation %}` blocks begin and end.
        self._blocks: list[int] = []

    def __str__(self) -> str:
        return self._text

    def __len__(self) -> int:
        return len(self._text)

    def __repr__(self) -> str:
        return f"<Prompt of {len(self._text)} characters in {len(self.segments)} segments>"

    @cached_property
    def pieces(self) -> list[Piece]:
        """The prompt from left to right, in stretches from one place."""
        try:
            return self._attributed()
        except AmbiguousError:
            # The same object stands in two places of the input: marked copies tell them apart.
            self._run, self._inputs = self._again()
            return self._attributed()

    def _attributed(self) -> list[Piece]:
        found: list[Piece] = []
        place, end = 0, len(self._text)
        origin_of = self._inputs.origin
        self._blocks = []
        for length, source, start, owner in _leaves(self._run.output):
            if source is BEGINS or source is ENDS:
                self._blocks.append(min(place, end))
                continue
            origin = source if type(source) is Origin and not start else origin_of(source, start, owner)
            if owner is None and origin.kind == "message":
                owner = origin.index
            stop = place + length
            if stop > end:
                stop = end
            if stop > place:
                found.append(Piece(place, stop, origin, owner))
            place = stop
        return found

    @property
    def messages(self) -> list[Any]:
        """The conversation."""
        return self._inputs.messages

    @property
    def roles(self) -> tuple[str | None, ...]:
        """The role of each message of the conversation."""
        return tuple(message.get("role") for message in self._inputs.messages)

    @cached_property
    def turns(self) -> list[Turn]:
        """What the model itself would write of each of its messages, with what surrounds it; see `Turn`."""
        return sampled_turns(self._text, self.pieces, self.roles, self._rules)

    @property
    def sampled(self) -> list[tuple[int, int]]:
        """The stretches that the model itself would write, as (start, end) in characters.

        Each begins after what a generation prompt supplies and ends after the token that ends the turn.

        >>> from llm_templates import load
        >>> messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]
        >>> prompt = load("chatml").trace(messages)
        >>> [str(prompt)[start:end] for start, end in prompt.sampled]
        ['Hello!<|im_end|>']
        """
        return [(turn.start, turn.end) for turn in self.turns]

    def mask(self, training: Training = Training()) -> Mask:  # noqa: B008  (a tuple cannot be changed)
        """What of the prompt is trained on, and with what weight.

        Args:
            training: which parts count; what the model would write, by default.

        Raises:
            InputError: an option or a message's weight cannot be used.

        >>> from llm_templates import load
        >>> messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!", "weight": 0.5}]
        >>> load("chatml").trace(messages).mask().spans
        (Span(start=52, end=68, weight=0.5),)
        """
        return masked(self._text, self.pieces, self.turns, self.generation_blocks, self.messages, training)

    @cached_property
    def generation_blocks(self) -> list[tuple[int, int]]:
        """What stands in the template's own `{% generation %}` blocks, as (start, end) in characters.

        Publishers mark with these what is to be trained on. A block is found wherever it stands, in a macro or a set
        block, too; empty ones are left out.

        >>> from llm_templates import ChatTemplate
        >>> text = "{% for m in messages %}{{ m.role }}:{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}"
        >>> ChatTemplate.from_string(text).trace([{"role": "user", "content": "Hi"}]).generation_blocks
        [(5, 7)]
        """
        places = self._blocks if self.pieces else []
        return [(start, end) for start, end in zip(places[::2], places[1::2], strict=True) if end > start]

    @cached_property
    def segments(self) -> list[Segment]:
        """The prompt from left to right; joined, their texts are the prompt."""
        found: list[Segment] = []
        text = self._text
        cuts = iter([place for turn in self.turns for place in (turn.start, turn.end)])
        cut, sampled = next(cuts, -1), False
        for start, end, origin, owner in self.pieces:
            first = start
            while True:
                while cut == start:
                    sampled = not sampled
                    cut = next(cuts, -1)
                stop = cut if start < cut < end else end
                moves = start > first and origin.kind not in ("template", "derived")
                place = _after(origin, start - first) if moves else origin
                found.append(Segment(text[start:stop], place, owner, sampled))
                start = stop
                if start == end:
                    break
        return found

    @cached_property
    def _starts(self) -> list[int]:
        starts, place = [], 0
        for segment in self.segments:
            starts.append(place)
            place += len(segment.text)
        return starts

    def origin_at(self, index: int) -> Origin:
        """Where the character at `index` came from, `start` being that character's place there.

        Raises:
            IndexError: the prompt is not that long.
        """
        if not 0 <= index < len(self._text):
            raise IndexError(f"the prompt has {len(self._text)} characters, none at {index}")
        position = bisect_right(self._starts, index) - 1
        origin = self.segments[position].origin
        if origin.kind in ("template", "derived"):
            return origin
        return _after(origin, index - self._starts[position])

    @cached_property
    def dropped(self) -> list[Origin]:
        """The texts and numbers of the input that no character of the prompt came from, in the order of their places.

        Roles and the types of parts and calls are not among them: templates look at these rather than write them.
        """
        reached = {(s.origin.kind, s.origin.index, s.origin.path) for s in self.segments if not s.origin.key}
        found = {
            origin
            for value, origin in self._inputs.places()
            if isinstance(value, str | int | float)
            and not isinstance(value, bool)
            and value != ""
            and not origin.key
            and (origin.kind, origin.index, origin.path) not in reached
            and origin.path.rpartition(".")[2] not in ("role", "type")
        }
        return sorted(found, key=lambda origin: (origin.kind, origin.index or 0, origin.path))

    def up_to(self, end: int) -> Prompt:
        """The beginning of the prompt, `end` characters of it."""
        return Prompt(self._text[:end], self._run, self._inputs, self._rules, self._again)

    def prefill(self, field: str = "content") -> Prefill:
        """The prompt up to the end of a field of the last message.

        Raises:
            InputError: the last message has no such text, or the template does not write it.
        """
        index = len(self._inputs.messages) - 1
        value = self._inputs.messages[index].get(field)
        own = [
            piece
            for piece in self.pieces
            if piece.origin.index == index and piece.origin.kind == "message" and not piece.origin.key
            if piece.origin.path == field or piece.origin.path.startswith((f"{field}[", f"{field}."))
        ]
        if not own or not value:
            raise InputError(
                f"the prompt does not hold the {field!r} of the last message, so there is nothing to continue",
                hint="the last message must be the beginning of the answer, and the template must write it",
            )
        spans = self.sampled
        # Text that is written twice is the model's where it would write it.
        inside = [piece for piece in own if any(start <= piece.start < end for start, end in spans)]
        last = max(inside or own, key=_reach)
        numbers = _numbers(last.origin.path)
        if numbers and isinstance(value, list | tuple):
            value = value[numbers[0]].get("text")
        rest = value[_reach(last)[1] :] if isinstance(value, str) else ""
        return Prefill(self.up_to(last.end), rest if not rest.strip() else "")

    def to_json(self) -> dict[str, Any]:
        """The segments as plain data."""
        return {
            "text": self._text,
            "segments": [
                {
                    "text": segment.text,
                    "origin": {
                        name: value for name, value in segment.origin._asdict().items() if value not in (None, "")
                    },
                    "owner": segment.owner,
                    "sampled": segment.sampled,
                }
                for segment in self.segments
            ],
            "dropped": [str(origin) for origin in self.dropped],
        }


def _leaves(buffer: Sequence[Any]) -> Iterator[Node]:
    """The leaves of what was written, of which most are pieces of their own."""
    for at in range(0, len(buffer), 2):
        piece, owner = buffer[at], buffer[at + 1]
        node = node_of(piece)
        if node[1] is None or node[1] is BUFFER:
            yield from leaves((node[0], BUFFER, (piece, owner), None))
        elif node[0] or node[1] is BEGINS or node[1] is ENDS:
            yield node if node[3] is not None else (node[0], node[1], node[2], owner)


def _reach(piece: Piece) -> tuple[list[int], int]:
    """How far into a field a piece goes: the numbers of its path, and the character it ends at."""
    return _numbers(piece.origin.path), piece.origin.start + piece.end - piece.start


def _numbers(path: str) -> list[int]:
    return [int(number) for number in re.findall(r"\[(\d+)\]", path)]


def _after(origin: Origin, count: int) -> Origin:
    return origin._replace(start=origin.start + count)
