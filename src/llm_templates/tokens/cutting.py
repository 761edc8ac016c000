"""Text into words as a byte-level tokenizer cuts it, by Python's regular expressions.

The pattern is the tokenizer's own. Which characters its classes have is asked of the library that runs it, so that no
two opinions of what a letter is can differ. A pattern that is not understood to the last character is not used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from tokenizers import Regex, pre_tokenizers

#: What a byte-level pre-tokenizer cuts by where it names no pattern.
BYTE_LEVEL = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
#: English endings in small and capital letters, as patterns have them; the long s is a capital's small letter, too.
ENDINGS = {
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)": "(?:'(?:[sSſtTmMdD]|[rR][eE]|[vV][eE]|[lL][lL]))",
    "(?i:[sdmt]|ll|ve|re)": "(?:[sSſdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])",
}
#: A text is cut by classes of the characters below the first of these bounds that is above all of its own.
BOUNDS = (0x80, 0x10000, 0x20000)
#: The longest pattern, and how often one alternative may repeat something without end.
LONGEST = 600
REPEATS = 3
#: How many things one alternative may repeat or leave out in all.
CHOICES = 6

_NAME = r"\\[pP]\{[A-Z][a-z]?\}|\\[sSd]"
_LETTER = r"\\[rnt/\-]|[A-Za-z0-9 '/!\-]"
_MEMBER = r"(?:\\p\{[A-Z][a-z]?\}|\\[sd]|\\[rnt/\-])(?!-[^\]])|[^\\\[\]^&](?:-[^\\\[\]^&])?"
_PART = re.compile(
    rf"(?:{'|'.join(map(re.escape, ENDINGS))})\??"
    rf"|(?P<one>(?:(?P<name>{_NAME})|\[(?P<complement>\^?)(?P<members>(?:{_MEMBER})+)\]|{_LETTER})"
    r"(?P<times>[?*+]\+?|\{\d{1,2}(?:,\d{0,2})?\}(?![+?]))?)"
    r"|\(\?[:!=]|\)\??|\|"
)
_BEYOND = tuple(re.compile(f"[{chr(bound)}-\U0010ffff]") for bound in BOUNDS)


class _Class(NamedTuple):
    """A class of characters, one of its members or more by name."""

    members: tuple[str, ...]
    complement: bool


class Cutter:
    """Cuts text by a pattern.

    Raises:
        ValueError: the pattern says something that is not understood.

    >>> Cutter(BYTE_LEVEL).words("It's 10 o'clock")
    ['It', "'s", ' 10', ' o', "'", 'clock']
    """

    def __init__(self, pattern: str) -> None:
        self._parts = list(_parts(pattern))
        self._compiled: dict[int, re.Pattern[str]] = {}
        try:
            found = self._below(BOUNDS[0])
        except re.error as error:
            raise ValueError(str(error)) from None
        # What matches nothing is found again elsewhere by Python than by others.
        if any("" in found.findall(text) for text in ("", " ", "a", "A", "1", "!", "\n", "\t")):
            raise ValueError("a pattern that matches nothing")

    def words(self, text: str) -> list[str] | None:
        """The words of a text; None for one with characters that are not told apart."""
        if text.isascii():
            return self._below(BOUNDS[0]).findall(text)
        for beyond, bound in zip(_BEYOND[1:], BOUNDS[1:], strict=True):
            if beyond.search(text) is None:
                return self._below(bound).findall(text)
        return None

    def _below(self, bound: int) -> re.Pattern[str]:
        """The pattern for texts whose characters are all below `bound`."""
        found = self._compiled.get(bound)
        if found is None:
            written = (part if isinstance(part, str) else _written(part, bound) for part in self._parts)
            found = self._compiled[bound] = re.compile("".join(written))
        return found


def _parts(pattern: str) -> Iterator[str | _Class]:
    """The pattern in Python's words, but for its classes.

    Raises:
        ValueError: it says something that is not understood.
    """
    place = repeats = choices = depth = 0
    if len(pattern) > LONGEST:
        raise ValueError("a pattern of such a length")
    while place < len(pattern):
        match = _PART.match(pattern, place)
        if match is None:
            raise ValueError(f"{pattern[place : place + 10]!r} is not understood")
        place = match.end()
        text, times = match[0], match["times"] or ""
        depth += text.startswith("(?") and text not in ENDINGS and text[:-1] not in ENDINGS
        depth -= text[0] == ")"
        if text == "|" and not depth:
            repeats = choices = 0
        repeats += times[:1] in ("*", "+") or times.rstrip("}").endswith(",")
        choices += bool(times) or text.endswith(")?")
        if repeats > REPEATS or choices > CHOICES:
            raise ValueError("an alternative that repeats so much")
        if name := match["name"]:
            yield _Class((name[0] + name[1].lower() + name[2:],), name[1] in "PS")
            yield times
        elif match["members"]:
            yield _Class(tuple(re.findall(_MEMBER, match["members"])), bool(match["complement"]))
            yield times
        elif match["one"] or (text not in ENDINGS and text[:-1] not in ENDINGS):
            yield text
        else:
            yield ENDINGS.get(text) or ENDINGS[text[:-1]] + "?"


def _written(part: _Class, bound: int) -> str:
    """A class with its characters below `bound`."""
    inside = "".join(
        _characters(member, bound) if member[:2] in (r"\p", r"\s", r"\d") else _escaped(member)
        for member in part.members
    )
    if not inside:
        # A class without any of these characters has none, or all.
        return r"[\s\S]" if part.complement else r"(?!)"
    return f"[{'^' if part.complement else ''}{inside}]"


def _escaped(member: str) -> str:
    """A character or a range of them, as the inside of a class has it."""
    if member[0] == "\\":
        return member
    return "-".join(map(re.escape, (member[0], member[2]))) if len(member) == 3 else re.escape(member)


@lru_cache(64)
def _characters(name: str, bound: int) -> str:
    """The characters below `bound` that the library counts into a class, as the inside of a class."""
    split = pre_tokenizers.Split(Regex(f"{name}+"), "removed", invert=True)
    runs = [run for run, _ in split.pre_tokenize_str(_all(bound))]
    return "".join(f"\\U{ord(low):08x}-\\U{ord(high):08x}" for run in runs for low, high in _ranges(run))


def _ranges(run: str) -> Iterator[tuple[str, str]]:
    """The stretches of characters that follow on each other."""
    low = 0
    for at in range(1, len(run) + 1):
        if at == len(run) or ord(run[at]) != ord(run[at - 1]) + 1:
            yield run[low], run[at - 1]
            low = at


@lru_cache(len(BOUNDS))
def _all(bound: int) -> str:
    """Every character below `bound`, but for halves of characters."""
    return "".join(chr(code) for code in range(bound) if not 0xD800 <= code < 0xE000)
