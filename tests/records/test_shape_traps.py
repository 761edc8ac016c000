"""What data sets are known to get wrong about roles, turns and the fields of a record, each trap by its name."""

import json

import pytest

from llm_templates.records import convert

from .chats import HI, TOOL, call, chat, failure


@pytest.mark.parametrize(
    ("name", "role"),
    [
        *((name, "user") for name in ("human", "input", "User", "prompter")),
        *((name, "assistant") for name in ("gpt", "bot", "output", "model", "chatbot", "Assistant")),
    ],
)
def test_every_name_of_a_role_is_one(name, role):
    """In any case of its letters."""
    assert convert([{"from": name, "value": "Hi"}]).record == {"messages": [{"role": role, "content": "Hi"}]}


@pytest.mark.parametrize("name", ["function", "observation", "ipython", "tool_response"])
def test_every_name_of_a_tool_is_one(name):
    """A result by any name."""
    asked = {"role": "assistant", "tool_calls": [call(identity="a")]}
    assert convert(chat(asked, {"role": name, "content": "x"})).record["messages"][2]["role"] == "tool"


def test_an_unknown_role_is_an_error_with_the_nearest_one():
    """It is not passed on to a template that has no branch for it."""
    said = failure(chat({"role": "asistant", "content": "Hello"}))
    assert said.startswith("messages[1].role: 'asistant' is no role\ndid you mean 'assistant'?")


def test_a_developer_is_not_the_system():
    """Some templates have both."""
    record = {"messages": [{"role": "developer", "content": "Be brief."}, HI]}
    for target in ("openai", "trl", "harmony", "llamaindex"):
        assert convert(convert(record, to=target).record).record == record


@pytest.mark.parametrize("target", ["openai", "trl", "sharegpt", "swift", "anthropic", "langchain", "hh"])
def test_turns_of_one_role_in_a_row_stay_apart(target):
    """They are not joined, left out or filled up with empty turns; a target that wants them in turn refuses them."""
    said = {"role": "assistant", "content": "Hello"}
    for record in (chat(HI, said, said), {"messages": [said, HI]}):
        assert convert(convert(record, to=target).record).record == record
        assert failure(record, to="alpaca").startswith("messages: ")


def test_further_keys_of_turns_do_not_matter():
    """The role is known by its key, not by how few values it has, and everything else stays where it is."""
    turns = [
        {"id": "1", "lang": "en", "from": "human", "value": "gpt"},
        {"id": "2", "lang": "en", "from": "gpt", "value": "human", "markdown": None},
    ]
    assert convert(turns).record["messages"] == [
        {"role": "user", "content": "gpt", "id": "1", "lang": "en"},
        {"role": "assistant", "content": "human", "id": "2", "lang": "en"},
    ]


def test_template_variables_of_a_record_go_along_or_are_missed():
    """They change the prompt: a target without a place for them refuses them. Null means that they are not there."""
    variables = {"enable_thinking": False, "of_another_record": None}
    for given in (variables, json.dumps(variables)):
        made = convert(chat(chat_template_kwargs=given), to="trl").record
        assert made["chat_template_kwargs"] == {"enable_thinking": False}
    record = chat({"role": "assistant", "content": "Hello"}, chat_template_kwargs={"enable_thinking": False})
    for target in ("anthropic", "alpaca", "hh", "responses"):
        assert failure(record, to=target).startswith("chat_template_kwargs.enable_thinking: ")


def test_steps_with_labels_are_refused():
    """A prompt with steps is no prompt alone: the answers would be left in a field that nobody reads."""
    record = {"prompt": "What is 6 times 7?", "completions": ["6 times 7", "is 42."], "labels": [True, True]}
    for target in ("openai", "trl"):
        assert failure(record, to=target).startswith("completions: steps with a label each")


def test_a_text_that_is_a_prompt_alone_stays_one():
    """It is text for the model, not the list of messages that trainers expect."""
    assert convert({"prompt": "Once upon"}, to="trl").record == {"prompt": "Once upon"}
    assert convert({"prompt": [HI]}, to="trl").record == {"messages": [HI]}


def test_implied_prompts_end_before_the_assistant_speaks():
    """Where one conversation is the beginning of the other, the answer of each is not empty."""
    short = [HI, {"role": "assistant", "content": "Hello"}]
    long = [*short, {"role": "user", "content": "Bye"}, {"role": "assistant", "content": "Bye!"}]
    made = convert({"chosen": short, "rejected": long}, to="preference").record
    assert made == {"prompt": [HI], "chosen": short[1:], "rejected": long[1:]}
    assert failure({"chosen": short, "rejected": short}).startswith("chosen: it is the same as 'rejected'")
    other = [{"role": "user", "content": "Ho"}, short[1]]
    assert failure({"chosen": short, "rejected": other}).startswith(
        "chosen: the two do not part where the assistant speaks"
    )


def test_an_answer_that_is_not_the_assistants_is_an_error():
    """Neither the prompt nor what follows it."""
    record = {"prompt": [HI], "completion": [{"role": "user", "content": "Ho"}]}
    assert failure(record).startswith("completion[0]: it begins with the words of 'user', and not with the prompt")


def test_transcripts_part_at_the_last_answer_though_an_earlier_turn_repeats_it():
    """The right-most place where two transcripts are alike, not the first."""
    common = "\n\nHuman: Say A.\n\nAssistant: A.\n\nHuman: Say A.\n\nAssistant:"
    made = convert({"chosen": f"{common} A.", "rejected": f"{common} B."}, to="preference").record
    assert [len(made[key]) for key in ("prompt", "chosen", "rejected")] == [3, 1, 1]


def test_two_system_prompts_are_an_error():
    """Unless they are the same."""
    system = {"role": "system", "content": "Be brief."}
    assert convert({"messages": [system, HI], "system": "Be brief."}).record == {"messages": [system, HI]}
    assert failure({"messages": [system, HI], "system": "Be long."}).startswith(
        "system: the messages begin with another"
    )


def test_unknown_keys_are_kept():
    """Of messages, of calls, of tools and of the record."""
    message = {"role": "assistant", "tool_calls": [{**call(identity="a"), "extra": 1}], "source": "web"}
    record = chat(message, tools=[{**TOOL, "strict": True}], row=7)
    assert convert(record).record == record


def test_a_field_of_the_record_that_the_target_has_is_not_overwritten():
    """Both cannot be there."""
    assert failure(chat({"role": "assistant", "content": "Hello"}, output=1), to="alpaca").startswith(
        "output: the record has"
    )


@pytest.mark.parametrize("key", ["from", "value"])
def test_unknown_keys_do_not_take_the_place_of_words(key):
    """A message may have a key that the target has, too."""
    message = {"role": "assistant", "content": "Hello", key: "web"}
    assert failure(chat(message), to="sharegpt").startswith(f"messages[1].{key}: {key!r} says something else")
    made = convert(chat(message), to="sharegpt", strict=False).record["conversations"][1]
    assert made == {"from": "gpt", "value": "Hello"}


def test_an_answer_to_nothing_is_an_error():
    """A preference, a label or a completion needs what was asked."""
    said = {"role": "assistant", "content": "Hello"}
    for record in ({"messages": [said], "rejected_response": "No."}, {"messages": [said], "label": True}):
        assert failure(record, to="trl").startswith("there is an answer, and nothing that it answers")
    assert failure({"messages": [said]}, to="prompt-completion").startswith("there is an answer, and nothing")


def test_content_without_parts_is_empty():
    """Of a message and of a system prompt beside the messages."""
    assert convert(chat({"role": "assistant", "content": []})).record["messages"][1]["content"] == ""
    assert convert(chat(system=[]), source="openai").record == chat()


def test_nothing_is_dropped_without_a_word():
    """What a target has no place for is an error; without `strict` it is in the report, before everything else."""
    message = {"role": "assistant", "content": "Hello", "reasoning_content": "Hm.", "weight": 0, "source": "web"}
    record = chat(message, tools=[TOOL])
    assert failure(record, to="hh").endswith("strict=False leaves it out and says so in the report")
    report = convert(record, to="hh", strict=False).report
    assert [remark.kind for remark in report] == ["lost", "lost", "lost", "left out"]
    assert {place for remark in report for place in remark.places} == {
        "tools", "messages[1].weight", "messages[1].reasoning_content", "messages[1].source",
    }  # fmt: skip


def test_records_nested_too_deep_are_an_error():
    """And not the end of the program."""
    value = []
    for _ in range(10_000):
        value = [value]
    assert "levels deep" in failure(chat(value))
    loop = {}
    loop["messages"] = [loop]
    assert "levels deep" in failure(loop)
