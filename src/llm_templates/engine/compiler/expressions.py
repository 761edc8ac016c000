"""Expressions to Python: every operation is a call of one function of the dialect, or its fast path written out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes
from jinja2.idtracking import VAR_LOAD_RESOLVE

from ...errors import TemplateSyntaxError
from ..budget import FREE_ITEMS, FREE_SCAN, FREE_TEXT
from ..excerpt import excerpt
from ..filters import EXTENSION_FILTERS, FILTERS
from ..globals import GLOBALS
from ..methods import METHODS
from ..operations import DICT_METHODS
from ..selection import LISTED
from ..tests import TESTS
from ..values import Function, Undefined
from .emit import Emitter
from .options import Options
from .scopes import Available, Frame

#: A deferred expression deeper than this goes to a variable, so that generated code never nests deeply.
DEFERRED_DEPTH = 4


@dataclass(slots=True, frozen=True)
class Value:
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


BINARY = {
    nodes.Add: "add",
    nodes.Sub: "subtract",
    nodes.Mul: "multiply",
    nodes.Div: "divide",
    nodes.FloorDiv: "floor_divide",
    nodes.Mod: "modulo",
    nodes.Pow: "power",
}
COMPARE = {
    "eq": ("==", "equal"),
    "ne": ("!=", "unequal"),
    "lt": ("<", "less"),
    "lteq": ("<=", "less_equal"),
    "gt": (">", "greater"),
    "gteq": (">=", "greater_equal"),
    "in": ("in", "contains"),
    "notin": ("not in", "absent"),
}

#: How many texts of unknown length are joined before the length of the result is charged.
PIECES_AT_ONCE = 3
#: The longest sum that is written out twice, as text and as anything else.
MOST_JOINED = 12

#: Under this key, `Available` remembers what kind of value a variable holds.
KIND = "the kind"
#: The names of the test for equality.
EQUALITY = ("equalto", "==", "eq")
#: Tests that are one Python expression over a variable.
INLINE_TESTS: dict[str, str] = {
    "defined": "type({0}) is not Undefined",
    "undefined": "type({0}) is Undefined",
    "none": "{0} is None",
    "string": "isinstance({0}, str)",
    "mapping": "type({0}) is dict",
    "boolean": "type({0}) is bool",
    "true": "{0} is True",
    "false": "{0} is False",
    "integer": "type({0}) is int",
    "float": "type({0}) is float",
}


@dataclass(slots=True)
class Counter:
    """The Python variables of a loop that only counts."""

    index: str
    items: str
    last: str


class Expressions:
    """Compiles expressions; `Statements` builds upon it."""

    def __init__(self, source: str, options: Options, inline: bool = True) -> None:
        self.source = source
        self.options = options
        self.emit = Emitter()
        self.available = Available()
        self.watched = options.watched
        #: Whether values can change in place, so that no read may be remembered and loops walk copies.
        self.changes = options.mutable
        #: Whether fast paths are written out; without them, every operation is a call of the dialect.
        self.inline = inline
        self.filters = FILTERS | {name: EXTENSION_FILTERS[name] for name in options.extensions}
        #: Attribute names that `set ns.name` assigns anywhere: reads of them are never remembered.
        self.mutable: set[str] = {"current", "used"}
        #: Names that `set name.attribute` uses: their attributes are looked for in a namespace first.
        self.namespaces: set[str] = set()
        self.counters: dict[str, Counter] = {}
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
        return Value(self.emit.constant(value), kind, constant=value)

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

    # -- reading --

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame, probable: bool = True) -> Value:
        postpone, self._postpones = self._postpones is node, None
        counted = self._counted(node, frame)
        if counted is not None:
            return counted
        owner = self.atom(node.node, frame)
        is_method = node.attr in DICT_METHODS
        return self._read(owner, node.attr, probable, is_method, "attribute", node.node, postpone)

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame, probable: bool = True) -> Value:
        postpone, self._postpones = self._postpones is node, None
        owner = self.atom(node.node, frame)
        if isinstance(node.arg, nodes.Slice):
            bounds = [
                self.atom(bound, frame).code if bound is not None else "None"
                for bound in (node.arg.start, node.arg.stop, node.arg.step)
            ]
            return self.call(f"part(run, {owner.code}, {', '.join(bounds)})")
        if isinstance(node.arg, nodes.Const) and type(node.arg.value) is str:
            key = node.arg.value
            return self._read(owner, key, probable, key in DICT_METHODS, "item", node.node, postpone)
        key_value = self.atom(node.arg, frame)
        general = f"item(run, {owner.code}, {key_value.code})"
        if not self.inline or owner.is_constant:
            return self.call(general)
        name = self.emit.name("t")
        number = "" if key_value.kind == "int" else f" and type({key_value.code}) is int"
        fast = f"{owner.code}[{key_value.code}] if type({owner.code}) is list{number} else {general}"
        self.emit.write(f"try: {name} = {fast}")
        self.emit.write(f"except IndexError: {name} = {general}")
        self.lower_item(name)
        return Value(name)

    def lower_item(self, variable: str) -> None:
        """Lower what a list or a tuple held, if it has to be."""
        closed = f"type({variable}) is not dict and type({variable}) not in CLOSED_ITEMS"
        self.emit.write(f"if {closed}: {variable} = run.border.lower({variable})")

    def lower_entry(self, variable: str, owner: str, key: str, undefined: str) -> None:
        """Lower what a dict held, if it has to be; None is not closed here, since a message may not show it."""
        closed = f"type({variable}) is not str and type({variable}) not in CLOSED"
        self.emit.write(f"if {closed}: {variable} = lowered(run, {owner}, {key}, {variable}, {undefined})")

    def _read(
        self,
        owner: Value,
        key: str,
        probable: bool,
        is_method: bool,
        operation: str,
        owner_node: nodes.Node,
        postpone: bool = False,
    ) -> Value:
        """Read a key that the template names."""
        constant = self.emit.constant(key)
        remembers = key not in self.mutable and not self.changes
        if remembers:
            known = self.available.find(owner.code, key)
            if known is not None and not is_method:
                self.settle_operands([known])
                return Value(known, undefined=self._may_be.get(known))
        name = self.emit.name("t")
        general = f"{operation}(run, {owner.code}, {constant})"
        undefined = None
        if not self.inline or is_method or key.startswith("__") or owner.is_constant:
            self.emit.write(f"{name} = {general}")
        elif key in self.watched:
            undefined = self.undefined(f"'dict object' has no attribute {key!r}")
            keys = " or ".join(f"{self.emit.constant(watched)} in {owner.code}" for watched in sorted(self.watched))
            self.emit.write(f"{name} = {undefined} if type({owner.code}) is dict and not ({keys}) else {general}")
            self._may_be[name] = undefined
        elif isinstance(owner_node, nodes.Name) and owner_node.name in self.namespaces:
            self.emit.write(f"try: {name} = {owner.code}.attributes[{constant}]")
            self.emit.write(f"except NAMESPACE_ERRORS: {name} = {general}")
        else:
            undefined = self.undefined(f"'dict object' has no attribute {key!r}")
            if probable:
                self.emit.write(f"try: {name} = {owner.code}[{constant}]")
                self.emit.write(f"except READ_ERRORS: {name} = {general}")
            else:
                self.emit.write(f"try: {name} = {owner.code}.get({constant}, {undefined})")
                self.emit.write(f"except AttributeError: {name} = {general}")
            if postpone:
                self._postponed[name] = (owner.code, constant, undefined)
            else:
                self.lower_entry(name, owner.code, constant, undefined)
            if probable:
                undefined = None
            else:
                self._may_be[name] = undefined
        if remembers and not is_method:
            self.available.add(owner.code, key, name)
        return Value(name, undefined=undefined)

    def _counted(self, node: nodes.Getattr, frame: Frame) -> Value | None:
        """`loop.index` and its kin in a loop that only counts."""
        counter = self.counter(node.node, frame)
        if counter is None:
            return None
        index, last = Value(counter.index, "int"), counter.last
        simple = {
            "index0": (index.code, "int"),
            "index": (f"({index.code} + 1)", "int"),
            "revindex0": (f"({last} - {index.code})", "int"),
            "revindex": (f"({last} - {index.code} + 1)", "int"),
            "first": (f"({index.code} == 0)", "bool"),
            "last": (f"({index.code} == {last})", "bool"),
            "length": (f"({last} + 1)", "int"),
            "depth": (self.emit.constant(1), "int"),
            "depth0": (self.emit.constant(0), "int"),
        }.get(node.attr)
        if simple is not None:
            return Value(simple[0], simple[1], 0 if simple[0].isalnum() else 1)
        step, edge, message = (
            (-1, f"{index.code} > 0", "there is no previous item")
            if node.attr == "previtem"
            else (1, f"{index.code} < {last}", "there is no next item")
        )
        name = self.emit.name("t")
        undefined = self.undefined(message)
        self.emit.write(f"{name} = {counter.items}[{index.code} + {step}] if {edge} else {undefined}")
        self.lower_item(name)
        return Value(name)

    def counter(self, node: nodes.Node, frame: Frame) -> Counter | None:
        if isinstance(node, nodes.Name) and node.name == "loop":
            reference = frame.symbols.find_ref("loop")
            return self.counters.get(reference) if reference else None
        return None

    # -- operators --

    def _binary(self, node: nodes.BinExpr, frame: Frame) -> Value:
        left, right = self.atom(node.left, frame), self.atom(node.right, frame)
        general = f"{BINARY[type(node)]}(run, {left.code}, {right.code})"
        # With a small constant on its right, an integer cannot grow beyond bounds in any number of steps.
        symbol = {nodes.Sub: "-", nodes.Mod: "%"}.get(type(node))
        safe = right.kind == "int" and (
            left.kind == "int" if symbol == "-" else right.is_constant and right.constant != 0
        )
        if (
            not self.inline
            or symbol is None
            or not (safe or (right.is_constant and right.kind == "int" and symbol == "-"))
        ):
            return self.call(general)
        if left.kind == "int":
            return self.deferred(f"({left.code} {symbol} {right.code})", "int", left, right)
        return self.call(f"{left.code} {symbol} {right.code} if type({left.code}) is int else {general}")

    def visit_Add(self, node: nodes.Add, frame: Frame) -> Value:
        values = [self.operand(operand, frame) for operand in self.operands(node)]
        unsure = list(dict.fromkeys(value.code for value in values if value.kind != "str"))
        if not unsure and self.inline:
            return self.joined(values)
        text_likely = any(value.kind == "str" for value in values)
        text_possible = not any(
            value.kind in ("int", "bool") or value.is_constant and value.kind != "str" for value in values
        )
        if not self.inline or not text_likely or not text_possible or len(values) > MOST_JOINED:
            self.settle_operands(unsure)
            return self.sum(node, values)
        name = self.emit.name("t")
        with self.emit.block("if " + " and ".join(f"type({code}) is str" for code in unsure) + ":"):
            self.emit.write(f"{name} = {self.joined(values).code}")
        with self.emit.block("else:"):
            self.settle_operands(unsure)
            self.emit.write(f"{name} = {self.sum(node, values).code}")
        return Value(name)

    def operand(self, node: nodes.Node, frame: Frame) -> Value:
        """An operand of a sum: if it is a key that is read, it is lowered only where it turns out not to be text."""
        if self.inline and isinstance(node, nodes.Getattr | nodes.Getitem):
            self._postpones = node
        return self.atom(node, frame)

    def settle_operands(self, variables: list[str]) -> None:
        """Lower those of the variables whose lowering was postponed."""
        for variable in variables:
            if variable in self._postponed:
                self.lower_entry(variable, *self._postponed.pop(variable))

    def operands(self, node: nodes.Node) -> list[nodes.Node]:
        """The operands of a chain of `+` or of one `~`, left to right."""
        if isinstance(node, nodes.Concat):
            return list(node.nodes)
        operands: list[nodes.Node] = []
        stack = [node]
        while stack:
            top = stack.pop()
            if isinstance(top, nodes.Add):
                stack += [top.right, top.left]
            else:
                operands.append(top)
        return operands

    def sum(self, node: nodes.Node, values: list[Value]) -> Value:
        """The sum as the template brackets it, of operands that are already in variables."""
        operands = iter(values)

        def fold(tree: nodes.Node) -> Value:
            if not isinstance(tree, nodes.Add):
                return next(operands)
            left, right = self.bind(fold(tree.left)), self.bind(fold(tree.right))
            if self.inline and left.kind == right.kind == "int":
                return self.deferred(f"({left.code} + {right.code})", "int", left, right)
            if self.inline and right.is_constant and right.kind == "int":
                code = left.code
                return self.call(f"{code} + {right.code} if type({code}) is int else add(run, {code}, {right.code})")
            return self.call(f"add(run, {left.code}, {right.code})")

        return fold(node)

    def joined(self, values: list[Value]) -> Value:
        """The texts of `values` as one, a few at a time, each result charged if it is long."""
        group: list[Value] = []
        unknown = 0
        for value in values:
            if unknown == PIECES_AT_ONCE and not value.is_constant:
                group, unknown = [self._join_group(group)], 1
            group.append(value)
            unknown += not value.is_constant
        return self._join_group(group)

    def _join_group(self, group: list[Value]) -> Value:
        if all(value.is_constant for value in group):
            return self.constant("".join(value.constant for value in group))
        if len(group) == 1:
            return group[0]
        value = self.call(f"f'{''.join(f'{{{value.code}}}' for value in group)}'", "str")
        self.charge(value.code)
        return value

    def charge(self, variable: str) -> None:
        """Charge the text in `variable`, if it is long."""
        self.emit.write(f"if len({variable}) > {FREE_TEXT}: run.charge(len({variable}))")

    visit_Sub = visit_Mul = visit_Div = visit_FloorDiv = visit_Mod = visit_Pow = _binary

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> Value:
        values = [self.atom(part, frame) for part in node.nodes]
        if self.inline:
            return self.joined([self.as_text(value) for value in values])
        return self.call(f"concat({', '.join(['run', *(value.code for value in values)])})", "str")

    def as_text(self, value: Value) -> Value:
        """What printing `value` writes."""
        if value.is_constant:
            return self.constant(value.constant if isinstance(value.constant, str) else str(value.constant))
        if value.kind == "str":
            return self.bind(value)
        if self.inline and value.kind in ("int", "bool"):
            return self.call(f"str({value.code})", "str")
        value = self.bind(value)
        fast = f"{value.code} if type({value.code}) is str else " if self.inline else ""
        return self.call(f"{fast}text(run, {value.code})", "str")

    def visit_Neg(self, node: nodes.Neg, frame: Frame) -> Value:
        value = self.atom(node.node, frame)
        if value.is_constant and type(value.constant) is int:
            return self.constant(-value.constant)
        return self.call(f"negative(run, {value.code})")

    def visit_Pos(self, node: nodes.Pos, frame: Frame) -> Value:
        return self.call(f"positive(run, {self.atom(node.node, frame).code})")

    def visit_Not(self, node: nodes.Not, frame: Frame) -> Value:
        value = self.expression(node.node, frame, probable=False)
        if value.undefined is not None and self.inline:
            return self.deferred(f"({value.code} is {value.undefined} or not {value.code})", "bool", value)
        return self.deferred(f"(not {value.code})", "bool", value)

    def visit_And(self, node: nodes.And, frame: Frame) -> Value:
        return self._either(node, frame, "and")

    def visit_Or(self, node: nodes.Or, frame: Frame) -> Value:
        return self._either(node, frame, "or")

    def _either(self, node: nodes.BinExpr, frame: Frame, word: str) -> Value:
        left = self.expression(node.left, frame, probable=False)
        with self.available.region(), self.emit.aside() as written:
            right = self.expression(node.right, frame, probable=False)
        kind = left.kind if left.kind == right.kind else "any"
        if not written[0]:
            return self.deferred(f"({left.code} {word} {right.code})", kind, left, right)
        name = self.emit.name("t")
        self.emit.write(f"{name} = {left.code}")
        with self.emit.block(f"if {name}:" if word == "and" else f"if not {name}:"):
            self.emit.insert(written)
            self.emit.write(f"{name} = {right.code}")
        return Value(name, kind)

    def visit_CondExpr(self, node: nodes.CondExpr, frame: Frame) -> Value:
        frame = frame.branch()
        test = self.condition(node.test, frame)
        name = self.emit.name("t")
        with self.emit.block(f"if {test}:"), self.available.region():
            first = self.expression(node.expr1, frame)
            self.emit.write(f"{name} = {first.code}")
        with self.emit.block("else:"), self.available.region():
            if node.expr2 is None:
                message = f"the inline if-expression on line {node.lineno} evaluated to false and no else section was defined."
                second = Value(self.undefined(message))
            else:
                second = self.expression(node.expr2, frame)
            self.emit.write(f"{name} = {second.code}")
        return Value(name, first.kind if first.kind == second.kind else "any")

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> Value:
        left = self.expression(node.expr, frame)
        if len(node.ops) == 1:
            return self._compare(left, node.ops[0], frame)
        name = self.emit.name("t")
        left = self.bind(left)
        for position, operand in enumerate(node.ops):
            right_node = nodes.Operand(operand.op, operand.expr)
            if position == 0:
                right = self.atom(operand.expr, frame)
                self.emit.write(f"{name} = {self._compared(left, operand.op, right).code}")
                left = right
                continue
            with self.available.region(), self.emit.aside() as written:
                right = self.atom(right_node.expr, frame)
                result = self._compared(left, operand.op, right)
            left = right
            with self.emit.block(f"if {name}:"):
                self.emit.insert(written)
                self.emit.write(f"{name} = {result.code}")
        return Value(name, "bool")

    def _compare(self, left: Value, operand: nodes.Operand, frame: Frame) -> Value:
        constants = self._constant_items(operand.expr)
        if self.inline and operand.op in ("in", "notin") and constants is not None:
            left = self.bind(left)
            items = self.emit.constant(tuple(constants), "k")
            return self.deferred(f"({left.code} {COMPARE[operand.op][0]} {items})", "bool", left)
        left = self.bind(left)
        return self._compared(left, operand.op, self.atom(operand.expr, frame))

    def _compared(self, left: Value, operator: str, right: Value) -> Value:
        symbol, function = COMPARE[operator]
        scalar = any(
            value.is_constant and (isinstance(value.constant, str | int | float) or value.constant is None)
            for value in (left, right)
        )
        numeric = any(value.kind in ("int", "bool") for value in (left, right))
        if self.inline:
            if operator in ("eq", "ne") and (scalar or numeric):
                return self.deferred(f"({left.code} {symbol} {right.code})", "bool", left, right)
            if operator in ("lt", "lteq", "gt", "gteq") and numeric:
                return self.deferred(f"({left.code} {symbol} {right.code})", "bool", left, right)
            if operator in ("in", "notin") and left.kind == "str" and left.is_constant:
                return self._contains(left, right, operator == "notin")
        return self.call(f"{function}(run, {left.code}, {right.code})", "bool")

    def _contains(self, needle: Value, haystack: Value, negated: bool) -> Value:
        """Whether a text of the template is in another text or a key of a mapping."""
        memory = f"in {needle.constant}"
        known = None if self.changes else self.available.find(haystack.code, memory)
        if known is None:
            inside, general = f"{needle.code} in {haystack.code}", f"contains(run, {needle.code}, {haystack.code})"
            fast = f"{inside} if type({haystack.code}) is str and len({haystack.code}) <= {FREE_SCAN} else "
            if needle.constant in self.watched:
                keys = [f"{self.emit.constant(key)} in {haystack.code}" for key in sorted(self.watched)]
                fast += f"({' or '.join(keys)}) and {general} if type({haystack.code}) is dict else "
            else:
                fast += f"{inside} and {general} if type({haystack.code}) is dict else "
            known = self.call(fast + general, "bool").code
            self.available.add(haystack.code, memory, known)
        value = Value(known, "bool")
        return self.deferred(f"(not {known})", "bool", value) if negated else value

    def _constant_items(self, node: nodes.Node) -> list[Any] | None:
        """The items of a list or tuple of text and numbers that the template writes out."""
        if not isinstance(node, nodes.List | nodes.Tuple):
            return None
        values = [item.value for item in node.items if isinstance(item, nodes.Const)]
        plain = all(isinstance(value, str | int) or value is None for value in values)
        return values if plain and len(values) == len(node.items) else None

    # -- filters, tests, calls --

    def visit_Filter(self, node: nodes.Filter, frame: Frame, buffer: str | None = None) -> Value:
        chain: list[nodes.Filter] = []
        inner: nodes.Node | None = node
        while isinstance(inner, nodes.Filter):
            chain.append(inner)
            inner = inner.node
        value = Value(buffer, "str") if inner is None and buffer else self._filtered(chain[-1], inner, frame)
        links = chain[::-1]
        for link, after in zip(links, [*links[1:], None], strict=True):
            at_once = after is not None and after.name == "list" and not (after.args or after.kwargs)
            value = self._filter(link, self.bind(value), frame, at_once and self.inline)
        return value

    def _filtered(self, node: nodes.Filter, inner: nodes.Node | None, frame: Frame) -> Value:
        if inner is None:
            return self.fail("a filter without a value", node)  # type: ignore[no-any-return]
        return self.expression(inner, frame, probable=node.name not in ("default", "d"))

    def _filter(self, node: nodes.Filter, value: Value, frame: Frame, listed: bool) -> Value:
        """Apply one filter; `listed` says that a list is made of its result at once."""
        having = self._having(node) if listed else None
        if having is not None:
            key, wanted = having
            return self.call(f"list_having(run, {value.code}, {key}, {self.atom(wanted, frame).code})")
        function = LISTED.get(node.name) if listed else None
        function = function or self.filters.get(node.name)
        if function is None:
            if not frame.soft:
                self.fail(f"No filter named {node.name!r}.", node)
            message = self.emit.constant(f"No filter named {node.name!r} found.")
            return self.call(f"fail({message})")
        arguments = self._arguments(node, frame)
        code = value.code
        if self.inline and not arguments:
            if node.name in ("length", "count"):
                fast = f"len({code}) if type({code}) is list or type({code}) is str else "
                return self.call(f"{fast}{self.emit.constant(function, 'f')}(run, {code})", "int")
            if node.name == "string" and value.kind == "str":
                return value
            if node.name == "trim":
                return self._strip(code, "strip", "", f"{self.emit.constant(function, 'f')}(run, {code})")
        if (
            self.inline
            and node.name in ("default", "d")
            and len(arguments) == 1
            and "=" not in arguments[0]
            and "*" not in arguments[0]
        ):
            return self.deferred(f"({arguments[0]} if type({code}) is Undefined else {code})", "any", value)
        kind = "str" if node.name in ("tojson", "urlencode") else "any"
        return self.call(f"{self.emit.constant(function, 'f')}({', '.join(['run', code, *arguments])})", kind)

    def _having(self, node: nodes.Filter) -> tuple[str, nodes.Expr] | None:
        """The key and the value of `selectattr("key", "equalto", value)`."""
        if node.name != "selectattr" or len(node.args) != 3 or node.kwargs or node.dyn_args or node.dyn_kwargs:
            return None
        path, test = node.args[0], node.args[1]
        if not isinstance(path, nodes.Const) or not isinstance(test, nodes.Const):
            return None
        simple = type(path.value) is str and path.value.isidentifier() and not path.value.startswith("_")
        return (self.emit.constant(path.value), node.args[2]) if simple and test.value in EQUALITY else None

    def visit_Test(self, node: nodes.Test, frame: Frame) -> Value:
        value = self.bind(self.expression(node.node, frame, probable=False))
        function = TESTS.get(node.name)
        if function is None:
            if not frame.soft:
                self.fail(f"No test named {node.name!r}.", node)
            message = self.emit.constant(f"No test named {node.name!r} found.")
            return self.call(f"fail({message})")
        arguments = self._arguments(node, frame)
        if self.inline and not arguments and node.name in INLINE_TESTS:
            return self.deferred(f"({INLINE_TESTS[node.name].format(value.code)})", "bool", value)
        return self.call(f"{self.emit.constant(function, 'f')}({', '.join(['run', value.code, *arguments])})", "bool")

    def _arguments(self, node: Any, frame: Frame, caller: str | None = None) -> list[str]:
        """Arguments as Python code; keywords by way of a dict of constants, since no name of the template is code."""
        codes = [self.atom(arg, frame).code for arg in node.args]
        keywords = [(self.emit.constant(pair.key), self.atom(pair.value, frame).code) for pair in node.kwargs]
        names = [pair.key for pair in node.kwargs]
        if len(names) != len(set(names)):
            self.fail("a keyword argument is given twice", node)
        if node.dyn_args is not None:
            codes.append(f"*spread(run, {self.atom(node.dyn_args, frame).code})")
        if caller is not None:
            keywords.append((self.emit.constant("caller"), caller))
        if keywords:
            codes.append("**{" + ", ".join(f"{key}: {code}" for key, code in keywords) + "}")
        if node.dyn_kwargs is not None:
            codes.append(f"**spread_keywords(run, {self.atom(node.dyn_kwargs, frame).code})")
        return codes

    def visit_Call(self, node: nodes.Call, frame: Frame, caller: str | None = None) -> Value:
        target = node.node
        if isinstance(target, nodes.Getattr):
            counter = self.counter(target.node, frame)
            if counter is not None and target.attr == "cycle":
                values = [self.atom(arg, frame).code for arg in node.args]
                return self.call(f"new_tuple({', '.join(['run', *values])})[{counter.index} % {len(values)}]")
            owner = self.atom(target.node, frame)
            return self._method(owner, target.attr, self._arguments(node, frame, caller))
        if isinstance(target, nodes.Getitem) and not isinstance(target.arg, nodes.Slice):
            owner, key = self.atom(target.node, frame), self.atom(target.arg, frame)
            arguments = self._arguments(node, frame, caller)
            return self.call(f"call_item({', '.join(['run', owner.code, key.code, *arguments])})")
        function = self.atom(target, frame)
        arguments = self._arguments(node, frame, caller)
        known = self._global(target, frame)
        if self.inline and known is not None:
            if caller is None and known is GLOBALS["namespace"] and self._names_only(node):
                return self.call(f"Namespace({arguments[0][2:] if arguments else '{}'})")
            return self.call(f"{self.emit.constant(known.implementation, 'f')}({', '.join(['run', *arguments])})")
        general = f"call({', '.join(['run', function.code, *arguments])})"
        if self.inline and not any(argument.startswith("*") for argument in arguments):
            code = function.code
            exact = f"type({code}) is Macro and {code}.exact == {len(arguments)}"
            return self.call(f"{code}.function({', '.join(arguments)}) if {exact} else {general}")
        return self.call(general)

    def _global(self, node: nodes.Node, frame: Frame) -> Function | None:
        """The global function that a name is, if the template never assigns it and the context has no other."""
        if isinstance(node, nodes.Name) and node.name in GLOBALS and node.name not in self.options.shadowed:
            if frame.symbols.find_load(frame.symbols.ref(node.name)) == (VAR_LOAD_RESOLVE, node.name):
                return GLOBALS[node.name]
        return None

    def _names_only(self, node: nodes.Call) -> bool:
        """Whether a call has keywords only, of names that a namespace may hold."""
        named = not (node.args or node.dyn_args or node.dyn_kwargs)
        return named and not any(pair.key.startswith("_") for pair in node.kwargs)

    def _method(self, owner: Value, name: str, arguments: list[str]) -> Value:
        general = f"call_method({', '.join(['run', owner.code, self.emit.constant(name), *arguments])})"
        code = owner.code
        if not self.inline:
            return self.call(general)
        plain = not any(argument.startswith("*") for argument in arguments)
        if name in ("startswith", "endswith") and len(arguments) == 1 and self._is_text(arguments[0]):
            return self.call(f"{code}.{name}({arguments[0]}) if type({code}) is str else {general}")
        if name in ("strip", "lstrip", "rstrip") and plain and all(self._is_text(argument) for argument in arguments):
            return self._strip(code, name, ", ".join(arguments), general)
        if name == "get" and plain and self._is_text(arguments[0] if arguments else "") and len(arguments) <= 2:
            key = arguments[0]
            if self.emit.constants[key] not in self.watched:
                default = arguments[1] if len(arguments) == 2 else "None"
                value = self.call(f"{code}.get({key}, {default}) if type({code}) is dict else {general}")
                if default == "None":
                    # None is what a key without a value and a missing key both give.
                    self.lower_item(value.code)
                else:
                    self.lower_entry(value.code, code, key, default)
                return value
        if plain and name in METHODS[str]:
            method = self.emit.constant(METHODS[str][name], "f")
            return self.call(f"{method}({', '.join(['run', code, *arguments])}) if type({code}) is str else {general}")
        if plain and name in METHODS[dict]:
            method = self.emit.constant(METHODS[dict][name], "f")
            return self.call(f"{method}({', '.join(['run', code, *arguments])}) if type({code}) is dict else {general}")
        return self.call(general)

    def _strip(self, code: str, name: str, arguments: str, general: str) -> Value:
        """Strip text, which gives the same object where there is nothing to strip."""
        value = self.call(f"{code}.{name}({arguments}) if type({code}) is str else {general}")
        self.emit.write(
            f"if {value.code} is not {code} and len({value.code}) > {FREE_TEXT}: run.charge(len({value.code}))"
        )
        return value

    def _is_text(self, code: str) -> bool:
        return type(self.emit.constants.get(code)) is str


_READS = (nodes.Getattr, nodes.Getitem)
