"""What Python knows of a callable without calling it: its name, docstring, signature and type hints."""

from __future__ import annotations

import builtins
import functools
import inspect
import sys
from types import FunctionType, MethodType, SimpleNamespace
from typing import Any, NamedTuple, get_type_hints

from ..errors import InputError

#: The name the reference gives to what has none.
NAMELESS = "operation"
VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Hints(NamedTuple):
    """Type hints by name, without and with what `Annotated` adds, and why some could not be read."""

    plain: dict[str, Any]
    rich: dict[str, Any]
    unread: dict[str, str]


class Callee(NamedTuple):
    """What Python knows of a callable; `bound` are the parameters that have their value already."""

    name: str
    docstring: str
    signature: inspect.Signature
    hints: Hints
    bound: frozenset[str] = frozenset()

    def parameters(self) -> dict[str, inspect.Parameter]:
        """The parameters of a call, without those that are bound and a leading `self` or `cls` without a type."""
        parameters = dict(self.signature.parameters)
        first = next(iter(parameters), "")
        if first in ("self", "cls") and parameters[first].annotation is inspect.Parameter.empty:
            del parameters[first]
        return {name: parameter for name, parameter in parameters.items() if name not in self.bound}


def callee(function: Any) -> Callee:
    """Everything that a schema says of a callable, wherever Python keeps it.

    Raises:
        InputError: it cannot be called, or has no signature.
    """
    if not callable(function):
        raise InputError(
            f"a tool is a function or another callable, not {type(function).__name__}",
            hint="pass the function itself, not its name or its result",
        )
    if isinstance(function, functools.partial):
        return _partial_callee(function)
    name = getattr(function, "__name__", NAMELESS)
    docstring = inspect.getdoc(function) or ""
    call = getattr(function, "__call__", None)  # noqa: B004  (its value is wanted)
    if inspect.isclass(function):
        signature = _signature(function, name)
        return Callee(name, docstring, signature, _class_hints(function, signature))
    if isinstance(call, FunctionType | MethodType) and not hasattr(function, "__wrapped__"):
        # An object: what its class says of the object's fields is not what a call takes.
        name = getattr(function, "__name__", type(function).__name__)
        # Not by getdoc: a __call__ without a docstring inherits the one of every object.
        docstring = inspect.cleandoc(call.__doc__) if call.__doc__ else inspect.getdoc(type(function)) or ""
        function = call
    signature = _signature(function, name)
    return Callee(name, docstring, signature, _hints(function, signature))


def _partial_callee(function: functools.partial[Any]) -> Callee:
    args, keywords, called = function.args, function.keywords, function.func
    while isinstance(called, functools.partial):
        args, keywords, called = called.args + args, {**called.keywords, **keywords}, called.func
    inner = callee(called)
    # Made anew, since one that wears its function's name, as after update_wrapper, also shows its function's signature.
    try:
        signature = inspect.signature(functools.partial(called, *args, **keywords))
    except (ValueError, TypeError):
        raise InputError(
            f"{inner.name}() does not take the arguments that its partial binds",
            hint=f"it is {inner.name}{inner.signature}",
        ) from None
    own = vars(function)
    docstring = inspect.cleandoc(own["__doc__"]) if isinstance(own.get("__doc__"), str) else inner.docstring
    # What is bound by position is gone from the signature; what is bound by name has become a default.
    bound = (inner.signature.parameters.keys() - signature.parameters.keys()) | keywords.keys()
    return Callee(own.get("__name__", inner.name), docstring, signature, inner.hints, frozenset(bound))


def _signature(function: Any, name: str) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except (ValueError, TypeError, NameError) as error:
        raise InputError(
            f"{name}() has no signature that can be read{f': {error}' if isinstance(error, NameError) else ''}",
            hint="wrap it in a function with type hints and a docstring, or write the tool's schema by hand",
        ) from None


def _hints(typed: Any, signature: inspect.Signature) -> Hints:
    """The hints of a function or a class; of those written as text, each that cannot be read is told alone."""
    try:
        return Hints(get_type_hints(typed), get_type_hints(typed, include_extras=True), {})
    except Exception:  # noqa: BLE001  (a hint written as text may fail in any way)
        pass
    hints = Hints({}, {}, {})
    written = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    if not inspect.isclass(typed):
        written["return"] = signature.return_annotation
    module = sys.modules.get(getattr(typed, "__module__", ""), builtins)
    names = getattr(inspect.unwrap(typed), "__globals__", vars(module))
    for name, annotation in written.items():
        if annotation is inspect.Parameter.empty:
            continue
        alone = SimpleNamespace(__annotations__={name: annotation})
        try:
            hints.plain.update(get_type_hints(alone, names))
            hints.rich.update(get_type_hints(alone, names, include_extras=True))
        except Exception as error:  # noqa: BLE001
            hints.unread[name] = str(error)
    return hints


def _class_hints(kind: Any, signature: inspect.Signature) -> Hints:
    """The hints of a class's fields if those are what its call takes, as in a dataclass; else of its constructor."""
    taken = {name for name, parameter in signature.parameters.items() if parameter.kind not in VARIADIC}
    for typed in (kind, kind.__init__, kind.__new__):
        hints = _hints(typed, signature)
        if taken <= {*hints.plain, *hints.unread}:
            if typed is not kind:
                hints.plain.pop("return", None)
            return hints
    return Hints({}, {}, {})
