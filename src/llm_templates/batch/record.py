"""What a record gives a template to render: its messages, tools, documents and variables, whatever its format is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import InputError, TemplatesError
from ..masking import REASONING, WEIGHT_KEYS
from ..records import convert
from ..records.roles import ROLES

if TYPE_CHECKING:
    from ..template import ChatTemplate

#: The formats whose records hold two answers, or one with a label: there is no one conversation to render.
JUDGED = ("preferred_output", "non_preferred_output", "chosen", "rejected", "label", "kto_tag")
#: Fields of a record that say what is rendered, or that are nothing but about it.
FIELDS = frozenset(
    {
        *("messages", "tools", "documents", "chat_template_kwargs"),
        *("id", "uuid", "index", "idx", "source", "dataset", "category", "language", "model", "score", "split", "url"),
    }
)
#: Keys of a message that templates and masks read as they are.
KEYS = frozenset(
    {"role", "content", "name", "tool_calls", "tool_call_id", *REASONING, *WEIGHT_KEYS},
)
#: Types of parts that templates know by these names.
PARTS = frozenset({"text", "image", "video", "audio"})
#: Roles that a template knows by these names.
KNOWN = frozenset(name for name, role in ROLES.items() if name == role)
#: What may stand beside the messages as JSON text, which tables keep where objects have nothing in common.
BESIDE = ("messages", "tools", "documents", "chat_template_kwargs")

_TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string", "description": "A city."}}},
    },
}


class Broken(NamedTuple):
    """A record that could not be read."""

    error: InputError


class Given(NamedTuple):
    """What is rendered."""

    messages: list[Any]
    tools: list[Any] | None
    documents: list[Any] | None
    variables: dict[str, Any] | None


class Forms(NamedTuple):
    """What a template needs to have in another form than it comes; None where it takes any."""

    #: What the arguments of a call are passed through.
    arguments: Callable[[Any], Any] | None = None
    #: What the content of a message is passed through.
    content: Callable[[Any], Any] | None = None


def given(record: Any, source: str | None, forms: Forms = Forms()) -> Given:  # noqa: B008  (a tuple cannot be changed)
    """What a record gives to render.

    Messages in the shape that templates read are taken as they are; all others are converted to it.

    Args:
        record: a record of any format that `convert` knows. Never changed.
        source: the name of its format; None to find it out.
        forms: what the template needs to have in another form.

    Raises:
        InputError: it has no format that is known, or holds more than one conversation.
    """
    if isinstance(record, Broken):
        raise record.error
    if isinstance(record, Mapping) and any(isinstance(record.get(key), str) for key in BESIDE):
        record = {key: _decoded(key, value) if key in BESIDE else value for key, value in record.items()}
    fields = record if source is None and _is_plain(record) else _converted(record, source)
    messages = fields["messages"]
    if forms.arguments is not None:
        messages = [_with_arguments(message, forms.arguments) for message in messages]
    if forms.content is not None and any(type(message.get("content")) is list for message in messages):
        messages = [{**message, "content": forms.content(message.get("content"))} for message in messages]
    return Given(
        messages, fields.get("tools") or None, fields.get("documents"), fields.get("chat_template_kwargs") or None
    )


def _decoded(key: str, value: Any) -> Any:
    return _read(key, value) if isinstance(value, str) else value


@lru_cache(64)
def _read(key: str, text: str) -> Any:
    # Tools are the same in one record after the other; nobody changes what a record gives.
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{key} is a text that is not JSON: {error}") from None


def _is_plain(record: Any) -> bool:
    """Whether a record is what templates read, so that there is nothing to convert."""
    if type(record) is not dict:
        return False
    messages, tools = record.get("messages"), record.get("tools")
    return (
        type(messages) is list
        and bool(messages)
        and record.keys() <= FIELDS
        and all(map(_is_plain_message, messages))
        and (tools is None or (type(tools) is list and all(map(_is_plain_tool, tools))))
        and not _has_null([record[key] for key in BESIDE[1:] if record.get(key) is not None])
    )


def _is_plain_message(message: Any) -> bool:
    if type(message) is not dict or not message.keys() <= KEYS:
        return False
    role = message.get("role")
    if type(role) is not str or role not in KNOWN:
        return False
    content = message.get("content", "")
    if type(content) is not str and not (type(content) is list and all(map(_is_plain_part, content))):
        return False
    if len(message) == 2 and "content" in message:
        return True
    calls = message.get("tool_calls", ())
    return type(calls) in (list, tuple) and all(map(_is_plain_tool, calls)) and not _has_null(list(message.values()))


def _is_plain_part(part: Any) -> bool:
    kind = part.get("type") if type(part) is dict else None
    return type(kind) is str and kind in PARTS and None not in part.values()


def _is_plain_tool(tool: Any) -> bool:
    """Whether a tool, or a call of one, has its function as an object of its own."""
    return type(tool) is dict and type(tool.get("function")) is dict


def _has_null(value: Any, depth: int = 0) -> bool:
    if value is None or depth > 64:
        return True
    if type(value) is dict:
        return any(_has_null(item, depth + 1) for item in value.values())
    return type(value) is list and any(_has_null(item, depth + 1) for item in value)


def _converted(record: Any, source: str | None) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = convert(record, to="trl", source=source).record
    if "messages" in fields:
        return fields
    if "text" in fields:
        raise InputError(
            "the record is text that is not cut into messages", hint="load(model).read(text) makes messages of a prompt"
        )
    if any(key in fields for key in JUDGED):
        raise InputError(
            "the record holds answers to be compared, not one conversation",
            hint="make one record of each answer: the prompt's messages, then the answer's",
        )
    fields = convert(record, to="openai", source=source).record
    return fields


def _with_arguments(message: Any, write: Callable[[Any], Any]) -> Any:
    calls = message.get("tool_calls") if isinstance(message, dict) else None
    if not isinstance(calls, list):
        return message
    return {**message, "tool_calls": [_with_argument(call, write) for call in calls]}


def _with_argument(call: Any, write: Callable[[Any], Any]) -> Any:
    function = call.get("function", call) if isinstance(call, dict) else None
    if not isinstance(function, dict) or "arguments" not in function:
        return call
    written = {**function, "arguments": write(function["arguments"])}
    return {**call, "function": written} if "function" in call else written


def forms_of(template: ChatTemplate) -> Forms:
    """What a template needs to have in another form than records have it."""
    return Forms(arguments_of(template), content_of(template))


def content_of(template: ChatTemplate) -> Callable[[Any], Any] | None:
    """What makes text of parts, for a template that does not write them; None where it writes parts itself.

    Some templates write nothing of a content that is a list, some fail on it, some print it as Python does.

    >>> from llm_templates import load
    >>> content_of(load("chatml"))([{"type": "text", "text": "Hi"}]), content_of(load("qwen2.5-vl"))
    ('Hi', None)
    """
    try:
        text = template.render([{"role": "user", "content": [{"type": "text", "text": "Bern"}]}])
    except TemplatesError:
        return as_words
    return None if "Bern" in text and "'Bern'" not in text else as_words


def as_words(content: Any) -> Any:
    """The text of parts that are nothing but text; anything else as it is.

    Raises:
        InputError: there are other parts, which the template would leave out.

    >>> as_words([{"type": "text", "text": "Is it "}, {"type": "text", "text": "sunny?"}]), as_words("Hi")
    ('Is it sunny?', 'Hi')
    """
    if not isinstance(content, list):
        return content
    texts = [part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None for part in content]
    if not all(isinstance(text, str) for text in texts):
        raise InputError("the template writes text only, and a message has other parts")
    return "".join(str(text) for text in texts)


def arguments_of(template: ChatTemplate) -> Callable[[Any], Any] | None:
    """What makes the arguments of calls such as the template can write; None where it writes them in either form.

    Some templates encode arguments that are JSON text a second time; some join them to text, and fail on objects.

    >>> from llm_templates import load
    >>> arguments_of(load("qwen2.5"))('{"city": "Bern"}')
    {'city': 'Bern'}
    """
    writes = {form: _writes(template, form) for form in (as_object, as_text)}
    if writes[as_object] == writes[as_text]:
        return None
    return as_object if writes[as_object] else as_text


def as_object(arguments: Any) -> Any:
    """The arguments as an object, if they are the JSON text of one.

    >>> as_object('{"city": "Bern"}'), as_object("Bern")
    ({'city': 'Bern'}, 'Bern')
    """
    if not isinstance(arguments, str):
        return arguments
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments
    return value if isinstance(value, dict) else arguments


def as_text(arguments: Any) -> Any:
    """The arguments as JSON text.

    >>> as_text({"city": "Zürich"})
    '{"city": "Zürich"}'
    """
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def _writes(template: ChatTemplate, form: Callable[[Any], Any]) -> bool:
    """Whether the template writes a call with arguments of this form as it should."""
    function = {"name": "weather", "arguments": form({"city": "Bern"})}
    call = {"id": "call00001", "type": "function", "function": function}
    result = {"role": "tool", "content": "sunny", "tool_call_id": "call00001", "name": "weather"}
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        result,
        {"role": "assistant", "content": "It is sunny."},
    ]
    try:
        text = template.render(messages, tools=[_TOOL])
    except TemplatesError:
        return False
    return "Bern" in text and '\\"city' not in text and "{'city'" not in text
