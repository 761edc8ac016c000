"""Templates that went wrong: tokens deleted, doubled, swapped, replaced; two templates spliced; stray characters."""

from __future__ import annotations

import functools
import pathlib
import random
import re

_TOKEN = re.compile(
    r"\{%[-+]?|[-+]?%\}|\{\{[-+]?|-?\}\}|\{#|#\}|\w+|'(?:[^'\\]|\\.)*'|\s+|.",
    re.DOTALL,
)
_CHARACTERS = "{}%#-+ \n'\"()[]|.,:~=*/<>!é\x00\\_0\u2028😀"
_WORDS = (
    *(
        "if",
        "else",
        "elif",
        "endif",
        "for",
        "in",
        "endfor",
        "set",
        "endset",
        "macro",
        "endmacro",
        "not",
        "is",
        "and",
        "or",
    ),
    *("loop", "-%}", "{%-", "{{", "}}", "{#", "#}", "none", "messages", "|upper", "()", "[0]", ".x", "''", "recursive"),
    *("raw", "endraw", "self", "caller"),
)


@functools.cache
def seeds() -> tuple[str, ...]:
    """Templates in the style of real chat templates, and a few with line ends that a file would not keep."""
    text = (pathlib.Path(__file__).parent / "seeds.jinja").read_text(encoding="utf-8")
    return (
        *text.removesuffix("\n").split("\n=====\n"),
        "{% set s = 'a\\\nb\\u00e9' %}{{ s }}\r\n{% set t %}\r\n  {{ s }}\r\n{% endset %}\r\n{{ t|length }}\r",
        "",
        "plain text, no code\n",
    )


def tokens(text: str) -> list[str]:
    """`text` cut roughly where Jinja cuts it; the pieces join to it."""
    return _TOKEN.findall(text)


def mutate(choose: random.Random, first: str, second: str) -> str:
    """`first` after a few accidents, some of which bring in parts of `second`; once in a while unharmed."""
    parts = tokens(first)
    for _ in range(choose.choice((0, 1, 1, 1, 2, 3))):
        if not parts:
            break
        at, kind = choose.randrange(len(parts)), choose.randrange(8)
        if kind == 0:
            del parts[at]
        elif kind == 1:
            parts.insert(at, parts[at])
        elif kind == 2:
            other = choose.randrange(len(parts))
            parts[at], parts[other] = parts[other], parts[at]
        elif kind == 3:
            rest = tokens(second)
            parts = parts[:at] + rest[choose.randrange(len(rest) + 1) :]
        elif kind == 4:
            parts.insert(at, choose.choice(_CHARACTERS))
        elif kind == 5:
            parts[at] = choose.choice(_WORDS)
        elif kind == 6:
            del parts[at : at + choose.randint(2, 6)]
        else:
            piece = tokens(second)
            start = choose.randrange(len(piece) + 1)
            parts[at:at] = piece[start : start + choose.randint(1, 12)]
    return "".join(parts)
