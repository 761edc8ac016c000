"""Laws of model folders: whatever the files say, it is read as transformers reads it, or refused by name."""

import json
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_files import TOKENIZER, write_files

from llm_templates import SourceError
from llm_templates.sources import resolve

TEXTS = st.sampled_from(["<a>", "<b>", "<c>", ""])
SAVED = {"__type": "AddedToken", "lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
ADDED = TEXTS.map(lambda text: {**SAVED, "content": text})
MAPPED = TEXTS.map(lambda text: {"content": text, "lstrip": False})
NAMED = st.dictionaries(st.sampled_from(["image_token", "audio", "bos_token"]), TEXTS | ADDED, max_size=2)
LISTED = st.lists(TEXTS, max_size=2)
TEMPLATES = st.sampled_from(["{{ 1 }}", "{{ bos_token }}", "{{ messages }}"])
ENTRIES = TEMPLATES | st.dictionaries(st.sampled_from(["default", "rag"]), TEMPLATES, min_size=1)

CONFIG = st.fixed_dictionaries(
    {},
    optional={
        "bos_token": st.none() | TEXTS | ADDED,
        "eos_token": st.none() | TEXTS | ADDED,
        "image_token": st.none() | TEXTS | ADDED | MAPPED,
        "add_bos_token": st.booleans(),
        "max_token": st.integers(0, 9),
        "extra_special_tokens": st.none() | NAMED | LISTED,
        "additional_special_tokens": st.none() | LISTED,
        "model_specific_special_tokens": NAMED,
        "added_tokens_decoder": st.just({}),
        "chat_template": st.none() | ENTRIES,
    },
)
TOKEN_MAP = st.fixed_dictionaries(
    {},
    optional={
        "bos_token": st.none() | TEXTS | MAPPED,
        "pad_token": st.none() | TEXTS | MAPPED,
        "image_token": st.none() | TEXTS | MAPPED,
        "extra_special_tokens": NAMED | LISTED,
        "additional_special_tokens": LISTED,
    },
)
FILES = st.fixed_dictionaries(
    {},
    optional={
        "tokenizer_config.json": CONFIG,
        "special_tokens_map.json": TOKEN_MAP,
        "chat_template.jinja": TEMPLATES,
        "additional_chat_templates/rag.jinja": TEMPLATES,
        "additional_chat_templates/default.jinja": TEMPLATES,
    },
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = ("chat_template", "bos_token", "image_token", "extra_special_tokens", "added_tokens_decoder", "content")
NAMES = (
    *("tokenizer_config.json", "special_tokens_map.json", "chat_template.json"),
    *("processor_config.json", "preprocessor_config.json"),
)


def made(tmp_path_factory, files):
    """A folder of its own for each example."""
    path = tmp_path_factory.getbasetemp() / "law"
    shutil.rmtree(path, ignore_errors=True)
    return write_files(path, {**TOKENIZER, "config.json": {}, **files})


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files=FILES)
def test_what_transformers_loads_we_load_the_same(tmp_path_factory, files):
    """Templates and special tokens are transformers' for every folder that it can load."""
    transformers = pytest.importorskip("transformers")
    path = made(tmp_path_factory, files)
    try:
        theirs = transformers.PreTrainedTokenizerFast.from_pretrained(path)
    except (TypeError, ValueError, AttributeError):
        return
    templates = theirs.chat_template or {}
    source = resolve(path)
    assert source.templates == (templates if isinstance(templates, dict) else {"default": templates})
    assert source.special_tokens == theirs.special_tokens_map


@settings(max_examples=300, deadline=None)
@given(files=st.dictionaries(st.sampled_from(NAMES), st.dictionaries(st.sampled_from(KEYS), JSON), min_size=1))
def test_any_content_gives_a_source_or_an_error(tmp_path_factory, files):
    """Whatever stands where, it is read or refused by the name of its file; nothing else is raised."""
    path = made(tmp_path_factory, files)
    try:
        source = resolve(path)
    except SourceError as error:
        assert str(path) in error.message
        assert error.hint
    else:
        assert all(isinstance(text, str) for text in [*source.templates.values(), *source.special_tokens.values()])


def test_a_configuration_cut_short(tmp_path_factory):
    """Wherever it ends, it is an error that names the file; never a wrong template."""
    tokens = {str(i): {**SAVED, "content": f"<{i}>"} for i in range(3)}
    text = json.dumps({"bos_token": "<s>", "added_tokens_decoder": tokens, "chat_template": "{{ 'é' }}"})
    assert len(text) > 200
    for cut in range(len(text)):
        path = made(tmp_path_factory, {"tokenizer_config.json": text[:cut]})
        with pytest.raises(SourceError, match="not valid JSON") as caught:
            resolve(path)
        assert str(path / "tokenizer_config.json") in caught.value.message
