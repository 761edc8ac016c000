"""Collector: what has been read of an output so far, as events and as the message they add up to."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, NamedTuple

from .cursor import Cursor, Event, Stream

#: How much white space at the end of a text is held back, since it may belong to the marker that follows.
EDGE = 16

#: The kinds of text by the keys that messages and events have for them.
_KEYS = {"content": "content", "reasoning": "reasoning_content"}


class Span(NamedTuple):
    """A stretch of the output, in characters, and what it was read as."""

    start: int
    end: int
    #: "content", "reasoning", "call", "marker" or "leftover".
    kind: str


class Collector:
    """Takes what the machine reads; what is held may still be taken back."""

    def __init__(self, seed: str) -> None:
        self._events: list[Event] = []
        #: Pieces of one text, or of the arguments of a call, that are not yet an event, and of what they are.
        self._pieces: list[str] = []
        self._telling = ""
        self._bounds: list[tuple[int, str]] = []
        self.unparsed: list[dict[str, Any]] = []
        self._seed = seed
        self._texts: dict[str, list[str]] = {"content": [], "reasoning": []}
        self._calls: list[dict[str, Any]] = []
        self._count = 0
        #: What waits for a decision; None when nothing does.
        self._held: list[tuple[Callable[..., None], tuple[Any, ...]]] | None = None
        self._held_from = 0
        #: Whether the prompt is still being read, which is not part of the output.
        self.muted = True

    def begin_output(self, kind: str, arguments: str) -> None:
        """What comes from here on is output, of a kind at first; a call that is open has these arguments so far."""
        self.muted = False
        self._events, self._pieces = [], []
        # A call that the prompt has begun goes on in the output; one that it has whole is not the output's.
        self._calls = [call for call in self._calls if call["function"]["arguments"] == ""]
        self.unparsed, self._count = [], 0
        for call in self._calls:
            self._delta({**call, "function": dict(call["function"])})
            self.argument(arguments)
        self.account(0, kind)

    def hold(self) -> None:
        """Apply nothing of what follows until it is settled."""
        self._held = []
        self._held_from = len(self._bounds)

    def settle(self, first: Callable[[], None] | None = None) -> None:
        """Apply what was held, after `first`."""
        held, self._held = self._held or [], None
        if first is not None:
            first()
        for apply, given in held:
            apply(*given)

    def drop(self) -> None:
        """Forget what was held."""
        self._held = None
        del self._bounds[self._held_from :]

    def account(self, start: int, kind: str) -> None:
        """Say what the output is from a place on, until something else is said of a later place."""
        bounds = self._bounds
        while bounds and bounds[-1][0] >= start:
            bounds.pop()
        if not self.muted and (not bounds or bounds[-1][1] != kind):
            bounds.append((max(start, 0), kind))

    def spans(self, end: int) -> list[Span]:
        """What each stretch of the output is, up to `end`."""
        starts = [*(start for start, _ in self._bounds[1:]), end]
        stretches = zip(self._bounds, starts, strict=False)
        return [Span(start, stop, kind) for (start, kind), stop in stretches if start < stop]

    def text(self, kind: str, piece: str) -> None:
        """More of the content or the reasoning."""
        if self._held is not None:
            self._held.append((self.text, (kind, piece)))
        elif piece and not self.muted:
            self._texts[kind].append(piece)
            if kind != self._telling:
                self._tell()
                self._telling = kind
            self._pieces.append(piece)

    def reclassify(self) -> None:
        """The content so far was reasoning: a closing marker came that nothing had opened."""
        if self._held is not None:
            self._held.append((self.reclassify, ()))
        elif self._texts["content"]:
            self._texts["reasoning"] += self._texts["content"]
            self._texts["content"] = []
            self._bounds = [(start, "reasoning" if kind == "content" else kind) for start, kind in self._bounds]
            self._tell()
            self._events.append({"reclassified": {"content": "reasoning_content"}})

    def begin(self, name: str, identity: str | None, start: int) -> None:
        """A call begins: its name is known, and arguments follow."""
        if self._held is not None:
            self._held.append((self.begin, (name, identity, start)))
            return
        given = f"{self._seed}\0{start}\0{self._count}\0{name}".encode("utf-8", "surrogatepass")
        call_id = identity or blake2b(given, digest_size=5).hexdigest()[:9]
        self._tell()
        self._calls.append({"id": call_id, "type": "function", "function": {"name": name, "arguments": ""}})
        self._delta({"id": call_id, "type": "function", "function": {"name": name, "arguments": ""}})

    def argument(self, piece: str) -> None:
        """More JSON text of the arguments of the call that began last."""
        if self._held is not None:
            self._held.append((self.argument, (piece,)))
        elif piece:
            if self._telling != "arguments":
                self._tell()
                self._telling = "arguments"
            self._pieces.append(piece)

    def end(self, arguments: dict[str, Any]) -> None:
        """The call is whole."""
        if self._held is not None:
            self._held.append((self.end, (arguments,)))
            return
        self._tell()
        self._calls[-1]["function"]["arguments"] = arguments
        self._count += 1

    def fail(self, text: str, start: int, end: int, status: str) -> None:
        """The call that began last is not one after all."""
        if self._held is not None:
            self._held.append((self.fail, (text, start, end, status)))
            return
        self._tell()
        name = self._calls.pop()["function"]["name"]
        self.unparsed.append({**_unparsed(text, start, end, status), "name": name})
        self._count += 1

    def leave(self, text: str, start: int, end: int, status: str) -> None:
        """A call that never began: its name is not known."""
        if self._held is not None:
            self._held.append((self.leave, (text, start, end, status)))
        elif text and end > 0:
            self.unparsed.append(_unparsed(text, start, end, status))

    def _delta(self, delta: Event) -> None:
        self._events.append({"tool_calls": [{"index": self._count, **delta}]})

    @property
    def is_direct(self) -> bool:
        """Whether every piece becomes an event at once; not while it may still be taken back."""
        return self._held is None and not self.muted

    def pieces(self, kind: str) -> tuple[list[str], str]:
        """The pieces of a kind of text so far, and its key in events."""
        return self._texts[kind], _KEYS[kind]

    @property
    def number(self) -> int:
        """The number of the call that is being read."""
        return self._count

    def _tell(self) -> None:
        """Make one event of the pieces that came."""
        pieces = self._pieces
        if not pieces:
            return
        piece = pieces[0] if len(pieces) == 1 else "".join(pieces)
        self._pieces = []
        if self._telling == "arguments":
            self._delta({"function": {"arguments": piece}})
        else:
            self._events.append({_KEYS[self._telling]: piece})

    def taken(self) -> list[Event]:
        """The events since they were last taken."""
        self._tell()
        events = self._events
        self._events = []
        return events

    @property
    def is_empty(self) -> bool:
        """Whether nothing was read but white space."""
        return not (self._calls or self.unparsed or any(self._texts.values()))

    def message(self) -> dict[str, Any]:
        """What all of it adds up to."""
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self._texts["content"])}
        reasoning = "".join(self._texts["reasoning"])
        if reasoning.strip():
            message["reasoning_content"] = reasoning
        if self._calls:
            message["tool_calls"] = self._calls
        if self.unparsed:
            message["unparsed_tool_calls"] = self.unparsed
        return message


def _unparsed(text: str, start: int, end: int, status: str) -> dict[str, Any]:
    """A call that is none; what precedes place 0 is the prompt's."""
    return {"text": text[max(-start, 0) :], "span": [max(start, 0), end], "status": status}


class Region:
    """Text of one kind between two markers, without the white space that belongs to these."""

    __slots__ = ("_collector", "_edge", "_edges", "_lead", "_skip", "begun", "kind")

    def __init__(self, collector: Collector, kind: str, skip: str = "", edges: str = "\n") -> None:
        self._collector = collector
        #: White space that may belong to a marker after the text.
        self._edges = edges
        self.kind = kind
        #: White space that the marker before may still have.
        self._skip = skip
        #: White space at the beginning, of a text that is blank so far.
        self._lead: list[str] = []
        #: White space at the end of what came.
        self._edge = ""
        #: Whether anything but white space came.
        self.begun = False

    def skip(self, space: str) -> None:
        """Leave out white space at the beginning, before what is left out there anyway."""
        self._skip = space + self._skip

    def add(self, piece: str) -> None:
        """More of the text."""
        while self._skip and piece:
            if piece[0] != self._skip[0]:
                self._skip = ""
                break
            self._skip, piece = self._skip[1:], piece[1:]
        if not piece:
            return
        if not self.begun:
            if piece.isspace():
                self._lead.append(piece)
                return
            self.begun = True
            self._collector.text(self.kind, "".join(self._lead))
        piece = self._edge + piece
        cut = max(len(piece.rstrip(self._edges)), len(piece) - EDGE)
        self._edge = piece[cut:]
        self._collector.text(self.kind, piece[:cut])

    def close(self, before: str = "") -> None:
        """The text is over; `before` is the white space that belongs to what follows."""
        edge = self._edge
        for character in reversed(before):
            if not edge or edge[-1] != character:
                break
            edge = edge[:-1]
        self._collector.text(self.kind, edge)
        self._edge = ""

    def stream(self, cursor: Cursor) -> Stream | None:
        """What takes more of the text, in which nothing else begins; None while it may still be blank."""
        if not self.begun or self._skip:
            return None
        more = cursor.stream(self.add)
        if not self._collector.is_direct or cursor.recordings:
            return more
        pieces, key = self._collector.pieces(self.kind)
        append, edges = pieces.append, self._edges

        def stream(text: str) -> list[Event]:
            if text[-1] in edges or self._edge:
                return more(text)
            cursor.base += len(text)
            append(text)
            return [{key: text}]

        return stream

    @property
    def begins_line(self) -> bool:
        """Whether what comes next stands at the beginning of a line."""
        return not self.begun or "\n" in self._edge

    def forget(self) -> None:
        """Drop the white space that came: it was the prompt's."""
        self._lead, self._edge = [], ""

    def blank(self) -> str:
        """The white space of a text that has nothing else."""
        return "" if self.begun else "".join(self._lead)
