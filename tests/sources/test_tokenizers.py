"""Loaded tokenizers and processors as references, and whatever else has a chat template."""

from types import SimpleNamespace

import pytest

from llm_templates import SourceError, load
from llm_templates.sources import resolve

TEMPLATE = "{{ bos_token }}{{ messages[0]['content'] }}{{ image_token }}"
TOOLS = "{{ 'tools' }}"
MESSAGES = [{"role": "user", "content": "Hello!"}]
CONFIG = {"bos_token": "<s>", "image_token": "<image>", "extra_special_tokens": ["<a>"], "chat_template": TEMPLATE}


@pytest.fixture
def tokenizer(model_folder):
    """A tokenizer of transformers with a template."""
    transformers = pytest.importorskip("transformers")
    return transformers.PreTrainedTokenizerFast.from_pretrained(model_folder({"tokenizer_config.json": CONFIG}))


def test_a_tokenizer(tokenizer):
    """Its templates, its tokens, and the text it renders."""
    source = resolve(tokenizer)
    assert source.templates == {"default": TEMPLATE}
    assert source.special_tokens == tokenizer.special_tokens_map
    assert source.name == tokenizer.name_or_path
    assert load(tokenizer).render(MESSAGES) == tokenizer.apply_chat_template(MESSAGES, tokenize=False)


def test_a_tokenizer_with_named_templates(tokenizer):
    """All of them, and tools choose as they do in the tokenizer."""
    tokenizer.chat_template = {"default": TEMPLATE, "tool_use": TOOLS}
    assert resolve(tokenizer).templates == {"default": TEMPLATE, "tool_use": TOOLS}
    for tools in (None, []):
        theirs = tokenizer.apply_chat_template(MESSAGES, tools=tools, tokenize=False)
        assert load(tokenizer).render(MESSAGES, tools=tools) == theirs


def test_a_processor(tokenizer, text_processor):
    """Its own template with its tokenizer's tokens; tools choose nothing."""
    processor = text_processor(tokenizer, chat_template={"default": TEMPLATE, "tool_use": TOOLS})
    source = resolve(processor)
    assert source.templates == {"default": TEMPLATE, "tool_use": TOOLS}
    assert source.special_tokens == tokenizer.special_tokens_map
    assert source.name == tokenizer.name_or_path
    for tools in (None, []):
        theirs = processor.apply_chat_template(MESSAGES, tools=tools)
        assert load(processor).render(MESSAGES, tools=tools) == theirs


def test_a_processor_without_a_template_names_its_tokenizers(tokenizer, text_processor):
    """Nothing is taken that the processor would not take, but the way out is told."""
    source = resolve(text_processor(tokenizer))
    assert source.templates == {}
    assert source.hint == "its tokenizer has one: load that"


def test_a_tokenizer_without_a_template_has_none(tokenizer):
    """There is nothing to load unless a default is given, which then has the tokenizer's tokens."""
    tokenizer.chat_template = None
    assert resolve(tokenizer).templates == {}
    with pytest.raises(SourceError, match="has no chat template"):
        load(tokenizer)
    assert load(tokenizer, default="chatml").special_tokens["bos_token"] == "<s>"


def test_any_object_with_a_template():
    """A tokenizer of another library is as good; tokens with attributes are taken by their text."""
    tokens = {"bos_token": "<s>", "eos_token": SimpleNamespace(content="</s>"), "additional_special_tokens": ["<a>"]}
    source = resolve(SimpleNamespace(chat_template="{{ 1 }}", special_tokens_map=tokens))
    assert source.templates == {"default": "{{ 1 }}"}
    assert source.special_tokens == {"bos_token": "<s>", "eos_token": "</s>"}
    assert (source.name, source.origin) == ("SimpleNamespace", "the SimpleNamespace object")
    assert resolve(SimpleNamespace(chat_template="{{ 1 }}")).special_tokens == {}


@pytest.mark.parametrize("template", [5, ["{{ 1 }}"], {"default": None}, b"{{ 1 }}"])
def test_a_template_of_another_type_is_refused(template):
    """What cannot be a template is named with the object it is of."""
    with pytest.raises(SourceError, match="the SimpleNamespace's chat_template"):
        load(SimpleNamespace(chat_template=template))
