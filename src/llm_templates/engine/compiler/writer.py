"""The ground of the compiler: compiled values, variables and constants, and the leaves of expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from jinja2 import nodes
from jinja2.idtracking import VAR_LOAD_RESOLVE

from ...errors import TemplateSyntaxError
from ..budget import FREE_ITEMS, Limits
from ..excerpt import excerpt
from ..filters import EXTENSION_FILTERS, FILTERS
from ..globals import GLOBALS
from ..values import Function, Undefined
from .emit import Emitter
from .options import Options
from .scopes import Available, Frame

#: A deferred expression deeper than this goes to a variable, so that generated code never nests deeply.
DEFERRED_DEPTH = 4


class Value(NamedTuple):
    """A compiled expression: Python code without side effects, and what is known of its value."""

    code: str
    #: "str" (never Markup), "int" (small), "bool", or "any".
    kind: str = "any"
    #: How deep the code nests; 0 for a variable or a constant.
    depth: int = 0
    #: The constant of the undefined value it may be, if that is known.
    undefined: str | None = None
    #: The value itself, where it is a constant of the template.
    constant: Any = ...

    @property
    def is_constant(self) -> bool:
        return self.constant is not ...


#: Under this key, `Available` remembers what kind of value a variable holds.
KIND = "the kind"
#: The kind of a list whose items need not be lowered.
CLOSED_LIST = "closed list"


@dataclass
class Counter:
    """The Python variables of a loop that only counts."""

    index: str
    items: str
    last: str


class Writer:
    """What every part of the compiler needs: names, constants, places to write to, and the simplest expressions."""

    def __init__(self, source: str, options: Options, limits: Limits, inline: bool = True) -> None:
        self.source = source
        self.limits = limits
        self.options = options
        self.emit = Emitter()
        self.available = Available()
        self.watched = options.watched
        #: Whether values can change in place, so that no read may be remembered and loops walk copies.
        self.changes = options.mutable
        #: Whether fast paths are written out; without them, every operation is a call of the dialect.
        self.inline = inline
        self.traced = options.traced
        filters, self.globals = _traced_tables() if self.traced else (FILTERS, GLOBALS)
        self.filters = filters | {name: EXTENSION_FILTERS[name] for name in options.extensions}
        #: Attribute names that `set ns.name` assigns anywhere: reads of them are never remembered.
        self.mutable: set[str] = {"current", "used"}
        #: Names that `set name.attribute` uses: their attributes are looked for in a namespace first.
        self.namespaces: set[str] = set()
        self.counters: dict[str, Counter] = {}
        #: Names the template takes from its context, and the variables they are in.
        self.reads: dict[str, None] = {}
        self._resolved: dict[str, str] = {}
        self._variables: dict[str, str] = {}
        self._undefined: dict[str, str] = {}
        #: The read that is an operand of a sum, and the variables of such reads that are not lowered yet.
        self._postpones: nodes.Node | None = None
        self._postponed: dict[str, tuple[str, str, str]] = {}
        #: The undefined constant that a variable may hold.
        self._may_be: dict[str, str] = {}

    # -- variables and constants --

    def variable(self, reference: str) -> str:
        """The Python variable of one of Jinja2's references (`l_1_message`)."""
        known = self._variables.get(reference)
        if known is None:
            known = self._variables[reference] = self.emit.name("v")
        return known

    def undefined(self, message: str) -> str:
        """The constant of an undefined value with this message."""
        known = self._undefined.get(message)
        if known is None:
            known = self._undefined[message] = self.emit.constant(Undefined(message), "u")
        return known

    def is_text(self, code: str) -> str:
        """Code for whether a value is text, and not Markup."""
        return f"type({code}) in TEXTS" if self.traced else f"type({code}) is str"

    def assigned(self, variable: str) -> None:
        self.available.forget(variable)

    def bind(self, value: Value) -> Value:
        """`value` in a variable, unless it is in one or is a constant."""
        if value.depth == 0:
            return value
        name = self.emit.name("t")
        self.emit.write(f"{name} = {value.code}")
        return Value(name, value.kind, undefined=value.undefined)

    def call(self, code: str, kind: str = "any") -> Value:
        """The result of a call, made now: calls have side effects, if only on the budget."""
        name = self.emit.name("t")
        self.emit.write(f"{name} = {code}")
        return Value(name, kind)

    def deferred(self, code: str, kind: str, *parts: Value) -> Value:
        depth = 1 + max(part.depth for part in parts)
        value = Value(code, kind, depth)
        return self.bind(value) if depth > DEFERRED_DEPTH else value

    def fail(self, message: str, node: nodes.Node) -> Any:
        raise TemplateSyntaxError(message, line=node.lineno, excerpt=excerpt(self.source, node.lineno))

    # -- entry points --

    def expression(self, node: nodes.Node, frame: Frame, probable: bool = True) -> Value:
        """Compile an expression. `probable` says that the keys it reads are likely to be there."""
        visit: Callable[..., Value] | None = getattr(self, f"visit_{type(node).__name__}", None)
        if visit is None:
            self.fail(f"{type(node).__name__} is not part of the template language", node)
            raise AssertionError
        if type(node) in _READS:
            return visit(node, frame, probable)
        return visit(node, frame)

    def atom(self, node: nodes.Node, frame: Frame, probable: bool = True) -> Value:
        return self.bind(self.expression(node, frame, probable))

    def condition(self, node: nodes.Node, frame: Frame) -> str:
        """Python code whose truth is that of the expression."""
        value = self.expression(node, frame, probable=False)
        if value.undefined is not None and self.inline:
            return f"{value.code} is not {value.undefined} and {value.code}"
        return value.code

    # -- leaves --

    def visit_Const(self, node: nodes.Const, frame: Frame) -> Value:
        return self.constant(node.value)

    def constant(self, value: Any) -> Value:
        if value is None or value is True or value is False:
            return Value(repr(value), "bool" if value is not None else "any", constant=value)
        kind = {str: "str", int: "int"}.get(type(value), "any")
        if type(value) is int and value.bit_length() > 60:
            kind = "any"
        code = self.literal(value) if type(value) is str else self.emit.constant(value)
        return Value(code, kind, constant=value)

    def literal(self, text: str) -> str:
        """The constant of text that the template writes."""
        return self.emit.literal(text) if self.traced else self.emit.constant(text)

    def visit_TemplateData(self, node: nodes.TemplateData, frame: Frame) -> Value:
        return self.constant(node.data)

    def visit_Name(self, node: nodes.Name, frame: Frame) -> Value:
        reference = frame.symbols.ref(node.name)
        if reference in self.counters:
            self.fail("the special loop variable cannot be used here", node)
        variable = self.variable(reference)
        if node.name.startswith("__") and frame.symbols.find_load(reference) == (VAR_LOAD_RESOLVE, node.name):
            message = self.emit.constant(f"access to the name {node.name!r} is refused")
            self.emit.write(f"if type({variable}) is Undefined: fail({message}, SecurityError)")
        return Value(variable, self.available.find(variable, KIND) or "any")

    def visit_List(self, node: nodes.List, frame: Frame) -> Value:
        return self._collection("new_list", "[", node.items, "]", frame)

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> Value:
        return self._collection("new_tuple", "(", node.items, ",)", frame)

    def _collection(self, function: str, left: str, items: Sequence[nodes.Node], right: str, frame: Frame) -> Value:
        codes = [self.atom(item, frame).code for item in items]
        if self.inline and len(codes) <= FREE_ITEMS:
            return self.call(f"{left}{', '.join(codes)}{right if codes else right[-1]}")
        return self.call(f"{function}({', '.join(['run', *codes])})")

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> Value:
        parts = [(self.atom(pair.key, frame), self.atom(pair.value, frame).code) for pair in node.items]
        if self.inline and len(parts) <= FREE_ITEMS and all(key.kind == "str" and key.is_constant for key, _ in parts):
            return self.call("{" + ", ".join(f"{key.code}: {code}" for key, code in parts) + "}")
        return self.call(f"new_dict({', '.join(['run', *(part for key, code in parts for part in (key.code, code))])})")

    # -- filters, tests, calls --


def _traced_tables() -> tuple[dict[str, Any], dict[str, Function]]:
    """The filters and the global functions of the traced dialect, which most programs never need."""
    from .. import traced

    return traced.TRACED_FILTERS, traced.GLOBALS


_READS = (nodes.Getattr, nodes.Getitem)
