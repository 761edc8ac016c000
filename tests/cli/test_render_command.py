"""`llm-templates render`: what goes in, what comes out, and with which exit status."""

import json

import pytest
from click.testing import CliRunner

from llm_templates import load
from llm_templates.cli import main

USER = {"role": "user", "content": "Hello!"}
TALK = [USER, {"role": "assistant", "content": "Hi."}, {"role": "user", "content": "Grüße 😀"}]


def run(*arguments, stdin=None):
    return CliRunner().invoke(main, ["render", *arguments], input=stdin, catch_exceptions=False)


def written(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def test_a_user_message_is_enough():
    """The prompt comes out exactly, without an added line break, ready for the model to answer."""
    result = run("zephyr", "-u", "Hello!")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "<|user|>\nHello!</s>\n<|assistant|>\n", "")
    assert run("mistral", "-u", "Hello!").stdout == "<s>[INST] Hello! [/INST]"


def test_a_file_of_messages(tmp_path):
    """A list of messages, as bytes of UTF-8."""
    result = run("chatml", written(tmp_path / "talk.json", TALK))
    assert result.stdout_bytes == load("chatml").render(TALK, add_generation_prompt=True).encode()


def test_standard_input():
    """`-` is standard input, in UTF-8 with or without a byte order mark."""
    text = json.dumps(TALK, ensure_ascii=False)
    expected = load("chatml").render(TALK, add_generation_prompt=True).encode()
    for data in (text.encode(), b"\xef\xbb\xbf" + text.encode()):
        assert run("chatml", "-", stdin=data).stdout_bytes == expected


def test_json_lines_are_told_by_themselves(tmp_path):
    """A message on each line, a single message, and a single conversation on its line are conversations."""
    expected = run("chatml", written(tmp_path / "talk.json", TALK)).stdout
    lines = "".join(f"{json.dumps(message)}\r\n\n" for message in TALK)
    assert run("chatml", "-", stdin=lines).stdout == expected
    assert run("chatml", "-", stdin=f"\n{json.dumps(TALK)}\n").stdout == expected
    assert run("chatml", "-", stdin=json.dumps({"messages": TALK})).stdout == expected
    assert run("chatml", "-", stdin=json.dumps(USER)).stdout == run("chatml", "-u", "Hello!").stdout


def test_several_user_messages():
    """Each -u is a message of its own, in order."""
    messages = [{"role": "user", "content": text} for text in ("a", "b")]
    assert run("chatml", "-u", "a", "-u", "b").stdout == load("chatml").render(messages, add_generation_prompt=True)


def test_system_and_user_stand_around_the_file(tmp_path):
    """`-s` goes before the messages of the file and `-u` after them."""
    result = run("chatml", written(tmp_path / "talk.json", TALK[:2]), "-s", "Be brief.", "-u", "More.")
    messages = [{"role": "system", "content": "Be brief."}, *TALK[:2], {"role": "user", "content": "More."}]
    assert result.stdout == load("chatml").render(messages, add_generation_prompt=True)


def test_the_generation_prompt_can_be_left_out():
    """It is on by default and off on request."""
    assert run("zephyr", "-u", "Hello!", "--no-generation-prompt").stdout == "<|user|>\nHello!</s>\n"
    assert run("zephyr", "-u", "Hello!", "--generation-prompt").stdout == run("zephyr", "-u", "Hello!").stdout


def test_the_last_message_can_be_continued(tmp_path):
    """The prompt ends inside it, without a generation prompt; the option does not swallow the word after it."""
    path = written(tmp_path / "talk.json", TALK[:2])
    for arguments in ([path, "--continue-final-message"], ["--continue-final-message", path]):
        assert run("zephyr", *arguments).stdout == "<|user|>\nHello!</s>\n<|assistant|>\nHi."
    template = "{% for m in messages %}{{ m.reasoning_content }}|{{ m.content }}{% endfor %}"
    path = written(tmp_path / "thought.json", [{"role": "assistant", "content": "", "reasoning_content": "Hm"}])
    assert run(template, path, "--continue-final-message=reasoning_content").stdout == "Hm"
    result = run("zephyr", "-u", "Hello!", "--continue-final-message", "--generation-prompt")
    assert result.exit_code == 2
    assert "leaves no place for" in result.stderr


def test_an_object_brings_tools_and_documents(tmp_path):
    """An object has `messages` and may have the rest; the option wins over its tools, other keys are pointed out."""
    template = "{{ tools|tojson }}|{{ documents|tojson }}|{{ messages[0].content }}"
    content = {"messages": [USER], "tools": [{"name": "a"}], "documents": [{"title": "b"}], "temperature": 1, "n": 2}
    path = written(tmp_path / "request.json", content)
    result = run(template, path)
    assert result.stdout == '[{"name": "a"}]|[{"title": "b"}]|Hello!'
    assert result.stderr == f"Note: {path}: not used: n, temperature\n"
    tools = written(tmp_path / "tools.json", [{"name": "other"}])
    assert run(template, path, "--tools", tools).stdout == '[{"name": "other"}]|[{"title": "b"}]|Hello!'
    assert (
        run(template, written(tmp_path / "bare.json", {"messages": [USER], "tools": None})).stdout == "null|null|Hello!"
    )


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("x=false", "false"),
        ("x=3", "3"),
        ('x={"a": [1]}', '{"a": [1]}'),
        ('x="3"', '"3"'),
        ("x=low", '"low"'),
        ("x=26 Jul 2024", '"26 Jul 2024"'),
        ("x=a=b", '"a=b"'),
        ("x=", '""'),
        ("x=NaN", '"NaN"'),
        (f"x={'9' * 5000}", f'"{"9" * 5000}"'),
        (f"x={'[' * 5000}", f'"{"[" * 5000}"'),
    ],
)
def test_a_variable_is_json_or_text(given, value):
    """What is JSON is read as JSON, anything else is text."""
    assert run("{{ x|tojson }}", "-u", "Hello!", "--var", given).stdout == value


def test_several_variables():
    """The option may be repeated."""
    assert run("{{ x }}{{ y }}", "-u", "Hello!", "--var", "x=1", "--var", "y=2").stdout == "12"


def test_a_folder_and_a_template_file(tmp_path):
    """MODEL is anything `load` takes."""
    written(tmp_path / "chat_template.jinja", "{{ bos_token }}{{ messages[0].content }}")
    written(tmp_path / "tokenizer_config.json", {"bos_token": "<s>"})
    assert run(str(tmp_path), "-u", "Hello!").stdout == "<s>Hello!"
    assert run(str(tmp_path / "chat_template.jinja"), "-u", "Hello!").stdout == "Hello!"


def test_named_templates(tmp_path):
    """A model's other templates are chosen by name, and the one for tools by giving tools, as the library does."""
    templates = [{"name": name, "template": f"{name}: {{{{ messages[0].content }}}}"} for name in ("default", "rag")]
    written(tmp_path / "tokenizer_config.json", {"chat_template": templates})
    assert run(str(tmp_path), "-u", "x").stdout == "default: x"
    assert run(str(tmp_path), "-u", "x", "--variant", "rag").stdout == "rag: x"
    templates.append({"name": "tool_use", "template": "{{ bos_token }}tools: {{ messages[0].content }}{{ tools }}"})
    written(tmp_path / "tokenizer_config.json", {"chat_template": templates, "bos_token": "<s>", "eos_token": "</s>"})
    tools = written(tmp_path / "tools.json", [])
    document = json.loads(run(str(tmp_path), "-u", "x", "--tools", tools, "--json").stdout)
    assert (document["prompt"], document["variant"]) == ("<s>tools: x[]", "tool_use")
    assert document["special_tokens"] == {"bos_token": "<s>"}
    document = json.loads(run(str(tmp_path), "-u", "x", "--tools", tools, "--json", "--variant", "rag").stdout)
    assert (document["prompt"], document["variant"], document["special_tokens"]) == ("rag: x", "rag", {})


def test_a_model_without_a_template(tmp_path):
    """The built-in name to use instead is the user's choice."""
    written(tmp_path / "tokenizer_config.json", {"bos_token": "<s>"})
    assert run(str(tmp_path), "-u", "x", "--default", "chatml").stdout == run("chatml", "-u", "x").stdout
    document = json.loads(run(str(tmp_path), "-u", "x", "--default", "chatml", "--json").stdout)
    assert document["source"] == "the built-in family chatml, in place of the model's own"


def test_one_document():
    """--json tells the prompt and what it was made with, and notes are in it instead of on standard error."""
    result = run("zephyr", "-", "--json", stdin=json.dumps({"messages": [USER], "n": 1}))
    assert json.loads(result.stdout) == {
        "prompt": "<|user|>\nHello!</s>\n<|assistant|>\n",
        "model": "zephyr",
        "source": "the built-in family zephyr",
        "variant": "default",
        "special_tokens": {"eos_token": "</s>"},
        "notes": ["standard input: not used: n"],
    }
    assert result.stdout.endswith("}\n")
    assert result.stdout.count("\n") == 1
    assert result.stderr == ""


def test_a_document_takes_half_a_character():
    """What UTF-8 cannot write, JSON can: as an escape."""
    stdin = '[{"role": "user", "content": "\\ud83d é"}]'
    assert json.loads(run("{{ messages[0].content }}", "-", "--json", stdin=stdin).stdout)["prompt"] == "\ud83d é"


def test_what_does_not_reach_the_prompt_is_noted(tmp_path):
    """The prompt is what the template makes; what it leaves out is said beside it."""
    tools = written(tmp_path / "tools.json", [{"name": "a"}])
    path = written(tmp_path / "talk.json", [{"role": "tool", "content": "21 °C"}, USER])
    result = run("zephyr", path, "--tools", tools)
    assert result.stdout == run("zephyr", "-u", "Hello!").stdout
    assert result.stderr.splitlines() == [
        "Note: the template does not read tools: the prompt is without them",
        "Note: messages[0].content: its text is not in the prompt; the role is 'tool' (dropped)",
    ]


def test_the_option_ends_where_arguments_begin():
    """What stands behind -- is an argument, whatever it looks like."""
    assert "there is no file" in run("zephyr", "--", "--continue-final-message").stderr


@pytest.mark.parametrize(
    ("arguments", "stdin", "status", "words"),
    [
        (["zephyr"], None, 2, "give a conversation"),
        (["zephyr", "nowhere.json"], None, 2, "there is no file 'nowhere.json'"),
        (["zephyr", "-u", "x", "--var", "x"], None, 2, "'x' is not of the form NAME=VALUE"),
        (["zephyr", "-u", "x", "--var", "=1"], None, 2, "'=1' is not of the form NAME=VALUE"),
        (["zephyr", "-u", "x", "--nonsense"], None, 2, "No such option"),
        (["zephyr", "-"], "", 3, "standard input: there is nothing in it"),
        (["zephyr", "-"], '[{"role": "user"', 3, "standard input: not valid JSON"),
        (["zephyr", "-"], b'["\xff"]', 3, "standard input: not UTF-8 text (byte 2)"),
        (["zephyr", "-"], "[" * 100_000, 3, "nested too deep"),
        (["zephyr", "-"], "9" * 5000, 3, "too long a number"),
        (["zephyr", "-"], "5", 3, "found a number"),
        (["zephyr", "-"], '{"message": []}', 3, "an object with 'messages', found an object"),
        (["zephyr", "-"], '{"messages": {}}', 3, "messages: expected a list, found an object"),
        (["zephyr", "-"], '{"messages": null}', 3, "messages: expected a list, found null"),
        (["zephyr", "-"], '{"messages": [], "tools": "x"}', 3, "tools: expected a list, found text"),
        (["zephyr", "-"], "[]", 3, "empty"),
        (["zephyr", "-"], '["Hello!"]', 3, "message 0"),
        (["zephyr", "-"], '[{"role": "user", "content": "\\ud83d"}]', 3, "half a character (U+D83D)"),
        (["zephyr", "-u", "x", "--var", "y=1"], None, 3, "never reads the variable 'y'"),
        (["gemma", "-s", "x", "-u", "y"], None, 4, "System role not supported"),
        (["{{ messages[0].content.x.y }}", "-u", "x"], None, 4, "has no attribute 'x'"),
        (["{% if %}", "-u", "x"], None, 4, "Expected an expression"),
        (["{% for i in range(9999) %}{{ range(9999)|list }}{% endfor %}", "-u", "x"], None, 4, "budget"),
        (["zephir", "-u", "x"], None, 5, "did you mean zephyr"),
        (["/", "-u", "x"], None, 5, "holds no model"),
    ],
)
def test_what_is_wrong_is_said(arguments, stdin, status, words):
    """Nothing on stdout, the fault on stderr without a traceback, and the exit status of its kind."""
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == status
    assert result.stdout == ""
    assert words in result.stderr
    assert "Traceback" not in result.stderr
