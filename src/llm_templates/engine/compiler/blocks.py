"""Output, branches, assignments and blocks with a buffer of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jinja2 import nodes
from jinja2.idtracking import VAR_LOAD_ALIAS, VAR_LOAD_PARAMETER, VAR_LOAD_RESOLVE, VAR_LOAD_UNDEFINED

from ..budget import FEW_PIECES, FREE_OUTPUT, FREE_TEXT
from .applications import Applications
from .scopes import Frame, Known
from .writer import CLOSED_LIST, KIND, Value

#: The longest `elif` chain that is written as nested branches.
NESTED_BRANCHES = 6


class Blocks(Applications):
    """Adds the statements that do not repeat to the compiler."""

    def body(self, statements: Sequence[nodes.Node], frame: Frame) -> None:
        for statement in statements:
            self.emit.at(statement.lineno)
            visit: Callable[..., None] | None = getattr(self, f"write_{type(statement).__name__}", None)
            if visit is None:
                self.fail(f"{type(statement).__name__.lower()} is not part of the template language", statement)
                return
            visit(statement, frame)
            if isinstance(statement, nodes.Break | nodes.Continue):
                return

    def enter(self, frame: Frame) -> None:
        """Give every name of a scope its first value."""
        for target, (action, parameter) in frame.symbols.loads.items():
            variable = self.variable(target)
            if action == VAR_LOAD_PARAMETER:
                continue
            self.assigned(variable)
            if action == VAR_LOAD_RESOLVE:
                self.emit.write(f"{variable} = {self.resolved(str(parameter))}")
                if parameter in self.options.closed:
                    self.available.add(variable, KIND, CLOSED_LIST)
            elif action == VAR_LOAD_ALIAS:
                self.emit.write(f"{variable} = {self.variable(str(parameter))}")
            elif action == VAR_LOAD_UNDEFINED:
                name = target.split("_", 2)[2]
                self.emit.write(f"{variable} = {self.undefined(f'{name!r} is undefined')}")

    def resolved(self, name: str) -> str:
        """What `name` is in the context: a variable filled at the start of the render, or a global function."""
        self.reads.setdefault(name, None)
        if name in self.globals and name not in self.options.shadowed:
            return self.emit.constant(self.globals[name], "g")
        known = self._resolved.get(name)
        if known is None:
            known = self._resolved[name] = self.emit.name("r")
        return known

    # -- output --

    def write_Output(self, node: nodes.Output, frame: Frame) -> None:
        pieces: list[str] = []
        for child in node.nodes:
            self.emit.at(child.lineno)
            if isinstance(child, nodes.TemplateData):
                if child.data:
                    pieces.append(self.literal(child.data))
                continue
            if self.inline and isinstance(child, nodes.Add | nodes.Concat):
                self._write_chain(child, pieces, frame)
            else:
                pieces.append(self.as_text(self.expression(child, frame)).code)
        self._flush(pieces, frame)

    def _write_chain(self, node: nodes.Expr, pieces: list[str], frame: Frame) -> None:
        """Write the operands one after the other, without adding them, where all of them turn out to be text."""
        if isinstance(node, nodes.Concat):
            texts = [self.as_text(self.atom(operand, frame)) for operand in node.nodes]
            pieces.extend(value.code for value in texts)
            return
        values = [self.operand(operand, frame) for operand in self.operands(node)]
        unsure = list(dict.fromkeys(value.code for value in values if value.kind != "str"))
        if any(value.is_constant and value.kind != "str" for value in values):
            self.settle_operands(unsure)
            pieces.append(self.as_text(self.sum(node, values)).code)
        elif not unsure:
            pieces.extend(value.code for value in values)
        else:
            self._flush(pieces, frame)
            with self.emit.block("if " + " and ".join(self.is_text(code) for code in unsure) + ":"):
                self._flush([value.code for value in values], frame)
            with self.emit.block("else:"):
                self.settle_operands(unsure)
                self._flush([self.as_text(self.sum(node, values)).code], frame)

    def _flush(self, pieces: list[str], frame: Frame) -> None:
        """Append the pieces to the output, as they are: nothing is joined before all of it is known to be allowed."""
        group: list[str] = []
        for piece in pieces:
            if not self.traced and group and piece in self.emit.constants and group[-1] in self.emit.constants:
                group[-1] = self.emit.constant(self.emit.constants[group[-1]] + self.emit.constants[piece])
            else:
                group.append(piece)
        pieces.clear()
        if not group:
            return
        unknown = [piece for piece in group if piece not in self.emit.constants]
        known = sum(len(self.emit.constants[piece]) for piece in group if piece not in unknown)
        if known > FREE_TEXT:
            self.emit.write(f"run.charge({known})")
        if unknown:
            length = " + ".join(f"len({piece})" for piece in unknown)
            self.emit.write(f"if {length} > {FREE_OUTPUT}: run.charge({length})")
        if self.traced:
            self.emit.write(f"{frame.out} += ({', '.join(f'{piece}, run.owner' for piece in group)})")
        elif len(group) == 1:
            self.emit.write(f"{frame.out}.append({group[0]})")
        else:
            self.emit.write(f"{frame.out} += ({', '.join(group)})")

    def join(self, out: str) -> Value:
        """The text of a buffer."""
        name = self.emit.name("t")
        few = f"{self.emit.constant('')}.join({out}) if len({out}) <= {FEW_PIECES} else "
        self.emit.write(f"{name} = {few if self.inline and not self.traced else ''}join(run, {out})")
        if self.inline and not self.traced:
            # Long pieces were charged when they were appended, and there are few others: what is joined is bounded.
            self.charge(name)
        return Value(name, "str")

    # -- branches and assignments --

    def write_If(self, node: nodes.If, frame: Frame) -> None:
        frame = frame.branch()
        if len(node.elif_) > NESTED_BRANCHES:
            self._write_branches(node, frame)
            return
        with self.emit.block(f"if {self.condition(node.test, frame)}:"), self.available.region() as known:
            self.body(node.body, frame)
        self._otherwise(node, list(node.elif_), frame, known)

    def _otherwise(self, node: nodes.If, branches: list[nodes.If], frame: Frame, before: Known) -> None:
        """The rest of an `if`: a test that needs statements of its own goes into the `else` of the one before."""
        if not branches:
            if node.else_:
                with self.emit.block("else:"), self.available.region() as known:
                    self.body(node.else_, frame)
                self._agreed(before, known)
            return
        branch, rest = branches[0], branches[1:]
        with self.available.region():
            with self.emit.aside() as written:
                self.emit.at(branch.lineno)
                test = self.condition(branch.test, frame)
            if not written[0]:
                with self.emit.block(f"elif {test}:"), self.available.region():
                    self.body(branch.body, frame)
                self._otherwise(node, rest, frame, {})
                return
            with self.emit.block("else:"):
                self.emit.insert(written)
                with self.emit.block(f"if {test}:"), self.available.region():
                    self.body(branch.body, frame)
                self._otherwise(node, rest, frame, {})

    def _agreed(self, first: Known, second: Known) -> None:
        """After an `if` with an `else`, a variable is of the kind that it is of at the end of both."""
        for (owner, key), kind in first.items():
            if key == KIND and second.get((owner, key)) == kind:
                self.available.add(owner, KIND, kind)

    def _write_branches(self, node: nodes.If, frame: Frame) -> None:
        """A long `elif` chain, one test after the other: the code must not nest as deep as the chain is long."""
        done = self.emit.name("t")
        self.emit.write(f"{done} = False")
        for branch in [node, *node.elif_]:
            with self.emit.block(f"if not {done}:"), self.available.region():
                self.emit.at(branch.lineno)
                with self.emit.block(f"if {self.condition(branch.test, frame)}:"), self.available.region():
                    self.emit.write(f"{done} = True")
                    self.body(branch.body, frame)
        if node.else_:
            with self.emit.block(f"if not {done}:"), self.available.region():
                self.body(node.else_, frame)

    def write_Assign(self, node: nodes.Assign, frame: Frame) -> None:
        if isinstance(node.target, nodes.Name):
            value = self.expression(node.node, frame)
            self._store(node.target, value, frame)
            return
        self._store(node.target, self.atom(node.node, frame), frame)

    def _store(self, target: nodes.Node, value: Value, frame: Frame) -> None:
        if isinstance(target, nodes.Name):
            variable = self.variable(frame.symbols.ref(target.name))
            self.emit.write(f"{variable} = {value.code}")
            if self.traced and frame.loops and value.kind == "any":
                self.emit.write(f"if type({variable}) is dict: run.owner = run.turns.get(id({variable}), run.owner)")
            self.assigned(variable)
            if value.kind != "any":
                self.available.add(variable, KIND, value.kind)
        elif isinstance(target, nodes.NSRef):
            owner = self.variable(frame.symbols.ref(target.name))
            name = self.emit.constant(target.attr)
            value = self.bind(value)
            general = f"assign(run, {owner}, {name}, {value.code})"
            if self.inline and not target.attr.startswith("_"):
                self.emit.write(f"if type({owner}) is Namespace: {owner}.attributes[{name}] = {value.code}")
                self.emit.write(f"else: {general}")
            else:
                self.emit.write(general)
        elif isinstance(target, nodes.Tuple):
            value = self.bind(value)
            names = [self.emit.name("t") for _ in target.items]
            self.emit.write(f"[{', '.join(names)}] = unpack(run, {value.code}, {len(names)})")
            for item, name in zip(target.items, names, strict=True):
                self._store(item, Value(name), frame)
        else:
            self.fail("this cannot be assigned to", target)

    def write_AssignBlock(self, node: nodes.AssignBlock, frame: Frame) -> None:
        buffer = self._buffered(node, node.body, frame)
        value = buffer[0]
        if node.filter is not None:
            value = self.visit_Filter(node.filter, buffer[1], value.code)
        self._store(node.target, value, frame)

    def write_FilterBlock(self, node: nodes.FilterBlock, frame: Frame) -> None:
        value, inner = self._buffered(node, node.body, frame)
        value = self.bind(self.visit_Filter(node.filter, inner, value.code))
        self._flush([self.call(f"require_text(run, {value.code})", "str").code], frame)

    def _buffered(self, node: nodes.Node, body: Sequence[nodes.Node], frame: Frame) -> tuple[Value, Frame]:
        """The text that `body` writes, and the scope it was written in."""
        inner = frame.inner(self.emit.name("o"))
        inner.symbols.analyze_node(node)
        self.emit.write(f"{inner.out} = []")
        self.enter(inner)
        self.body(body, inner)
        return self.join(inner.out), inner

    def write_With(self, node: nodes.With, frame: Frame) -> None:
        inner = frame.inner()
        inner.symbols.analyze_node(node)
        self.enter(inner)
        for target, expression in zip(node.targets, node.values, strict=True):
            self._store(target, self.atom(expression, frame), inner)
        self.body(node.body, inner)

    def write_ExprStmt(self, node: nodes.ExprStmt, frame: Frame) -> None:
        self.atom(node.node, frame)

    def write_Scope(self, node: nodes.Scope, frame: Frame) -> None:
        inner = frame.inner()
        inner.symbols.analyze_node(node)
        self.enter(inner)
        self.body(node.body, inner)
