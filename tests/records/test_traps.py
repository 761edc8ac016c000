"""What data sets are known to get wrong, each trap by its name."""

import json
import math

import pytest

from llm_templates import InputError
from llm_templates.masking import WEIGHT_KEYS
from llm_templates.records import convert
from llm_templates.records.reasoning import KEYS as REASONING_KEYS

HI = {"role": "user", "content": "Hi"}
TOOL = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Looks.",
        "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
    },
}


def call(name="look", identity=None, arguments="{}"):
    made = {"type": "function", "function": {"name": name, "arguments": arguments}}
    return made if identity is None else {"id": identity, **made}


def chat(*messages, **fields):
    return {"messages": [HI, *messages], **fields}


def failure(record, **options):
    with pytest.raises(InputError) as caught:
        convert(record, **options)
    return str(caught.value)


# -- flags --


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


# -- padding --


def test_null_padding_of_messages_parts_and_calls_goes():
    """Arrow gives every object of a column the keys of all; the report says where it was."""
    part = {"type": "text", "text": "Hello", "image_url": None}
    message = {"role": "assistant", "content": [part], "tool_calls": None, "name": None}
    conversion = convert(chat(message, tools=None, prompt=None, chosen=None))
    assert conversion.record == {
        "messages": [HI, {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]}]
    }
    (remark,) = conversion.report
    assert remark.places == (
        "tools", "prompt", "chosen", "messages[1].tool_calls", "messages[1].name", "messages[1].content[0].image_url",
    )  # fmt: skip


def test_null_padding_of_schemas_goes_and_their_own_nulls_stay():
    """Parameters of other tools do not leak into a schema; `enum` may list null, and `default` be it."""
    padded = {"at": {"type": "string", "enum": ["a", None], "default": None}, "of_another_tool": None}
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": padded}}}
    made = convert(chat(tools=[tool])).record["tools"][0]["function"]["parameters"]["properties"]
    assert made == {"at": {"type": "string", "enum": ["a", None]}}
    own = {"at": {"type": "string", "default": None}}
    tool["function"]["parameters"]["properties"] = own
    assert convert(chat(tools=[tool])).record["tools"][0]["function"]["parameters"]["properties"] == own


@pytest.mark.parametrize("arguments", [{"at": None}, '{"at": null}'])
def test_null_arguments_stay(arguments):
    """A null argument may be meant."""
    made = convert(chat({"role": "assistant", "tool_calls": [call(identity="a", arguments=arguments)]}, tools=[TOOL]))
    assert json.loads(made.record["messages"][1]["tool_calls"][0]["function"]["arguments"]) == {"at": None}
    assert not made.report


def test_null_arguments_that_no_tool_has_are_reported():
    """They look like padding, and stay nevertheless."""
    message = {"role": "assistant", "tool_calls": [call(identity="a", arguments={"at": "x", "city": None})]}
    conversion = convert(chat(message, tools=[TOOL]))
    assert json.loads(conversion.record["messages"][1]["tool_calls"][0]["function"]["arguments"]) == {
        "at": "x",
        "city": None,
    }
    assert str(conversion.report[0]).startswith("kept: a null argument that its tool does not have")
    assert conversion.report[0].places == ("messages[1].tool_calls.city",)


def test_missing_fields_of_pandas_are_padding():
    """A frame has NaN where a field is not there."""
    assert convert({"prompt": "Hi", "completion": "Hello", "chosen": math.nan}).source == "prompt-completion"


# -- tools and calls --


@pytest.mark.parametrize(
    "tools",
    [
        [TOOL],
        json.dumps([TOOL]),
        [json.dumps(TOOL)],
        [TOOL["function"]],
        [{"type": "function", **TOOL["function"]}],
        [{**TOOL["function"], "parameters": json.dumps(TOOL["function"]["parameters"])}],
        [{"name": "look", "description": "Looks.", "input_schema": TOOL["function"]["parameters"]}],
    ],
    ids=["nested", "text", "list of texts", "bare", "flat", "schema as text", "input_schema"],
)
def test_tools_have_one_form(tools):
    """However a record writes its tools, they are what templates read."""
    assert convert(chat(tools=tools)).record["tools"] == [TOOL]


def test_a_python_function_is_a_tool():
    """As it is for `render`."""

    def look(at: str):
        """Looks.

        Args:
            at: where
        """

    assert convert(chat(tools=[look])).record["tools"][0]["function"]["name"] == "look"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("look at it", "arguments are no JSON text"),
        ("[1]", "arguments are the JSON text of list, not of an object"),
        (json.dumps('{"at": 1}'), "arguments are the JSON text of str, not of an object"),
        ('{"at": 1, "at": 2}', "arguments are no JSON text: a key is there twice"),
        ('{"at": NaN}', "arguments are no JSON text: NaN is no JSON value"),
        ({"at": math.nan}, "JSON cannot say it"),
        ([1], "arguments are an object or its JSON text, not list"),
    ],
)
def test_arguments_that_are_no_object_are_an_error(arguments, said):
    """With the message and the key."""
    message = {"role": "assistant", "tool_calls": [call(identity="a", arguments=arguments)]}
    assert failure(chat(message)).startswith(f"messages[1].tool_calls[0].arguments: {said}")


def test_arguments_as_text_keep_their_text():
    """White space and numbers of the text are not written anew, which would change what is trained on."""
    text = '{ "at":1.0,"to" : "\\u00e9" }'
    message = {"role": "assistant", "tool_calls": [call(identity="a", arguments=text)]}
    assert convert(chat(message)).record["messages"][1]["tool_calls"][0]["function"]["arguments"] == text


def test_results_are_paired_by_order_name_or_not_at_all():
    """Ids are filled in where nothing else is possible; anything less is an error with the message."""
    two = {"role": "assistant", "tool_calls": [call("look"), call("find")]}
    result = {"role": "tool", "content": "x"}
    ids = [message.get("tool_call_id") for message in convert(chat(two, result, result)).record["messages"]]
    assert ids == [None, None, "call00001", "call00002"]
    named = convert(chat(two, {**result, "name": "find"})).record["messages"]
    assert named[2]["tool_call_id"] == named[1]["tool_calls"][1]["id"] == "call00002"
    assert failure(chat(two, result)).startswith(
        "messages[2]: 1 results for 2 calls, and nothing says which answers which"
    )
    assert failure(chat(two, result, result, result)).startswith("messages[4]: 3 results for 2 calls")
    assert failure(chat(result)).startswith("messages[1]: a result of no call")
    assert failure(chat(two, {**result, "name": "find"}, {**result, "name": "add"})).startswith(
        "messages[3]: a result of 'add'"
    )


def test_results_with_ids_may_come_in_any_order():
    """An id says it all."""
    two = {"role": "assistant", "tool_calls": [call("look", "a"), call("find", "b")]}
    results = [{"role": "tool", "content": "x", "tool_call_id": one} for one in ("b", "a")]
    assert convert(chat(two, *results)).record["messages"][2:] == results
    wrong = {"role": "tool", "content": "x", "tool_call_id": "c"}
    assert failure(chat(two, wrong)).startswith("messages[2]: tool_call_id 'c' is the id of no call before it")


def test_calls_numbered_anew_in_every_turn_are_paired_with_the_latest():
    """Some models begin with the same id each turn."""
    turn = [
        {"role": "assistant", "tool_calls": [call("look", "0")]},
        {"role": "tool", "content": "x", "tool_call_id": "0"},
    ]
    record = chat(*turn, *turn)
    assert convert(record).record == record
    twice = {"role": "assistant", "tool_calls": [call("look", "0"), call("look", "0")]}
    assert failure(chat(twice)).startswith("messages[1].tool_calls: two calls have the id '0'")


def test_new_ids_are_none_that_are_there():
    """A call without an id does not take another one's."""
    calls = [call("look", "call00001"), call("find")]
    made = convert(chat({"role": "assistant", "tool_calls": calls})).record["messages"][1]["tool_calls"]
    assert [one["id"] for one in made] == ["call00001", "call00002"]


def test_text_before_a_call_stays():
    """A turn with words and a call is one message here, and comes back as one from where it is two turns."""
    message = {"role": "assistant", "content": "Let me look.", "tool_calls": [call(identity="call00001")]}
    for target in ("sharegpt", "swift"):
        made = convert(chat(message), to=target).record
        assert [turn.get("from", turn.get("role")) for turn in next(iter(made.values()))][1:] in (
            ["gpt", "function_call"],
            ["assistant", "tool_call"],
        )
        assert convert(made).record == chat(message)


def test_parallel_results_stay_apart():
    """They are not joined into one text, which would put them out of step with their calls."""
    two = {"role": "assistant", "tool_calls": [call("look", "call00001"), call("find", "call00002")]}
    results = [
        {"role": "tool", "content": said, "tool_call_id": one["id"]}
        for said, one in zip("xy", two["tool_calls"], strict=True)
    ]
    turns = convert(chat(two, *results), to="sharegpt").record["conversations"]
    assert [turn["value"] for turn in turns[2:]] == ["x", "y"]
    assert convert({"conversations": turns}).record == chat(two, *results)


@pytest.mark.parametrize("result", [{"degrees": 20}, [1, 2], 20, True, []])
def test_results_that_are_no_text_are_their_json_text(result):
    """A result of a tool may be anything; a message holds text."""
    asked = {"role": "assistant", "tool_calls": [call(identity="a")]}
    made = convert(chat(asked, {"role": "tool", "tool_call_id": "a", "content": result})).record["messages"][2]
    assert json.loads(made["content"]) == result


# -- reasoning and content --


@pytest.mark.parametrize("key", REASONING_KEYS)
def test_every_name_of_reasoning_is_one(key):
    """It comes under `reasoning_content`, and nothing else of the message changes."""
    message = {"role": "assistant", key: "Hm.", "content": "Hello"}
    assert convert(chat(message)).record["messages"][1] == {
        "role": "assistant",
        "content": "Hello",
        "reasoning_content": "Hm.",
    }


@pytest.mark.parametrize(
    "part",
    [
        {"type": "thinking", "thinking": "Hm."},
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "reasoning", "reasoning": "Hm."},
        {"type": "reasoning", "value": "Hm."},
        {"type": "thought", "text": "Hm."},
    ],
)
def test_reasoning_in_parts_is_the_same(part):
    """What stays beside it is text again, if it was one text."""
    message = {"role": "assistant", "content": [part, {"type": "text", "text": "Hello"}]}
    assert convert(chat(message)).record["messages"][1] == {
        "role": "assistant",
        "reasoning_content": "Hm.",
        "content": "Hello",
    }


def test_the_same_reasoning_twice_is_one_and_other_reasoning_an_error():
    """Servers send it under two names; two texts under two names are something else."""
    message = {"role": "assistant", "content": "Hello", "reasoning": "Hm.", "reasoning_content": "Hm."}
    assert convert(chat(message)).record["messages"][1]["reasoning_content"] == "Hm."
    assert failure(chat({**message, "reasoning": "Oh."})).startswith("messages[1]: it has different reasoning under")


def test_reasoning_within_the_text_stays_there():
    """Tags are text; whether they are reasoning is up to the template."""
    message = {"role": "assistant", "content": "<think>Hm.</think>Hello"}
    assert convert(chat(message)).record == chat(message)


@pytest.mark.parametrize("text", ["<|im_end|>\n<|im_start|>system", "<image>", "[INST] </s>", "  spaces \n", "\ud800"])
def test_content_is_never_touched(text):
    """Special tokens, tags and white space in content are content: nothing is stripped, replaced or read as a medium."""
    for target in ("openai", "trl", "anthropic", "sharegpt", "alpaca", "prompt-completion", "langchain", "haystack"):
        record = {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": text}]}
        assert convert(convert(record, to=target).record).record == record


def test_a_tag_stands_for_a_medium_only_where_there_is_one():
    """As many tags as media, or none of it is certain."""
    turns = [{"from": "human", "value": "What does <image> mean?"}, {"from": "gpt", "value": "An image."}]
    assert convert({"conversations": turns}).record["messages"][0]["content"] == "What does <image> mean?"
    assert failure({"conversations": turns, "images": ["a.png", "b.png"]}).startswith("images: 2 for 1 places")
    shown = {"type": "image_url", "image_url": {"url": "cat.png"}}
    record = {"messages": [{"role": "user", "content": [shown, {"type": "text", "text": "Is this an <image>?"}]}]}
    assert failure(record, to="sharegpt").startswith("messages[0].content: the text holds <image>")


def test_images_that_are_objects_are_kept_in_their_column():
    """An image without an address is a placeholder and a column, as trainers have it; nothing of it is copied."""

    class Picture:
        pass

    picture = Picture()
    content = [{"type": "image"}, {"type": "text", "text": "What is this?"}]
    record = {"messages": [{"role": "user", "content": content}], "images": [picture]}
    for target in ("openai", "trl"):
        made = convert(record, to=target).record
        assert made["messages"][0]["content"] == content
        assert made["images"][0] is picture
    png = {"bytes": b"\x89PNG\r\n\x1a\n", "path": None}
    made = convert({**record, "images": [png]}).record["messages"][0]["content"][0]
    assert made == {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


# -- roles and shapes --


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
