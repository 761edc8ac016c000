"""Differences: what texts have in common at their ends, never cut inside of a marker or a word."""

from __future__ import annotations

import re
from functools import lru_cache

from ..families.markers import CONTROL

#: What is never cut: markers, tags of any kind even where a field cuts them off, brackets with bars, and words.
_WHOLE = (CONTROL, re.compile(r"<[^<>\n]{1,60}>?"), re.compile(r"\[\|[^\[\]\n]{1,40}\|\]"), re.compile(r"\w+"))
#: The end of a word that a marker precedes.
_ELEMENT = re.compile(r">\w{1,40}\Z")


@lru_cache(maxsize=64)
def _inside(text: str) -> bytes:
    """A byte for each place in a text: 1 where it may not be cut."""
    found = bytearray(len(text) + 1)
    for whole in _WHOLE:
        for match in whole.finditer(text):
            size = match.end() - match.start() - 1
            found[match.start() + 1 : match.end()] = b"\x01" * size
    # A tag that is cut off ends where the text does.
    found[0] = found[-1] = 0
    return bytes(found)


def _agreeing(one: str, other: str) -> int:
    """How many characters both texts begin with."""
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return place
    return min(len(one), len(other))


def same_start(one: str, other: str) -> str:
    """What both texts begin with.

    >>> same_start("<|assistant|><think>", "<|assistant|></think>")
    '<|assistant|>'
    """
    size = _agreeing(one, other)
    while _inside(one)[size] or _inside(other)[size]:
        size -= 1
    return one[:size]


def same_end(one: str, other: str) -> str:
    """What both texts end with.

    >>> same_end("</value>\\n<key>", "<call>\\n<key>")
    '\\n<key>'
    """
    size = _agreeing(one[::-1], other[::-1])
    while size and any(
        _inside(text)[len(text) - size] or _cuts_element(text, len(text) - size) for text in (one, other)
    ):
        size -= 1
    return one[len(one) - size :]


def _cuts_element(text: str, place: int) -> bool:
    """Whether a marker follows there which belongs to the word before it, as in `<|open|>tools<|sep|>`."""
    return text[place] == "<" and bool(_ELEMENT.search(text, max(0, place - 41), place))


#: How the text of a marker that closes differs from the one that opens.
_PAIRS = (
    ("</", "<"),
    ("[/", "["),
    ("<|/", "<|"),
    ("END", "START"),
    ("END", "BEGIN"),
    ("end", "start"),
    ("end", "begin"),
    ("close", "open"),
)
_BAR_AT_END = re.compile(r"<([^<>|\n]{1,40})\|>")


def openings(close: str) -> tuple[str, ...]:
    """The texts that would open what this one closes, by their looks.

    >>> openings("</think>"), openings("<channel|>")
    (('<think>',), ('<|channel>',))
    """
    found = tuple(close.replace(end, begin) for end, begin in _PAIRS if end in close)
    match = _BAR_AT_END.fullmatch(close)
    return (*found, f"<|{match[1]}>") if match else found


def lead(text: str) -> str:
    """The white space at the beginning of a text."""
    return text[: len(text) - len(text.lstrip())]


def trail(text: str) -> str:
    """The white space at the end of a text."""
    return text[len(text.rstrip()) :]
