"""The filters that look into each item of a sequence: map, select, sort, groupby and their kin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import filterfalse
from itertools import groupby as group_runs
from typing import Any

from ..errors import BudgetError, SecurityError, TemplateRuntimeError
from .arithmetic import add
from .budget import FREE_SCAN
from .comparison import SCALARS, comparable, equal, place
from .iteration import each, stream
from .reading import item
from .run import Run
from .values import CLOSED, Group, Markup, Stream, Undefined, type_name

Getter = Callable[[Any], Any]

#: The longest attribute path, such as "function.name" or, for sort, "role,name".
LONGEST_PATH = 256


def named(run: Run, kind: str, name: Any) -> Callable[..., Any]:
    """The filter or test called `name`."""
    found = run.tables[kind].get(name) if isinstance(name, str) else None
    if found is None:
        raise TemplateRuntimeError(f"No {kind} named {name!r}.")
    return found


@lru_cache(maxsize=1024)
def _text_parts(path: str) -> tuple[Any, ...]:
    return tuple(int(part) if part.isdigit() else part for part in path.split("."))


def _parts(path: Any) -> tuple[Any, ...]:
    if path is None:
        return ()
    if isinstance(path, str):
        if len(path) > LONGEST_PATH:
            raise BudgetError(f"an attribute path has more than {LONGEST_PATH} characters")
        return _text_parts(str(path))
    return (path,)


def getter(run: Run, path: Any, fallback: Any = None, fold_case: bool = False) -> Getter | None:
    """Reads `path` ("a.b.0") from a value; None where there is nothing to do."""
    parts = _parts(path)
    if not parts and not fold_case:
        return None
    if len(parts) == 1 and fallback is None and not fold_case:
        return _key_reader(run, parts[0])

    def read(value: Any) -> Any:
        for part in parts:
            value = item(run, value, part)
            if fallback is not None and type(value) is Undefined:
                value = fallback
        return _folded(run, value) if fold_case else value

    return read


def _key_reader(run: Run, key: Any) -> Getter:
    """Reads one key: what nearly every template does."""
    if type(key) is not str or key in run.watched:
        return lambda value: item(run, value, key)

    def read(value: Any) -> Any:
        found = value.get(key) if type(value) is dict else None
        return found if type(found) in CLOSED else item(run, value, key)

    return read


def _folded(run: Run, value: Any) -> Any:
    if isinstance(value, str):
        run.create_text(3 * len(value), value)
        return str(value).lower() if not isinstance(value, Markup) else value.lower()
    return value


def _keyed(run: Run, values: Any, key: Getter | None) -> list[tuple[Any, Any]]:
    """(key, item) for every item, each key ready for comparison."""
    items = list(each(run, values))
    # Reading a key takes some microseconds; a sort compares each about log2(n) times, in a list of its own.
    run.spend(len(items) * (20 + len(items).bit_length()))
    run.create(16 * len(items))
    return [(comparable(run, key(value) if key else value), value) for value in items]


def _first(pair: tuple[Any, Any]) -> Any:
    return pair[0]


def sort(
    run: Run, value: Any, /, reverse: Any = False, case_sensitive: Any = False, attribute: Any = None
) -> list[Any]:
    """The items in order; text without regard to case unless `case_sensitive`."""
    if isinstance(attribute, str) and len(attribute) > LONGEST_PATH:
        raise BudgetError(f"an attribute path has more than {LONGEST_PATH} characters")
    paths = attribute.split(",") if isinstance(attribute, str) else [attribute]
    getters = [getter(run, path, fold_case=not case_sensitive) for path in paths]

    def key(found: Any) -> Any:
        return [read(found) if read else found for read in getters]

    return [found for _, found in sorted(_keyed(run, value, key), key=_first, reverse=bool(reverse))]


def dictsort(
    run: Run, value: Any, /, case_sensitive: Any = False, by: Any = "key", reverse: Any = False
) -> list[tuple[Any, Any]]:
    """The pairs of a mapping in the order of its keys, or of its values."""
    if by not in ("key", "value"):
        raise TemplateRuntimeError('You can only sort by either "key" or "value"')
    if type(value) is Undefined:
        return value.fail()  # type: ignore[no-any-return]
    if type(value) is not dict:
        raise TypeError(f"only a mapping can be sorted by keys, not {type_name(value)}")
    whole = run.border.whole(value)
    lower = run.border.lower
    found = [(lower(key), lower(entry)) for key, entry in whole.items()]
    position = 0 if by == "key" else 1

    def key(pair: Any) -> Any:
        return pair[position] if case_sensitive else _folded(run, pair[position])

    return [pair for _, pair in sorted(_keyed(run, found, key), key=_first, reverse=bool(reverse))]


def unique(run: Run, value: Any, /, case_sensitive: Any = False, attribute: Any = None) -> Stream:
    """Each item once."""
    read = getter(run, attribute, fold_case=not case_sensitive)

    def items() -> Iterator[Any]:
        seen: set[Any] = set()
        for found in each(run, value):
            key = comparable(run, read(found) if read else found)
            place(run, key, len(seen))
            if key not in seen:
                run.create(32)
                seen.add(key)
                yield found

    return stream(run, items(), value)


def _extreme(run: Run, value: Any, choose: Any, case_sensitive: Any, attribute: Any) -> Any:
    found = _keyed(run, value, getter(run, attribute, fold_case=not case_sensitive))
    if not found:
        return Undefined("No aggregated item, sequence was empty.")
    return choose(found, key=_first)[1]


def smallest(run: Run, value: Any, /, case_sensitive: Any = False, attribute: Any = None) -> Any:
    """The smallest item."""
    return _extreme(run, value, min, case_sensitive, attribute)


def largest(run: Run, value: Any, /, case_sensitive: Any = False, attribute: Any = None) -> Any:
    """The largest item."""
    return _extreme(run, value, max, case_sensitive, attribute)


def groupby(run: Run, value: Any, /, attribute: Any, default: Any = None, case_sensitive: Any = False) -> list[Group]:
    """Groups of items that share an attribute, in its order."""
    read = getter(run, attribute, default, not case_sensitive)
    ordered = sorted(_keyed(run, value, read), key=_first)
    runs = [(key, [found for _, found in members]) for key, members in group_runs(ordered, key=_first)]
    if not case_sensitive:
        original = getter(run, attribute, default)
        runs = [(original(found[0]) if original else found[0], found) for _, found in runs]
    return [Group((key, found)) for key, found in runs]


def total(run: Run, value: Any, /, attribute: Any = None, start: Any = 0) -> Any:
    """The sum of the items."""
    read = getter(run, attribute)
    result = start
    if isinstance(start, str):
        raise TypeError("sum() can't sum strings [use join instead]")
    for found in each(run, value):
        result = add(run, result, read(found) if read else found)
    return result


def map_items(run: Run, value: Any, /, *args: Any, **kwargs: Any) -> Stream:
    """An attribute of every item, or a filter applied to it."""

    _refuse_internal((*args, *kwargs.values()))

    def items() -> Iterator[Any]:
        if type(value) is Undefined or not value:
            return
        apply = _mapping(run, args, dict(kwargs))
        for found in each(run, value):
            yield apply(found)

    return stream(run, items(), value)


def _mapping(run: Run, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Getter:
    if not args and "attribute" in kwargs:
        path = kwargs.pop("attribute")
        fallback = kwargs.pop("default", None)
        if kwargs:
            raise TemplateRuntimeError(f"Unexpected keyword argument {next(iter(kwargs))!r}")
        return getter(run, path, fallback) or (lambda value: value)
    if not args:
        raise TemplateRuntimeError("map requires a filter argument")
    function = named(run, "filter", args[0])
    return lambda value: function(run, value, *args[1:], **kwargs)


def _choosing(keep: bool, by_attribute: bool) -> tuple[Callable[..., Stream], Callable[..., list[Any]]]:
    """A filter that chooses items, as a stream and, for `...|list`, as a list."""

    def chosen(run: Run, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterable[Any]:
        if type(value) is Undefined or not value:
            return ()
        passes = _condition(run, args, kwargs, by_attribute)
        if keep:
            return filter(passes, each(run, value))
        return filterfalse(passes, each(run, value))

    def lazily(run: Run, value: Any, /, *args: Any, **kwargs: Any) -> Stream:
        _refuse_internal(args)

        def items() -> Iterator[Any]:
            yield from chosen(run, value, args, kwargs)

        return stream(run, items(), value)

    def listed(run: Run, value: Any, /, *args: Any, **kwargs: Any) -> list[Any]:
        _refuse_internal(args)
        items = list(chosen(run, value, args, kwargs))
        run.create(8 * len(items))
        return items

    return lazily, listed


def _refuse_internal(args: Iterable[Any]) -> None:
    """Python's own names are refused before the first item is asked for, which may never be."""
    for arg in args:
        if isinstance(arg, str) and arg[:2] == "__":
            raise SecurityError(f"access to {arg!r} is refused")


def _condition(run: Run, args: tuple[Any, ...], kwargs: dict[str, Any], by_attribute: bool) -> Getter:
    read: Getter | None = None
    if by_attribute:
        if not args:
            raise TemplateRuntimeError("Missing parameter for attribute name")
        read, args = getter(run, args[0]), args[1:]
    if not args:
        return read or bool
    function = named(run, "test", args[0])
    rest = args[1:]
    if function is equal and read is not None and len(rest) == 1 and not kwargs and _compares_at_once(rest[0]):
        wanted, reading = rest[0], read
        # A scalar equals nothing but scalars, and those compare in no time.
        return lambda value: reading(value) == wanted
    if read is None:
        return lambda value: function(run, value, *rest, **kwargs)
    reader = read
    if len(rest) == 1 and not kwargs:
        other = rest[0]
        return lambda value: function(run, reader(value), other)
    return lambda value: function(run, reader(value), *rest, **kwargs)


select, list_selected = _choosing(True, False)
reject, list_rejected = _choosing(False, False)
select_attribute, list_selected_by = _choosing(True, True)
reject_attribute, list_rejected_by = _choosing(False, True)


def _compares_at_once(value: Any) -> bool:
    return type(value) in SCALARS and not (type(value) is str and len(value) > FREE_SCAN)


def list_having(run: Run, value: Any, key: str, wanted: Any) -> list[Any]:
    """`value|selectattr(key, "equalto", wanted)|list`, for a key of the template: what many templates begin with."""
    if type(value) is not list or not _compares_at_once(wanted) or key in run.watched:
        return list_selected_by(run, value, key, "equalto", wanted)
    run.spend(2 * len(value))
    kept = []
    for found in value:
        entry = found.get(key) if type(found) is dict else None
        if type(entry) not in CLOSED:
            return list_selected_by(run, value, key, "equalto", wanted)
        if entry == wanted:
            kept.append(found)
    run.charge(8 * len(kept))
    return kept


#: What `...|name|list` gives at once, for filters whose stream nobody else sees.
LISTED: dict[str, Callable[..., list[Any]]] = {
    "select": list_selected,
    "reject": list_rejected,
    "selectattr": list_selected_by,
    "rejectattr": list_rejected_by,
}
