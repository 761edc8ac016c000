"""Calls: what a model asks for, done by the Python functions that the caller passed, and by no others."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import InputError

#: The most characters of a result that the model is shown.
RESULT_LIMIT = 100_000

#: What a value of each type of JSON schemas is in Python; a bool is not a number.
TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}


def is_asynchronous(function: Any) -> bool:
    """Whether a call gives something to wait for instead of a result."""
    called = (function, getattr(function, "__call__", None))  # noqa: B004  (its value is wanted)
    return any(inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one) for one in called)


class WrongArgumentsError(Exception):
    """A call that does not fit the function; the model is told."""


class Functions:
    """The functions among the tools of a conversation, by the names that the model knows them by.

    Args:
        tools: functions and schemas, as `Chat` gets them.
        schemas: the schema of each.
    """

    def __init__(self, tools: Sequence[Any], schemas: Sequence[Mapping[str, Any]]) -> None:
        self._known: dict[str, tuple[Callable[..., Any] | None, Mapping[str, Any]]] = {}
        for tool, schema in zip(tools, schemas, strict=True):
            described = schema.get("function", schema)
            # A class only says what the arguments are.
            called = None if isinstance(tool, Mapping) or inspect.isclass(tool) else tool
            name = described.get("name")
            if called is not None and is_asynchronous(called):
                raise InputError(f"the tool {name!r} is asynchronous", hint="pass a function that returns its result")
            self._known[name] = called, described.get("parameters") or {}

    def can_answer(self, message: Mapping[str, Any]) -> bool:
        """Whether all of a message's calls can be made here: none is broken, and none is of a tool without a function.

        A name that no tool has is answered, too: the model is told.
        """
        calls = message.get("tool_calls")
        if not calls or message.get("unparsed_tool_calls"):
            return False
        return all(self._known.get(call["function"]["name"], (True,))[0] is not None for call in calls)

    def answers(self, message: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The tool messages with the results of a message's calls, in their order."""
        return [self._answer(call) for call in message["tool_calls"]]

    def _answer(self, call: Mapping[str, Any]) -> dict[str, Any]:
        name = call["function"]["name"]
        try:
            text = _as_text(self._call(name, call["function"]["arguments"]))
        except WrongArgumentsError as error:
            text = f"Error: {error}"
        except Exception as error:  # noqa: BLE001  (whatever a tool raises is for the model to read)
            text = f"Error: {type(error).__name__}: {error}"
        answer = {"role": "tool", "name": name, "content": text[:RESULT_LIMIT]}
        return {**answer, "tool_call_id": call["id"]} if "id" in call else answer

    def _call(self, name: str, arguments: Any) -> Any:
        function, parameters = self._known.get(name, (None, {}))
        if function is None:
            raise WrongArgumentsError(f"there is no tool {name!r}; there are: {', '.join(sorted(self._known))}")
        if not isinstance(arguments, dict):
            raise WrongArgumentsError(f"{name}: the arguments are no object")
        for key, schema in parameters.get("properties", {}).items():
            if key in arguments and not _fits(arguments[key], schema):
                raise WrongArgumentsError(f"{name}: {key!r} must be {_wanted(schema)}, not {_shown(arguments[key])}")
        try:
            bound = inspect.signature(function).bind(**arguments)
        except TypeError as error:
            raise WrongArgumentsError(f"{name}: {error}") from None
        return function(*bound.args, **bound.kwargs)


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a value has the type of a schema, as far as its outermost level says one."""
    if value is None and schema.get("nullable"):
        return True
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(TYPES.get(kind, lambda value: True)(value) for kind in kinds):
        return False
    return "enum" not in schema or value in schema["enum"]


def _wanted(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return f"one of {_shown(schema['enum'])}"
    kinds = schema["type"]
    return f"of type {kinds if isinstance(kinds, str) else ' or '.join(kinds)}"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:200]


def _as_text(result: Any) -> str:
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, default=str)
