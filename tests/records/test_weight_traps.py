"""What data sets are known to get wrong about what is trained on, each trap by its name."""

import pytest

from llm_templates import load
from llm_templates.masking import WEIGHT_KEYS
from llm_templates.records import convert

from .chats import HI, call, chat, failure


@pytest.mark.parametrize(("key", "counts"), WEIGHT_KEYS.items())
def test_every_name_of_a_flag_is_a_weight(key, counts):
    """The flags that masks listen to become one, true or false; the report names the old one."""
    conversion = convert(chat({"role": "assistant", "content": "Hello", key: False}))
    assert conversion.record["messages"][1] == {"role": "assistant", "content": "Hello", "weight": int(not counts)}
    assert key == "weight" or f"renamed: {key!r} is 'weight'" in str(conversion.report[0])


@pytest.mark.parametrize("weight", [0, 1, 0.25, -1.0])
def test_weights_keep_their_numbers(weight):
    """Fractions and negative weights are not made true or false."""
    assert (
        convert(chat({"role": "assistant", "content": "Hello", "loss_weight": weight})).record["messages"][1]["weight"]
        == weight
    )


def test_two_flags_that_disagree_are_an_error():
    """Nobody can tell which of them is meant."""
    message = {"role": "assistant", "content": "Hello", "train": True, "weight": 0}
    assert failure(chat(message)).startswith("messages[1]: it says two things about its weight")
    assert failure(chat({"role": "assistant", "content": "Hello", "weight": "yes"})).startswith(
        "messages[1].weight: 'yes'"
    )


def test_flags_survive_the_way_through_other_formats():
    """A turn that is not trained on is not trained on in any format, or the conversion is refused."""
    record = chat({"role": "assistant", "content": "Hello", "weight": 0})
    for target in ("sharegpt", "swift", "trl"):
        assert convert(convert(record, to=target).record).record["messages"][1]["weight"] == 0
    for target in ("anthropic", "alpaca", "hh", "gradio", "langchain", "harmony"):
        assert failure(record, to=target).startswith("messages[1].weight:")


def test_stretches_of_a_text_keep_their_weights():
    """Flags on characters are no single number; they stay, and the report says so."""
    detail = [{"begin_offset": 0, "end_offset": 4, "train": False}]
    conversion = convert(chat({"role": "assistant", "content": "Hello", "train_detail": detail}))
    assert conversion.record["messages"][1]["train_detail"] == detail
    assert [remark.kind for remark in conversion.report] == ["kept"]


def test_the_weight_of_a_row_is_not_that_of_a_message():
    """A weight beside the messages stays beside them."""
    assert convert(chat({"role": "assistant", "content": "Hello"}, weight=2.0)).record["weight"] == 2.0


def test_a_rejected_answer_is_not_an_example_in_silence():
    """A label goes along, and the report says that OpenAI does not read it."""
    conversion = convert({"prompt": "Hi", "completion": "Go away.", "label": False})
    assert conversion.record["label"] is False
    assert "OpenAI's own fine-tuning does not read it" in " ".join(map(str, conversion.report))


def trained(record, model="chatml"):
    """The text of a record that is trained on, with its weights."""
    made = convert(record, to="trl").record
    prompt = load(model).trace(made["messages"], tools=made.get("tools"))
    return [(str(prompt)[span.start : span.end], span.weight) for span in prompt.mask().spans]


@pytest.mark.parametrize(("key", "counts"), WEIGHT_KEYS.items())
def test_a_turn_that_is_flagged_out_is_not_in_the_mask(key, counts):
    """By whatever name it says so: the flag is not lost on the way from the record to the mask."""
    first, last = ({"role": "assistant", "content": text} for text in ("One", "Two"))
    record = chat({**first, key: not counts}, HI, last)
    assert trained(record) == [("Two<|im_end|>", 1)]


@pytest.mark.parametrize("weight", [0.25, -1.0])
def test_fractions_and_negative_weights_reach_the_mask(weight):
    """They are neither cut off nor made positive."""
    assert trained(chat({"role": "assistant", "content": "Hello", "weight": weight})) == [("Hello<|im_end|>", weight)]


def test_a_null_flag_says_nothing():
    """Where one message of a table has a flag, all others have it as null."""
    record = chat({"role": "assistant", "content": "Hello", "weight": None, "train": None})
    assert trained(record) == [("Hello<|im_end|>", 1)]


def test_flags_of_users_stay():
    """What the user says can be trained on, too."""
    record = {"messages": [{**HI, "train": True}, {"role": "assistant", "content": "Hello"}]}
    assert convert(record).record["messages"][0] == {**HI, "weight": 1}


def test_weights_beside_the_messages_are_theirs_before_anything_is_joined():
    """A list of weights is in step with the turns of the record, not with the messages that are made of them."""
    turns = [
        {"from": "human", "value": "Hi"},
        {"from": "gpt", "value": "Let me look."},
        {"from": "function_call", "value": '{"name": "look", "arguments": {}}'},
        {"from": "observation", "value": "x"},
        {"from": "observation", "value": "y"},
        {"from": "gpt", "value": "Hello"},
    ]
    turns[2]["value"] = '[{"name": "look", "arguments": {}}, {"name": "find", "arguments": {}}]'
    messages = convert({"conversations": turns, "loss_mask": [0, 1, 1, 0, 0, 0]}).record["messages"]
    assert [(message["role"], message["weight"]) for message in messages] == [
        ("user", 0), ("assistant", 1), ("tool", 0), ("tool", 0), ("assistant", 0),
    ]  # fmt: skip
    assert len(messages[1]["tool_calls"]) == 2


def test_turns_of_different_weights_are_not_joined():
    """Words that are not trained on and a call that is stay two messages."""
    turns = [
        {"from": "human", "value": "Hi"},
        {"from": "gpt", "value": "Let me look."},
        {"from": "function_call", "value": '{"name": "look", "arguments": {}}'},
    ]
    messages = convert({"conversations": turns, "loss_mask": [0, 0, 1]}).record["messages"]
    assert [message["weight"] for message in messages] == [0, 0, 1]
    assert "tool_calls" not in messages[1]


def test_nothing_of_a_prompt_is_trained_on_once_it_is_a_conversation():
    """Earlier answers in the prompt of a completion were never trained on."""
    said = {"role": "assistant", "content": "Hello"}
    record = {"prompt": [HI, said, HI], "completion": [said]}
    made = convert(record).record["messages"]
    assert [message.get("weight") for message in made] == [None, 0, None, None]
    assert trained({"messages": made}) == [("Hello<|im_end|>", 1)]


@pytest.mark.parametrize("model", ["chatml", "qwen3", "deepseek-r1", "glm4.5", "gpt-oss"])
def test_prompt_and_completion_part_where_the_model_begins(model):
    """Also where the generation prompt is no beginning of the whole text, as with one that opens the reasoning."""
    ((text, weight),) = trained(convert({"prompt": "Hi", "completion": "Hello"}).record, model)
    assert "Hello" in text
    assert "Hi" not in text
    assert weight == 1


def test_calls_are_weighed_with_their_words():
    """A turn that comes back as one has one weight, though a format writes it as two."""
    message = {"role": "assistant", "content": "Let me look.", "tool_calls": [call(identity="call00001")], "weight": 0}
    for target in ("sharegpt", "swift"):
        made = convert(chat(message), to=target).record
        assert convert(made).record["messages"][1]["weight"] == 0
