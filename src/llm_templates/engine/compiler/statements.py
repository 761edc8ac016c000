"""Statements to Python: output, loops, branches, assignments, macros and blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from jinja2 import nodes
from jinja2.idtracking import (
    VAR_LOAD_ALIAS,
    VAR_LOAD_PARAMETER,
    VAR_LOAD_RESOLVE,
    VAR_LOAD_UNDEFINED,
    Symbols,
)

from ..budget import FEW_PIECES, FREE_OUTPUT, FREE_TEXT
from ..globals import GLOBALS
from ..mutations import MUTATIONS
from ..syntax import GENERATION
from ..values import Signature
from .expressions import KIND, Counter, Expressions, Value
from .scopes import Frame, cost, counts_only, undeclared

#: Python refuses more than 20 nested blocks in one function, so deeper loops become functions of their own.
NESTED_LOOPS = 8
#: The steps a call is charged besides those of its body.
CALL_COST = 6
#: The longest `elif` chain that is written as nested branches.
NESTED_BRANCHES = 6


#: Names of methods that change a value in place.
CHANGING = frozenset(name for methods in MUTATIONS.values() for name in methods)


def _method_calls(tree: nodes.Node) -> Iterator[nodes.Call]:
    return (call for call in tree.find_all(nodes.Call) if isinstance(call.node, nodes.Getattr))


class Statements(Expressions):
    """Compiles a whole template to the source of one Python module with a function `root`."""

    def template(self, tree: nodes.Template) -> None:
        for reference in tree.find_all(nodes.NSRef):
            self.mutable.add(reference.attr)
            self.namespaces.add(reference.name)
        self.changes = self.changes and any(call.node.attr in CHANGING for call in _method_calls(tree))
        #: Names the template takes from its context.
        self.reads: dict[str, int] = {}
        self._resolved: dict[str, str] = {}
        frame = Frame(Symbols(), self.emit.name("o"))
        frame.symbols.analyze_node(tree)
        given = [self._given(name) for name in self.options.parameters]
        with self.emit.block(f"def root({', '.join(['run', 'context', *given])}):"):
            self.emit.write(f"{frame.out} = []")
            start = self.emit.place()
            self.enter(frame)
            self.body(tree.body, frame)
            few = f"len({frame.out}) <= {FEW_PIECES} and run.bytes_left >= run.bytes_unnoticed"
            self.emit.write(f"return {self.emit.constant('')}.join({frame.out}) if {few} else finish(run, {frame.out})")
            with self.emit.inserted(start):
                for name, variable in self._resolved.items():
                    self._resolve(variable, name)

    def _given(self, name: str) -> str:
        variable = self._resolved[name] = self.emit.name("r")
        return variable

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
            elif action == VAR_LOAD_ALIAS:
                self.emit.write(f"{variable} = {self.variable(str(parameter))}")
            elif action == VAR_LOAD_UNDEFINED:
                name = target.split("_", 2)[2]
                self.emit.write(f"{variable} = {self.undefined(f'{name!r} is undefined')}")

    def resolved(self, name: str) -> str:
        """What the caller gave for `name`: a variable that is filled at the start of the render, or a global function."""
        if name in GLOBALS and name not in self.options.shadowed:
            return self.emit.constant(GLOBALS[name], "g")
        known = self._resolved.get(name)
        if known is None:
            known = self._resolved[name] = self.emit.name("r")
        self.reads.setdefault(name, 0)
        return known

    def _resolve(self, variable: str, name: str) -> None:
        if name in self.options.parameters:
            return
        fallback = self.undefined(f"{name!r} is undefined")
        self.emit.write(f"{variable} = context.get({self.emit.constant(name)}, {fallback})")

    # -- output --

    def write_Output(self, node: nodes.Output, frame: Frame) -> None:
        pieces: list[str] = []
        for child in node.nodes:
            self.emit.at(child.lineno)
            if isinstance(child, nodes.TemplateData):
                if child.data:
                    pieces.append(self.emit.constant(child.data))
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
            with self.emit.block("if " + " and ".join(f"type({code}) is str" for code in unsure) + ":"):
                self._flush([value.code for value in values], frame)
            with self.emit.block("else:"):
                self.settle_operands(unsure)
                self._flush([self.as_text(self.sum(node, values)).code], frame)

    def _flush(self, pieces: list[str], frame: Frame) -> None:
        """Append the pieces to the output, as they are: nothing is joined before all of it is known to be allowed."""
        group: list[str] = []
        for piece in pieces:
            if group and piece in self.emit.constants and group[-1] in self.emit.constants:
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
        if len(group) == 1:
            self.emit.write(f"{frame.out}.append({group[0]})")
        else:
            self.emit.write(f"{frame.out} += ({', '.join(group)})")

    # -- branches and assignments --

    def write_If(self, node: nodes.If, frame: Frame) -> None:
        frame = frame.branch()
        if len(node.elif_) > NESTED_BRANCHES:
            self._write_branches(node, frame)
            return
        with self.emit.block(f"if {self.condition(node.test, frame)}:"), self.available.region():
            self.body(node.body, frame)
        self._otherwise(node, list(node.elif_), frame)

    def _otherwise(self, node: nodes.If, branches: list[nodes.If], frame: Frame) -> None:
        """The rest of an `if`: a test that needs statements of its own goes into the `else` of the one before."""
        if not branches:
            if node.else_:
                with self.emit.block("else:"), self.available.region():
                    self.body(node.else_, frame)
            return
        branch, rest = branches[0], branches[1:]
        with self.available.region():
            with self.emit.aside() as written:
                self.emit.at(branch.lineno)
                test = self.condition(branch.test, frame)
            if not written[0]:
                with self.emit.block(f"elif {test}:"), self.available.region():
                    self.body(branch.body, frame)
                self._otherwise(node, rest, frame)
                return
            with self.emit.block("else:"):
                self.emit.insert(written)
                with self.emit.block(f"if {test}:"), self.available.region():
                    self.body(branch.body, frame)
                self._otherwise(node, rest, frame)

    def _write_branches(self, node: nodes.If, frame: Frame) -> None:
        """A long `elif` chain, one test after the other, so that the code does not nest as deep as the chain is long."""
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

    # -- loops --

    def write_For(self, node: nodes.For, frame: Frame) -> None:
        for name in node.find_all(nodes.Name):
            if name.ctx == "store" and name.name == "loop":
                self.fail("Can't assign to special loop variable in for-loop target", name)
        if node.recursive:
            self._write_recursive(node, frame)
        elif frame.loops and frame.loops % NESTED_LOOPS == 0:
            # A function of its own, for Python's sake. Nothing a loop assigns is visible outside of it.
            name, out = self.emit.name("d"), self.emit.name("o")
            with self.emit.block(f"def {name}():"), self.available.function():
                self.emit.write(f"{out} = {frame.out}")
                self._write_loop(node, frame.function(out), None)
            self.emit.write(f"{name}()")
        else:
            self._write_loop(node, frame, None)

    def _write_recursive(self, node: nodes.For, frame: Frame) -> None:
        value = self.atom(node.iter, frame)
        function, parameter, depth = self.emit.name("d"), self.emit.name("t"), self.emit.name("t")
        out = self.emit.name("o")
        with self.emit.block(f"def {function}({parameter}, depth=0):"), self.available.function():
            self.emit.write(f"{depth} = depth")
            self.emit.write(f"{out} = []")
            self._begin_call(CALL_COST)
            inner = Frame(frame.symbols, out, frame.soft)
            self._write_loop(node, inner, (function, parameter, depth))
            self._end_call(out)
        self.emit.write(f"{frame.out}.append({function}({value.code}))")

    def _write_loop(self, node: nodes.For, frame: Frame, recursion: tuple[str, str, str] | None) -> None:
        loop = frame.inner(loops=frame.loops + 1)
        test_frame = frame.inner(loops=frame.loops + 1)
        extended = node.recursive or "loop" in undeclared(node.body, ("loop",))
        counts = extended and recursion is None and counts_only(node.body)
        reference = loop.symbols.declare_parameter("loop") if extended else None
        loop.symbols.analyze_node(node, for_branch="body")
        if node.test is not None:
            test_frame.symbols.analyze_node(node, for_branch="test")

        turn = cost(node.body) + (cost([node.test]) if node.test is not None else 0)
        items = self.emit.name("s")
        by_pairs = self._iterates_pairs(node.iter) if self.inline and recursion is None else None
        if recursion is not None:
            self.emit.write(f"{items} = sequence(run, {recursion[1]}, {turn})")
        elif by_pairs:
            function, owner_node = by_pairs
            owner = self.atom(owner_node, frame)
            self.emit.write(f"{items} = {function}(run, {owner.code}, {turn})")
        else:
            value = self.atom(node.iter, frame)
            with self.emit.block(f"if type({value.code}) is list:"):
                self.emit.write(f"{items} = {value.code}")
                self.emit.write(f"run.steps_left -= len({items}) * {turn}")
                self.emit.write("if run.steps_left < 0: run.overdrawn()")
            self.emit.write(f"else: {items} = sequence(run, {value.code}, {turn})")
        if (by_pairs and extended) or self.changes:
            self.emit.write(f"{items} = list({items})")
        if node.test is not None and extended:
            items = self._filtered_items(node, items, test_frame, frame)

        ran_out = self.emit.name("t") if node.else_ else None
        if ran_out:
            self.emit.write(f"{ran_out} = True")
        target = self.variable(loop.symbols.ref(node.target.name)) if isinstance(node.target, nodes.Name) else None
        item = target or self.emit.name("t")
        unpacked = by_pairs is not None and self._pair_names(node.target, loop)
        if unpacked:
            item = f"({', '.join(unpacked)})"
        if counts:
            assert reference is not None
            counter = Counter(self.emit.name("i"), items, self.emit.name("n"))
            self.counters[reference] = counter
            self.emit.write(f"{counter.last} = len({items}) - 1")
            header = f"for {counter.index}, {item} in enumerate({items}):"
        elif extended:
            assert reference is not None
            self.counters.pop(reference, None)
            variable = self.variable(reference)
            # The variable of an outer loop may have the same name: nothing outside this loop reads it afterwards.
            given = f", {recursion[2]}, {recursion[0]}" if recursion else ""
            self.emit.write(f"{variable} = Loop({items}{given})")
            header = f"for {item} in {items}:"
        else:
            header = f"for {item} in {items}:"

        with self.emit.block(header), self.available.region():
            if not unpacked:
                self._lower_item(item)
            if extended and not counts:
                self.emit.write(f"{variable}.index0 += 1")
                self.emit.write(f"{variable}.before = {variable}.current")
                self.emit.write(f"{variable}.current = {item}")
            if unpacked:
                for name in unpacked:
                    self._lower_item(name)
            else:
                self._unpack_target(node.target, item, loop)
            if node.test is not None and not extended:
                self.enter(test_frame)
                test = self.condition(node.test, test_frame)
                self.emit.write(f"if not ({test}): continue")
            self.enter(loop)
            self.body(node.body, loop)
            if ran_out:
                self.emit.write(f"{ran_out} = False")
        if reference is not None:
            self.counters.pop(reference, None)
        if ran_out:
            otherwise = frame.inner()
            otherwise.symbols.analyze_node(node, for_branch="else")
            with self.emit.block(f"if {ran_out}:"), self.available.region():
                self.enter(otherwise)
                self.body(node.else_, otherwise)

    def _iterates_pairs(self, node: nodes.Node) -> tuple[str, nodes.Expr] | None:
        """For `mapping.items()` and `mapping|items`, the function that walks them, and the mapping."""
        plain = isinstance(node, nodes.Call | nodes.Filter) and not (
            node.args or node.kwargs or node.dyn_args or node.dyn_kwargs
        )
        if (
            plain
            and isinstance(node, nodes.Call)
            and isinstance(node.node, nodes.Getattr)
            and node.node.attr == "items"
        ):
            return "pairs", node.node.node
        if plain and isinstance(node, nodes.Filter) and node.name == "items" and node.node is not None:
            return "filter_pairs", node.node
        return None

    def _lower_item(self, item: str) -> None:
        self.assigned(item)
        self.lower_item(item)

    def _pair_names(self, target: nodes.Node, frame: Frame) -> list[str]:
        """The variables of a target such as `key, value`; none for any other target."""
        if not isinstance(target, nodes.Tuple) or len(target.items) != 2:
            return []
        names = [part.name for part in target.items if isinstance(part, nodes.Name)]
        return [self.variable(frame.symbols.ref(name)) for name in names] if len(names) == 2 else []

    def _unpack_target(self, target: nodes.Node, item: str, frame: Frame) -> None:
        if isinstance(target, nodes.Name):
            return
        names = self._pair_names(target, frame)
        if names and self.inline:
            with self.emit.block(f"if type({item}) is tuple and len({item}) == 2:"):
                self.emit.write(f"{names[0]}, {names[1]} = {item}")
                for name in names:
                    self._lower_item(name)
            self.emit.write(f"else: {names[0]}, {names[1]} = unpack(run, {item}, 2)")
            for name in names:
                self.assigned(name)
            return
        self._store(target, Value(item), frame)

    def _filtered_items(self, node: nodes.For, items: str, test_frame: Frame, frame: Frame) -> str:
        """The items for which the test of the loop holds, in a new list."""
        kept, item = self.emit.name("s"), self.emit.name("t")
        self.emit.write(f"{kept} = []")
        with self.emit.block(f"for {item} in {items}:"), self.available.region():
            self._lower_item(item)
            target = node.target
            if isinstance(target, nodes.Name):
                self._store(target, Value(item), test_frame)
            else:
                self._unpack_target(target, item, test_frame)
            self.enter(test_frame)
            test = self.condition(node.test, test_frame)  # type: ignore[arg-type]
            with self.emit.block(f"if {test}:"):
                self.emit.write("run.create(8)")
                self.emit.write(f"{kept}.append({item})")
        return kept

    def write_Break(self, node: nodes.Break, frame: Frame) -> None:
        self._jump("break", node, frame)

    def write_Continue(self, node: nodes.Continue, frame: Frame) -> None:
        self._jump("continue", node, frame)

    def _jump(self, word: str, node: nodes.Node, frame: Frame) -> None:
        if not frame.loops:
            self.fail(f"{word!r} outside of a loop, or inside a macro, call or generation block of its own", node)
        self.emit.write(word)

    # -- macros --

    def write_Macro(self, node: nodes.Macro, frame: Frame) -> None:
        macro = self._macro(node, node.name, frame)
        self._store(nodes.Name(node.name, "store", lineno=node.lineno), Value(macro), frame)

    def write_CallBlock(self, node: nodes.CallBlock, frame: Frame) -> None:
        if isinstance(node.call.node, nodes.Const) and node.call.node.value == GENERATION:
            self._write_generation(node, frame)
            return
        caller = self._macro(node, "caller", frame)
        self._flush([self.as_text(self.visit_Call(node.call, frame, caller)).code], frame)

    def _write_generation(self, node: nodes.CallBlock, frame: Frame) -> None:
        """Text the model wrote: a scope of its own, which `break` and `continue` cannot leave."""
        inner = frame.inner(loops=0)
        inner.symbols.analyze_node(node)
        # The reference makes it a call block, and gives it what a call block without arguments has.
        for name, given in (("caller", self.undefined("No caller defined")), ("kwargs", "{}"), ("varargs", "()")):
            if name in undeclared(node.body, (name,)):
                inner.symbols.declare_parameter(name)
                self.emit.write(f"{self.variable(inner.symbols.ref(name))} = {given}")
        self.enter(inner)
        self.body(node.body, inner)

    def _macro(self, node: nodes.Macro | nodes.CallBlock, name: str, frame: Frame) -> str:
        """Define the function of a macro and give the variable of its value."""
        inner = frame.inner(self.emit.name("o"), loops=0)
        inner.symbols.analyze_node(node)
        parameters = [parameter.name for parameter in node.args]
        if len(parameters) != len(set(parameters)):
            self.fail("a parameter is named twice", node)
        special = undeclared(node.body, ("caller", "kwargs", "varargs"))
        takes_caller = "caller" in special
        if takes_caller and "caller" in parameters:
            if parameters.index("caller") < len(parameters) - len(node.defaults):
                message = 'When defining macros or call blocks the special "caller" argument must be omitted or be given a default.'
                self.fail(message, node)
        references = [inner.symbols.ref(parameter) for parameter in parameters]
        if takes_caller and "caller" not in parameters:
            references.append(inner.symbols.declare_parameter("caller"))
        catches = {word: word in special and word not in parameters for word in ("kwargs", "varargs")}
        references += [inner.symbols.declare_parameter(word) for word, caught in catches.items() if caught]
        inner.symbols.analyze_node(node)

        function, macro = self.emit.name("d"), self.emit.name("t")
        variables = [self.variable(reference) for reference in references]
        with self.emit.block(f"def {function}({', '.join(variables)}):"), self.available.function():
            self._begin_call(CALL_COST + cost(node.body))
            self.emit.write(f"{inner.out} = []")
            self.enter(inner)
            for position, parameter in enumerate(node.args):
                self._default(node, position, parameter.name, inner)
            self.body(node.body, inner)
            self._end_call(inner.out)
        signature = Signature(name, tuple(parameters), takes_caller, catches["kwargs"], catches["varargs"])
        exact = len(parameters) if len(references) == len(parameters) else -1
        self.emit.write(f"{macro} = Macro({function}, {self.emit.constant(signature, 'm')}, {exact})")
        return macro

    def _begin_call(self, steps: int) -> None:
        """A function charges its own steps, and one level of depth until it returns; an error ends the render."""
        self.emit.write(f"run.steps_left -= {steps}")
        self.emit.write("run.calls_left -= 1")
        self.emit.write("if run.steps_left < 0 or run.calls_left < 0: run.overdrawn()")

    def _end_call(self, out: str) -> None:
        self.emit.write("run.calls_left += 1")
        self.emit.write(f"return {self.join(out).code}")

    def join(self, out: str) -> Value:
        """The text of a buffer."""
        name = self.emit.name("t")
        few = f"{self.emit.constant('')}.join({out}) if len({out}) <= {FEW_PIECES} else "
        self.emit.write(f"{name} = {few if self.inline else ''}join(run, {out})")
        if self.inline:
            # Long pieces were charged when they were appended, and there are few others: what is joined is bounded.
            self.charge(name)
        return Value(name, "str")

    def _default(self, node: nodes.Macro | nodes.CallBlock, position: int, name: str, frame: Frame) -> None:
        variable = self.variable(frame.symbols.ref(name))
        self.assigned(variable)
        with self.emit.block(f"if {variable} is MISSING:"), self.available.region():
            # A default may read the parameter itself, which is then undefined.
            self.emit.write(f"{variable} = {self.undefined(f'parameter {name!r} was not provided')}")
            offset = position - len(node.args)
            if len(node.defaults) >= -offset:
                self.emit.write(f"{variable} = {self.atom(node.defaults[offset], frame).code}")
        self.assigned(variable)

    # -- what there is no loader for, and no prompt needs --

    def _write_loader(self, node: nodes.Node, frame: Frame) -> None:
        word = {"FromImport": "from ... import"}.get(type(node).__name__, type(node).__name__.lower())
        message = f"{word!r} needs other templates, and a chat template is one text: there is no loader"
        self.emit.write(f"fail({self.emit.constant(message)}, SecurityError)")

    write_Include = write_Import = write_FromImport = _write_loader

    def write_Extends(self, node: nodes.Extends, frame: Frame) -> None:
        if frame.symbols.level:
            self.fail("cannot use extend from a non top-level scope", node)
        self._write_loader(node, frame)

    def write_Block(self, node: nodes.Block, frame: Frame) -> None:
        self.fail("'block' belongs to template inheritance, and there is no loader", node)

    def write_ScopedEvalContextModifier(self, node: nodes.ScopedEvalContextModifier, frame: Frame) -> None:
        self.fail("'autoescape' is refused: a prompt is not HTML", node)
