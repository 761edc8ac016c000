"""Probes: what a template is asked to write so that its output format shows, in words that nobody else uses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

#: What the user asks, the assistant answers, a tool gives and the user says next.
QUESTION, ANSWER, RESULT, NEXT = "Qzaskkx", "Qzsaykx", "Qzgotkx", "Qznowkx"
#: Fields in which messages carry reasoning, each with a word of its own.
THOUGHTS = {
    "reasoning_content": "Qzrcokx",
    "reasoning": "Qzreakx",
    "thinking": "Qzthikx",
    "thought": "Qzthokx",
    "tool_plan": "Qzplakx",
}
THOUGHT = "Qzthpkx"
#: What stands before and after a marker in a probe of the answer's own text.
LEFT, RIGHT = "Qzleftkx", "Qzrightkx"


class Call(NamedTuple):
    """A tool call with words to find again; the keys are in the order that sorting gives."""

    name: str
    #: Nine letters and digits, because some templates insist on that.
    id: str
    arguments: Mapping[str, Any]


ONE = Call("qzlookup", "qzid00001", {"qzaone": "qzvone", "qzbtwo": "qzvtwo"})
OTHER = Call("qzsearch", "qzid00002", {"qzcthree": "qzvthree"})
#: Calls whose values have other types; the first value is a string to compare with.
NUMBER = 4711
TYPED = Call("qzlookup", "qzid00001", {"qzaone": "qzvone", "qzbtwo": NUMBER})
VALUES: tuple[Any, ...] = (2.5, True, False, None, [1], {"qzinner": 1})


def _tool(call: Call) -> dict[str, Any]:
    properties = {key: {"type": "string", "description": "Qzkeywords."} for key in call.arguments}
    parameters = {"type": "object", "properties": properties, "required": list(call.arguments)}
    return {
        "type": "function",
        "function": {"name": call.name, "description": "Qztoolwords.", "parameters": parameters},
    }


TOOLS = [_tool(ONE), _tool(OTHER)]


def user(text: str) -> dict[str, Any]:
    """A message of the user."""
    return {"role": "user", "content": text}


def assistant(content: Any = "", **more: Any) -> dict[str, Any]:
    """A message of the assistant."""
    return {"role": "assistant", "content": content, **more}


def result(call: Call) -> dict[str, Any]:
    """What a tool gives."""
    return {"role": "tool", "tool_call_id": call.id, "name": call.name, "content": RESULT}


def _function(call: Call, as_text: bool) -> dict[str, Any]:
    arguments = dict(call.arguments)
    return {"name": call.name, "arguments": json.dumps(arguments) if as_text else arguments}


def _nested(as_text: bool, calls: tuple[Call, ...]) -> dict[str, Any]:
    made = [{"id": call.id, "type": "function", "function": _function(call, as_text)} for call in calls]
    return {"tool_calls": made}


def _flat(as_text: bool, calls: tuple[Call, ...]) -> dict[str, Any]:
    made = [{"id": call.id, "type": "function", **_function(call, as_text)} for call in calls]
    return {"tool_calls": made}


def _single(as_text: bool, calls: tuple[Call, ...]) -> dict[str, Any]:
    return {"function_call": _function(calls[0], as_text)}


class Shape(NamedTuple):
    """A shape in which a message of calls is given; templates insist on one or another."""

    name: str
    #: What the message has beside its content.
    fields: Callable[[bool, tuple[Call, ...]], dict[str, Any]]
    #: Whether arguments are JSON text.
    as_text: bool = False
    #: What the content is where there is none; `...` leaves the key out.
    empty: Any = ""
    tools: bool = True
    #: Whether the tool's result follows.
    answered: bool = False

    def messages(self, calls: tuple[Call, ...], content: str = "", **more: Any) -> list[dict[str, Any]]:
        """The assistant's message with these calls, and what must follow it."""
        message = {"role": "assistant", "content": content or self.empty, **more, **self.fields(self.as_text, calls)}
        if message["content"] is ...:
            del message["content"]
        return [message, *([result(call) for call in calls] if self.answered else [])]


def shapes() -> Iterator[Shape]:
    """All shapes, the usual ones first."""
    objects = Shape("arguments as objects", _nested)
    text = Shape("arguments as JSON text", _nested, as_text=True)
    for shape in (objects, text):
        yield shape
    for shape in (objects, text):
        yield shape._replace(name=f"{shape.name}, without content", empty=None)
        yield shape._replace(name=f"{shape.name}, and their results", answered=True)
        yield shape._replace(name=f"{shape.name}, without tools", tools=False)
        yield shape._replace(name=f"{shape.name}, and their results, without tools", tools=False, answered=True)
    yield Shape("calls without `function`", _flat)
    yield Shape("calls without `function`, without content", _flat, empty=...)
    yield Shape("a `function_call`", _single)
