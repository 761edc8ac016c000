"""`llm-templates grammar`: what outputs look like, and what proved it."""

import json

import pytest
from click.testing import CliRunner

from llm_templates import load
from llm_templates.cli import main
from llm_templates.cli.grammar import FIELDS
from llm_templates.grammar import response_template
from llm_templates.grammar.data import from_toml, grammar_of
from llm_templates.grammar.response_template import to_response_template

MODELS = ("chatml", "qwen3", "qwen3-coder", "llama3.1", "gpt-oss", "kimi-k2", "command-r7b", "lfm2")


def run(*arguments):
    return CliRunner().invoke(main, ["grammar", *arguments], catch_exceptions=False)


@pytest.mark.parametrize("derived", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_the_text_and_the_document_are_the_grammar(model, derived):
    """TOML that reads back as the same grammar, with the evidence as comments; JSON with the evidence in it."""
    grammar = load(model).grammar(overrides=not derived)
    arguments = (model, "--derived") if derived else (model,)
    text = run(*arguments).stdout
    assert from_toml(text) == grammar._replace(evidence={})
    comments = [line for line in text.splitlines() if line.startswith("# ")]
    assert len(comments) == len(grammar.evidence)
    assert grammar_of(json.loads(run(*arguments, "--json").stdout)) == grammar


def test_evidence_stands_above_what_it_proves():
    """An override says why; a probe says which."""
    lines = run("lfm2").stdout.splitlines()
    above = lines[lines.index("[[calls]]") - 1]
    assert above == f"# override: {_why('lfm2')}"
    assert "[[calls]]" not in run("lfm2", "--derived").stdout
    lines = run("qwen3").stdout.splitlines()
    assert lines[lines.index('call = "\\n<tool_call>\\n{json}\\n</tool_call>"') - 1].startswith("# probe 'a call'")


def _why(family):
    return load(family).grammar().evidence["calls[0]"].removeprefix("override: ")


def test_the_response_template_is_that_of_the_library():
    """For people on several lines, for programs on one; what the reasoning is called can be chosen."""
    grammar = load("qwen3").grammar()
    assert json.loads(run("qwen3", "--response-template").stdout) == to_response_template(grammar)
    thinking = run("qwen3", "--response-template", "--field", "thinking", "--json").stdout
    assert json.loads(thinking) == to_response_template(grammar, "thinking")
    assert thinking.count("\n") == 1
    assert FIELDS == response_template.FIELDS
    assert run("qwen3", "--response-template", "--field", "thoughts").exit_code == 2


def test_what_a_response_template_cannot_say_is_an_error():
    """With the reason."""
    result = run("lfm2", "--response-template")
    assert result.exit_code == 3
    assert "a response template cannot read" in result.stderr
