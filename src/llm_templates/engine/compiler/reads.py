"""Reads of attributes, keys and items: fast where the type is what it nearly always is, general where not."""

from __future__ import annotations

from jinja2 import nodes

from ..budget import FREE_SCAN
from ..reading import DICT_METHODS
from .scopes import Frame
from .writer import CLOSED_LIST, Counter, Value, Writer


class Reads(Writer):
    """Adds reading to the compiler."""

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
            kind = CLOSED_LIST if owner.kind == CLOSED_LIST else "any"
            return self.call(f"part(run, {owner.code}, {', '.join(bounds)})", kind)
        if isinstance(node.arg, nodes.Const) and type(node.arg.value) is str:
            key = node.arg.value
            return self._read(owner, key, probable, key in DICT_METHODS, "item", node.node, postpone)
        key_value = self.atom(node.arg, frame)
        # In a loop or a macro, reading a message may be a look at another turn.
        operation = "peek" if self.traced and not frame.is_root else "item"
        general = f"{operation}(run, {owner.code}, {key_value.code})"
        if not self.inline or self.traced or owner.is_constant:
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

    def settle_operands(self, variables: list[str]) -> None:
        """Lower those of the variables whose lowering was postponed."""
        for variable in variables:
            if variable in self._postponed:
                self.lower_entry(variable, *self._postponed.pop(variable))

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
        if not self.inline or is_method or key.startswith("__") or owner.is_constant or len(key) > FREE_SCAN:
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
