"""What users read when a function has no schema: one file a case, `<name>.txt`, with the error's kind and whole text.

UPDATE_SNAPSHOTS=1 writes the files again; read the difference before keeping it.
"""

import functools
import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Callable, Literal, TypedDict, TypeVar  # noqa: UP035

import pytest
import schema_postponed
from schema_functions import of_type, said

from llm_templates import InputError
from llm_templates.schema import tool_schema, tool_schemas

HERE = Path(__file__).parent


class Money:
    pass


class Empty(Enum):
    pass


class Pair(Enum):
    ONE = (1, 2)


class Purse(TypedDict):
    content: Money


class Unread(TypedDict):
    content: "NoSuchType"  # noqa: F821


@dataclass
class Account:
    purses: list[Purse]


class Broken:
    @classmethod
    def model_json_schema(cls):
        raise TypeError("a field has no schema")


def no_docstring(city: str):
    pass


def no_hint(city):
    """Tells the weather.

    Args:
        city: where
    """


def no_description(city: str, days: int):
    """Tells the weather.

    Args:
        city: where
    """


class Weather:
    def tell(self, city, days: int):
        """Tells the weather.

        Args:
            city: where
            days: how long
        """

    def __call__(self, city: str):
        pass


class Report(TypedDict):
    city: str


CASES = {
    "no-docstring": lambda: tool_schema(no_docstring),
    "no-docstring-object": lambda: tool_schema(Weather()),
    "no-docstring-class": lambda: tool_schema(Report),
    "no-type-hint": lambda: tool_schema(no_hint),
    "no-type-hint-method": lambda: tool_schema(Weather().tell),
    "no-type-hint-builtin": lambda: tool_schema(len),
    "no-description": lambda: tool_schema(no_description),
    "no-description-partial": lambda: tool_schema(functools.partial(no_description, "Rome")),
    "unknown-type": lambda: tool_schema(of_type(Money)),
    "unknown-type-inside": lambda: tool_schema(of_type(dict[str, list[Money | None]])),
    "unknown-type-of-a-field": lambda: tool_schema(of_type(Account)),
    "unknown-type-callable": lambda: tool_schema(of_type(Callable[[int], str])),
    "unknown-type-variable": lambda: tool_schema(of_type(TypeVar("T"))),
    "unknown-type-value": lambda: tool_schema(of_type([1, 2])),
    "tuple-with-dots-inside": lambda: tool_schema(of_type(tuple[int, str, ...])),
    "enum-without-members": lambda: tool_schema(of_type(Empty)),
    "enum-of-tuples": lambda: tool_schema(of_type(Pair)),
    "literal-of-bytes": lambda: tool_schema(of_type(Literal[b"x"])),
    "unread-hint": lambda: tool_schema(schema_postponed.pay),
    "unread-hint-syntax": lambda: tool_schema(of_type("list[")),
    "unread-hint-of-a-field": lambda: tool_schema(of_type(Unread)),
    "model-without-schema": lambda: tool_schema(of_type(Broken)),
    "record-with-unknown-type": lambda: tool_schema(Purse),
    "choices-not-json": lambda: tool_schema(said("Brews.\n\nArgs:\n    drink: what (choices: tea, coffee)", drink=str)),
    "choices-not-a-list": lambda: tool_schema(said("Brews.\n\nArgs:\n    cups: how many (choices: 3)", cups=int)),
    "not-callable": lambda: tool_schema("weather"),
    "partial-that-does-not-fit": lambda: tool_schema(functools.partial(no_description, 1, 2, 3)),
    "no-signature": lambda: tool_schema(max),
    "tools-as-function": lambda: tool_schemas(no_description),
    "tools-as-dict": lambda: tool_schemas({"type": "function"}),
    "tool-as-text": lambda: tool_schemas([{"type": "function"}, "weather"]),
    "tool-without-description": lambda: tool_schemas([{"type": "function"}, no_description]),
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_is_the_one_on_file(name):
    """The error's kind and text are those of its file, so that a change of words is seen and meant."""
    with pytest.raises(InputError) as caught:
        CASES[name]()
    assert caught.value.hint
    text = f"{type(caught.value).__name__}: {caught.value}\n"
    path = HERE / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_every_file_has_a_case():
    """A text that nothing raises any more is removed."""
    assert {path.stem for path in HERE.glob("*.txt")} == set(CASES)


class Restless(type):
    """A class that fails wherever it can."""

    def __repr__(cls):
        raise RuntimeError

    def __getattr__(cls, name) -> Any:
        raise AttributeError(name)


def test_a_name_is_shown_without_asking_the_type():
    """An error's text does not depend on how a class prints itself."""
    with pytest.raises(InputError, match="Shy"):
        tool_schema(of_type(Restless("Shy", (), {})))
