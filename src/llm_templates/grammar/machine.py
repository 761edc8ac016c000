"""Machine: reads an output by a grammar, one state a method; it never fails on any text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from .calls import Calls
from .collector import Collector, Region
from .cursor import Cursor, Markers, Reading, Stream, markers_of
from .layout import Atom, layout
from .tables import Tables
from .value_types import ToolTypes

#: The longest header of a message, in characters.
HEADER = 256
#: A route that any name fits.
BARE = "{name}"
#: What a tool may be called, in a header.
_NAME = r"[\w.:/-]{1,128}"


class Machine:
    """One reading of one output; `run` is the generator that the parser resumes."""

    def __init__(self, tables: Tables, cursor: Cursor, collector: Collector, tools: ToolTypes) -> None:
        self.tables = tables
        self.cursor = cursor
        self.collector = collector
        self.calls = Calls(tables, cursor, collector, tools)
        self.region = Region(collector, "content", tables.lead, tables.edges)
        #: Whether reasoning is over, so that a marker which closes it is text.
        self.reasoned = False
        #: Texts of white space alone, which count if nothing else comes.
        self.blanks: list[str] = []

    def run(self, opened: bool) -> Reading[None]:
        """Read all of the output; `opened` says that it begins inside of reasoning that no marker opened."""
        if self.tables.grammar.header is not None:
            yield from self._messages()
        else:
            if opened:
                self._enter("reasoning")
                yield from self._reasoning()
            yield from self._content(self.tables.in_content)
        yield from self.cursor.until(markers_of(), self._leftover)

    def message(self) -> dict[str, Any]:
        """What was read, once the output is over."""
        if self.collector.is_empty:
            # White space is only worth telling where there is nothing else.
            self.collector.text("content", "".join(self.blanks))
        return self.collector.message()

    # Text and markers

    def _enter(self, kind: str, skip: str = "") -> None:
        self.region = Region(self.collector, kind, skip, self.tables.edges)
        self.collector.account(self.cursor.place, kind)

    def _leave(self, before: str = "") -> None:
        """End the text that is being read; blank content beside markers is none."""
        if self.region.kind == "content" and not self.region.begun:
            self.blanks.append(self.region.blank())
        self.region.close(before)

    def _take(self, piece: str) -> None:
        place = self.cursor.place
        # What precedes place 0 is the prompt's, even if it could only be told from a marker now.
        self.region.add(piece[-place:] if place < 0 and not self.collector.muted else piece)

    def _stream(self) -> Stream | None:
        """What takes more of the text that is being read."""
        return self.region.stream(self.cursor)

    def _leftover(self, piece: str) -> None:
        self.collector.account(self.cursor.place, "leftover")

    def _mark(self, found: str) -> None:
        """Account for a marker that was just read; what follows is text, until something else is said of it."""
        self.collector.account(self.cursor.place - len(found), "marker")
        self.collector.account(self.cursor.place, self.region.kind)

    def _as_text(self, found: str) -> None:
        """A marker that is none here."""
        self.cursor.at -= len(found)
        self._take(found)
        self.cursor.at += len(found)

    def _rest(self, literal: tuple[Atom, ...], space: str) -> Reading[str]:
        """Read the atoms that follow a marker, as far as they do; returns the white space that belongs to the last.

        `space` is what belongs to the marker.
        """
        for atom in literal:
            offset = (yield from self.cursor.spaces(0, 16)) if space or atom.is_marker else 0
            # A word counts only together with the white space after it.
            text = atom.text if atom.is_marker else atom.text + atom.after
            if not (yield from self.cursor.starts(markers_of(text), offset)):
                break
            start = self.cursor.place
            self.cursor.at += offset + len(text)
            self.collector.account(start, "marker")
            space = atom.after if atom.is_marker else ""
        return space

    # The answer

    def _content(self, markers: Markers, drafting: bool = False) -> Reading[str]:
        """Read the answer and what stands in it; returns the marker that ended it, or "" at the end of the output.

        With `drafting`, calls stand in open reasoning: a marker that closes that ends the reading.
        """
        tables = self.tables
        yield from self._bare_calls()
        while True:
            found = yield from self.cursor.until(markers, self._take, self._stream)
            if found in tables.triggers and (yield from self._calls(found)):
                continue
            if not found or found in tables.ends:
                self._leave(tables.trail)
                self._mark(found)
                return found
            if found in tables.unreasons and drafting:
                self._leave()
                return found
            if found in tables.unreasons:
                yield from self._lone_close(found)
            elif found in tables.reasons and not drafting and self._opens(found):
                yield from self._open_reasoning(found)
            elif found in tables.wraps or found in tables.unwraps:
                self._wrap(found)
                yield from self._bare_calls()
            elif found in tables.grammar.ignored or (found in tables.strays and self.calls.any):
                self._mark(found)
                yield from self._bare_calls()
            else:
                self._as_text(found)

    def _opens(self, found: str) -> bool:
        """Whether a marker that opens reasoning does so here: words about it stand inside of lines."""
        if not self.region.begun or "|" in found:
            return True
        return self.region.begins_line and not self.reasoned

    def _wrap(self, found: str) -> None:
        """A marker around the answer."""
        tables = self.tables
        if found in tables.wraps and not self.region.begun:
            self._leave()
            self._mark(found)
            self._enter("content", tables.wraps[found])
        elif found in tables.unwraps and tables.grammar.content:
            self._leave(_before(tables.grammar.content.close))
            self._mark(found)
            self._enter("content", tables.unwraps[found])
        else:
            self._as_text(found)

    def _calls(self, found: str) -> Reading[bool]:
        """Read calls that a marker may begin; False if it begins none."""
        form = yield from self.calls.read(found, self._leave)
        if form is None:
            if found in self.tables.ends or found in self.tables.unwraps or found in self.tables.grammar.ignored:
                return False
            self._as_text(found)
        else:
            self.reasoned = True
            self._enter("content", form.gap)
        return True

    def _bare_calls(self) -> Reading[None]:
        """Read calls that no marker begins, which stand where an answer begins."""
        if self.tables.bare and not self.region.begun:
            form = yield from self.calls.read_bare(self._leave)
            if form is not None:
                self._enter("content", form.gap)

    # Reasoning

    def _lone_close(self, found: str) -> Reading[None]:
        """A marker that closes reasoning which nothing opened."""
        if self.reasoned or self.calls.any:
            self._as_text(found)
            return
        self._leave(_before(self.tables.unreasons[found][0].close))
        self.collector.reclassify()
        yield from self._close_reasoning(found)
        yield from self._bare_calls()

    def _close_reasoning(self, found: str) -> Reading[None]:
        """Go on after a marker that closes reasoning."""
        block, rest = self.tables.unreasons[found]
        self._mark(found)
        space = yield from self._rest(rest, "" if rest else _after(block.close))
        self.reasoned = True
        self._enter("content", space)

    def _open_reasoning(self, found: str) -> Reading[None]:
        block, rest = self.tables.reasons[found]
        self._leave(_before(block.open))
        self._mark(found)
        space = yield from self._rest(rest, "" if rest else _after(block.open))
        self._enter("reasoning", space)
        yield from self._reasoning()
        yield from self._bare_calls()

    def _reasoning(self) -> Reading[None]:
        """Read reasoning up to what ends it; what follows is read as the answer."""
        tables = self.tables
        while True:
            found = yield from self.cursor.until(tables.in_reasoning, self._take, self._stream)
            if found in tables.unreasons:
                self._leave(_before(tables.unreasons[found][0].close))
                yield from self._close_reasoning(found)
                return
            if found in tables.triggers:
                became = yield from self._draft(found)
                if became == "calls":
                    return
                if became == "reasoning":
                    continue
            if not found or found in tables.ends:
                self._leave()
                self._enter("content")
                self.reasoned = True
                self.cursor.back(found)
                return
            if found in tables.wraps:
                self._leave()
                self._mark(found)
                self.reasoned = True
                self._enter("content", tables.wraps[found])
                return
            if found in tables.reasons and not self.region.begun:
                # Models that find their reasoning opened sometimes open it again.
                block, rest = tables.reasons[found]
                self._mark(found)
                space = yield from self._rest(rest, "" if rest else _after(block.open))
                self._enter("reasoning", space)
            elif found in tables.grammar.ignored:
                self._mark(found)
            else:
                self._as_text(found)

    def _draft(self, found: str) -> Reading[str]:
        """Read calls in open reasoning: they count if no marker closes the reasoning after them.

        Returns what it became: "calls", "reasoning", or "" where none begin.
        """
        cursor, collector, reasoning = self.cursor, self.collector, self.region
        recording = cursor.record(back=len(found))
        collector.hold()
        form = yield from self.calls.read(found, lambda _: None)
        if form is None:
            cursor.recorded(recording)
            collector.drop()
            return ""
        self._enter("content", form.gap)
        ended = yield from self._content(self.tables.in_content, drafting=True)
        text = cursor.recorded(recording)
        if ended not in self.tables.unreasons:
            collector.settle(lambda: reasoning.close(form.lead))
            self._enter("content")
            self.reasoned = True
            cursor.at -= len(ended)
            return "calls"
        collector.drop()
        self.calls.any = False
        self.region = reasoning
        cursor.back(ended)
        draft = text.removesuffix(ended)
        collector.account(recording.place, "reasoning")
        reasoning.add(draft)
        return "reasoning"

    # Messages with headers

    def _messages(self) -> Reading[None]:
        """Read messages, each after a header that says what it is."""
        tables, cursor = self.tables, self.cursor
        while True:
            header, found = yield from cursor.within(tables.in_header, HEADER)
            if found in tables.stops or not (header or found):
                self._enter("content")
                yield from self._body("content")
                return
            if found and found not in tables.header_ends and not header.strip():
                # Between the end of a message and the header of the next.
                cursor.at += len(header) + len(found)
                self._mark(header + found)
                continue
            to, name = self._route(header + found) if found in tables.header_ends else ("", "")
            if to == "arguments" and name == header.strip() and not self.calls.tools.names:
                # Only what follows tells a name from a word.
                offset = yield from cursor.spaces(len(header) + len(found))
                if (yield from cursor.peek(offset)) not in ("{", ""):
                    to = ""
            if to:
                cursor.at += len(header) + len(found)
                self._mark(header + found)
            ended = yield from self._body(to or "content", name, header + found)
            if not ended or ended in tables.stops - tables.closes:
                return

    def _route(self, header: str) -> tuple[str, str]:
        """Where the message after a header goes, and the name in it; ("", "") if it is no header."""
        grammar = self.tables.grammar
        for route in grammar.header.routes if grammar.header else ():
            match = _pattern(route.match).search(header)
            if match is None or (route.match == BARE and not self._is_tool(match[0], header)):
                continue
            return route.to, match[1] if match.re.groups else ""
        return ("content", "") if "|" in header else ("", "")

    def _is_tool(self, name: str, header: str) -> bool:
        """Whether a header without any marker names a tool, and is not the beginning of an answer."""
        tools = self.calls.tools
        return name == header.strip() and (not tools.names or tools.knows(name))

    def _body(self, to: str, name: str = "", header: str = "") -> Reading[str]:
        """Read a message after its header, and the marker that ends it, which is returned."""
        tables = self.tables
        if to == "calls":
            self._enter("content")
            self.calls.is_named = True
            found = yield from self._content(tables.in_calls)
            self.calls.is_named = False
            return found
        if to == "arguments":
            yield from self.calls.read_body(name, header, tables.in_body)
            take = self._leftover
        elif to == "nothing":
            take = self._leftover
        else:
            self._enter(to)
            take = self._take
        found = yield from self.cursor.until(tables.in_body, take, self._stream if take == self._take else None)
        if to in ("content", "reasoning"):
            self._leave()
        if found in tables.kinds:
            cursor = self.cursor
            cursor.at -= len(found)
            return found
        self._mark(found)
        return found


@lru_cache(maxsize=256)
def _pattern(match: str) -> re.Pattern[str]:
    """A route's layout as what to search a header for; a word is not found inside of another one."""
    parts = layout(match)
    literal = parts.before("name")
    before = r"(?<!\w)" if re.match(r"\w", literal) else ""
    after = rf"({_NAME})" if "name" in parts.fields else r"(?!\w)" if re.search(r"\w\Z", literal) else ""
    return re.compile(before + re.escape(literal) + after)


def _before(text: str) -> str:
    """The white space at the beginning of a marker."""
    return text[: len(text) - len(text.lstrip())]


def _after(text: str) -> str:
    """The white space at the end of a marker."""
    return text[len(text.rstrip()) :]
