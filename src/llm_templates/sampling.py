"""What a model itself would write: of each turn, the text after the generation prompt up to the token that ends it.

The generation prompt is what the template supplies. It is known from probes of the template, not from rendering parts
of the conversation: a template may end a prompt otherwise than it writes the same turn later.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from .engine.provenance import Origin
from .families.markers import CONTROL

#: Paths of a message that are part of its header, not of what is said.
HEADER_PATHS = ("role", "name")
#: Who answers a tool call.
RESULT_ROLES = ("tool", "function", "ipython", "observation")


class Piece(NamedTuple):
    """A stretch of the prompt from one place."""

    start: int
    end: int
    origin: Origin
    owner: int | None


class Turn(NamedTuple):
    """What the model would write of a message."""

    #: The number of the message.
    message: int
    start: int
    end: int
    #: Where its header begins: what the template supplies before `start`.
    header: int
    #: Where the stop token begins; `end` where the template writes none.
    stop: int
    #: What is worth knowing: the generation prompt was not found as it is, or there is no stop token.
    remarks: tuple[str, ...] = ()


class Rules(NamedTuple):
    """What a template's probes say about its turns."""

    #: The generation prompt after a message of this role, or after nothing.
    generation_prompt: Callable[[str | None], str]
    #: What ends a turn; asked for when turns are, since a template that no family has is probed for it.
    stops: Callable[[], tuple[str, ...]]


def sampled_turns(text: str, pieces: Sequence[Piece], roles: Sequence[str | None], rules: Rules) -> list[Turn]:
    """The turns of the assistant, in the order of the prompt.

    Args:
        text: the prompt.
        pieces: where it came from, from left to right.
        roles: the role of each message.
        rules: the generation prompts and stops of the template.
    """
    said = [piece for piece in pieces if _is_said(piece)]
    owned: dict[int | None, list[Piece]] = {}
    for piece in pieces:
        owned.setdefault(piece.owner, []).append(piece)
    turns: list[Turn] = []
    for run in _runs(text, owned, said, roles, rules.stops()):
        before = turns[-1].end if turns else 0
        turn = _turn(text, owned.get(run.message, []), roles, rules, run, before)
        if turn is not None:
            turns.append(turn)
    return turns


class _Run(NamedTuple):
    """Consecutive text of one assistant message; its own words, and the room it has before and after."""

    message: int
    #: Where its first and last words begin and end; the same place twice for a message that says nothing.
    first: int
    last: int
    #: Where the words before it end, and the words after it begin.
    low: int
    high: int


def _is_said(piece: Piece) -> bool:
    """Whether a piece is somebody's words rather than the template's or a header."""
    origin = piece.origin
    return not origin.is_template and not (origin.kind == "message" and origin.path in HEADER_PATHS)


def _speaker(piece: Piece, roles: Sequence[str | None]) -> int | None:
    """The assistant message a piece says something of."""
    origin, owner = piece.origin, piece.owner
    index = origin.index if origin.kind == "message" else owner if origin.kind == "derived" else None
    if owner is not None and roles[owner] in RESULT_ROLES and origin.path.startswith("tool_calls"):
        # The name or id of a call, written again with its result.
        return None
    return index if index is not None and index < len(roles) and roles[index] == "assistant" else None


def _stops_between(text: str, said: Sequence[Piece], at: int, stops: tuple[str, ...]) -> bool:
    """Whether the template's text before a piece has a token that ends a turn."""
    gap = text[said[at - 1].end : said[at].start]
    return any(stop in gap for stop in stops)


def _runs(
    text: str,
    owned: dict[int | None, list[Piece]],
    said: Sequence[Piece],
    roles: Sequence[str | None],
    stops: tuple[str, ...],
) -> list[_Run]:
    runs: list[_Run] = []
    place = 0
    speakers = [_speaker(piece, roles) for piece in said]
    while place < len(said):
        speaker = speakers[place]
        after = place + 1
        while after < len(said) and speakers[after] == speaker and speaker is not None:
            after += 1
        if speaker is not None:
            low = said[place - 1].end if place else 0
            last = after - 1
            if after < len(said) and said[after].owner == speaker:
                # Somebody else's words within the turn: it was interrupted, where one of its gaps has a stop token.
                last = next((at for at in range(last, place, -1) if _stops_between(text, said, at, stops)), after) - 1
            high = said[last + 1].start if last + 1 < len(said) else len(text)
            runs.append(_Run(speaker, said[place].start, said[last].end, low, high))
        place = after
    heard = {run.message for run in runs}
    starts = [piece.start for piece in said]
    for message, role in enumerate(roles):
        if role == "assistant" and message not in heard:
            own = owned.get(message)
            if own:
                at = bisect_left(starts, own[0].start)
                low = said[at - 1].end if at else 0
                high = said[at].start if at < len(said) else len(text)
                runs.append(_Run(message, own[0].start, own[0].start, low, max(high, own[0].start)))
    return sorted(runs, key=lambda run: (run.first, run.message))


def _turn(
    text: str,
    own: Sequence[Piece],
    roles: Sequence[str | None],
    rules: Rules,
    run: _Run,
    before: int,
) -> Turn | None:
    silent = run.first == run.last
    low = max(run.low, before)
    supplied = rules.generation_prompt(roles[run.message - 1] if run.message else None)
    limit = run.high if silent else run.first
    region = next((piece.start for piece in own if piece.start >= low), run.first)
    header, start, remarks = _opening(text, supplied, low, limit, min(region, limit), silent)
    last = max(run.last, start)
    owned = max((piece.end for piece in own if piece.start < run.high), default=last)
    stop, end = _ending(text, last, max(owned, last), run.high, rules.stops())
    if stop == end:
        remarks = (*remarks, "the template writes no token that ends the turn")
        end = stop = max(last, _words_end(text, last, max(owned, last)))
    if end <= start and silent:
        return None
    return Turn(run.message, start, max(end, start), min(header, start), max(min(stop, end), start), remarks)


def _opening(
    text: str, supplied: str, low: int, limit: int, region: int, silent: bool
) -> tuple[int, int, tuple[str, ...]]:
    """Where the header of a turn begins, and where what the model writes does."""
    if not supplied:
        # A template without a generation prompt may have a header all the same, which no model has to write.
        marks = [match.end() for match in CONTROL.finditer(text, region, limit)] if not silent else []
        if not marks:
            return region, region, ()
        start = marks[-1]
        while start < limit and text[start] == "\n":
            start += 1
        return region, start, ("the template has no generation prompt: the header is taken for it",)
    # The last one before the words, unless that could be a line break among others.
    find = text.find if silent or supplied.isspace() else text.rfind
    found = find(supplied, low, limit)
    if found >= 0:
        return found, found + len(supplied), ()
    for size in _cuts(supplied):
        found = find(supplied[:size], low, limit)
        if found >= 0:
            missing = supplied[size:]
            return (
                found,
                found + size,
                (f"the turn is written without {missing!r}, which a prompt to answer ends with",),
            )
    return region, region, ("the generation prompt does not occur before the turn",)


def _cuts(supplied: str) -> Iterable[int]:
    """Where a generation prompt may be cut, from its end: around control texts and line breaks, never inside one."""
    marks = [match.span() for match in CONTROL.finditer(supplied)]
    places = {place for span in marks for place in span}
    places |= {place + 1 for place, character in enumerate(supplied) if character == "\n"}
    inside = {place for begin, end in marks for place in range(begin + 1, end)}
    return sorted((place for place in places - inside if 0 < place < len(supplied)), reverse=True)


def _ending(text: str, last: int, owned: int, high: int, stops: tuple[str, ...]) -> tuple[int, int]:
    """Where the stop token after `last` begins and ends; the same place twice for none."""
    found = [(text.find(stop, last, high), -len(stop)) for stop in stops]
    places = sorted((place, size) for place, size in found if place >= 0)
    if places:
        return places[0][0], places[0][0] - places[0][1]
    marks = [match.span() for match in CONTROL.finditer(text, last, owned)]
    return marks[-1] if marks else (last, last)


def _words_end(text: str, last: int, owned: int) -> int:
    """Where what belongs to a turn ends that no token ends: before the white space at its end."""
    return last + len(text[last:owned].rstrip())
