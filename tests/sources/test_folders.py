"""Model folders as transformers and others save them: which template counts, and which special tokens it gets."""

import json
import os

import pytest

from llm_templates import SourceError, load
from llm_templates.sources import directory, resolve

TEMPLATE = "{{ bos_token }}{{ messages[0]['content'] }}"


def folder(path, **files):
    """A folder with these files: text as it is, bytes as they are, anything else as JSON; `__` stands for a slash."""
    for name, content in files.items():
        file = path / name.replace("__", "/").replace("_JSON", ".json").replace("_JINJA", ".jinja")
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


#: What lies in the folder; the template and the special tokens that count.
LAYOUTS = {
    "template file": (
        {"chat_template_JINJA": TEMPLATE, "tokenizer_config_JSON": {"bos_token": "<s>", "eos_token": "</s>"}},
        TEMPLATE,
        {"bos_token": "<s>", "eos_token": "</s>"},
    ),
    "template in the configuration": (
        {"tokenizer_config_JSON": {"chat_template": TEMPLATE, "bos_token": "<s>"}},
        TEMPLATE,
        {"bos_token": "<s>"},
    ),
    "the file wins over the configuration": (
        {"chat_template_JINJA": TEMPLATE, "tokenizer_config_JSON": {"chat_template": "{{ 'old' }}"}},
        TEMPLATE,
        {},
    ),
    "named templates as a list": (
        {
            "tokenizer_config_JSON": {
                "chat_template": [
                    {"name": "tool_use", "template": "{{ 'tools' }}"},
                    {"name": "default", "template": TEMPLATE},
                ]
            }
        },
        TEMPLATE,
        {},
    ),
    "named templates as an object": (
        {"tokenizer_config_JSON": {"chat_template": {"default": TEMPLATE, "rag": "{{ 'rag' }}"}}},
        TEMPLATE,
        {},
    ),
    "additional templates beside the default": (
        {"chat_template_JINJA": TEMPLATE, "additional_chat_templates__rag_JINJA": "{{ 'rag' }}"},
        TEMPLATE,
        {},
    ),
    "tokens as objects": (
        {
            "chat_template_JINJA": TEMPLATE,
            "tokenizer_config_JSON": {
                "bos_token": {"__type": "AddedToken", "content": "<s>", "lstrip": False},
                "eos_token": None,
            },
        },
        TEMPLATE,
        {"bos_token": "<s>"},
    ),
    "tokens of one model": (
        {
            "chat_template_JINJA": TEMPLATE,
            "tokenizer_config_JSON": {
                "add_bos_token": True,
                "image_token": "<image>",
                "extra_special_tokens": {"audio": "<audio>", "video_token": "<video>"},
            },
        },
        TEMPLATE,
        {"image_token": "<image>", "audio": "<audio>", "video_token": "<video>"},
    ),
    "extra tokens without names": (
        {"chat_template_JINJA": TEMPLATE, "tokenizer_config_JSON": {"extra_special_tokens": ["<a>", "<b>"]}},
        TEMPLATE,
        {},
    ),
    "the token map wins in old folders": (
        {
            "chat_template_JINJA": TEMPLATE,
            "tokenizer_config_JSON": {"bos_token": "<old>", "pad_token": "<pad>"},
            "special_tokens_map_JSON": {"bos_token": {"content": "<s>"}, "eos_token": "</s>"},
        },
        TEMPLATE,
        {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"},
    ),
    "the token map is ignored in new folders": (
        {
            "chat_template_JINJA": TEMPLATE,
            "tokenizer_config_JSON": {
                "bos_token": "<s>",
                "added_tokens_decoder": {"0": {"content": "<s>", "special": True}},
            },
            "special_tokens_map_JSON": {"bos_token": "<old>", "eos_token": "</s>"},
        },
        TEMPLATE,
        {"bos_token": "<s>"},
    ),
}

#: What only we read: transformers' tokenizers do not look there, its processors do.
OUR_LAYOUTS = {
    "legacy file": ({"chat_template_JSON": {"chat_template": TEMPLATE}}, TEMPLATE, {}),
    "legacy file beside a configuration without one": (
        {"chat_template_JSON": {"chat_template": TEMPLATE}, "tokenizer_config_JSON": {"chat_template": None}},
        TEMPLATE,
        {},
    ),
}


@pytest.mark.parametrize("layout", {**LAYOUTS, **OUR_LAYOUTS})
def test_the_template_and_tokens_that_count(tmp_path, layout):
    """Each layout gives its template, its special tokens and its origin."""
    files, template, tokens = {**LAYOUTS, **OUR_LAYOUTS}[layout]
    source = resolve(folder(tmp_path / "model", **files))
    assert (source.text, dict(source.special_tokens), source.name) == (template, tokens, "model")
    assert source.origin.startswith(str(tmp_path / "model"))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_transformers_reads_the_same(tmp_path, layout):
    """The template and the tokens are those of transformers' own tokenizer of the same folder."""
    transformers = pytest.importorskip("transformers")
    files, _, _ = LAYOUTS[layout]
    model = {"type": "WordLevel", "vocab": {"x": 0}, "unk_token": "x"}
    path = folder(tmp_path, **files, tokenizer_JSON={"version": "1.0", "added_tokens": [], "model": model})
    theirs = transformers.PreTrainedTokenizerFast.from_pretrained(path)
    ours = load(path)
    assert ours.source == theirs.get_chat_template()
    assert ours.special_tokens == theirs.special_tokens_map
    messages = [{"role": "user", "content": "Hello!"}]
    assert ours.render(messages) == theirs.apply_chat_template(messages, tokenize=False)


def test_a_single_file_is_a_template(tmp_path):
    """A `.jinja` file is a template without special tokens, under its own name."""
    path = folder(tmp_path, mine_JINJA="é{{ messages[0].content }}") / "mine.jinja"
    for reference in (path, str(path)):
        source = resolve(reference)
        assert (source.text, source.special_tokens, source.name) == ("é{{ messages[0].content }}", {}, "mine")


def test_line_endings_of_the_template_do_not_matter(tmp_path):
    """A template saved with Windows line endings renders the same text."""
    text = "a\n{%- if true %}\nb\n{% endif %}\n{{ messages[0].content }}\n"
    messages = [{"role": "user", "content": "x\r\ny"}]
    unix = load(folder(tmp_path / "unix", chat_template_JINJA=text.encode()))
    windows = load(folder(tmp_path / "windows", chat_template_JINJA=text.replace("\n", "\r\n").encode()))
    assert windows.render(messages) == unix.render(messages)


BROKEN = {
    "empty folder": ({}, "has no chat template"),
    "base model": ({"tokenizer_config_JSON": {"bos_token": "<s>"}}, "has no chat template"),
    "empty template": ({"chat_template_JINJA": " \n"}, "the chat template is empty"),
    "cut JSON": ({"tokenizer_config_JSON": '{"chat_template": "{{ x'}, "not valid JSON"),
    "JSON list": ({"tokenizer_config_JSON": []}, "expected a JSON object, found list"),
    "deep JSON": ({"tokenizer_config_JSON": '{"a":' * 100_000}, "nested too deep"),
    "long number": ({"tokenizer_config_JSON": '{"a": ' + "9" * 5000 + "}"}, "a number too long"),
    "not UTF-8": ({"chat_template_JINJA": b"\xff\xfe{{ x }}"}, "not UTF-8 text (byte 0)"),
    "number for a template": ({"tokenizer_config_JSON": {"chat_template": 5}}, "chat_template must be text"),
    "list of texts": ({"tokenizer_config_JSON": {"chat_template": ["{{ x }}"]}}, "need a name and a template"),
    "object of numbers": ({"tokenizer_config_JSON": {"chat_template": {"default": 1}}}, "chat_template must be text"),
    "no default": (
        {"tokenizer_config_JSON": {"chat_template": {"rag": "{{ 1 }}", "tool_use": "{{ 2 }}"}}},
        "no template named 'default', only 'rag', 'tool_use'",
    ),
    "additional templates alone": (
        {"additional_chat_templates__rag_JINJA": "{{ 1 }}", "tokenizer_config_JSON": {"chat_template": TEMPLATE}},
        "no template named 'default', only 'rag'",
    ),
    "token of another type": (
        {"chat_template_JINJA": TEMPLATE, "tokenizer_config_JSON": {"bos_token": 5}},
        "bos_token must be text",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_folder_says_what_is_wrong(tmp_path, name):
    """Each fault is a SourceError that names the file or folder and the fault."""
    files, words = BROKEN[name]
    with pytest.raises(SourceError) as caught:
        load(folder(tmp_path, **files))
    assert words in caught.value.message
    assert str(tmp_path) in caught.value.message


def test_a_file_that_is_no_template_is_refused(tmp_path):
    """Another kind of file is named, and the hint says what to give."""
    path = folder(tmp_path, weights_JSON={}) / "weights.json"
    with pytest.raises(SourceError, match="is not a template") as caught:
        load(path)
    assert ".jinja" in caught.value.hint


def test_a_file_too_large_is_not_read(tmp_path, monkeypatch):
    """The limit holds for every file of a folder."""
    monkeypatch.setattr(directory, "FILE_LIMIT", 2**20)
    with pytest.raises(SourceError, match="more than 1 MiB"):
        load(folder(tmp_path, chat_template_JINJA=" " * (2**20 + 1)))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the permissions of files do not bind this user")
def test_an_unreadable_file_is_named(tmp_path):
    """A file without permission is a SourceError with the system's reason."""
    path = folder(tmp_path, chat_template_JINJA=TEMPLATE)
    (path / "chat_template.jinja").chmod(0)
    with pytest.raises(SourceError, match="cannot be read: Permission denied"):
        load(path)
