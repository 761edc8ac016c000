"""Which format a record has: what decides, and what is refused because two formats read it differently."""

import pytest

from llm_templates import InputError
from llm_templates.records import FORMATS, convert

HI = {"role": "user", "content": "Hi"}
HELLO = {"role": "assistant", "content": "Hello"}


PREFERENCE = {"chosen": [HI, HELLO], "rejected": [HI, {**HELLO, "content": "No"}]}


@pytest.mark.parametrize(
    ("record", "named"),
    [
        ({"messages": [HI, HELLO], "prompt": "Bye", "completion": "Bye!"}, ("openai", "prompt-completion")),
        ({"prompt": "Hi", "messages": [HI, HELLO], **PREFERENCE}, ("openai", "preference")),
        (
            {"instruction": "Hi", "output": "Ho", "conversations": [{"from": "human", "value": "Hi"}]},
            ("sharegpt", "alpaca"),
        ),
        ({"messages": [HI, HELLO], "segments": [{"text": "Hi", "label": True}]}, ("openai", "segments")),
    ],
    ids=["messages and completion", "messages and preference", "alpaca and sharegpt", "messages and segments"],
)
def test_two_shapes_in_one_record_are_an_error(record, named):
    """Nobody can tell which one is meant; the error names both, what they go by, and the way out."""
    with pytest.raises(InputError) as failure:
        convert(record)
    assert failure.value.message.startswith("the record may be of several formats, which read it differently: ")
    assert all(f"{name} (" in failure.value.message for name in named)
    assert failure.value.hint == f"name the one that is meant: source={named[0]!r}"
    assert convert(record, source=named[0]).source == named[0]


@pytest.mark.parametrize(
    ("record", "source"),
    [
        ({"messages": [HI, HELLO], "prompt": "Hi", "prompt_id": "7"}, "openai"),
        ({"messages": [HI, HELLO], "text": "<|user|>Hi"}, "openai"),
        ({"instruction": "Hi", "input": "", "output": "Hello", "text": "### Instruction: Hi"}, "alpaca"),
        ({"prompt": "Hi", "completion": "Hello", "text": "Hi Hello"}, "prompt-completion"),
    ],
    ids=["a prompt beside messages", "text beside messages", "text beside an instruction", "text beside a completion"],
)
def test_a_lone_prompt_or_text_gives_way(record, source):
    """Many data sets have the first question, or the rendered words, once more in a column of their own."""
    assert convert(record).source == source


def test_ambiguity_counts_only_where_it_makes_a_difference():
    """Two formats that read a record alike are no reason to ask."""
    parts = [{"type": "text", "text": "Hello"}]
    assert convert([HI, {"role": "assistant", "content": parts, "metadata": {"title": None}}]).source == "gradio"
    assert convert({"system": "Be brief.", "messages": [HI, HELLO]}).source == "anthropic"


def test_a_named_format_is_not_guessed():
    """`source` decides, even where the signs say something else; hyphens and underscores are the same."""
    record = {"text": "\n\nHuman: Hi\n\nAssistant: Hello"}
    assert convert(record).source == "hh"
    assert convert(record, to="text", source="text").record == record
    assert convert({"prompt": "Hi"}, source="prompt_completion").source == "prompt-completion"


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"question": "Hi", "answer": "Hello"}, "an object with the keys question, answer"),
        ({}, "an object with the keys (none)"),
        ([], "a list of nothing"),
        (["Hi"], "a list of str"),
        ("Hi", "str"),
        (7, "int"),
        (None, "NoneType"),
    ],
)
def test_an_unknown_record_is_described(record, said):
    """The error says what was seen, and which formats there are."""
    with pytest.raises(InputError) as failure:
        convert(record)
    assert failure.value.message == f"no format is known that looks like this record: {said}"
    assert all(name in failure.value.hint for name in FORMATS)


@pytest.mark.parametrize("option", ["to", "source"])
def test_an_unknown_format_is_an_error_with_the_nearest_one(option):
    """And with all there are."""
    with pytest.raises(InputError) as failure:
        convert([HI], **{option: "share_gpt"})
    assert str(failure.value).startswith(f"{option}='share_gpt' is no format\ndid you mean 'sharegpt'?")


@pytest.mark.parametrize(
    "target", [name for name, one in FORMATS.items() if "conversation" not in one.KINDS and name != "prompt-completion"]
)
def test_what_a_target_has_no_form_for_is_an_error(target):
    """It says what the record is and what the target takes."""
    with pytest.raises(InputError, match=f"^{target} has no form for a conversation\nit takes "):
        convert([HI, HELLO], to=target)


def test_every_format_says_what_it_is():
    """A format is a module with a charter, which the page of records repeats."""
    assert all(one.__doc__ and one.KINDS for one in FORMATS.values())
