"""Loops: counted where that is enough, and recursive ones as functions."""

from __future__ import annotations

from jinja2 import nodes

from .blocks import Blocks
from .scopes import Frame, cost, counts_only, undeclared
from .writer import CLOSED_LIST, Counter, Value

#: Python refuses more than 20 nested blocks in one function, so deeper loops become functions of their own.
NESTED_LOOPS = 8
#: The steps a call is charged besides those of its body.
CALL_COST = 6


class Loops(Blocks):
    """Adds `for`, `break` and `continue` to the compiler."""

    def write_For(self, node: nodes.For, frame: Frame) -> None:
        for target in node.find_all(nodes.Name):
            if target.ctx == "store" and target.name == "loop":
                self.fail("Can't assign to special loop variable in for-loop target", target)
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
        self._flush([self.call(f"{function}({value.code})", "str").code], frame)

    def _write_loop(self, node: nodes.For, frame: Frame, recursion: tuple[str, str, str] | None) -> None:
        loop = frame.inner(loops=frame.loops + 1)
        test_frame = frame.inner(loops=frame.loops + 1)
        extended = node.recursive or "loop" in undeclared(node.body, ("loop",))
        counts = extended and recursion is None and counts_only(node.body)
        reference = loop.symbols.declare_parameter("loop") if extended else None
        loop.symbols.analyze_node(node, for_branch="body")
        if node.test is not None:
            test_frame.symbols.analyze_node(node, for_branch="test")

        closed = False
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
            closed = value.kind == CLOSED_LIST
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

        before = self._begin_turns() if self.traced and not unpacked else None
        with self.emit.block(header), self.available.region():
            if not unpacked and closed:
                self.assigned(item)
            elif not unpacked:
                self._lower_item(item)
            if before:
                self._begin_turn(item, *before)
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
        if before:
            self._end_turns(frame, *before)
        if reference is not None:
            self.counters.pop(reference, None)
        if ran_out:
            otherwise = frame.inner()
            otherwise.symbols.analyze_node(node, for_branch="else")
            with self.emit.block(f"if {ran_out}:"), self.available.region():
                self.enter(otherwise)
                self.body(node.else_, otherwise)

    def _begin_turns(self) -> tuple[str, str]:
        """Before a loop that may be over messages: whose turn it was, and that no item was a message yet."""
        owner, turn = self.emit.name("t"), self.emit.name("t")
        self.emit.write(f"{owner} = run.owner")
        self.emit.write(f"{turn} = None")
        return owner, turn

    def _begin_turn(self, item: str, owner: str, turn: str) -> None:
        self.emit.write(f"{turn} = run.turns.get(id({item}))")
        self.emit.write(f"run.owner = {owner} if {turn} is None else {turn}")

    def _end_turns(self, frame: Frame, owner: str, turn: str) -> None:
        """After the loop it is the turn it was before; after the last message of all it is nobody's."""
        kept = owner if not frame.is_root else f"{owner} if {turn} is None else None"
        self.emit.write(f"run.owner = {kept}")

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

    def _begin_call(self, steps: int) -> None:
        """A function charges its own steps, and one level of depth until it returns; an error ends the render."""
        self.emit.write(f"run.steps_left -= {steps}")
        self.emit.write("run.calls_left -= 1")
        self.emit.write("if run.steps_left < 0 or run.calls_left < 0: run.overdrawn()")

    def _end_call(self, out: str) -> None:
        self.emit.write("run.calls_left += 1")
        self.emit.write(f"return {self.join(out).code}")
