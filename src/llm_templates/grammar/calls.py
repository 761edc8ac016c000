"""Calls: reads tool calls in the forms of a grammar, from the marker that begins them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

from .collector import Collector
from .cursor import Broken, Cursor, Cut, Event, Markers, Reading, Stream, markers_of
from .dialects import read_nested, read_tagged
from .json_calls import read_json_call
from .layout import Atom
from .literals import JSON, read_keywords, read_object
from .tables import Form, Opening, Tables, joined, steps
from .value_types import ToolTypes

#: The longest name or id of a call, in characters.
NAME = 256
#: How much may be read twice, because what looked like a call was none: so many times what was read, and some.
AGAIN, SOME = 2, 65536
#: What a tool may be called; other texts are no names.
_NAME = re.compile(r"[^\s<>{}()\[\]\"',;|=]{1,256}")
#: Kimi's ids hold the name: `functions.get_weather:0`.
_ID = re.compile(r"(?:functions\.)?(.+?)(?::\d+)?")


class Calls:
    """Reads calls into a collector; each is begun as soon as its name is known."""

    def __init__(self, tables: Tables, cursor: Cursor, collector: Collector, tools: ToolTypes) -> None:
        self.tables = tables
        self.cursor = cursor
        self.collector = collector
        self.tools = tools
        #: Whether a call was read.
        self.any = False
        #: Whether a header has said that calls follow, so that a name need not be known.
        self.is_named = False
        self._again = 0
        #: Of the call that is being read: where it began, and whether its name is known.
        self._start = 0
        self._begun = False
        self._before: Callable[[str], None] = lambda _: None
        self._form: Form | None = None
        self._pieces: list[str] = []
        cursor.direct[self._take] = self._stream

    def read(self, found: str, before: Callable[[str], None]) -> Reading[Form | None]:
        """Read the calls that a marker, just read, begins; None if it begins none, and nothing is read then.

        `before` is called with the white space that belongs to the calls as soon as there certainly are some.
        """
        return (yield from self._attempt(found, before, self._opened(self.tables.triggers[found])))

    def read_bare(self, before: Callable[[str], None]) -> Reading[Form | None]:
        """Read calls that stand where an answer begins, without a marker; None if there are none."""
        offset = yield from self.cursor.spaces()
        first = yield from self.cursor.peek(offset)
        forms = [form for form in self.tables.bare if first and first in (joined(form.opening) or "{[")]
        if not forms:
            return None
        for form in forms:
            result = yield from self._attempt("", before, None, form, offset)
            if result is not None:
                return result
        return None

    def read_body(self, name: str, header: str, ends: Markers) -> Reading[None]:
        """Read the arguments of a call whose name stood in a header, just read, up to one of `ends`."""
        cursor = self.cursor
        recording = cursor.record(back=len(header))
        self._start, self._begun = recording.place, False
        try:
            self._begin(name, None)
            yield from self._object(ends.texts)
            offset = yield from cursor.spaces()
            if not (yield from cursor.starts(ends, offset)) and (yield from cursor.peek(offset)):
                raise Broken
            self._end()
            cursor.recorded(recording)
        except Broken as error:
            found = yield from cursor.until(ends, lambda _: None)
            cursor.at -= len(found)
            self._fail(cursor.recorded(recording), error)

    # Where calls begin and end

    def _attempt(
        self,
        found: str,
        before: Callable[[str], None],
        opened: Reading[tuple[Form, bool]] | None,
        form: Form | None = None,
        offset: int = 0,
    ) -> Reading[Form | None]:
        """Read calls after a marker, or of a form that has none, `offset` from here; None if there are none."""
        cursor, marked = self.cursor, form is None
        recording = cursor.record(back=len(found))
        self._start, self._begun = recording.place, False
        self._before = before
        self._form = None
        had = self.any
        self.any = False
        try:
            if self._again > AGAIN * cursor.place + SOME:
                raise Broken
            if opened is not None:
                form, as_json = yield from opened
            elif form is not None:
                as_json = form.is_json
                cursor.at += offset + len(joined(form.opening))
            assert form is not None
            self._form = form
            marked = marked and form.is_certain
            yield from self._run(form, as_json, marked)
        except Broken as error:
            kept = self._begun or self.any or (isinstance(error, Cut) and marked and found not in self.tables.ends)
            if kept and isinstance(error, Cut):
                cursor.at = len(cursor.text)
            text = cursor.recorded(recording)
            if not kept:
                self.any = had
                read = text[len(found) :]
                self._again += len(read)
                cursor.back(read)
                return None
            self._before(form.lead if form else "")
            text = text[self._start - recording.place :]
            if self._begun:
                recording = cursor.record()
                yield from self._to_end(self._ends(form))
                text += cursor.recorded(recording)
            self._fail(text, error)
            self.any = True
            return form or self.tables.forms[0]
        cursor.recorded(recording)
        return form

    def _ends(self, form: Form | None) -> Markers:
        texts = form.ends.texts if form else frozenset()
        return markers_of(*sorted(texts | self.tables.triggers.keys() | self.tables.ends))

    def _to_end(self, ends: Markers) -> Reading[None]:
        """Read on to where a broken call ends."""
        found = yield from self.cursor.until(ends, lambda _: None)
        if found in self.tables.triggers or found in self.tables.ends:
            self.cursor.at -= len(found)

    def _opened(self, openings: Iterable[Opening]) -> Reading[tuple[Form, bool]]:
        """The form that the atoms after a marker lead to, and whether its calls are JSON."""
        cursor = self.cursor
        candidates = [(opening.form, opening.after) for opening in openings]
        while True:
            heads: dict[str, list[tuple[Form, int]]] = {}
            for form, after in candidates:
                for text, count in steps(form.opening[after:]).items():
                    heads.setdefault(text, []).append((form, after + count))
            if not heads:
                break
            offset = yield from cursor.spaces()
            found = yield from cursor.starts(markers_of(*heads), offset)
            if not found:
                break
            cursor.at += offset + len(found)
            candidates = heads[found]
        offset = yield from cursor.spaces()
        first = yield from cursor.peek(offset)
        whole = [form for form, after in candidates if after == len(form.opening)]
        if not first:
            raise Cut
        if first in "{[":
            # Models that know another form write JSON after any marker.
            fitting = [form for form in whole if form.is_json] or [form for form, _ in candidates]
            cursor.at += offset
            return fitting[0], True
        fitting = [form for form in whole if not form.is_json]
        if not fitting:
            raise Broken
        cursor.at += offset
        return fitting[0], False

    def _run(self, form: Form, as_json: bool, marked: bool) -> Reading[None]:
        """Read calls, one after the other, as far as they follow without a marker of their own."""
        cursor = self.cursor
        while True:
            if as_json:
                yield from self._json(form, marked)
            else:
                yield from self._named(form, marked)
            offset = yield from cursor.spaces()
            found = yield from cursor.starts(markers_of(*steps(form.end)), offset)
            if found or form.own:
                break
            separator = yield from cursor.starts(markers_of(",", ";"), offset)
            offset = yield from cursor.spaces(offset + len(separator))
            first = yield from cursor.peek(offset)
            if not first or not (first in "{[" if as_json else separator or form.data.between) or first in "]<":
                break
            cursor.at += offset
            self._start, self._begun = cursor.place, False
        yield from self._skip(form.end)
        self.collector.account(self._start, "call")

    def _skip(self, literal: tuple[Atom, ...]) -> Reading[bool]:
        """Read those of the atoms that follow, in their order; whether there was one."""
        cursor, after = self.cursor, 0
        while after < len(literal):
            due = steps(literal[after:])
            offset = yield from cursor.spaces()
            found = yield from cursor.starts(markers_of(*due), offset)
            if not found:
                break
            cursor.at += offset + len(found)
            after += due[found]
        return after > 0

    # One call

    def _begin(self, name: str, identity: str | None) -> None:
        if not self.any and not self._begun:
            self._before(self._form.lead if self._form else "")
        self._begun = True
        self._pieces = []
        self.collector.begin(name, identity, self._start)

    def _take(self, piece: str) -> None:
        """More JSON text of the arguments."""
        self._pieces.append(piece)
        self.collector.argument(piece)

    @property
    def told(self) -> str:
        """The JSON text of the arguments so far, of the call that is being read or was read last."""
        return "".join(self._pieces)

    def _stream(self) -> Stream | None:
        """What takes JSON text of the arguments, where every piece is an event."""
        if not self.collector.is_direct:
            return None
        cursor, index = self.cursor, self.collector.number
        takes = [self._pieces.append, *(recording.pieces.append for recording in cursor.recordings)]

        def stream(text: str) -> list[Event]:
            cursor.base += len(text)
            for take in takes:
                take(text)
            return [{"tool_calls": [{"index": index, "function": {"arguments": text}}]}]

        return stream

    def _end(self) -> None:
        try:
            arguments = json.loads(self.told)
        except (ValueError, RecursionError):
            arguments = None
        if not isinstance(arguments, dict):
            raise Broken
        self.any = True
        self._begun = False
        self.collector.account(self._start, "call")
        self.collector.end(arguments)

    def _fail(self, text: str, error: Broken) -> None:
        status = "truncated" if isinstance(error, Cut) else "broken"
        end = self.cursor.place
        self.collector.account(self._start, "call")
        if self._begun:
            self.collector.fail(text, self._start, end, status)
        else:
            self.collector.leave(text, self._start, end, status)
        self._begun = False

    def _json(self, form: Form, marked: bool) -> Reading[None]:
        """Read one call that is all JSON, or an array of them."""
        cursor = self.cursor
        if (yield from cursor.peek()) != "[":
            yield from self._json_call(form, marked)
            yield from self._skip(form.closing)
            return
        cursor.at += 1
        while True:
            offset = yield from cursor.spaces()
            cursor.at += offset
            first = yield from cursor.peek()
            if first == "]":
                cursor.at += 1
                yield from self._skip(form.closing)
                if not self.any and not marked:
                    raise Broken
                return
            if first == "," and self.any:
                cursor.at += 1
                continue
            if not first and self.any:
                return
            if first != "{":
                raise Broken if first else Cut
            if self.any:
                self._start = cursor.place
            yield from self._json_call(form, marked)

    def _json_call(self, form: Form, marked: bool) -> Reading[None]:
        yield from read_json_call(self.cursor, form.data.keys, self._json_begin(marked), self._take, marked)
        self._end()

    def _json_begin(self, marked: bool) -> Callable[[str, str | None], None]:
        def begin(name: str, identity: str | None) -> None:
            if not name or (not (marked or self.is_named) and self.tools.names and not self.tools.knows(name)):
                raise Broken
            self._begin(name, identity)

        return begin

    def _named(self, form: Form, marked: bool) -> Reading[None]:
        """Read a call whose name, id and arguments stand between markers."""
        cursor = self.cursor
        values = yield from self._fields(form)
        match = _ID.fullmatch(values.get("id", ""))
        name = values.get("name") or (match[1] if match else "")
        if not (marked or self.is_named) and self.tools.names and not self.tools.knows(name):
            raise Broken
        self._begin(name, values.get("id"))
        closed = yield from self._arguments(form, name)
        closed = (yield from self._skip(form.closing)) or closed
        if not closed:
            offset = yield from cursor.spaces()
            raise Broken if (yield from cursor.peek(offset)) else Cut
        self._end()

    def _fields(self, form: Form) -> Reading[dict[str, str]]:
        """Read what precedes the arguments: name, id and number, each up to what follows it."""
        cursor, fields = self.cursor, form.fields
        values: dict[str, str] = {}
        at = 0
        while fields[at][0] != "arguments":
            #: What may follow, with the field that it leads to; a field may be missing.
            later = {joined(literal): place for place, (_, literal) in enumerate(fields[at:], at) if literal}
            later = {text: place for text, place in later.items() if fields[place][0] != "arguments"}
            python = form.data.arguments == "python"
            ends = list(later) if python else [*later, *form.closers, "\n"]
            if form.argument:
                ends.append(joined(form.argument.open))
            elif not python:
                ends.append("{")
            text, found = yield from cursor.within(markers_of(*ends), NAME)
            if not _NAME.fullmatch(text.strip()) or (not found and not cursor.final):
                raise Broken if text.strip() or found else Cut
            if not found:
                raise Cut
            values[fields[at][0]] = text.strip()
            cursor.at += len(text)
            offset = yield from cursor.spaces()
            found = (yield from cursor.starts(markers_of(*later), offset)) if later else ""
            if not found:
                break
            cursor.at += offset
            yield from self._skip(fields[later[found]][1])
            at = later[found] + 1
        if not values.get("name") and not values.get("id"):
            raise Broken
        return values

    def _arguments(self, form: Form, name: str) -> Reading[bool]:
        """Read the arguments; whether they show by themselves where they end."""
        cursor, take = self.cursor, self._take
        dialect = form.data.arguments
        if dialect == "python":
            yield from read_keywords(cursor, take)
            return True
        offset = yield from cursor.spaces()
        cursor.at += offset
        first = yield from cursor.peek()
        if dialect in ("json", "loose") or first == "{":
            yield from self._object(form.closers, form)
            return True
        assert form.argument is not None
        ends = markers_of(*form.closers, *self.tables.triggers, *self.tables.ends)
        read = read_nested if dialect == "nested" else read_tagged
        yield from read(cursor, form.argument, take, ends, lambda key: self.tools.schema(name, key))
        return not form.closing

    def _object(self, closers: Iterable[str], form: Form | None = None) -> Reading[None]:
        """Read arguments that are one object; nothing counts as an empty one."""
        cursor = self.cursor
        offset = yield from cursor.spaces()
        if (yield from cursor.starts(markers_of(*closers), offset)):
            self._take("{}")
            return
        cursor.at += offset
        style = form.style if form and form.data.arguments == "loose" else JSON
        yield from read_object(cursor, self._take, style)
