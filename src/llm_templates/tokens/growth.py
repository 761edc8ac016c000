"""Two prompts of a growing conversation: how far they are the same, and the prompt of what is new."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

from ..attribution import Inputs
from ..engine.provenance import (
    BEGINS,
    BUFFER,
    COMPUTED,
    ENDS,
    Node,
    Origin,
    branch,
    cut,
    is_template,
    leaves,
    marked,
    node_of,
    whole,
)
from ..prompt import Prompt

#: The pieces of a traced render, each followed by its owner.
Buffer = Sequence[Any]


class Rewrite(NamedTuple):
    """Where a prompt ceases to be what it was before the conversation grew."""

    #: The message whose turn the first different character belongs to; None outside of any turn.
    message: int | None
    #: The template line that wrote the character, or the one that wrote what is before it where it is input.
    line: int | None
    #: The character's place in the new prompt.
    place: int
    #: Where the character came from.
    origin: Origin

    def __str__(self) -> str:
        where = "outside of any turn" if self.message is None else f"in the turn of message {self.message}"
        return f"rewritten from character {self.place} on, {where}: {self.origin}"


def common_length(one: str, other: str) -> int:
    """How many characters two texts begin with in common.

    >>> common_length("tea cup", "teapot"), common_length("tea", "teapot")
    (3, 3)
    """
    low, high = 0, min(len(one), len(other))
    if one[:high] == other[:high]:
        return high
    step = 1024
    while one[low : low + step] == other[low : low + step]:
        low += step
        step *= 2
    high = min(high, low + step)
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def written_alike(one: Buffer, other: Buffer) -> int:
    """How many characters two prompts begin with that the same hands wrote.

    The same text is not enough: what the template wrote in one may be a message's in the other, and then it is no
    control token there.
    """
    place = same = 0
    for piece, owner, other_piece, other_owner in zip(one[::2], one[1::2], other[::2], other[1::2], strict=False):
        if piece is not other_piece or (owner != other_owner and type(piece) is str):
            size = len(piece)
            if size != len(other_piece):
                break
            first, second = (size, BUFFER, (piece, owner), None), (size, BUFFER, (other_piece, other_owner), None)
            if _alike(first, second) < size:
                break
        place += len(piece)
        same += 2
    return place + _alike(_rest(one, same), _rest(other, same))


def _rest(buffer: Buffer, first: int) -> Node:
    rest = buffer[first:]
    return (sum(map(len, rest[::2])), BUFFER, rest, None)


def _alike(one: Node, other: Node) -> int:
    """How many characters two marks begin with that come from the same."""
    place = end = other_end = 0
    walk, other_walk = _written(one), _written(other)
    while True:
        if end <= other_end:
            found = next(walk, None)
            if found is None:
                return place
            end, source, owner = end + found[0], found[1], found[3]
        if other_end < end:
            found = next(other_walk, None)
            if found is None:
                return place
            other_end, other_source, other_owner = other_end + found[0], found[1], found[3]
        if not _same(source, owner, other_source, other_owner):
            return place
        place = min(end, other_end)


def _written(node: Node) -> Iterator[Node]:
    return (leaf for leaf in leaves(node) if leaf[1] is not BEGINS and leaf[1] is not ENDS)


def _same(source: Any, owner: int | None, other: Any, other_owner: int | None) -> bool:
    if is_template(source) or is_template(other):
        return is_template(source) and is_template(other)
    return owner == other_owner and type(source) is type(other) and (source is other or bool(source == other))


def tail(prompt: Prompt, start: int, after: str = "") -> Prompt:
    """The prompt from `start` on, found without a look at what is before.

    Args:
        prompt: a whole prompt.
        start: the character it begins with.
        after: a text that is put before it, as the template's own: the control token that it follows.
    """
    text = str(prompt)

    def of(run: Any, inputs: Inputs) -> tuple[Any, Inputs]:
        return SimpleNamespace(output=[whole(after, COMPUTED), None, *_end(run.output, len(text) - start)]), inputs

    run, inputs = of(prompt._run, prompt._inputs)
    return Prompt(after + text[start:], run, inputs, prompt._rules, lambda: of(*prompt._again()))


def _end(buffer: Buffer, size: int) -> list[Any]:
    """The pieces that the last `size` characters are."""
    first = len(buffer)
    while size > 0:
        first -= 2
        size -= len(buffer[first])
    pieces = list(buffer[first:])
    if size < 0:
        piece = pieces[0]
        pieces[0] = marked(piece[-size:], branch(_last(node_of(piece), len(piece) + size)))
    return pieces


def _last(node: Node, size: int) -> list[Node]:
    """The leaves that the last `size` characters of a text have, found from its end."""
    kept: list[Node] = []
    stack: list[tuple[Node, Any]] = [(node, None)]
    while stack and size > 0:
        (length, source, rest, own), owner = stack.pop()
        owner = owner if own is None else own
        if not length:
            continue
        if source is None:
            stack.extend((child, owner) for child in rest)
        elif source is BUFFER:
            for place in range(0, len(rest), 2):
                inner = rest[place + 1]
                stack.append((node_of(rest[place]), owner if inner is None else inner))
        else:
            leaf = cut((length, source, rest, owner), max(0, length - size), length)
            kept.append(leaf)
            size -= length
    return kept[::-1]


def rewritten_at(place: int, prompt: Prompt, old: Prompt, start: int) -> Rewrite:
    """What is known of the first character that is not as it was.

    Args:
        place: where it is.
        prompt: the prompt as it is.
        old: the prompt as it was.
        start: where to begin to look.
    """
    # Where the new prompt only ends earlier, the old one tells what is missing.
    source = prompt if place < len(prompt) or len(old) <= place else old
    at = min(place, len(source) - 1)
    first = end = min(start, at)
    part = tail(source, first)
    message = line = None
    for segment in part.segments:
        end += len(segment.text)
        message, line = segment.owner, segment.origin.line or line
        if end > at:
            break
    return Rewrite(message, line, place, part.origin_at(at - first))
