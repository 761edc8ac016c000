"""The fields of a record that stand beside its messages, and where its messages are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from .chat import with_system
from .example import Example, Message
from .flags import spread
from .media import fill
from .notes import Notes, wrong
from .tools import parsed, read_tools, suspect_nulls

#: The names under which a record has its messages.
CONTAINERS = ("messages", "conversations", "conversation")
#: The names under which it has its tools, and its template variables.
TOOLS = ("tools", "tool_defs", "functions")
VARIABLES = "chat_template_kwargs"


class Beside(NamedTuple):
    """What stands beside the messages."""

    tools: list[Any] | None
    variables: dict[str, Any]
    #: A system prompt, which comes before the messages.
    system: Any
    extras: dict[str, Any]


def beside(record: Mapping[str, Any], taken: Collection[str], notes: Notes) -> Beside:
    """Tools, variables and unknown fields of a record; the fields in `taken` are not among them.

    Raises:
        InputError: tools or variables cannot be used.
    """
    rest = {key: value for key, value in record.items() if key not in taken}
    tools = None
    for key in TOOLS:
        if key in rest and tools is None:
            tools = read_tools(rest.pop(key), key, notes)
            if tools is not None and key != TOOLS[0]:
                notes.add("renamed", key, f"{key!r} is 'tools'")
    variables = rest.pop(VARIABLES, {})
    if isinstance(variables, str):
        variables = parsed(variables, VARIABLES, notes) or {}
    if not isinstance(variables, dict):
        raise wrong(VARIABLES, f"variables are an object, not {type(variables).__name__}")
    given = {key: value for key, value in variables.items() if value is not None}
    return Beside(tools, given, rest.pop("system", None), rest)


def example(messages: list[Message], around: Beside, notes: Notes, **fields: Any) -> Example:
    """The example of these messages and what stands beside them, its media in their places."""
    if around.system is not None and "texts" not in fields:
        before = len(messages)
        messages = with_system(messages, around.system, "system", notes)
        fields["raw"] = fields.get("raw", False) and len(messages) == before
    made = Example(messages, tools=around.tools, variables=around.variables, extras=around.extras, **fields)
    extras = fill(made.turns, around.extras, notes)
    for index, message in enumerate(messages):
        suspect_nulls(message.get("tool_calls", ()), f"messages[{index}].tool_calls", around.tools or (), notes)
    for key in extras:
        notes.add("kept", key, "fields of the record that belong to no format")
    return Example(messages, tools=around.tools, variables=around.variables, extras=extras, **fields)


def container(record: Any) -> tuple[str, list[Any]] | None:
    """Where a record has its messages, and the list; None where it has none of objects.

    >>> container({"conversations": [{"from": "human", "value": "Hi"}]})
    ('conversations', [{'from': 'human', 'value': 'Hi'}])
    """
    if isinstance(record, list):
        found = ("", record)
    elif isinstance(record, dict):
        found = next(((key, record[key]) for key in CONTAINERS if isinstance(record.get(key), list)), ("", []))
    else:
        return None
    return found if found[1] and all(isinstance(item, dict) for item in found[1]) else None


class Opened(NamedTuple):
    """A record that has messages."""

    #: The field they are in; "" where the record is the list itself.
    key: str
    #: What an error calls the list.
    place: str
    items: list[Any]
    #: The other fields of the record.
    fields: dict[str, Any]


def opened(record: Any, notes: Notes) -> Opened:
    """The messages of a record, each with its weight if these stand beside them, and its fields.

    Raises:
        InputError: it has none.
    """
    found = container(record)
    if found is None:
        raise wrong("messages", "there is no list of messages", f"it is called {', '.join(CONTAINERS)}")
    key, items = found
    fields = {} if isinstance(record, list) else {name: value for name, value in record.items() if name != key}
    fields, items = spread(fields, items, notes)
    return Opened(key, key or "messages", items, fields)


def as_object(record: Any) -> Mapping[str, Any]:
    """The record, if it is an object.

    Raises:
        InputError: it is not.
    """
    if not isinstance(record, dict):
        raise wrong("", f"the record is an object in this format, not {type(record).__name__}")
    return record


def lone_text(parts: Any) -> Any:
    """The text of a list of parts that is nothing but one text; the list itself otherwise."""
    if isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], dict):
        part = {name: value for name, value in parts[0].items() if value is not None}
        if part.get("type") == "text" and set(part) == {"type", "text"}:
            return part["text"]
    return parts


def parts_of(message: Mapping[str, Any], key: str = "content") -> Sequence[Mapping[str, Any]]:
    """The parts of a message's content that are objects."""
    content = message.get(key)
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else ()


def with_extras(record: dict[str, Any], example: Example, notes: Notes) -> dict[str, Any]:
    """A new record with the fields that belong to no format, after those that do."""
    for key in example.extras:
        if key in record:
            notes.lose(key, "the record has a field of this name that belongs to no format, and so has the target")
    return {**record, **{key: value for key, value in example.extras.items() if key not in record}}


def leave_extras(example: Example, notes: Notes) -> None:
    """Note that a target which is no object has no place for fields."""
    for key in example.extras:
        notes.add("left out", key, "fields of the record that belong to no format")
