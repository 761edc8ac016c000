"""Prefix stability: what stays, what changes, and the template line that changes it."""

import json

import pytest
from click.testing import CliRunner

from llm_templates import ChatTemplate, families, load
from llm_templates.checks import stability
from llm_templates.checks.stability import MATRIX
from llm_templates.cli import main


@pytest.mark.parametrize("name", ["zephyr", "chatml", "llama3"])
def test_a_template_that_writes_messages_one_by_one_is_stable(name):
    """Nothing is said about what is not there."""
    report = stability(load(name))
    assert report.stable
    assert len(report.cases) == 2 * len(MATRIX)
    assert all(case.stable for case in report.cases)


@pytest.mark.parametrize("generated", [False, True])
def test_reasoning_that_is_dropped_later_is_found(generated):
    """The message that lost its reasoning, and the line of the template that wrote it."""
    template = load("qwen3")
    (case,) = [
        case
        for case in stability(template).unstable
        if str(case).startswith("user, assistant (reasoning) + user") and case.generation_prompt == generated
    ]
    change = case.change
    assert change.message == 1
    assert change.was.startswith("<think>\nRain means rain.\n</think>\n\n")
    assert change.now.startswith("It is raining.<|im_end|>")
    assert "<think>" in template.source.splitlines()[change.line - 1]
    assert change.was_from.is_template
    assert str(change.now_from) == "messages[1].content"


def test_a_generation_prompt_that_the_turn_does_not_begin_with_is_found():
    """The model goes on after a text that the same turn does not have later."""
    template = ChatTemplate.from_string(
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>\n{% endfor %}"
        "{% if add_generation_prompt %}<assistant>Sure: {% endif %}"
    )
    report = stability(template)
    assert {case.appended.split(" ")[0] for case in report.unstable} == {"assistant", "user", "tool"}
    assert all(case.generation_prompt for case in report.unstable)
    change = report.unstable[0].change
    assert (change.was, change.now[:3], change.message, change.line) == ("Sure: ", "It ", 1, 2)


def test_a_text_that_ends_differently_is_found():
    """A mark behind the last message moves on."""
    report = stability(ChatTemplate.from_string("{% for m in messages %}{{ m.content }}|{% endfor %}END"))
    change = report.unstable[0].change
    assert (change.was, change.was_from.line, change.line) == ("END", 1, 1)


def test_what_a_template_refuses_is_neither():
    """A template without tools cannot be compared where there are some."""
    report = stability(load("gemma"))
    assert report.stable
    assert {case.refusal for case in report.refused} == {
        "Conversation roles must alternate user/assistant/user/assistant/..."
    }
    assert not any(case.stable for case in report.refused)


def test_variables_are_passed_on():
    """A template may have a switch that keeps what it drops otherwise."""
    template = ChatTemplate.from_string(
        "{% for m in messages %}{% if keep or loop.last %}{{ m.reasoning_content }}{% endif %}{{ m.content }}|{% endfor %}"
    )
    assert not stability(template).stable
    assert stability(template, variables={"keep": True}).stable


@pytest.mark.parametrize("name", families.names())
def test_a_change_is_told_by_where_it_is(name):
    """For every family: the first difference is one, and the line that is named is one of a template of the model."""
    template = load(name)
    lines = {line for text in (template.source, *template.model.templates.values()) for line in text.splitlines()}
    for case in stability(template).unstable:
        change = case.change
        assert change.was[:1] != change.now[:1]
        assert (change.line is None) == (change.source is None)
        assert change.source is None or change.source in lines


def run(*arguments):
    return CliRunner().invoke(main, ["stability", *arguments], catch_exceptions=False)


def test_the_command_names_the_line():
    """Each change with both texts, the message, and the template's line; the exit status tells it, too."""
    template = "{% for m in messages %}{{ m.content }}\n{% endfor %}\n[end]"
    result = run(template)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[:4] == [
        "≠ user + assistant: from character 29, in message 1",
        "  was   [end]  (template line 3)",
        "  now   It is raining.\\n[end]  (messages[1].content)",
        "  line  3: [end]",
    ]
    assert lines[-1] == "0 of 26 cases keep the beginning"


def test_the_command_on_a_stable_template():
    """One line, unless everything is asked for."""
    result = run("chatml")
    assert (result.exit_code, result.stdout) == (0, "26 of 26 cases keep the beginning\n")
    assert run("chatml", "--all").stdout.splitlines()[0] == "= user + assistant"
    refused = run("gemma").stdout
    assert refused == "14 of 26 cases keep the beginning, 12 refused by the template\n"


def test_one_document():
    """--json holds every case."""
    document = json.loads(run("qwen3", "--json").stdout)
    assert not document["stable"]
    assert len(document["cases"]) == 26
    changed = [case for case in document["cases"] if case["change"]]
    assert changed[-1]["history"] == ["user", "assistant (reasoning, tool call)", "tool", "assistant (reasoning)"]
    assert changed[-1]["appended"] == "user"
    assert changed[-1]["change"]["was_from"].startswith("template line ")
