"""What may differ between us and the reference: each class of difference with its reason and how it is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .worker import Outcome

#: Verdicts without a row. Those in `FAILURES` are.
EQUAL, BOTH_REFUSE, GAVE_UP = "equal text", "both refuse", "the oracle gave up"
TEXT, UNTYPED, LATE, DIED = "the texts differ", "untyped exception", "late", "the process died"
REFUSED, ACCEPTED, RAISED = "refused, no row", "accepted, no row", "another message than raise_exception's"
FAILURES = (TEXT, UNTYPED, LATE, DIED, REFUSED, ACCEPTED, RAISED)


@dataclass(frozen=True)
class Row:
    """One class of deliberate difference.

    `kind` is "refused" (we refuse what Jinja renders), "accepted" (we render what Jinja refuses) or "text".
    """

    kind: str
    name: str
    why: str
    holds: Callable[[str, Outcome, Outcome], bool]


def _ours(pattern: str) -> Callable[[str, Outcome, Outcome], bool]:
    """Our message matches."""
    search = re.compile(pattern).search
    return lambda source, ours, theirs: bool(search(f"{ours.error}: {ours.message}"))


def _theirs(pattern: str) -> Callable[[str, Outcome, Outcome], bool]:
    """Jinja's message matches."""
    search = re.compile(pattern).search
    return lambda source, ours, theirs: bool(search(f"{theirs.error}: {theirs.message}"))


def _costly(source: str, ours: Outcome, theirs: Outcome) -> bool:
    """A limit of ours was met, by a template that is large, deep, or names a number or makes a text that is large."""
    large = bool(re.search(r"\d{4}|\*\*|\d\*\d", source)) or len(theirs.text) > 2000 or theirs.seconds > 0.05
    deep = bool(re.search(r"nested|nests|depth", ours.message))
    return ours.error == "BudgetError" and (large or deep) and "compiler" not in ours.message


ROWS: tuple[Row, ...] = (
    Row(
        "refused",
        "prints what has no text",
        "a method, function, generator or other object of Python prints its address in memory",
        _ours(r"SecurityError: an? .* cannot be printed"),
    ),
    Row(
        "refused",
        "underscore names",
        "an attribute that starts with an underscore is Python's own; Jinja's sandbox gives nothing or refuses",
        _ours(r"SecurityError: access to attribute '_"),
    ),
    Row(
        "refused",
        "underscore names of undefined values",
        "an attribute of an undefined value is an error, whatever its name",
        lambda source, ours, theirs: ours.error == "UndefinedError" and "__" in source,
    ),
    Row(
        "refused", "methods of numbers", "no prompt needs them", _ours(r"the method .* is refused: no prompt needs it")
    ),
    Row(
        "refused",
        "roots of negative numbers",
        "no prompt needs complex numbers",
        _ours(r"a root of a negative number is no real number"),
    ),
    Row(
        "refused",
        "slices of constants",
        "a constant number has no parts; Jinja folds `5[:]` to undefined, and refuses it of a variable as we do",
        _ours(r"a value of type (int|float|bool|none|NoneType) cannot be sliced"),
    ),
    Row(
        "text",
        "powers of a negative constant",
        "Jinja writes the folded constant without parentheses, so that `(-2) ** n` gives `-(2 ** n)`",
        lambda source, ours, theirs: "**" in source and "-" in source,
    ),
    Row("refused", "format_map", "`format` says the same", _ours(r"the method 'format_map' .* refused")),
    Row(
        "refused", "class methods", "they belong to the type, not to a value", _ours(r"refused: it belongs to the type")
    ),
    Row(
        "refused",
        "chance",
        "the same conversation always gives the same prompt",
        _ours(r"'(lipsum|random)' is refused"),
    ),
    Row(
        "refused",
        "HTML",
        "no prompt needs links or attributes made",
        _ours(r"the filter '(urlize|xmlattr)' is refused"),
    ),
    Row(
        "refused",
        "bytes",
        "no prompt holds bytes",
        _ours(r"SecurityError: the method '(encode|to_bytes)' .* is refused"),
    ),
    Row(
        "refused",
        "translate",
        "nothing bounds the size of its table",
        _ours(r"the method '(translate|maketrans)' .* refused"),
    ),
    Row(
        "refused",
        "inheritance",
        "there is no loader, so a block has nobody to override it",
        _ours(r"belongs to template inher"),
    ),
    Row("refused", "autoescape", "a prompt is not HTML", _ours(r"TemplateSyntaxError: 'autoescape' is refused")),
    Row("refused", "budget", "steps, bytes, depth and sizes are limited", _costly),
)


def judge(source: str, ours: Outcome, theirs: Outcome) -> str:
    """The verdict: one of the constants above, or the name of the row that describes the difference."""
    if ours.status != "text" and ours.status != "refused":
        return {"late": LATE, "died": DIED}.get(ours.status, UNTYPED)
    if theirs.status not in ("text", "refused"):
        return GAVE_UP
    if theirs.status == "refused":
        if ours.status == "text":
            return _row("accepted", source, ours, theirs) or ACCEPTED
        if theirs.error == "TemplateError" and ours.error == "RaisedError" and ours.message != theirs.message:
            return RAISED
        return BOTH_REFUSE
    if ours.status == "refused":
        return _row("refused", source, ours, theirs) or REFUSED
    if ours.text == theirs.text:
        return EQUAL
    return _row("text", source, ours, theirs) or TEXT


def _row(kind: str, source: str, ours: Outcome, theirs: Outcome) -> str | None:
    return next((row.name for row in ROWS if row.kind == kind and row.holds(source, ours, theirs)), None)
