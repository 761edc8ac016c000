"""Where generated Python is written: lines with their template line, numbered names, and the table of constants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..values import Text


class Emitter:
    """Collects the lines of one generated module.

    The source holds nothing of the template: every identifier is a letter and a number, every constant an entry of
    `constants`, by which the code refers to it.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        #: The template line of each generated line.
        self.origins: list[int] = []
        self.constants: dict[str, Any] = {}
        self._known: dict[tuple[type, Any], str] = {}
        self._indent = 0
        self._counter = 0
        self._line = 1

    def at(self, line: int) -> None:
        """What is written from now on comes from this template line."""
        self._line = line

    @property
    def line(self) -> int:
        """The template line that is being written."""
        return self._line

    def write(self, code: str) -> None:
        self.lines.append(" " * self._indent + code)
        self.origins.append(self._line)

    @contextmanager
    def block(self, opening: str) -> Iterator[None]:
        """Write `opening` and indent what follows."""
        self.write(opening)
        self._indent += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.write("pass")
        self._indent -= 1

    @contextmanager
    def aside(self) -> Iterator[tuple[list[str], list[int]]]:
        """Collect what is written apart from the rest, one level deeper; `insert` puts it in its place."""
        kept = self.lines, self.origins
        self.lines, self.origins = [], []
        self._indent += 1
        try:
            yield self.lines, self.origins
        finally:
            self._indent -= 1
            self.lines, self.origins = kept

    def insert(self, written: tuple[list[str], list[int]]) -> None:
        self.lines.extend(written[0])
        self.origins.extend(written[1])

    def place(self) -> int:
        """The present place, for `inserted`."""
        return len(self.lines)

    @contextmanager
    def inserted(self, place: int) -> Iterator[None]:
        """What is written is put at an earlier place, at the present depth."""
        kept, self.lines = self.lines, []
        origins, self.origins = self.origins, []
        yield
        kept[place:place] = self.lines
        origins[place:place] = self.origins
        self.lines, self.origins = kept, origins

    def name(self, letter: str) -> str:
        """A new identifier."""
        self._counter += 1
        return f"{letter}{self._counter}"

    def constant(self, value: Any, letter: str = "c") -> str:
        """The identifier of `value` in the table; equal scalars of one type share an entry."""
        key = (type(value), value) if isinstance(value, str | int | bool) else (object, id(value))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self.name(letter)
            self.constants[known] = value
        return known

    def object(self, value: Any) -> str:
        """The identifier of this very object in the table."""
        name = self.name("c")
        self.constants[name] = value
        return name

    def literal(self, text: str) -> str:
        """The identifier of text of the template, marked with its line."""
        key = (Text, (text, self._line))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self.name("c")
            from ..provenance import Origin, whole

            self.constants[known] = whole(text, Origin("template", self._line))
        return known

    def source(self) -> str:
        return "\n".join(self.lines) + "\n"
