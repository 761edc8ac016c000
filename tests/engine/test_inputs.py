"""What `ChatTemplate.render` accepts and refuses, and `continue_final_message` with the reference's results and refusals."""

import copy
import dataclasses
from collections import UserDict
from datetime import datetime
from types import MappingProxyType, SimpleNamespace

import pytest

from llm_templates import (
    ChatTemplate,
    Content,
    Conversation,
    InputError,
    RaisedError,
    TemplateRuntimeError,
    TemplatesError,
    VariableError,
)

USER, ANSWER = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}
PRINT = "{% for m in messages %}{{ m | tojson }}{% endfor %}"


def render(source, messages=(USER,), special_tokens=None, now=None, **options):
    messages = list(messages) if isinstance(messages, tuple) else messages
    return ChatTemplate.from_string(source, special_tokens=special_tokens, now=now).render(messages, **options)


# -- conversations --


@dataclasses.dataclass
class Said:
    role: str
    content: str
    name: str | None = None


class Modelled:
    def __init__(self, **fields):
        self.fields = fields

    def model_dump(self):
        return self.fields


ACCEPTED = {
    "dicts": [USER],
    "a tuple of dicts": (USER,),
    "a mapping that is no dict": [MappingProxyType(USER)],
    "a user dict": [UserDict(USER)],
    "our own message": [Content(role="user", content="Hi")],
    "our own conversation": Conversation(messages=[USER]),
    "a dataclass": [Said("user", "Hi")],
    "a model": [Modelled(role="user", content="Hi", name=None)],
    "an object that holds messages": SimpleNamespace(messages=[USER]),
    "an object that holds a tuple": SimpleNamespace(messages=(USER,)),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_conversation_may_be(name):
    """Each of these is a conversation of one message, read as the plain dict it stands for."""
    given = ACCEPTED[name]
    assert ChatTemplate.from_string(PRINT).render(given) == '{"role": "user", "content": "Hi"}'


def test_a_real_pydantic_model_is_a_message():
    """What OpenAI's client returns can be passed on."""
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model(
        "Message", role=(str, ...), content=(str | None, None), tool_calls=(list | None, None)
    )
    given = [USER, model(role="assistant", content="Hello")]
    assert render(PRINT, given) == '{"role": "user", "content": "Hi"}{"role": "assistant", "content": "Hello"}'


REFUSED = {
    "text": ("Hello", "a conversation is a list of messages, not str"),
    "bytes": (b"Hello", "a conversation is a list of messages, not bytes"),
    "one message": (USER, "a conversation is a list of messages, not dict"),
    "nothing": (None, "a conversation is a list of messages, not NoneType"),
    "a number": (5, "a conversation is a list of messages, not int"),
    "a generator": ((message for message in [USER]), "a conversation is a list of messages, not generator"),
    "an empty list": ([], "the conversation is empty"),
    "an empty conversation": (Conversation(messages=[]), "the conversation is empty"),
    "a batch": ([[USER], [USER]], "message 0 is a list: one conversation is rendered at a time"),
    "a later list": ([USER, (USER,)], "message 1 is a tuple"),
    "text among messages": ([USER, "Hello"], "message 1 is a str"),
    "None among messages": ([USER, None], "message 1 is a NoneType"),
    "a number among messages": ([5], "message 0 is a int"),
    "an object among messages": ([USER, object()], "message 1 is a object"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_conversation_may_not_be(name):
    """Anything else is an InputError that says what it is, and which message."""
    given, message = REFUSED[name]
    with pytest.raises(InputError) as caught:
        ChatTemplate.from_string(PRINT).render(given)
    assert caught.value.message.startswith(message)
    assert isinstance(caught.value, ValueError)


def test_messages_may_lack_what_a_template_does_not_read():
    """The engine asks for no key: a template that needs one says so itself."""
    assert render("{{ messages | length }}", [{}]) == "1"
    assert render("{{ messages[0].content }}", [{"content": "x"}]) == "x"
    with pytest.raises(TemplateRuntimeError):
        render("{{ messages[0].role + '!' }}", [{"content": "x"}])


# -- tools and documents --


def test_tools_and_documents_are_lists_of_dicts():
    """What is no list, or no dict in it, is refused with its place."""
    tool = {"type": "function", "function": {"name": "f"}}
    assert (
        render("{{ tools | tojson }}{{ documents }}", tools=[tool])
        == '[{"type": "function", "function": {"name": "f"}}]None'
    )
    assert render("{{ tools }}{{ tools is none }}{{ documents is defined }}") == "NoneTrueTrue"
    assert render("{{ tools }}", tools=[]) == "[]"
    for given, message in [
        ("text", "tools must be a list, not str"),
        ({"a": 1}, "tools must be a list, not dict"),
        ([5], "tools[0] is a int"),
    ]:
        with pytest.raises(InputError) as caught:
            render("{{ tools }}", tools=given)
        assert caught.value.message.startswith(message)
    assert render("{{ documents[0].title }}", documents=[{"title": "One"}]) == "One"


# -- variables --


def test_variables_are_read_by_name():
    """Variables override special tokens, global functions and nothing else."""
    source = "{{ bos_token }}{{ thinking }}{{ eos_token is defined }}"
    assert render(source, variables={"thinking": True}, special_tokens={"bos_token": "<s>"}) == "<s>TrueFalse"
    assert render(source, variables={"thinking": 1, "bos_token": "!"}, special_tokens={"bos_token": "<s>"}) == "!1False"
    assert (
        render(source, variables={"thinking": None, "eos_token": None}, special_tokens={"bos_token": None})
        == "NoneTrue"
    )
    assert render("{{ range }}{{ x }}", variables={"range": "mine", "x": [1, None]}) == "mine[1, None]"


RESERVED = [
    *("messages", "tools", "documents", "add_generation_prompt", "continue_final_message", "chat_template", "tokenize"),
    *("conversation", "conversations"),
]


@pytest.mark.parametrize("name", RESERVED)
@pytest.mark.parametrize("strict", [True, False])
def test_a_reserved_name_is_no_variable(name, strict):
    """Names that mean something to the call are refused, also where unknown ones are not."""
    with pytest.raises(VariableError) as caught:
        render("{{ " + name + " }}", variables={name: 1}, strict=strict)
    assert repr(name) in caught.value.message


def test_an_unknown_variable_is_refused_with_the_nearest_name():
    """A typo is an error; `strict=False` passes it."""
    source = "{% if enable_thinking %}<think>{% endif %}{{ x }}"
    with pytest.raises(VariableError) as caught:
        render(source, variables={"enable_thinkng": True})
    assert "enable_thinking" in caught.value.hint
    assert render(source, variables={"enable_thinkng": True}, strict=False) == ""
    with pytest.raises(VariableError) as caught:
        render(source, variables={"nothing_like_it": True})
    assert "enable_thinking, x" in caught.value.hint


def test_the_template_says_what_it_reads():
    """`variables` lists the names in reading order, without what the call gives."""
    template = ChatTemplate.from_string(
        "{{ bos_token }}{{ b }}{% for m in messages %}{{ m.a }}{{ a }}{% set c = d %}{{ c }}{% endfor %}{{ range(3) }}{{ tools }}"
    )
    assert template.variables == ("b", "a", "d")


def test_the_clock_is_a_parameter():
    """`now` is what `strftime_now` tells; without it, the time of the render."""
    source = "{{ strftime_now('%d %B %Y') }}"
    assert render(source, now=datetime(2024, 7, 26)) == "26 July 2024"
    assert render(source) == datetime.now().strftime("%d %B %Y")


def test_what_the_template_raises_is_its_own():
    """`raise_exception` gives a RaisedError with the words of the template."""
    with pytest.raises(RaisedError) as caught:
        render("\n{{ raise_exception('Only ' ~ messages | length ~ ' message') }}")
    assert caught.value.message == "Only 1 message"
    assert caught.value.line == 2


# -- continue_final_message --

TEMPLATES = {
    "plain": "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}",
    "trims": "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</s>{% endfor %}",
    "strips": "{% for m in messages %}<{{ m.role }}>{{ m['content'].strip() + '\n' }}</s>{% endfor %}",
    "no end": "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}",
    "spaces around": "{% for m in messages %}<{{ m.role }}> {{ m.content }} </s>{% endfor %}",
    "upper": "{% for m in messages %}<{{ m.role }}>{{ m.content | upper }}</s>{% endfor %}",
    "escapes": "{% for m in messages %}<{{ m.role }}>{{ m.content | e }}</s>{% endfor %}",
    "drops the last": "{% for m in messages[:-1] %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}",
    "twice": "{% for m in messages %}<{{ m.role }}>{{ m.content }}|{{ m.content }}</s>{% endfor %}",
    "cuts": "{% for m in messages %}<{{ m.role }}>{{ m.content[:12] }}</s>{% endfor %}",
    "length": "{% for m in messages %}<{{ m.content | length }}>{{ m.content }}</s>{% endfor %}",
    "JSON": "{{ messages | tojson }} content",
    "parts": "{% for m in messages %}<{{ m.role }}>{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}"
    "{{ p.text if p.text is defined else '[' ~ p.type ~ ']' }}{% endfor %}{% endif %}</s>{% endfor %}",
    "parts trimmed": "{% for m in messages %}{% for p in m.content %}{{ p.text | trim if p.text is defined }}{% endfor %};{% endfor %}",
    "reasoning": "{% for m in messages %}<{{ m.role }}>{% if m.reasoning_content %}[{{ m.reasoning_content }}]{% endif %}{{ m.content }}</s>{% endfor %}",
    "thinking": "{% for m in messages %}<{{ m.role }}>[{{ m.thinking }}]{{ m.content }}</s>{% endfor %}",
    "splits thinking": "{% for m in messages %}<{{ m.role }}>{{ m.content.split('</think>')[-1] }}</s>{% endfor %}",
    "another field": "{% for m in messages %}<{{ m.role }}>{{ m.prefix }}{{ m.content }}</s>{% endfor %}",
    "reads no content": "{% for m in messages %}<{{ m.role }}>{% endfor %}",
    "raises": "{{ raise_exception('no content') }}",
    "fails": "{{ messages[-1].content.nothing.at.all }}",
}
FINALS = {
    "text": {"role": "assistant", "content": "Sure, here"},
    "trailing blank": {"role": "assistant", "content": "Sure, here "},
    "trailing newlines": {"role": "assistant", "content": "Sure\n\n"},
    "leading blank": {"role": "assistant", "content": "  Sure"},
    "empty": {"role": "assistant", "content": ""},
    "blank": {"role": "assistant", "content": "   "},
    "None": {"role": "assistant", "content": None},
    "no content": {"role": "assistant"},
    "a user's": {"role": "user", "content": "And then"},
    "a number": {"role": "assistant", "content": 5},
    "a mapping": {"role": "assistant", "content": {"text": "x"}},
    "no parts": {"role": "assistant", "content": []},
    "one part": {"role": "assistant", "content": [{"type": "text", "text": "Sure"}]},
    "two parts": {"role": "assistant", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B "}]},
    "an image last": {"role": "assistant", "content": [{"type": "text", "text": "A"}, {"type": "image"}]},
    "images only": {"role": "assistant", "content": [{"type": "image"}]},
    "a tuple of parts": {"role": "assistant", "content": ({"type": "text", "text": "A"},)},
    "parts of text": {"role": "assistant", "content": ["some text", "other"]},
    "parts of text without the word": {"role": "assistant", "content": ["abc"]},
    "a part without text": {"role": "assistant", "content": [{"type": "text", "text": None}]},
    "thinking in text": {"role": "assistant", "content": "<think>hm</think>Sure"},
    "reasoning": {"role": "assistant", "content": "Sure", "reasoning_content": "Let me"},
    "reasoning under another name": {"role": "assistant", "content": "Sure", "reasoning": "Let me "},
    "reasoning under two names": {"role": "assistant", "content": "x", "thinking": "A", "reasoning_content": "B"},
    "a prefix": {"role": "assistant", "content": "Sure", "prefix": "Pre "},
    "markup characters": {"role": "assistant", "content": "a < b & 'c'"},
    "the mark itself": {"role": "assistant", "content": "CONTINUE_FINAL_MESSAGE_TAG"},
    "the mark twice": {"role": "assistant", "content": "CONTINUE_FINAL_MESSAGE_TAG x CONTINUE_FINAL_MESSAGE_TAG "},
    "an enum": {"role": "assistant", "content": "Sure", "thinking": "", "reasoning": "r"},
}
FIELDS = [True, "content", "reasoning_content", "thinking", "reasoning", "prefix", "role", "nothing"]


def reference(source, messages, field):
    """What the tokenizer gives: keys without a value dropped, then transformers' own render; None where it raises."""
    render_jinja_template = pytest.importorskip("transformers.utils.chat_template_utils").render_jinja_template
    kept = [{key: value for key, value in message.items() if value is not None} for message in copy.deepcopy(messages)]
    try:
        (text,), _ = render_jinja_template([kept], chat_template=source, continue_final_message=field)
    except Exception:
        return None
    return text


@pytest.mark.parametrize("final", FINALS)
@pytest.mark.parametrize("name", TEMPLATES)
def test_continuing_the_final_message_is_the_references(name, final):
    """Equal text, and refused where the reference refuses, for every field."""
    source, messages = TEMPLATES[name], [USER, copy.deepcopy(FINALS[final])]
    for field in FIELDS:
        before = copy.deepcopy(messages)
        expected = reference(source, messages, field)
        try:
            text = ChatTemplate.from_string(source).render(messages, continue_final_message=field)
        except TemplatesError:
            text = None
        assert text == expected, field
        assert messages == before


def test_refusals_to_continue_say_why():
    """Each is an InputError in words of its own; what the template raises stays a RaisedError."""
    cases = [
        ("plain", {"role": "assistant"}, True, "has no 'content' to continue"),
        ("plain", FINALS["text"], "reasoning", "has no 'reasoning' to continue"),
        ("reads no content", FINALS["text"], True, "never reads"),
        ("upper", FINALS["text"], True, "does not appear in the prompt"),
        ("plain", FINALS["images only"], True, "no text part"),
        ("plain", FINALS["a number"], True, "has no text to continue"),
    ]
    for name, final, field, words in cases:
        with pytest.raises(InputError) as caught:
            render(TEMPLATES[name], [USER, final], continue_final_message=field)
        assert words in caught.value.message
    with pytest.raises(RaisedError, match="no content"):
        render(TEMPLATES["raises"], [USER, ANSWER], continue_final_message=True)
    with pytest.raises(InputError, match="exclude each other"):
        render(TEMPLATES["plain"], [USER, ANSWER], continue_final_message=True, add_generation_prompt=True)


def test_continuing_works_for_any_kind_of_message():
    """Our own messages, dataclasses and models are continued like dicts."""
    for final in (
        Content(role="assistant", content="Sure "),
        Said("assistant", "Sure "),
        Modelled(role="assistant", content="Sure "),
    ):
        assert render(TEMPLATES["plain"], [USER, final], continue_final_message=True) == "<user>Hi</s><assistant>Sure "
    conversation = Conversation(messages=[USER, {"role": "assistant", "content": "Sure "}])
    assert render(TEMPLATES["plain"], conversation, continue_final_message=True) == "<user>Hi</s><assistant>Sure "


@pytest.mark.parametrize("value", [True, False, 1, 0, "yes", "", None, [], 0.0])
def test_add_generation_prompt_is_passed_as_it_is(value):
    """The template sees what was given, as in the reference."""
    source = "{{ add_generation_prompt }}{% if add_generation_prompt %}!{% endif %}"
    render_jinja_template = pytest.importorskip("transformers.utils.chat_template_utils").render_jinja_template
    (expected,), _ = render_jinja_template([[USER]], chat_template=source, add_generation_prompt=value)
    assert render(source, add_generation_prompt=value) == expected
