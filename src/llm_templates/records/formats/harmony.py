"""Conversations of openai-harmony: every message in a channel, calls to a recipient, instructions as content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..calls import call, called, leave_rest
from ..chat import read_message
from ..evidence import Evidence, Look, by_messages
from ..example import Example, Message
from ..fields import beside, example, lone_text, opened, parts_of, with_extras
from ..notes import Notes, wrong
from ..ordering import in_order
from ..texts import text_of
from ..turns import Turns
from ..writing import words_only

KINDS = frozenset({"conversation"})

NAME = __name__.rpartition(".")[2]
#: The namespace of the tools that a developer gives.
TOOLS = "functions"
OWN = ("reasoning_content", "tool_calls", "tool_call_id", "name")
INSTRUCTIONS = ("system_content", "developer_content")
#: What the system's content says that a template takes as a variable.
VARIABLES = ("model_identity", "reasoning_effort")

SIGNS = {
    "channel": lambda item: item.get("channel") is not None,
    "recipient": lambda item: item.get("recipient") is not None,
    "author": lambda item: isinstance(item.get("author"), dict),
    "system_content or developer_content": lambda item: any(
        part.get("type") in INSTRUCTIONS for part in parts_of(item)
    ),
}


def detect(look: Look) -> Evidence | None:
    """Channels, recipients, or content of instructions."""
    return by_messages(look, SIGNS)


def read(record: Any, notes: Notes) -> Example:
    """The conversation; the channels of the assistant's turn are reasoning, calls and content of one message."""
    _, place, given, rest = opened(record, notes)
    turns = Turns(notes)
    given_tools: list[Any] = []
    variables: dict[str, Any] = {}
    for index, item in enumerate(given):
        at = f"{place}[{index}]"
        fields = {name: value for name, value in item.items() if value is not None}
        author = fields.pop("author", {})
        if isinstance(author, dict):
            fields = {**{name: value for name, value in author.items() if value is not None}, **fields}
        fields, said = _instructions(fields)
        if said is not None:
            given_tools += _tools(said, at)
            variables.update({name: said[name] for name in VARIABLES if said.get(name) is not None})
            rest.update(_settings(said))
        if said is None or fields["content"]:
            _read(turns, fields, at, notes)
    if given_tools:
        rest["tools"] = given_tools
    if "reasoning_effort" in variables:
        variables["reasoning_effort"] = str(variables["reasoning_effort"]).lower()
    around = beside(rest, (), notes)
    return example(turns.messages(), around._replace(variables={**around.variables, **variables}), notes)


def _instructions(fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """A message with its instructions as text, and all that its content says; None where it says no such thing."""
    content = fields.get("content")
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    said = next((dict(part) for part in parts if part.get("type") in INSTRUCTIONS), None)
    if said is None:
        # Every text is written as a list there.
        return ({**fields, "content": lone_text(content)} if content is not None else fields), None
    text = said.pop("instructions", None) or ""
    others = [str(part.get("text", "")) for part in parts if part.get("type") == "text"]
    return {**fields, "content": "\n".join(filter(None, [str(text), *others]))}, said


def _tools(said: dict[str, Any], place: str) -> list[Any]:
    own = _namespaces(said).get(TOOLS) or {}
    listed = own.get("tools") if isinstance(own, dict) else None
    if listed is not None and not isinstance(listed, list):
        raise wrong(f"{place}.tools", "a namespace is an object with a list of tools")
    return listed or []


def _namespaces(said: dict[str, Any]) -> Mapping[str, Any]:
    tools = said.get("tools")
    return tools if isinstance(tools, dict) else {}


def _settings(said: dict[str, Any]) -> dict[str, Any]:
    """What is left of a content of instructions, as a field of the record."""
    others = {name: space for name, space in _namespaces(said).items() if name != TOOLS}
    rest = {key: value for key, value in said.items() if key not in (*VARIABLES, "type", "tools") and value is not None}
    kept = {**rest, **({"tools": others} if others else {})}
    return {str(said["type"]): kept} if kept else {}


def _read(turns: Turns, fields: dict[str, Any], place: str, notes: Notes) -> None:
    channel, recipient = fields.pop("channel", None), fields.pop("recipient", None)
    fields.pop("content_type", None)
    message = read_message(fields, place, notes)
    if message["role"] == "tool":
        turns.add({**message, "name": _bare(message["name"])} if "name" in message else message, place)
    elif message["role"] != "assistant":
        turns.add(message, place)
    elif recipient is not None and recipient != "assistant":
        words_only(message, place, "a call", notes)
        said = {"name": _bare(recipient), "arguments": text_of(message["content"], place, notes)}
        turns.call(call(said, place, notes), place)
    elif channel == "analysis":
        words_only(message, place, "reasoning", notes)
        turns.reason(text_of(message["content"], place, notes), place)
    elif channel in (None, "final", "commentary"):
        turns.say(message, place)
    else:
        raise wrong(f"{place}.channel", f"{channel!r} is no channel", "they are analysis, commentary and final")


def _bare(name: Any) -> str:
    return str(name).removeprefix(f"{TOOLS}.")


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`messages`, each in its channel; tools in the developer's content."""
    tools = [tool.get("function", tool) for tool in example.tools or ()]
    messages: list[Message] = []
    extras = dict(example.extras)
    settings = dict(extras.pop("system_content")) if isinstance(extras.get("system_content"), dict) else {}
    for name, value in example.variables.items():
        if name in VARIABLES:
            settings[name] = str(value).capitalize() if name == "reasoning_effort" else value
        else:
            notes.lose(f"chat_template_kwargs.{name}", f"{NAME} has no place for it")
    if settings:
        messages.append({"role": "system", "content": [{"type": "system_content", **settings}]})
    developer: dict[str, Any] = {"type": "developer_content"}
    if tools:
        developer["tools"] = {TOOLS: {"name": TOOLS, "tools": tools}}
    asked = list(example.messages)
    if asked and asked[0]["role"] in ("system", "developer"):
        if asked[0]["role"] == "system":
            notes.add("renamed", "messages[0]", "the role 'system' is 'developer'")
        developer["instructions"] = text_of(asked.pop(0)["content"], "messages[0].content", notes)
    if len(developer) > 1:
        messages.append({"role": "developer", "content": [developer]})
    first = len(example.messages) - len(asked)
    names: dict[str, str] = {}
    for index, message in enumerate(in_order(asked, "messages", notes, named=True), first):
        at = f"messages[{index}]"
        words_only(message, at, NAME, notes, OWN)
        names.update({one["id"]: called(one) for one in message.get("tool_calls", ())})
        messages += _written(message, at, names, notes)
    return with_extras({"messages": messages}, Example(extras=extras), notes)


def _written(message: Message, place: str, names: Mapping[str, str], notes: Notes) -> list[Message]:
    text = text_of(message.get("content"), f"{place}.content", notes)
    if message["role"] == "tool":
        name = f"{TOOLS}.{names[message['tool_call_id']]}"
        notes.add("left out", place, "ids of calls: the order says which result answers which")
        said = {"role": "tool", "name": name, "recipient": "assistant", "channel": "commentary"}
        return [{**said, "content": _text(text)}]
    if message["role"] != "assistant":
        return [{"role": message["role"], "content": _text(text)}]
    calls = message.get("tool_calls", ())
    messages = []
    if "reasoning_content" in message:
        messages.append(_said("analysis", message["reasoning_content"]))
    if text or not calls:
        messages.append(_said("commentary" if calls else "final", text))
    for one in calls:
        leave_rest(one, place, notes)
        said = _said("commentary", one["function"]["arguments"])
        messages.append({**said, "recipient": f"{TOOLS}.{called(one)}", "content_type": "<|constrain|>json"})
    return messages


def _said(channel: str, text: str) -> Message:
    return {"role": "assistant", "channel": channel, "content": _text(text)}


def _text(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text}]
