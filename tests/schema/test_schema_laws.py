"""Law: where the reference gives a schema, ours has the same bytes; where it refuses, ours is one, or an InputError."""

import functools
import json
import operator
import typing
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal, Optional, TypedDict, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_templates import InputError
from llm_templates.schema import tool_schema
from llm_templates.schema.docstrings import read_any, read_plain

reference = pytest.importorskip("transformers.utils.chat_template_utils")


class Color(Enum):
    RED = "red"
    BLUE = 2


class Empty(Enum):
    pass


class Pair(Enum):
    ONE = (1, 2)


class Point(TypedDict):
    x: int


# ---- docstrings ---------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *("Args:", "Returns:", "Raises:", "Args", "\n", "\n\n", "\n    ", "\n        ", "\t", " ", "\r", "\u00a0"),
        *("x:", "y:", "x: one", "y (int): two", "größe: 3", "word", "two words", ":", "::", "(choices: [1])", "*args"),
        *('(choices: ["a"])', "(choices:", ")", ":param x: p", ":returns: r", "Parameters", "----------", "x : int"),
        *("\x0b", "Note:", "http://a.b", "{", "]"),
    ]
)
TEXTS = st.lists(PIECES, max_size=14).map("".join)
#: Most of what is drawn freely has no section, so some have all of them.
SECTIONED = st.tuples(TEXTS, TEXTS, TEXTS).map(lambda parts: "Does.\n\nArgs:\n    x: {}\n    y: {}\n{}".format(*parts))


@settings(max_examples=1500, deadline=None)
@given(TEXTS | SECTIONED | st.text(alphabet="Args:Returns\n xy\t", max_size=40))
def test_a_docstring_is_read_as_the_reference_reads_it(text):
    """Summary, parameters and returns are the same, however odd the text; and any text can be read in any style."""
    text = text.strip()
    assert tuple(read_plain(text)) == reference.parse_google_format_docstring(text)
    summary, parameters, returns = read_any(text)
    assert isinstance(summary, str)
    assert all(isinstance(said, str) for said in parameters.values())
    assert returns is None or isinstance(returns, str)


# ---- functions ----------------------------------------------------------------------------------------------------

KNOWN = [int, float, str, bool, type(None), list, dict, tuple, Any, Color, typing.List, typing.Dict]  # noqa: UP006
REFUSED = [set, bytes, date, object, Point, Empty, Pair, complex, Literal, Union, Sequence, ..., "int", "no such", 5]
VALUES = st.integers(-3, 3) | st.booleans() | st.none() | st.text(max_size=3)


def made(make):
    """`make`, or the hint itself where Python itself refuses the result."""

    def attempt(hint):
        try:
            return make(hint)
        except (TypeError, SyntaxError, AttributeError):
            return hint

    return attempt


def containers(inner):
    """Hints that hold other hints."""
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        inner.map(made(lambda hint: list[hint])),
        inner.map(made(lambda hint: Annotated[hint, "hidden"])),
        inner.map(made(lambda hint: Optional[hint])),  # noqa: UP045
        inner.map(made(lambda hint: dict[str, hint])),
        several.map(made(lambda hints: tuple[hints])),
        several.map(made(lambda hints: Union[hints])),  # noqa: UP007
        several.map(made(lambda hints: functools.reduce(operator.or_, hints))),
    )


def refused_containers(inner):
    """Hints that hold other hints, those included that the reference refuses."""
    return st.one_of(
        containers(inner),
        inner.map(made(lambda hint: set[hint])),
        inner.map(made(lambda hint: tuple[hint, ...])),
        inner.map(made(lambda hint: Iterable[hint])),
        inner.map(made(lambda hint: Mapping[str, hint])),
    )


def hints(bare, values, around):
    literals = st.lists(values, min_size=1, max_size=4).map(lambda values: Literal[tuple(values)])
    return st.recursive(st.sampled_from(bare) | literals, around, max_leaves=5)


PLAIN_HINTS = hints(KNOWN, VALUES, containers)
ANY_HINTS = hints(KNOWN + REFUSED, VALUES | st.just(Color.RED), refused_containers)


@st.composite
def functions(draw, types):
    """A function with up to five parameters of all kinds, some of them described."""
    names = draw(st.lists(st.sampled_from(["self", "a", "b", "city", "größe", "cls"]), unique=True, max_size=4))
    marks = draw(st.lists(st.sampled_from(["", "", "", "=1", "=None"]), min_size=len(names), max_size=len(names)))
    written = sorted((name + mark for name, mark in zip(names, marks, strict=True)), key=lambda text: "=" in text)
    written += draw(st.sampled_from([[], [], ["*", "last"], ["*rest"], ["**more"], ["*rest", "last=2", "**more"]]))
    space = {}
    exec(f"def function({', '.join(written)}): pass", space)  # noqa: S102  (a signature that a test made up)
    function = space["function"]
    taken = function.__code__.co_varnames
    hinted = [name for name in taken if draw(st.sampled_from([True] * 29 + [False]))]
    function.__annotations__ = {name: draw(types) for name in hinted}
    if draw(st.booleans()):
        function.__annotations__["return"] = draw(ANY_HINTS)
    described = [name for name in taken if draw(st.sampled_from([True] * 29 + [False]))]
    entry = draw(st.sampled_from(["    {}: {}\n"] * 9 + ["    {} (int): {}\n"]))
    lines = [entry.format(name, draw(st.just("what it is") | TEXTS.map(str.split).map(" ".join))) for name in described]
    function.__doc__ = "Does.\n\nArgs:\n" + "".join(lines) + draw(st.sampled_from(["", "\nReturns:\n    It.\n"]))
    return function


def outcome(schema_of, function):
    try:
        return json.dumps(schema_of(function))
    except InputError:
        return None


def reference_outcome(function):
    try:
        return json.dumps(reference.get_json_schema(function))
    except Exception:
        return None


@settings(max_examples=600, deadline=None)
@given(functions(PLAIN_HINTS))
def test_functions_of_basic_types_have_the_reference_s_bytes(function):
    """Whatever the parameters, their types and descriptions."""
    expected = reference_outcome(function)
    found = outcome(tool_schema, function)
    assert expected is None or found == expected


@settings(max_examples=600, deadline=None)
@given(functions(ANY_HINTS))
def test_functions_of_any_types_have_the_reference_s_bytes_or_better(function):
    """Types that the reference refuses change nothing about what it takes, and never end in a foreign exception."""
    expected = reference_outcome(function)
    found = outcome(tool_schema, function)
    assert expected is None or found == expected
