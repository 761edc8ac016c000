"""Grammars as `response_template`s, read by transformers itself, and as structural tags; templates as grammars."""

import json
import re
from typing import NamedTuple

import forms
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_templates import InputError
from llm_templates.grammar.data import from_toml, to_toml
from llm_templates.grammar.grammar import Block, CallForm, Grammar, Header, Keys, Route
from llm_templates.grammar.parser import Parser
from llm_templates.grammar.response_template import (
    from_response_template,
    to_response_template,
    with_response_template,
)
from llm_templates.grammar.structure import to_structural_tags
from llm_templates.grammar.tables import Tables

WEATHER = {"city": "Paris", "days": 3}
FILE = {"path": "a.txt", "text": 'one\n  "two" <b> {c}\n'}


def tool(name, **properties):
    """The schema of a tool."""
    parameters = {"type": "object", "properties": {key: {"type": kind} for key, kind in properties.items()}}
    return {"type": "function", "function": {"name": name, "description": "A tool.", "parameters": parameters}}


TOOLS = [
    tool("get_weather", city="string", days="integer"),
    tool("write_file", path="string", text="string"),
    tool("get_time"),
]


def call(name, arguments, **more):
    return {**more, "type": "function", "function": {"name": name, "arguments": arguments}}


def message(content="", reasoning="", *calls):
    """What transformers makes of an output: only what there is."""
    parts = {"reasoning_content": reasoning, "content": content, "tool_calls": list(calls)}
    return {"role": "assistant", **{key: part for key, part in parts.items() if part}}


class Format(NamedTuple):
    """A format: its grammar as TOML, and outputs in it with what they say."""

    grammar: str
    #: Outputs, each with what precedes it where that is not the opener, and the message that it is.
    outputs: tuple[tuple[str, str, dict], ...]


CHATML = r'opener = "<|im_start|>assistant\n"' '\nstops = ["<|im_end|>"]\n'
THINK = r"""
[[reasoning]]
open = "<think>\n"
close = "\n</think>\n\n"
"""
TOOL_CALL = r"""
[[calls]]
call = "<tool_call>\n{json}\n</tool_call>"
between = "\n"
"""
CODER = r"""
[[calls]]
call = "<tool_call>\n<function={name}>\n{arguments}</function>\n</tool_call>"
between = "\n"
arguments = "tagged"
argument = "<parameter={key}>\n{value}\n</parameter>\n"
"""
AS_JSON = json.dumps({"name": "get_weather", "arguments": WEATHER})
OTHER = json.dumps({"name": "write_file", "arguments": FILE})

FORMATS = {
    # Calls are JSON objects in tags, each in its own, one a line; text may precede them.
    "Qwen2.5": Format(
        CHATML + TOOL_CALL,
        (
            ("", "Hello!<|im_end|>", message("Hello!")),
            ("", f"<tool_call>\n{AS_JSON}\n</tool_call><|im_end|>", message("", "", call("get_weather", WEATHER))),
            (
                "",
                f"I look.\n<tool_call>\n{AS_JSON}\n</tool_call>\n<tool_call>\n{OTHER}\n</tool_call><|im_end|>",
                message("I look.", "", call("get_weather", WEATHER), call("write_file", FILE)),
            ),
        ),
    ),
    # The same on one line each, and the text that ends a turn may be missing.
    "Hermes 3": Format(
        CHATML + TOOL_CALL,
        (
            (
                "",
                f"<tool_call>{AS_JSON}</tool_call>\n<tool_call>{OTHER}</tool_call>",
                message("", "", call("get_weather", WEATHER), call("write_file", FILE)),
            ),
        ),
    ),
    # Reasoning precedes everything; the prompt may hold an empty one.
    "Qwen3": Format(
        CHATML + THINK + TOOL_CALL,
        (
            ("", "<think>\nEasy.\n</think>\n\nHello!<|im_end|>", message("Hello!", "Easy.")),
            ("<|im_start|>assistant\n<think>\n\n</think>\n\n", "Hello!<|im_end|>", message("Hello!")),
            ("<|im_start|>assistant\n<think>\n", "Easy.\n</think>\n\nHello!<|im_end|>", message("Hello!", "Easy.")),
            ("", "<think>\nCut o", message("", "Cut o")),
            (
                "",
                f"<think>\nHm.\n</think>\n\n<tool_call>\n{AS_JSON}\n</tool_call><|im_end|>\n<|endoftext|>",
                message("<|endoftext|>", "Hm.", call("get_weather", WEATHER)),
            ),
        ),
    ),
    # Arguments stand in tags on lines of their own; what is inside of these keeps its white space.
    "Qwen3-Coder": Format(
        CHATML + CODER,
        (
            (
                "",
                "I look.\n<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n<parameter=days>\n3\n"
                f"</parameter>\n</function>\n</tool_call>\n<tool_call>\n<function=write_file>\n<parameter=path>\na.txt\n"
                f"</parameter>\n<parameter=text>\n{FILE['text']}\n</parameter>\n</function>\n</tool_call><|im_end|>",
                message("I look.", "", call("get_weather", WEATHER), call("write_file", FILE)),
            ),
            (
                "",
                "<tool_call>\n<function=get_time>\n</function>\n</tool_call>",
                message("", "", call("get_time", {})),
            ),
            (
                "",
                "<tool_call>\n<function=write_file>\n<parameter=text>\n    indented\n</parameter>\n</function>\n</tool_call>",
                message("", "", call("write_file", {"text": "    indented"})),
            ),
        ),
    ),
    # Keys and values have tags each; the next turn's header ends the answer.
    "GLM-4.5": Format(
        r"""
opener = "<|assistant|>"
stops = ["<|user|>", "<|observation|>"]
[[reasoning]]
open = "\n<think>"
close = "</think>\n"
[[calls]]
call = "<tool_call>{name}\n{arguments}</tool_call>"
between = "\n"
arguments = "tagged"
argument = "<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n"
""",
        (
            ("", "\n<think>Easy.</think>\nHello!<|user|>", message("Hello!", "Easy.")),
            ("<|assistant|>\n<think></think>", "\nHello!<|user|>", message("Hello!")),
            (
                "",
                "\n<think>Hm.</think>\n<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n"
                "<arg_key>days</arg_key>\n<arg_value>3</arg_value>\n</tool_call><|observation|>",
                message("", "Hm.", call("get_weather", WEATHER)),
            ),
        ),
    ),
    # The same without line breaks; without thinking, the prompt closes what nothing opened.
    "GLM-4.7": Format(
        r"""
opener = "<|assistant|>"
prompt = "<|assistant|><think>"
stops = ["<|user|>", "<|observation|>"]
[[reasoning]]
open = "<think>"
close = "</think>"
[[calls]]
call = "<tool_call>{name}{arguments}</tool_call>"
arguments = "tagged"
argument = "<arg_key>{key}</arg_key><arg_value>{value}</arg_value>"
""",
        (
            ("<|assistant|><think>", "Easy.</think>Hello!<|user|>", message("Hello!", "Easy.")),
            ("<|assistant|></think>", "Hello!<|user|>", message("Hello!")),
            (
                "<|assistant|></think>",
                "<tool_call>get_time</tool_call><tool_call>get_weather<arg_key>city</arg_key><arg_value>Paris</arg_value>"
                "</tool_call><|observation|>",
                message("", "", call("get_time", {}), call("get_weather", {"city": "Paris"})),
            ),
        ),
    ),
    # A run of calls has marks of its own around it, and the prompt closes reasoning that nothing opened.
    "DeepSeek V3.1": Format(
        r"""
opener = "<｜Assistant｜>"
prompt = "<｜Assistant｜></think>"
stops = ["<｜end▁of▁sentence｜>"]
[[reasoning]]
open = "<think>"
close = "</think>"
[[calls]]
begin = "<｜tool▁calls▁begin｜>"
call = "<｜tool▁call▁begin｜>{name}<｜tool▁sep｜>{arguments}<｜tool▁call▁end｜>"
end = "<｜tool▁calls▁end｜>"
""",
        (
            ("<｜Assistant｜></think>", "Hello!<｜end▁of▁sentence｜>", message("Hello!")),
            ("<｜Assistant｜><think>", "Easy.</think>Hello!<｜end▁of▁sentence｜>", message("Hello!", "Easy.")),
            (
                "<｜Assistant｜></think>",
                f"I look.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{json.dumps(WEATHER)}<｜tool▁call▁end｜>"
                "<｜tool▁call▁begin｜>get_time<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>",
                message("I look.", "", call("get_weather", WEATHER), call("get_time", {})),
            ),
        ),
    ),
    # Arguments stand in a fence.
    "DeepSeek R1": Format(
        r"""
opener = "<｜Assistant｜>"
prompt = "<｜Assistant｜><think>\n"
stops = ["<｜end▁of▁sentence｜>"]
[[reasoning]]
open = "<think>\n"
close = "\n</think>\n\n"
[[calls]]
begin = "<｜tool▁calls▁begin｜>"
call = "<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n```json\n{arguments}\n```<｜tool▁call▁end｜>"
between = "\n"
end = "<｜tool▁calls▁end｜>"
""",
        (
            (
                "<｜Assistant｜><think>\n",
                "Hm.\n</think>\n\n<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n"
                f"{json.dumps(WEATHER)}\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>get_time\n```json\n{{}}\n"
                "```<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>",
                message("", "Hm.", call("get_weather", WEATHER), call("get_time", {})),
            ),
        ),
    ),
    # All calls are one array, whose only mark is the one that begins it; one call may stand there without it.
    "Mistral Nemo": Format(
        r"""
opener = "[/INST]"
stops = ["</s>"]
[[calls]]
call = "[TOOL_CALLS]{json}"
""",
        (
            ("", " Hello!</s>", message("Hello!")),
            ("", f"[TOOL_CALLS][{AS_JSON}]</s>", message("", "", call("get_weather", WEATHER))),
            (
                "",
                f"[TOOL_CALLS][{AS_JSON}, {OTHER}]</s>",
                message("", "", call("get_weather", WEATHER), call("write_file", FILE)),
            ),
            (
                "",
                f"[TOOL_CALLS] [{AS_JSON},\n {OTHER}]",
                message("", "", call("get_weather", WEATHER), call("write_file", FILE)),
            ),
            ("", f"[TOOL_CALLS]{AS_JSON}</s>", message("", "", call("get_weather", WEATHER))),
        ),
    ),
    # Names and ids stand before the arguments, and nothing closes a call.
    "Mistral Small 3.2": Format(
        r"""
opener = "[/INST]"
stops = ["</s>"]
[[calls]]
call = "[TOOL_CALLS]{name}[CALL_ID]{id}[ARGS]{arguments}"
""",
        (
            (
                "",
                f"[TOOL_CALLS]get_weather[CALL_ID]abcdefghi[ARGS]{json.dumps(WEATHER)}[TOOL_CALLS]get_time[ARGS]{{}}</s>",
                message("", "", call("get_weather", WEATHER, id="abcdefghi"), call("get_time", {}, id="")),
            ),
        ),
    ),
    # Keys have no quotes, and texts have their own.
    "Gemma 4": Format(
        r"""
opener = "<|turn>model\n"
stops = ["<turn|>", "<|tool_response>"]
[[reasoning]]
open = "<|channel>thought\n"
close = "\n<channel|>"
[[calls]]
call = "<|tool_call>call:{name}{arguments}<tool_call|>"
arguments = "loose"
quote = "<|\"|>"
""",
        (
            ("", "<|channel>thought\nEasy.\n<channel|>Hello!<turn|>", message("Hello!", "Easy.")),
            (
                "<|turn>model\n<|channel>thought\n<channel|>",
                '<|tool_call>call:get_weather{city:<|"|>Paris<|"|>,days:3}<tool_call|><|tool_call>call:get_time{}<tool_call|>'
                "<|tool_response>",
                message("", "", call("get_weather", WEATHER), call("get_time", {})),
            ),
        ),
    ),
    # Messages with headers: the recipient may stand in the role or in the channel.
    "gpt-oss": Format(
        r"""
opener = "<|start|>assistant"
stops = ["<|return|>", "<|call|>"]
[header]
begin = "<|start|>assistant"
ends = ["<|message|>"]
closes = ["<|end|>", "<|return|>", "<|call|>"]
routes = [
    { match = "to=functions.{name}", to = "arguments" },
    { match = "<|channel|>analysis", to = "reasoning" },
    { match = "<|channel|>commentary", to = "content" },
    { match = "<|channel|>final", to = "content" },
]
""",
        (
            (
                "",
                "<|channel|>analysis<|message|>Easy.<|end|><|start|>assistant<|channel|>final<|message|>Hello!<|return|>",
                message("Hello!", "Easy."),
            ),
            (
                "",
                "<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>"
                f"{json.dumps(WEATHER)}<|call|>",
                message("", "", call("get_weather", WEATHER)),
            ),
            (
                "",
                f" to=functions.get_weather<|channel|>commentary json<|message|>{json.dumps(WEATHER)}<|call|>",
                message("", "", call("get_weather", WEATHER)),
            ),
            (
                "",
                "<|channel|>commentary<|message|>I look.<|end|><|start|>assistant<|channel|>commentary to=functions.get_time"
                "<|message|>{}<|call|>",
                message("I look.", "", call("get_time", {})),
            ),
        ),
    ),
    # What a block is stands where its text begins; calls are JSON there.
    "Inkling": Format(
        r"""
opener = "<|message_model|>"
stops = ["<|content_model_end_sampling|>"]
[[calls]]
call = "{json}"
keys = { arguments = "args" }
[header]
begin = "<|message_model|>"
ends = ["<|content_thinking|>", "<|content_text|>", "<|content_invoke_tool_json|>"]
closes = ["<|end_message|>"]
routes = [
    { match = "<|content_thinking|>", to = "reasoning" },
    { match = "<|content_invoke_tool_json|>", to = "calls" },
]
""",
        (
            (
                "",
                "<|content_thinking|>Hm.<|end_message|><|message_model|><|content_text|>I look.<|end_message|><|message_model|>"
                '<|content_invoke_tool_json|>{"name": "get_weather", "args": {"city": "Paris"}}<|end_message|>'
                "<|content_model_end_sampling|>",
                message("I look.", "Hm.", call("get_weather", {"city": "Paris"})),
            ),
        ),
    ),
    # The name of a call stands in its id alone.
    "Kimi K2": Format(
        r"""
opener = "<|im_assistant|>assistant<|im_middle|>"
stops = ["<|im_end|>"]
[[calls]]
begin = "<|tool_calls_section_begin|>"
call = "<|tool_call_begin|>{id}<|tool_call_argument_begin|>{arguments}<|tool_call_end|>"
end = "<|tool_calls_section_end|>"
""",
        (
            (
                "",
                "I look.<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>"
                f"{json.dumps(WEATHER)}<|tool_call_end|><|tool_call_begin|>functions.get_time:1<|tool_call_argument_begin|>{{}}"
                "<|tool_call_end|><|tool_calls_section_end|><|im_end|>",
                message(
                    "I look.",
                    "",
                    call("get_weather", WEATHER, id="functions.get_weather:0"),
                    call("get_time", {}, id="functions.get_time:1"),
                ),
            ),
        ),
    ),
    # The answer is wrapped, mostly, and calls have keys of their own.
    "Command R7B": Format(
        r"""
opener = "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>"
stops = ["<|END_OF_TURN_TOKEN|>"]
[[reasoning]]
open = "<|START_THINKING|>"
close = "<|END_THINKING|>"
[content]
open = "<|START_RESPONSE|>"
close = "<|END_RESPONSE|>"
[[calls]]
call = "<|START_ACTION|>{json}<|END_ACTION|>"
keys = { name = "tool_name", arguments = "parameters", id = "tool_call_id" }
""",
        (
            (
                "",
                "<|START_THINKING|>Easy.<|END_THINKING|><|START_RESPONSE|>Hello!<|END_RESPONSE|><|END_OF_TURN_TOKEN|>",
                message("Hello!", "Easy."),
            ),
            ("", "Hello!<|END_OF_TURN_TOKEN|>", message("Hello!")),
            (
                "",
                "<|START_THINKING|>Hm.<|END_THINKING|><|START_ACTION|>[\n    "
                f'{{"tool_call_id": "0", "tool_name": "get_weather", "parameters": {json.dumps(WEATHER)}}},\n    '
                '{"tool_call_id": "1", "tool_name": "get_time", "parameters": {}}\n]<|END_ACTION|><|END_OF_TURN_TOKEN|>',
                message("", "Hm.", call("get_weather", WEATHER), call("get_time", {})),
            ),
        ),
    ),
    # A call has no mark at all, only the shape of its JSON.
    "Llama 3.1": Format(
        r"""
opener = "<|start_header_id|>assistant<|end_header_id|>\n\n"
stops = ["<|eot_id|>", "<|eom_id|>"]
[[calls]]
call = "{json}"
between = "; "
keys = { arguments = "parameters" }
""",
        (
            ("", 'In JSON, {"a": 1} is an object.<|eot_id|>', message('In JSON, {"a": 1} is an object.')),
            (
                "",
                f'{{"name": "get_weather", "parameters": {json.dumps(WEATHER)}}}; {{"name": "get_time", "parameters": {{}}}}<|eom_id|>',
                message("", "", call("get_weather", WEATHER), call("get_time", {})),
            ),
        ),
    ),
    # A run of calls has marks, too, and values stand on the line of their tags.
    "MiniMax M2": Format(
        r"""
opener = "]~b]ai\n"
prompt = "]~b]ai\n<think>\n"
stops = ["[e~["]
[[reasoning]]
open = "<think>\n"
close = "\n</think>\n\n"
[[calls]]
begin = "<minimax:tool_call>\n"
call = "<invoke name=\"{name}\">\n{arguments}</invoke>\n"
end = "</minimax:tool_call>"
arguments = "tagged"
argument = "<parameter name=\"{key}\">{value}</parameter>\n"
""",
        (
            (
                "]~b]ai\n<think>\n",
                'Hm.\n</think>\n\nI look.\n<minimax:tool_call>\n<invoke name="get_weather">\n<parameter name="city">Paris'
                '</parameter>\n<parameter name="days">3</parameter>\n</invoke>\n<invoke name="get_time">\n</invoke>\n'
                "</minimax:tool_call>[e~[",
                message("I look.", "Hm.", call("get_weather", WEATHER), call("get_time", {})),
            ),
        ),
    ),
}
OUTPUTS = [(name, index) for name, said in FORMATS.items() for index in range(len(said.outputs))]


@pytest.fixture(scope="module")
def chat_parsing():
    """How transformers reads outputs."""
    return pytest.importorskip("transformers.utils.chat_parsing")


@pytest.fixture(scope="module")
def published():
    """The response templates that transformers has for models without one."""
    return pytest.importorskip("transformers.cli.serving.utils")._RESPONSE_TEMPLATE_FALLBACKS


# Grammars as response templates


@pytest.mark.parametrize("field", ["reasoning_content", "thinking"])
@pytest.mark.parametrize(("name", "index"), OUTPUTS)
def test_transformers_reads_outputs_by_our_response_template(chat_parsing, name, index, field):
    """Whole and in pieces of any size, transformers makes the message of an output that the format's facts demand."""
    said = FORMATS[name]
    grammar = from_toml(said.grammar)
    given, output, expected = said.outputs[index]
    spec = json.loads(json.dumps(to_response_template(grammar, field)))
    expected = {field if key == "reasoning_content" else key: part for key, part in expected.items()}
    for size in (len(output), 1, 5, 16):
        parser = chat_parsing.ResponseParser(spec, prefix=f"<|user|>Hi{given or grammar.opener}", tools=TOOLS)
        for start in range(0, len(output), size):
            parser.feed(output[start : start + size])
        assert parser.finalize()[0] == expected, f"in pieces of {size}"


@pytest.mark.parametrize("name", FORMATS)
def test_serving_engines_take_only_some_fields(name):
    """With `thinking`, there are only the fields and options that vLLM and SGLang know, and no text is joined."""
    spec = to_response_template(from_toml(FORMATS[name].grammar), "thinking")
    assert spec["fields"].keys() <= {"thinking", "content", "tool_calls"}
    assert spec["defaults"] == {"role": "assistant"}
    for key in ("thinking", "content"):
        assert spec["fields"].get(key, {"content": "text"})["content"] == "text"
        assert not {"join", "transform"} & spec["fields"].get(key, {}).keys()


@pytest.mark.parametrize(("name", "index"), OUTPUTS)
def test_our_parser_reads_the_same(name, index):
    """What transformers makes of an output by our response template is what we make of it by the grammar."""
    grammar = from_toml(FORMATS[name].grammar)
    given, output, expected = FORMATS[name].outputs[index]
    parser = Parser(Tables(grammar), prompt=given or grammar.opener, tools=TOOLS)
    parser.feed(output.replace("<|endoftext|>", ""))
    found = parser.finish()
    content = expected.get("content", "").replace("<|endoftext|>", "")
    assert found["content"].strip() == content
    assert found.get("reasoning_content", "").strip() == expected.get("reasoning_content", "")
    calls = [entry["function"] for entry in expected.get("tool_calls", ())]
    assert [entry["function"] for entry in found.get("tool_calls", ())] == calls


def test_a_response_template_is_written_as_one_would_write_it():
    """Literal texts stand as such, and the first thing that is no text is a pattern that one can read."""
    assert to_response_template(from_toml(FORMATS["Qwen3"].grammar)) == {
        "defaults": {"role": "assistant"},
        "start_anchor": "<|im_start|>assistant\n",
        "fields": {
            "reasoning_content": {"open": "<think>", "close": ["</think>", "<|im_end|>"], "content": "text"},
            "content": {"close_pattern": r"<\|im_end\|>\s*", "content": "text"},
            "tool_calls": {
                "open_pattern": r"<tool_call>\s*",
                "close_pattern": r"</tool_call>\s*",
                "repeats": True,
                "content": "json",
                "transform": {"type": "function", "function": "{content}"},
            },
        },
    }


def test_values_are_text_without_a_schema(chat_parsing):
    """What does not say its type is not guessed at, as our own parser does."""
    spec = to_response_template(from_toml(FORMATS["Qwen3-Coder"].grammar))
    output = "<tool_call>\n<function=f>\n<parameter=zip>\n02134\n</parameter>\n</function>\n</tool_call>"
    (found,) = chat_parsing.parse_response(output, spec, prefix="")["tool_calls"]
    assert found["function"]["arguments"] == {"zip": "02134"}


def test_other_forms_of_the_same_reading_are_read_too(chat_parsing):
    """What begins and ends a call may differ, as long as what is inside is read in the same way."""
    forms = (CallForm("<|tool_call|>{json}"), CallForm("<tool_call>{json}</tool_call>"), CallForm("f{name}{arguments}"))
    spec = to_response_template(Grammar(calls=forms, opener="Model:", stops=("</s>",)))
    for output in (f"<|tool_call|>[{AS_JSON}]</s>", f"<tool_call>{AS_JSON}</tool_call>"):
        assert chat_parsing.parse_response(output, spec, prefix="") == message("", "", call("get_weather", WEATHER))


def test_ignored_texts_are_no_content(chat_parsing):
    """A text that means nothing leaves no trace."""
    spec = to_response_template(Grammar(opener="Model:", ignored=("<|python_start|>",), stops=("</s>",)))
    assert chat_parsing.parse_response("<|python_start|>Hello!</s>", spec, prefix="") == message("Hello!")


def test_reasoning_that_nothing_opens_begins_the_message(chat_parsing):
    """Some models think aloud before a marker, without another one before."""
    grammar = Grammar(opener="Model:", reasoning=(Block("", "\n[BEGIN FINAL RESPONSE]\n"),), stops=("</s>",))
    spec = to_response_template(grammar)
    output = "Easy.\n[BEGIN FINAL RESPONSE]\nHello!</s>"
    assert chat_parsing.parse_response(output, spec, prefix="Model:") == message("Hello!", "Easy.")


BEYOND = [
    (CallForm("<c>{name}({arguments})</c>", arguments="python"), "arguments written as Python"),
    (CallForm("<c>{name}{arguments}</c>", arguments="nested", argument="<{key}>{value}</{key}>"), "nested in tags"),
    (CallForm("<c>{json}</c>", keys=Keys(name="")), "whose name is a key"),
    (CallForm("<c>{json}</c>", keys=Keys("tool-name")), "cannot name the key 'tool-name'"),
    (CallForm("<c>{arguments}<id>{id}</c>"), "a field after its arguments"),
    (CallForm("<c>{name}{arguments}</c>", arguments="tagged", argument="<{key}>{value}"), "nothing closes a value"),
    (
        CallForm(
            *("<c>{name}{arguments}</c>", "", "", "", "tagged", '<{key} string="{type}">{value}</p>'),
            types={"true": "string", "false": "json"},
        ),
        "the types of values",
    ),
]


@pytest.mark.parametrize(("form", "reason"), BEYOND, ids=[reason for _, reason in BEYOND])
def test_what_the_format_cannot_express_is_an_error(form, reason):
    """No response template is better than one that reads calls wrongly; the error says what it is."""
    with pytest.raises(InputError, match=reason):
        to_response_template(Grammar(calls=(form,), opener="Model:"))


def test_a_grammar_without_an_opener_has_no_response_template():
    """Without it, reasoning that the prompt began could not be told."""
    with pytest.raises(InputError, match="what precedes an output"):
        to_response_template(Grammar())


def test_other_names_of_the_reasoning_are_refused():
    """A parser would not know what to make of them."""
    with pytest.raises(InputError, match="cannot be called 'thoughts'"):
        to_response_template(Grammar(opener="Model:"), "thoughts")


# Response templates as grammars


def described(anchor, **fields):
    """A response template with these fields."""
    return {"defaults": {"role": "assistant"}, "start_anchor": anchor, "fields": fields}


CALL = {"type": "function", "function": {"name": "{name}", "arguments": "{content}"}}
WHOLE = {"type": "function", "function": "{content}"}
ASSISTANT = "<|im_start|>assistant\n"


def test_published_templates_are_read(published):
    """What transformers has for models without a template of their own becomes the grammars of these."""
    found = {types[0]: from_response_template(spec) for types, spec in published.items()}
    grammar, remarks = found["qwen2"]
    assert grammar.opener == ASSISTANT
    assert grammar.reasoning == (Block("<think>\n", "\n</think>\n\n"),)
    assert grammar.calls == (CallForm("<tool_call>{json}</tool_call>", between="\n"),)
    assert "<|im_end|>" in grammar.stops
    assert remarks == []
    grammar, _ = found["qwen3_5"]
    assert grammar.calls[0].call == "<tool_call>\n<function={name}>{arguments}</function>\n</tool_call>"
    assert grammar.calls[0].argument == "<parameter={key}>\n{value}\n</parameter>"
    grammar, remarks = found["gemma4"]
    assert grammar.calls == (
        CallForm("<|tool_call>call:{name}{arguments}<tool_call|>", arguments="loose", quote='<|"|>'),
    )
    assert grammar.stops == ("<turn|>", "<|tool_response>", "<eos>")
    assert remarks == ["of what precedes an output, only '<|turn>model\\n' is kept"]


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_reads_back(name):
    """The response template of a grammar describes the same marks."""
    grammar = from_toml(FORMATS[name].grammar)
    read, _ = from_response_template(to_response_template(grammar))
    assert read.opener == grammar.opener
    assert {block.close.strip() for block in grammar.reasoning} == {block.close.strip() for block in read.reasoning}
    assert set(grammar.stops) <= {*read.stops, *(read.header.closes if read.header else ())}
    if grammar.header:
        assert read.header.ends == grammar.header.ends
        assert {route.match for route in read.header.routes} <= {route.match for route in grammar.header.routes}
    for form, again in zip(grammar.calls, read.calls, strict=True):
        assert re.sub(r"\s", "", again.call) == re.sub(r"\s", "", form.call)
        assert again.begin.strip() == form.begin.strip()
        assert (again.arguments, again.quote, again.keys[:2]) == (form.arguments, form.quote, form.keys[:2])


HEADED = described(
    "<|start|>assistant",
    thinking={"open": "<|channel|>analysis<|message|>", "close": "<|end|>"},
    content={"open": "<|channel|>final<|message|>", "close_pattern": r"<\|return\|>\s*"},
    tool_calls={
        "open_pattern": r"<\|channel\|>commentary to=functions\.(?P<name>\w+).*?<\|message\|>",
        "close": "<|call|>",
        "repeats": True,
        "content": "json",
        "transform": CALL,
    },
)


def test_fields_that_open_alike_are_messages_with_headers():
    """Where every text opens with the same marker, what precedes that is a header."""
    grammar, remarks = from_response_template(HEADED)
    assert grammar.header == Header(
        "<|start|>assistant",
        ("<|message|>",),
        ("<|end|>", "<|return|>", "<|call|>"),
        (
            Route("<|channel|>commentary to=functions.{name}", "arguments"),
            Route("<|channel|>analysis", "reasoning"),
            Route("<|channel|>final", "content"),
        ),
    )
    assert grammar.calls == grammar.reasoning == ()
    assert remarks == []


def forms_of(**field):
    """The forms of calls of a template that has only them, and the remarks."""
    grammar, remarks = from_response_template(described("Model:", content={"close": "</s>"}, tool_calls=field))
    return grammar.calls, remarks


def test_arrays_and_renamed_keys():
    """Whether a call is one object or each of an array is told by the transform, and so are its keys."""
    function = {"name": "{tool_name}", "arguments": "{parameters}"}
    forms, _ = forms_of(
        open="[CALLS]",
        close="[/CALLS]",
        content="json",
        transform_each=True,
        transform={"function": function, "id": "{tool_id}"},
    )
    assert forms == (CallForm("[CALLS]{json}[/CALLS]", keys=Keys("tool_name", "parameters", "tool_id")),)
    function = {"name": "{content.name}", "arguments": "{content.args}"}
    forms, _ = forms_of(open="<c>", close="</c>", repeats=True, content="json", transform={"function": function})
    assert forms == (CallForm("<c>{json}</c>", between="\n", keys=Keys(arguments="args")),)


def test_a_name_inside_of_json_is_a_key():
    """A pattern that takes the beginning of a JSON object apart means the object."""
    forms, _ = forms_of(
        open_pattern=r'\{"name":\s*"(?P<name>[^"]+)",\s*"parameters":\s*',
        close_pattern=r"\}</s>\s*",
        repeats=True,
        content="json",
        transform=CALL,
    )
    assert forms == (CallForm("{json}", between="\n", keys=Keys(arguments="parameters")),)


def test_python_calls_are_told_by_their_shape():
    """Arguments that are `key=value` between brackets are Python's, in a list of calls."""
    forms, _ = forms_of(
        open_pattern=r"(?:<\|start\|>\[|,\s*)(?P<name>\w+)\(",
        close_pattern=r"\)(?:\]<\|end\|>)?\s*",
        repeats=True,
        content="xml-inline",
        transform=CALL,
        content_args={"tag_pattern": r"(?P<key>\w+)=(?P<value>'[^']*'|\[(?:[^\[\]]|\[[^\]]*\])*\]|[^,)]*)"},
    )
    assert forms == (CallForm("{name}({arguments})", "<|start|>[", "]<|end|>", ", ", "python"),)


def test_tags_that_a_template_leaves_open_are_closed():
    """A template need not name what closes the inner of two tags, but outputs have it."""
    forms, remarks = forms_of(
        open_pattern=r"<tool_call>\s*<function=(?P<name>[^>\n]+)>",
        close_pattern=r"</tool_call>\s*",
        repeats=True,
        content="xml-inline",
        transform=CALL,
        content_args={
            "tag_pattern": r"<parameter=(?P<key>[^>\n]+)>\s*(?P<value>.*?)\s*</parameter>",
            "value_parser": {"name": "json", "args": {"allow_non_json": True}},
            "merge_duplicates": True,
        },
    )
    assert forms[0].call == "<tool_call>\n<function={name}>{arguments}</function>\n</tool_call>"
    assert remarks == [
        "a value that looks like JSON is text here where no tool says its type",
        "values of a key that comes twice are not collected",
    ]


def test_values_that_are_always_json():
    """Where texts stand in quotes, a grammar says so."""
    forms, _ = forms_of(
        open_pattern=r"<f (?P<name>\w+)>",
        close="</f>",
        repeats=True,
        content="xml-inline",
        transform=CALL,
        content_args={"tag_pattern": r"<a (?P<key>\w+)>(?P<value>.*?)</a>", "value_parser": {"name": "json"}},
    )
    assert forms == (
        CallForm("<f {name}>{arguments}</f>", arguments="tagged", argument="<a {key}>{value}</a>", quoted=True),
    )


def test_an_anchor_that_opens_the_reasoning_leaves_that_to_the_reasoning():
    """A template may take the mark that the prompt always ends with for part of what precedes the message."""
    spec = {
        "start_anchor_pattern": r"<\|im_start\|>assistant\n<think>(?:\n|</think>)?",
        "fields": {
            "reasoning_content": {"open_pattern": r"(?=[\s\S]*?</think>)", "close_pattern": r"</think>\s*"},
            "content": {"close_pattern": r"<\|im_end\|>\s*|$"},
        },
    }
    grammar, remarks = from_response_template(spec)
    assert (grammar.opener, remarks) == (ASSISTANT, [])
    assert grammar.reasoning == (Block("<think>\n", "\n</think>\n\n"),)
    assert grammar.stops == ("<|im_end|>",)


def test_white_space_that_counts_is_kept():
    """A template that does not strip has its marks as they are."""
    kept = {"open": "<think>", "close": "</think>", "content_args": {"strip": False}}
    grammar, _ = from_response_template(described("Model:", reasoning=kept, content={}))
    assert grammar.reasoning == (Block("<think>", "</think>"),)


REMARKS = [
    (
        described("Model:", content={}, citations={"open": "<co>"}),
        "the field citations is none of a message, and is left out",
    ),
    ({**described("Model:", content={}), "defaults": {"content": ""}}, "the defaults are left out"),
    (described("Model:", content={"optional": False}), "a grammar does not demand any field"),
    (described("Model:", content={"open": "<a>"}), "text outside of the fields is content here, and dropped there"),
    (
        described("Model:", content={}, tool_calls={"open": "<f>", "content": "kv-lines", "transform": CALL}),
        "tool calls are left out: what is read as kv-lines is no call",
    ),
    (
        described("Model:", content={}, tool_calls={"open": "<f>", "content": "json"}),
        "tool calls are left out: the transform makes no call of what is read",
    ),
    (
        described("Model:", content={}, tool_calls={"open": "<f>", "content": "json", "transform": CALL}),
        "tool calls are left out: what opens them has no group for the name",
    ),
]


@pytest.mark.parametrize(("spec", "remark"), REMARKS, ids=[remark for _, remark in REMARKS])
def test_what_a_grammar_cannot_say_is_remarked(spec, remark):
    """Nothing is left out in silence."""
    assert remark in from_response_template(spec)[1]


WRONG = [
    ([], "response_template: expected a table, not list"),
    ({"fields": {}}, "fields: there are none"),
    ({"fields": {"content": {}}}, "start_anchor: it is missing"),
    ({**described("a", content={}), "version": 2}, "version: only version 1 is known, not 2"),
    ({**described("a", content={}), "schema": {}}, "response_template.schema: there is no such key"),
    (described("a", content="text"), "fields.content: expected a table, not str"),
    (described("a", content={"opens": "b"}), "fields.content.opens: there is no such key"),
    (described("a", content={"content": "xml"}), "fields.content.content: 'xml' is none of text"),
    (described("a", content={"open": ""}), "fields.content.open: expected text, or a list of texts"),
    (described("a", content={"open": []}), "fields.content.open: expected text, or a list of texts"),
    (
        described("a", content={"open": "b", "open_pattern": "b"}),
        "fields.content.open: either `open` or `open_pattern`",
    ),
    (described("a", content={"open_pattern": 1}), "fields.content.open_pattern: expected text, not int"),
    (
        described("a", content={"open_pattern": "(b"}),
        "fields.content.open_pattern: the pattern '(b' has a bracket that nothing closes",
    ),
    (
        described("a", content={"open_pattern": "b)"}),
        "fields.content.open_pattern: the pattern 'b)' has a bracket that nothing opens",
    ),
    (described("a", content={"open_pattern": "(a|b)" * 9}), "fields.content.open_pattern: the pattern '(a|b)"),
    (described("a", content={"open_pattern": "(" * 99}), "fields.content.open_pattern: the groups of the pattern"),
    (described("a", content={"open_pattern": "a" * 5000}), "fields.content.open_pattern: the pattern has more than"),
    (described("a", content={}, thinking={}), "fields: only one may do without `open`"),
]


@pytest.mark.parametrize(("spec", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_is_no_response_template_is_refused(spec, said):
    """The error says where and why."""
    with pytest.raises(InputError) as caught:
        from_response_template(spec)
    assert caught.value.message.startswith(said)


TEXTS = st.sampled_from(
    ["<a>", "</a>", r"<f (?P<name>\w+)>", r"(?P<key>\w+)=(?P<value>.*)", "{content}", "json", "text", "", "{", "("]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
PARSER = st.fixed_dictionaries({}, optional={"name": TEXTS, "args": ANYTHING}) | ANYTHING
ARGUMENTS = {"tag_pattern": TEXTS, "string_delims": ANYTHING, "value_parser": PARSER, "strip": ANYTHING}
TRANSFORMS = st.sampled_from([CALL, WHOLE, {"function": {"name": "{a}", "arguments": "{b.c}"}}]) | ANYTHING
FIELD = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("open", "open_pattern", "close", "close_pattern", "join"), TEXTS | ANYTHING),
        "content": st.sampled_from(["text", "json", "xml-inline", "kv-lines"]) | ANYTHING,
        "content_args": st.fixed_dictionaries({}, optional=ARGUMENTS) | ANYTHING,
        "transform": TRANSFORMS,
        **dict.fromkeys(("repeats", "optional", "transform_each"), ANYTHING),
    },
)


@given(st.dictionaries(st.sampled_from(["content", "thinking", "tool_calls", "other"]), FIELD), TEXTS)
def test_any_template_is_a_grammar_or_an_error(fields, anchor):
    """A file that somebody else wrote never fails in another way, and its grammar can be written."""
    try:
        grammar, remarks = from_response_template({"start_anchor": anchor, "fields": fields})
    except InputError:
        return
    assert from_toml(to_toml(grammar)) == grammar
    assert all(isinstance(remark, str) for remark in remarks)


# A model's own response template


SHIPPED = described(
    ASSISTANT,
    reasoning_content={"open": "<think>", "close": "</think>"},
    content={"close": "<|im_end|>"},
    tool_calls={"open": "<tool_call>", "close": "</tool_call>", "repeats": True, "content": "json", "transform": WHOLE},
)


def test_a_shipped_template_says_what_the_chat_template_does_not():
    """What was derived stays, since it is what the model was trained on; the rest is taken over, with its evidence."""
    derived = Grammar(
        calls=(CallForm("<c>{json}</c>"),), stops=("</s>",), opener="A:", evidence={"calls[0].call": "a probe"}
    )
    grammar = with_response_template(derived, SHIPPED)
    assert grammar == derived._replace(
        reasoning=(Block("<think>\n", "\n</think>\n\n"),),
        evidence={"calls[0].call": "a probe", "reasoning": "response_template"},
    )


def test_a_shipped_header_takes_the_place_of_derived_marks():
    """Headers cannot be derived; and where they are known already, nothing else is needed."""
    derived = Grammar(
        content=Block("final<|message|>", ""), opener="<|start|>assistant", evidence={"content": "a probe"}
    )
    grammar = with_response_template(derived, HEADED)
    assert grammar.header == from_response_template(HEADED)[0].header
    assert (grammar.content, grammar.evidence) == (None, {"header": "response_template"})
    assert with_response_template(grammar, SHIPPED) == grammar


# Structural tags

FUNCTIONS = CallForm("<function={name}>{arguments}</function>")
OBJECT = {"type": "object", "properties": {}}


def tags_of(*forms, tools=("get_weather", "get_time"), **parts):
    """The format of the structural tag for some tools without parameters."""
    schemas = [{"type": "function", "function": {"name": name}} for name in tools]
    tag = to_structural_tags(Grammar(calls=forms, **parts), schemas)
    assert tag["type"] == "structural_tag"
    assert tag.keys() == {"type", "format"}
    return tag["format"]


def tag(begin, end, content=None):
    return {
        "type": "tag",
        "begin": begin,
        "content": content or {"type": "json_schema", "json_schema": OBJECT},
        "end": end,
    }


def test_the_example_of_the_documentation():
    """Free text, and calls after a trigger: the example of xgrammar's documentation has this form."""
    city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    schema = {"type": "function", "function": {"name": "get_weather", "parameters": city}}
    assert to_structural_tags(Grammar(calls=(FUNCTIONS,)), [schema]) == {
        "type": "structural_tag",
        "format": {
            "type": "triggered_tags",
            "triggers": ["<function="],
            "tags": [tag("<function=get_weather>", "</function>", {"type": "json_schema", "json_schema": city})],
        },
    }


def test_a_run_of_calls_is_a_tag_of_tags():
    """What stands around several calls is written once, and what stands between them is the separator."""
    form = CallForm("<c>{name}<sep>{arguments}</c>", begin="<cs>", end="</cs>", between="\n")
    run = {
        "type": "tags_with_separator",
        "tags": [tag("<c>get_weather<sep>", "</c>"), tag("<c>get_time<sep>", "</c>")],
        "separator": "\n",
        "at_least_one": True,
    }
    assert tags_of(form) == {"type": "triggered_tags", "triggers": ["<cs>"], "tags": [tag("<cs>", "</cs>", run)]}


def test_ids_are_patterns():
    """A name that stands in an id is followed by the number of the call; any other id is a word."""
    kimi = CallForm("<c>{id}<args>{arguments}</c>")
    (found,) = tags_of(kimi, tools=("f",))["tags"]
    assert found["begin"] == "<c>functions.f:"
    assert found["content"]["type"] == "sequence"
    assert found["content"]["elements"] == [
        {"type": "regex", "pattern": r"\d+"},
        {"type": "const_string", "value": "<args>"},
        {"type": "json_schema", "json_schema": OBJECT},
    ]
    (found,) = tags_of(CallForm("<c>{name}<id>{id}<args>{arguments}"), tools=("f",))["tags"]
    assert (found["begin"], found["content"]["elements"][0]["type"], found["end"]) == ("<c>f<id>", "regex", "")


STYLES = {"Qwen3-Coder": "qwen_xml", "GLM-4.5": "glm_xml", "GLM-4.7": "glm_xml", "MiniMax M2": "minimax_xml"}


@pytest.mark.parametrize("name", STYLES)
def test_tagged_arguments_have_a_style(name):
    """The format knows how some models write arguments; white space after the last one may be missing with it."""
    found = to_structural_tags(from_toml(FORMATS[name].grammar), TOOLS)["format"]["tags"][0]
    while found["content"]["type"] == "tags_with_separator":
        found = found["content"]["tags"][0]
    assert found["content"]["style"] == STYLES[name]
    assert found["content"]["json_schema"] == TOOLS[0]["function"]["parameters"]


def test_calls_that_are_json_have_a_schema():
    """One object by itself, or an array of them; references of a tool's schema still point into it."""
    jsonschema = pytest.importorskip("jsonschema")
    parameters = {"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"type": "integer"}}}
    tools = [{"type": "function", "function": {"name": "a/b", "parameters": parameters}}, TOOLS[2]]
    one = {"name": "a/b", "arguments": {"a": 1}}
    for form, arrays in ((CallForm("<c>{json}</c>"), True), (CallForm("<c>{json}</c>", between="\n"), False)):
        (found,) = to_structural_tags(Grammar(calls=(form,)), tools)["format"]["tags"]
        check = jsonschema.Draft202012Validator(found["content"]["json_schema"]).is_valid
        assert check(one)
        assert check([one, {"name": "get_time", "arguments": {}}]) is arrays
        assert not check({"name": "a/b", "arguments": {"a": "x"}})
        assert not check({"name": "other", "arguments": {}})
        assert not check([])


def test_keys_of_calls_are_those_of_the_form():
    """The id comes first or last, and a name may be the key itself."""
    jsonschema = pytest.importorskip("jsonschema")
    (found,) = tags_of(CallForm("<c>{json}</c>", keys=Keys("tool", "args", "id")))["tags"]
    properties = [list(variant["properties"]) for variant in found["content"]["json_schema"]["$defs"]["call"]["anyOf"]]
    assert properties[:2] == [["id", "tool", "args"], ["tool", "args", "id"]]
    (found,) = tags_of(CallForm("<c>{json}</c>", keys=Keys(name="")))["tags"]
    check = jsonschema.Draft202012Validator(found["content"]["json_schema"]).is_valid
    assert check([{"get_time": {}}])
    assert not check([{"other": {}}])


def test_calls_without_a_mark_are_triggered_by_their_json():
    """The beginning of the object is the only thing that tells them."""
    found = tags_of(CallForm("{json}", keys=Keys(arguments="parameters")), tools=("f",))
    assert found["triggers"] == ['{"name":']
    assert found["tags"] == [tag('{"name": "f", "parameters": ', "}")]


def test_headers_name_the_tool():
    """What a header says after the name is free, and the message is the arguments."""
    header = from_toml(FORMATS["gpt-oss"].grammar).header
    found = tags_of(header=header, tools=("f",))
    assert found["triggers"] == ["to=functions."]
    (found,) = found["tags"]
    assert (found["begin"], found["end"]) == ("to=functions.f", ["<|end|>", "<|return|>", "<|call|>"])
    rest, arguments = found["content"]["elements"]
    assert rest == {"type": "tag", "begin": "", "content": {"type": "any_text"}, "end": "<|message|>"}
    assert arguments["type"] == "json_schema"


@pytest.mark.parametrize("name", [name for name in FORMATS if "loose" not in FORMATS[name].grammar])
def test_every_tag_begins_with_a_trigger(name):
    """Engines refuse a tag that no trigger, or more than one, leads to."""
    found = to_structural_tags(from_toml(FORMATS[name].grammar), TOOLS)["format"]
    for entry in found["tags"]:
        assert [entry["begin"].startswith(trigger) for trigger in found["triggers"]].count(True) == 1
        assert isinstance(entry["end"], str) or all(isinstance(end, str) for end in entry["end"])
    json.dumps(found)


UNCONSTRAINED = [
    (Grammar(), "no form of calls"),
    (Grammar(calls=(BEYOND[0][0],)), "written as python"),
    (Grammar(calls=(CallForm("<c>{name}{arguments}</c>", arguments="loose"),)), "written as loose"),
    (Grammar(calls=(BEYOND[1][0],)), "written '<{key}>{value}</{key}>'"),
    (
        Grammar(header=Header(">>>", ("\n",), (), (Route("{name}", "arguments"),))),
        "whose name has no mark before it",
    ),
]


@pytest.mark.parametrize(("grammar", "reason"), UNCONSTRAINED, ids=[reason for _, reason in UNCONSTRAINED])
def test_what_no_structural_tag_describes_is_an_error(grammar, reason):
    """A tag that describes something else would keep the model from calling."""
    with pytest.raises(InputError, match=re.escape(reason)):
        to_structural_tags(grammar, TOOLS)


@pytest.mark.parametrize(
    ("tools", "said"), [([], "there are no tools"), ([{"type": "function"}], "tools.0. has no name")]
)
def test_there_must_be_tools(tools, said):
    """Without tools, and their names, there is nothing to describe."""
    with pytest.raises(InputError, match=said):
        to_structural_tags(Grammar(calls=(FUNCTIONS,)), tools)


# Every format of the built-in families

#: Why some families have no response template.
LIMITS = ("written as Python", "nested in tags", "the types of values", "whose name is a key")


@pytest.mark.parametrize("form", forms.forms(), ids=forms.form_id)
def test_transformers_reads_the_outputs_of_every_family(chat_parsing, form):
    """A family's grammar is a response template by which transformers reads what we read, or says why it is none."""
    grammar = form.template.grammar()
    try:
        spec = to_response_template(grammar)
    except InputError as error:
        assert any(limit in error.message for limit in LIMITS)
        return
    prompt = form.prompt
    if prompt is None:
        prompt = grammar.prompt or str(
            form.template.render([{"role": "user", "content": "Hi"}], add_generation_prompt=True)
        )
    found = chat_parsing.parse_response(form.output, spec, prefix=prompt, tools=forms.TOOLS)
    assert forms.seen({"content": "", **found}) == form.said
