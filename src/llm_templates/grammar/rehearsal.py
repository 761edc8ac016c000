"""Rehearsals: the conversations a template is asked to write, to see what stands between their fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple


def _tool(name: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": required}
    return {
        "type": "function",
        "function": {"name": name, "description": f"{name}words.", "parameters": parameters},
    }


#: Tools with words that nobody else uses; two, to see what stands between them.
TOOLS = [
    _tool("qzlookup", {"qzkey": {"type": "string", "description": "Qzkeywords."}}, ["qzkey"]),
    _tool("qzother", {"qzkind": {"type": "string", "enum": ["qzone", "qztwo"]}, "qzcount": {"type": "integer"}}, []),
]
#: A tool that takes nothing: what is written behind a tool may be part of what it takes.
BARE = {
    "type": "function",
    "function": {"name": "qzbare", "description": "Qzbarewords.", "parameters": {"type": "object", "properties": {}}},
}


class Rehearsal(NamedTuple):
    """A conversation that a template is asked to write."""

    name: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None


#: Conversations, a letter for each message: `s`ystem, `d`eveloper, `u`ser, `n`amed user, `a`ssistant, the assistant
#: with `r`easoning, with a `c`all, with content and a call (`C`), with reasoning and a call (`b`), with two calls
#: (`2`) and with nothing (`e`), and a `t`ool's result.
PLAIN = (
    *("u", "su", "ua", "sua", "uau", "suau", "suauau", "uaua", "suaua", "ur", "uru", "sur", "urur", "urua", "uaur"),
    *("s", "du", "sdu", "dua", "uasu", "uas", "uadu", "uus", "uua", "uuau", "uu", "uaa", "uaau", "au", "aua", "suu"),
    *("nan", "sn", "nua", "ueu", "ue", "ueua"),
)
CALLING = (
    *("uct", "ucta", "uctau", "suctau", "suct", "uCt", "uCtau", "u2tt", "u2tta", "u2ttau", "uctu", "uctct", "uctcta"),
    *("ubt", "ubtr", "ubtru", "ubtau", "uctru", "uc", "uau2tt", "uauct", "sucta", "uctauctau"),
)
#: Those that are written again with every setting of the switch for reasoning, and to see variables.
BRIEF = ("u", "su", "uau", "suau", "uru", "ur")
ROLES = {"s": "system", "d": "developer", "u": "user", "n": "user", "t": "tool"}

#: The value of a variable that is tried.
VALUE = "Qzvkx"
#: What tells how a field writes text that JSON would escape.
SPECIAL = 'q"z\\q\nz'


def rehearsals() -> Iterator[Rehearsal]:
    """All conversations, the plainest first."""
    for letters in PLAIN:
        yield rehearsal(letters)
    for letters in ("u", "su", "uau", "suau", "uaua", "du"):
        yield rehearsal(letters, TOOLS)
        yield rehearsal(letters, TOOLS[:1])
        yield rehearsal(letters, TOOLS[1:])
        yield rehearsal(letters, [BARE])
    for letters in CALLING:
        yield rehearsal(letters, TOOLS)
        yield rehearsal(letters)


def rehearsal(letters: str, tools: list[dict[str, Any]] | None = None, special: str = "") -> Rehearsal:
    """The conversation of some letters; `special` stands in every content.

    >>> rehearsal("ua").messages[1]
    {'role': 'assistant', 'content': 'Qz1kx'}
    """
    messages: list[dict[str, Any]] = []
    calls = 0
    waiting: list[str] = []
    for index, letter in enumerate(letters):
        content = f"Qz{index}{special}kx"
        if letter in ROLES:
            message: dict[str, Any] = {"role": ROLES[letter], "content": content}
            if letter == "n":
                message["name"] = f"qzname{index}"
            elif letter == "t":
                message["name"] = "qzlookup"
                message["tool_call_id"] = waiting.pop(0) if waiting else "qzid00000"
        else:
            message = {"role": "assistant", "content": content if letter in "arC" else ""}
            if letter in "rb":
                message["reasoning_content"] = f"Qzr{index}kx"
            names = {"c": 1, "C": 1, "b": 1, "2": 2}.get(letter, 0)
            made = [_call(calls + number) for number in range(names)]
            calls += names
            waiting = [call["id"] for call in made]
            if made:
                message["tool_calls"] = made
        messages.append(message)
    return Rehearsal(f"{letters}{'' if tools is None else f' with {len(tools)} tools'}", messages, tools)


def _call(number: int) -> dict[str, Any]:
    function = {"name": "qzlookup", "arguments": {"qzkey": f"qzvalue{number}"}}
    return {"id": f"qzid{number:05}", "type": "function", "function": function}


def as_parts(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same messages, with content as a list of one part."""
    return [{**message, "content": [{"type": "text", "text": message["content"]}]} for message in messages]


def with_text_arguments(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same messages, with the arguments of calls as JSON text."""
    return [
        {**message, "tool_calls": [_told(call) for call in message["tool_calls"]]}
        if "tool_calls" in message
        else message
        for message in messages
    ]


def _told(call: dict[str, Any]) -> dict[str, Any]:
    return {**call, "function": {**call["function"], "arguments": json.dumps(call["function"]["arguments"])}}
