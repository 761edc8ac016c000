"""What statements do with values: lists, tuples and dicts written out, assignments, refusals."""

from __future__ import annotations

from typing import Any

from ..errors import SecurityError, TemplateRuntimeError
from .comparison import comparable, place
from .printing import text
from .run import Run
from .values import (
    Namespace,
    Undefined,
    type_name,
)


def assign(run: Run, namespace: Any, name: str, value: Any) -> None:
    """`{% set namespace.name = value %}`."""
    if type(namespace) is not Namespace:
        if type(namespace) is Undefined:
            namespace.fail()
        raise TemplateRuntimeError("cannot assign attribute on non-namespace object")
    if name.startswith("_"):
        raise SecurityError(f"a namespace cannot hold the underscore-prefixed attribute {name!r}")
    namespace.attributes[name] = value


def new_list(run: Run, *items: Any) -> list[Any]:
    """`[a, b]`."""
    run.create(8 * len(items))
    return list(items)


def new_tuple(run: Run, *items: Any) -> tuple[Any, ...]:
    """`(a, b)`."""
    run.create(8 * len(items))
    return items


def new_dict(run: Run, *keys_and_values: Any) -> dict[Any, Any]:
    """`{key: value}`; keys and values come in turn."""
    run.create(32 * len(keys_and_values))
    keys = [comparable(run, key) for key in keys_and_values[::2]]
    for size, key in enumerate(keys):
        place(run, key, size)
    return dict(zip(keys, keys_and_values[1::2], strict=True))


def require_text(run: Run, value: Any) -> str:
    """`value`, which a filter block gave, and which must be text."""
    if not isinstance(value, str):
        raise TypeError(f"a filter block must give text, not {type_name(value)}")
    return text(run, value)


def fail(message: str, kind: type[Exception] = TemplateRuntimeError) -> Any:
    """Raise: what the compiler writes where a template can only fail, if it gets there."""
    raise kind(message)
