"""Python functions to the tool schemas that chat templates read.

The schema of a function is, byte for byte, the one `get_json_schema` of transformers gives, wherever that gives one,
because the models were trained on it. Where it refuses, more types, more callables and more styles of docstrings are
understood, or an error says what to write. Nothing of a function is run: its signature, hints and docstring are read.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import InputError
from .callables import VARIADIC, Callee, callee
from .docstrings import Docstring, read_any, read_plain
from .fields import IMPORT_IT, UnwritableError, annotated_description, is_typed_dict
from .types import Schema, TypeSchemas

__all__ = ["tool_schema", "tool_schemas"]

CHOICES = re.compile(r"\(choices:\s*(.*?)\)$", re.IGNORECASE)

DOCSTRING_HINT = (
    "write one: what it does, and below 'Args:' a line for each parameter, such as 'city: name of the city'"
)


def tool_schema(function: Callable[..., Any]) -> Schema:
    """The tool schema of a function: its name, what its docstring says, and the types of its parameters.

    Args:
        function: a function, a method, a `functools.partial` (what it binds is left out), an object with `__call__`,
            or a class that holds the arguments, such as a dataclass or a pydantic model. It is never called.

    Raises:
        InputError: something is missing (a docstring, a type hint, a description) or no schema can say it; the text
            names the function, the parameter and the way out.

    >>> def multiply(x: float, y: float = 1.0):
    ...     '''Multiplies two numbers.
    ...
    ...     Args:
    ...         x: the first
    ...         y: the second
    ...     '''
    >>> schema = tool_schema(multiply)["function"]
    >>> schema["name"], schema["description"]
    ('multiply', 'Multiplies two numbers.')
    >>> schema["parameters"]["properties"]["x"], schema["parameters"]["required"]
    ({'type': 'number', 'description': 'the first'}, ['x'])
    """
    if inspect.isclass(function) and (hasattr(function, "model_json_schema") or is_typed_dict(function)):
        return _record_schema(function)
    tool = callee(function)
    parameters = tool.parameters()
    _require_hints(tool)
    documented, as_reference = _documented(tool)
    types = TypeSchemas()
    properties: dict[str, Schema] = {}
    for name, hint in tool.hints.plain.items():
        if name in tool.bound or name == "return":
            continue
        if name in parameters and parameters[name].kind not in VARIADIC:
            properties[name] = _property(tool.name, name, hint, documented, types)
        elif as_reference and _plain_type(hint) is not None:
            # No call can pass it by this name, and yet the reference writes it.
            properties[name] = _property(tool.name, name, hint, documented, types)
    schema: Schema = {"type": "object", "properties": properties}
    required = [
        name
        for name, parameter in parameters.items()
        if parameter.default is parameter.empty and (name in properties or parameter.kind not in VARIADIC)
    ]
    if required:
        schema["required"] = required
    if types.definitions:
        schema["$defs"] = types.definitions
    described: Schema = {"name": tool.name, "description": documented.summary, "parameters": schema}
    returned = _plain_type(tool.hints.plain["return"]) if "return" in tool.hints.plain else None
    if returned is not None:
        if documented.returns is not None:
            returned["description"] = documented.returns
        described["return"] = returned
    return {"type": "function", "function": described}


def tool_schemas(tools: Iterable[Any]) -> list[Schema]:
    """The schemas of several tools: dicts as they are, functions and other callables through `tool_schema`.

    Raises:
        InputError: one of them is neither, or has no schema; the text names its index.

    >>> written = {"type": "function", "function": {"name": "now", "description": "The time.", "parameters": {}}}
    >>> tool_schemas([written])[0] is written
    True
    """
    if isinstance(tools, str | bytes | Mapping) or not isinstance(tools, Iterable):
        raise InputError(
            f"tools must be a list, not {type(tools).__name__}", hint="pass a list of functions or tool schemas"
        )
    schemas: list[Schema] = []
    for index, tool in enumerate(tools):
        if isinstance(tool, dict):
            schemas.append(tool)
            continue
        if not callable(tool):
            raise InputError(
                f"tools[{index}] is a {type(tool).__name__}, neither a tool schema nor a function",
                hint="pass the function itself, or a dict with a tool's JSON schema",
            )
        try:
            schemas.append(tool_schema(tool))
        except InputError as error:
            raise InputError(f"tools[{index}]: {error.message}", hint=error.hint) from None
    return schemas


def _require_hints(tool: Callee) -> None:
    """Refuses a tool with a parameter whose type is not known."""
    for name, parameter in tool.parameters().items():
        if parameter.kind in VARIADIC:
            continue
        if name in tool.hints.unread:
            raise InputError(
                f"{tool.name}(): the type hint of the parameter {name!r} cannot be read: {tool.hints.unread[name]}",
                hint=IMPORT_IT,
            )
        if parameter.annotation is parameter.empty:
            raise InputError(
                f"{tool.name}(): the parameter {name!r} has no type hint",
                hint=f"write '{name}: str', or the type it has",
            )


def _documented(tool: Callee) -> tuple[Docstring, bool]:
    """What is said of a callable, and whether it is said as the reference asks for it."""
    text = tool.docstring.strip()
    if not text:
        raise InputError(f"{tool.name}() has no docstring", hint=DOCSTRING_HINT)
    plain = read_plain(text)
    names = ({*tool.parameters(), *tool.hints.plain} - {"return"}) - tool.bound
    if names <= plain.parameters.keys():
        return plain, True
    found = read_any(text)
    parameters = {}
    for name in names:
        said = found.parameters.get(name) or annotated_description(tool.hints.rich.get(name))
        said = said or plain.parameters.get(name)
        if said:
            parameters[name] = said
    return found._replace(parameters=parameters), False


def _plain_type(hint: Any) -> Schema | None:
    """The schema of a hint that the reference takes, or None."""
    try:
        return TypeSchemas(beyond=False).schema(hint)
    except UnwritableError:
        return None


def _property(function: str, name: str, hint: Any, documented: Docstring, types: TypeSchemas) -> Schema:
    """The schema of one parameter: its type, its choices, its description."""
    try:
        schema = types.schema(hint)
    except UnwritableError as error:
        raise InputError(
            f"{function}(): the type hint of the parameter {name!r} cannot be written as a JSON schema: {error}",
            hint=error.hint,
        ) from None
    own = schema.pop("description", None)
    said = documented.parameters.get(name, own)
    if said is None:
        raise InputError(
            f"{function}(): the docstring does not describe the parameter {name!r}",
            hint=f"below 'Args:', write '{name}: what it is'; or annotate it: Annotated[..., 'what it is']",
        )
    choices = CHOICES.search(said)
    if choices:
        try:
            schema["enum"] = [value.strip() if isinstance(value, str) else value for value in json.loads(choices[1])]
        except (ValueError, TypeError, RecursionError):
            raise InputError(
                f"{function}(): the choices of the parameter {name!r} are no JSON list: {choices[1]}",
                hint='write them as in (choices: ["tea", "coffee"])',
            ) from None
        said = said[: choices.start()].strip()
    schema["description"] = said
    return schema


def _record_schema(kind: Any) -> Schema:
    """The schema of a class that holds a tool's arguments and says itself what they are."""
    types = TypeSchemas()
    try:
        schema = types.schema(kind)
    except UnwritableError as error:
        raise InputError(
            f"the fields of {kind.__name__} cannot be written as a JSON schema: {error}", hint=error.hint
        ) from None
    if "$ref" in schema:  # It holds itself. What a tool takes is still an object.
        schema = dict(types.definitions[schema["$ref"].removeprefix("#/$defs/")])
    description = schema.pop("description", None)
    if not description:
        raise InputError(f"{kind.__name__} has no docstring", hint="write one that says what the tool does")
    if types.definitions:
        schema["$defs"] = types.definitions
    return {"type": "function", "function": {"name": kind.__name__, "description": description, "parameters": schema}}
