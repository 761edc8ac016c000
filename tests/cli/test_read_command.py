"""`llm-templates read`: a prompt back to the conversation, and whether that gives the prompt again."""

import json
import shlex

import pytest
from click.testing import CliRunner

from llm_templates import load
from llm_templates.cli import main

TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What is the weather in Bern?\n"},
    {"role": "assistant", "content": "Rain, “always”."},
    {"role": "user", "content": "And in Basel?"},
]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
EXACT = "it is exactly this prompt again"


def run(*arguments, stdin=None):
    return CliRunner().invoke(main, list(arguments), input=stdin, catch_exceptions=False)


@pytest.mark.parametrize("model", ["chatml", "zephyr", "qwen3", "llama3.1"])
def test_a_prompt_is_read_back(model):
    """What `read` writes is a conversation that `render` takes, and it gives the same prompt."""
    prompt = load(model).render(TALK, add_generation_prompt=True)
    result = run("read", model, stdin=prompt)
    assert (result.exit_code, result.stderr) == (0, f"Note: rendered, {EXACT}\n")
    assert [message["role"] for message in json.loads(result.stdout)["messages"]] == [row["role"] for row in TALK]
    assert run("render", model, "-", stdin=result.stdout).stdout == prompt


def test_text_and_files(tmp_path):
    """A prompt may be an argument, or stand in a file; a message stands on each line."""
    prompt = load("chatml").render(TALK[:2], add_generation_prompt=True)
    path = tmp_path / "prompt.txt"
    path.write_text(prompt, encoding="utf-8", newline="")
    written = run("read", "chatml", prompt).stdout
    assert written == run("read", "chatml", f"@{path}").stdout == run("read", "chatml", "-", stdin=prompt).stdout
    assert [line[:9] for line in written.splitlines()] == ['{"message', '{"role": ', '{"role": ', "]}"]


def test_tools_are_read_back():
    """They are beside the messages, and the calls of the model are in them."""
    call = {"type": "function", "function": {"name": "get_weather", "arguments": {"city": "Bern"}}}
    talk = [TALK[1], {"role": "assistant", "content": "", "tool_calls": [call]}, {"role": "tool", "content": "Rain"}]
    prompt = load("qwen3").render(talk, tools=[TOOL], add_generation_prompt=True)
    result = run("read", "qwen3", stdin=prompt)
    found = json.loads(result.stdout)
    assert found["tools"] == [TOOL]
    assert found["messages"][1]["tool_calls"][0]["function"] == call["function"]
    assert run("render", "qwen3", "-", stdin=result.stdout).stdout == prompt


def test_the_options_that_give_the_prompt_again_are_told():
    """They are those of `render`."""
    prompt = load("qwen3").render(TALK, add_generation_prompt=True, reasoning=False)
    result = run("read", "qwen3", stdin=prompt)
    options = result.stderr.removeprefix("Note: rendered with ").removesuffix(f", {EXACT}\n")
    assert options == "--var enable_thinking=false"
    assert run("render", "qwen3", "-", *shlex.split(options), stdin=result.stdout).stdout == prompt
    prompt = load("chatml").render(TALK)
    assert run("read", "chatml", stdin=prompt).stderr == f"Note: rendered with --no-generation-prompt, {EXACT}\n"


def test_what_is_not_the_same_again_is_told():
    """The exit status says so, too: 1."""
    prompt = load("chatml").render(TALK, add_generation_prompt=True)
    result = run("read", "chatml", stdin=prompt[:-30])
    assert result.exit_code == 1
    assert result.stderr.startswith("Note: ")
    assert EXACT not in result.stderr
    other = run("read", "zephyr", "Hello")
    assert (other.exit_code, json.loads(other.stdout)) == (1, {"messages": []})


def test_one_document():
    """--json has everything that the prompt tells, on one line, and nothing on standard error."""
    prompt = load("qwen3").render(TALK, reasoning=False)
    result = run("read", "qwen3", "--json", stdin=prompt)
    assert result.stderr == ""
    (line,) = result.stdout.splitlines()
    found = load("qwen3").read(prompt)
    assert json.loads(line) == {**found._asdict(), "lost": list(found.lost)}
    assert found.exact
    assert not found.add_generation_prompt
