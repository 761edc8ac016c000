"""Answer marks: finds what wraps an answer, and what ends the turn after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..families.markers import CONTROL, control_texts
from .differences import lead, openings, same_start, trail
from .grammar import Block

#: How long what opens an answer may be, and how long without a marker in it.
MARKER, WORD = 80, 20


class Wrapped(NamedTuple):
    """An answer in a turn: what wraps it, and what follows that up to the end of the prompt."""

    block: Block | None
    tail: str


def wrapped(head: str, tail: str, gap: str | None, prompt: str) -> Wrapped:
    """What wraps an answer.

    Args:
        head: what precedes it, without the opener of the turn and the markers of reasoning.
        tail: what follows it.
        gap: what stands between an answer and calls; None if that is not known.
        prompt: the generation prompt.
    """
    begin = head.strip()
    if not _may_open(begin):
        return Wrapped(None, tail)
    close = closed(begin, tail)
    if not close and prompt.rstrip().endswith(begin):
        # The header of the turn, which the template writes with other white space in its prompts.
        return Wrapped(None, tail)
    if not close and gap is not None:
        # What follows an answer before calls, too, does not end the turn.
        common = same_start(tail, gap)
        close = common if common.strip() else ""
    return Wrapped(Block(head.lstrip(), close), tail[len(close) :])


def _may_open(text: str) -> bool:
    """Whether an answer may begin with it: it has a marker, or is a word; sentences are somebody's instructions."""
    if any(mark[0] in "<[" for mark in control_texts(text)):
        return len(text) <= MARKER
    return 0 < len(text) <= WORD and " " not in text


def closed(begin: str, tail: str) -> str:
    """What closes what `begin` opens, at the start of a tail, with white space before what else is there; or ""."""
    for match in CONTROL.finditer(tail):
        if begin in openings(tail[: match.end()].strip()):
            rest = tail[match.end() :]
            return tail[: match.end()] + (lead(rest) if rest.strip() else "")
    return ""


def split_opener(opener: str, tail: str) -> tuple[str, Wrapped | None]:
    """An opener that ends with the marker which opens the answer, without it.

    Args:
        opener: what all turns begin with.
        tail: what follows the answer; another marker ends the turn after the one that closes the answer.
    """
    mark = (control_texts(opener) or [""])[-1]
    close = closed(mark, tail) if mark and opener.rstrip().endswith(mark) else ""
    if not close or not control_texts(tail[len(close) :]):
        return opener, None
    begin = mark + trail(opener)
    return opener[: len(opener) - len(begin)], Wrapped(Block(begin, close), tail[len(close) :])


def turn_ends(tail: str, known: Sequence[str], blocks: Iterable[Block]) -> list[str]:
    """The markers at the start of a tail that end the turn.

    Args:
        tail: what follows the answer and what wraps it.
        known: what is known to end outputs.
        blocks: what else has markers, which end a turn only together.
    """
    inside = {mark for block in blocks for text in block for mark in control_texts(text)}
    marks = control_texts(tail)
    candidates = [stop for stop in known if stop in tail and stop not in inside]
    candidates += [mark for mark in marks if mark not in inside][:1] or marks[:1]
    first = min(candidates, key=lambda text: (tail.find(text), -len(text)), default="")
    if not first:
        return []
    together = tail.partition(first)[0].strip()
    return [*([together] if control_texts(together) else []), first]
