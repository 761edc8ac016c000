"""What the reference refuses and we describe: each with the schema it should have."""

import functools
import uuid
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, NewType, NotRequired, Optional, Required, TypedDict

import pytest
import schema_postponed
from schema_functions import of_type, said

from llm_templates import InputError
from llm_templates.schema import tool_schema, tool_schemas

INTEGER = {"type": "integer"}
STRING = {"type": "string"}


class Color(Enum):
    RED = "red"
    BLUE = 2


class Point(TypedDict):
    x: int
    y: NotRequired[float]


class Loose(TypedDict, total=False):
    """Few of these are needed.

    Attributes:
        name (str): What it is called.
    """

    name: Required[str]
    color: Annotated[Color, "Its color"]
    at: Point


@dataclass
class Size:
    width: int
    height: Annotated[int, "From top to bottom"] = 1
    tags: list[str] = field(default_factory=list)
    area: int = field(init=False, default=0)
    unit: ClassVar[str] = "cm"
    fixed: Final[bool] = True


@dataclass
class Box:
    """A box.

    :param size: how large
    :param lid: what closes it
    """

    size: Size
    lid: Optional["Box"] = None


POINT = {"type": "object", "properties": {"x": INTEGER, "y": {"type": "number"}}, "required": ["x"]}
LOOSE = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "What it is called."},
        "color": {"type": ["string", "integer"], "enum": ["red", 2], "description": "Its color"},
        "at": POINT,
    },
    "required": ["name"],
}
SIZE = {
    "type": "object",
    "properties": {
        "width": INTEGER,
        "height": {"type": "integer", "description": "From top to bottom"},
        "tags": {"type": "array", "items": STRING},
        "fixed": {"type": "boolean"},
    },
    "required": ["width"],
}
BOX = {
    "type": "object",
    "properties": {
        "size": {**SIZE, "description": "how large"},
        "lid": {"$ref": "#/$defs/Box", "nullable": True, "description": "what closes it"},
    },
    "required": ["size"],
    "description": "A box.",
}

TYPES = [
    (set, {"type": "array", "uniqueItems": True}),
    (set[int], {"type": "array", "items": INTEGER, "uniqueItems": True}),
    (frozenset[str], {"type": "array", "items": STRING, "uniqueItems": True}),
    (AbstractSet[int], {"type": "array", "items": INTEGER, "uniqueItems": True}),
    (Sequence, {"type": "array"}),
    (Sequence[str], {"type": "array", "items": STRING}),
    (Iterable[Sequence[int]], {"type": "array", "items": {"type": "array", "items": INTEGER}}),
    (deque[int], {"type": "array", "items": INTEGER}),
    (Mapping, {"type": "object"}),
    (Mapping[str, int], {"type": "object", "additionalProperties": INTEGER}),
    (OrderedDict[str, date], {"type": "object", "additionalProperties": {"type": "string", "format": "date"}}),
    (tuple[int], {"type": "array", "prefixItems": [INTEGER]}),
    (tuple[int, ...], {"type": "array", "items": INTEGER}),
    (bytes, {"type": "string", "format": "binary"}),
    (date, {"type": "string", "format": "date"}),
    (datetime, {"type": "string", "format": "date-time"}),
    (time, {"type": "string", "format": "time"}),
    (timedelta, {"type": "string", "format": "duration"}),
    (uuid.UUID, {"type": "string", "format": "uuid"}),
    (Path, {"type": "string", "format": "path"}),
    (Decimal, {"type": "number"}),
    (object, {}),
    (date | None, {"type": "string", "format": "date", "nullable": True}),
    (int | date, {"anyOf": [INTEGER, {"type": "string", "format": "date"}]}),
    (Optional[set[int] | None], {"type": "array", "items": INTEGER, "uniqueItems": True, "nullable": True}),  # noqa: UP045
    (Literal[Color.RED, "green"], {"type": "string", "enum": ["red", "green"]}),
    (NewType("UserId", int), INTEGER),
    (NewType("Days", list[date]), {"type": "array", "items": {"type": "string", "format": "date"}}),
    (Point, POINT),
    (list[Point] | None, {"type": "array", "items": POINT, "nullable": True}),
    (Size, SIZE),
    (dict[str, Size], {"type": "object", "additionalProperties": SIZE}),
]  # fmt: skip


@pytest.fixture(scope="module")
def refused():
    """A function that says whether the reference refuses a function."""
    get_json_schema = pytest.importorskip("transformers.utils.chat_template_utils").get_json_schema

    def is_refused(function):
        try:
            get_json_schema(function)
        except Exception:
            return True
        return False

    return is_refused


def parameters(function):
    return tool_schema(function)["function"]["parameters"]


def same(found, expected):
    """Equal, and in the same order."""
    return list(walk(found)) == list(walk(expected))


def walk(value):
    if isinstance(value, dict):
        for key, held in value.items():
            yield key
            yield from walk(held)
    elif isinstance(value, list):
        yield len(value)
        for held in value:
            yield from walk(held)
    else:
        yield type(value), value


# ---- types --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hint", "expected"), TYPES, ids=lambda value: str(value)[:40])
def test_a_type_has_its_schema(hint, expected, refused):
    """Each type that the reference refuses is written after the same pattern, its description last."""
    function = of_type(hint)
    assert refused(function)
    properties = parameters(function)["properties"]
    assert same(properties, {"x": {**expected, "description": "The value"}})


def test_the_fields_of_a_typed_dict_are_described_by_its_docstring_or_by_annotated(refused):
    """A docstring of any style describes keys; the dict's own summary gives way to the parameter's description."""
    assert refused(of_type(Loose))
    assert same(parameters(of_type(Loose))["properties"]["x"], {**LOOSE, "description": "The value"})
    item = {**LOOSE, "description": "Few of these are needed."}
    expected = {"type": "array", "items": item, "description": "The value"}
    assert same(parameters(of_type(list[Loose]))["properties"]["x"], expected)


def test_hints_that_are_text_are_read(refused):
    """Required and NotRequired hold in a TypedDict whose hints are text, and so does Annotated."""
    assert refused(schema_postponed.send)
    letter = {
        "type": "object",
        "properties": {
            "size": {"type": "string", "enum": ["small", "large"]},
            "label": STRING,
            "stamp": INTEGER,
            "seal": {"type": "boolean"},
        },
        "required": ["size", "stamp"],
        "description": "What",
    }
    copies = {"type": "array", "items": INTEGER, "description": "which copies"}
    expected = {"type": "object", "properties": {"letter": letter, "copies": copies}, "required": ["letter", "copies"]}
    assert same(parameters(schema_postponed.send), expected)


def test_a_type_that_holds_itself_is_written_once():
    """It stands under `$defs` of the parameters, and where it is used there is a reference."""
    expected = {
        "type": "object",
        "properties": {"x": {"$ref": "#/$defs/Box", "description": "The value"}},
        "required": ["x"],
        "$defs": {"Box": BOX},
    }
    assert same(parameters(of_type(Box)), expected)
    tree = parameters(schema_postponed.plant)
    assert tree["properties"]["others"] == {
        "type": "array",
        "items": {"$ref": "#/$defs/Tree"},
        "description": "More",
    }
    assert list(tree["$defs"]) == ["Tree"]
    # What is returned cannot be read here, and is left out.
    assert "return" not in tool_schema(schema_postponed.plant)["function"]


def test_two_types_of_one_name_do_not_meet():
    """The second has a number."""

    def other():
        @dataclass
        class Box:
            inner: "list[Box]"

        Box.__annotations__["inner"] = list[Box]
        return Box

    schema = parameters(of_type(tuple[Box, other()]))
    assert schema["properties"]["x"]["prefixItems"] == [{"$ref": "#/$defs/Box"}, {"$ref": "#/$defs/Box2"}]
    assert same(schema["$defs"]["Box"], BOX)
    assert schema["$defs"]["Box2"]["properties"]["inner"]["items"] == {"$ref": "#/$defs/Box2"}


# ---- pydantic -----------------------------------------------------------------------------------------------------


def test_a_pydantic_model_says_itself_what_it_is(refused):
    """Its own schema, with what it refers to written in place, and what refers to itself under `$defs`."""
    pydantic = pytest.importorskip("pydantic")

    class Address(pydantic.BaseModel):
        """Where someone lives."""

        street: str = pydantic.Field(description="The street")

    class Person(pydantic.BaseModel):
        home: Address
        friends: list["Person"] = pydantic.Field(default=[])

    def visit(home: Address, person: Person, more: Annotated[list[Address], pydantic.Field(description="Others")]):
        """Visits.

        Args:
            person: Whom
        """

    assert refused(visit)
    properties = {"street": {"description": "The street", "title": "Street", "type": "string"}}
    address = {"properties": properties, "required": ["street"], "title": "Address", "type": "object"}
    about = "Where someone lives."
    found = parameters(visit)
    expected = {
        "home": {**address, "description": about},
        "person": {"$ref": "#/$defs/Person", "description": "Whom"},
        "more": {"type": "array", "items": {"description": about, **address}, "description": "Others"},
    }
    assert same(found["properties"], expected)
    assert found["$defs"]["Person"]["properties"] == {
        "home": {**address, "description": about},
        "friends": {"default": [], "items": {"$ref": "#/$defs/Person"}, "title": "Friends", "type": "array"},
    }
    assert tool_schema(Address) == {
        "type": "function",
        "function": {"name": "Address", "description": about, "parameters": address},
    }


def test_whatever_offers_a_schema_is_asked():
    """There need be no pydantic: the method is enough."""

    class Query:
        @classmethod
        def model_json_schema(cls):
            return {"type": "object", "properties": {"text": STRING}, "$defs": {}}

    expected = {"type": "object", "properties": {"text": STRING}, "description": "The value"}
    assert same(parameters(of_type(Query))["properties"]["x"], expected)


# ---- callables ----------------------------------------------------------------------------------------------------


def weather(city: str, unit: Literal["c", "f"], days: int = 1, *, lang: str = "en"):
    """Tells the weather.

    Args:
        city: Where
        unit: In what
        days: How long
        lang: Which language
    """


class Search:
    """Searches.

    Args:
        query: For what
    """

    limit: int

    def __call__(self, query: str, *more, **options):
        pass


class Fetch(Search):
    def __call__(self, url: Annotated[str, "From where"], again: bool = False):
        """Fetches.

        Args:
            again: Also if it is there
        """


class Lookup:
    """Looks something up.

    Args:
        word: What
    """

    def __init__(self, word: str) -> None:
        pass


UNIT = {"type": "string", "enum": ["c", "f"], "description": "In what"}
DAYS = {"type": "integer", "description": "How long"}
LANG = {"type": "string", "description": "Which language"}
CITY = {"type": "string", "description": "Where"}
QUERY = {"type": "string", "description": "For what"}
WORD = {"type": "string", "description": "What"}
URL = {"type": "string", "description": "From where"}
AGAIN = {"type": "boolean", "description": "Also if it is there"}
ROME = functools.partial(weather, "Rome")
WORN = functools.update_wrapper(functools.partial(weather, "Rome"), weather)
NAMED = functools.partial(weather, "Rome", "c")
NAMED.__name__ = "roman_weather"
NAMED.__doc__ = "Tells the weather in Rome.\n\n    :param days: for how long"

CALLABLES = [
    (ROME, "weather", {"unit": UNIT, "days": DAYS, "lang": LANG}, ["unit"]),
    (functools.partial(weather, unit="c"), "weather", {"city": CITY, "days": DAYS, "lang": LANG}, ["city"]),
    (functools.partial(ROME, lang="it"), "weather", {"unit": UNIT, "days": DAYS}, ["unit"]),
    (WORN, "weather", {"unit": UNIT, "days": DAYS, "lang": LANG}, ["unit"]),
    (functools.partial(WORN, unit="c", lang="it"), "weather", {"days": DAYS}, None),
    (functools.partial(weather, "Rome", "c", 2, lang="it"), "weather", {}, None),
    (functools.partial(Search(), "x"), "Search", {}, None),
    (Search(), "Search", {"query": QUERY}, ["query"]),
    (Fetch(), "Fetch", {"url": URL, "again": AGAIN}, ["url"]),
    (Lookup, "Lookup", {"word": WORD}, ["word"]),
]


@pytest.mark.parametrize(("tool", "name", "properties", "required"), CALLABLES)
def test_a_callable_is_described_by_what_a_call_takes(tool, name, properties, required):
    """Bound arguments are left out; an object is described by its `__call__`, a class by what makes it."""
    schema = tool_schema(tool)["function"]
    assert schema["name"] == name
    expected = {"type": "object", "properties": properties, "required": required}
    assert same(schema["parameters"], {key: value for key, value in expected.items() if value is not None})
    assert "return" not in schema


def test_a_partial_may_have_a_name_and_a_docstring_of_its_own():
    """They stand for those of its function; what they do not describe is an error."""
    with pytest.raises(InputError, match=r"roman_weather\(\): the docstring does not describe the parameter 'lang'"):
        tool_schema(NAMED)
    tool = functools.partial(weather, "Rome", "c", lang="it")
    tool.__name__, tool.__doc__ = NAMED.__name__, NAMED.__doc__
    assert tool_schema(tool)["function"] == {
        "name": "roman_weather",
        "description": "Tells the weather in Rome.",
        "parameters": {"type": "object", "properties": {"days": {"type": "integer", "description": "for how long"}}},
    }


def test_an_object_s_docstring_is_that_of_its_call_or_its_class():
    """The text that Python gives every `__call__` is nobody's description."""
    assert tool_schema(Search())["function"]["description"] == "Searches."
    assert tool_schema(Fetch())["function"]["description"] == "Fetches."


def test_dataclasses_and_typed_dicts_can_be_tools(refused):
    """Such a class is the tool's arguments; its docstring, what the tool does."""
    assert refused(Loose)
    schema = {"name": "Loose", "description": "Few of these are needed.", "parameters": LOOSE}
    assert same(tool_schema(Loose), {"type": "function", "function": schema})


def test_variadic_parameters_are_left_out(refused):
    """Without a type or a description, and beside what the reference refuses, nobody can pass them by name."""

    def untyped(a: int, *args, **kwargs):
        """Does.

        Args:
            a: First
            *args: The rest
            **kwargs: What else
        """

    def unwritable(a: int, *args: set[int]):
        """Does.

        Args:
            a: First
            args: The rest
        """

    expected = {
        "type": "object",
        "properties": {"a": {"type": "integer", "description": "First"}},
        "required": ["a"],
    }

    def described_otherwise(a: int, *args: int):
        """Does.

        Args:
            a (int): First
            args (int): The rest
        """

    for function in (untyped, unwritable, described_otherwise):
        assert refused(function)
        assert same(parameters(function), expected)


def test_nothing_is_run():
    """Neither the function nor what its defaults are."""

    class Loud:
        def __call__(self, *args):
            raise AssertionError("was called")

        __eq__ = __bool__ = __repr__ = __iter__ = __len__ = __call__
        __hash__ = None

    loud = Loud()

    def function(a: int = loud, b: Any = loud):
        """Does.

        Args:
            a: First
            b: Second
        """
        raise AssertionError("was called")

    assert "required" not in parameters(function)


# ---- docstrings ---------------------------------------------------------------------------------------------------

X = {"type": "integer", "description": "it"}
Y = {"type": "string", "description": "the other"}

DOCSTRINGS = {
    "google with types": """Does.

        Args:
            x (int): it
            y (Optional[dict(str, int)], optional): the
                other
        """,
    "google, another header": """Does.

        Arguments:

            x: it

            y: the
              other

        Example:
            y: no
        """,
    "google, two sections": """Does.

        Args:
          x (int): it

        Keyword Args:
          y (str): the other

        Note:
          y: no
        """,
    "google, not indented": """Does.

        Args:
        x (int): it
        y (str): the
          other

        And so on.
        """,
    "google, a section's word in an entry": """Does.

        Args:
            x (int): it
            y (str): the
                other
            Note: z
        """,
    "google first of all": "Args:\n    x: it\n    y: the other\n",
    "numpy": """Does.

        Parameters
        ----------
        x : int
            it
        y : {'a', 'b'}, optional
            the

            other

        Returns
        -------
        int
            what comes

        Examples
        --------
        >>> 1
        """,
    "numpy without types": """Does.

        Parameters
        ==========
        x
            it

        y
            the other
        *args, **kwargs
            more
        """,
    "numpy, two sections": """Does.

        Parameters
        ----------
        x: int
            it

        Other Parameters
        ----------------
        y: str
            the other
        """,
    "reST": """Does.

        :param x: it
        :type x: int
        :param str y: the
            other
        :returns: what comes
        :rtype: int
        :raises ValueError: no
        """,
    "reST, sloppy": """Does.
        :param int x : it
        :param y:
        the other

        And so on.
        """,
    "epydoc": """Does.

        @param x: it
        @param y: the other
        @return: what comes
        """,
    "annotated": "Does.\n\nArgs:\n    x: it\n",
    "mixed": "Does.\n\n:param x: it\n\nArgs:\n    y (str): the other\n",
}


@pytest.mark.parametrize("style", DOCSTRINGS)
def test_docstrings_of_every_style_are_read(style, refused):
    """Types that a docstring names are passed over; descriptions of several lines are one line."""
    function = said(DOCSTRINGS[style], x=int, y=Annotated[str, "the other"])
    assert refused(function)
    schema = tool_schema(function)["function"]
    assert schema["description"] == ("Does." if style != "google first of all" else "")
    assert same(schema["parameters"], {"type": "object", "properties": {"x": X, "y": Y}, "required": ["x", "y"]})


@pytest.mark.parametrize("style", ["numpy", "reST", "epydoc"])
def test_what_is_returned_is_read_in_every_style(style):
    """It is written if its type is basic, as the reference does."""
    function = said(DOCSTRINGS[style], x=int, y=str)
    function.__annotations__["return"] = int
    assert tool_schema(function)["function"]["return"] == {"type": "integer", "description": "what comes"}
    function.__annotations__["return"] = set[int]
    assert "return" not in tool_schema(function)["function"]


def test_a_docstring_wins_over_annotated():
    """It is what the reference writes."""
    function = said("Does.\n\nArgs:\n    x (int): it\n", x=Annotated[int, "hidden"], y=Annotated[str, 1, "the other"])
    assert parameters(function)["properties"] == {"x": X, "y": Y}


def test_choices_are_read_in_every_style():
    """They become `enum`, before the description."""
    function = said('Does.\n\n:param x: it (choices: ["a", "b"])', x=str)
    expected = {"x": {"type": "string", "enum": ["a", "b"], "description": "it"}}
    assert same(parameters(function)["properties"], expected)


# ---- several tools ------------------------------------------------------------------------------------------------


def test_dicts_pass_and_functions_become_schemas():
    """A dict is the same object afterwards, whatever it holds."""
    written = {"name": "anything"}
    schemas = tool_schemas((written, weather, functools.partial(weather, "Rome")))
    assert schemas[0] is written
    assert written == {"name": "anything"}
    assert schemas[1] == tool_schema(weather)
    assert [schema["function"]["name"] for schema in schemas[1:]] == ["weather", "weather"]
    assert tool_schemas([]) == []
