"""Filters, tests and calls: one call of a function from a table, or its fast path written out."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes
from jinja2.idtracking import VAR_LOAD_RESOLVE

from ..budget import FREE_SCAN, FREE_TEXT
from ..reading import METHODS
from ..selection import LISTED
from ..tests import TESTS
from ..values import Function
from .operators import Operators
from .scopes import Frame
from .writer import Value

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
#: Those that know a number of the input by its own type.
NUMBER_TESTS = ("integer", "float")


class Applications(Operators):
    """Adds filters, tests and calls to the compiler."""

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
                fast = f"len({code}) if type({code}) is list or {self.is_text(code)} else "
                return self.call(f"{fast}{self.emit.constant(function, 'f')}(run, {code})", "int")
            if node.name == "string" and value.kind == "str":
                return value
            if node.name == "trim" and not self.traced:
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
        if (
            self.inline
            and not arguments
            and node.name in INLINE_TESTS
            and not (self.traced and node.name in NUMBER_TESTS)
        ):
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
            if caller is None and known is self.globals["namespace"] and self._names_only(node):
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
        if not isinstance(node, nodes.Name) or node.name in self.options.shadowed:
            return None
        never_assigned = frame.symbols.find_load(frame.symbols.ref(node.name)) == (VAR_LOAD_RESOLVE, node.name)
        return self.globals.get(node.name) if never_assigned else None

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
            return self.call(f"{code}.{name}({arguments[0]}) if {self.is_text(code)} else {general}")
        if (
            name in ("strip", "lstrip", "rstrip")
            and plain
            and not self.traced
            and all(self._is_text(argument) for argument in arguments)
        ):
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
        if plain and name in METHODS[str] and not self.traced:
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
            f"if {value.code} is not {code} and type({code}) is str and len({code}) > {FREE_TEXT}: "
            f"run.strip({code}, {value.code})"
        )
        return value

    def _is_text(self, code: str) -> bool:
        """Whether `code` is a constant text, and short."""
        text = self.emit.constants.get(code)
        return isinstance(text, str) and len(text) <= FREE_SCAN
