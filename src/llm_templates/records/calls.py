"""Tool calls: any of the forms in which they are written to one, with their arguments as JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from .notes import Notes, wrong

#: The names under which a call has its arguments, and its id.
ARGUMENTS = ("arguments", "args", "input", "parameters", "tool_kwargs")
IDS = ("id", "call_id", "tool_call_id", "tool_use_id")
NAMES = ("name", "tool_name")

#: Keys of a call that say nothing more than where it stands.
STANDING = ("type", "index", "block_type")


def call(given: Any, place: str, notes: Notes) -> dict[str, Any]:
    """A call in the form of OpenAI; an id that is not there is filled in when calls and results are paired.

    Raises:
        InputError: it has no name, or arguments that are no object.

    >>> call({"name": "add", "args": {"x": 1}, "id": "a"}, "messages[1].tool_calls[0]", Notes())
    {'id': 'a', 'type': 'function', 'function': {'name': 'add', 'arguments': '{"x": 1}'}}
    """
    if not isinstance(given, dict):
        raise wrong(place, f"a call is an object, not {type(given).__name__}")
    outer = {key: value for key, value in given.items() if value is not None}
    nested = outer.pop("function", None)
    function: dict[str, Any] = dict(nested) if isinstance(nested, dict) else outer
    name = _first(function, NAMES)
    if not isinstance(name, str) or not name:
        raise wrong(place, "the call has no name")
    arguments = arguments_text(_first(function, ARGUMENTS), f"{place}.arguments", notes)
    identity = _first(outer, IDS)
    known = {*NAMES, *ARGUMENTS, *IDS, *STANDING}
    kept = {key: value for key, value in {**outer, **function}.items() if key not in known and value is not None}
    made = {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}
    if identity is None:
        del made["id"]
    return {**made, **kept}


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def called(call: dict[str, Any]) -> str:
    """The name of the tool that a call is for."""
    name: str = call["function"]["name"]
    return name


def arguments_text(value: Any, place: str, notes: Notes) -> str:
    """Arguments as JSON text: the text as it was given, if it is that of an object.

    Nulls stay, whatever made them: whether an argument was null or is padding, nobody can tell.

    Raises:
        InputError: they are no object, or no JSON.
    """
    if isinstance(value, str) and value.strip():
        arguments_object(value, place)
        return value
    if value is None or isinstance(value, str):
        notes.add("added", place, "'{}' for arguments that are not there")
        return "{}"
    if not isinstance(value, dict):
        raise wrong(place, f"arguments are an object or its JSON text, not {type(value).__name__}")
    return json_text(value, place)


def arguments_object(text: str, place: str) -> dict[str, Any]:
    """The object whose JSON text arguments are.

    Raises:
        InputError: it is the text of something else, or an object with the same key twice.

    >>> arguments_object('{"x": 1}', "messages[1].tool_calls[0].arguments")
    {'x': 1}
    """
    try:
        value = json.loads(text, object_pairs_hook=_distinct, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise wrong(place, f"arguments are no JSON text: {error}") from None
    if not isinstance(value, dict):
        raise wrong(place, f"arguments are the JSON text of {type(value).__name__}, not of an object")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key is there twice")
    return made


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def json_text(value: Any, place: str) -> str:
    """`value` as JSON text.

    Raises:
        InputError: JSON cannot say it.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise wrong(place, f"JSON cannot say it: {error}") from None


def calls_in_text(text: Any, place: str, notes: Notes) -> list[dict[str, Any]]:
    """The calls whose JSON text a turn is: one, or a list of them.

    Raises:
        InputError: the text is something else.
    """
    given = text
    if isinstance(text, str):
        try:
            given = json.loads(text, object_pairs_hook=_distinct, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise wrong(place, f"a call is JSON text with a name and arguments: {error}") from None
    listed = given if isinstance(given, list) else [given]
    return [call(one, f"{place}[{index}]", notes) for index, one in enumerate(listed)]


class Call(NamedTuple):
    """What a call says, for a target that has no place for more."""

    identity: str
    name: str
    arguments: dict[str, Any]


def call_alone(one: dict[str, Any], place: str, notes: Notes) -> Call:
    """A call as what it says."""
    leave_rest(one, place, notes)
    return Call(one["id"], called(one), arguments_object(one["function"]["arguments"], f"{place}.tool_calls"))


def leave_rest(one: dict[str, Any], place: str, notes: Notes) -> None:
    """Note what a call has besides its id, its name and its arguments, and a target has no place for."""
    for key in one:
        if key not in ("id", "type", "function"):
            notes.add("left out", f"{place}.tool_calls", f"{key!r} of a call")


def text_of_calls(calls: list[dict[str, Any]], place: str, notes: Notes) -> str:
    """Calls as the JSON text of a turn: one by itself, several as a list; their ids have no place in it."""
    alone = [call_alone(one, place, notes) for one in calls]
    said = [{"name": one.name, "arguments": one.arguments} for one in alone]
    return json_text(said[0] if len(said) == 1 else said, place)
