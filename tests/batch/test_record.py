"""Records of every shape give what `convert` says they give; those in the shape of templates are taken as they are."""

import json
from pathlib import Path

import pytest

from llm_templates import Batch, convert
from llm_templates.batch import record as module
from llm_templates.batch.record import given

GOLDEN = sorted((Path(__file__).parent.parent / "records").rglob("*.json"))
TALK = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]
CALL = {"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}


@pytest.mark.parametrize(
    "messages",
    [
        TALK,
        [{**TALK[0], "name": "Ann"}, {**TALK[1], "reasoning_content": "Easy.", "weight": 0.5}],
        [TALK[0], {"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "content": "1", "name": "f"}, TALK[1]],
        [{"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image"}]}, TALK[1]],
    ],
)
def test_what_templates_read_is_taken_as_it_is(messages, monkeypatch):
    """Without a copy, and without a look at formats."""
    monkeypatch.setattr(module, "convert", None)
    found = given({"messages": messages, "id": 7}, None)
    assert found.messages is messages


@pytest.mark.parametrize(
    "record",
    [
        {"messages": TALK, "system": "Be kind."},
        {"messages": TALK, "loss_mask": [0, 0]},
        {"messages": TALK, "functions": [{"name": "f", "parameters": {"type": "object", "properties": {}}}]},
        {"messages": TALK, "tools": [{"name": "f", "parameters": {"type": "object", "properties": {}}}]},
        {"messages": [{"role": "human", "content": "Hi"}, {"role": "gpt", "content": "Yes"}]},
        {"messages": [{**TALK[0], "tool_calls": None}, TALK[1]]},
        {"messages": [{"role": "user", "content": None, "text": "Hi"}, TALK[1]]},
        {
            "messages": [
                TALK[0],
                {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "1"}]},
            ]
        },
        {"messages": TALK, "tools": [{"type": "function", "function": {"name": "f", "description": None}}]},
        {"messages": [TALK[0], {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}]},
    ],
)
def test_everything_else_is_converted(record):
    """What stands beside the messages counts, and so does what a message says in the words of another format."""
    try:
        wanted = convert(record, to="trl").record
    except ValueError as error:
        with pytest.raises(type(error)):
            given(record, None)
        return
    found = given(record, None)
    assert found.messages == wanted["messages"]
    assert (found.tools or None) == (wanted.get("tools") or None)
    assert wanted["messages"] != record["messages"] or wanted.get("tools") != record.get("tools")


def test_records_of_all_formats_become_rows():
    """Each golden record is rendered, or its error says why there is no one conversation in it."""
    batch = Batch("chatml", strict=False)
    made = refused = 0
    for path in GOLDEN:
        for value in _records(json.loads(path.read_text(encoding="utf-8"))):
            rows, rejected = batch.rows([(0, value)])
            made += len(rows)
            refused += len(rejected)
            assert len(rows) + len(rejected) == 1
            assert all(one.error.message for one in rejected)
    assert made > 30
    assert refused > 0


def _records(value):
    """The records in a golden file: what is under `record`, `given` or the like, or the file itself."""
    if isinstance(value, dict):
        found = [item for key, item in value.items() if key in ("record", "given", "input", "source_record")]
        return [item for item in found if isinstance(item, dict | list)] or [value]
    return [value]


@pytest.mark.parametrize("family", ["chatml", "qwen3", "llama3.1", "qwen2.5-vl", "zephyr"])
def test_the_text_of_parts_is_never_left_out(family):
    """A template that writes text only gets text; one that writes parts gets parts; other parts are refused."""
    parts = [{"type": "text", "text": "Is it "}, {"type": "text", "text": "sunny?"}]
    batch = Batch(family)
    (row,), _ = batch.rows([(0, {"messages": [{"role": "user", "content": parts}, TALK[1]]})])
    assert "Is it sunny?" in row.prompt
    rows, rejected = batch.rows(
        [(0, {"messages": [{"role": "user", "content": [*parts, {"type": "image"}]}, TALK[1]]})]
    )
    assert rejected[0].error.message if rejected else "Is it sunny?" in rows[0].prompt


@pytest.mark.parametrize(
    "record",
    [
        {"messages": [{"role": ["user"], "content": "Hi"}]},
        {"messages": [{"role": {}, "content": "Hi"}]},
        {"messages": [{"role": "user", "content": [{"type": ["text"], "text": "Hi"}]}]},
        {"messages": TALK, "chat_template_kwargs": [1]},
        {"messages": TALK, "chat_template_kwargs": 5},
        {"messages": 5, "text": "x"},
        {"messages": [{"role": "user", "content": "a\ud800b"}]},
        [[["deep"]]],
        None,
        7,
    ],
)
def test_no_record_ends_a_run(record):
    """Whatever it is, it is rejected with a reason."""
    rows, rejected = Batch("qwen3").rows([(0, record)])
    assert not rows
    assert rejected[0].error.message
