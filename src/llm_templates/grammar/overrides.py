"""Overrides: what families say of outputs that their templates do not show, and how a grammar takes it over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from .. import families
from ..errors import InputError
from ..families.markers import control_texts
from .data import grammar_of
from .grammar import Grammar

#: What a table may say of outputs; it takes the place of what was derived, except that calls go before those.
PARTS = ("reasoning", "content", "header", "ignored", "calls")
#: What a table says beside that: why it is there, the texts of templates it is for, and whose table it follows.
ABOUT = ("why", "markers", "like")

_INDEX = re.compile(r"calls\[(\d+)\](.*)", re.DOTALL)


def with_overrides(derived: Grammar, table: Mapping[str, Any]) -> Grammar:
    """A derived grammar with what a family's `response` table says instead; the grammar itself stays as it is.

    Messages with headers look like wrapped text to whoever does not know of them, so that with a header nothing stays
    of the reasoning, the content and the calls that were derived.

    Raises:
        InputError: the table is wrong, or follows one that is not there.

    >>> table = {"why": "The template writes no calls.", "calls": [{"call": "<tool_call>{json}</tool_call>"}]}
    >>> grammar = with_overrides(Grammar(stops=("</s>",)), table)
    >>> grammar.calls[0].call, grammar.stops, grammar.evidence["calls[0]"]
    ('<tool_call>{json}</tool_call>', ('</s>',), 'override: The template writes no calls.')
    """
    table = _followed(table)
    for key in table:
        if key not in (*PARTS, *ABOUT):
            raise InputError(f"{key}: there is no such key", hint=f"the keys are {', '.join((*ABOUT, *PARTS))}")
    said = grammar_of({key: table[key] for key in PARTS if key in table})
    proof = f"override: {table.get('why', '')}".rstrip(": ")
    replaced = {key: getattr(said, key) for key in PARTS if key in table and key != "calls"}
    if "header" in table:
        derived = derived._replace(calls=())
        replaced = {"reasoning": said.reasoning, "content": said.content, **replaced}
    # A form that the table has, too, is the table's.
    stay = [index for index, form in enumerate(derived.calls) if form not in said.calls]
    moved = {old: len(said.calls) + new for new, old in enumerate(stay)}
    evidence = {key: proof for key, part in replaced.items() if part}
    evidence |= {f"calls[{index}]": proof for index in range(len(said.calls))}
    for place, why in derived.evidence.items():
        match = _INDEX.fullmatch(place)
        if match is None and re.split(r"[.\[]", place, maxsplit=1)[0] not in replaced:
            evidence[place] = why
        elif match is not None and int(match[1]) in moved:
            evidence[f"calls[{moved[int(match[1])]}]{match[2]}"] = why
    calls = (*said.calls, *(derived.calls[index] for index in stay))
    return derived._replace(**replaced, calls=calls, evidence=evidence)


def find_table(family: str | None, source: str) -> Mapping[str, Any] | None:
    """The `response` table for a template: that of its family, or else the one whose markers all occur in its source.

    Of several it is the one with the most markers, then with the longest, then that of the family which has the most
    control texts in common with the template.

    Args:
        family: the name of the built-in family whose template it is, if it is one.
        source: its Jinja text.
    """
    own = families.find(family) if family else None
    if own is not None and own.response:
        return own.response
    found = [(name, table) for name, table in _marked() if all(marker in source for marker in table["markers"])]
    if not found:
        return None
    best = max(_weight(table) for _, table in found)
    found = [entry for entry in found if _weight(entry[1]) == best]
    if len(found) > 1:
        theirs = _control_texts(source)
        found.sort(key=lambda entry: (-len(theirs & _family_texts(entry[0])), entry[0]))
    return found[0][1]


def _followed(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """A table with what it takes from the one it is like."""
    name = table.get("like")
    if name is None:
        return table
    other = families.find(name) if isinstance(name, str) else None
    if other is None or not other.response:
        raise InputError(f"like: there is no family {name!r} with a table of its own")
    if "like" in other.response:
        raise InputError(f"like: the table of {name} is itself like another", hint=f"name {other.response['like']}")
    # Markers tell whose a table is, so they are not taken over.
    taken = {key: value for key, value in other.response.items() if key != "markers"}
    return {**taken, **{key: value for key, value in table.items() if key != "like"}}


@cache
def _marked() -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """The tables that templates are told by, with the names of their families."""
    # Few families have one: the files are searched as text before any is parsed.
    named = [name for name in families.names() if "[response" in families.facts_text(name)]
    tables = [(name, families.get(name).response) for name in named]
    return tuple((name, table) for name, table in tables if table.get("markers"))


def _weight(table: Mapping[str, Any]) -> tuple[int, int]:
    return len(table["markers"]), sum(map(len, table["markers"]))


@cache
def _family_texts(name: str) -> frozenset[str]:
    family = families.get(name)
    return frozenset().union(*map(_control_texts, (family.template, *family.variants.values())))


def _control_texts(source: str) -> frozenset[str]:
    """The control texts of a template, where a line of its strings begins after a quote or an escape, too."""
    return frozenset(control_texts(re.sub(r"\\n|['\"]", "\n", source)))
