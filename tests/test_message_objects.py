"""Messages as objects: whatever library they come from, they render as the dicts they stand for."""

import dataclasses
from typing import Any

import attrs
import msgspec
import pydantic
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionMessage

from llm_templates import ChatTemplate, Content, load

TEMPLATE = """{%- for message in messages %}
{{- message.role }}: {{ message.content if message.content is defined else '-' }}
{%- for call in message.tool_calls or [] %} {{ call.function.name }}({{ call.function.arguments | tojson }}){% endfor %}
{%- if message.reasoning_content %} [{{ message.reasoning_content }}]{% endif %}
{% endfor %}"""

CALL = {"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}


@dataclasses.dataclass
class Data:
    role: str
    content: Any = None
    tool_calls: Any = None
    reasoning_content: str | None = None


class Model(pydantic.BaseModel):
    role: str
    content: Any = None
    tool_calls: Any = None
    reasoning_content: str | None = None


class Struct(msgspec.Struct):
    role: str
    content: Any = None
    tool_calls: Any = None
    reasoning_content: str | None = None


class Renamed(msgspec.Struct, rename={"text": "content", "calls": "tool_calls", "thoughts": "reasoning_content"}):
    role: str
    text: Any = None
    calls: Any = None
    thoughts: str | None = None


@attrs.define
class Attrs:
    role: str
    content: Any = None
    tool_calls: Any = None
    reasoning_content: str | None = None


MESSAGES = [
    {"role": "user", "content": "What is 1 + 1?"},
    {"role": "assistant", "content": None, "tool_calls": [CALL], "reasoning_content": "Easy."},
    {"role": "tool", "content": "2"},
]


@pytest.fixture
def template():
    return ChatTemplate.from_string(TEMPLATE)


@pytest.mark.parametrize("kind", [Data, Model, Struct, Attrs, Content], ids=lambda kind: kind.__name__)
def test_objects_render_as_dicts(template, kind):
    """A list of objects, each with the fields of a message, gives the prompt of the same messages as dicts."""
    objects = [kind(**message) for message in MESSAGES]
    copies = [kind(**message) for message in MESSAGES]
    assert template.render(objects) == template.render(MESSAGES)
    assert objects == copies


def test_renamed_fields_have_the_names_they_are_written_with(template):
    """A msgspec class may call a field otherwise than its JSON does; templates know the JSON."""
    objects = [Renamed(m["role"], m["content"], m.get("tool_calls"), m.get("reasoning_content")) for m in MESSAGES]
    assert template.render(objects) == template.render(MESSAGES)


def test_objects_inside_messages(template):
    """Tool calls may be objects while messages are dicts, and the reverse."""

    class Function(msgspec.Struct):
        name: str
        arguments: str

    @attrs.define
    class Call:
        function: Function
        type: str = "function"

    messages = [{**MESSAGES[1], "tool_calls": [Call(Function("add", '{"a": 1}'))]}]
    assert template.render(messages) == template.render([MESSAGES[1]])
    assert template.render([Data(**messages[0])]) == template.render([MESSAGES[1]])


def test_what_the_openai_client_returns(template):
    """A completion's message goes back into the conversation as it is, beside the dicts the client takes."""
    body = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "logprobs": None,
                "message": {"role": "assistant", "content": None, "refusal": None, "tool_calls": [CALL]},
            }
        ],
    }
    answer = ChatCompletion.model_validate(body).choices[0].message
    assert isinstance(answer, ChatCompletionMessage)
    plain = [MESSAGES[0], {"role": "assistant", "tool_calls": [CALL]}, MESSAGES[2]]
    assert template.render([MESSAGES[0], answer, MESSAGES[2]]) == template.render(plain)


@pytest.mark.parametrize("part", ["text", "image", "audio", "video"])
def test_parts_are_the_templates_own_business(part):
    """A part of any type reaches the template as it was given, with all its keys."""
    template = ChatTemplate.from_string("{% for part in messages[0].content %}{{ part | tojson }}{% endfor %}")
    given = {"type": part, part: "x", "detail": "low"}
    assert template.render([{"role": "user", "content": [given]}]) == str(given).replace("'", '"')


def test_a_wrong_message_is_named():
    """The index of what cannot be a message is in the error, after any number of good ones."""
    with pytest.raises(ValueError, match="message 1 is a int"):
        load("chatml").render([Data("user", "Hi"), 5])
