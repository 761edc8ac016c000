"""What a type hint holds besides its type: the fields of TypedDicts and dataclasses, and their descriptions."""

from __future__ import annotations

import dataclasses
import inspect
import types
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from .docstrings import read_any

#: What may stand around a field's type and says nothing about its values.
QUALIFIERS = {"Required", "NotRequired", "ReadOnly", "Final"}


OTHER_TYPES = (
    "use int, float, str, bool, list, dict, tuple, set, Literal, an Enum, a TypedDict, a dataclass, a pydantic model, "
    "a date or a union of these; or write the tool's schema by hand and pass that dict"
)
IMPORT_IT = "import the name where the hint is written, not only for type checkers or inside a function"


class UnwritableError(Exception):
    """A type hint that cannot be written as a JSON schema: which one and why, and what to write instead."""

    def __init__(self, message: str, hint: str = OTHER_TYPES) -> None:
        super().__init__(message)
        self.hint = hint


class Field(NamedTuple):
    """One field of a TypedDict or a dataclass."""

    name: str
    hint: Any
    description: str | None
    required: bool


def is_typed_dict(kind: Any) -> bool:
    """Whether it is a TypedDict, of `typing` or of `typing_extensions`."""
    return isinstance(kind, type) and hasattr(kind, "__required_keys__") and hasattr(kind, "__total__")


def typed_dict_fields(kind: Any) -> list[Field]:
    """The keys of a TypedDict, in order."""
    plain, rich = _hints_of(kind)
    said = read_any(own_docstring(kind)).parameters
    fields = []
    for name, hint in plain.items():
        # Written as text, Required and NotRequired are unknown when the class is made, so its own sets may be wrong.
        wrappers = _wrappers(rich[name])
        required = "Required" in wrappers or (name in kind.__required_keys__ and "NotRequired" not in wrappers)
        fields.append(Field(name, hint, said.get(name) or annotated_description(rich[name]), required))
    return fields


def dataclass_fields(kind: Any) -> list[Field]:
    """What making a dataclass takes, in order."""
    plain, rich = _hints_of(kind)
    said = read_any(own_docstring(kind)).parameters
    return [
        Field(
            field.name,
            plain[field.name],
            said.get(field.name) or annotated_description(rich[field.name]),
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(kind)
        if field.init
    ]


def _hints_of(kind: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The hints of a class's fields, without and with what surrounds the types."""
    try:
        return get_type_hints(kind), get_type_hints(kind, include_extras=True)
    except Exception as error:  # noqa: BLE001  (a hint written as text may fail in any way)
        raise UnwritableError(f"the fields of {name_of(kind)} cannot be read: {error}", IMPORT_IT) from None


def _wrappers(hint: Any) -> set[str]:
    """The names of what stands around a field's type."""
    found = set()
    while get_origin(hint) is not None and (get_origin(hint) is Annotated or is_qualifier(hint)):
        found.add(getattr(get_origin(hint), "_name", ""))
        hint = get_args(hint)[0]
    return found


def is_qualifier(hint: Any) -> bool:
    """Whether it is a type in Required, NotRequired, ReadOnly or Final."""
    return getattr(get_origin(hint), "_name", "") in QUALIFIERS


def annotated_description(hint: Any) -> str | None:
    """The description that `Annotated` holds: its first text, or the text of an object that describes.

    >>> annotated_description(Annotated[int, "how many"] | None)
    'how many'
    """
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        for extra in hint.__metadata__:
            for said in (extra, getattr(extra, "documentation", None), getattr(extra, "description", None)):
                if isinstance(said, str):
                    return said
    if origin is Annotated or origin is Union or origin is types.UnionType or is_qualifier(hint):
        return next(filter(None, map(annotated_description, args)), None)
    return None


def own_docstring(kind: type) -> str:
    """The docstring written in a class, cleaned; empty if there is none or Python made it."""
    text = kind.__dict__.get("__doc__")
    if not isinstance(text, str) or (dataclasses.is_dataclass(kind) and text.startswith(f"{kind.__name__}(")):
        return ""
    return inspect.cleandoc(text)


def name_of(hint: Any) -> str:
    """A hint as one would write it."""
    if isinstance(hint, type) and get_origin(hint) is None:
        return hint.__qualname__ if hint.__module__ == "builtins" else f"{hint.__module__}.{hint.__qualname__}"
    return repr(hint).replace("typing.", "")
