"""The view of a traced prompt for people: its text line by line, with who wrote what."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby, takewhile
from typing import Any, NamedTuple

import click

from ..engine.provenance import Origin
from ..prompt import Prompt
from .writing import ROW_ESCAPES

#: How text is coloured, by the role of the message it comes from, or the kind of its origin.
COLOURS = {
    "system": "magenta",
    "developer": "magenta",
    "user": "cyan",
    "assistant": "green",
    "tool": "yellow",
    "another message": "blue",
    "tools": "bright_yellow",
    "documents": "bright_blue",
    "variables": "bright_magenta",
    "derived": "red",
}
TEMPLATE = "template"

#: The width of the column that says where a line comes from.
GUTTER = 24
#: What stands around input and around what the model writes, where there are no colours.
INPUT = "⟦⟧"
SAMPLED = "▸◂"
LINE_BREAK = "↵"
LAST_SPACE = "·"


class Piece(NamedTuple):
    """A stretch of the prompt that looks the same: neighbours from the same place are one."""

    text: str
    #: A key of COLOURS, or TEMPLATE.
    kind: str
    #: Where it comes from, in short.
    label: str
    owner: int | None
    sampled: bool


class Cell(NamedTuple):
    """What a terminal shows for one character."""

    shown: str
    width: int
    piece: Piece
    ends_line: bool


def view(prompt: Prompt, messages: Sequence[Any], *, coloured: bool, width: int | None) -> list[str]:
    """The lines of the view.

    Args:
        prompt: the traced prompt.
        messages: the conversation, for the roles of its messages.
        coloured: with colours; otherwise with brackets.
        width: where lines are wrapped; None where they are not.
    """
    roles = [str(message.get("role", "?")) if isinstance(message, dict) else "?" for message in messages]
    pieces = _pieces(prompt, roles)
    lines: list[str] = []
    owner: object = _NOBODY
    for row in _rows(pieces, coloured, None if width is None else max(8, width - GUTTER - 2)):
        piece = row[0].piece
        if piece.owner != owner:
            owner = piece.owner
            title = "outside of any message" if owner is None else f"messages[{owner}] {roles[piece.owner or 0]}"
            title = title.translate(ROW_ESCAPES)
            lines.append(click.style(title, bold=True) if coloured else title)
        label = _gutter(row)
        text = _coloured(row) if coloured else "".join(cell.shown for cell in row)
        lines.append(f"{click.style(label, dim=True) if coloured else label}│ {text}")
    dropped = [f"  {origin}".translate(ROW_ESCAPES) for origin in prompt.dropped]
    return [*lines, "", *(["not in the prompt:", *dropped, ""] if dropped else []), _legend(pieces, coloured)]


_NOBODY = object()


def _pieces(prompt: Prompt, roles: Sequence[str]) -> list[Piece]:
    found: list[Piece] = []
    for text, origin, owner, sampled in prompt.segments:
        piece = Piece(text, _kind(origin, roles), _label(origin, owner), owner, sampled)
        if found and found[-1][1:] == piece[1:]:
            piece = piece._replace(text=found.pop().text + text)
        found.append(piece)
    return found


def _kind(origin: Origin, roles: Sequence[str]) -> str:
    if origin.kind == "message":
        role = roles[origin.index] if origin.index is not None else ""
        return role if role in COLOURS else "another message"
    return origin.kind if origin.kind in (TEMPLATE, "derived") else f"{origin.kind}s"


def _label(origin: Origin, owner: int | None) -> str:
    """An origin in short: what is of the message whose turn it is, is told by the path alone."""
    if origin.kind == TEMPLATE:
        return origin.path or ("computed" if origin.line is None else f"line {origin.line}")
    if origin.kind == "message" and origin.index == owner and origin.path:
        return origin.path
    return str(origin._replace(start=0, key=False))


def _rows(pieces: Sequence[Piece], coloured: bool, room: int | None) -> Iterator[list[Cell]]:
    """The cells of each line of the view: a line of the prompt, or what fits, of one message."""
    row: list[Cell] = []
    used = 0
    for cell in _cells(pieces, coloured):
        full = room is not None and used + cell.width > room
        if row and (full or cell.piece.owner != row[-1].piece.owner or row[-1].ends_line):
            yield row
            row, used = [], 0
        row.append(cell)
        used += cell.width
    if row:
        yield row


def _cells(pieces: Sequence[Piece], coloured: bool) -> Iterator[Cell]:
    """What is shown for each character; brackets go with what they enclose."""
    text = "".join(piece.text for piece in pieces)
    last = _last_spaces(text)
    place = 0
    for number, piece in enumerate(pieces):
        before = pieces[number - 1] if number else None
        after = pieces[number + 1] if number + 1 < len(pieces) else None
        opening, closing = "", ""
        if not coloured:
            opening += SAMPLED[0] * (piece.sampled and not (before and before.sampled))
            opening += INPUT[0] * (piece.kind != TEMPLATE)
            closing += INPUT[1] * (piece.kind != TEMPLATE)
            closing += SAMPLED[1] * (piece.sampled and not (after and after.sampled))
        end = place + len(piece.text) - 1
        for index, character in enumerate(piece.text, place):
            shown = LAST_SPACE if index in last else _shown(character)
            marks = (opening if index == place else ""), (closing if index == end else "")
            width = _width(shown) + len(marks[0]) + len(marks[1])
            yield Cell(f"{marks[0]}{shown}{marks[1]}", width, piece, character == "\n")
        place = end + 1


def _last_spaces(text: str) -> set[int]:
    """The places of blanks before a line break or at the end, which would not be seen."""
    found: set[int] = set()
    for place in range(len(text) - 1, -1, -1):
        follows = place + 1 == len(text) or text[place + 1] == "\n" or place + 1 in found
        if text[place] == " " and follows:
            found.add(place)
    return found


def _shown(character: str) -> str:
    if character == "\n":
        return LINE_BREAK
    if ord(character) in ROW_ESCAPES:
        return ROW_ESCAPES[ord(character)]
    if unicodedata.category(character) in ("Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        code = ord(character)
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character


def _width(shown: str) -> int:
    """The columns that a terminal takes for it."""
    if len(shown) == 1:
        if unicodedata.combining(shown):
            return 0
        return 2 if unicodedata.east_asian_width(shown) in ("W", "F") else 1
    return len(shown)


def _gutter(row: Sequence[Cell]) -> str:
    """Where a line comes from: the input in it, by what its places have in common, or else the template's lines."""
    pieces = list(dict.fromkeys(cell.piece for cell in row))
    given = list(dict.fromkeys(piece.label for piece in pieces if piece.kind != TEMPLATE))
    steps = zip(*(re.findall(r"\.?[^.\[]+|\[[^\]]*\]", label) for label in given), strict=False)
    common = "".join(step[0] for step in takewhile(lambda step: len(set(step)) == 1, steps))
    label = common or ", ".join(given or dict.fromkeys(piece.label for piece in pieces))
    label = label.translate(ROW_ESCAPES)
    return (label if len(label) < GUTTER else f"…{label[2 - GUTTER :]}").ljust(GUTTER)


def _coloured(row: Sequence[Cell]) -> str:
    return "".join(
        _styled("".join(cell.shown for cell in cells), piece) for piece, cells in groupby(row, lambda cell: cell.piece)
    )


def _styled(text: str, piece: Piece) -> str:
    colour = COLOURS.get(piece.kind)
    return click.style(text, fg=colour, dim=colour is None or None, underline=piece.sampled or None)


def _legend(pieces: Sequence[Piece], coloured: bool) -> str:
    """What the colours, or the brackets, mean."""
    signs = f"{LINE_BREAK} a line break   {LAST_SPACE} a space at the end of a line"
    if not coloured:
        return f"{INPUT[0]} {INPUT[1]} input   {SAMPLED[0]} {SAMPLED[1]} what the model writes   {signs}"
    kinds = [kind for kind in COLOURS if any(piece.kind == kind for piece in pieces)]
    names = [click.style(TEMPLATE, dim=True), *(click.style(kind, fg=COLOURS[kind]) for kind in kinds)]
    return "   ".join([*names, click.style("what the model writes", underline=True), signs])
