"""Saved templates are what is read back, by us and by transformers: in a new folder, in a model's, and on the hub."""

import json
import os
import stat

import pytest
from test_folders import PROCESSORS, TOKENIZERS

from llm_templates import InputError, SourceError
from llm_templates.saving import push_templates, save_templates
from llm_templates.sources import resolve

NEW = "{{ bos_token }}{{ messages[0]['content'] }} é\r\n"
TOOLS = "{{ 'tools' }}"
SETS = {
    "one": {"default": NEW},
    "several": {"default": NEW, "tool_use": TOOLS, "r a.g": "{{ 'rag' }}"},
}
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "image_token": "<image>", "audio": "<audio>"}


def contents(path):
    """Every file below a path, by name."""
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def named(theirs):
    """The templates of a tokenizer or processor of transformers, with their line endings as read from text files."""
    return theirs.chat_template if isinstance(theirs.chat_template, dict) else {"default": theirs.chat_template}


def as_text(templates):
    return {name: template.replace("\r\n", "\n") for name, template in templates.items()}


@pytest.mark.parametrize("templates", SETS.values(), ids=SETS)
def test_a_new_folder(tmp_path, templates):
    """Templates and tokens come back as they were, and nothing else is made."""
    path = tmp_path / "a" / "model"
    written = save_templates(path, templates, TOKENS)
    source = resolve(path)
    assert (source.templates, source.special_tokens) == (templates, TOKENS)
    assert sorted(written) == sorted(str(path / name) for name in contents(path))
    assert save_templates(path, templates, TOKENS) == []


@pytest.mark.parametrize("templates", SETS.values(), ids=SETS)
def test_transformers_reads_a_new_folder(model_folder, templates):
    """With the tokenizer beside them, transformers has the same templates and tokens."""
    transformers = pytest.importorskip("transformers")
    path = model_folder({})
    save_templates(path, templates, TOKENS)
    theirs = transformers.PreTrainedTokenizerFast.from_pretrained(path)
    assert named(theirs) == as_text(templates)
    assert theirs.special_tokens_map == TOKENS


@pytest.mark.parametrize("templates", SETS.values(), ids=SETS)
@pytest.mark.parametrize("layout", TOKENIZERS)
def test_a_tokenizers_folder(model_folder, layout, templates):
    """Whatever its layout, the new templates win, the tokens stay, and what is not about templates is not touched."""
    transformers = pytest.importorskip("transformers")
    path = model_folder({**TOKENIZERS[layout][0], "model.safetensors": b"x", "additional_chat_templates/a.txt": "x"})
    before, tokens = contents(path), resolve(path).special_tokens
    save_templates(path, templates, TOKENS)
    source = resolve(path)
    assert source.templates == templates
    theirs = transformers.PreTrainedTokenizerFast.from_pretrained(path)
    assert named(theirs) == as_text(templates)
    if "tokenizer_config.json" in before or "special_tokens_map.json" in before:
        assert source.special_tokens == theirs.special_tokens_map == tokens
    _check_others(before, contents(path))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("templates", SETS.values(), ids=SETS)
@pytest.mark.parametrize("layout", PROCESSORS)
def test_a_processors_folder(model_folder, text_processor, layout, templates):
    """The same for a processor, and for the tokenizer inside."""
    files = PROCESSORS[layout][0]
    config = {"tokenizer_class": "PreTrainedTokenizerFast", **files["tokenizer_config.json"]}
    path = model_folder({**files, "tokenizer_config.json": config})
    before = contents(path)
    save_templates(path, templates, TOKENS)
    source = resolve(path)
    assert (source.templates, source.special_tokens) == (templates, {"bos_token": "<s>"})
    theirs = text_processor.from_pretrained(path)
    assert named(theirs) == named(theirs.tokenizer) == as_text(templates)
    _check_others(before, contents(path))


def _check_others(before, after):
    """What is not about templates is as it was."""
    for name, data in before.items():
        if name in ("tokenizer_config.json", "processor_config.json"):
            entries = json.loads(data)
            if entries.pop("chat_template", None) is None:
                assert after[name] == data
            assert json.loads(after[name]) == entries
        elif not name.endswith(".jinja") and name != "chat_template.json":
            assert after[name] == data


def test_the_configuration_is_written_as_transformers_writes_it(folder):
    """Order, characters and large numbers of the other entries stay."""
    kept = ['"z": 1e+30', '"model_max_length": 1000000000000000019884624838656', '"bos_token": "<｜s｜>"']
    path = folder({"tokenizer_config.json": f'{{"chat_template": "x", {", ".join(kept)}}}'})
    save_templates(path, {"default": NEW})
    text = (path / "tokenizer_config.json").read_text(encoding="utf-8")
    assert text.splitlines() == ["{", *(f"  {entry}," for entry in kept[:-1]), f"  {kept[-1]}", "}"]
    path = folder({"tokenizer_config.json": r'{"x": "\ud800", "chat_template": "x"}'})
    save_templates(path, {"default": NEW})
    assert json.loads((path / "tokenizer_config.json").read_text(encoding="utf-8")) == {"x": "\ud800"}


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", "a:b", ".hidden", "x.", "x ", "a\0b", "a\nb", "x" * 101, "file"]
)
def test_a_name_that_could_lead_elsewhere_is_refused(tmp_path, name):
    """Nothing is written under it, nor beside it."""
    with pytest.raises(InputError, match="cannot be saved under the name"):
        save_templates(tmp_path / "model", {"default": NEW, name: TOOLS})
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    ("templates", "words"),
    [
        ({}, "there is no template to save"),
        ({"default": " \n"}, "the template 'default' is empty"),
        ({"default": "{{ '\ud800' }}"}, "half a character at 4"),
        ({"rag": NEW, "RAG": NEW}, "differ in case only"),
    ],
)
def test_what_cannot_be_read_back_is_refused(tmp_path, templates, words):
    """The error says what is wrong, before anything is written."""
    with pytest.raises(InputError, match=words):
        save_templates(tmp_path / "model", templates)
    assert contents(tmp_path) == {}


def test_a_broken_folder_is_left_as_it_is(folder):
    """What cannot be read cannot be changed safely."""
    path = folder({"tokenizer_config.json": "{", "chat_template.jinja": "old"})
    before = contents(path)
    with pytest.raises(SourceError, match="not valid JSON"):
        save_templates(path, {"default": NEW})
    assert contents(path) == before


def test_a_file_in_the_way_is_named(tmp_path):
    """A file cannot be a folder; a folder cannot be a template."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file, not a folder"):
        save_templates(tmp_path / "file", {"default": NEW})
    (tmp_path / "model" / "chat_template.jinja").mkdir(parents=True)
    with pytest.raises(SourceError, match=r"chat_template\.jinja: cannot be written"):
        save_templates(tmp_path / "model", {"default": NEW})
    assert contents(tmp_path / "model") == {}


def test_a_write_that_fails_leaves_the_old_file(folder, monkeypatch):
    """A file is replaced whole or not at all."""
    path = folder({"chat_template.jinja": "old"})

    def refuse(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(SourceError, match="No space left on device"):
        save_templates(path, {"default": NEW})
    assert contents(path) == {"chat_template.jinja": b"old"}


@pytest.mark.skipif(os.name == "nt", reason="there are no such permissions")
def test_a_new_file_has_the_usual_permissions(tmp_path):
    """It is not private, as temporary files are."""
    previous = os.umask(0o022)
    try:
        save_templates(tmp_path, {"default": NEW})
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "chat_template.jinja").stat().st_mode) == 0o644


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_is_replaced_not_followed(folder):
    """A snapshot of the hub's cache is made of links to contents that other snapshots share."""
    path = folder({"blob": "old"})
    (path / "chat_template.jinja").symlink_to("blob")
    save_templates(path, {"default": NEW})
    assert (path / "blob").read_text(encoding="utf-8") == "old"
    assert resolve(path).text == NEW


# The hub

TOKEN = "hf_good"


def test_a_push_to_a_model(hub):
    """One commit sets the templates and removes what would win over them; the rest of the model stays."""
    old = {"chat_template": "{{ 'old' }}", "bos_token": "<s>"}
    first = hub.add(
        "owner/name",
        {
            "tokenizer_config.json": json.dumps(old),
            "chat_template.json": json.dumps(old),
            "additional_chat_templates/rag.jinja": "{{ 'rag' }}",
            "model.safetensors": "x",
        },
    )
    assert resolve("owner/name").templates["rag"]
    url = push_templates("owner/name", {"default": NEW, "tool_use": TOOLS}, TOKENS, token=TOKEN)
    repository = hub.repositories["owner/name"]
    commit = repository.branches["main"]
    assert url == f"{hub.endpoint}/owner/name/commit/{commit}"
    assert len(repository.commits) == 2
    assert first in repository.commits
    assert repository.commits[commit] == {
        "tokenizer_config.json": b'{\n  "bos_token": "<s>"\n}\n',
        "chat_template.jinja": NEW.encode(),
        "additional_chat_templates/tool_use.jinja": TOOLS.encode(),
        "model.safetensors": b"x",
    }
    source = resolve("owner/name")
    assert (source.templates, source.commit) == ({"default": NEW, "tool_use": TOOLS}, commit)
    assert push_templates("owner/name", {"default": NEW, "tool_use": TOOLS}, token=TOKEN) == url
    assert len(repository.commits) == 2


def test_a_push_makes_the_repository(hub):
    """A model that is not there is made, private if that is wished, with the special tokens."""
    push_templates("owner/new", {"default": NEW}, TOKENS, token=TOKEN, private=True)
    assert hub.repositories["owner/new"].private
    source = resolve("owner/new", token=TOKEN)
    assert (source.templates, source.special_tokens) == ({"default": NEW}, TOKENS)


def test_a_push_to_a_branch(hub):
    """The other branches stay as they are."""
    hub.add("owner/name", {"chat_template.jinja": "{{ 'old' }}"})
    hub.repositories["owner/name"].commit({"chat_template.jinja": "{{ 'old' }}"}, branch="next")
    push_templates("owner/name", {"default": NEW}, revision="next", token=TOKEN)
    assert resolve("owner/name@next").text == NEW
    assert resolve("owner/name").text == "{{ 'old' }}"


def test_a_push_that_meets_another_change_is_refused(hub, monkeypatch):
    """What somebody else pushed in between is not overwritten."""
    from huggingface_hub import HfApi

    hub.add("owner/name", {"chat_template.jinja": "{{ 'old' }}"})
    send = HfApi.create_commit

    def late(self, *arguments, **options):
        hub.repositories["owner/name"].commit({"chat_template.jinja": "{{ 'theirs' }}"})
        return send(self, *arguments, **options)

    monkeypatch.setattr(HfApi, "create_commit", late)
    with pytest.raises(SourceError, match="owner/name was changed at the same moment"):
        push_templates("owner/name", {"default": NEW}, token=TOKEN)


@pytest.mark.usefixtures("within_three_seconds")
def test_a_push_that_is_not_allowed(hub, monkeypatch):
    """Without a token, with a wrong one, without a network, or to something that is no id: an error with a way out."""
    hub.add("owner/name", {"chat_template.jinja": "{{ 'old' }}"})
    with pytest.raises(SourceError, match="does not let this account do that with owner/name"):
        push_templates("owner/name", {"default": NEW}, token="hf_bad")
    with pytest.raises(SourceError, match="the hub wants a token"):
        push_templates("owner/new", {"default": NEW})
    with pytest.raises(SourceError, match="cannot be reached"):
        push_templates("owner/name", {"default": NEW}, endpoint="http://127.0.0.1:9")
    with pytest.raises(InputError, match="'zephyr' is not the id of a model"):
        push_templates("zephyr", {"default": NEW})
    with pytest.raises(InputError, match="cannot be saved under the name"):
        push_templates("owner/name", {"../x": NEW})
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(SourceError, match="the network is switched off"):
        push_templates("owner/name", {"default": NEW})
