"""`as_tokenizer_template`: the template where transformers itself looks for it."""

import pytest

pytest.importorskip("transformers")

from transformers import AutoTokenizer

from llm_templates import ChatTemplate, InputError, load
from llm_templates.integrations.transformers import as_tokenizer_template

TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "Bye"},
]
TOOLS = [{"type": "function", "function": {"name": "now", "description": "The time.", "parameters": {}}}]


@pytest.mark.parametrize(
    "name", ["chatml", "zephyr", "qwen3", "smollm3", "granite3.3", "hermes3", "llama3.2", "command-r"]
)
@pytest.mark.parametrize("tools", [None, TOOLS], ids=["plain", "tools"])
def test_its_own_call_renders_the_same(make_tokenizer, name, tools, tmp_path):
    """The copy, and what is loaded after it was saved."""
    template = load(name)
    named = {key: token for key, token in template.special_tokens.items() if key in ("bos_token", "eos_token")}
    own = as_tokenizer_template(template, make_tokenizer(**named))
    variables = {"date_string": "1 Jan 2026"}
    options = {"tools": tools, "add_generation_prompt": True, **variables}
    expected = template.render(TALK, tools=tools, add_generation_prompt=True, variables=variables, strict=False)
    own.save_pretrained(tmp_path)
    for tokenizer in (own, AutoTokenizer.from_pretrained(tmp_path)):
        assert tokenizer.apply_chat_template(TALK, tokenize=False, **options) == expected


def test_the_callers_tokenizer_stays_as_it_is(make_tokenizer):
    """The copy has the same vocabulary and its own template."""
    tokenizer = make_tokenizer("{{ messages }}", eos_token="<|im_end|>")
    own = as_tokenizer_template(load("chatml"), tokenizer)
    assert tokenizer.chat_template == "{{ messages }}"
    assert own.chat_template == load("chatml").source
    assert own.get_vocab() == tokenizer.get_vocab()
    own.add_tokens(["<new>"])
    assert "<new>" not in tokenizer.get_vocab()


@pytest.mark.parametrize(
    ("tokens", "theirs", "words"),
    [
        ({"bos_token": "<s>"}, {"bos_token": "</s>"}, "bos_token is '<s>' for the template and '</s>'"),
        ({"bos_token": "<s>"}, {}, "bos_token is '<s>' for the template and None"),
        ({}, {"bos_token": "<s>"}, "bos_token is None for the template and '<s>'"),
    ],
)
def test_other_special_tokens(make_tokenizer, tokens, theirs, words):
    """They would be rendered, so they must agree; those that are not read need not."""
    template = ChatTemplate.from_string("{{ bos_token }}{{ messages[0].content }}", special_tokens=tokens)
    with pytest.raises(InputError, match=words):
        as_tokenizer_template(template, make_tokenizer(**theirs))
    other = ChatTemplate.from_string("{{ messages[0].content }}", special_tokens=tokens)
    own = as_tokenizer_template(other, make_tokenizer(**theirs))
    assert own.apply_chat_template(TALK, tokenize=False) == "Be brief."


def test_what_is_no_tokenizer(make_tokenizer):
    """A backend has no place for a template."""
    with pytest.raises(InputError, match="not a tokenizer of transformers"):
        as_tokenizer_template(load("chatml"), make_tokenizer().backend_tokenizer)
