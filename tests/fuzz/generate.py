"""Templates out of a grammar: mostly well-typed, so that most of them render, and of every producer of the language.

`template(seed, index)` is all that is needed; the same arguments give the same text everywhere.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from .expressions import TYPED, Expressions, grammar
from .mutate import mutate, seeds
from .shapes import Scopes, whitespace

_TEXTS = (
    "",
    "",
    " ",
    "\n",
    "\n\n",
    "  ",
    "x",
    "a b",
    " text ",
    "line\n  ",
    "<|im_start|>",
    "é\n",
    " } ",
    " { ",
    "# ",
    "% }",
    "\r\n",
    "\t",
)


def template(seed: int, index: int) -> str:
    """The template number `index` of the run `seed`: generated, mutated, spliced or expensive."""
    choose = random.Random(f"{seed}/{index}")
    kind = choose.random()
    if kind < 0.4:
        return Generator(choose).template()
    if kind < 0.58:
        generator = Generator(choose)
        return "|".join(generator.output(0) for _ in range(choose.choice((1, 1, 2, 3))))
    if kind < 0.74:
        return Scopes(choose).template()
    if kind < 0.79:
        return whitespace(choose)
    if kind < 0.88:
        return mutate(choose, Generator(choose).template(), Generator(choose).template())
    if kind < 0.985:
        return mutate(
            choose, choose.choice(seeds()), choose.choice((Generator(choose).template(), choose.choice(seeds())))
        )
    return Generator(choose).template() + choose.choice(grammar()["expensive"])


class Generator(Expressions):
    """Writes one template; remembers which names hold what, and which macros there are, where it is writing."""

    def __init__(self, choose: random.Random) -> None:
        super().__init__(choose)
        self.macros: list[tuple[str, int]] = []
        self.statements: list[Callable[[int], str]] = [
            *(self.output,) * 6, *(self.loop,) * 3, *(self.condition,) * 3, *(self.assignment,) * 2,
            self.block_assignment, self.unpacking, self.namespace, self.macro, self.macro, self.call, self.caller,
            self.filtered, self.scope, self.raw, self.comment, self.generation, self.recursion, self.jump,
            *(self.rare,) * 2,
        ]  # fmt: skip

    def template(self) -> str:
        """A whole template."""
        return self.body(self.choose.choice((1, 2, 2, 3)), self.choose.choice((1, 2, 3, 4, 6)))

    def body(self, depth: int, count: int) -> str:
        """Statements with text between them. What they define is forgotten afterwards."""
        known, macros = len(self.names), len(self.macros)
        parts = [self.text()]
        for _ in range(count):
            parts += [self.choose.choice(self.statements)(depth), self.text()]
        del self.names[known:], self.macros[macros:]
        return "".join(parts)

    def text(self) -> str:
        return self.choose.choice(_TEXTS)

    def tag(self, inside: str) -> str:
        """A block tag with or without whitespace control."""
        signs = ("",) * 5 + ("-", "-", "+")
        gap = self.choose.choice((" ", " ", " ", "", "  ", "\n"))
        return f"{{%{self.choose.choice(signs)} {inside}{gap}{self.choose.choice(signs)}%}}"

    def name(self, kind: str) -> str:
        """A name that holds something of type `kind` from here on."""
        name = self.choose.choice(grammar()["name"])
        self.names.append((name, kind))
        return name

    def output(self, depth: int) -> str:
        signs = ("",) * 6 + ("-",)
        start, end = self.choose.choice(signs), self.choose.choice(signs)
        value = self.some("str", "str", "str", "markup", "int", "float", "bool", "list", "dict", "any")
        return f"{{{{{start} {value} {end}}}}}"

    def loop(self, depth: int) -> str:
        kind = self.choose.choice(("words", "nums", "rows", "messages", "list", "grid", "dict", "str"))
        iterable, known = self.some(kind), len(self.names)
        if kind in ("messages", "rows"):
            target = "message" if kind == "messages" else "row"
            self.names.append((target, "dict"))
        elif kind == "grid":
            target = f"{self.name('any')}, {self.name('any')}"
        else:
            target = self.name({"words": "str", "nums": "int", "str": "str", "dict": "str"}.get(kind, "any"))
        condition = f" if {self.some('bool')}" if self.choose.random() < 0.25 else ""
        self.loops += 1
        inside = self.body(depth - 1, self.count(depth))
        self.loops -= 1
        del self.names[known:]
        otherwise = self.tag("else") + self.body(depth - 1, 1) if self.choose.random() < 0.2 else ""
        return self.tag(f"for {target} in {iterable}{condition}") + inside + otherwise + self.tag("endfor")

    def recursion(self, depth: int) -> str:
        pick = self.choose.choice
        start, down = pick((("grid", "x"), ("mixed", "x"), ("[1, [2, [3, [4]]]]", "x"), ("data", "data[x]")))
        guard = pick((f"{down} is iterable and {down} is not string and loop.depth < 5", f"{down} is mapping"))
        note = pick(("", "{{ loop.depth }}", "{{ loop.index }}/{{ loop.length }}", "{{ loop.first }}", "{{ x }}"))
        call = pick(
            (
                f"{{{{ loop({down}) }}}}",
                f"{{{{ loop({down})|upper }}}}",
                f"{{% set r = loop({down}) %}}{{{{ r|trim }}}}",
            )
        )
        inside = f"{note}{{% if {guard} %}}[{call}]{{% else %}}{{{{ x }}}}{{% endif %}}"
        return self.tag(f"for x in {start} recursive") + inside + self.tag("endfor")

    def condition(self, depth: int) -> str:
        parts = [self.tag(f"if {self.some('bool', 'bool', 'any')}"), self.body(depth - 1, self.count(depth))]
        while self.choose.random() < 0.25:
            parts += [self.tag(f"elif {self.some('bool')}"), self.body(depth - 1, 1)]
        if self.choose.random() < 0.4:
            parts += [self.tag("else"), self.body(depth - 1, 1)]
        return "".join([*parts, self.tag("endif")])

    def assignment(self, depth: int) -> str:
        kind = self.choose.choice(TYPED)
        value = self.some(kind)
        return self.tag(f"set {self.name(kind)} = {value}")

    def unpacking(self, depth: int) -> str:
        first, second = self.some("any"), self.some("any")
        value = self.choose.choice(
            (f"{first}, {second}", f"({first}, {second})", f"[{first}, {second}]", self.some("list"))
        )
        return self.tag(f"set {self.name('any')}, {self.name('any')} = {value}")

    def block_assignment(self, depth: int) -> str:
        chain = self.choose.choice(
            ("", "", " | upper", "|trim", " | replace('a', 'b') | title", "|safe", "|e", "|length", "|list")
        )
        inside = self.body(depth - 1, self.count(depth))
        target = (
            self.name("any" if "l" in chain else "str")
            if ("ns", "any") not in self.names or self.choose.random() < 0.6
            else "ns.a"
        )
        return self.tag(f"set {target}{chain}") + inside + self.tag("endset")

    def namespace(self, depth: int) -> str:
        kind = self.choose.choice(("str", "int", "list", "bool", "any"))
        parts = [self.tag(f"set ns = namespace({self.choose.choice(('a=', 'x=0, a=', '{}, a='))}{self.some(kind)})")]
        self.names += [("ns.a", kind), ("ns", "any")]
        changes = ("ns.a ~ item", "item", "ns.a + item", "[ns.a]", "loop.index")
        if self.choose.random() < 0.7:
            parts.append(self.tag(f"for item in {self.some('words', 'nums', 'list')}"))
            parts.append(
                self.tag(f"set {self.choose.choice(('ns.a', 'ns.a', 'ns.x'))} = {self.choose.choice(changes)}")
            )
            parts.append(self.tag("endfor"))
        return "".join([*parts, "{{ ns.a }}" if self.choose.random() < 0.7 else ""])

    def macro(self, depth: int, extra: str = "", name: str = "") -> str:
        count, known = self.choose.choice((0, 1, 1, 2, 3)), len(self.names)
        names = self.choose.sample(("a", "b", "c", "x"), count)
        split = self.choose.randint(0, count)
        signature = [*names[:split], *(f"{name}={self.some('any')}" for name in names[split:])]
        self.names += [(name, "any") for name in names]
        inside = self.body(depth - 1, self.count(depth))
        del self.names[known:]
        extra = extra or self.choose.choice(
            ("", "", "", "", "{{ varargs }}", "{{ kwargs }}", "{{ caller() if caller }}")
        )
        name = name or self.choose.choice(("m", "render", "m2"))
        self.macros.append((name, split))
        return self.tag(f"macro {name}({', '.join(signature)})") + inside + extra + self.tag("endmacro")

    def arguments(self, name: str, count: int) -> str:
        """A call of a macro, mostly with as many arguments as it takes."""
        given = [self.some("any") for _ in range(max(0, count + self.choose.choice((0, 0, 0, 0, 0, 1, -1))))]
        keywords = self.choose.sample(("a", "b", "c", "z"), self.choose.random() < 0.08)
        given += [f"{key}={self.some('any')}" for key in keywords]
        given += ["*words"] * (self.choose.random() < 0.02) + ["**counts"] * (self.choose.random() < 0.02)
        return f"{name}({', '.join(given)})"

    def call(self, depth: int) -> str:
        before = "" if self.macros else self.macro(depth)
        ends = ("", "", "", "|upper", "|length", " ~ '<'", " + '&'", "|safe", "|trim", "[0]", "|tojson")
        call = self.arguments(*self.choose.choice(self.macros))
        return f"{before}{{{{ {call}{self.choose.choice(ends)} }}}}"

    def caller(self, depth: int) -> str:
        given, use = self.choose.choice(
            (
                ("", "{{ caller() }}"),
                ("()", "[{{ caller()|upper }}]"),
                ("(x)", "{{ caller(a) }}{{ caller(2) }}"),
                ("(x, y=2)", "{% for i in words %}{{ caller(i) }}{% endfor %}"),
                ("(x)", "{{ caller() }}"),
            )
        )
        before = self.macro(depth, use, "box")
        call = self.arguments(*self.macros.pop())
        return before + self.tag(f"call{given} {call}") + self.body(depth - 1, 1) + self.tag("endcall")

    def filtered(self, depth: int) -> str:
        chain = self.choose.choice(
            (
                *("upper", "trim", "trim|upper", "replace('a', <lit>)", "indent(2)", "e", "safe", "tojson", "title"),
                *("truncate(5)", "center(9)", "length", "default('x')", "striptags", "wordwrap(4)"),
            )
        )
        return (
            self.tag(f"filter {self.filled(chain, 1)}")
            + self.body(depth - 1, self.count(depth))
            + self.tag("endfilter")
        )

    def scope(self, depth: int) -> str:
        known, count = len(self.names), self.choose.choice((0, 1, 1, 2))
        values = [self.some("any") for _ in range(count)]
        given = ", ".join(f"{self.name('any')} = {value}" for value in values)
        inside = self.body(depth - 1, self.count(depth))
        del self.names[known:]
        return self.tag(f"with {given}") + inside + self.tag("endwith")

    def raw(self, depth: int) -> str:
        inside = self.choose.choice(("{{ x }}", " {% if %} ", "\n{# no #}\n", "", "  text\n"))
        return (self.tag("raw") + inside + self.tag("endraw")).replace("raw +%}", "raw %}").replace("raw+%}", "raw%}")

    def comment(self, depth: int) -> str:
        return self.choose.choice(
            ("{# c #}", "{#- c -#}", "{# {{ x }} #}", "  {# a\nb #}\n", "{#+ c +#}", "\n  {#- x #}\n", "{##}")
        )

    def generation(self, depth: int) -> str:
        return self.tag("generation") + self.body(depth - 1, self.count(depth)) + self.tag("endgeneration")

    def jump(self, depth: int) -> str:
        jump = self.choose.choice(("break", "continue"))
        if not self.loops and self.choose.random() < 0.9:
            return self.comment(depth)
        if self.choose.random() < 0.2:
            return self.tag(jump)
        return self.tag(f"if {self.some('bool')}") + self.tag(jump) + self.tag("endif")

    def rare(self, depth: int) -> str:
        section = "wrong" if self.choose.random() < 0.04 + self.careless else "rare"
        return self.filled(self.choose.choice(grammar()[section]), 2)

    def count(self, depth: int) -> int:
        return self.choose.choice((1, 1, 2)) if depth > 0 else self.choose.choice((0, 1))
