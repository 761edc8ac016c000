"""JSON calls: reads a call that is one JSON object, its name and arguments in any order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from .cursor import Broken, Cursor, Reading
from .grammar import Keys
from .literals import read_object, read_value

#: What formats call the parts of a call; models mix them up.
NAMES = ("name", "tool_name", "function_name", "tool")
ARGUMENTS = ("arguments", "parameters", "args", "input", "params")
IDS = ("id", "tool_call_id", "call_id")
#: How long such a beginning may be.
HEAD = 300
#: Whether nothing says yet where the beginning ends.
_UNDECIDED = frozenset("{}").isdisjoint
#: The longest name of a key, as JSON text.
KEY = 300


@lru_cache(maxsize=256)
def _usual(keys: Keys) -> re.Pattern[str]:
    """The usual beginning of a call, up to its arguments: an id if it has one, and a name, without escapes."""
    if not keys.name:
        return re.compile(r"(?!)")
    entries = [(keys.id, "id"), (keys.name, "name")]
    parts = [rf'"{re.escape(key)}": ?"(?P<{kind}>[^"\\\x00-\x1f]{{1,200}})", ?' for key, kind in entries if key]
    return re.compile(rf'\{{\s?{"".join(parts)}"{re.escape(keys.arguments)}": ?(?=\{{)')


class _Parts(NamedTuple):
    """What of a call is known: JSON texts, whose list is empty until they are."""

    name: list[str]
    identity: list[str]
    arguments: list[str]
    begun: list[bool]


def read_json_call(
    cursor: Cursor,
    keys: Keys,
    begin: Callable[[str, str | None], None],
    take: Callable[[str], None],
    certain: bool,
) -> Reading[None]:
    """Read the object at the cursor as a call.

    Args:
        cursor: stands at `{`.
        keys: what the format calls the parts; other usual words are understood, too.
        begin: is told the name and the id, if there is one by then, before the arguments.
        take: gets JSON text of the arguments.
        certain: whether a marker said that this is a call; if not, every key must belong to one.

    Raises:
        Broken: it is no call, or not JSON.
        Cut: the output ended inside of it.
    """
    parts = _Parts([], [], [], [])
    # Nothing is told before the arguments begin; until then it is enough to wait.
    usual = _usual(keys)
    while keys.name and not cursor.final and len(cursor.text) - cursor.at < HEAD:
        if usual.match(cursor.text, cursor.at) or cursor.text.find("}", cursor.at) >= 0:
            break
        yield from cursor.gather(_UNDECIDED, HEAD)
    head = usual.match(cursor.text, cursor.at)
    if head is not None:
        cursor.at = head.end()
        begin(head["name"], head["id"] if keys.id else None)
        parts.begun.append(True)
        yield from read_object(cursor, take)
        yield from _object(cursor, keys, parts, begin, take, certain, inside=True)
        return
    yield from _object(cursor, keys, parts, begin, take, certain)
    if parts.begun:
        return
    if not parts.name or not (certain or parts.arguments):
        raise Broken
    begin(_text(parts.name), _text(parts.identity) or None)
    take("".join(parts.arguments) or "{}")


def _object(
    cursor: Cursor,
    keys: Keys,
    parts: _Parts,
    begin: Callable[[str, str | None], None],
    take: Callable[[str], None],
    certain: bool,
    inside: bool = False,
) -> Reading[None]:
    """Read an object, or what is left of one."""
    if not inside:
        cursor.at += 1
    while True:
        offset = yield from cursor.spaces()
        cursor.at += offset
        first = yield from cursor.peek()
        if first in ("}", ","):
            cursor.at += 1
            if first == "}":
                return
            continue
        written: list[str] = []
        yield from read_value(cursor, written.append)
        key = _text(written)
        offset = yield from cursor.spaces()
        cursor.at += offset
        if (yield from cursor.peek()) != ":" or len(key) > KEY:
            raise Broken
        cursor.at += 1
        offset = yield from cursor.spaces()
        cursor.at += offset
        first = yield from cursor.peek()
        if not keys.name and not parts.begun:
            # The name is the key.
            begin(key, None)
            parts.begun.append(True)
            yield from read_object(cursor, take)
        elif (key == keys.name or key in NAMES or key == "function") and first in "\"'" and not parts.name:
            yield from read_value(cursor, parts.name.append)
        elif key == keys.arguments or key in ARGUMENTS:
            # Where the format has an id, a call begins with it, even if it comes last.
            if parts.name and not parts.begun and (parts.identity or not keys.id):
                begin(_text(parts.name), _text(parts.identity) or None)
                parts.begun.append(True)
                yield from read_object(cursor, take)
            else:
                yield from read_object(cursor, parts.arguments.append)
        elif key == keys.id or key in IDS:
            yield from read_value(cursor, parts.identity.append)
        elif key == "function" and first == "{":
            yield from _object(cursor, keys, parts, begin, take, certain)
        elif certain or key == "type":
            yield from read_value(cursor, lambda _: None)
        else:
            raise Broken


def _text(written: list[str]) -> str:
    """The text that pieces of JSON say; a number as it is written."""
    text = "".join(written)
    if not text.startswith('"'):
        return "" if text == "null" else text
    found = json.loads(text)
    return found if isinstance(found, str) else ""
