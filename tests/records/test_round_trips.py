"""The law of records: what a format has a place for is written and read back the same."""

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_templates import InputError
from llm_templates.records import FORMATS, convert
from llm_templates.records.example import Example, Stretch
from llm_templates.records.notes import Notes
from llm_templates.records.transcript import TURN

from .strategies import TOOL, examples

CHAT = {"system", "calls", "reasoning", "tools", "open", "extras"}
#: What each format has a place for, and what it is a record of. Ids of calls are numbered here as they are filled in.
CARRIED = {
    "openai": (CHAT | {"developer", "weights", "variables"}, ("conversation", "unpaired", "preference")),
    "responses": (CHAT | {"developer"}, ("conversation",)),
    "anthropic": (CHAT, ("conversation",)),
    "sharegpt": (CHAT | {"weights", "variables"}, ("conversation", "unpaired", "preference")),
    "alpaca": ({"system", "extras"}, ("conversation", "unpaired", "preference")),
    "prompt-completion": (CHAT - {"open"} | {"developer", "variables"}, ("completion",)),
    "preference": (CHAT | {"variables"}, ("preference",)),
    "kto": (CHAT | {"variables"}, ("unpaired",)),
    "hh": ({"open", "extras"}, ("conversation", "preference")),
    "trl": (CHAT | {"developer", "weights", "variables"}, ("conversation", "completion", "unpaired", "preference")),
    "swift": (CHAT | {"weights", "variables"}, ("conversation", "unpaired", "preference")),
    "gradio": ({"system", "tools", "open", "extras"}, ("conversation",)),
    "gradio-pairs": ({"open"}, ("conversation",)),
    "harmony": (CHAT - {"system"} | {"developer", "names", "variables"}, ("conversation",)),
    "langchain": (CHAT, ("conversation",)),
    "llamaindex": (CHAT | {"developer"}, ("conversation",)),
    "haystack": (CHAT | {"names"}, ("conversation",)),
}
CASES = [(name, kind) for name, (_, kinds) in CARRIED.items() for kind in kinds]
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def plain(example):
    """The example with its extras and everything else comparable, whatever order its keys have."""
    return example.messages, example.answers, example.tools, example.variables, example.extras, example.texts


def test_every_format_is_in_the_table():
    """What is no conversation is tested below."""
    assert set(FORMATS) - set(CARRIED) == {"text", "segments"}


@pytest.mark.parametrize(("name", "kind"), CASES)
@FEW
@given(data=st.data())
def test_what_is_written_is_read_back(name, kind, data):
    """read(write(example)) == example, nothing is lost, and the example stays as it was."""
    example = data.draw(examples(CARRIED[name][0], kind))
    if name == "hh" and any(TURN.search(message["content"]) for message in example.turns):
        return
    before = copy.deepcopy(example)
    record = FORMATS[name].write(example, Notes(strict=True))
    assert plain(FORMATS[name].read(copy.deepcopy(record), Notes())) == plain(example)
    assert example == before


@pytest.mark.parametrize("name", [name for name, (_, kinds) in CARRIED.items() if "conversation" in kinds])
@FEW
@given(data=st.data())
def test_what_is_written_is_detected(name, data):
    """A record of any format becomes the chat record it was made from, without naming its format."""
    example = data.draw(examples(CARRIED[name][0] - {"weights"}, "conversation"))
    chat = FORMATS["openai"].write(example, Notes())
    if name == "hh" and any(TURN.search(message["content"]) for message in example.turns):
        return
    assert convert(convert(chat, to=name).record).record == chat


@FEW
@given(st.lists(st.builds(Stretch, st.text(), st.booleans()), min_size=1, max_size=4))
def test_segments_are_read_back(stretches):
    """Text in segments keeps its labels."""
    example = Example(texts=tuple(stretches))
    assert FORMATS["segments"].read(FORMATS["segments"].write(example, Notes()), Notes()) == example


@FEW
@given(st.text(), st.sampled_from(({}, {"row": 7, "by": {"whom": None}})), st.sampled_from((None, [TOOL])))
def test_text_is_read_back(text, extras, tools):
    """Any text, with what stands beside it."""
    example = Example(texts=(Stretch(text),), extras=extras, tools=tools)
    record = FORMATS["text"].write(example, Notes())
    assert record["text"] == text
    assert FORMATS["text"].read(record, Notes()) == example
    assert convert(record, to="text").record == record


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "messages",
    "conversations",
    "system",
    "prompt",
    "completion",
    "chosen",
    "rejected",
    "label",
    "text",
    "segments",
    "instruction",
    "output",
    "input",
    "history",
    "tools",
    "images",
    "preferred_output",
    "non_preferred_output",
    "rejected_response",
    "kto_tag",
    "chat_template_kwargs",
    "loss_mask",
]
FIELDS = [
    "role",
    "content",
    "from",
    "value",
    "type",
    "text",
    "data",
    "kwargs",
    "lc",
    "tool_calls",
    "function",
    "name",
    "arguments",
    "id",
    "tool_call_id",
    "weight",
    "train",
    "reasoning_content",
    "blocks",
    "block_type",
    "additional_kwargs",
    "meta",
    "_role",
    "_content",
    "channel",
    "recipient",
    "author",
    "call_id",
    "output",
    "tool_call",
    "tool_call_result",
    "reasoning",
    "origin",
    "image",
    "image_url",
    "source",
    "thinking",
    "metadata",
    "file",
    "path",
    "system_content",
    "tools",
]
ODD = JSON | st.sampled_from(
    ("user", "assistant", "tool", "human", "function_call", "{}", "[]", "thinking", "tool_use")
)
THINGS = st.recursive(
    ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    record=st.dictionaries(st.sampled_from(KEYS), THINGS, max_size=4) | THINGS, source=st.sampled_from((None, *FORMATS))
)
def test_a_record_that_cannot_be_read_is_an_input_error(record, source):
    """Whatever the record is, nothing but an InputError comes of it, and it stays as it was."""
    before = copy.deepcopy(record)
    try:
        convert(record, source=source)
    except InputError as error:
        assert str(error)
    assert repr(record) == repr(before)
