"""Arithmetic, comparison and logic."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes

from ..budget import FREE_SCAN, SHORT_SEARCH
from .scopes import Frame
from .texts import Texts
from .writer import Value

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


class Operators(Texts):
    """Adds the other operators to the compiler."""

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

    visit_Sub = visit_Mul = visit_Div = visit_FloorDiv = visit_Mod = visit_Pow = _binary

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
                what = f"the inline if-expression on line {node.lineno}"
                message = f"{what} evaluated to false and no else section was defined."
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
            value.is_constant
            and (isinstance(value.constant, int | float) or value.constant is None or self._is_short(value.constant))
            for value in (left, right)
        )
        numeric = any(value.kind in ("int", "bool") for value in (left, right))
        if self.inline:
            if operator in ("eq", "ne") and (scalar or numeric):
                return self.deferred(f"({left.code} {symbol} {right.code})", "bool", left, right)
            if operator in ("lt", "lteq", "gt", "gteq") and numeric:
                return self.deferred(f"({left.code} {symbol} {right.code})", "bool", left, right)
            if operator in ("in", "notin") and left.is_constant and self._is_short(left.constant, SHORT_SEARCH):
                return self._contains(left, right, operator == "notin")
        return self.call(f"{function}(run, {left.code}, {right.code})", "bool")

    def _contains(self, needle: Value, haystack: Value, negated: bool) -> Value:
        """Whether a text of the template is in another text or a key of a mapping."""
        memory = f"in {needle.constant}"
        known = None if self.changes else self.available.find(haystack.code, memory)
        if known is None:
            inside, general = f"{needle.code} in {haystack.code}", f"contains(run, {needle.code}, {haystack.code})"
            fast = f"{inside} if {self.is_text(haystack.code)} and len({haystack.code}) <= {FREE_SCAN} else "
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
        plain = all(isinstance(value, int) or value is None or self._is_short(value) for value in values)
        return values if plain and len(values) == len(node.items) else None

    def _is_short(self, value: Any, limit: int = FREE_SCAN) -> bool:
        """Whether a constant is text that compares, or is searched for, in next to no time."""
        return isinstance(value, str) and len(value) <= limit
