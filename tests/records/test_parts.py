"""Parts of content: every spelling of a medium, the order of what a message holds, and what becomes of it as text."""

import pathlib

import pytest

from llm_templates.records import convert

PNG = "iVBORw0KGgo="
URL = f"data:image/png;base64,{PNG}"
HELLO = {"role": "assistant", "content": "Hello"}


def read(part, **fields):
    """What a part becomes in a chat record."""
    made = convert({"messages": [{"role": "user", "content": [part]}], **fields}).record
    return made["messages"][0]["content"][0]


@pytest.mark.parametrize(
    ("part", "address"),
    [
        ({"type": "image_url", "image_url": {"url": "cat.png"}}, "cat.png"),
        ({"type": "image_url", "image_url": "cat.png"}, "cat.png"),
        ({"type": "image_url", "value": "cat.png"}, "cat.png"),
        ({"type": "input_image", "image_url": "cat.png"}, "cat.png"),
        ({"type": "image", "url": "cat.png"}, "cat.png"),
        ({"type": "image", "path": "cat.png"}, "cat.png"),
        ({"type": "image", "image": "cat.png"}, "cat.png"),
        ({"type": "image", "image": {"bytes": None, "path": "cat.png"}}, "cat.png"),
        ({"type": "image", "path": pathlib.PurePosixPath("cat.png")}, "cat.png"),
        ({"type": "image", "base64": PNG}, URL),
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}, URL),
        ({"type": "image", "source": {"type": "base64", "data": PNG}}, URL),
        ({"type": "image", "source": {"type": "url", "url": "cat.png"}}, "cat.png"),
    ],
)
def test_every_spelling_of_an_image_is_one(part, address):
    """The address, or the data as one."""
    assert read(part) == {"type": "image_url", "image_url": {"url": address}}


def test_audio_and_video_have_their_own_columns():
    """As images do."""
    assert read({"type": "video"}, videos=["a.mp4"]) == {"type": "video_url", "video_url": {"url": "a.mp4"}}
    record = {"messages": [{"role": "user", "content": [{"type": "audio_url", "audio_url": {"url": "a.wav"}}]}]}
    assert convert(record, to="trl").record["audios"] == ["a.wav"]


def test_data_of_an_unknown_kind_stays_in_a_column():
    """A URL would need its type."""
    made = convert({"messages": [{"role": "user", "content": [{"type": "image", "base64": "AAAA"}]}]}).record
    assert made == {"messages": [{"role": "user", "content": [{"type": "image"}]}], "images": ["AAAA"]}


def test_media_without_a_place_stay_in_their_column():
    """Nothing says where in the text they stand."""
    conversion = convert({"messages": [{"role": "user", "content": "Hi"}], "images": ["cat.png"]})
    assert conversion.record["images"] == ["cat.png"]
    assert "kept: media of which nothing marks where they stand (images)" in map(str, conversion.report)


def test_parts_nobody_knows_are_kept():
    """With a remark."""
    conversion = convert({"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]})
    assert conversion.record["messages"][0]["content"] == [{"type": "input_audio", "input_audio": {}}]
    assert [str(remark) for remark in conversion.report] == [
        "kept: a part of the type 'input_audio' (messages[0].content[0])"
    ]


def test_texts_without_a_type_are_text():
    """Mere texts in a list, and objects with nothing but a text."""
    made = convert([{"role": "user", "content": ["Hi", {"text": "Ho"}]}]).record["messages"][0]["content"]
    assert made == [{"type": "text", "text": "Hi"}, {"type": "text", "text": "Ho"}]
    assert convert([{"role": "user", "content": {"type": "text", "text": "Hi"}}]).record["messages"][0]["content"] == [
        {"type": "text", "text": "Hi"}
    ]


def test_the_order_of_reasoning_words_and_calls_is_reported():
    """Messages have one order for them; where it was another one, the report says so."""
    call = {"type": "tool_use", "id": "a", "name": "look", "input": {}}
    parts = [
        {"type": "thinking", "thinking": "One."},
        {"type": "text", "text": "Hello", "citations": [1]},
        {"type": "thinking", "thinking": "Two."},
        call,
        {"type": "text", "text": "Bye"},
    ]
    conversion = convert([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": parts}])
    message = conversion.record["messages"][1]
    assert message["reasoning_content"] == "One.\n\nTwo."
    assert [part["text"] for part in message["content"]] == ["Hello", "Bye"]
    said = [remark.text for remark in conversion.report]
    assert "the order is reasoning, text, calls now" in said
    assert "several pieces of reasoning are one" in said


def test_items_of_one_turn_in_any_order():
    """Reasoning after words begins a new turn; empty reasoning is none."""
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}
    sealed = {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}
    made = convert({"input": "Hi", "output": [thought, thought, sealed, said, thought, said, said]})
    assert [message.get("reasoning_content") for message in made.record["messages"][1:]] == ["Hm.\n\nHm.", "Hm.", None]
    kinds = {remark.kind for remark in made.report}
    assert kinds == {"assumed", "changed", "renamed", "left out"}
    lone = convert({"input": "Hi", "output": [thought]}).record["messages"][1]
    assert lone == {"role": "assistant", "reasoning_content": "Hm.", "content": ""}


@pytest.mark.parametrize("target", ["hh", "harmony", "alpaca"])
def test_texts_of_several_parts_become_one(target):
    """Where content is text."""
    content = [{"type": "text", "text": "Hi"}, {"type": "text", "text": "Ho", "cache_control": {}}]
    conversion = convert({"messages": [{"role": "user", "content": content}, HELLO]}, to=target)
    assert "Ho" in str(conversion.record)
    assert any(remark.text == "'cache_control' of a text" for remark in conversion.report)


def test_images_in_other_formats():
    """Each has its own way to say one."""
    record = {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": URL, "detail": "low"}},
                    {"type": "text", "text": "Hi"},
                ],
            }
        ]
    }
    held = {
        target: convert(record, to=target).record for target in ("responses", "haystack", "langchain", "gradio-pairs")
    }
    assert held["responses"]["input"][0]["content"] == [
        {"type": "input_image", "image_url": URL, "detail": "low"},
        {"type": "input_text", "text": "Hi"},
    ]
    assert held["haystack"]["messages"][0]["content"][0]["image"]["base64_image"] == PNG
    assert held["langchain"]["messages"][0]["data"]["content"] == record["messages"][0]["content"]
    assert held["gradio-pairs"] == [[[URL], None], ["Hi", None]]
    for target in ("responses", "haystack", "langchain"):
        assert convert(held[target]).record["messages"][0]["content"][0]["image_url"]["url"] == URL


def test_tags_go_both_ways():
    """A column beside turns, in the order of the tags."""
    turns = [{"from": "human", "value": "<image>One, <image>two."}, {"from": "gpt", "value": "Two cats."}]
    record = {"conversations": turns, "images": ["a.png", "b.png"]}
    assert convert(convert(record).record, to="sharegpt").record == record
    made = convert({"instruction": "<image>What is this?", "input": "", "output": "A cat.", "images": ["a.png"]}).record
    assert convert(made, to="alpaca").record["images"] == ["a.png"]


def test_results_and_weights_that_are_not_there():
    """A list of weights may leave some out; a call may have no result."""
    call = {"id": "a", "type": "function", "function": {"name": "look", "arguments": ""}}
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "user", "content": "Well?"},
    ]
    conversion = convert({"messages": messages, "loss_weights": [None, 0.5, None]})
    assert [message.get("weight") for message in conversion.record["messages"]] == [None, 0.5, None]
    said = [str(remark) for remark in conversion.report]
    assert "kept: the call of 'look' before it has no result (messages[2])" in said
    assert "added: '{}' for arguments that are not there (messages[1].tool_calls[0].arguments)" in said


def test_ids_of_results_alone_are_those_of_their_calls():
    """A call without an id takes that of the one result it has."""
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "tool_calls": [{"function": {"name": "look", "arguments": {}}}]},
        {"role": "tool", "content": "x", "tool_call_id": "a"},
    ]
    assert convert(messages).record["messages"][1]["tool_calls"][0]["id"] == "a"


def test_tools_of_every_kind():
    """Those that are no functions are kept; an empty text is none."""
    made = convert({"messages": [HELLO], "tools": [{"type": "web_search"}]})
    assert made.record["tools"] == [{"type": "web_search"}]
    assert convert(made.record, to="anthropic").record["tools"] == [{"type": "web_search"}]
    assert "tools" not in convert({"messages": [HELLO], "tools": " "}).record
    assert convert({"messages": [HELLO], "tools": '{"name": "look"}'}).record["tools"][0]["function"] == {
        "name": "look"
    }


def test_reasoning_that_is_no_text_or_empty():
    """The first is kept, the second removed."""
    conversion = convert([{"role": "assistant", "content": "Hello", "thinking": "", "reasoning": {"effort": "low"}}])
    assert conversion.record["messages"] == [{**HELLO, "reasoning": {"effort": "low"}}]
    assert {remark.kind for remark in conversion.report} == {"kept", "removed"}
