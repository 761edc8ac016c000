"""The functions every template can call: range, namespace, dict, raise_exception, strftime_now and a few more."""

from __future__ import annotations

from typing import Any

from ..errors import BudgetError, RaisedError, SecurityError
from .comparison import place
from .iteration import each
from .printing import text
from .run import Run
from .values import Cycler, Function, Joiner, Namespace, Undefined, type_name


def raise_exception(run: Run, message: Any, /) -> Any:
    """Refuse the conversation, with the template's own words."""
    raise RaisedError(text(run, message))


def strftime_now(run: Run, format: Any, /) -> str:
    """The date and time of the render, as `datetime.strftime` writes it."""
    if not isinstance(format, str):
        raise TypeError(f"strftime_now needs a format text, not {type_name(format)}")
    if len(format) > 64:
        # The longest directive, %c, writes some tens of characters.
        run.create(64 * len(format))
    return run.clock().strftime(str(format))


def make_range(run: Run, /, *args: Any) -> range:
    """`range(...)`, no longer than the limit."""
    try:
        result = range(*args)
        if len(result) <= run.limits.range:
            return result
    except OverflowError:
        pass
    except TypeError:
        for arg in args:
            if type(arg) is Undefined:
                arg.fail()
        raise
    raise BudgetError(f"a range is longer than {run.limits.range:,}")


def make_namespace(run: Run, /, *args: Any, **kwargs: Any) -> Namespace:
    """A namespace with these attributes."""
    attributes = make_dict(run, *args, **kwargs)
    for name in attributes:
        if isinstance(name, str) and name.startswith("_"):
            raise SecurityError(f"a namespace cannot hold the underscore-prefixed attribute {name!r}")
    return Namespace(attributes)


def make_dict(run: Run, /, *args: Any, **kwargs: Any) -> dict[Any, Any]:
    """`dict(...)`: a copy of a mapping or of pairs, and keywords."""
    if len(args) > 1:
        raise TypeError(f"dict expected at most 1 argument, got {len(args)}")
    result: dict[Any, Any] = {}
    if args and type(args[0]) is dict:
        run.create(64 * len(args[0]))
        result.update(run.border.whole(args[0]))
    elif args:
        if type(args[0]) is Undefined:
            args[0].fail()
        for pair in each(run, args[0]):
            run.create(64)
            key, value = each(run, pair)
            place(run, key, len(result))
            result[key] = value
    run.create(64 * len(kwargs))
    result.update(kwargs)
    return result


def from_keys(run: Run, keys: Any, value: Any = None, /) -> dict[Any, Any]:
    """`dict.fromkeys(...)`."""
    result: dict[Any, Any] = {}
    for key in each(run, keys):
        run.create(64)
        place(run, key, len(result))
        result[key] = value
    return result


def make_cycler(run: Run, /, *items: Any) -> Cycler:
    """A value that gives these in turn."""
    if not items:
        raise RuntimeError("at least one item has to be provided")
    return Cycler(items)


def make_joiner(run: Run, /, sep: Any = ", ") -> Joiner:
    """A separator that is empty the first time."""
    return Joiner(sep)


def lorem_ipsum(run: Run, /, *args: Any, **kwargs: Any) -> Any:
    """Refused."""
    raise SecurityError("'lipsum' is refused: the same conversation must always give the same prompt")


def itself(run: Run, /, *args: Any, **kwargs: Any) -> Any:
    """What `self` is: a name without blocks to call."""
    raise TypeError("'self' cannot be called")


GLOBALS: dict[str, Function] = {
    function.name: function
    for function in (
        Function("range", make_range),
        Function("dict", make_dict, {"fromkeys": Function("fromkeys", from_keys)}),
        Function("lipsum", lorem_ipsum),
        Function("cycler", make_cycler),
        Function("joiner", make_joiner),
        Function("namespace", make_namespace),
        Function("raise_exception", raise_exception),
        Function("strftime_now", strftime_now),
        Function("self", itself),
    )
}
