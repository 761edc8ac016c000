"""What tables do to records, each trap by its name: every object gets the keys of all, and null where it had none."""

import json
import math

import pytest

from llm_templates import load
from llm_templates.records import convert

from .chats import HI, TOOL, call, chat, failure


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


# Two records of one table: their tools, calls and parts have nothing in common.
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Bern", "Oslo"]}},
            "required": ["city"],
        },
    },
}
ADDING = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds.",
        "parameters": {
            "type": "object",
            "properties": {"numbers": {"type": "array", "items": {"type": "number"}, "description": "what is added"}},
        },
    },
}
ROWS = [
    {
        "messages": [
            {"role": "user", "content": "Is it sunny?"},
            {"role": "assistant", "tool_calls": [call("weather", "a", '{"city": "Bern"}')]},
            {"role": "tool", "content": "yes", "tool_call_id": "a"},
            {"role": "assistant", "content": "Yes.", "weight": 1},
        ],
        "tools": [WEATHER],
    },
    {
        "messages": [
            {"role": "system", "content": "Add."},
            {"role": "user", "content": "1 and 2?"},
            {"role": "assistant", "content": "3", "reasoning_content": "1 + 2", "weight": 0},
        ],
        "tools": [ADDING],
        "row": 7,
    },
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]},
]


def like(values):
    """What a table has of a column: the keys of all objects in each, at every depth."""
    if all(isinstance(value, dict | None) for value in values):
        keys = dict.fromkeys(key for value in values if value for key in value)
        return {key: like([value[key] for value in values if value and key in value]) for key in keys}
    if all(isinstance(value, list | None) for value in values):
        return [like([item for value in values if value for item in value])]
    return None


def padded(value, shape):
    """A value as such a table gives it back."""
    if isinstance(shape, dict) and value is not None:
        return {key: padded(value.get(key), inner) for key, inner in shape.items()}
    if isinstance(shape, list) and value is not None:
        return [padded(item, shape[0]) for item in value]
    return value


@pytest.mark.parametrize("index", range(len(ROWS)))
def test_a_record_comes_out_of_a_table_as_it_went_in(index):
    """Whatever keys the other records of the table have."""
    row = padded(ROWS[index], like(ROWS))
    assert "row" in row
    assert "reasoning_content" in row["messages"][0]
    assert convert(row).record == convert(ROWS[index]).record == ROWS[index]


def test_a_record_comes_out_of_arrow_as_it_went_in():
    """The same by Arrow itself."""
    arrow = pytest.importorskip("pyarrow")
    table = arrow.Table.from_pylist(ROWS, schema=arrow.Table.from_pylist([{**ROWS[0], **ROWS[1]}, *ROWS]).schema)
    rows = table.to_pylist()
    assert "numbers" in rows[0]["tools"][0]["function"]["parameters"]["properties"]
    assert [convert(row).record for row in rows] == ROWS


def test_parameters_of_other_tools_do_not_leak_into_prompts():
    """A prompt of a padded record is that of the record."""
    row = padded(ROWS[0], like(ROWS))
    assert "numbers" in json.dumps(row["tools"])
    made, plain = (convert(record, to="trl").record for record in (row, ROWS[0]))
    prompt, wanted = (load("qwen3").render(one["messages"], tools=one["tools"]) for one in (made, plain))
    assert prompt == wanted
    assert "numbers" not in prompt


def test_arguments_of_other_calls_are_told_from_none():
    """Arguments are better kept as JSON text: padded objects keep their nulls, and the report says which."""
    calls = [call("weather", "a", {"city": "Bern", "numbers": None}), call("add", "b", {"city": None, "numbers": [1]})]
    conversion = convert(chat({"role": "assistant", "tool_calls": calls}, tools=[WEATHER, ADDING]))
    (remark,) = [remark for remark in conversion.report if remark.kind == "kept"]
    assert remark.text == "a null argument that its tool does not have, padding or not"
    assert remark.places == ("messages[1].tool_calls.numbers", "messages[1].tool_calls.city")


def test_a_column_that_is_all_null_is_none():
    """Neither tools nor anything else is made of it, and an empty list is none, too."""
    for empty in (None, [], "", "[]", "null"):
        assert "tools" not in convert(chat(tools=empty)).record
    assert convert({"prompt": "Hi", "completion": "Hello", "chosen": None, "label": None}).source == "prompt-completion"
    assert failure({"messages": None, "prompt": None}).startswith("no format is known that looks like this record")
