"""`llm-templates parse`: what a model wrote, whole or as it comes."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner
from test_commands import PROGRAM, needs_terminal, terminal

from llm_templates import load
from llm_templates.cli import main

THOUGHT = "<think>\nA tool knows.\n</think>\n\n"
CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Bern", "days": [1, null]}}\n</tool_call>'
ANSWER = f"{THOUGHT}Let me see. {CALL}<|im_end|>"
CODER = "<tool_call>\n<function=add>\n<parameter=number>\n007\n</parameter>\n</function>\n</tool_call>"
ADD = {"name": "add", "parameters": {"type": "object", "properties": {"number": {"type": "integer"}}}}


def run(*arguments, stdin=None):
    return CliRunner().invoke(main, ["parse", *arguments], input=stdin, catch_exceptions=False)


def message(*arguments, stdin=None):
    """The one line of JSON that is written, and nothing else."""
    result = run(*arguments, stdin=stdin)
    assert (result.exit_code, result.stderr) == (0, "")
    (line,) = result.stdout.splitlines()
    return json.loads(line)


def test_the_message_is_that_of_the_library():
    """As text, on standard input, and from a file."""
    expected = load("qwen3").parse(ANSWER)
    assert expected["tool_calls"][0]["function"]["arguments"] == {"city": "Bern", "days": [1, None]}
    assert message("qwen3", ANSWER) == message("qwen3", ANSWER, "--json") == expected
    assert message("qwen3", stdin=ANSWER) == message("qwen3", "-", stdin=ANSWER) == expected


def test_a_file_is_named_with_an_at_sign(tmp_path, monkeypatch):
    """The bare name of a file is text like any other, and that is pointed out."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "answer.txt").write_text(ANSWER, encoding="utf-8")
    assert message("qwen3", "@answer.txt")["reasoning_content"] == "A tool knows."
    result = run("qwen3", "answer.txt")
    assert json.loads(result.stdout)["content"] == "answer.txt"
    assert result.stderr.startswith("Note: the text 'answer.txt' is taken as it stands; @answer.txt is ")
    assert run("qwen3", "@nowhere.txt").exit_code == 3


def test_white_space_is_kept():
    """An output is read exactly as it comes, line break at its end included."""
    assert message("chatml", stdin="Hello! \n")["content"] == "Hello! \n"
    assert message("chatml", "")["content"] == ""


def test_the_prompt_may_have_begun_the_reasoning(tmp_path):
    """--prompt is text or a file; without it, the template's own end of a prompt counts."""
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("<|im_start|>assistant\n<think>\n", encoding="utf-8")
    told = {"role": "assistant", "content": "", "reasoning_content": "Hm."}
    assert message("qwen3", "Hm.", "--prompt", f"@{prompt}") == told
    assert message("qwen3", "Hm.", "--prompt", prompt.read_text(encoding="utf-8")) == told
    assert message("qwen3", "Hm.", "--prompt", "-", stdin=prompt.read_text(encoding="utf-8")) == told
    assert message("qwen3", "Hm.") == {"role": "assistant", "content": "Hm."}


def test_tools_say_what_type_a_value_has(tmp_path):
    """A value that stands as raw text is what the tool's schema says."""
    path = tmp_path / "tools.json"
    path.write_text(json.dumps([{"type": "function", "function": ADD}]), encoding="utf-8")

    def number(*arguments):
        return message("qwen3-coder", CODER, *arguments)["tool_calls"][0]["function"]["arguments"]["number"]

    assert number() == "007"
    assert number("--tools", str(path)) == 7


def test_calls_that_are_not_whole_are_pointed_out():
    """The message is there all the same, with the text of the call."""
    cut = run("qwen3", CALL[:60])
    assert cut.exit_code == 0
    assert json.loads(cut.stdout)["unparsed_tool_calls"][0]["text"] == CALL[:60]
    assert cut.stderr == (
        "Note: the call of get_weather at characters 0 to 60 is cut off: it is kept as text, in unparsed_tool_calls\n"
    )
    broken = run("qwen3", CALL.replace("null", "nul"))
    assert "tool_calls" not in json.loads(broken.stdout)
    assert f"at characters 0 to {len(CALL) - 1} is broken: " in broken.stderr
    assert "a call at characters 0 to 11 is cut off" in run("qwen3", "<tool_call>").stderr


def test_events_are_those_of_the_library():
    """With --stream, a delta is on each line, and the message on the last."""
    parser = load("qwen3").parser()
    events = [*parser.feed(ANSWER[:-20]), *parser.feed(ANSWER[-20:])]
    told = parser.finish()
    lines = [json.loads(line) for line in run("qwen3", "--stream", stdin=ANSWER).stdout.splitlines()]
    assert lines[-1] == {"message": told}
    assert text(lines[:-1]) == text(events) == ("A tool knows.", "Let me see. ", '{"city": "Bern", "days": [1, null]}')
    cut = run("qwen3", ANSWER[:-40], "--stream")
    assert [*json.loads(cut.stdout.splitlines()[-1])["message"]][-1] == "unparsed_tool_calls"
    assert "is cut off" in cut.stderr


def text(events):
    """What events add up to: reasoning, content and the arguments of the one call."""
    calls = [event["tool_calls"][0]["function"]["arguments"] for event in events if "tool_calls" in event]
    said = ("".join(event.get(key, "") for event in events) for key in ("reasoning_content", "content"))
    return *said, "".join(calls)


def test_events_come_before_the_output_is_over():
    """What is certain is told at once, also when the input comes in pieces that cut characters in two."""
    process = subprocess.Popen(
        [*PROGRAM, "parse", "qwen3", "--stream"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdin.write("<think>\nÉ".encode()[:-1])
    process.stdin.flush()
    process.stdin.write("É.\n</think>\n\nHello".encode()[1:])
    process.stdin.flush()
    assert json.loads(process.stdout.readline()) == {"reasoning_content": "É."}
    assert json.loads(process.stdout.readline()) == {"content": "Hello"}
    assert process.poll() is None
    rest, errors = process.communicate(b" you!", timeout=60)
    assert [json.loads(line) for line in rest.splitlines()] == [
        {"content": " you!"},
        {"message": {"role": "assistant", "content": "Hello you!", "reasoning_content": "É."}},
    ]
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.parametrize("data", [b"caf\xe9", b"caf\xc3"])
def test_what_is_no_text_is_refused(data):
    """Only UTF-8 is read; whole and as it comes, it is the same kind of error."""
    for arguments in ((), ("--stream",)):
        result = run("chatml", *arguments, stdin=data)
        assert result.exit_code == 3
        assert "standard input: not UTF-8 text" in result.stderr


def test_spans_cover_the_output():
    """What each stretch was read as, as a table and as data."""
    result = run("qwen3", f"{THOUGHT}Hi\n<|im_end|>", "--spans")
    assert result.stdout.splitlines() == [
        "from  to  kind       text",
        "0     7   marker     <think>",
        "7     22  reasoning  \\nA tool knows.\\n",
        "22    30  marker     </think>",
        "30    35  content    \\n\\nHi\\n",
        "35    45  marker     <|im_end|>",
    ]
    document = json.loads(run("qwen3", ANSWER, "--spans", "--json").stdout)
    assert document["message"] == load("qwen3").parse(ANSWER)
    spans = document["spans"]
    assert [span["start"] for span in spans[1:]] == [span["end"] for span in spans[:-1]]
    assert (spans[0]["start"], spans[-1]["end"]) == (0, len(ANSWER))
    assert {span["kind"] for span in spans} == {"marker", "reasoning", "content", "call"}


def test_one_thing_is_read_from_standard_input():
    """And one view is shown at a time."""
    assert "can be read once" in run("qwen3", "--tools", "-").stderr
    assert "can be read once" in run("qwen3", "--prompt", "-").stderr
    assert run("qwen3", "-", "--prompt", "-", stdin="x").exit_code == 2
    assert "one at a time" in run("qwen3", "x", "--stream", "--spans").stderr


@needs_terminal
def test_a_terminal_shows_a_message_for_people():
    """Reasoning, content and calls in rows; control characters as escapes; JSON if it is asked for."""
    output = f"{THOUGHT}One\n\x1b[2J {CALL}{CALL[:50]}"
    shown = terminal(["parse", "qwen3", output], NO_COLOR="1").decode().splitlines()
    call_id = load("qwen3").parse(output)["tool_calls"][0]["id"]
    assert [line.rstrip() for line in shown[:8]] == [
        "reasoning       A tool knows.",
        "content         One",
        "                \\x1b[2J",
        f"call            get_weather  ({call_id})",
        '                  city = "Bern"',
        "                  days = [1, null]",
        "truncated call  <tool_call>",
        f"                {CALL[12:50]}",
    ]
    assert shown[8].startswith("Note: the call of get_weather at characters ")
    assert terminal(["parse", "qwen3", ""], NO_COLOR="1") == b"content  (nothing)\r\n"
    assert json.loads(terminal(["parse", "qwen3", "Hi", "--json"])) == {"role": "assistant", "content": "Hi"}


@needs_terminal
def test_nobody_is_kept_waiting():
    """On a terminal, an output that is not given is an error and not a wait."""
    import pty

    ours, theirs = pty.openpty()
    try:
        for command in ("parse", "read"):
            result = subprocess.run(
                [sys.executable, "-m", "llm_templates", command, "qwen3"], stdin=theirs, capture_output=True, timeout=60
            )
            assert result.returncode == 2
            assert b"as text, as @FILE, or on standard input" in result.stderr
    finally:
        os.close(ours)
        os.close(theirs)
