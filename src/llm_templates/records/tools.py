"""Tool schemas: any of the forms in which records have them to the one that templates read, without padding."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..schema import tool_schema
from .calls import arguments_object, called
from .notes import Notes, wrong

#: Keywords of a JSON schema whose value may be null and mean it.
NULLABLE = ("default", "const", "example")
#: The names under which a tool has the schema of its parameters.
PARAMETERS = ("parameters", "input_schema", "inputSchema")


def read_tools(given: Any, place: str, notes: Notes) -> list[dict[str, Any]] | None:
    """The tools of a record, each as `{"type": "function", "function": {...}}`; None where there are none.

    Raises:
        InputError: they are no list of tools.

    >>> read_tools('[{"name": "add", "input_schema": {"type": "object"}}]', "tools", Notes())
    [{'type': 'function', 'function': {'name': 'add', 'parameters': {'type': 'object'}}}]
    """
    listed = parsed(given, place, notes) if isinstance(given, str) else given
    if listed is None:
        return None
    if isinstance(listed, dict):
        listed = [listed]
    if not isinstance(listed, list):
        raise wrong(place, f"tools are a list, or its JSON text, not {type(listed).__name__}")
    tools = [_tool(tool, f"{place}[{index}]", notes) for index, tool in enumerate(listed)]
    if not tools:
        notes.add("removed", place, "an empty list of tools")
        return None
    padded = any(_is_padded(tool) for tool in tools)
    return [_stripped(tool, padded, f"{place}[{index}]", notes) for index, tool in enumerate(tools)]


def parsed(text: str, place: str, notes: Notes) -> Any:
    """What a JSON text says; None where it is empty.

    Raises:
        InputError: it is no JSON.
    """
    if not text.strip():
        notes.add("removed", place, "an empty text")
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise wrong(place, f"it is no JSON text: {error}") from None
    notes.add("changed", place, "JSON text is what it says")
    return value


def _tool(given: Any, place: str, notes: Notes) -> dict[str, Any]:
    tool = parsed(given, place, notes) if isinstance(given, str) else given
    if callable(tool):
        return tool_schema(tool)
    if not isinstance(tool, dict):
        raise wrong(place, f"a tool is an object, not {type(tool).__name__}")
    function = tool.get("function")
    if isinstance(function, dict):
        return {**tool, "type": "function", "function": _function(function, f"{place}.function", notes)}
    if tool.get("type") not in (None, "function", "custom") or "name" not in tool:
        notes.add("kept", place, "a tool that is no function")
        return dict(tool)
    bare = {key: value for key, value in tool.items() if key != "type"}
    return {"type": "function", "function": _function(bare, place, notes)}


def _function(given: Mapping[str, Any], place: str, notes: Notes) -> dict[str, Any]:
    """A function whose schema is called `parameters` and is an object."""
    function = {}
    for key, value in given.items():
        if key in PARAMETERS:
            schema = parsed(value, f"{place}.{key}", notes) if isinstance(value, str) else value
            function["parameters"] = schema
        else:
            function[key] = value
    return function


# -- padding: Arrow gives every object of a column the keys of all --


def _is_padded(value: Any) -> bool:
    """Whether a null stands where a schema has none."""
    if isinstance(value, dict):
        return any((item is None and key not in NULLABLE) or _is_padded(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_is_padded, value))


def _stripped(value: Any, padded: bool, place: str, notes: Notes) -> Any:
    if isinstance(value, dict):
        kept = {}
        for key, item in value.items():
            if item is None and (padded or key not in NULLABLE):
                notes.add("removed", f"{place}.{key}", "null padding")
            else:
                kept[key] = _stripped(item, padded, f"{place}.{key}", notes)
        return kept
    if isinstance(value, list):
        # An item of a list is never padding: `enum` may list null.
        return [_stripped(item, padded, f"{place}[{index}]", notes) for index, item in enumerate(value)]
    return value


def suspect_nulls(calls: Iterable[dict[str, Any]], place: str, tools: Iterable[Any], notes: Notes) -> None:
    """Note null arguments that the tool does not have: they may be padding, but only who made the data knows."""
    for one in calls:
        text = one["function"]["arguments"]
        if "null" not in text:
            continue
        functions = (tool.get("function") for tool in tools)
        own = [given for given in functions if isinstance(given, dict) and given.get("name") == called(one)]
        schema = own[0].get("parameters") if own else None
        known = schema.get("properties") if isinstance(schema, dict) else None
        for name, value in arguments_object(text, place).items():
            if value is None and isinstance(known, dict) and name not in known:
                notes.add("kept", f"{place}.{name}", "a null argument that its tool does not have, padding or not")


def flat_tools(tools: list[Any], parameters: str = "parameters", **fields: Any) -> list[dict[str, Any]]:
    """The tools with their function's fields at the top, the schema under the name `parameters`."""
    flat = []
    for tool in tools:
        function = tool.get("function")
        if not isinstance(function, dict):
            flat.append(dict(tool))
            continue
        flat.append({**fields, **{parameters if key == "parameters" else key: item for key, item in function.items()}})
    return flat
