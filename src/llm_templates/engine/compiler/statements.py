"""A whole template to the source of one Python module: its root, its macros, and what it cannot have."""

from __future__ import annotations

from jinja2 import nodes
from jinja2.idtracking import (
    Symbols,
)

from ..budget import FEW_PIECES, few_bytes
from ..reading import MUTATIONS
from ..syntax import GENERATION
from ..values import Signature
from .loops import CALL_COST, Loops
from .scopes import Frame, cost, undeclared
from .writer import Value


class Statements(Loops):
    """Compiles a whole template to the source of one Python module with a function `root`."""

    def template(self, tree: nodes.Template) -> None:
        for reference in tree.find_all(nodes.NSRef):
            self.mutable.add(reference.attr)
            self.namespaces.add(reference.name)
        changing = {name for methods in MUTATIONS.values() for name in methods}
        self.changes = self.changes and any(node.attr in changing for node in tree.find_all(nodes.Getattr))
        frame = Frame(Symbols(), self.emit.name("o"), is_root=True)
        frame.symbols.analyze_node(tree)
        given = [self._given(name) for name in self.options.parameters]
        with self.emit.block(f"def root({', '.join(['run', 'values', *given])}):"):
            self.emit.write(f"{frame.out} = []")
            start = self.emit.place()
            self.enter(frame)
            self.body(tree.body, frame)
            few = f"len({frame.out}) <= {FEW_PIECES} and run.bytes_left >= {few_bytes(self.limits)}"
            joined = "" if self.traced else f"{self.emit.constant('')}.join({frame.out}) if {few} else "
            self.emit.write(f"return {joined}finish(run, {frame.out})")
            with self.emit.inserted(start):
                taken = [self._resolved[name] for name in self.taken()]
                if taken:
                    self.emit.write(f"[{', '.join(taken)}] = values")

    def taken(self) -> list[str]:
        """The names whose values come in one tuple."""
        return [name for name in self._resolved if name not in self.options.parameters]

    def _given(self, name: str) -> str:
        variable = self._resolved[name] = self.emit.name("r")
        return variable

    # -- macros --

    def write_Macro(self, node: nodes.Macro, frame: Frame) -> None:
        macro = self._macro(node, node.name, frame)
        self._store(nodes.Name(node.name, "store", lineno=node.lineno), Value(macro), frame)

    def write_CallBlock(self, node: nodes.CallBlock, frame: Frame) -> None:
        if isinstance(node.call.node, nodes.Const) and node.call.node.value == GENERATION:
            self._write_generation(node, frame)
            return
        caller = self._macro(node, None, frame)
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
        if not self.traced:
            self.body(node.body, inner)
            return
        from ..provenance import BEGINS, ENDS, whole

        self._flush([self.emit.object(whole("", BEGINS))], inner)
        self.body(node.body, inner)
        self._flush([self.emit.object(whole("", ENDS))], inner)

    def _macro(self, node: nodes.Macro | nodes.CallBlock, name: str | None, frame: Frame) -> str:
        """Define the function of a macro and give the variable of its value."""
        inner = frame.inner(self.emit.name("o"), loops=0)
        inner.symbols.analyze_node(node)
        parameters = [parameter.name for parameter in node.args]
        if len(parameters) != len(set(parameters)):
            self.fail("a parameter is named twice", node)
        special = undeclared(node.body, ("caller", "kwargs", "varargs"))
        takes_caller = "caller" in special
        if takes_caller and "caller" in parameters[: len(parameters) - len(node.defaults)]:
            what = 'When defining macros or call blocks the special "caller" argument'
            self.fail(f"{what} must be omitted or be given a default.", node)
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
            self._defaults(node, inner)
            self.body(node.body, inner)
            self._end_call(inner.out)
        signature = Signature(name, tuple(parameters), takes_caller, catches["kwargs"], catches["varargs"])
        exact = len(parameters) if len(references) == len(parameters) else -1
        self.emit.write(f"{macro} = Macro({function}, {self.emit.constant(signature, 'm')}, {exact})")
        return macro

    def _defaults(self, node: nodes.Macro | nodes.CallBlock, frame: Frame) -> None:
        """Give every parameter that was not passed its default, which may read those before it."""
        variables = [self.variable(frame.symbols.ref(parameter.name)) for parameter in node.args]
        absent: dict[str, str] = {}
        for parameter, variable in zip(node.args, variables, strict=True):
            self.assigned(variable)
            undefined = self.undefined(f"parameter {parameter.name!r} was not provided")
            if variable in variables[len(variables) - len(node.defaults) :]:
                absent[variable] = self.emit.name("t")
                self.emit.write(f"{absent[variable]} = {variable} is MISSING")
            self.emit.write(f"if {variable} is MISSING: {variable} = {undefined}")
        for variable, default in zip(absent, node.defaults, strict=True):
            with self.emit.block(f"if {absent[variable]}:"), self.available.region():
                self.emit.write(f"{variable} = {self.atom(default, frame).code}")
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
