"""Reasoning marks: finds a turn in which a template writes reasoning, and the markers around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ..families.markers import CONTROL
from .differences import lead, openings, same_start
from .grammar import Block
from .probes import ANSWER, ONE, THOUGHT, THOUGHTS, Shape, assistant
from .stage import Stage

#: A part of content that is printed as the data it is.
_PRINTED = re.compile(r"[\"']type[\"']")


class Thought(NamedTuple):
    """A turn in which the template wrote reasoning."""

    text: str
    #: The word that stands for the reasoning.
    word: str
    evidence: str

    @property
    def before(self) -> str:
        """What precedes the reasoning."""
        return self.text.partition(self.word)[0]

    @property
    def after(self) -> str:
        """What follows it."""
        return self.text.partition(self.word)[2]


class Marks(NamedTuple):
    """The markers around reasoning, and what proved them."""

    block: Block
    open_evidence: str
    close_evidence: str
    #: What precedes the answer after the closing marker: the answer's own opening marker.
    rest: str = ""


def find_thought(stage: Stage, shape: Shape | None) -> Thought | None:
    """A turn with reasoning before an answer, or else before a call, in the first way that the template writes.

    Args:
        stage: renders probes.
        shape: the shape of calls that the template writes; None if it writes none.
    """
    wishes = ("on", "") if "on" in stage.wishes else ("",)
    for wish in wishes:
        probe = f"probe 'reasoning and an answer{_asked(wish)}', reasoning given as"
        found = _fields(stage, probe, lambda more: [assistant(ANSWER, **more)], tools=False, wish=wish)
        found = found or _parts(stage, probe, wish)
        if found:
            return found
    if shape is None:
        return None
    probe = f"probe 'reasoning and a call{_asked(wishes[0])}', reasoning given as"
    return _fields(stage, probe, lambda more: shape.messages((ONE,), **more), tools=shape.tools, wish=wishes[0])


def _asked(wish: str) -> str:
    return f", reasoning {wish}" if wish else ""


def _fields(
    stage: Stage, probe: str, talk: Callable[[dict[str, Any]], list[dict[str, Any]]], *, tools: bool, wish: str
) -> Thought | None:
    """A turn with reasoning in a field of the message."""
    text = stage.said(talk(THOUGHTS), tools=tools, wish=wish) or ""
    fields = [field for field, word in THOUGHTS.items() if word in text]
    if len(fields) > 1:
        # A template that writes several fields shows one more plainly alone.
        text = stage.said(talk({fields[0]: THOUGHTS[fields[0]]}), tools=tools, wish=wish) or ""
    if not fields or THOUGHTS[fields[0]] not in text:
        return None
    return Thought(text, THOUGHTS[fields[0]], f"{probe} `{fields[0]}`")


def _parts(stage: Stage, probe: str, wish: str) -> Thought | None:
    """A turn with reasoning in a part of the content."""
    for thinking in (THOUGHT, [{"type": "text", "text": THOUGHT}]):
        parts = [{"type": "thinking", "thinking": thinking}, {"type": "text", "text": ANSWER}]
        text = stage.said([assistant(parts)], wish=wish) or ""
        if 0 <= text.find(THOUGHT) < text.find(ANSWER) and not _PRINTED.search(text):
            return Thought(text, THOUGHT, f"{probe} a part of type `thinking`")
    return None


def written_marks(thought: Thought, opener: str, unthought: str) -> Marks | None:
    """The markers that a template writes around reasoning; None if there are none.

    Args:
        thought: the turn.
        opener: what all turns begin with; it may hold the opening marker.
        unthought: what precedes the answer in a turn without reasoning, after `opener`.
    """
    answered = ANSWER in thought.after
    between = thought.after.partition(ANSWER if answered else ONE.name)[0]
    opener = same_start(thought.before, opener)
    place, close = _counterpart(thought.before, between)
    match = CONTROL.search(between)
    if close:
        opener = thought.before[: min(place, len(opener))]
    elif unthought.strip() and between.endswith(unthought):
        close = between[: len(between) - len(unthought)]
    elif match:
        close = between[: match.end()]
    elif answered:
        # Words: `[BEGIN FINAL RESPONSE]`.
        close = between
    rest = between[len(close) :]
    # Where only the answer's own marker ends the reasoning, it is the closing marker, too.
    close = close + lead(rest) if close.strip() else between
    block = Block(thought.before[len(opener) :], close if close.strip() else "")
    if not block.open.strip() and not block.close:
        return None
    return Marks(block, thought.evidence, thought.evidence, rest.lstrip() if answered else "")


def _counterpart(before: str, between: str) -> tuple[int, str]:
    """Where the marker begins that some beginning of `between` closes, and that beginning; (0, "") if there is none."""
    marks = [match.start() for match in CONTROL.finditer(before)]
    for end in sorted((match.end() for match in CONTROL.finditer(between)), reverse=True):
        for text in openings(between[:end].strip()):
            place = before.rfind(text)
            # Only words may follow it, no other marker.
            if place >= 0 and not any(start >= place + len(text) for start in marks):
                return place, between[:end]
    return 0, ""


def without_reasoning(text: str, blocks: Iterable[Block]) -> str:
    r"""A beginning of a turn without the markers of reasoning that nobody gave: an empty block, or only its end.

    >>> without_reasoning("<think>\n\n</think>\n\n<answer>", [Block("<think>\n", "\n</think>\n\n")])
    '<answer>'
    """
    for block in blocks:
        rest = text.lstrip()
        for marker in (block.open.strip(), block.close.strip()):
            if marker and rest.startswith(marker):
                rest = text = rest[len(marker) :].lstrip()
    return text
