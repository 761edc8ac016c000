"""A prompt that knows where it came from: segments, origins, what never reached it."""

import copy
import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_templates import ChatTemplate, InputError, load

TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "  One?\n", "name": "Ann"},
    {"role": "assistant", "content": "1."},
]
LINES = """{%- for m in messages %}
<|{{ m.role }}|>
{{ m.content | trim }}<|end|>
{%- endfor %}"""


def lines(prompt):
    return [(s.text, str(s.origin), s.owner) for s in prompt.segments]


def test_segments_say_who_wrote_what():
    """Template text with its line, input with its place, even where white space was cut off."""
    template = ChatTemplate.from_string(LINES)
    assert lines(template.trace(TALK[1:2])) == [
        ("<|", "template line 2", 0),
        ("user", "messages[0].role", 0),
        ("|>\n", "template line 2", 0),
        ("One?", "messages[0].content, character 2", 0),
        ("<|end|>", "template line 3", 0),
    ]


def test_the_origin_of_a_character():
    """The place in the input that one character came from; beyond the prompt there is none."""
    prompt = load("gemma").trace(TALK[1:])
    at = str(prompt).index("One?") + 2
    origin = prompt.origin_at(at)
    assert (origin.kind, origin.index, origin.path, origin.start) == ("message", 0, "content", 4)
    assert prompt.origin_at(0).path == "bos_token"
    assert prompt.origin_at(0).is_template
    for beyond in (-1, len(prompt)):
        with pytest.raises(IndexError, match="characters, none at"):
            prompt.origin_at(beyond)


def test_what_never_reached_the_prompt():
    """Every text that the template left out, by its place, in the order of the input."""
    tools = [
        {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object"}}}
    ]
    talk = [*TALK, {"role": "tool", "content": "2", "tool_call_id": "x"}]
    prompt = load("zephyr").trace(talk, tools=tools, documents=[{"title": "T", "text": "D"}])
    assert [str(origin) for origin in prompt.dropped] == [
        "documents[0].text",
        "documents[0].title",
        "messages[1].name",
        "messages[3].content",
        "messages[3].tool_call_id",
        "tools[0].function.description",
        "tools[0].function.name",
    ]
    assert load("chatml").trace(TALK[:1]).dropped == []


def test_the_document_is_json():
    """Programs get the same as plain data."""
    document = load("zephyr").trace(TALK).to_json()
    assert json.loads(json.dumps(document)) == document
    assert "".join(segment["text"] for segment in document["segments"]) == document["text"]
    assert document["dropped"] == ["messages[1].name"]
    assert [s["text"] for s in document["segments"] if s["sampled"]] == ["1.", "</s>"]


def test_one_object_in_two_places():
    """Where identity cannot tell two places apart, the right one is found all the same."""
    text = "".join(["the same ", "object"])
    talk = [{"role": "user", "content": text}, {"role": "assistant", "content": text, "reasoning_content": text}]
    source = "{% for m in messages %}{{ m.content }}|{{ m.reasoning_content }}|{% endfor %}{{ messages[0].content }}"
    prompt = ChatTemplate.from_string(source).trace(talk)
    assert [str(s.origin) for s in prompt.segments if s.text == text] == [
        "messages[0].content",
        "messages[1].content",
        "messages[1].reasoning_content",
        "messages[0].content",
    ]


def test_one_message_twice():
    """The same dict may stand in a conversation more than once."""
    hello = {"role": "user", "content": "Hello again, hello!"}
    prompt = load("chatml").trace([hello, {"role": "assistant", "content": "Hi."}, hello])
    assert [s.origin.index for s in prompt.segments if s.text == hello["content"]] == [0, 2]
    assert [s.owner for s in prompt.segments if s.text == hello["content"]] == [0, 2]


@dataclasses.dataclass
class Message:
    role: str
    content: object


def test_messages_that_are_objects():
    """Their fields are the places."""
    prompt = load("chatml").trace([Message("user", "Hello, object!")])
    assert [str(s.origin) for s in prompt.segments if s.text == "Hello, object!"] == ["messages[0].content"]


def test_numbers_of_the_input_and_of_the_template():
    """A counter is the template's own; a number that was passed is input, even where both are the same."""
    source = "{% for m in messages %}{{ loop.index }}:{{ m.count }}:{{ m.parts | tojson }} {% endfor %}"
    talk = [{"role": "user", "count": 1, "parts": {"n": [1, 2.5, True, None]}}]
    prompt = ChatTemplate.from_string(source).trace(talk)
    assert str(prompt) == '1:1:{"n": [1, 2.5, true, null]} '
    found = [(s.text, str(s.origin)) for s in prompt.segments if not s.origin.is_template]
    assert found == [
        ("1", "messages[0].count"),
        ("n", "the key messages[0].parts.n"),
        ("1", "messages[0].parts.n[0]"),
        ("2.5", "messages[0].parts.n[1]"),
        ("true", "messages[0].parts.n[2]"),
        ("null", "messages[0].parts.n[3]"),
    ]


def test_a_continued_message_is_traced():
    """The prompt is the one that is rendered, and ends inside the message."""
    talk = [TALK[1], {"role": "assistant", "content": "It is"}]
    prompt = load("zephyr").trace(talk, continue_final_message=True)
    assert str(prompt) == load("zephyr").render(talk, continue_final_message=True)
    assert prompt.segments[-1].text == "It is"
    assert "".join(s.text for s in prompt.segments) == str(prompt)


def test_errors_are_those_of_rendering():
    """A template refuses and fails alike, traced or not."""
    with pytest.raises(InputError, match="the conversation is empty"):
        load("zephyr").trace([])
    with pytest.raises(Exception, match="System role not supported"):
        load("gemma").trace(TALK)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, width=16)
    | st.text("ab {}\"'\n\\é", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abé ", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["content", "name", "reasoning", "tool_calls"]), VALUES), min_size=1, max_size=3
    )
)
def test_any_input_is_traced_and_left_as_it_was(messages):
    """The text is the plain one, the segments join to it, and the caller's objects are not changed."""
    source = "{% for m in messages %}{{ m.content }}{{ m | tojson }}{{ m.name ~ m.reasoning_content }}{{ m.tool_calls }}{% endfor %}"
    template = ChatTemplate.from_string(source)
    before = copy.deepcopy(messages)
    prompt = template.trace(messages)
    assert str(prompt) == template.render(messages)
    assert "".join(segment.text for segment in prompt.segments) == str(prompt)
    assert messages == before


def test_words_that_are_the_same_object_as_a_role():
    """A role may stand in a marker; words that happen to be the same object are told apart from it."""
    word = "user"
    source = "{% for m in messages %}<|{{ m.role }}|>{{ '<|' ~ m.content ~ '|>' }}{% endfor %}"
    prompt = ChatTemplate.from_string(source).trace([{"role": word, "content": word}])
    assert [str(s.origin) for s in prompt.segments if s.text == word] == ["messages[0].role", "messages[0].content"]
    nested = "{% for m in messages %}<|{{ m.role }}|><|{{ m.parts[0] }}|>{% endfor %}"
    prompt = ChatTemplate.from_string(nested).trace([{"role": word, "parts": [word]}])
    assert [str(s.origin) for s in prompt.segments if s.text == word] == ["messages[0].role", "messages[0].parts[0]"]


def test_what_was_dropped_has_the_name_it_was_given_under():
    """Also where copies with marks, which know reasoning by all of its names, had to tell two places apart."""
    text = "".join(["the same ", "object"])
    talk = [{"role": "assistant", "content": text, "name": text, "reasoning": "Never written."}]
    prompt = ChatTemplate.from_string("{% for m in messages %}{{ m.content }}{% endfor %}").trace(talk)
    assert [str(origin) for origin in prompt.dropped] == ["messages[0].name", "messages[0].reasoning"]
