"""The state of one render, and the walk that settles a whole tree of values before it is printed or compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any

from ..errors import BudgetError, SecurityError
from .budget import Budget, Limits
from .values import CLOSED_ITEMS, CONTAINERS, UNPRINTABLE, Border, Namespace, View, type_name


class Run(Budget):
    """What one render carries: its budget, the border its inputs cross, and its clock.

    Subclasses say how a border is made and how large the input is; `run_type` makes one for given limits and clock.
    """

    #: What the caller passed, for `make_border` and `scale`.
    inputs: tuple[Any, ...] = ()
    #: Keys whose value may depend on other keys of the same dict, so that they are read by way of the border's `whole`.
    watched: frozenset[str] = frozenset()
    #: The filters and tests that `map` and `select` find by name when they run; set by the package.
    tables: Mapping[str, dict[str, Callable[..., Any]]] = {"filter": {}, "test": {}}
    #: Whether values may change in place.
    mutable: bool = False
    _border: Border | None = None

    @property
    def border(self) -> Border:
        """The border, made when the first value has to cross it: most renders never need one."""
        if self._border is None:
            self._border = self.make_border()
        return self._border

    def make_border(self) -> Border:
        """The border for this render's inputs."""
        return Border()

    def clock(self) -> datetime:
        """The time the template is told."""
        return datetime.now()


@lru_cache(maxsize=256)
def run_type(base: type[Run], limits: Limits, now: datetime | None = None) -> type[Run]:
    """The class of runs that start with `limits`; `now` stops their clock."""
    steps, created = limits.steps, limits.created

    def start(self: Run) -> None:
        self.steps_left = steps
        self.bytes_left = created

    attributes: dict[str, Any] = {
        "__init__": start,
        "limits": limits,
        "value_limit": limits.value,
        "output_limit": limits.output,
        "calls_left": limits.calls,
    }
    if now is not None:
        attributes["clock"] = lambda self: now
    return type(base.__name__, (base,), attributes)


def children(value: Any) -> Any:
    """The values a container holds, keys of dicts not among them."""
    kind = type(value)
    if kind is dict:
        return value.values()
    if kind is Namespace:
        return value.attributes.values()
    if kind is View:
        return value.items
    return value


def settle(run: Run, value: Any) -> tuple[Any, int]:
    """`value` with every value below it lowered, and an upper bound of the characters its text needs, escapes aside.

    Every node is charged before its children are looked at, level by level, so that a tree with shared branches, a deep
    one or one that holds itself ends in an error. Returns `value` itself where nothing had to change.

    Raises:
        BudgetError: too many nodes, or nested deeper than `limits.value_depth`.
        SecurityError: something below has no text.
    """
    if type(value) not in CONTAINERS:
        if type(value) in UNPRINTABLE:
            raise SecurityError(f"a {type_name(value)} cannot be printed or written as JSON")
        return value, scalar_size(value)
    level = [value]
    depth = size = 0
    foreign = False
    while level:
        depth += 1
        if depth > run.limits.value_depth:
            raise BudgetError(f"a value is nested deeper than {run.limits.value_depth}")
        run.spend(sum(len(children(node)) for node in level) + len(level))
        below = list(chain.from_iterable(map(children, level)))
        keys = list(chain.from_iterable(node for node in level if type(node) is dict))
        kinds = set(map(type, below)) | set(map(type, keys))
        if not kinds <= CLOSED_ITEMS:
            foreign = True
            below = [run.border.lower(item) for item in below]
            kinds = set(map(type, below))
        if not kinds.isdisjoint(UNPRINTABLE):
            name = type_name(next(item for item in chain(below, keys) if type(item) in UNPRINTABLE))
            raise SecurityError(f"a {name} cannot be printed or written as JSON")
        size += 4 * len(below) + 4 * len(keys)
        size += sum(map(scalar_size, below)) + sum(map(scalar_size, keys))
        level = [item for item in below if type(item) in CONTAINERS]
    if foreign or run.border.rewrites():
        value = _lowered(run, value)
    return value, size


def scalar_size(value: Any) -> int:
    """An upper bound of the characters `str(value)` needs; nothing for containers."""
    kind = type(value)
    if isinstance(value, str):
        return len(value)
    if kind is int:
        return int(value.bit_length()) // 3 + 2
    return 24 if kind is float else 9


def _lowered(run: Run, value: Any) -> Any:
    """A copy of a settled tree in which everything is lowered; parts that need no change are not copied."""
    kind = type(value)
    border = run.border
    if kind not in CONTAINERS:
        return value
    if kind is dict:
        whole = border.whole(value)
        copy = {border.lower(key): _lowered(run, border.lower(item)) for key, item in whole.items()}
        unchanged = (
            whole is value
            and all(new is old for new, old in zip(copy.values(), value.values(), strict=False))
            and all(new is old for new, old in zip(copy, value, strict=False))
        )
        return value if unchanged else copy
    if kind is Namespace:
        attributes = {name: _lowered(run, border.lower(item)) for name, item in value.attributes.items()}
        return Namespace(attributes)
    if kind is View:
        return View(value.name, [_lowered(run, border.lower(item)) for item in value.items])
    items = [_lowered(run, border.lower(item)) for item in value]
    if all(new is old for new, old in zip(items, value, strict=True)):
        return value
    return items if kind is list else kind(items)
