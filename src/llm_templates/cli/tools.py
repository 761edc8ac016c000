"""`--tools`: a JSON file of tool definitions, or Python functions by the name of their module."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable
from typing import Any

from ..errors import InputError
from .json_text import place, read_json
from .reading import found

HINT = "it is a JSON file with a list of tools, or module:function"


def read_tools(references: Iterable[str]) -> list[Any]:
    """The tools of all `references`, each a JSON file, `-`, or `module:function`, in order.

    Raises:
        InputError: there is no such file, module or function, or it holds no tools.
    """
    return [tool for reference in references for tool in _read(reference)]


def _read(reference: str) -> list[Any]:
    if reference != "-" and not os.path.exists(reference):
        module, colon, name = reference.rpartition(":")
        if colon and module.replace(".", "").isidentifier():
            return _from_module(module, name)
        raise InputError(f"tools: there is no file {reference!r}", hint=HINT)
    content = read_json(reference)
    if isinstance(content, dict) and isinstance(content.get("tools"), list):
        content = content["tools"]
    if not isinstance(content, list):
        single = isinstance(content, dict) and not content.keys().isdisjoint({"function", "name"})
        raise InputError(
            f"{place(reference)}: expected a list of tools, found {found(content)}",
            hint="put [ and ] around the one tool" if single else HINT,
        )
    for index, tool in enumerate(content):
        if not isinstance(tool, dict):
            raise InputError(
                f"{place(reference)}: tool {index}: expected an object, found {found(tool)}",
                hint='a tool looks like {"type": "function", "function": {"name": ..., "parameters": ...}}',
            )
    return content


def _from_module(module: str, name: str) -> list[Any]:
    """The tools of `module:name`: a function, a tool definition, or a list of these."""
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        value: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = f"there is no module {error.name!r}"
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            missing = f"{module!r} cannot be imported: {missing}"
        raise InputError(f"tools: {missing}", hint="modules are looked for here and among what is installed") from None
    except Exception as error:  # noqa: BLE001  (the module is the user's own: whatever it raises is about it)
        raise InputError(f"tools: {module!r} cannot be imported: {type(error).__name__}: {error}") from None
    for part in name.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            raise InputError(f"tools: {module!r} has no {name!r}", hint=_near(value, part)) from None
    return [_tool(tool, f"{module}:{name}") for tool in (value if isinstance(value, list | tuple) else [value])]


def _tool(value: Any, reference: str) -> Any:
    if isinstance(value, dict):
        return value
    if not callable(value):
        raise InputError(
            f"tools: {reference!r} is of type {type(value).__name__}", hint="name a function, or a list of functions"
        )
    from ..schema import tool_schema

    return tool_schema(value)


def _near(owner: Any, name: str) -> str:
    from difflib import get_close_matches

    names = [known for known, value in vars(owner).items() if callable(value) and not known.startswith("_")]
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"its functions are {', '.join(names) or 'none'}"
