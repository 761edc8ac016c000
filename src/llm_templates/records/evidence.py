"""`Look` and `Evidence`: what of a record detection looks at, and why it may be of a format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from .fields import container
from .roles import has_words_alone


class Look(NamedTuple):
    """A record, taken apart once for all formats."""

    record: Any
    #: Its fields; none where it is a list or a text.
    fields: dict[str, Any]
    #: The field of its messages, "" where it is the list of them itself.
    key: str
    messages: list[dict[str, Any]]
    #: The messages that are more than somebody's words: no others can show of what format they are.
    telling: list[dict[str, Any]]


def look_at(record: Any) -> Look:
    """A record as detection looks at it.

    >>> look_at([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello", "id": "a"}]).telling
    [{'role': 'assistant', 'content': 'Hello', 'id': 'a'}]
    """
    key, messages = container(record) or ("", [])
    telling = [message for message in messages if not (has_words_alone(message) or _is_turn(message))]
    return Look(record, record if isinstance(record, dict) else {}, key, messages, telling)


def _is_turn(message: dict[str, Any]) -> bool:
    return len(message) == 2 and "from" in message and isinstance(message.get("value"), str)


class Evidence(NamedTuple):
    """What of a record a format would read, and the signs by which it is known."""

    #: The fields with the words; "" where the record itself is them.
    fields: tuple[str, ...]
    #: What only this format has; none where the record merely has its shape.
    signs: tuple[str, ...] = ()
    #: Whether it counts only where nothing else fits.
    is_last: bool = False


def by_messages(
    look: Look, signs: Mapping[str, Callable[[dict[str, Any]], bool]], needs: str | None = None
) -> Evidence | None:
    """The signs that the messages of a record give; None where there is none, or a message lacks the key `needs`."""
    if not look.telling or not all(needs is None or needs in message for message in look.messages):
        return None
    shown = tuple(sign for sign, shows in signs.items() if any(map(shows, look.telling)))
    return Evidence((look.key,), shown) if shown else None


def by_fields(fields: Mapping[str, Any], names: Iterable[str]) -> Evidence:
    """The fields of these names that a record has, which are the signs, too."""
    found = tuple(name for name in names if name in fields)
    return Evidence(found, found)
