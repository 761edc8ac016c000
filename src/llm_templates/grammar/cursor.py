"""Cursor: the output as it comes in, with what a parser needs to look for markers that may arrive in pieces.

Everything that reads is a generator. It yields when it needs more text than has come, and is resumed when there is
more, or when the output is over (`final`). So a parser is written as if the whole text were there, and any way of
cutting the text gives the same result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable
from functools import lru_cache
from typing import Any, TypeVar

_T = TypeVar("_T")
#: What reads from a cursor: yields to ask for more text, and returns a result.
Reading = Generator[None, None, _T]

Take = Callable[[str], None]
#: A `delta` of OpenAI's streaming chunks.
Event = dict[str, Any]
#: What takes text, and gives the events that it brings about.
Stream = Callable[[str], list[Event]]

_SPACE = re.compile(r"\s*")


class Broken(Exception):
    """What was read is not what it began as."""


class Cut(Broken):
    """The output ended inside of it."""


class Markers:
    """Texts to look for, the longest first where one begins with another."""

    __slots__ = ("_awaits", "_firsts", "_prefixes", "_spaced", "absent", "longest", "pattern", "texts")

    def __init__(self, texts: Iterable[str], special: Iterable[str] = ()) -> None:
        self.texts = frozenset(text for text in texts if text)
        ordered = sorted(self.texts, key=lambda text: (-len(text), text))
        alternatives = "|".join(map(re.escape, ordered)) or r"(?!)"
        self.pattern = re.compile(alternatives)
        self._spaced = re.compile(rf"\s{{0,16}}(?:{alternatives})")
        self._prefixes = frozenset(text[:size] for text in ordered for size in range(1, len(text)))
        #: Markers that another one begins with.
        self._awaits = self.texts & self._prefixes
        self.longest = max(map(len, ordered), default=0)
        #: Whether a text has no character that a marker may begin with, or that has to be looked at: `special`.
        self.absent = frozenset([*special, *(text[0] for text in ordered)]).isdisjoint
        firsts = "".join(sorted({re.escape(text[0]) for text in ordered}))
        self._firsts = re.compile(f"[{firsts}]" if firsts else r"(?!)")

    def after_space(self, text: str, start: int) -> bool:
        """Whether a marker stands at `start`, or after a little white space there."""
        return self._spaced.match(text, start) is not None

    def may_grow(self, marker: str, text: str, start: int) -> bool:
        """Whether a marker found at `start` may become a longer one when more text comes."""
        return marker in self._awaits and len(text) - start < self.longest and text[start:] in self._prefixes

    def begins(self, text: str) -> bool:
        """Whether a marker may follow from `text`, which is less than one."""
        return text in self._prefixes

    def held(self, text: str, start: int) -> int:
        """How many characters at the end of `text` may be the beginning of a marker."""
        size = len(text)
        place = max(start, size - self.longest + 1)
        while True:
            match = self._firsts.search(text, place)
            if match is None:
                return 0
            place = match.start()
            if text[place:] in self._prefixes:
                return size - place
            place += 1


@lru_cache(maxsize=4096)
def markers_of(*texts: str) -> Markers:
    """The same markers for the same texts."""
    return Markers(texts)


class Recording:
    """What is read from a certain place on, kept so that it can be read again or shown as it was."""

    __slots__ = ("at", "pieces", "place")

    def __init__(self, at: int, place: int) -> None:
        self.at = at
        self.place = place
        self.pieces: list[str] = []


class Cursor:
    """The text that has come and has not been read.

    `at` is where reading goes on in `text`; `base` is how many characters of the output came before `text`.
    """

    __slots__ = ("_controls", "at", "base", "bypass", "control_texts", "direct", "final", "recordings", "text", "told")

    def __init__(self) -> None:
        self.text = ""
        self.at = 0
        self.base = 0
        self.final = False
        #: What text may be like to go by unread, and what takes it; None where all text must be read.
        self.bypass: tuple[Callable[[str], bool], Stream] | None = None
        #: Shorter ways to tell text, by what takes it; each may say that there is none at the moment.
        self.direct: dict[Take, Callable[[], Stream | None]] = {}
        #: Gives the events that reading brought about.
        self.told: Callable[[], list[Event]] = list
        self.recordings: list[Recording] = []
        #: Where control tokens begin, when the output comes as token ids.
        self._controls: set[int] = set()
        #: Texts that count only where a control token stands.
        self.control_texts: frozenset[str] = frozenset()

    @property
    def place(self) -> int:
        """How many characters of the output have been read."""
        return self.base + self.at

    def add(self, text: str) -> None:
        """Take what came in."""
        if self.at:
            for recording in self.recordings:
                recording.pieces.append(self.text[recording.at : self.at])
                recording.at = 0
            self.base += self.at
            self.text = self.text[self.at :] + text
            self.at = 0
        else:
            self.text += text

    def add_control(self, text: str) -> None:
        """Take the text of a control token."""
        self._controls.add(self.base + len(self.text))
        self.add(text)

    def pass_to(self, fits: Callable[[str], bool], stream: Stream) -> None:
        """Let text go to `stream`, all there is having been read, until some comes that does not fit."""
        self.add("")
        self.bypass = (fits, stream)

    def shortcut(self, take: Take) -> Stream | None:
        """What takes text in the place of `take`, and tells what that brings about; None where there is no such way."""
        direct = self.direct.get(take)
        return None if direct is None else direct()

    def stream(self, take: Take) -> Stream:
        """What gives text to `take`, which accepts any, and tells what that brings about."""

        def told(text: str) -> list[Event]:
            self.passed(text)
            take(text)
            return self.told()

        return self.shortcut(take) or told

    def passed(self, text: str) -> None:
        """Count text that went by."""
        self.base += len(text)
        for recording in self.recordings:
            recording.pieces.append(text)

    def counts(self, marker: str, index: int) -> bool:
        """Whether `marker`, found at `index` of the text, is one: not if it only looks like a control token."""
        return marker not in self.control_texts or (self.base + index) in self._controls

    def record(self, back: int = 0) -> Recording:
        """Keep what is read from here on, or from the marker of `back` characters that was just read."""
        recording = Recording(self.at - back, self.place - back)
        self.recordings.append(recording)
        return recording

    def recorded(self, recording: Recording) -> str:
        """What was read since the recording began; it ends."""
        self.recordings.remove(recording)
        return "".join([*recording.pieces, self.text[recording.at : self.at]])

    def back(self, text: str) -> None:
        """Read `text`, which was read last, again."""
        if len(text) <= self.at:
            self.at -= len(text)
            return
        for recording in self.recordings:
            # It began before this text, and holds the part of it that is no longer in the buffer.
            excess = len(text) - self.at
            while excess > 0 and recording.pieces:
                last = recording.pieces.pop()
                if len(last) > excess:
                    recording.pieces.append(last[:-excess])
                excess -= len(last)
        self.base += self.at - len(text)
        self.text = text + self.text[self.at :]
        self.at = 0

    def more(self) -> Reading[bool]:
        """Wait for more text; False if there is none."""
        end = self.base + len(self.text)
        while not self.final and self.base + len(self.text) == end:
            yield
        return self.base + len(self.text) > end

    def gather(self, absent: Callable[[str], bool], limit: int) -> Reading[None]:
        """Wait until a character comes that is not absent, or so many characters wait to be read."""
        if not self.final:
            self.bypass = (lambda text: absent(text) and len(self.text) - self.at < limit, self._gathered)
            yield

    def gather_marker(self, markers: Markers, offset: int) -> Reading[None]:
        """Wait while what stands `offset` after `at` may be the beginning of a marker, and is not all of it."""
        self.bypass = (lambda text: markers.begins(self.text[self.at + offset :] + text), self._gathered)
        yield

    def _gathered(self, text: str) -> list[Event]:
        self.text += text
        return []

    def peek(self, offset: int = 0) -> Reading[str]:
        """The character `offset` after `at`; "" at the end of the output."""
        while self.at + offset >= len(self.text):
            if not (yield from self.more()):
                return ""
        return self.text[self.at + offset]

    def spaces(self, offset: int = 0, limit: int = 64) -> Reading[int]:
        """Where white space that begins `offset` after `at` ends, as an offset; at most `limit` characters on."""
        last = offset + limit
        while True:
            match = _SPACE.match(self.text, self.at + offset)
            end = match.end() - self.at if match else offset
            if self.at + end < len(self.text) or end >= last:
                return min(end, last)
            offset = end
            if not (yield from self.more()):
                return end

    def starts(self, texts: Markers, offset: int = 0) -> Reading[str]:
        """The text among `texts` that stands `offset` after `at`; "" for none."""
        while texts.texts:
            start = self.at + offset
            match = texts.pattern.match(self.text, start)
            rest = self.text[start : start + texts.longest]
            if not self.final and (not rest or (start + len(rest) == len(self.text) and texts.begins(rest))):
                yield from self.gather_marker(texts, offset)
                continue
            return match[0] if match is not None and self.counts(match[0], start) else ""
        return ""

    def within(self, markers: Markers, limit: int) -> Reading[tuple[str, str]]:
        """The text up to the next marker, and the marker; nothing is read.

        The marker is "" where none begins within `limit` characters, or before the end of the output.
        """
        while True:
            match = markers.pattern.search(self.text, self.at, self.at + limit + markers.longest)
            if match is not None and (self.final or not markers.may_grow(match[0], self.text, match.start())):
                text = self.text[self.at : match.start()]
                return (text, match[0]) if self.counts(match[0], match.start()) else (text + match[0], "")
            if self.final or (match is None and len(self.text) - self.at >= limit + markers.longest):
                return self.text[self.at : self.at + limit], ""
            if match is not None:
                yield
            else:
                yield from self.gather(markers.absent, limit)

    def until(self, markers: Markers, take: Take, stream: Callable[[], Stream | None] | None = None) -> Reading[str]:
        """Read text up to the next marker, and the marker; what precedes it goes to `take` as soon as it is certain.

        Returns the marker, or "" at the end of the output. `at` stands after the marker. `stream` makes what
        takes text in which no marker begins, without this being resumed.
        """
        start = self.at
        while True:
            text = self.text
            match = markers.pattern.search(text, start)
            keep = 0
            if match is not None:
                begin = match.start()
                if not self.final and markers.may_grow(match[0], text, begin):
                    keep = len(text) - begin
                elif not self.counts(match[0], begin):
                    start = begin + 1
                    continue
                else:
                    if begin > self.at:
                        take(text[self.at : begin])
                    self.at = match.end()
                    return match[0]
            elif not self.final:
                keep = markers.held(text, start)
            if len(text) - keep > self.at:
                take(text[self.at : len(text) - keep])
                self.at = len(text) - keep
            if self.final:
                return ""
            if keep:
                yield from self.gather_marker(markers, 0)
            else:
                if stream is not None and (taking := stream()) is not None:
                    self.pass_to(markers.absent, taking)
                yield
            start = self.at
