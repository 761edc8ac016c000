"""The template line an error points at, with a caret below it."""

from __future__ import annotations

#: The longest part of a template line an excerpt shows.
WIDTH = 100


def excerpt(source: str, line: int | None, needle: str = "") -> str | None:
    """The line numbered `line` (1-based) of `source`, with a caret below `needle` or below its first character.

    >>> print(excerpt("a\\n  {{ b + 1 }}", 2, "b"))
      2 |   {{ b + 1 }}
        |      ^
    """
    lines = source.splitlines()
    if line is None or not 1 <= line <= len(lines):
        return None
    text = lines[line - 1].replace("\t", " ")
    at = text.find(needle) if needle else -1
    if at < 0:
        at = len(text) - len(text.lstrip())
    start = max(0, at - WIDTH // 2)
    shown = text[start : start + WIDTH]
    number = f"{line:>3}"
    return f"{number} | {shown}\n{' ' * len(number)} | {' ' * (at - start)}^"
