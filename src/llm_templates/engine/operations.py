"""What the operators of the language do: one function an operation, each charging the budget before it works."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..errors import BudgetError, SecurityError, TemplateRuntimeError
from .budget import FREE_TEXT
from .run import Run, settle
from .values import (
    CLOSED,
    CLOSED_ITEMS,
    CONTAINERS,
    INDEXED_TYPES,
    UNPRINTABLE,
    Function,
    Group,
    Joiner,
    Loop,
    Macro,
    Markup,
    Method,
    Namespace,
    Stream,
    Undefined,
    View,
    type_name,
)

MISSING: Any = object()

# -- text --


def text(run: Run, value: Any) -> str:
    """What printing `value` writes."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is Markup:
        return str.__str__(value)
    if kind is Undefined:
        return ""
    if kind in CONTAINERS:
        value, size = settle(run, value)
        run.create(size)
        # A settled tree holds closed values only, whose `repr` is deterministic and, at most, this deep.
        result = repr(value)
        if len(result) > size:
            run.create(len(result) - size)
        return result
    if kind in UNPRINTABLE:
        raise SecurityError(f"a {type_name(value)} cannot be printed", hint="call it, or print what it holds")
    return str(value)


def join(run: Run, pieces: list[str]) -> str:
    """The pieces of a buffer in one string."""
    run.create(sum(map(len, pieces)))
    return "".join(pieces)


def finish(run: Run, pieces: list[str]) -> str:
    """The pieces of the whole output in one string."""
    run.emit(sum(map(len, pieces)))
    return "".join(pieces)


def concat(run: Run, *values: Any) -> str:
    """`a ~ b ~ c`."""
    pieces = [text(run, value) for value in values]
    run.create(sum(map(len, pieces)))
    return "".join(pieces)


# -- reading --


def no_attribute(owner: object, name: Any) -> Undefined:
    """The undefined value of an attribute or item that `owner` does not have."""
    shown = type_name(owner) if owner is None else f"{type_name(owner)} object"
    if isinstance(name, str):
        return Undefined(f"{shown!r} has no attribute {name!r}")
    return Undefined(f"{shown} has no element {name!r}" if type(name) is int else f"{shown} has no such element")


def entry(run: Run, mapping: dict[Any, Any], key: Any) -> Any:
    """The value at `key` as the template sees it, or `MISSING`."""
    value = mapping.get(key, MISSING)
    if value is None or (key in run.watched and not run.watched.isdisjoint(mapping)):
        value = run.border.whole(mapping).get(key, MISSING)
    if value is MISSING or type(value) in CLOSED_ITEMS:
        return value
    return run.border.lower(value)


def lowered(run: Run, container: Any, key: Any, value: Any, undefined: Undefined) -> Any:
    """What a fast read of `container[key]` that gave `value`, not one of the closed types, means."""
    if value is None:
        if type(container) is not dict:
            return None
        value = run.border.whole(container).get(key, undefined)
        if value is None:
            return None
    return value if type(value) in CLOSED else run.border.lower(value)


def attribute(run: Run, value: Any, name: str) -> Any:
    """`value.name`: a method before a key, as in the reference."""
    kind = type(value)
    if kind is dict:
        if name in DICT_METHODS:
            return _method(value, name)
        found = entry(run, value, name)
        if found is not MISSING:
            return found
        if name.startswith("__") and hasattr(dict, name):
            raise SecurityError(f"access to attribute {name!r} of a dict is refused")
        return no_attribute(value, name)
    if kind is Undefined:
        return value.fail()
    if kind is Namespace:
        found = value.attributes.get(name, MISSING)
        if found is not MISSING:
            return found
    if kind is Function and name in value.attributes:
        return value.attributes[name]
    getter = ATTRIBUTES.get(kind, {}).get(name)
    if getter is not None:
        return getter(value)
    if name in METHODS.get(kind, ()):
        return _method(value, name)
    if name.startswith("_") or name in INTERNAL_NAMES:
        raise SecurityError(f"access to attribute {name!r} of a {type_name(value)} is refused")
    if name in REFUSED_METHODS.get(kind, ()):
        return _refused(value, name)
    return no_attribute(value, name)


def _method(value: Any, name: str) -> Any:
    if name in REFUSED_METHODS.get(type(value), ()):
        return _refused(value, name)
    return Method(value, name)


def _refused(value: Any, name: str) -> Undefined:
    reason = REFUSED_METHODS[type(value)][name]
    return Undefined(f"the method {name!r} of a {type_name(value)} is refused: {reason}", SecurityError)


def item(run: Run, value: Any, key: Any) -> Any:
    """`value[key]`: a key before a method, as in the reference."""
    kind = type(value)
    if kind is dict:
        try:
            found = entry(run, value, key)
        except TypeError:  # a key that cannot be hashed
            return no_attribute(value, key)
        if found is not MISSING:
            return found
    elif kind is Undefined:
        return value.fail()
    elif kind in INDEXED_TYPES and type(key) in (int, bool):
        try:
            found = value[key]
        except IndexError:
            return no_attribute(value, key)
        return found if type(found) in CLOSED_ITEMS else run.border.lower(found)
    if isinstance(key, str):
        return attribute(run, value, str(key))
    return no_attribute(value, key)


def part(run: Run, value: Any, start: Any, stop: Any, step: Any) -> Any:
    """`value[start:stop:step]`."""
    kind = type(value)
    if kind is Undefined:
        return value.fail()
    if kind not in INDEXED_TYPES:
        raise TypeError(f"a value of type {type_name(value)} cannot be sliced")
    bounds = slice(start, stop, step)
    if kind is range:
        return value[bounds]
    length = len(range(*bounds.indices(len(value))))
    if isinstance(value, str):
        run.create(length)
    else:
        run.create(8 * length)
    return tuple(value[bounds]) if kind is Group else value[bounds]


# -- calls --


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


# -- iteration --


def sequence(run: Run, value: Any, cost: int) -> Any:
    """What a loop over `value` walks, each turn charged `cost` steps now: a list, a tuple, a string or a range."""
    kind = type(value)
    if kind is not list and kind is not range and not isinstance(value, str | tuple):
        value = listed(run, value)
    run.steps_left -= len(value) * cost
    if run.steps_left < 0:
        run.spend(0)
    return value


def listed(run: Run, value: Any) -> list[Any]:
    """A new list of the items of `value`, not lowered. Raises TypeError for what has none."""
    kind = type(value)
    if kind is dict:
        whole = run.border.whole(value)
        run.create(8 * len(whole))
        return list(whole)
    if kind is View:
        return list(value.items)
    if kind is Stream:
        # A stream gives no more items than what it reads from, which has been charged, or charges them itself.
        items = list(value.iterator)
        run.create(8 * len(items))
        return items
    if kind is Loop:
        return value.items[value.index0 + 1 :]  # type: ignore[no-any-return]
    if kind in INDEXED_TYPES:
        run.create((64 if isinstance(value, str) else 8) * len(value))
        return list(value)
    if kind is Undefined:
        return []
    raise TypeError(f"a {type_name(value)} is not iterable")


def each(run: Run, value: Any) -> Iterator[Any]:
    """The items of `value`, lowered one by one as they are asked for."""
    source: Iterable[Any] = value.iterator if type(value) is Stream else sequence(run, value, 1)
    for found in source:
        yield found if type(found) in CLOSED_ITEMS else run.border.lower(found)


def pairs(run: Run, value: Any, cost: int) -> Any:
    """What a loop over `value.items()` walks: pairs."""
    if type(value) is not dict:
        return [unpack(run, found, 2) for found in sequence(run, call_method(run, value, "items"), cost)]
    whole = run.border.whole(value)
    run.spend(len(whole) * cost)
    return whole.items()


def filter_pairs(run: Run, value: Any, cost: int) -> Any:
    """What a loop over `value|items` walks."""
    if type(value) is dict:
        return pairs(run, value, cost)
    if type(value) is Undefined:
        return ()
    raise TypeError("Can only get item pairs from a mapping.")


def has_items(value: Any) -> bool:
    """`value is iterable`."""
    kind = type(value)
    return kind in INDEXED_TYPES or kind in (dict, View, Stream, Undefined, Loop)


# -- arithmetic --


def add(run: Run, left: Any, right: Any) -> Any:
    """`left + right`."""
    kind, other = type(left), type(right)
    if kind is str and other is str:
        size = len(left) + len(right)
        if size > FREE_TEXT:
            run.create(size)
        return left + right
    if kind is list and other is list:
        run.create(8 * (len(left) + len(right)))
        return left + right
    if isinstance(left, str) and isinstance(right, str):
        run.create(6 * (len(left) + len(right)))  # one of them is Markup, which escapes the other
        return left + right
    if isinstance(left, tuple) and isinstance(right, tuple):
        run.create(8 * (len(left) + len(right)))
        return (*left, *right)
    return _number(run, left + right) if _numeric(left, right) else _unsupported("+", left, right)


def subtract(run: Run, left: Any, right: Any) -> Any:
    return _number(run, left - right) if _numeric(left, right) else _unsupported("-", left, right)


def multiply(run: Run, left: Any, right: Any) -> Any:
    """`left * right`: numbers, or a sequence repeated."""
    for value, times in ((left, right), (right, left)):
        if isinstance(value, str | list | tuple) and isinstance(times, int):
            width = 1 if isinstance(value, str) else 8
            run.create(width * len(value) * max(0, int(times)))
            return value * times if type(value) is not Group else tuple(value) * times
    if not _numeric(left, right):
        return _unsupported("*", left, right)
    if isinstance(left, int) and isinstance(right, int):
        _bits(run, left.bit_length() + right.bit_length())
    return left * right


def divide(run: Run, left: Any, right: Any) -> Any:
    return left / right if _numeric(left, right) else _unsupported("/", left, right)


def floor_divide(run: Run, left: Any, right: Any) -> Any:
    return left // right if _numeric(left, right) else _unsupported("//", left, right)


def power(run: Run, left: Any, right: Any) -> Any:
    """`left ** right`, with the size of an integer result bounded before it is made."""
    if not _numeric(left, right):
        return _unsupported("**", left, right)
    if isinstance(left, int) and isinstance(right, int) and right > 0:
        _bits(run, max(left.bit_length(), 1) * right if abs(left) > 1 else 1)
    result = left**right
    if isinstance(result, complex):
        raise ValueError("a root of a negative number is no real number")
    return result


def negative(run: Run, value: Any) -> Any:
    return -value if _numeric(value, 0) else _unsupported("-", value)


def positive(run: Run, value: Any) -> Any:
    return +value if _numeric(value, 0) else _unsupported("+", value)


def _numeric(left: Any, right: Any) -> bool:
    return isinstance(left, int | float) and isinstance(right, int | float)


def _unsupported(operator: str, *operands: Any) -> Any:
    for operand in operands:
        if type(operand) is Undefined:
            return operand.fail()
    raise TypeError(f"unsupported operand type(s) for {operator}: " + " and ".join(map(type_name, operands)))


def _number(run: Run, result: Any) -> Any:
    if isinstance(result, int):
        _bits(run, result.bit_length() - 1)
    return result


def _bits(run: Run, bits: int) -> None:
    if bits > run.limits.integer_bits:
        raise BudgetError(f"the template makes an integer of more than {run.limits.integer_bits} bits")


# -- comparison --


#: Types that compare in no time: numbers, and text, of which Python compares lengths first.
SCALARS: frozenset[type] = frozenset({str, int, float, bool, type(None), Undefined})


def comparable(run: Run, value: Any) -> Any:
    """`value` ready for Python's own comparison: lowered throughout, and every node of it charged."""
    if type(value) in CONTAINERS:
        settled = settle(run, value)[0]
        return value if type(value) is Namespace else settled
    if isinstance(value, str) and len(value) > 64:
        run.work(len(value))
    return value


def equal(run: Run, left: Any, right: Any) -> bool:
    if type(left) in SCALARS and type(right) in SCALARS:
        return bool(left == right)
    return bool(comparable(run, left) == comparable(run, right))


def unequal(run: Run, left: Any, right: Any) -> bool:
    return bool(comparable(run, left) != comparable(run, right))


def less(run: Run, left: Any, right: Any) -> bool:
    return bool(comparable(run, left) < comparable(run, right))


def less_equal(run: Run, left: Any, right: Any) -> bool:
    return bool(comparable(run, left) <= comparable(run, right))


def greater(run: Run, left: Any, right: Any) -> bool:
    return bool(comparable(run, left) > comparable(run, right))


def greater_equal(run: Run, left: Any, right: Any) -> bool:
    return bool(comparable(run, left) >= comparable(run, right))


def contains(run: Run, needle: Any, haystack: Any) -> bool:
    """`needle in haystack`."""
    kind = type(haystack)
    if kind is dict:
        if needle in run.watched:
            return not run.watched.isdisjoint(haystack) and needle in run.border.whole(haystack)
        return needle in haystack and (haystack[needle] is not None or needle in run.border.whole(haystack))
    if isinstance(haystack, str):
        if not isinstance(needle, str):
            raise TypeError(f"'in' on text requires text on its left, not {type_name(needle)}")
        run.work(len(haystack))
        return str(needle) in haystack
    if kind is range:
        return isinstance(needle, int | float) and needle in haystack
    if kind is Undefined:
        return False
    needle = comparable(run, needle)
    return any(found is needle or equal(run, found, needle) for found in each(run, haystack))


def absent(run: Run, needle: Any, haystack: Any) -> bool:
    """`needle not in haystack`."""
    return not contains(run, needle, haystack)


# -- statements --


def assign(run: Run, namespace: Any, name: str, value: Any) -> None:
    """`{% set namespace.name = value %}`."""
    if type(namespace) is not Namespace:
        if type(namespace) is Undefined:
            namespace.fail()
        raise TemplateRuntimeError("cannot assign attribute on non-namespace object")
    if name.startswith("_"):
        raise SecurityError(f"a namespace cannot hold the underscore-prefixed attribute {name!r}")
    namespace.attributes[name] = value


def unpack(run: Run, value: Any, count: int) -> list[Any]:
    """`a, b = value`."""
    items = list(each(run, value))
    if len(items) != count:
        raise ValueError(f"cannot unpack {len(items)} values into {count} names")
    return items


def new_list(run: Run, *items: Any) -> list[Any]:
    run.create(8 * len(items))
    return list(items)


def new_tuple(run: Run, *items: Any) -> tuple[Any, ...]:
    run.create(8 * len(items))
    return items


def new_dict(run: Run, *keys_and_values: Any) -> dict[Any, Any]:
    run.create(32 * len(keys_and_values))
    keys = [comparable(run, key) for key in keys_and_values[::2]]
    return dict(zip(keys, keys_and_values[1::2], strict=True))


def spread(run: Run, value: Any) -> list[Any]:
    """The positional arguments of `f(*value)`."""
    return list(each(run, value))


def spread_keywords(run: Run, value: Any) -> dict[str, Any]:
    """The keyword arguments of `f(**value)`."""
    if type(value) is not dict:
        raise TypeError(f"the argument after ** must be a mapping, not {type_name(value)}")
    whole = run.border.whole(value)
    run.create(32 * len(whole))
    if not all(isinstance(key, str) for key in whole):
        raise TypeError("keywords must be strings")
    return {str(key): run.border.lower(found) for key, found in whole.items()}


def require_text(run: Run, value: Any) -> str:
    """`value`, which a filter block gave, and which must be text."""
    if not isinstance(value, str):
        raise TypeError(f"a filter block must give text, not {type_name(value)}")
    return text(run, value)


def fail(message: str, kind: type[Exception] = TemplateRuntimeError) -> Any:
    """Raise: what the compiler writes where a template can only fail, if it gets there."""
    raise kind(message)


# -- the tables of methods, filled by `methods` --

_NO_METHODS: dict[str, Callable[..., Any]] = {}
#: type -> name -> implementation(run, value, ...)
METHODS: dict[type, dict[str, Callable[..., Any]]] = {}
#: The same for methods that change a value in place, which only a run that says so may call.
MUTATIONS: dict[type, dict[str, Callable[..., Any]]] = {}
#: type -> name -> why it is refused
REFUSED_METHODS: dict[type, dict[str, str]] = {}
#: type -> name -> getter of a plain attribute
ATTRIBUTES: dict[type, dict[str, Callable[[Any], Any]]] = {}
#: Names by which Python's own objects lead out of a sandbox. Here they lead nowhere; asking for one is refused.
INTERNAL_NAMES: frozenset[str] = frozenset(
    [
        "mro",
        "gi_code",
        "gi_frame",
        "gi_yieldfrom",
        "cr_code",
        "cr_frame",
        "cr_await",
        "ag_code",
        "ag_frame",
        "ag_await",
        "func_code",
        "func_globals",
        "func_closure",
        "func_defaults",
        "func_dict",
        "im_class",
        "im_func",
        "im_self",
        "tb_frame",
        "tb_next",
        "f_back",
        "f_builtins",
        "f_code",
        "f_globals",
        "f_locals",
        "co_code",
        "co_consts",
    ]
)
#: Every name that a dict's methods take before its keys.
DICT_METHODS: frozenset[str] = frozenset(name for name in dir(dict) if not name.startswith("_"))
