"""The closed world: the only types a template's values have, and the border that lowers everything else to them."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import markupsafe

from ..errors import BudgetError, SecurityError, UndefinedError


class Markup(markupsafe.Markup):
    """Text the template itself marked safe; a caller's `markupsafe.Markup` is plain text, as in the reference."""

    __slots__ = ()


class Text(str):
    """Text that knows where it came from: what a traced render has in place of plain text. See `provenance`."""

    __slots__ = ("node",)
    node: tuple[int, Any, Any, Any]

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str.__str__(self),)


class SafeText(Markup):
    """The same for Markup."""

    __slots__ = ("node",)
    node: tuple[int, Any, Any, Any]

    def __repr__(self) -> str:
        return f"Markup({str.__repr__(self)})"


class Whole(int):
    """An integer of the input that knows where it came from."""

    origin: Any


class Real(float):
    """A float of the input that knows where it came from."""

    origin: Any


class Undefined:
    """A name, key or item that does not exist: empty when printed, false when tested, an error when used.

    Instances are immutable and shared: the compiler makes one for each place of the template.
    """

    __slots__ = ("error", "message")

    def __init__(self, message: str, error: type[UndefinedError] | type[SecurityError] = UndefinedError) -> None:
        self.message = message
        self.error = error

    def fail(self, *_: Any) -> Any:
        raise self.error(self.message)

    def __eq__(self, other: object) -> bool:
        return type(other) is Undefined

    def __ne__(self, other: object) -> bool:
        return type(other) is not Undefined

    def __hash__(self) -> int:
        return id(Undefined)

    def __bool__(self) -> bool:
        return False

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __str__(self) -> str:
        return ""

    def __repr__(self) -> str:
        return "Undefined"

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = fail
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = fail
    __pos__ = __neg__ = __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = fail


class Namespace:
    """The one value a template can change: `{% set ns.name = value %}`."""

    __slots__ = ("attributes",)

    def __init__(self, attributes: dict[str, Any]) -> None:
        self.attributes = attributes

    def __repr__(self) -> str:
        return f"<Namespace {self.attributes!r}>"


class Method:
    """A method that was read but not called, such as `spec.items`: it may be tested and passed, nothing else."""

    __slots__ = ("name", "owner")

    def __init__(self, owner: object, name: str) -> None:
        self.owner = owner
        self.name = name

    def __eq__(self, other: object) -> bool:
        return type(other) is Method and self.owner is other.owner and self.name == other.name

    def __hash__(self) -> int:
        return hash((id(self.owner), self.name))


class Function:
    """A global function. `run` is handed to `implementation` first; `attributes` holds functions read by name."""

    __slots__ = ("attributes", "implementation", "name")

    def __init__(
        self, name: str, implementation: Callable[..., Any], attributes: Mapping[str, Function] | None = None
    ) -> None:
        self.name = name
        self.implementation = implementation
        self.attributes = attributes or {}


class Signature(NamedTuple):
    """What the compiler knows of a macro."""

    #: None for the body of a call block.
    name: str | None
    parameters: tuple[str, ...]
    takes_caller: bool
    catch_kwargs: bool
    catch_varargs: bool


class Macro:
    """A macro or the body of a call block: a compiled function, which charges its own steps, and its signature."""

    __slots__ = ("exact", "function", "signature")

    def __init__(self, function: Callable[..., str], signature: Signature, exact: int) -> None:
        self.function = function
        self.signature = signature
        #: The number of positional arguments with which the function can be called as it is; -1 if there is none.
        self.exact = exact

    def __repr__(self) -> str:
        name = self.signature.name
        return f"<Macro {'anonymous' if name is None else repr(name)}>"


class View:
    """What `.items()`, `.keys()` and `.values()` give: a sized, repeatable sequence that cannot be indexed."""

    __slots__ = ("items", "name")

    def __init__(self, name: str, items: list[Any]) -> None:
        self.name = name
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return f"{self.name}({self.items!r})"


class Stream:
    """What `map`, `select` and their like give: values made when first asked for, and only once."""

    __slots__ = ("depth", "iterator")

    #: Streams over streams nest Python calls when they are read.
    DEPTH_LIMIT = 20

    def __init__(self, iterator: Iterator[Any], source: object = None) -> None:
        self.depth: int = source.depth + 1 if isinstance(source, Stream) else 1
        if self.depth > self.DEPTH_LIMIT:
            raise BudgetError(f"filters that give lazy values are chained deeper than {self.DEPTH_LIMIT}")
        self.iterator = iterator


class Group(tuple[Any, Any]):
    """One group of `groupby`: a pair with the names `grouper` and `list`."""

    __slots__ = ()


class Cycler:
    """Gives its values in turn: `cycler('odd', 'even').next()`."""

    __slots__ = ("items", "position")

    def __init__(self, items: tuple[Any, ...]) -> None:
        self.items = items
        self.position = 0


class Joiner:
    """Gives nothing when first called and its separator from then on."""

    __slots__ = ("separator", "used")

    def __init__(self, separator: Any) -> None:
        self.separator = separator
        self.used = False


class Loop:
    """The special `loop` variable, where a template passes it on or asks for what a counter cannot tell."""

    __slots__ = ("before", "changed_value", "current", "depth0", "index0", "items", "recurse")

    def __init__(
        self, items: list[Any] | tuple[Any, ...], depth0: int = 0, recurse: Callable[..., str] | None = None
    ) -> None:
        self.items = items
        self.depth0 = depth0
        self.recurse = recurse
        self.index0 = -1
        self.before: Any = None
        self.current: Any = None
        self.changed_value: Any = _NOTHING

    def __repr__(self) -> str:
        return f"<LoopContext {self.index0 + 1}/{len(self.items)}>"


_NOTHING = object()
#: What stands for no value at all: a parameter that was not passed, a key that is not there.
MISSING: Any = object()

#: Types whose values go on as they are when read out of a container. `None` is not among them, because the border may
#: have to say what it means there; `CLOSED_ITEMS` has it, for the items of lists.
CLOSED: frozenset[type] = frozenset(
    {
        *(str, int, float, bool, dict, list, tuple, range),
        *(Text, SafeText, Whole, Real),
        *(Markup, Undefined, Namespace, Method, Function, Macro, View, Stream, Group, Cycler, Joiner, Loop),
    }
)
CLOSED_ITEMS: frozenset[type] = CLOSED | {type(None)}
#: Closed types that hold other values.
CONTAINERS: frozenset[type] = frozenset({dict, list, tuple, Group, View, Namespace})
#: Closed types that have no text and no JSON: what they would print is an address in memory.
UNPRINTABLE: frozenset[type] = frozenset({Method, Function, Stream, Cycler, Joiner})

#: Closed types that are indexed by numbers.
INDEXED_TYPES: frozenset[type] = frozenset({str, Text, SafeText, Markup, list, tuple, Group, range})

#: How error texts name a type.
TYPE_NAMES: dict[type, str] = {
    Markup: "str",
    Text: "str",
    SafeText: "str",
    Whole: "int",
    Real: "float",
    Namespace: "namespace",
    Method: "method",
    Function: "function",
    Macro: "macro",
    View: "view",
    Stream: "stream",
    Group: "tuple",
    Cycler: "cycler",
    Joiner: "joiner",
    Loop: "loop",
}


def type_name(value: object) -> str:
    """The name of the type of `value` as error texts give it."""
    kind = type(value)
    return "None" if value is None else TYPE_NAMES.get(kind, kind.__name__)


def _fields_of(kind: type) -> list[tuple[str, str]] | None:
    """The keys that objects of an attrs or msgspec class are written with, and the attributes they come from."""
    fields = getattr(kind, "__struct_fields__", None)
    if isinstance(fields, tuple):
        return list(zip(getattr(kind, "__struct_encode_fields__", fields), fields, strict=True))
    attributes = getattr(kind, "__attrs_attrs__", None)
    if isinstance(attributes, tuple):
        return [(attribute.name, attribute.name) for attribute in attributes]
    return None


class Border:
    """Lowers what a caller passed to the closed world, one value at a time, when the template reads it.

    The rules are the reference's: subclasses of str, int and float lose their class, mappings become dicts, dataclasses
    and objects of pydantic, attrs and msgspec classes dicts of their fields, numpy scalars plain numbers, and anything
    else its type's name in angle brackets. Nothing the caller passed is ever changed.
    """

    def __init__(self) -> None:
        # The original is kept beside its copy: an id may be used again once its object is gone.
        self._lowered: dict[int, tuple[object, Any]] = {}

    def whole(self, mapping: dict[Any, Any]) -> dict[Any, Any]:
        """`mapping` as the template sees it when it looks at all of it."""
        return mapping

    def rewrites(self) -> bool:
        """Whether `whole` gives anything but its argument for any dict of this render."""
        return False

    def lower(self, value: Any) -> Any:
        """`value` as a value of the closed world; containers one level deep."""
        if type(value) in CLOSED_ITEMS:
            return value
        known = self._lowered.get(id(value))
        if known is not None:
            return known[1]
        lowered = self._convert(value)
        self._lowered[id(value)] = (value, lowered)
        return lowered

    def _convert(self, value: Any) -> Any:
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return int.__int__(value)
        if isinstance(value, float):
            return float.__float__(value)
        if isinstance(value, Mapping):
            return {self.lower(key): item for key, item in value.items()}
        if isinstance(value, list):
            return [item for item in value]  # noqa: C416  (list() would ask a subclass for its length)
        if isinstance(value, tuple):
            return tuple(item for item in value)
        numpy = sys.modules.get("numpy")
        if numpy is not None and isinstance(value, numpy.generic):
            return self.lower(value.item())
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        fields = _fields_of(type(value))
        if fields is not None:
            return {key: getattr(value, name) for key, name in fields}
        dump = getattr(value, "model_dump", None)
        if callable(dump):
            return self.lower(dump())
        return f"<{type(value).__name__}>"
