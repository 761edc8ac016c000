"""Which format a record has: the one whose signs it shows, if no other would read it otherwise."""

from __future__ import annotations

import difflib
from typing import Any

from ..errors import InputError
from .evidence import Evidence, look_at
from .example import Example
from .formats import FORMATS, Format
from .notes import Notes


def format_named(name: Any, option: str) -> tuple[str, Format]:
    """A format and its name, in which an underscore is as good as a hyphen.

    Raises:
        InputError: there is none of this name.
    """
    known = str(name).strip().lower().replace("_", "-")
    if known in FORMATS:
        return known, FORMATS[known]
    near = difflib.get_close_matches(known, FORMATS, 1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    raise InputError(f"{option}={name!r} is no format", hint=f"{meant}there are {', '.join(FORMATS)}")


def detected(record: Any, strict: bool) -> tuple[str, Example, Notes]:
    """The name of the record's format, what the record says, and what there is to say about it.

    Of formats that would read the same fields, those whose signs it shows go before those of whose shape it merely is.
    If several are left, all must read it alike.

    Raises:
        InputError: it has no format, or several that read it differently; or the one it has cannot be read.
    """
    candidates = _candidates(record)
    if not candidates:
        raise InputError(
            f"no format is known that looks like this record: {_looks(record)}",
            hint=f"name its format: source='...'; there are {', '.join(FORMATS)}",
        )
    readings: dict[str, tuple[Example, Notes]] = {}
    failures: list[InputError] = []
    for name in candidates:
        notes = Notes(strict)
        try:
            readings[name] = FORMATS[name].read(record, notes), notes
        except InputError as failure:
            failures.append(failure)
    if not readings:
        raise failures[0]
    first = next(iter(readings))
    example, notes = readings[first]
    if any(other != example for other, _ in readings.values()):
        said = "; ".join(f"{name} ({', '.join(_grounds(candidates[name]))})" for name in readings)
        raise InputError(
            f"the record may be of several formats, which read it differently: {said}",
            hint=f"name the one that is meant: source={first!r}",
        )
    return first, example, notes


def _candidates(record: Any) -> dict[str, Evidence]:
    look = look_at(record)
    shown = {name: one.detect(look) for name, one in FORMATS.items()}
    fitting = {name: evidence for name, evidence in shown.items() if evidence is not None}
    first = {name: evidence for name, evidence in fitting.items() if not evidence.is_last} or fitting
    claimed = {field for evidence in first.values() if evidence.signs for field in evidence.fields}
    return {name: one for name, one in first.items() if one.signs or claimed.isdisjoint(one.fields)}


def _grounds(evidence: Evidence) -> tuple[str, ...]:
    return evidence.signs or evidence.fields


def _looks(record: Any) -> str:
    if isinstance(record, dict):
        return f"an object with the keys {', '.join(list(record)[:20]) or '(none)'}"
    if isinstance(record, list):
        kind = type(record[0]).__name__ if record else "nothing"
        return f"a list of {kind}"
    return type(record).__name__
