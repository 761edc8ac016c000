"""Marks: the texts in a grammar that may be control tokens, which some engines leave out of what they write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..grammar.grammar import Grammar

#: What control tokens look like: <|call|>, <tool_call>, [TOOL_CALLS].
MARK = re.compile(r"[<\[][^<>\[\]{}\s]+[>\]]")


def marks(grammar: Grammar) -> list[str]:
    """What an engine must not leave out for the output to be read, and for its end to be seen.

    >>> from llm_templates import load
    >>> marks(load("mistral-nemo").grammar())
    ['[TOOL_CALLS]', '</s>']
    """
    read = grammar._replace(opener="", prompt="", evidence={})
    found = [mark for text in _texts(read) for mark in MARK.findall(text)]
    return list(dict.fromkeys([*found, *grammar.stops]))


def _texts(part: Any) -> Iterator[str]:
    """All texts of a part of a grammar."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        yield from _texts(tuple(part.values()))
    elif isinstance(part, tuple):
        for one in part:
            yield from _texts(one)
