"""What a conversion has to say: remarks on what was renamed, added, removed or left out, and the errors it raises."""

from __future__ import annotations

from typing import NamedTuple

from ..errors import InputError

#: The kinds of remarks, in the order in which a report has them.
KINDS = {
    "lost": "the target has no place for it, and it matters; only with `strict=False`",
    "assumed": "read by a convention that the record itself does not state",
    "changed": "the same thing in another shape",
    "renamed": "the same value under another name",
    "added": "was not there, and follows with certainty",
    "removed": "says nothing: null padding, empty lists",
    "kept": "not understood, and passed on as it is",
    "left out": "the target has no place for it, and neither words nor training depend on it",
}
#: How many places a remark shows when it is printed.
SHOWN = 3


class Remark(NamedTuple):
    """One thing a conversion did, and every place where it did it.

    >>> str(Remark("renamed", "the role 'human' is 'user'", ("conversations[0]", "conversations[2]")))
    "renamed: the role 'human' is 'user' (conversations[0], conversations[2])"
    """

    #: One of the names in `KINDS`.
    kind: str
    #: What was done, in a few words.
    text: str
    #: Where, in the words of the record: `messages[2].content`.
    places: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(self.places[:SHOWN])
        more = f" and {len(self.places) - SHOWN} more" if len(self.places) > SHOWN else ""
        return f"{self.kind}: {self.text}" + (f" ({shown}{more})" if shown else "")


class Notes:
    """Collects the remarks of one conversion; equal ones become one, with all their places."""

    def __init__(self, strict: bool = True) -> None:
        self._strict = strict
        self._places: dict[tuple[str, str], list[str]] = {}

    def add(self, kind: str, place: str, text: str) -> None:
        """Note something; `place` may be empty where it is about the record as a whole."""
        places = self._places.setdefault((kind, text), [])
        if place:
            places.append(place)

    def lose(self, place: str, text: str) -> None:
        """Note that something cannot be carried over.

        Raises:
            InputError: the conversion is strict.
        """
        if self._strict:
            raise wrong(place, text, "strict=False leaves it out and says so in the report")
        self.add("lost", place, text)

    def extend(self, other: Notes) -> None:
        """Take over what another one has collected."""
        for key, places in other._places.items():
            self._places.setdefault(key, []).extend(places)

    def report(self) -> tuple[Remark, ...]:
        """The remarks, what matters most first."""
        order = list(KINDS)
        remarks = [Remark(kind, text, tuple(places)) for (kind, text), places in self._places.items()]
        return tuple(sorted(remarks, key=lambda remark: order.index(remark.kind)))


def wrong(place: str, text: str, hint: str | None = None) -> InputError:
    """The error that something at a place of the record cannot be used."""
    return InputError(f"{place}: {text}" if place else text, hint=hint)
