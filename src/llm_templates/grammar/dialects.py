"""Dialects: reads arguments that stand between tags, one tag or one pair of tags for each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from .cursor import Broken, Cursor, Cut, Event, Markers, Reading, Stream, markers_of
from .layout import Atom
from .literals import read_value
from .spelling import SPECIAL, string_body
from .tables import ArgumentLayout, after_joined, joined
from .value_types import Schema, is_text, json_text, typed

#: The longest key, in characters.
KEY = 256
#: How deep tags may nest.
DEEPEST = 32
#: What XML writes around text that holds tags.
CDATA, CDATA_END = "<![CDATA[", "]]>"

#: The type of a value that the format says is JSON.
ANYTHING = Schema({})

SchemaOf = Callable[[str], Schema | None]


def read_tagged(
    cursor: Cursor, argument: ArgumentLayout, take: Callable[[str], None], ends: Markers, schema_of: SchemaOf
) -> Reading[None]:
    """Read arguments whose values are raw text, up to what is none; JSON text of their object goes to `take`.

    A value ends at a closing tag after which another argument, or the end of the call, follows: values may hold tags.

    Args:
        cursor: stands where arguments begin.
        argument: how one is written.
        take: gets JSON text.
        ends: what may follow the last argument.
        schema_of: what type a key's value has.

    Raises:
        Broken: an argument is not written like that.
        Cut: the output ended inside of one.
    """
    open_text = joined(argument.open)
    heads = markers_of(open_text)
    follow = markers_of(open_text, *ends.texts)
    comma = ""
    take("{")
    while True:
        offset = yield from cursor.spaces()
        if not (yield from cursor.starts(heads, offset)):
            break
        cursor.at += offset
        head = yield from _usual_head(cursor, argument)
        if head is None:
            yield from _skip(cursor, argument.open)
        found = head.groupdict() if head is not None else {}
        key, kind = found.get("key", "").strip(), found.get("type", "").strip()
        for name, literal in argument.fields:
            if head is not None and name != "value":
                continue
            if name == "value":
                take(f'{comma}"{string_body(key)}": ')
                comma = ", "
                yield from _value(cursor, argument, literal, kind, take, follow, key, schema_of)
                continue
            text, mark = yield from cursor.within(markers_of(joined(literal)), KEY)
            if not mark:
                raise Cut if cursor.final and len(text) < KEY else Broken
            cursor.at += len(text)
            yield from _skip(cursor, literal, spare=_value_space(argument, name))
            key, kind = (text.strip(), kind) if name == "key" else (key, text.strip())
    take("}")


def _usual_head(cursor: Cursor, argument: ArgumentLayout) -> Reading[re.Match[str] | None]:
    """Read all that precedes a value at once, if it comes as it usually does."""
    end = argument.head_end
    while True:
        match = argument.head.match(cursor.text, cursor.at)
        if match is not None and (match.end() < len(cursor.text) or cursor.final):
            cursor.at = match.end()
            return match
        if cursor.final or not end or len(cursor.text) - cursor.at > KEY:
            return None
        if match is not None:
            yield
        else:
            yield from cursor.gather(frozenset(end).isdisjoint, KEY)


def _value_space(argument: ArgumentLayout, name: str) -> bool:
    """Whether a value follows the literal after this field, so that white space may be the value's."""
    names = [field for field, _ in argument.fields]
    return names[names.index(name) + 1 :][:1] == ["value"]


def _skip(cursor: Cursor, literal: tuple[Atom, ...], spare: bool = False) -> Reading[None]:
    """Read literal atoms, whatever white space is between them; with `spare`, none but their own after the last."""
    for atom in literal:
        offset = yield from cursor.spaces()
        if not (yield from cursor.starts(markers_of(atom.text), offset)):
            continue
        cursor.at += offset + len(atom.text)
    if spare and literal:
        for character in literal[-1].after:
            if (yield from cursor.peek()) != character:
                break
            cursor.at += 1


def _value(
    cursor: Cursor,
    argument: ArgumentLayout,
    close: tuple[Atom, ...],
    kind: str,
    take: Callable[[str], None],
    follow: Markers,
    key: str,
    schema_of: SchemaOf,
) -> Reading[None]:
    """Read one value and what closes it."""
    schema = schema_of(key)
    told = argument.types.get(kind)
    if argument.quoted:
        yield from read_value(cursor, take)
        yield from _skip(cursor, close)
        return
    streams = told == "string" or (told is None and is_text(schema))
    value = _Value(close[0].before if close else "", take, streams)
    if streams:
        take('"')
    if (yield from cursor.starts(markers_of(CDATA))):
        cursor.at += len(CDATA)
        if not (yield from cursor.until(markers_of(CDATA_END), value.add)):
            raise Cut
        value.end()
        yield from _skip(cursor, close)
    else:
        yield from _closed(cursor, argument, close, value, follow, schema_of)
        value.end()
    take('"' if streams else json_text("".join(value.pieces), ANYTHING if told is not None else schema))


def _closed(
    cursor: Cursor,
    argument: ArgumentLayout,
    close: tuple[Atom, ...],
    value: _Value,
    follow: Markers,
    schema_of: SchemaOf,
) -> Reading[None]:
    """Read up to the closing tag after which something fitting follows, and the tag."""
    tag, head = joined(close), joined(argument.open)
    tags = markers_of(tag, head)
    while True:
        found = yield from cursor.until(tags, value.add, lambda: value.stream(cursor))
        if not found:
            raise Cut
        if found == head:
            # Models forget closing tags: an argument that the tool has, on a line of its own, is the next one.
            if value.begins_line:
                key, _ = yield from cursor.within(markers_of(joined(argument.fields[0][1])), KEY)
                if schema_of(key.strip()) is not None:
                    cursor.back(found)
                    return
            value.add(found)
            continue
        if not cursor.control_texts and follow.after_space(cursor.text, cursor.at):
            break
        offset = yield from cursor.spaces()
        if not (yield from cursor.peek(offset)) or (yield from cursor.starts(follow, offset)):
            break
        if (yield from cursor.starts(markers_of(tag), offset)):
            # The tag stands twice, by mistake of the model.
            cursor.at += offset + len(tag)
            break
        value.add(tag)
    yield from _skip(cursor, after_joined(close))


class _Value:
    """A value without the white space at its end that belongs to the closing tag."""

    def __init__(self, space: str, take: Callable[[str], None], streams: bool) -> None:
        self.space = space
        #: Whether it is a string, told as it comes.
        self.streams = streams
        #: What came, where it is not.
        self.pieces: list[str] = []
        self._tell = take if streams else self.pieces.append
        self._edge = ""

    def add(self, piece: str) -> None:
        """More text."""
        piece = self._edge + piece
        cut = max(len(piece.rstrip(self.space)), len(piece) - len(self.space)) if self.space else len(piece)
        self._edge = piece[cut:]
        if cut:
            self._tell(string_body(piece[:cut]) if self.streams else piece[:cut])

    @property
    def begins_line(self) -> bool:
        """Whether what comes next stands on a line of its own."""
        return self._edge.endswith("\n")

    def stream(self, cursor: Cursor) -> Stream:
        """What takes more text."""
        tell, more = cursor.stream(self._tell), cursor.stream(self.add)
        needs_no_escape = (SPECIAL if self.streams else frozenset()).isdisjoint

        def stream(text: str) -> list[Event]:
            if self._edge or text[-1] in self.space or not needs_no_escape(text):
                return more(text)
            return tell(text)

        return stream

    def end(self) -> None:
        """The text is over."""
        edge = self._edge
        for character in reversed(self.space):
            edge = edge.removesuffix(character)
        if edge:
            self._tell(string_body(edge) if self.streams else edge)


def read_nested(
    cursor: Cursor, argument: ArgumentLayout, take: Callable[[str], None], ends: Markers, schema_of: SchemaOf
) -> Reading[None]:
    """Read arguments with a tag for each key, whose values may hold further tags; `item` tags are an array's.

    Takes and raises what `read_tagged` does.
    """
    value = yield from _tags(cursor, argument, ends, schema_of)
    take(value)


class _Element:
    """A tag that is open."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.children: list[tuple[str, Any]] = []
        self.text: list[str] = []

    def value(self) -> Any:
        """What it holds: text, a list of its items, or an object."""
        if not self.children:
            return "".join(self.text)
        if all(key == "item" for key, _ in self.children):
            return [value for _, value in self.children]
        return dict(self.children)


def _tags(cursor: Cursor, argument: ArgumentLayout, ends: Markers, schema_of: SchemaOf) -> Reading[str]:
    head, tail = joined(argument.open), argument.fields[0][1][0].text
    close_head = joined(argument.fields[1][1])
    marks = markers_of(head, close_head, *ends.texts)
    root = _Element("")
    stack = [root]
    while True:
        text: list[str] = []
        found = yield from cursor.until(marks, text.append)
        if not found:
            raise Cut
        inside = "".join(text)
        if found in ends.texts and found not in (head, close_head):
            cursor.at -= len(found)
            if len(stack) > 1:
                raise Broken
            break
        if found == close_head or inside.strip():
            stack[-1].text.append(inside)
        key, ended = yield from cursor.within(markers_of(tail), KEY)
        if not ended:
            raise Cut if cursor.final else Broken
        if found == close_head and (len(stack) == 1 or key != stack[-1].key):
            # The end of something else: of the call, where no argument is open.
            if len(stack) == 1:
                cursor.back(found)
                break
            stack[-1].text.append(found)
            continue
        if found == head and any(f"{head}{key}{tail}".startswith(text) for text in ends.texts):
            cursor.back(found)
            break
        cursor.at += len(key) + len(ended)
        if found == head:
            if len(stack) > DEEPEST:
                raise Broken
            stack.append(_Element(key))
        else:
            element = stack.pop()
            stack[-1].children.append((element.key, element.value()))
    found_values = {key: typed(value, schema_of(key)) for key, value in root.children}
    return json.dumps(found_values, ensure_ascii=False)
