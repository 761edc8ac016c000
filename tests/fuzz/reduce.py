"""The smallest template that still shows what a failing one shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .mutate import tokens

_TAG = re.compile(r"(\{%.*?%\}|\{\{.*?\}\}(?!\})|\{#.*?#\})", re.DOTALL)
_NAME = re.compile(r"\{%[-+]?\s*(\w+)")


def reduce(source: str, shows: Callable[[str], bool], tries: int = 1200) -> str:
    """Delete blocks, runs of tokens, then single characters, for as long as `shows` holds of what is left."""
    budget = [tries]

    def holds(text: str) -> bool:
        budget[0] -= 1
        return budget[0] >= 0 and shows(text)

    shorter = True
    while shorter:
        shorter = False
        for candidate in _without_blocks(source):
            if holds(candidate):
                source, shorter = candidate, True
                break
    for cut in (_TAG.split, tokens, list):
        parts = [part for part in cut(source) if part]
        size = max(1, len(parts) // 2)
        while True:
            at, before = 0, len(parts)
            while at < len(parts):
                rest = parts[:at] + parts[at + size :]
                if holds("".join(rest)):
                    parts = rest
                else:
                    at += size
            if size > 1:
                size //= 2
            elif len(parts) == before:
                break
        source = "".join(parts)
    return source


def _without_blocks(source: str) -> Iterator[str]:
    """`source` without a block, and with only what is in it, for every pair of tags that belong together."""
    parts, opened = _TAG.split(source), []
    for at, part in enumerate(parts):
        found = _NAME.match(part)
        if not found:
            continue
        if not found[1].startswith("end"):
            opened.append((found[1], at))
            continue
        while opened and opened[-1][0] != found[1].removeprefix("end"):
            opened.pop()
        if opened:
            start = opened.pop()[1]
            yield "".join(parts[:start] + parts[at + 1 :])
            yield "".join(parts[:start] + parts[start + 1 : at] + parts[at + 1 :])
