"""`Evidence`: why a record may be of a format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from .fields import container


class Evidence(NamedTuple):
    """What of a record a format would read, and the signs by which it is known."""

    #: The fields with the words; "" where the record itself is them.
    fields: tuple[str, ...]
    #: What only this format has; none where the record merely has its shape.
    signs: tuple[str, ...] = ()
    #: Whether it counts only where nothing else fits.
    is_last: bool = False


def by_messages(
    record: Any, signs: Mapping[str, Callable[[Mapping[str, Any]], bool]], needs: str | None = None
) -> Evidence | None:
    """The signs that the messages of a record give; None where there is none, or a message lacks the key `needs`."""
    found = container(record)
    if found is None or not all(needs is None or needs in item for item in found[1]):
        return None
    shown = tuple(sign for sign, shows in signs.items() if any(shows(item) for item in found[1]))
    return Evidence((found[0],), shown) if shown else None


def by_fields(record: Mapping[str, Any], names: Iterable[str]) -> Evidence:
    """The fields of these names that a record has, which are the signs, too."""
    found = tuple(name for name in names if name in record)
    return Evidence(found, found)
