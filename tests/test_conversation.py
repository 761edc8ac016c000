"""Content and Conversation: values that keep what they were given and nothing else."""

import copy
import pickle
from types import MappingProxyType

import pytest

from llm_templates import Content, Conversation, InputError, load

MESSAGES = [
    {"role": "user", "content": "Hello!", "name": "Ada"},
    {"content": None, "role": "assistant", "tool_calls": [{"function": {"name": "add", "arguments": {"a": 1}}}]},
]


def test_fields_are_kept_as_given_and_in_their_order():
    """What was given comes out, in the order it was given in; templates print whole messages."""
    for message in MESSAGES:
        made = Content.from_message(message)
        assert list(made.as_message().items()) == list(message.items())
        assert Content(**message).as_message() == message


def test_a_field_that_was_not_given_is_absent():
    """Templates ask whether a key exists, so a default would change prompts."""
    message = Content(role="assistant", tool_calls=[])
    assert message.as_message() == {"role": "assistant", "tool_calls": []}
    assert message.content is None
    assert Content("assistant", None).as_message() == {"role": "assistant", "content": None}


def test_other_fields_are_attributes():
    """A field is read like `role`; one that is not there is an AttributeError, and a method stays a method."""
    message = Content("user", "Hello!", name="Ada", as_message="a field", self="another")
    assert (message.role, message.content, message.name) == ("user", "Hello!", "Ada")
    assert message.as_message()["as_message"] == "a field"
    assert message.as_message()["self"] == "another"
    with pytest.raises(AttributeError, match="no field 'tool_calls'"):
        _ = message.tool_calls


def test_a_message_is_a_value():
    """Equal fields make equal messages; copies and pickles are equal, too."""
    message = Content("user", "Hello!", name="Ada")
    assert message == Content.from_message({"name": "Ada", "role": "user", "content": "Hello!"})
    assert message != Content("user", "Hello!")
    assert message != {"role": "user", "content": "Hello!", "name": "Ada"}
    assert copy.deepcopy(message) == pickle.loads(pickle.dumps(message)) == message
    assert repr(message) == "Content(role='user', content='Hello!', name='Ada')"


def test_a_conversation_holds_content_objects():
    """Mappings become Content objects; Content objects stay themselves."""
    first = Content("user", "Hello!")
    conversation = Conversation("zephyr", [first, MESSAGES[1], MappingProxyType(MESSAGES[0])])
    assert conversation.model == "zephyr"
    assert conversation.messages[0] is first
    assert [message.role for message in conversation.messages] == ["user", "assistant", "user"]
    assert all(isinstance(message, Content) for message in conversation.messages)


def test_a_conversation_is_a_value():
    """Equal models and messages make equal conversations."""
    conversation = Conversation("zephyr", MESSAGES)
    assert conversation == Conversation(model="zephyr", messages=tuple(MESSAGES))
    assert conversation != Conversation("zephyr", MESSAGES[:1])
    assert copy.deepcopy(conversation) == pickle.loads(pickle.dumps(conversation)) == conversation
    assert repr(Conversation("zephyr")) == "Conversation(model='zephyr', messages=[])"


def test_what_the_caller_passed_is_never_changed():
    """Neither the list nor a message nor what is in it."""
    messages = copy.deepcopy(MESSAGES)
    conversation = Conversation("chatml", messages)
    conversation.messages.append(Content("user", "more"))
    conversation.messages[0].as_message()["content"] = "changed"
    load("chatml").render(conversation.messages[:1])
    assert messages == MESSAGES


def test_a_conversation_renders_like_its_mappings():
    """The renderer takes the conversation, its messages, or the mappings they were made from."""
    template = load("chatml")
    expected = template.render(MESSAGES[:1])
    conversation = Conversation("chatml", MESSAGES[:1])
    assert template.render(conversation) == template.render(conversation.messages) == expected


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ("Hello!", "messages must be a list of messages, not str"),
        ({"role": "user"}, "messages must be a list of messages, not dict"),
        (None, "messages must be a list of messages, not NoneType"),
        ([{"role": "user"}, "Hello!"], "messages[1] must be a Content or a mapping, not str"),
        ([{"content": "Hello!"}], "messages[0] has no role"),
        ([{"role": None, "content": "Hello!"}], "messages[0]: the role must be text, not NoneType"),
        ([{"role": "user", 5: "Hello!"}], "messages[0] has a key that is not text: 5"),
    ],
)
def test_a_wrong_message_is_named(messages, words):
    """The error says which message is wrong and how."""
    with pytest.raises(InputError) as caught:
        Conversation("zephyr", messages)
    assert caught.value.message == words


def test_the_role_of_a_single_message_must_be_text():
    """A message that is made by itself is checked, too."""
    with pytest.raises(InputError, match="the message: the role must be text, not int"):
        Content(role=5)


def test_messages_are_appended_one_after_the_other():
    """`append_prompt` takes a role and a text, or a message, and gives the conversation back."""
    conversation = Conversation("zephyr")
    assert conversation.append_prompt("user", "Hello!") is conversation
    conversation.append_prompt(role="assistant", message="Hi.").append_prompt(content=Content("user", "Bye."))
    conversation.append_prompt(content={"role": "assistant", "content": "Bye."})
    assert [message.role for message in conversation.messages] == ["user", "assistant", "user", "assistant"]
    assert conversation.messages[3] == Content("assistant", "Bye.")


def test_an_appended_message_is_checked():
    """Nothing at all, and something that is no message, are refused."""
    with pytest.raises(InputError, match="append_prompt needs a role and a message"):
        Conversation("zephyr").append_prompt(message="Hello!")
    with pytest.raises(InputError, match="content must be a Content or a mapping, not str"):
        Conversation("zephyr").append_prompt(content="Hello!")
