"""Expressions out of `grammar.txt`: of a wanted type, mostly well-typed, over the names in sight."""

from __future__ import annotations

import functools
import pathlib
import random
import re

from .contexts import TYPES

#: Types an expression can be asked for, and be mixed up with.
TYPED = (
    *("str", "markup", "int", "float", "bool", "list", "dict", "any"),
    *("nums", "words", "rows", "messages", "grid", "pairs"),
)
_HOLE = re.compile(r"<(\w+)>([.\[]?)")
_SIMPLE = re.compile(r"[A-Za-z_][\w.]*|'[^']*'|\(.*\)", re.DOTALL)


@functools.cache
def grammar() -> dict[str, tuple[str, ...]]:
    """The patterns of `grammar.txt`, by section."""
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in (pathlib.Path(__file__).parent / "grammar.txt").read_text(encoding="utf-8").split("\n"):
        if re.fullmatch(r"\[[a-z]+\]", line):
            lines = sections.setdefault(line[1:-1], [])
        elif line and not line.startswith("#"):
            lines.append(line)
    return {name: tuple(lines) for name, lines in sections.items()}


class Expressions:
    """Writes expressions; `names` holds what is in sight with its type, `loops` how many loops are around."""

    def __init__(self, choose: random.Random) -> None:
        self.choose = choose
        self.names: list[tuple[str, str]] = list(TYPES.items())
        self.loops = 0
        # A careless template mixes up types and leaves off parentheses; most are careful, so that most render.
        self.careless = choose.choice((0.0, 0.0, 0.01, 0.06))
        self._left = 0

    def some(self, *kinds: str) -> str:
        """An expression of one of the types, of a depth that varies."""
        self._left = 40
        return self.expression(self.choose.choice(kinds), self.choose.choice((0, 1, 1, 2, 2, 3)))

    def expression(self, kind: str, depth: int) -> str:
        """An expression of type `kind`, of at most `depth` levels."""
        choose, patterns = self.choose, grammar()[kind]
        self._left -= 1
        if kind not in TYPED and kind != "num":
            return self.filled(choose.choice(patterns), depth)
        if choose.random() < self.careless:
            kind = choose.choice(TYPED)
            patterns = grammar()[kind]
        if depth <= 0 or self._left < 0 or choose.random() < 0.18:
            return self.leaf(kind)
        pattern = choose.choice(patterns)
        if self._astray(pattern) and choose.random() < 0.95:
            return self.leaf(kind)
        if not pattern.startswith("!"):
            return self.filled(pattern, depth)
        inner = self.filled(pattern[1:], depth)
        return inner if choose.random() < self.careless + 0.04 else f"({inner})"

    def _astray(self, pattern: str) -> bool:
        """Whether a pattern needs a loop, a message or a namespace that is not there."""
        if "loop" in pattern:
            return not self.loops
        first = re.split(r"\W", pattern.removeprefix("!"), maxsplit=1)[0]
        return first in ("message", "ns", "varargs", "kwargs", "self") and all(name != first for name, _ in self.names)

    def leaf(self, kind: str) -> str:
        """A name or a literal."""
        choose, rules = self.choose, grammar()
        wanted = {"num": ("int", "float"), "markup": ("str",), "any": TYPED}.get(kind, (kind,))
        fitting = [name for name, held in self.names if held in wanted]
        if kind == "markup":
            return f"({choose.choice((*fitting[-4:], *rules['lit']))}|{choose.choice(('safe', 'safe', 'e'))})"
        if fitting and choose.random() < 0.6:
            return choose.choice(fitting[-8:] if choose.random() < 0.5 else fitting)
        literals = {
            "str": rules["lit"],
            "int": rules["integer"],
            "float": rules["decimal"],
            "num": rules["integer"] + rules["decimal"],
            "bool": ("true", "false"),
            "dict": ("{}", "{'a': 1}", "data"),
            "any": (*rules["lit"], "none", "1", "missing", "[]"),
        }
        return choose.choice(
            literals.get(kind) or ("[]", "['a', 'b']", "words", "(1, 2)", kind if kind in TYPES else "nums")
        )

    def filled(self, pattern: str, depth: int) -> str:
        """`pattern` with an expression in each hole, in parentheses where a dot or bracket follows."""
        rules = grammar()

        def fill(hole: re.Match[str]) -> str:
            if hole[1] not in rules:
                return hole[0]
            text = self.expression(hole[1], depth - 1)
            if hole[2] and not (_SIMPLE.fullmatch(text) or self.choose.random() < self.careless):
                text = f"({text})"
            return text + hole[2]

        return _HOLE.sub(fill, pattern)
