"""Functions that transformers' get_json_schema takes; every one of them is a case of its own."""

import functools
import os
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, Flag, IntEnum, StrEnum
from typing import Annotated, Any, Dict, List, Literal, Optional, Tuple, Union, no_type_check  # noqa: UP035

ACCEPTED = []


def accepted(function):
    ACCEPTED.append(function)
    return function


class Color(Enum):
    RED = "red"
    GREEN = "green"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Unit(StrEnum):
    C = "celsius"
    F = "fahrenheit"


class Mixed(Enum):
    A = 1
    B = "b"
    C = None
    D = 1.5
    E = True
    AGAIN = 1  # noqa: PIE796  (an alias is no member)


class Permission(Flag):
    READ = 1
    WRITE = 2


# ---- types --------------------------------------------------------------------------------------------------------


def of_type(hint, name="x"):
    """A function with one parameter of a type."""

    def taking(x):
        """Takes one value.

        Args:
            x: The value
        """

    taking.__annotations__["x"] = hint
    return taking


HINTS = [
    *(int, float, str, bool, type(None), None, Any, list, dict, tuple, List, Dict, Tuple),  # noqa: UP006
    *(list[int], List[int], list[Any], list[list[str]], list[dict], list[int, str]),  # noqa: UP006
    *(dict[str, int], Dict[int, str], dict[str, list[bool]], dict[str, Any], dict[str]),  # noqa: UP006
    *(tuple[int, str], Tuple[int, float, bool], tuple[int, list[str]], tuple[()]),  # noqa: UP006
    *(Optional[int], Optional[Any], Optional[list[int]], Union[int], Union[int, str], Union[str, int, None]),  # noqa: UP007, UP045
    *(int | str, int | None, list | tuple, list | tuple | None, list[int] | str, dict[str, int] | list[int] | None),
    *(int | Color, Color | None, Color | Level | None, Literal["a"] | int, Any | None, list[int | None] | None),
    *(Optional[Union[int, Optional[str]]], Union[Annotated[list[int], "a"], Annotated[list[int], "b"]]),  # noqa: UP007, UP045
    *(Literal["a"], Literal["a", "b"], Literal[1, "a", True, None, 1.0], Literal[1, True], Literal["a", None] | None),
    *(Color, Level, Unit, Mixed, Permission, list[Color], dict[str, Unit], tuple[Color, Level]),
    *(Annotated[int, "hidden"], list[Annotated[int, "hidden"]], Annotated[int | None, 5]),
    *("int", "list[int]", "Color | None", list["int"], typing.Text),  # noqa: UP019
]  # fmt: skip

ACCEPTED += [of_type(hint) for hint in HINTS]


# ---- parameters ---------------------------------------------------------------------------------------------------


@accepted
def no_parameters():
    """Does something."""


@accepted
def defaults(a: int, b: str = "x", c: float | None = None, d: list = []):  # noqa: B006
    """Has defaults.

    Args:
        a: First
        b: Second
        c: Third
        d: Fourth
    """


@accepted
def only_defaults(a: int = 1):
    """Has defaults.

    Args:
        a: First
    """


@accepted
def kinds(a: int, /, b: int, *, c: int, d: int = 4):
    """All kinds of parameters.

    Args:
        d: Fourth
        c: Third
        b: Second
        a: First
    """


@accepted
def variadic(a: int, *args: str, **kwargs: dict[str, int]):
    """Takes more.

    Args:
        a: First
        args: The rest
        kwargs: What else
    """


@accepted
def more_described_than_there_is(a: int):
    """Describes what is not there.

    Args:
        a: First
        b: There is no such parameter
    """


@accepted
async def coroutine(a: int) -> str:
    """Waits.

    Args:
        a: First

    Returns:
        A text
    """


@accepted
def generator(a: int):
    """Yields.

    Args:
        a: First
    """
    yield a


@accepted
def self_first(self, a: int):
    """Is a method to be.

    Args:
        a: First
    """


@accepted
def typed_self(self: int):
    """Takes a number called self.

    Args:
        self: The number
    """


@accepted
@no_type_check
def unchecked(a: int):
    """Has hints that nobody reads."""


ANONYMOUS = accepted(lambda: 0)
ANONYMOUS.__doc__ = "Has no name of its own."


# ---- callables ----------------------------------------------------------------------------------------------------


class Parent:
    def documented(self, a: int):
        """Is described in the parent.

        Args:
            a: First
        """


class Shop(Parent):
    def documented(self, a: int):
        pass

    def method(self, a: int) -> "Shop":
        """Is a method.

        Args:
            a: First
        """

    @classmethod
    def of_class(cls, a: int):
        """Is a class method.

        Args:
            a: First
        """

    @staticmethod
    def static(a: int):
        """Is a static method.

        Args:
            a: First
        """


ACCEPTED += [Shop().method, Shop.method, Shop.of_class, Shop().of_class, Shop.static, Shop().documented]
ACCEPTED += [Shop.__dict__["static"], os.getcwd]


def decorator(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


class Memory:
    """Is a decorator that is a class."""

    def __init__(self, function):
        functools.update_wrapper(self, function)

    def __call__(self, *args, **kwargs):
        return self.__wrapped__(*args, **kwargs)


@accepted
@decorator
def wrapped(a: int, b: Color = Color.RED) -> bool:
    """Is wrapped.

    Args:
        a: First
        b: Second
    """


@accepted
@functools.lru_cache
def cached(a: int):
    """Is cached.

    Args:
        a: First
    """


@accepted
@Memory
def remembered(a: int):
    """Is wrapped in an object.

    Args:
        a: First
    """


@accepted
@dataclass
class Order:
    """Orders something.

    Args:
        dish: What to bring
        count: How many
        notes: What else
    """

    dish: Literal["soup", "salad"]
    count: int = 1
    notes: list[str] = field(default_factory=list)


@accepted
@dataclass
class BigOrder(Order):
    """Orders much.

    Args:
        dish: What to bring
        count: How many
        notes: What else
        guests: For whom
    """

    guests: list[str] = field(default_factory=list)
    total: int = field(init=False, default=0)

    __doc__ += "    total: The sum\n"


# ---- what is returned ---------------------------------------------------------------------------------------------


def returning(hint, text="Returns something.\n\nReturns:\n    What it returns\n\nRaises:\n    ValueError: never"):
    def function():
        pass

    function.__doc__ = text
    function.__annotations__["return"] = hint
    return function


ACCEPTED += [returning(hint) for hint in (int, None, Any, list[int], int | None, int | list[int], Color)]
ACCEPTED += [returning(hint) for hint in (set[int], Order, bytes, tuple[int, ...], Callable[[], int], int | object)]
ACCEPTED += [returning(int, "Returns a number."), returning(Any, "Returns anything."), returning("int")]
ACCEPTED += [returning(Annotated[int, "hidden"]), returning(tuple[int, str])]
ACCEPTED += [returning(int, "Says nothing of it.\n\nReturns:\n\nRaises:\n    ValueError: never")]
ACCEPTED += [returning(Literal["a", "b"], "Says.\n\nReturns:\n    one\n  or other")]


# ---- docstrings ---------------------------------------------------------------------------------------------------


def said(text, **hints):
    """A function with parameters of these types and this docstring."""
    names = ", ".join(hints)
    space = {}
    exec(f"def spoken({names}): pass", space)  # noqa: S102  (a signature that a test made up)
    space["spoken"].__annotations__.update(hints)
    space["spoken"].__doc__ = text
    return space["spoken"]


ACCEPTED += [
    said("  One line.  "),
    said("\n\n    Indented.\n\n      More.\n    "),
    said("Two\n\nparagraphs, and a list:\n- one\n- two\n\nArgs:\n    x: it", x=int),
    said("Text.\nArgs:\n    x: it", x=int),
    said("Text.\n\n\n\n    Args:\n\n        x: it\n\n\n        y: other\n", x=int, y=int),
    said("Text.\n\nArgs:\n    x: it begins\n      goes on\n        and on\n    y:\n        below\n", x=int, y=str),
    said("Text.\n\nArgs:\n    x:\n    y: taken for the text of x\n    y: again", x=int, y=str),
    said("Text.\n\nArgs:\n    x: one\n    note that this goes on\n    y: two: three", x=int, y=str),
    said("Text.\n\nArgs:\n    x: one\n        inner: deeper is no entry\n  y: less deep is one\n", x=int, y=str),
    said("Text.\n\nArgs:\nx: not indented\ny: at all\n", x=int, y=str),
    said("Text.\n\nArgs:\n    x: it Returns: cut\n", x=int),
    said("Text that Returns: early.\n\nArgs:\n    x: it\n", x=int),
    said("Args: are not a section here.\n\nArgs:\n    x: it\n", x=int),
    said("Text.\n\nReturns:\n    a\n\nArgs:\n    x: it\n", x=int),
    said("Text.\n\nRaises:\n    ValueError: no\n\nArgs:\n    x: it\n\nReturns:\n    a\n", x=int),
    said("Text.\n\nArgs:\n    x: it\n\nExample:\n    code: here\n", x=int),
    said("Text.\n\nArgs:\n\tx: tabs\n\t\tfurther\n\ty: two\n", x=int, y=str),
    said("Text.\r\n\r\nArgs:\n    x: carriage\r\n    y: returns\r\n", x=int, y=str),
    said("Größe – “quoted” 😀\n\nArgs:\n    größe: wie groß\n", größe=int),
    said("Text.\n\nArgs:\n    x: first\n    x: second\n", x=int),
    said("Text.\n\nArgs:\n    x:no space\n    y:    many spaces   \n", x=int, y=int),
    said("Text.\n\nArgs:\n    x:\n", x=int),
    said("Numpy.\n\nReturns\n-------\nint\n    The result."),
    said("Fields.\n\n:returns: the result"),
    said("Text.\n\nNote:\n    see below\n\nArgs:\n    x: it\n", x=int),
    # Choices.
    said('Text.\n\nArgs:\n    x: it (choices: ["a", " b ", 1, null])\n', x=str),
    said('Text.\n\nArgs:\n    x: it (Choices: ["a"])  \n', x=str),
    said('Text.\n\nArgs:\n    x: it (choices: ["a",\n        "b"])\n', x=str),
    said('Text.\n\nArgs:\n    x: (choices: ["a)"])\n', x=str),
    said('Text.\n\nArgs:\n    x: it (choices: ["a"]) and more\n', x=str),
    said('Text.\n\nArgs:\n    x: it (choices: "ab")\n', x=str),
    said('Text.\n\nArgs:\n    x: it (choices: {"a": 1})\n', x=str),
    said("Text.\n\nArgs:\n    x: it (choices: [])\n", x=str),
    said('Text.\n\nArgs:\n    x: it (choices: ["red"])\n', x=Color),
    said("Text.\n\nArgs:\n    x: it (choices: [1, 2])\n", x=int | None),
]
