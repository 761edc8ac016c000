"""What data sets are known to get wrong about tools, calls, reasoning and content, each trap by its name."""

import json
import math

import pytest

from llm_templates.records import convert
from llm_templates.records.reasoning import KEYS as REASONING_KEYS

from .chats import HI, TOOL, call, chat, failure

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


def test_results_are_put_in_order_where_nothing_but_the_order_says_whose_they_are():
    """Formats without ids would have them answer each other's calls."""
    two = {"role": "assistant", "tool_calls": [call("look", "call00001"), call("look", "call00002")]}
    results = [
        {"role": "tool", "content": said, "tool_call_id": one}
        for one, said in (("call00002", "second"), ("call00001", "first"))
    ]
    for target in ("sharegpt", "swift", "harmony"):
        conversion = convert(chat(two, *results), to=target)
        back = convert(conversion.record).record["messages"][2:]
        assert [(one["tool_call_id"], one["content"]) for one in back] == [
            ("call00001", "first"), ("call00002", "second"),
        ]  # fmt: skip
        assert "results are in the order of their calls, for want of ids" in str(conversion.report)
        assert failure(chat(two, results[0]), to=target).startswith(
            "messages[2].tool_call_id: nothing else says which call this result answers"
        )
    named = {"role": "assistant", "tool_calls": [call("look", "call00001"), call("find", "call00002")]}
    back = convert(convert(chat(named, *results), to="harmony").record).record["messages"][2:]
    assert [one["content"] for one in back] == ["second", "first"]


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


@pytest.mark.parametrize("name", ["tool_defs", "functions"])
def test_tools_under_another_name_are_tools(name):
    """As lists and as JSON text; beside a list of tools that says something, they are a field like any other."""
    for given in ([TOOL], json.dumps([TOOL["function"]])):
        assert convert(chat(tools=None, **{name: given})).record == chat(tools=[TOOL])
    both = chat(tools=[TOOL], **{name: [TOOL]})
    assert convert(both).record == both


def test_arguments_are_objects_where_templates_read_them():
    """As they were said: false is not False, and nothing that is empty is dropped."""
    text = '{"z": false, "a": null, "n": 1.0, "e": "", "l": [], "o": {}}'
    record = chat({"role": "assistant", "tool_calls": [call(identity="a", arguments=text)]})
    made = convert(record, to="trl").record["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert json.dumps(made) == text
    assert convert(convert(record, to="trl").record).record == record


def test_results_within_the_users_words_are_messages():
    """Some formats have them there, with what the user says after them."""
    asked = {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "look", "input": {}}]}
    result = {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "x"}]}
    given = chat(asked, {"role": "user", "content": [result, {"type": "text", "text": "Well?"}]})
    messages = convert(given).record["messages"]
    assert [(message["role"], message.get("content")) for message in messages[2:]] == [("tool", "x"), ("user", "Well?")]
    assert convert({"messages": messages}, to="anthropic").record["messages"][2]["content"][0]["tool_use_id"] == "a"


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


def test_reasoning_that_is_no_text_is_an_error():
    """Under the name that everybody reads, lists and objects would reach the prompt as Python prints them."""
    for given in (["Hm."], {"text": "Hm."}, 1):
        said = failure(chat({"role": "assistant", "content": "Hello", "reasoning_content": given}))
        assert said.startswith("messages[1].reasoning_content: reasoning is text, not ")


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


@pytest.mark.parametrize("target", ["openai", "trl", "sharegpt"])
@pytest.mark.parametrize("token", ["<|im_end|>", "<image>", "</s>", "<|tool_call|>"])
def test_special_tokens_are_words_wherever_they_stand(token, target):
    """In descriptions of tools, in arguments, results, reasoning and names as in content."""
    schema = {"type": "object", "properties": {"at": {"type": "string", "description": token, "enum": [token]}}}
    tool = {"type": "function", "function": {"name": "look", "description": token, "parameters": schema}}
    asked = {
        "role": "assistant",
        "content": token,
        "reasoning_content": token,
        "tool_calls": [call(identity="call00001", arguments=json.dumps({"at": token}))],
    }
    result = {"role": "tool", "content": token, "tool_call_id": "call00001"}
    record = {"messages": [{"role": "user", "content": token}, asked, result], "tools": [tool]}
    assert convert(convert(record, to=target).record).record == record


def test_a_tag_in_tools_or_arguments_is_no_medium():
    """Beside images, too: where a call is text, a tag in it is text of the call."""
    called = json.dumps({"name": "look", "arguments": {"at": "<image>"}})
    tool = {**TOOL["function"], "description": "Takes an <image>."}
    turns = [
        {"from": "human", "value": "<image>What is this?"},
        {"from": "function_call", "value": called},
        {"from": "observation", "value": "x"},
        {"from": "gpt", "value": "A cat."},
    ]
    made = convert({"conversations": turns, "images": ["cat.png"], "tools": json.dumps([tool])}).record
    assert made["messages"][0]["content"][0] == {"type": "image_url", "image_url": {"url": "cat.png"}}
    assert json.loads(made["messages"][1]["tool_calls"][0]["function"]["arguments"]) == {"at": "<image>"}
    assert made["tools"][0]["function"]["description"] == "Takes an <image>."
    said = [{"role": "user", "content": "<image>?"}, {"role": "tool_call", "content": called}]
    made = convert({"messages": said, "images": ["cat.png"]}, source="swift").record
    assert json.loads(made["messages"][1]["tool_calls"][0]["function"]["arguments"]) == {"at": "<image>"}


def test_no_reasoning_is_made_up():
    """A message without it gets no empty one, and an empty one is none: models learn from these not to think."""
    for fields in ({}, {"reasoning_content": ""}, {"thinking": None}):
        message = {"role": "assistant", "content": "Hello", **fields}
        for target in ("openai", "trl", "anthropic", "sharegpt"):
            assert convert(convert(chat(message), to=target).record).record == chat(
                {"role": "assistant", "content": "Hello"}
            )


def test_nothing_is_added_to_a_system_prompt():
    """Whether there are tools or not, and none is made where there is none."""
    record = {"messages": [{"role": "system", "content": "Be brief."}, HI], "tools": [TOOL]}
    for one in (record, {"messages": record["messages"]}, chat(), chat(tools=[TOOL])):
        for target in ("openai", "trl", "anthropic", "sharegpt"):
            assert convert(convert(one, to=target).record).record == one


def test_an_empty_system_prompt_is_none():
    """Tables have an empty text in the column of a record without one."""
    turns = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]
    for record in (
        {"conversations": turns, "system": ""},
        {"instruction": "Hi", "input": "", "output": "Hello", "system": "", "history": []},
    ):
        assert [message["role"] for message in convert(record).record["messages"]] == ["user", "assistant"]


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
