"""Calls of macros, global functions and methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import SecurityError
from .reading import METHODS, MUTATIONS, attribute, item
from .run import Run
from .values import (
    MISSING,
    Function,
    Joiner,
    Loop,
    Macro,
    Method,
    Undefined,
    type_name,
)

_NO_METHODS: dict[str, Callable[..., Any]] = {}


def call(run: Run, function: Any, *args: Any, **kwargs: Any) -> Any:
    """`function(...)`."""
    kind = type(function)
    if kind is Macro:
        return invoke(run, function, args, kwargs)
    if kind is Function:
        return function.implementation(run, *args, **kwargs)
    if kind is Undefined:
        return function.fail()
    if kind is Method:
        raise SecurityError(
            f"the method {function.name!r} was stored and called later, which is refused",
            hint=f"call it where it is read: value.{function.name}(...)",
        )
    if kind is Joiner:
        if function.used:
            return function.separator
        function.used = True
        return ""
    if kind is Loop:
        if function.recurse is None:
            raise TypeError("the loop must have the 'recursive' marker to be called recursively")
        return function.recurse(*args, depth=function.depth0 + 1, **kwargs)
    raise TypeError(f"a {type_name(function)} cannot be called")


def call_method(run: Run, value: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
    """`value.name(...)`."""
    method = METHODS.get(type(value), _NO_METHODS).get(name)
    if method is None and run.mutable:
        method = MUTATIONS.get(type(value), _NO_METHODS).get(name)
    if method is not None:
        return method(run, value, *args, **kwargs)
    return call(run, attribute(run, value, name), *args, **kwargs)


def call_item(run: Run, value: Any, key: Any, /, *args: Any, **kwargs: Any) -> Any:
    """`value[key](...)`: a method found by its name in brackets."""
    found = item(run, value, key)
    if type(found) is Method and found.owner is value:
        return call_method(run, value, found.name, *args, **kwargs)
    return call(run, found, *args, **kwargs)


def invoke(run: Run, macro: Macro, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Call a macro, binding arguments as the reference does."""
    name, parameters, takes_caller, catch_kwargs, catch_varargs = macro.signature
    expected = len(parameters)
    arguments = list(args[:expected])
    found_caller = "caller" in parameters
    if len(arguments) != expected:
        found_caller = False
        for parameter in parameters[len(arguments) :]:
            arguments.append(kwargs.pop(parameter, MISSING))
            found_caller = found_caller or parameter == "caller"
    if takes_caller and not found_caller:
        caller = kwargs.pop("caller", None)
        arguments.append(Undefined("No caller defined") if caller is None else caller)
    if catch_kwargs:
        arguments.append(kwargs)
    elif kwargs:
        if "caller" in kwargs:
            raise TypeError(f"macro {name!r} was invoked with two values for the special caller argument")
        raise TypeError(f"macro {name!r} takes no keyword argument {next(iter(kwargs))!r}")
    if catch_varargs:
        arguments.append(args[expected:])
    elif len(args) > expected:
        raise TypeError(f"macro {name!r} takes not more than {expected} argument(s)")
    return macro.function(*arguments)
