"""Scopes: which Python variable a template's name is at each place, and which reads are already in a variable.

Jinja2's own analysis (`jinja2.idtracking`) decides what a name refers to, so that `set` inside `if`, `for`, macros and
blocks is visible exactly where the reference makes it visible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from jinja2 import nodes
from jinja2.idtracking import Symbols

from ..budget import FREE_COST


class Frame:
    """One scope of the template, and where its text goes."""

    __slots__ = ("is_root", "loops", "out", "soft", "symbols")

    def __init__(self, symbols: Symbols, out: str, soft: bool = False, loops: int = 0, is_root: bool = False) -> None:
        self.symbols = symbols
        #: The variable of the list that output is appended to.
        self.out = out
        #: Inside `if` or an inline if, where an unknown filter is an error only if it is reached.
        self.soft = soft
        #: How many Python loops are around this place, in the same Python function.
        self.loops = loops
        #: Outside of every loop and macro.
        self.is_root = is_root

    def inner(self, out: str | None = None, loops: int | None = None) -> Frame:
        """A scope inside this one."""
        is_root = self.is_root and loops is None
        depth = self.loops if loops is None else loops
        return Frame(Symbols(parent=self.symbols), out or self.out, loops=depth, is_root=is_root)

    def function(self, out: str) -> Frame:
        """The same scope, in a Python function of its own that appends to the same list under another name."""
        return Frame(self.symbols, out, soft=self.soft)

    def branch(self) -> Frame:
        """The same scope, inside an `if`."""
        return Frame(self.symbols, self.out, soft=True, loops=self.loops, is_root=self.is_root)


#: What a region of the code knows: a variable and a key of it, and the variable that holds what was read.
Known = dict[tuple[str, str], str]


class Available:
    """Reads (`message.role`) whose value a variable already holds at the present place of the generated code.

    A read that was made where every path comes by is not made again: conversations cannot change during a render.
    """

    def __init__(self) -> None:
        self._regions: list[dict[tuple[str, str], str]] = [{}]

    def find(self, owner: str, key: str) -> str | None:
        for region in reversed(self._regions):
            if (owner, key) in region:
                return region[owner, key]
        return None

    def add(self, owner: str, key: str, variable: str) -> None:
        self._regions[-1][owner, key] = variable

    def forget(self, owner: str) -> None:
        """`owner` is assigned: what was read from it before says nothing any more."""
        for region in self._regions:
            for known in [known for known in region if known[0] == owner]:
                del region[known]

    @contextmanager
    def region(self) -> Iterator[Known]:
        """Code that may not run: what is read in it is known only in it. Gives what is known at its end."""
        known: Known = {}
        self._regions.append(known)
        try:
            yield known
        finally:
            self._regions.pop()

    @contextmanager
    def function(self) -> Iterator[None]:
        """Code that runs at another time: nothing read outside is known in it."""
        kept, self._regions = self._regions, [{}]
        try:
            yield
        finally:
            self._regions = kept


def undeclared(body: Iterable[nodes.Node], names: tuple[str, ...]) -> set[str]:
    """Those of `names` that `body` reads without assigning them first."""
    wanted, found = set(names), set[str]()
    stack = list(body)[::-1]
    while stack:
        node = stack.pop()
        if isinstance(node, nodes.Name):
            if node.ctx == "load" and node.name in wanted:
                found.add(node.name)
            else:
                wanted.discard(node.name)
        stack.extend(list(node.iter_child_nodes())[::-1])
    return found


#: A call of the dialect takes as long as this many nodes that are written out.
CALL_NODES = 4


def cost(body: Iterable[nodes.Node]) -> int:
    """The steps one turn through `body` is charged: half its nodes, those of inner loops and macros left out.

    Places that may make short text without charging it (`FREE_TEXT`) are charged here in advance.
    """
    count = 0
    stack = list(body)
    while stack:
        node = stack.pop()
        count += 1
        if isinstance(node, nodes.Call | nodes.Filter | nodes.Mul | nodes.Div | nodes.FloorDiv | nodes.Mod | nodes.Pow):
            count += CALL_NODES
        if _works_freely(node):
            count += 2 * FREE_COST
        if isinstance(node, nodes.List | nodes.Tuple | nodes.Dict):
            count += FREE_COST // 2
        if isinstance(node, nodes.For):
            stack.append(node.iter)
        elif isinstance(node, nodes.Add):
            # One chain makes one text.
            for operand in (node.left, node.right):
                if isinstance(operand, nodes.Add) and _works_freely(operand):
                    count -= 2 * FREE_COST
                stack.append(operand)
        elif not isinstance(node, nodes.Macro):
            stack.extend(node.iter_child_nodes())
    return 1 + count // 2


def _works_freely(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Filter):
        return node.name == "trim"
    if isinstance(node, nodes.Compare):
        return any(operand.op in ("in", "notin") for operand in node.ops)
    if isinstance(node, nodes.Getattr):
        return node.attr in ("strip", "lstrip", "rstrip")
    if isinstance(node, nodes.Add):
        operands = (node.left, node.right)
        return all(isinstance(part.value, str) for part in operands if isinstance(part, nodes.Const))
    return isinstance(node, nodes.Concat)


#: What a loop over a list can tell by counting.
COUNTED = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0", "previtem", "nextitem"}
)


def counts_only(body: Iterable[nodes.Node]) -> bool:
    """Whether `body` uses its `loop` only by the names in `COUNTED` and by `loop.cycle(...)`."""
    stack = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, nodes.Name) and node.name == "loop":
            return False
        if _cycles(node):
            assert isinstance(node, nodes.Call)
            stack.extend(node.args)
            continue
        if isinstance(node, nodes.Getattr) and _is_loop(node.node) and node.attr in COUNTED:
            continue
        if isinstance(node, nodes.For):
            # In its body, `loop` is another one.
            stack.extend([node.iter, *node.else_, *([node.test] if node.test else [])])
            continue
        stack.extend(node.iter_child_nodes())
    return True


def _is_loop(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "loop"


def _cycles(node: nodes.Node) -> bool:
    return (
        isinstance(node, nodes.Call)
        and isinstance(node.node, nodes.Getattr)
        and _is_loop(node.node.node)
        and node.node.attr == "cycle"
        and bool(node.args)
        and not (node.kwargs or node.dyn_args or node.dyn_kwargs)
    )
