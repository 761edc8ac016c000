"""Tools as a prompt shows them: the JSON of their schemas, found around their words and read back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

#: How far before the first word of a tool its JSON may begin, and how many brackets there are tried.
_REACH, _TRIED = 2_000, 200
_DECODER = json.JSONDecoder()


class ToolsForm(NamedTuple):
    """How a template writes tools."""

    #: "tool" and "function" for JSON, of the whole schema or of the function in it; "text" for everything else; "" if
    #: it writes none.
    kind: str = ""
    #: What stands between two of them; None where they are one array.
    between: str | None = None

    @property
    def is_json(self) -> bool:
        """Whether the schemas can be read back."""
        return self.kind in ("tool", "function")


def json_around(text: str, start: int, end: int) -> tuple[list[Any], str | None, int, int] | None:
    """The JSON values that all of `text[start:end]` stands in: values, what is between two, and where they stand.

    None if some of it stands in none.

    >>> json_around('Tools: {"name": "f"}, {"name": "g"}.', 17, 32)
    ([{'name': 'f'}, {'name': 'g'}], ', ', 7, 35)
    """
    low = max(0, start - _REACH)
    brackets = [at for at in range(low, start) if text[at] in "[{"][:_TRIED]
    first, values, place = -1, [], start
    for at in brackets:
        found = _value_at(text, at)
        if found is not None and found[1] > start:
            first, (value, place) = at, found
            values = [value]
            break
    if first < 0:
        return None
    between = None
    while place < end:
        following = _bracket(text, place)
        found = None if following < 0 else _value_at(text, following)
        if found is None:
            return None
        between = text[place:following]
        values.append(found[0])
        place = found[1]
    return values, between, first, place


def schemas_end(text: str, place: int, form: ToolsForm) -> Iterator[int]:
    """Where JSON of tools that begins at a place may end, the farthest first."""
    ends = []
    found = _value_at(text, place)
    while found is not None:
        ends.append(found[1])
        if form.between is None or not text.startswith(form.between, found[1]):
            break
        found = _value_at(text, found[1] + len(form.between))
    yield from reversed(ends)


def schemas(text: str, form: ToolsForm) -> list[dict[str, Any]] | None:
    """The schemas of tools that are written as JSON; None if they cannot be read back.

    >>> schemas('{"name": "f"}\\n{"name": "g"}', ToolsForm("function", "\\n"))[1]
    {'type': 'function', 'function': {'name': 'g'}}
    """
    found: list[Any] = []
    place = 0
    while form.is_json and (at := _bracket(text, place)) >= 0:
        known = _value_at(text, at)
        if known is None:
            return None
        value, place = known
        found += value if isinstance(value, list) else [value]
    if not found or not all(isinstance(value, dict) for value in found):
        return None
    return found if form.kind == "tool" else [{"type": "function", "function": value} for value in found]


def form_of(values: Sequence[Any], between: str | None, tools: Sequence[dict[str, Any]]) -> ToolsForm:
    """How tools are written that these values were found for."""
    written = [tool for value in values for tool in (value if isinstance(value, list) else [value])]
    if written == list(tools):
        return ToolsForm("tool", between)
    if written == [tool["function"] for tool in tools]:
        return ToolsForm("function", between)
    return ToolsForm("text")


def _value_at(text: str, place: int) -> tuple[Any, int] | None:
    if text[place : place + 1] not in ("{", "["):
        return None
    try:
        return _DECODER.raw_decode(text, place)
    except (ValueError, RecursionError):
        return None


def _bracket(text: str, place: int) -> int:
    return min((at for at in (text.find("{", place), text.find("[", place)) if at >= 0), default=-1)
