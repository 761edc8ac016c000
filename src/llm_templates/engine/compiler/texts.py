"""Sums and concatenations of text: written out as text where all operands turn out to be text."""

from __future__ import annotations

from jinja2 import nodes

from ..budget import FREE_TEXT
from .reads import Reads
from .scopes import Frame
from .writer import Value

#: How many texts of unknown length are joined before the length of the result is charged.
PIECES_AT_ONCE = 3
#: The longest sum that is written out twice, as text and as anything else.
MOST_JOINED = 12


class Texts(Reads):
    """Adds `+` and `~` to the compiler."""

    def visit_Add(self, node: nodes.Add, frame: Frame) -> Value:
        values = [self.operand(operand, frame) for operand in self.operands(node)]
        unsure = list(dict.fromkeys(value.code for value in values if value.kind != "str"))
        if not unsure and self.inline:
            return self.joined(values)
        text_likely = any(value.kind == "str" for value in values)
        text_possible = not any(
            value.kind in ("int", "bool") or (value.is_constant and value.kind != "str") for value in values
        )
        if not self.inline or not text_likely or not text_possible or len(values) > MOST_JOINED:
            self.settle_operands(unsure)
            return self.sum(node, values)
        name = self.emit.name("t")
        with self.emit.block("if " + " and ".join(self.is_text(code) for code in unsure) + ":"):
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
        if self.traced:
            code = f"cat(run, {', '.join(value.code for value in group)})"
        else:
            code = f"f'{''.join(f'{{{value.code}}}' for value in group)}'"
        value = self.call(code, "str")
        self.charge(value.code)
        return value

    def charge(self, variable: str) -> None:
        """Charge the text in `variable`, if it is long."""
        self.emit.write(f"if len({variable}) > {FREE_TEXT}: run.charge_text({variable})")

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
            return self.call(f"counted({value.code})" if self.traced else f"str({value.code})", "str")
        value = self.bind(value)
        fast = f"{value.code} if {self.is_text(value.code)} else " if self.inline else ""
        return self.call(f"{fast}text(run, {value.code})", "str")
