"""`llm-templates show`: a template, what it reads and what its model's tokens are."""

import json

import pytest
from click.testing import CliRunner

from llm_templates import families, load
from llm_templates.cli import main

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ m.content }}\n"
    "{% if enable_thinking %}<think>{% endif %}{% endfor %}\n"
    "{%- if tools and not enable_thinking %}{{ date }}{% endif %}\n"
)


def run(*arguments):
    return CliRunner().invoke(main, ["show", *arguments], catch_exceptions=False)


def test_the_template_is_written_exactly(tmp_path):
    """What --template writes is the file."""
    path = tmp_path / "chat_template.jinja"
    path.write_bytes(TEMPLATE.encode() + "{# é #}\n\n".encode())
    assert run(str(path), "--template").stdout_bytes == path.read_bytes()
    assert run("zephyr", "--template").stdout == load("zephyr").source


def test_variables_are_listed_with_their_lines():
    """What a call may set, in the order of reading; messages, tools and tokens are not variables."""
    assert run(TEMPLATE, "--variables").stdout == "enable_thinking  lines 2, 3\ndate             line 3\n"
    assert run("{{ messages[0].content }}", "--variables").stdout == ""


def test_tokens_are_listed(tmp_path):
    """A name and its text on a line; a line break in a token does not break the line."""
    assert run("llama2", "--tokens").stdout == "bos_token  <s>\neos_token  </s>\nunk_token  <unk>\n"
    (tmp_path / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text('{"eos_token": "\\n\\u001b"}', encoding="utf-8")
    assert run(str(tmp_path), "--tokens").stdout == "eos_token  \\n\\x1b\n"


def test_the_summary():
    """Without a flag, everything but the text, in two columns."""
    assert run(TEMPLATE).stdout.splitlines() == [
        "name       none",
        "family     none",
        "source     text",
        "templates  default",
        "size       3 lines, 170 characters",
        "reads      messages (line 1)",
        "           tools (line 3)",
        "variables  enable_thinking: lines 2, 3",
        "           date: line 3",
        "tokens     none",
        "reasoning  reasoning=True: enable_thinking = True; reasoning=False: enable_thinking = False",
        "stops at   unknown",
    ]
    assert "title      Zephyr 7B" in run("zephyr").stdout
    assert run("zephyr").stdout.endswith(
        "stops at   </s>\n           <|system|>\n           <|user|>\n           <|assistant|>\n"
    )


def test_one_document():
    """--json holds everything, or what the flags name."""
    document = json.loads(run(TEMPLATE, "--json").stdout)
    assert document == {
        "name": None,
        "source": "text",
        "variant": "default",
        "variants": ["default"],
        "variables": [{"name": "enable_thinking", "lines": [2, 3]}, {"name": "date", "lines": [3]}],
        "inputs": {"messages": [1], "tools": [3]},
        "tokens": {},
        "template": TEMPLATE,
        "family": None,
        "stop": [],
        "toml": None,
        "example": "Answer briefly.\nWhen do I prune roses?\nIn late winter.\nAnd tulips?\n",
        "reasoning": {"on": {"enable_thinking": True}, "off": {"enable_thinking": False}},
    }
    assert json.loads(run(TEMPLATE, "--json", "--tokens", "--template").stdout) == {"template": TEMPLATE, "tokens": {}}


@pytest.mark.parametrize("name", families.names())
def test_a_built_in_family_tells_what_ends_its_turn(name):
    """Whoever runs the model needs its stop tokens, beside the prompt."""
    document = json.loads(run(name, "--json").stdout)
    assert document["stop"] == list(families.get(name).stop_strings)
    assert document["title"] == families.get(name).title


def test_the_variables_of_a_family_are_explained():
    """Type, meaning and default stand beside the lines; the data file and an example can be read, too."""
    explained = [name for name in families.names() if families.get(name).variables]
    assert explained
    for name in explained:
        output = run(name, "--variables").stdout
        variables = families.get(name).variables
        # What only a variant reads is shown with the variant.
        read = [variables[read] for read in load(name).variables if read in variables]
        assert all(variable.meaning in output for variable in read), name
    assert run("zephyr", "--toml").stdout.startswith('title = "Zephyr 7B"\n')
    assert run("gemma", "--example").stdout.startswith("<bos><start_of_turn>user\nWhen do I prune roses?")


def test_one_flag_at_a_time():
    """Two texts one after the other would be neither."""
    result = run("zephyr", "--template", "--tokens")
    assert result.exit_code == 2
    assert "one at a time: --template or --tokens; with --json they go together" in result.stderr
