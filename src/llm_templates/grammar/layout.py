"""Layout: how a piece of output is written: literal text with named fields, cut into the atoms to look for."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from ..errors import InputError
from ..families.markers import CONTROL

#: A field of a layout, or a brace that stands for itself.
_FIELD = re.compile(r"\{\{|\}\}|\{([a-z_]+)\}|[{}]")


class Field(NamedTuple):
    """A place in a layout that what is said fills."""

    name: str


class Atom(NamedTuple):
    """Literal text without white space at its ends, with the white space that the template writes around it."""

    text: str
    before: str = ""
    after: str = ""
    #: Whether it is a marker by its looks, and not a word that could stand in any sentence.
    is_marker: bool = True


class Layout(NamedTuple):
    """Atoms and fields, from left to right.

    >>> layout("<function={name}>\\n{arguments}</function>").parts[0]
    Atom(text='<function=', before='', after='', is_marker=True)
    >>> [part.name for part in layout("{name}[ARGS]{arguments}").parts if isinstance(part, Field)]
    ['name', 'arguments']
    """

    text: str
    parts: tuple[Atom | Field, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of its fields, in their order."""
        return tuple(part.name for part in self.parts if isinstance(part, Field))

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """Its literal parts, in their order."""
        return tuple(part for part in self.parts if isinstance(part, Atom))

    def before(self, field: str) -> str:
        """The literal text up to a field."""
        found: list[str] = []
        for match_text, name in _pieces(self.text):
            if name == field:
                break
            found.append(match_text if name is None else "")
        return "".join(found)


def escaped(text: str) -> str:
    """Literal text as a layout writes it.

    >>> layout(escaped("{}")).atoms[0].text
    '{}'
    """
    return text.replace("{", "{{").replace("}", "}}")


@lru_cache(maxsize=4096)
def layout(text: str) -> Layout:
    """Read a layout: `{name}` is a field, `{{` and `}}` are braces.

    Raises:
        InputError: a brace stands alone, or two fields have nothing between them.
    """
    parts: list[Atom | Field] = []
    literal: list[str] = []
    for piece, name in _pieces(text):
        if name is None:
            literal.append(piece)
            continue
        if parts and not literal and isinstance(parts[-1], Field) and name != "arguments":
            raise InputError(f"nothing stands between the fields of the layout {text!r}")
        parts += atoms("".join(literal))
        literal = []
        parts.append(Field(name))
    parts += atoms("".join(literal))
    return Layout(text, tuple(parts))


def _pieces(text: str) -> list[tuple[str, str | None]]:
    """Literal pieces, and fields by name."""
    found: list[tuple[str, str | None]] = []
    place = 0
    for match in _FIELD.finditer(text):
        if match[0] in "{}":
            raise InputError(
                f"the layout {text!r} has a brace that is no field", hint="write {{ or }} for a brace that is text"
            )
        found.append((text[place : match.start()], None))
        place = match.end()
        found.append((match[0], match[1]) if match[1] else (match[0][0], None))
    found.append((text[place:], None))
    return [(piece, name) for piece, name in found if piece or name]


@lru_cache(maxsize=4096)
def atoms(text: str) -> tuple[Atom, ...]:
    """Literal text cut at its markers and at white space beside them.

    >>> [atom.text for atom in atoms("<tool_call>\\n<function=")]
    ['<tool_call>', '<function=']
    """
    cuts = [0]
    for match in CONTROL.finditer(text):
        cuts += [match.start(), match.end()]
    # White space cuts, too, beside something that is no word: `</function>` and `<function=` are two.
    cuts += [match.end() for match in re.finditer(r"\s+(?=[<\[\]{}(])|(?<=[>\]}])\s+", text)]
    places = sorted({*cuts, len(text)})
    found: list[Atom] = []
    space = ""
    for start, end in pairwise(places):
        piece = text[start:end]
        core = piece.strip()
        if not core:
            space += piece
            if found:
                found[-1] = found[-1]._replace(after=found[-1].after + piece)
            continue
        lead = piece[: len(piece) - len(piece.lstrip())]
        trail = piece[len(piece.rstrip()) :]
        if lead and found:
            found[-1] = found[-1]._replace(after=found[-1].after + lead)
        found.append(Atom(core, space + lead, trail, looks_like_marker(core)))
        space = trail
    return tuple(found)


def looks_like_marker(text: str) -> bool:
    """Whether literal text cannot be taken for an ordinary word: it begins or ends with a mark that tags have."""
    return bool(CONTROL.fullmatch(text)) or (len(text) > 1 and (text[0] in "<[]|" or text[-1] in ">]|"))
