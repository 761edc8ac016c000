"""The filters of the language as one table: a row a filter, and the reason for each that is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ..errors import BudgetError, SecurityError
from . import number_filters, selection, sequence_filters, text_filters
from .formatting import to_json
from .printing import text
from .run import Run

Filter = Callable[..., Any]

FILTERS: dict[str, Filter] = {
    "abs": number_filters.absolute,
    "attr": sequence_filters.attr,
    "batch": sequence_filters.batch,
    "capitalize": text_filters.on_text("capitalize"),
    "center": text_filters.center,
    "count": sequence_filters.count,
    "d": sequence_filters.default,
    "default": sequence_filters.default,
    "dictsort": selection.dictsort,
    "e": text_filters.escape,
    "escape": text_filters.escape,
    "filesizeformat": number_filters.file_size,
    "first": sequence_filters.first,
    "float": number_filters.to_float,
    "forceescape": text_filters.force_escape,
    "format": text_filters.format_values,
    "groupby": selection.groupby,
    "indent": text_filters.indent,
    "int": number_filters.to_int,
    "items": sequence_filters.items,
    "join": text_filters.join,
    "last": sequence_filters.last,
    "length": sequence_filters.count,
    "list": sequence_filters.to_list,
    "lower": text_filters.on_text("lower"),
    "map": selection.map_items,
    "max": selection.largest,
    "min": selection.smallest,
    "pprint": text_filters.pretty,
    "reject": selection.reject,
    "rejectattr": selection.reject_attribute,
    "replace": text_filters.replace,
    "reverse": sequence_filters.reverse,
    "round": number_filters.round_number,
    "safe": text_filters.safe,
    "select": selection.select,
    "selectattr": selection.select_attribute,
    "slice": sequence_filters.fill_slices,
    "sort": selection.sort,
    "string": text_filters.soft,
    "striptags": text_filters.striptags,
    "sum": selection.total,
    "title": text_filters.title,
    "tojson": to_json,
    "trim": text_filters.trim,
    "truncate": text_filters.truncate,
    "unique": selection.unique,
    "upper": text_filters.on_text("upper"),
    "urlencode": text_filters.urlencode,
    "wordcount": text_filters.wordcount,
    "wordwrap": text_filters.wordwrap,
}


def _refused(name: str, reason: str) -> Filter:
    def refuse(run: Run, value: Any, /, *args: Any, **kwargs: Any) -> Any:
        raise SecurityError(f"the filter {name!r} is refused: {reason}")

    return refuse


#: Filters of Jinja that the language knows and does not have, and why.
REFUSED_FILTERS: dict[str, str] = {
    "random": "the same conversation must always give the same prompt",
    "urlize": "it writes HTML links, which no prompt needs, by patterns that are slow on hostile text",
    "xmlattr": "it writes HTML attributes, which no prompt needs",
}
FILTERS.update({name: _refused(name, reason) for name, reason in REFUSED_FILTERS.items()})


def from_json(run: Run, value: Any, /) -> Any:
    """What `json.loads` gives: an extension, off unless asked for (`extensions=("from_json",)`)."""
    value = text(run, value)
    run.create(32 * len(value))
    depth = run.limits.value_depth
    if value.count("[") + value.count("{") > depth and _json_depth(value) > depth:
        raise BudgetError(f"the JSON text is nested deeper than {depth}")
    return json.loads(value)


def _json_depth(value: str) -> int:
    depth = deepest = 0
    for character in value:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


#: Filters some publishers' hosts add; each is off unless a template is loaded with its name among `extensions`.
EXTENSION_FILTERS: dict[str, Filter] = {"from_json": from_json, "fromjson": from_json}
