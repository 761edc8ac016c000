"""Two more kinds of template, each dense in one thing: which assignment a name sees, which whitespace is dropped."""

from __future__ import annotations

import random

_NAMES = ("a", "b", "x", "n", "s", "words")
_SIGNS = ("", "", "", "-", "+")
_BLANKS = (
    "",
    " ",
    "\n",
    "\n\n",
    "  ",
    " \n",
    "\n ",
    "\t",
    "x",
    "\r\n",
    "\r",
    "  x  ",
    "\n  x\n",
    "\x0b",
    "\u00a0",
    "{ ",
    " }",
    "#",
    "\u2028",
)


class Scopes:
    """Assigns to few names in every kind of block, and prints them all the time."""

    def __init__(self, choose: random.Random) -> None:
        self.choose = choose
        self.count = 0
        self.flat = (self.assign, self.assign, self.unpack, self.namespace)
        self.deep = (
            *(*self.flat, self.condition, self.condition, self.loop, self.loop, self.loop),
            *(self.macro, self.caller, self.scope, self.block, self.wrap),
        )

    def template(self) -> str:
        return "{% set ns = namespace(v=0) %}" + self.body(self.choose.choice((1, 2, 3)))

    def body(self, depth: int) -> str:
        """Statements, with names shown before, between and after them."""
        parts = [self.show()]
        for _ in range(self.choose.choice((1, 2, 2, 3, 4))):
            parts += [self.choose.choice(self.deep if depth > 0 else self.flat)(depth - 1), self.show()]
        return "".join(parts)

    def name(self) -> str:
        return self.choose.choice(_NAMES)

    def show(self) -> str:
        shown = self.choose.sample(_NAMES[:5], self.choose.choice((0, 1, 2, 3)))
        return "".join(f"{{{{ {name} }}}}" for name in shown) + self.choose.choice(("", "|", "\n"))

    def value(self) -> str:
        """A new value, or one that tells which assignment of a name is seen here."""
        self.count += 1
        new, name = str(self.count), self.name()
        return self.choose.choice((new, new, f"'v{new}'", name, f"{name} ~ {new}", f"{name}|default('d')", "ns.v"))

    def assign(self, depth: int) -> str:
        return f"{{% set {self.name()} = {self.value()} %}}"

    def unpack(self, depth: int) -> str:
        return f"{{% set {self.name()}, {self.name()} = {self.value()}, {self.value()} %}}"

    def namespace(self, depth: int) -> str:
        start = f"{{% set ns = namespace(v={self.value()}) %}}" if self.choose.random() < 0.3 else ""
        return f"{start}{{% set ns.v = {self.value()} %}}{{{{ ns.v }}}}"

    def condition(self, depth: int) -> str:
        name = self.name()
        tests = (name, f"not {name}", f"{name} is defined", "true", "false", "loop is defined", f"{name} == 1")
        parts = [f"{{% if {self.choose.choice(tests)} %}}", self.body(depth)]
        if self.choose.random() < 0.3:
            parts += [f"{{% elif {self.name()} %}}", self.body(depth)]
        if self.choose.random() < 0.5:
            parts += ["{% else %}", self.body(depth)]
        return "".join([*parts, "{% endif %}"])

    def loop(self, depth: int) -> str:
        choose = self.choose
        target, where = choose.choice(
            (
                *((self.name(), "words"), (self.name(), "[1, 2]"), ("i", "[]"), ("i", "[s, n]"), (self.name(), "'ab'")),
                *((f"{self.name()}, {self.name()}", "grid"), (f"i, {self.name()}", "[[1, 2]]"), ("i", "ns.v|string")),
            )
        )
        test = f" if {choose.choice((self.name(), 'i', 'true', 'not loop'))}" if choose.random() < 0.2 else ""
        jumps = (
            "{% if x %}{% break %}{% endif %}",
            "{% if loop.first %}{% continue %}{% endif %}",
            "{{ loop.index }}",
            "",
        )
        inside = self.body(depth)
        at = choose.choice((choose.choice(jumps) + inside, inside + choose.choice(jumps)))
        other = f"{{% else %}}{self.body(depth)}" if choose.random() < 0.3 else ""
        return f"{{% for {target} in {where}{test} %}}{at}{other}{{% endfor %}}"

    def macro(self, depth: int) -> str:
        given = self.choose.choice(("", "a", "a, b=x", "x=a", "n, s=n"))
        use = self.choose.choice(("{{ m() }}", "{{ m(1) }}", "{{ m(a) }}{{ m(b) }}", "", "{% set x = m(1) %}"))
        return f"{{% macro m({given}) %}}{self.body(depth)}{{% endmacro %}}{use}"

    def caller(self, depth: int) -> str:
        given = self.choose.choice(("", "", "(a)", "(x, b=1)"))
        use = self.choose.choice(
            ("{{ caller() }}", "{{ caller(1) }}", "{% for x in [1, 2] %}{{ caller(x) }}{% endfor %}")
        )
        macro = f"{{% macro c(b) %}}{self.show()}{use}{self.show()}{{% endmacro %}}"
        return f"{macro}{{% call{given} c(1) %}}{self.body(depth)}{{% endcall %}}"

    def scope(self, depth: int) -> str:
        given = (f"{self.name()} = {self.value()}", f"a = {self.value()}, b = a", f"x = {self.value()}", "")
        return f"{{% with {self.choose.choice(given)} %}}{self.body(depth)}{{% endwith %}}"

    def block(self, depth: int) -> str:
        chain = self.choose.choice(("", "", "|upper", "|trim"))
        return f"{{% set {self.name()}{chain} %}}{self.body(depth)}{{% endset %}}"

    def wrap(self, depth: int) -> str:
        wrap = self.choose.choice(("filter upper", "generation", "filter replace('v', 'w')"))
        return f"{{% {wrap} %}}{self.body(depth)}{{% end{wrap.split(' ')[0]} %}}"


def whitespace(choose: random.Random) -> str:
    """Tags, comments, raw blocks and output with every kind of blank between them."""

    def blank() -> str:
        return "".join(choose.choice(_BLANKS) for _ in range(choose.choice((0, 1, 1, 2, 3))))

    def sign() -> str:
        return choose.choice(_SIGNS)

    def minus() -> str:
        return choose.choice(("", "", "-"))

    def piece(depth: int) -> str:
        kind = choose.randrange(7 if depth else 4)
        if kind == 0:
            value = choose.choice((" 1 ", "1", " s ", " \n 2"))
            return f"{{{{{minus()}{value}{minus()}}}}}"
        if kind == 1:
            note = choose.choice((" c ", "", " a\n b ", "{{ x }}"))
            return f"{{#{sign()}{note}{minus()}#}}"
        if kind == 2:
            return f"{{%{sign()} set x = 1 {sign()}%}}"
        if kind == 3:
            return f"{{%{sign()} raw {minus()}%}}{blank()}{{{{ x }}}}{blank()}{{%{sign()} endraw {sign()}%}}"
        start = choose.choice(("if true", "for i in [1, 2]", "set y", "filter upper", "generation"))
        gap = blank() if choose.random() < 0.1 else " "
        end = f"{{%{sign()}{gap}end{start.split(' ')[0]} {sign()}%}}"
        return f"{{%{sign()} {start} {sign()}%}}{pieces(depth - 1)}{end}"

    def pieces(depth: int) -> str:
        return blank() + "".join(piece(depth) + blank() for _ in range(choose.choice((1, 2, 3))))

    return pieces(2)
