"""Single files: a template, a configuration, and others that are neither."""

import pytest

from llm_templates import SourceError, load
from llm_templates.sources import resolve


@pytest.mark.parametrize("ending", [".jinja", ".jinja2", ".j2"])
def test_a_template_file_is_a_template(folder, ending):
    """Jinja text in a file is a template without special tokens, under the file's name."""
    path = folder({f"mine{ending}": "é{{ messages[0].content }}"}) / f"mine{ending}"
    for reference in (path, str(path)):
        source = resolve(reference)
        assert (source.text, source.special_tokens, source.name) == ("é{{ messages[0].content }}", {}, "mine")


def test_a_configuration_by_itself(folder):
    """A tokenizer_config.json gives its templates and tokens, under the folder's name."""
    config = {"chat_template": {"default": "{{ 1 }}", "rag": "{{ 2 }}"}, "bos_token": "<s>"}
    source = resolve(folder({"tokenizer_config.json": config}) / "tokenizer_config.json")
    assert source.templates == {"default": "{{ 1 }}", "rag": "{{ 2 }}"}
    assert (source.special_tokens, source.name) == ({"bos_token": "<s>"}, "model")


def test_a_legacy_file_by_itself(folder):
    """Any JSON file with an entry `chat_template` does."""
    path = folder({"chat_template.json": {"chat_template": "{{ 1 }}"}}) / "chat_template.json"
    assert resolve(path).text == "{{ 1 }}"


def test_a_configuration_without_a_template(folder):
    """There is none in it, and when one lies beside it the hint says so."""
    path = folder({"tokenizer_config.json": {"bos_token": "<s>"}}) / "tokenizer_config.json"
    assert resolve(path).templates == {}
    assert "has none" in resolve(path).hint
    (path.parent / "chat_template.jinja").write_text("{{ 1 }}", encoding="utf-8")
    assert "give the folder" in resolve(path).hint


def test_a_blank_template_file_is_no_template(folder):
    """Every prompt would be empty."""
    path = folder({"mine.jinja": "\n"}) / "mine.jinja"
    assert resolve(path).templates == {}
    with pytest.raises(SourceError, match="has no chat template"):
        load(path)


OTHER_FILES = {
    "weights.safetensors": ("x", "is not a template"),
    "messages.json": ({"messages": []}, "there is no entry 'chat_template'"),
    "list.json": ("[]", "expected a JSON object"),
    "cut.json": ("{", "not valid JSON"),
    "latin.jinja": ("é".encode("latin-1"), "not UTF-8 text (byte 0)"),
    "text.gguf": ("{{ 1 }}", "not a GGUF file"),
    "empty.gguf": (b"", "the file ends within"),
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_a_file_that_is_no_template_is_refused(folder, name):
    """Another kind of file, or a broken one, is named, and the hint says what to give."""
    content, words = OTHER_FILES[name]
    path = folder({name: content}) / name
    with pytest.raises(SourceError) as caught:
        load(path)
    assert words in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.hint
