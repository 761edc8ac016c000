"""What of a prompt is trained on, and with what weight: spans of characters, by the options that people train with."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from .errors import InputError
from .sampling import Piece, Turn

#: The keys by which data sets say what a message weighs, and whether a true value means that it counts.
WEIGHT_KEYS: Mapping[str, bool] = {
    "weight": True,
    "loss_weight": True,
    "loss": True,
    "train": True,
    "trainable": True,
    "training": True,
    "step_loss_mask": True,
    "masked": False,
}
#: The paths of a message's reasoning.
REASONING = ("reasoning_content", "reasoning", "thinking")
#: The finding of a mask that covers nothing.
EMPTY = "nothing of the prompt is trained on"
#: Where in a conversation a finding is about.
PLACE = re.compile(r"^messages\[\d+\]: ")


class Span(NamedTuple):
    """A stretch of the prompt that counts."""

    start: int
    end: int
    weight: float = 1.0


class Mask(NamedTuple):
    """What is trained on, and what is worth knowing about it."""

    #: In the order of the prompt, none overlapping another.
    spans: tuple[Span, ...]
    #: An empty mask, turns that are not written as the model would write them or lack their reasoning, blocks that say
    #: otherwise.
    findings: tuple[str, ...]


class Training(NamedTuple):
    """Which parts of a conversation are trained on.

    >>> Training(turns="last", stop=False).header
    False
    """

    #: "all" turns of the model, or the "last" one.
    turns: str = "all"
    #: Whose words count. Of the assistant it is what the model would write, of other roles the words of their messages.
    roles: Collection[str] = ("assistant",)
    #: The numbers of the messages that count; None for all.
    messages: Collection[int] | None = None
    #: Whether the header that the template supplies counts, the token that ends a turn, and what follows that token.
    header: bool = False
    stop: bool = True
    trailing: bool = False
    #: Whether reasoning counts.
    reasoning: bool = True
    #: Whether of a turn nothing but its tool calls counts.
    calls_only: bool = False
    #: Whether messages that say what they weigh (`weight`, `train`, ...) are listened to.
    weights: bool = True
    #: Whether the template's own `{% generation %}` blocks decide, instead of all of this.
    blocks: bool = False


def weight_of(message: Mapping[Any, Any], index: int) -> float:
    """What a message says it weighs; 1 when it says nothing.

    Raises:
        InputError: it says two things, or something that is no weight.

    >>> weight_of({"role": "assistant", "content": "Hi", "weight": 0}, 1), weight_of({"masked": True}, 2)
    (0.0, 0.0)
    """
    if WEIGHT_KEYS.keys().isdisjoint(message):
        return 1.0
    said = {}
    for key, counts in WEIGHT_KEYS.items():
        value = message.get(key)
        if value is None:
            continue
        if isinstance(value, bool):
            said[key] = float(value is counts)
        elif isinstance(value, int | float) and value == value:
            said[key] = float(value) if counts else float(not value)
        else:
            raise InputError(
                f"messages[{index}].{key} is {value!r}, which is no weight", hint="give a number or a boolean"
            )
    if len(set(said.values())) > 1:
        raise InputError(f"messages[{index}] says two things about its weight: {said}", hint="keep one of these keys")
    return next(iter(said.values()), 1.0)


def masked(
    text: str,
    pieces: Sequence[Piece],
    turns: Sequence[Turn],
    blocks: Sequence[tuple[int, int]],
    messages: Sequence[Mapping[Any, Any]],
    training: Training,
) -> Mask:
    """The mask of a prompt.

    Args:
        text: the prompt.
        pieces: where it came from.
        turns: what the model would write.
        blocks: the template's own `{% generation %}` blocks.
        messages: the conversation.
        training: what counts.
    """
    if not isinstance(training, Training):
        raise InputError(f"training is {training!r}", hint='give a Training, such as Training(turns="last")')
    if training.turns not in ("all", "last"):
        raise InputError(f"turns={training.turns!r} is neither 'all' nor 'last'")
    findings: list[str] = []
    if training.blocks:
        if not blocks:
            findings.append("the template has no generation blocks")
        return _with_findings([Span(start, end) for start, end in blocks], findings)
    if blocks and [(turn.start, turn.end) for turn in turns] != list(blocks):
        findings.append("the template's own generation blocks mark other stretches than the model would write")
    weights = [weight_of(message, index) if training.weights else 1.0 for index, message in enumerate(messages)]
    spans: list[Span] = []
    reasoned: list[int] = []
    if "assistant" in training.roles:
        last = max((turn.message for turn in turns), default=None)
        for turn in turns:
            weight = weights[turn.message]
            if not _counts(turn.message, training) or (training.turns == "last" and turn.message != last) or not weight:
                continue
            findings += [f"messages[{turn.message}]: {remark}" for remark in turn.remarks]
            parts = _parts(text, pieces, turn, training)
            spans += [Span(start, end, weight) for start, end in parts]
            if parts and _is_reasoned(messages[turn.message]):
                reasoned.append(turn.message)
    # The messages of whose reasoning something is in the prompt.
    written: set[int | None] = set()
    for piece in pieces:
        origin = piece.origin
        if origin.kind == "derived":
            # It may be that, rewritten.
            written.add(piece.owner)
        if origin.kind != "message" or origin.index is None or origin.path in ("role", "name"):
            continue
        if origin.path.startswith(REASONING):
            written.add(origin.index)
        role = messages[origin.index].get("role")
        if role == "assistant" or role not in training.roles or not _counts(origin.index, training):
            continue
        if weights[origin.index]:
            spans.append(Span(piece.start, piece.end, weights[origin.index]))
    missing = [message for message in dict.fromkeys(reasoned) if message not in written]
    findings += [f"messages[{message}]: its reasoning is not in the prompt" for message in missing]
    return _with_findings(spans, findings)


def _with_findings(spans: list[Span], findings: list[str]) -> Mask:
    kept = sorted(span for span in spans if span.end > span.start)
    if not kept:
        findings.append(EMPTY)
    return Mask(tuple(kept), tuple(findings))


def _counts(message: int, training: Training) -> bool:
    return training.messages is None or message in training.messages


def _is_reasoned(message: Mapping[Any, Any]) -> bool:
    """Whether a message has reasoning of its own, apart from what it says."""
    return any(isinstance(text := message.get(key), str) and text.strip() for key in REASONING)


def _parts(text: str, pieces: Sequence[Piece], turn: Turn, training: Training) -> list[tuple[int, int]]:
    """The stretches of a turn that count."""
    start = turn.header if training.header else turn.start
    end = turn.end if training.stop else turn.stop
    if training.trailing and training.stop:
        after = len(text) - len(text[turn.end :].lstrip())
        end = after
    if training.reasoning and not training.calls_only:
        return [(start, end)]
    own = [piece for piece in pieces if start <= piece.start < end and piece.origin.kind == "message"]
    if training.calls_only:
        calls = [piece for piece in own if piece.origin.path.startswith("tool_calls")]
        if not calls:
            return []
        before = [piece.end for piece in own if piece.end <= calls[0].start]
        return [(max([start, *before]), end)]
    if not training.reasoning:
        thoughts = [piece for piece in own if piece.origin.path in REASONING]
        if thoughts:
            # With the marks around it: up to the first words that are none.
            rest = [piece.start for piece in own if piece.start >= thoughts[-1].end]
            cut = rest[0] if rest else turn.stop
            head = [(turn.header, turn.start)] if training.header else []
            return [*head, (cut, end)]
    return [(start, end)]
