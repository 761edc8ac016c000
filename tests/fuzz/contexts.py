"""The data that fuzzed templates are rendered with: the same names with values of other shapes in each context.

The generator knows the names and the usual type of each (`TYPES`); a context may break the promise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: The type the generator expects under a name. `rows` is a list of mappings with the keys of `ROW_KEYS`.
TYPES = {
    "bos_token": "str",
    "eos_token": "str",
    "s": "str",
    "t": "str",
    "html": "str",
    "blank": "str",
    "n": "int",
    "m": "int",
    "zero": "int",
    "f": "float",
    "flag": "bool",
    "add_generation_prompt": "bool",
    "nothing": "any",
    "tools": "any",
    "words": "list",
    "nums": "nums",
    "mixed": "list",
    "tup": "list",
    "rows": "rows",
    "messages": "messages",
    "data": "dict",
    "counts": "dict",
    "keyed": "dict",
    "grid": "grid",
}
ROW_KEYS = ("name", "n", "group", "tags", "opt")

_CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": {"city": "Zürich", "days": 3, "deep": {"a": [1, None, True]}}},
}
_TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": 'The "weather" <here> & now',
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def plain() -> dict[str, Any]:
    """An ordinary chat and well-behaved values."""
    return {
        "messages": [
            {"role": "system", "content": "You are terse."},
            {"role": "user", "content": "Hello there, how are you?"},
            {"role": "assistant", "content": "Fine.\n\nAnd you?"},
            {"role": "user", "content": "  padded \n"},
        ],
        "tools": None,
        "documents": None,
        "add_generation_prompt": True,
        "bos_token": "<s>",
        "eos_token": "</s>",
        "s": "hello world",
        "t": "Alpha,beta;GAMMA",
        "html": "<b>bold</b> & 'quoted' \"text\"",
        "blank": "  two\n lines\t\n",
        "n": 3,
        "m": 10,
        "zero": 0,
        "f": 2.5,
        "flag": True,
        "nothing": None,
        "words": ["pear", "Apple", "fig", "apple", "Banana"],
        "nums": [3, 1, 2, 10, -4],
        "mixed": [1, "1", None, 2.0, True, [1], {"a": 1}],
        "tup": ("x", "y", "z"),
        "rows": [
            {"name": "ann", "n": 2, "group": "a", "tags": ["x", "y"], "opt": None},
            {"name": "Bob", "n": 1, "group": "b", "tags": [], "opt": {"k": 1}},
            {"name": "cyd", "n": 3, "group": "a", "tags": ["z"], "opt": "o"},
        ],
        "data": {"name": "box", "size": 4, "inner": {"deep": [1, {"x": "y"}], "none": None}, "list": [1, 2, 3]},
        "counts": {"b": 2, "a": 3, "C": 1},
        "keyed": {"items": [1, 2], "get": "got", "keys": "k", "values": 5, "pop": True, "update": None, "copy": "c"},
        "grid": [[1, 2], [3, 4], ["a", "b"]],
    }


def calls() -> dict[str, Any]:
    """Tools, tool calls, tool results and reasoning."""
    return {
        **plain(),
        "messages": [
            {"role": "user", "content": "Weather in Zürich?"},
            {"role": "assistant", "content": "", "tool_calls": [_CALL, {**_CALL, "id": "call_2"}]},
            {"role": "tool", "name": "weather", "tool_call_id": "call_1", "content": '{"sky": "clear", "t": 21.5}'},
            {"thinking": "easy", "role": "assistant", "content": "Clear, 21.5°.", "reasoning_content": "easy"},
        ],
        "tools": [_TOOL, {"name": "bare"}],
        "documents": [{"title": "One", "text": "First."}],
        "s": "a<tool_call>b</tool_call>c",
        "n": -7,
        "f": -0.125,
        "nums": [2.5, 1, 0, -3.75, 2, 2],
    }


def parts() -> dict[str, Any]:
    """Content as lists of parts, keys that are missing, values that are None."""
    return {
        **plain(),
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": "What is "}, {"type": "image"}, {"type": "text", "text": "?"}],
            },
            {"role": "assistant", "content": None, "tool_calls": []},
            {"role": "user"},
            {"content": [], "role": "assistant", "extra": {"nested": [[], {}]}},
        ],
        "add_generation_prompt": False,
        "flag": False,
        "s": "",
        "n": 1,
        "words": [],
        "rows": [
            {"name": "only", "n": 0, "group": "", "tags": ["t"], "opt": False},
            {"name": "x", "n": 5, "group": "z"},
        ],
        "mixed": ["a", ["b", ["c"]], {"d": {"e": "f"}}, (1, 2), "", 0],
        "data": {"name": None, "size": 0.5, "inner": {"deep": [], "none": 0}, "list": ["x"]},
    }


def odd() -> dict[str, Any]:
    """Unicode of every width, special numbers, empty things."""
    return {
        **plain(),
        "messages": [
            {"role": "user", "content": "😀 naïve café \u202eRTL\u202c مرحبا 你好 \x00 \x85 \u2028 end"},
            {"role": "assistant", "content": "ǅ ß İ ﬁ \u00a0"},
            {"role": "user", "content": "{{ messages }} {% if %} {# no #}\r\nnext\rlast"},
        ],
        "s": "ßẞ Straße ŉ 😀e\u0301",
        "t": "x\u2028y\x1cz\r\n\x0bq",
        "html": "&amp; &#39; <script>alert('é')</script>\u00a0",
        "blank": "",
        "n": 2**70,
        "m": -1,
        "f": float("inf"),
        "words": ["é", "E\u0301", "Z", "ß", "SS", "😀", ""],
        "nums": [float("nan"), 1.5, 2**65, -0.0, True],
        "tup": (),
        "rows": [],
        "data": {"": "empty", "a b": 1, 1: "one", None: "none", False: "no", 2.5: (1, 2), "list": []},
        "counts": {},
        "grid": [[], [1], [1, 2, 3]],
    }


def sparse() -> dict[str, Any]:
    """Little more than what is always there: most names are undefined."""
    return {
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": None,
        "documents": None,
        "add_generation_prompt": False,
        "n": 0,
        "words": ["one"],
        "data": {},
    }


CONTEXTS: dict[str, Callable[[], dict[str, Any]]] = {
    "plain": plain,
    "calls": calls,
    "parts": parts,
    "odd": odd,
    "sparse": sparse,
}
