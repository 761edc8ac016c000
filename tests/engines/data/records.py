"""Five hundred records of all sorts, as one table: chats, tools, reasoning, another format, and broken ones."""

import json

import pyarrow as pa
from tokenizers import Tokenizer, models, pre_tokenizers

from llm_templates import Batch, load

COUNT = 500

CALL = pa.struct(
    [
        ("id", pa.string()),
        ("type", pa.string()),
        ("function", pa.struct([("name", pa.string()), ("arguments", pa.string())])),
    ]
)
MESSAGE = pa.struct(
    [
        ("role", pa.string()),
        ("content", pa.string()),
        ("reasoning_content", pa.string()),
        ("tool_calls", pa.list_(CALL)),
        ("tool_call_id", pa.string()),
    ]
)
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("messages", pa.list_(MESSAGE)),
        ("conversations", pa.list_(pa.struct([("from", pa.string()), ("value", pa.string())]))),
        ("tools", pa.string()),
        ("chat_template_kwargs", pa.struct([("enable_thinking", pa.bool_())])),
    ]
)
TEXTS = ("Is 91 a prime?", "Zürich – 東京 🎉", "Say <|im_end|> twice.", "  two\n\nlines  ", "x" * 300)


def _plain(number):
    text = TEXTS[number % len(TEXTS)]
    return {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": f"No. {number}"}]}


def _reasoning(number):
    """The template leaves the reasoning of the first turn out, so that the record becomes two rows."""
    return {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": f"Is {number} a prime?"},
            {"role": "assistant", "reasoning_content": f"7 times {number}.", "content": "No."},
            {"role": "user", "content": "Sure?"},
            {"role": "assistant", "reasoning_content": "Yes.", "content": "I am."},
        ],
    }


def _tools(number):
    """Two tools that have nothing in common, of which every record has one."""
    name, arguments = [("weather", {"city": f"Bern {number}"}), ("add", {"x": number, "y": 2.5})][number % 2]
    kinds = {key: {"type": "string" if key == "city" else "number"} for key in arguments}
    schema = {"name": name, "description": "A tool.", "parameters": {"type": "object", "properties": kinds}}
    call = {"id": "call00001", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
    return {
        "messages": [
            {"role": "user", "content": "Ask the tool."},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "content": "17", "tool_call_id": "call00001"},
            {"role": "assistant", "content": "It says 17."},
        ],
        "tools": json.dumps([{"type": "function", "function": schema}]),
    }


def _quick(number):
    return {**_plain(number), "chat_template_kwargs": {"enable_thinking": False}}


def _sharegpt(number):
    return {"conversations": [{"from": "human", "value": TEXTS[number % 5]}, {"from": "gpt", "value": "Yes."}]}


def _broken(number):
    """A role that nobody knows, tools that are not JSON, and nothing at all."""
    robot = [{"role": "robot", "content": "Beep."}]
    return [{"messages": robot}, {**_plain(number), "tools": "[{"}, {}][number % 3]


KINDS = (_plain, _reasoning, _tools, _quick, _sharegpt, _plain, _tools, _reasoning, _tools, _broken)


def records():
    """The records, in the order of their ids."""
    return [{"id": number, **KINDS[number % len(KINDS)](number // len(KINDS))} for number in range(COUNT)]


def table(rows=None):
    """The records as a table."""
    return pa.Table.from_pylist(records() if rows is None else rows, schema=SCHEMA)


def _call(name, arguments):
    function = {"name": name, "arguments": arguments}
    return {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": function}]}


def _tool(name, properties):
    parameters = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": name, "description": "A tool.", "parameters": parameters}}


def talks(meant):
    """Records whose tools have nothing in common; one argument may be null and mean it, another no number of Arrow's."""
    ask, reason = (
        {"role": "user", "content": "Go."},
        {"role": "assistant", "content": "Yes.", "reasoning_content": "Hm."},
    )
    weather, add = _tool("weather", {"city": {"type": "string"}}), _tool("add", {"x": {"type": "integer"}})
    return [
        {"messages": [ask, reason], "tools": None},
        {"messages": [ask, _call("weather", {"city": "Bern", **({"day": None} if meant else {})})], "tools": [weather]},
        {"messages": [ask, _call("add", {"x": [10**20 if meant else 1]})], "tools": [add]},
    ]


def prompts(given):
    """The prompts of records that are in no table, each rendered by the template alone."""
    template = load("qwen3")
    return [template.render(record["messages"], tools=record["tools"]) for record in given]


def tokenizer():
    """A tokenizer of single bytes."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    return made


def batch(**options):
    """What makes rows of every kind of column, several of some records, and one with an error of a broken one."""
    columns = ("input_ids", "attention_mask", "labels", "mask", "weights", "length", "prompt")
    chosen = {"columns": columns, "copy": ("id",), "on_error": "column", "rewritten": "turns", "max_tokens": 1200}
    return Batch("qwen3", tokenizer(), **{**chosen, **options})
