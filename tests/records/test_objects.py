"""Messages that are objects: of this library, of frameworks, and of classes that look like theirs."""

import dataclasses
import enum
import pickle

import pytest

from llm_templates import Content, Conversation
from llm_templates.records import Remark, convert

HI = {"role": "user", "content": "Hi"}
ASKED = {
    "role": "assistant",
    "content": "Let me look.",
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}],
}
FOUND = {"role": "tool", "content": "x", "tool_call_id": "c1"}


def test_our_own_objects():
    """A conversation, or a list of its messages."""
    conversation = Conversation("zephyr", [Content("user", "Hi"), Content("assistant", "Hello")])
    assert convert(conversation).record == {
        "messages": [HI, {"role": "assistant", "content": "Hello"}],
        "model": "zephyr",
    }
    assert convert(conversation.messages).record["messages"][0] == HI


def test_objects_of_openai():
    """What the client returns can be put into a record."""
    chat = pytest.importorskip("openai.types.chat")
    message = chat.ChatCompletionMessage.model_validate(ASKED)
    assert convert([HI, message, FOUND]).record["messages"][1] == ASKED


class Base:
    """Looks like a model of pydantic: fields, and a dump of all of them."""

    def __init__(self, **fields):
        self.__dict__.update(fields)

    def model_dump(self):
        return dict(self.__dict__)


class HumanMessage(Base):
    """As LangChain has it."""

    def __init__(self, content):
        super().__init__(content=content, additional_kwargs={}, response_metadata={}, type="human", name=None, id=None)


class AIMessage(Base):
    """As LangChain has it."""

    def __init__(self, content, tool_calls=()):
        more = {"additional_kwargs": {}, "response_metadata": {}, "name": None, "id": None, "usage_metadata": None}
        super().__init__(content=content, type="ai", tool_calls=list(tool_calls), invalid_tool_calls=[], **more)


class ToolMessage(Base):
    """As LangChain has it."""

    def __init__(self, content, tool_call_id):
        super().__init__(
            content=content, type="tool", tool_call_id=tool_call_id, artifact=None, status="success", name=None
        )


def test_objects_that_look_like_langchain():
    """By their dumps, without LangChain."""
    calls = [{"name": "look", "args": {"at": 1}, "id": "c1", "type": "tool_call"}]
    conversion = convert([HumanMessage("Hi"), AIMessage("Let me look.", calls), ToolMessage("x", "c1")])
    assert conversion.source == "langchain"
    assert conversion.record["messages"] == [HI, ASKED, FOUND]


class Role(str, enum.Enum):
    """As LlamaIndex has it."""

    USER = "user"
    ASSISTANT = "assistant"


def test_objects_that_look_like_llamaindex():
    """Roles are an enumeration, images bytes in base64."""
    blocks = [
        {"block_type": "text", "text": "Hi"},
        {"block_type": "image", "image": b"iVBORw0KGgo=", "image_mimetype": "image/png", "url": None},
    ]
    message = Base(role=Role.USER, additional_kwargs={}, blocks=[Base(**block) for block in blocks])
    conversion = convert([message])
    assert conversion.source == "llamaindex"
    assert conversion.record["messages"][0]["content"] == [
        {"type": "text", "text": "Hi"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]


@dataclasses.dataclass
class ChatMessage:
    """As Haystack has it: fields with underscores, and a dump that has none."""

    _role: Role
    _content: list
    _name: str | None = None
    _meta: dict = dataclasses.field(default_factory=dict)

    def to_dict(self):
        return {
            "role": self._role.value,
            "meta": self._meta,
            "name": self._name,
            "content": [{"text": text} for text in self._content],
        }


def test_objects_that_look_like_haystack():
    """Their own dump is asked for."""
    conversion = convert([ChatMessage(Role.USER, ["Hi"]), ChatMessage(Role.ASSISTANT, ["Hello"])])
    assert (conversion.source, conversion.record["messages"][0]) == ("haystack", HI)


@dataclasses.dataclass
class Turn:
    """A message of anybody's own."""

    role: str
    content: str


def test_dataclasses():
    """Their fields are the keys."""
    assert convert([Turn("user", "Hi")]).record == {"messages": [HI]}


def test_rows_of_numpy():
    """Parquet read by pandas has arrays in place of lists."""
    numpy = pytest.importorskip("numpy")
    row = {
        "messages": numpy.array(
            [HI, {"role": "assistant", "content": "Hello", "weight": numpy.float64(0.5)}], dtype=object
        )
    }
    made = convert(row).record["messages"][1]
    assert made["weight"] == 0.5
    assert type(made["weight"]) is float


def test_arrays_of_pixels_stay_what_they_are():
    """An image may be an array, which is no list of lists of numbers."""
    numpy = pytest.importorskip("numpy")
    pixels = numpy.zeros((2, 2, 3))
    content = [{"type": "image"}, {"type": "text", "text": "Hi"}]
    assert (
        convert({"messages": [{"role": "user", "content": content}], "images": [pixels]}).record["images"][0] is pixels
    )


def test_what_is_converted_shares_nothing_with_what_was_given():
    """Changing the one does not change the other."""
    record = {
        "messages": [HI],
        "tools": [{"type": "function", "function": {"name": "look", "parameters": {}}}],
        "row": {"id": 7},
    }
    made = convert(record).record
    made["row"]["id"] = 8
    made["messages"][0]["content"] = "Ho"
    made["tools"][0]["function"]["parameters"]["type"] = "object"
    assert record["row"] == {"id": 7}
    assert HI["content"] == "Hi"
    assert record["tools"][0]["function"]["parameters"] == {}


def test_conversions_can_be_pickled():
    """They travel between workers."""
    conversion = convert([{"from": "human", "value": "Hi"}])
    assert pickle.loads(pickle.dumps(conversion)) == conversion
    assert isinstance(conversion.report[0], Remark)
