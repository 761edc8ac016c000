"""From the fields of a prompt to messages, in the ways a conversation may have said the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .shown_tools import schemas
from .splitting import Split
from .turns import ASSISTANT, TOOLS, VARIABLE, Field, Turns

#: How a turn of the model is read: its text, what precedes it, and the tools it may call, to a message.
Parse = Callable[[str, str, list[dict[str, Any]] | None], dict[str, Any]]


class Ways(NamedTuple):
    """How a conversation is told, where a prompt shows the same for several ways of telling it."""

    #: Arguments of calls as an object, or as text: "object", "json" or "compact".
    arguments: str = "object"
    #: The content of a message that only calls: "text" (an empty one), "null" or "absent".
    silence: str = "text"
    #: Whether what was thought before a call was its content: some templates write the one as the other.
    thought_is_said: bool = False
    #: Whether the system message stands first, wherever the template writes it.
    system_first: bool = False
    #: Whether white space between content and the reasoning or calls beside it belongs to neither.
    trimmed: bool = False
    #: The fields of the model that are content as they stand.
    verbatim: frozenset[int] = frozenset()
    #: The name of the setting of reasoning.
    setting: str = ""


class Restored(NamedTuple):
    """A conversation as it was read."""

    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None
    add_generation_prompt: bool
    variables: dict[str, Any]
    #: Where the field that began each message stands in the split.
    places: list[int]
    #: The number of the field that holds tools that could not be read.
    unread_tools: int | None


class Restorer:
    """Makes messages of fields; what the model wrote is read once."""

    def __init__(self, prompt: str, turns: Turns, parse: Parse) -> None:
        self._prompt = prompt
        self._turns = turns
        self._parse = parse
        self._read: dict[tuple[int, int, bool], dict[str, Any]] = {}
        self._tools: dict[tuple[int, int], list[dict[str, Any]] | None] = {}
        self._known: list[dict[str, Any]] | None = None

    def restore(self, split: Split, ways: Ways) -> Restored:
        """The conversation of a split."""
        messages: list[dict[str, Any]] = []
        places: list[int] = []
        variables: dict[str, Any] = dict(self._turns.settings.get(ways.setting, {}))
        tools = None
        unread = None
        for place, field in enumerate(split.fields):
            if field.kind == TOOLS:
                tools = self._tools_of(field)
                unread = place if tools is None else unread
                # There are tools, even if nothing is known of them.
                self._known = tools or []
                continue
            role, _, key = field.kind.partition(".")
            if role == VARIABLE:
                variables[key] = self._prompt[field.start : field.end]
                continue
            if role == ASSISTANT:
                header = split.fields[place - 1].end if place else 0
                messages.append(self._assistant(field, header, ways, place in ways.verbatim))
                places.append(place)
                continue
            current = next((m for m in reversed(messages[-4:]) if m["role"] == role), None)
            if field.gap.opens or current is None:
                current = {"role": role, "content": ""}
                messages.append(current)
                places.append(place)
            value: Any = self._value(field)
            if key == "content" and self._turns.parts:
                value = [{"type": "text", "text": value}]
            if key not in current or key == "content":
                current[key] = value
        if ways.system_first:
            order = sorted(range(len(messages)), key=lambda index: messages[index]["role"] != "system")
            messages = [messages[index] for index in order]
            places = [places[index] for index in order]
        _pair(messages)
        generation = bool(split.ending and split.ending.generation)
        return Restored(messages, tools, generation, variables, places, unread)

    def _value(self, field: Field) -> str:
        text = self._prompt[field.start : field.end]
        if field.kind in self._turns.escaped:
            try:
                found = json.loads(f'"{text}"', strict=False)
            except ValueError:
                return text
            return found if isinstance(found, str) else text
        return text

    def said(self, header: int, start: int, end: int) -> dict[str, Any]:
        """What the model wrote from `start` to `end`, after a header."""
        # Before the tools are known, values may be read as text that are none.
        key = (start, end, self._known is None)
        found = self._read.get(key)
        if found is None:
            before = self._prompt[header:start]
            found = self._read[key] = self._parse(self._prompt[start:end], before, self._known)
        return found

    def _assistant(self, field: Field, header: int, ways: Ways, verbatim: bool) -> dict[str, Any]:
        if verbatim:
            text: Any = self._prompt[field.start : field.end]
            return {"role": ASSISTANT, "content": [{"type": "text", "text": text}] if self._turns.parts else text}
        message = dict(self.said(header, field.start, field.end))
        calls = message.get("tool_calls")
        if ways.trimmed:
            message["content"] = _trimmed(message, self._prompt[field.start : field.end])
        if calls and ways.thought_is_said and not message.get("content") and "reasoning_content" in message:
            message["content"] = message.pop("reasoning_content")
        if calls:
            message["tool_calls"] = [_told(call, ways.arguments) for call in calls]
            if not message.get("content") and ways.silence != "text":
                message["content"] = None
                if ways.silence == "absent":
                    del message["content"]
        if self._turns.parts and isinstance(message.get("content"), str):
            message["content"] = [{"type": "text", "text": message["content"]}]
        return message

    def _tools_of(self, field: Field) -> list[dict[str, Any]] | None:
        place = (field.start, field.end)
        if place not in self._tools:
            self._tools[place] = schemas(self._prompt[field.start : field.end], self._turns.tools)
        return self._tools[place]


def has_edges(message: dict[str, Any]) -> bool:
    """Whether white space stands at an end of what the model said."""
    content = message.get("content")
    return message["role"] == ASSISTANT and isinstance(content, str) and content.strip() != content


def _trimmed(message: dict[str, Any], turn: str) -> str:
    """The content of a message without white space between it and what stands beside it in the turn."""
    content: str = message.get("content") or ""
    if not turn.startswith(content):
        content = content.lstrip()
    return content if turn.endswith(content) else content.rstrip()


def _told(call: dict[str, Any], arguments: str) -> dict[str, Any]:
    """A call, its arguments as they are told."""
    function = dict(call["function"])
    if arguments != "object":
        separators = (",", ":") if arguments == "compact" else None
        function["arguments"] = json.dumps(function["arguments"], ensure_ascii=False, separators=separators)
    return {**call, "function": function}


def _pair(messages: Sequence[dict[str, Any]]) -> None:
    """Give results the ids of the calls before them, in their order, where the prompt shows none."""
    waiting: list[str] = []
    for message in messages:
        if message.get("tool_calls"):
            waiting = [call["id"] for call in message["tool_calls"] if call.get("id")]
        elif message["role"] == "tool":
            if "tool_call_id" in message:
                if message["tool_call_id"] in waiting:
                    waiting.remove(message["tool_call_id"])
            elif waiting:
                message["tool_call_id"] = waiting.pop(0)
        else:
            waiting = []
