"""Outputs that other systems recorded together with a template: read as they read them, but for the listed ones."""

import json
import os
from functools import cache
from pathlib import Path

import pytest
from test_recorded import looked_at, prompt_of

from llm_templates import ChatTemplate

CASES = os.environ.get("LLM_TEMPLATES_CASES")

#: Records that are read otherwise here, by number, and why; COMPATIBILITY.md has them, too.
OTHERWISE = {
    14: "a marker that opens reasoning once more counts as reasoning there; another system leaves it out",
    390: "words of the prompt are part of the output's reasoning there",
    471: "without tools a raw value is read as JSON there",
    484: "a value whose type is string is read as a number there",
    566: "a marker that closes reasoning is content there; other records of the model say otherwise",
    701: "an answer is reasoning there, although nothing opened it",
    705: "text up to a closing marker that nothing opened is content there",
    707: "text up to a closing marker that nothing opened is content there",
    791: "text before a call of another format is reasoning there, although nothing opened it",
    797: "text before a call of another format is reasoning there, although nothing opened it",
}


def is_run(record):
    options = record.get("options") or {}
    others = ("continue_final_message", "is_partial", "json_schema")
    ordinary = options.get("reasoning_format") != "none" and not any(options.get(name) for name in others)
    return bool(record.get("template_file")) and ordinary


@cache
def records():
    if not CASES:
        return ()
    lines = (Path(CASES) / "parse.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(record for record in map(json.loads, lines) if is_run(record))


@cache
def template_of(file):
    source = (Path(CASES).parent / file).read_bytes().decode("utf-8")
    return ChatTemplate.from_string(source, special_tokens={"bos_token": "<s>", "eos_token": "</s>"})


@pytest.mark.parametrize("record", records() or [None], ids=lambda record: str(record["id"]) if record else "none")
def test_a_record_with_a_template(record):
    """The template is all that says which model it is; whole, and character by character."""
    if record is None:
        pytest.skip("LLM_TEMPLATES_CASES names no folder of cases")
    template = template_of(record["template_file"])
    prompt, tools = prompt_of(record, template), record["tools"] or None
    whole = template.parse(record["output"], prompt=prompt, tools=tools)
    parser = template.parser(prompt=prompt, tools=tools)
    for character in record["output"]:
        parser.feed(character)
    assert parser.finish() == whole
    same = looked_at(record, whole) == looked_at(record, record["expected"])
    if record["id"] in OTHERWISE:
        # A listed record that is read as recorded has no place in the list.
        assert not same
        pytest.skip(OTHERWISE[record["id"]])
    assert same


def test_few_are_read_otherwise():
    """At most a tenth."""
    if not records():
        pytest.skip("LLM_TEMPLATES_CASES names no folder of cases")
    assert OTHERWISE.keys() <= {record["id"] for record in records()}
    assert len(OTHERWISE) <= len(records()) / 10
