"""A `response_template` that a model ships beside its chat template: how its publisher describes outputs."""

import json

from llm_templates import load
from llm_templates.grammar.response_template import to_response_template

#: A template that shows neither reasoning nor calls.
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
OUTPUT = (
    '<think>\nEasy.\n</think>\n\n<tool_call>\n{"name": "now", "arguments": {"zone": "UTC"}}\n</tool_call><|im_end|>'
)


def folder(tmp_path, **more):
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"chat_template": CHAT, "eos_token": "<|im_end|>", **more}), encoding="utf-8"
    )
    return load(tmp_path)


def test_it_says_what_the_template_does_not_show(tmp_path):
    """Where probes show nothing, the publisher's description counts."""
    shown = to_response_template(load("qwen3").grammar())
    message = folder(tmp_path, response_template=shown).parse(OUTPUT)
    assert message["reasoning_content"] == "Easy."
    assert message["tool_calls"][0]["function"] == {"name": "now", "arguments": {"zone": "UTC"}}
    (tmp_path / "tokenizer_config.json").unlink()
    assert "tool_calls" not in folder(tmp_path).parse(OUTPUT)


def test_what_the_template_shows_goes_before(tmp_path):
    """A description that contradicts the template does not replace what its probes prove."""
    other = to_response_template(load("deepseek-v3.1").grammar())
    source = load("qwen3").source
    template = folder(tmp_path, chat_template=source, response_template=other)
    assert template.parse(OUTPUT)["tool_calls"][0]["function"]["name"] == "now"


def test_a_broken_one_is_as_good_as_none(tmp_path):
    """It is a stranger's file: what cannot be used is left."""
    for broken in ({"fields": {"content": {"open_pattern": "("}}}, {"nothing": 1}, {"fields": 3, "start_anchor": []}):
        template = folder(tmp_path, response_template=broken)
        assert template.parse("Hi<|im_end|>") == {"role": "assistant", "content": "Hi"}
    assert folder(tmp_path, response_template=["no object"]).parse("Hi")["content"] == "Hi"


def test_the_command_tells_where_it_disagrees(tmp_path):
    """On standard error, beside the grammar."""
    from click.testing import CliRunner

    from llm_templates.cli import main

    folder(
        tmp_path,
        chat_template=load("qwen3").source,
        response_template=to_response_template(load("deepseek-v3.1").grammar()),
    )
    result = CliRunner().invoke(main, ["grammar", str(tmp_path)])
    assert result.exit_code == 0
    assert "calls begin with <｜tool▁calls▁begin｜> there, and with <tool_call> here" in result.stderr
