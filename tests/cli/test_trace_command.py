"""`llm-templates trace`: who wrote what, in colours and without."""

import json
import re

import pytest
from click.testing import CliRunner
from test_commands import needs_terminal, terminal

from llm_templates import families, load
from llm_templates.cli import main
from llm_templates.cli.view import GUTTER, view

TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi\tyou \n\u202e\x1b[2J", "name": "Ann"},
    {"role": "assistant", "content": "Hello!", "reasoning_content": "Hm."},
]
TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}"
LEGEND = "⟦ ⟧ input   ▸ ◂ what the model writes   ↵ a line break   · a space at the end of a line"


def run(*arguments, stdin=None):
    return CliRunner().invoke(main, ["trace", *arguments], input=stdin, catch_exceptions=False)


def shown(prompt, messages=TALK, *, coloured=False, width=None):
    return view(prompt, messages, coloured=coloured, width=width)


def test_the_view_without_colours():
    """Turn by turn, each line with its origin; brackets around input and around what the model writes."""
    assert run(TEMPLATE, "-", "--no-generation-prompt", stdin=json.dumps(TALK)).stdout.splitlines() == [
        "messages[0] system",
        "role, content           │ <⟦system⟧>⟦Be brief.⟧↵",
        "messages[1] user",
        "role, content           │ <⟦user⟧>⟦Hi\\tyou·↵",
        "content                 │ \\u202e\\x1b[2J⟧↵",
        "messages[2] assistant",
        "role, content           │ <⟦assistant⟧>▸⟦Hello!⟧◂↵",
        "",
        "not in the prompt:",
        "  messages[1].name",
        "  messages[2].reasoning_content",
        "",
        LEGEND,
    ]


def test_options_are_those_of_render(tmp_path):
    """The conversation, tools, variables and reasoning come in as they do there."""
    path = tmp_path / "tools.json"
    path.write_text('[{"type": "function", "function": {"name": "clock", "description": "The time."}}]')
    result = run("qwen3", "-s", "Be brief.", "-u", "Hi", "--tools", str(path), "--reasoning", "off")
    assert "⟦clock⟧" in result.stdout
    assert "tools[0]" in result.stdout
    assert result.stdout.count("<think>↵") == 1
    assert "⟦low⟧" in run("{{ messages[0].content }}{{ level }}", "-u", "x", "--var", "level=low").stdout
    assert run("qwen3").exit_code == 2
    assert run("gemma", "-s", "x", "-u", "y").exit_code == 4


def test_one_document():
    """--json is the prompt as data."""
    document = json.loads(run("zephyr", "-u", "Hello!", "--json").stdout)
    prompt = load("zephyr").trace([{"role": "user", "content": "Hello!"}], add_generation_prompt=True)
    assert document == json.loads(json.dumps(prompt.to_json()))


def test_the_colours():
    """The template is dim, each role has its colour, what the model writes is underlined; the text is the same."""
    prompt = load("chatml").trace(TALK)
    coloured, plain = shown(prompt, coloured=True), shown(prompt)
    text = "\n".join(coloured)
    assert "\x1b[32m\x1b[4mHello!" in text
    assert "\x1b[2m\x1b[4m<|im_end|>" in text
    assert "\x1b[35mBe brief." in text
    bare = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in coloured]
    assert [line.translate(dict.fromkeys(map(ord, "⟦⟧▸◂"))) for line in plain][:-1] == bare[:-1]


@pytest.mark.parametrize("width", [40, 61, 100])
@pytest.mark.parametrize("coloured", [False, True])
def test_lines_are_wrapped(width, coloured):
    """No line is longer than the terminal is wide, and nothing is lost."""
    messages = [{"role": "user", "content": "word 你好 " * 40}, {"role": "assistant", "content": "x" * 300}]
    lines = shown(load("chatml").trace(messages), messages, coloured=coloured, width=width)
    rows = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in lines if "│" in line]
    columns = [sum(2 if character in "你好" else 1 for character in row) for row in rows]
    assert max(columns) <= width
    text = "".join(row[GUTTER + 2 :] for row in rows)
    assert text.count("你好") == 40
    assert text.count("x") == 300


@pytest.mark.parametrize("name", families.names())
def test_every_character_is_shown(name):
    """For every family: without brackets and signs, the view is the prompt."""
    template = load(name)
    messages = [{"role": "user", "content": "Hi there"}, {"role": "assistant", "content": "Hello!"}]
    prompt = template.trace(messages)
    rows = [line[GUTTER + 2 :] for line in shown(prompt, messages) if line[GUTTER : GUTTER + 1] == "│"]
    text = "".join(rows).translate({ord("↵"): "\n", ord("·"): " ", **dict.fromkeys(map(ord, "⟦⟧▸◂"))})
    assert text.replace("\\n", "\n") == str(prompt).replace("\t", "\\t").replace("\\n", "\n")


def test_an_empty_prompt_has_a_view():
    """A template may write nothing; all of the input is then listed."""
    assert run("{{ '' }}{{ messages[1] }}", "-u", "Hi").stdout.splitlines() == [
        "",
        "not in the prompt:",
        "  messages[0].content",
        "",
        LEGEND,
    ]


@needs_terminal
def test_colours_are_for_terminals_that_want_them():
    """NO_COLOR is honoured: brackets then; the view is as wide as the terminal."""
    arguments = ["trace", "chatml", "-u", "word " * 60]
    assert b"\x1b[36m" in terminal(arguments, NO_COLOR="", COLUMNS="60")
    bare = terminal(arguments, NO_COLOR="1", COLUMNS="60").decode()
    assert "\x1b[" not in bare
    assert "⟦" in bare
    assert max(len(line) for line in bare.splitlines() if "│" in line) <= 60
