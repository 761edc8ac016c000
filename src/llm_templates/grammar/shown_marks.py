"""Shown marks: finds the markers of reasoning that a template shows without writing any reasoning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

from ..families.markers import CONTROL, control_texts
from .differences import lead, openings, trail
from .grammar import Block
from .probes import ANSWER, LEFT, NEXT, RIGHT, assistant, user
from .reasoning_marks import Marks
from .stage import Stage

#: How many closing markers of a template's text are tried.
CLOSES_TRIED = 12
#: A tag that another one closes which differs by a slash.
_TAG = re.compile(r"<([A-Za-z][\w:.-]{0,40})>|\[([A-Z_]{2,30})\]")


class Shown(NamedTuple):
    """What a template shows."""

    stage: Stage
    #: The generation prompts, by the names of the probes.
    prompts: Mapping[str, str]
    #: What precedes an answer in a turn without reasoning.
    head: str
    #: What all of them begin with.
    opener: str
    #: The template's text.
    source: str

    @property
    def closes(self) -> list[str]:
        """The markers in the template's text that may close something."""
        return [mark for mark in dict.fromkeys(control_texts(self.source)) if openings(mark)]

    @property
    def heads(self) -> dict[str, str]:
        """All that a turn begins with, by the names of the probes."""
        return {**self.prompts, "an answer": self.head}


def shown_marks(shown: Shown) -> Marks | None:
    """The markers of reasoning, from the first evidence there is."""
    found = next((marks for find in _EVIDENCE if (marks := find(shown))), None)
    if found is None:
        return None
    begin = found.block.open.strip()
    for probe, text in shown.prompts.items():
        if text.rstrip().endswith(begin):
            # The prompt has the white space that belongs to the marker.
            block = found.block._replace(open=begin + trail(text))
            return found._replace(block=block, open_evidence=f"probe '{probe}'")
    return found


def _empty_block(shown: Shown) -> Marks | None:
    """A turn begins with both markers: nothing but white space, or a word and the end of a line, is between them."""
    for probe, text in shown.heads.items():
        for one, other in pairwise(CONTROL.finditer(text)):
            inner = text[one.end() : other.start()]
            end = other.end() + len(lead(text[other.end() :]))
            if one[0] in openings(other[0]) and end == len(text) and _is_empty(inner):
                # Half of the white space between the markers belongs to each.
                size = len(inner) - len(trail(inner)) + (len(trail(inner)) + 1) // 2
                block = Block(one[0] + inner[:size], inner[size:] + text[other.start() :])
                return Marks(block, f"probe '{probe}'", f"probe '{probe}'")
    return None


def _is_empty(inner: str) -> bool:
    return not inner.strip() or (inner.endswith("\n") and inner.strip().isalpha())


def _close_alone(shown: Shown) -> Marks | None:
    """A turn begins with the closing marker alone."""
    for probe, text in shown.heads.items():
        close = text[len(shown.opener) :].strip()
        begin = _known(openings(close), shown.source) if close in shown.closes else None
        if begin:
            return Marks(Block(begin, close), f"probe '{probe}': {close} closes it", f"probe '{probe}'")
    return None


def _cut_off(shown: Shown) -> Marks | None:
    """An earlier answer is written without what precedes the closing marker in it."""
    for close in shown.closes[:CLOSES_TRIED]:
        begin = _known(openings(close), shown.source)
        text = shown.stage.said([assistant(f"{LEFT}{close}{RIGHT}"), user(NEXT), assistant(ANSWER)]) if begin else None
        if begin and text and RIGHT in text and LEFT not in text:
            why = f"probe 'an answer with {close} in it': what precedes that is left out"
            return Marks(Block(begin, close), why, why)
    return None


def _prompted(shown: Shown) -> Marks | None:
    """A prompt ends with the opening marker, which no answer in a turn follows."""
    for probe, text in shown.prompts.items():
        mark = (control_texts(text) or [""])[-1]
        if not mark or not text.rstrip().endswith(mark) or shown.head.rstrip().endswith(mark):
            continue
        close = next((close for close in shown.closes if mark in openings(close)), None)
        if close:
            return Marks(Block(mark, close), f"probe '{probe}'", f"the template's text has {close}")
        tag = _TAG.fullmatch(mark)
        if tag:
            close = f"</{tag[1]}>" if tag[1] else f"[/{tag[2]}]"
            return Marks(Block(mark, close), f"probe '{probe}'", f"{mark} is a tag, which a slash closes")
    return None


#: What is looked for, in this order.
_EVIDENCE = (_empty_block, _close_alone, _cut_off, _prompted)


def _known(begins: Iterable[str], source: str) -> str | None:
    """The first of the texts that the template has, or that is a tag."""
    return next((text for text in begins if text in source or _TAG.fullmatch(text)), None)
