"""What a caller passes to a render besides messages, checked before the template sees it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .errors import InputError, VariableError

#: What the engine is handed one by one.
PARAMETERS = ("messages", "tools", "documents", "add_generation_prompt")
#: Names a template takes from the call itself, which no variable may have.
RESERVED = frozenset(
    {
        *PARAMETERS,
        *("continue_final_message", "chat_template", "tokenize", "conversation", "conversations"),
    }
)


def check_variables(variables: Mapping[str, Any], reads: Collection[str] | None, known: Sequence[str]) -> None:
    """Refuse a variable with a reserved name, or one that the template never reads.

    Args:
        variables: the template variables.
        reads: the names the template reads; None to let any pass.
        known: the names that a user may have meant.

    Raises:
        VariableError: with the nearest name.
    """
    for name in variables:
        if name in RESERVED:
            raise VariableError(
                f"{name!r} cannot be a template variable",
                hint="pass it as the argument of that name, if there is one",
            )
        if reads is not None and name not in reads:
            raise VariableError(f"the template never reads the variable {name!r}", hint=_nearest(name, known))


def _nearest(name: str, known: Sequence[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, known, 1)
    if close:
        return f"did you mean {close[0]!r}? (strict=False passes it anyway)"
    return f"it reads {', '.join(known) or 'none'} (strict=False passes it anyway)"


def tool_list(tools: Sequence[Any]) -> Sequence[Any]:
    """Tool schemas as they are; those of functions, for which the part that makes them is imported."""
    if type(tools) is list:
        for tool in tools:
            if type(tool) is not dict:
                break
        else:
            return tools
    from .schema import tool_schemas

    return tool_schemas(tools)


def mappings(what: str, values: Sequence[Any]) -> Sequence[Any]:
    """`values`, checked to be a list of mappings, as the reference checks it.

    Raises:
        InputError: they are not, with the index of the first that is none.
    """
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise InputError(f"{what} must be a list, not {type(values).__name__}")
    values = values if type(values) is list else list(values)
    for index, value in enumerate(values):
        if not isinstance(value, dict):
            raise InputError(f"{what}[{index}] is a {type(value).__name__}, not a dict")
    return values
