"""Outputs that other projects recorded come out as the messages that they recorded with them.

The records are other people's texts and are not part of this project: the tests look for them in the folder that
LLM_TEMPLATES_CASES names. Those that name a family of models, and no template, are read here with a built-in one.
Compared is what the source of a record looked at, but for white space at the ends of texts; and every record is read
whole and one character at a time.
"""

import json
import os
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from llm_templates import load

CASES = os.environ.get("LLM_TEMPLATES_CASES")

#: The built-in family for what a record calls the model, where it names no template.
FAMILIES = {
    "ernie-4.5-thinking": "ernie4.5",
    "granite-thinking": "granite3.3",
    "inkling": "inkling",
    "mistral": "mistral-v13",
    "olmo-3": "olmo3",
    "pythonic(llama-3.2/toolace)": "toolace",
    "smollm3": "smollm3",
}
#: Labels without a built-in family, and why.
WITHOUT_A_FAMILY = {
    "holo2": "a vision model on Qwen3-VL's format with a switch of its own",
    "hunyuan-v3": "recorded with markers that lack the suffix which those of the published template have",
    "longcat": "no template of it was at hand when the families were written",
    "minimax-m2(append-think)": "not the model's but a parser's choice: it keeps reasoning and markers in the content",
    "step-3": "no template of it was at hand when the families were written",
}
#: Formats that one label stands for: what the output shows decides.
SHOWN = {
    "mistral": [("[THINK]", "magistral"), ("[TOOL_CALLS] [", "mistral-nemo"), ("[TOOL_CALLS][{", "mistral-nemo")],
    "olmo-3": [("</think>", "olmo3-think")],
}

#: Records that expect what we decided otherwise, by the end of their source: the reason.
OTHERWISE = {
    "test_stream_matches_whole_string_all_templates_fixed_chunking": "an opening marker is part of the reasoning there",
    "[malformed_single_args_token]": "a call without a name is one there; here it is kept aside as broken",
    "[parallel_malformed]": "calls without a name are calls there; here they are kept aside as broken",
    "[mixed_malformed_then_wellformed]": "a call without a name is one there; here it is kept aside as broken",
    "[mixed_wellformed_then_malformed]": "a call without a name is one there; here it is kept aside as broken",
    "test_tool_calls.py::test_extract_tool_calls[complex]": "a call that was cut off is one there; here it is kept aside",
}


def plain(value):
    """Arguments as a value, whether they were recorded as one or as its text."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def view(message):
    """What is compared of a message."""
    calls = [call.get("function", call) for call in message.get("tool_calls") or []]
    return {
        "content": (message.get("content") or "").strip(),
        "reasoning_content": (message.get("reasoning_content") or "").strip(),
        "tool_calls": [(call["name"], plain(call["arguments"])) for call in calls],
    }


def looked_at(record, message):
    """Of a message, what the source of a record looked at."""
    expected = record["expected"]
    found = {key: value for key, value in view(message).items() if expected.get(key) is not None}
    for number, call in enumerate(expected.get("tool_calls") or ()):
        if call["arguments"] is None and number < len(found["tool_calls"]):
            found["tool_calls"][number] = (found["tool_calls"][number][0], None)
    return found


def built_in(record):
    family = record["family"]
    shown = (name for text, name in SHOWN.get(family, ()) if text in record["output"])
    return load(next(shown, FAMILIES[family]))


def prompt_of(record, template):
    """What preceded the output: as recorded, or our own prompt if that opens the reasoning, or nothing."""
    if record.get("generation_prompt") is not None:
        return record["generation_prompt"]
    if record.get("prefix") is not None:
        return record["prefix"]
    if not record.get("prompt_opens_reasoning"):
        return ""
    question = [{"role": "user", "content": "Hi"}]
    return template.render(question, tools=record["tools"] or None, add_generation_prompt=True)


@cache
def records():
    """Those that name no template."""
    if not CASES:
        return ()
    lines = (Path(CASES) / "parse.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(record for record in map(json.loads, lines) if not record.get("template_file"))


def of_families():
    return [record for record in records() if record["family"] in FAMILIES]


def otherwise(record):
    """Why we decided otherwise than a record does; None if we did not."""
    source = record["source"].split(" (+")[0]
    return next((why for end, why in OTHERWISE.items() if source.endswith(end) or f"{end}::" in source), None)


def record_id(record):
    return f"{record['family']}-{record['id']}" if record else "none"


@pytest.mark.parametrize("record", of_families() or [None], ids=record_id)
def test_a_record_of_a_family(record):
    """Read with the built-in template of that family."""
    if record is None:
        pytest.skip("LLM_TEMPLATES_CASES names no folder of cases")
    if (why := otherwise(record)) is not None:
        pytest.skip(why)
    template = built_in(record)
    prompt, tools = prompt_of(record, template), record["tools"] or None
    whole = template.parse(record["output"], prompt=prompt, tools=tools)
    parser = template.parser(prompt=prompt, tools=tools)
    for character in record["output"]:
        parser.feed(character)
    assert parser.finish() == whole
    assert looked_at(record, whole) == looked_at(record, record["expected"])


def test_every_record_has_its_place():
    """A label is in one of the two tables, an exception is one of a record, and exceptions are few."""
    if not records():
        pytest.skip("LLM_TEMPLATES_CASES names no folder of cases")
    labels = Counter(record["family"] for record in records())
    assert labels.keys() == FAMILIES.keys() | WITHOUT_A_FAMILY.keys()
    reasons = Counter(otherwise(record) for record in of_families())
    assert reasons.keys() == {None, *OTHERWISE.values()}
    assert reasons[None] >= 4 * (len(of_families()) - reasons[None])
