"""Models of the hub, with huggingface_hub against a stand-in: what is asked for, what is kept, and what is refused."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hub_server import running_hub

from llm_templates import FallbackWarning, SourceError, load
from llm_templates.sources import fetch, hub_calls, resolve

TEMPLATE = "{{ bos_token }}{{ messages[0]['content'] }}"
NEW = "{{ 'new' }}"
FILES = {
    "tokenizer_config.json": json.dumps({"bos_token": "<s>", "chat_template": "{{ 'old' }}"}),
    "chat_template.jinja": TEMPLATE,
    "additional_chat_templates/rag.jinja": "{{ 'rag' }}",
    "additional_chat_templates/notes.txt": "no template",
    "model.safetensors": "x" * 100_000,
}
MESSAGES = [{"role": "user", "content": "Hello!"}]

pytestmark = pytest.mark.usefixtures("within_three_seconds")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    """So that no id is a path."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def offline(monkeypatch):
    """A function that switches the network off, in the way huggingface_hub knows."""
    from huggingface_hub import constants

    return lambda: monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


# Loading


def test_a_first_load_asks_for_the_files_that_count(hub):
    """The template, its companions and the tokens come from the few files that hold them, each asked for once."""
    commit = hub.add("owner/name", FILES)
    source = resolve("owner/name")
    assert source.templates == {"default": TEMPLATE, "rag": "{{ 'rag' }}"}
    assert (source.special_tokens, source.name, source.commit) == ({"bos_token": "<s>"}, "owner/name", commit)
    assert source.origin == f"owner/name@{commit[:12]}/chat_template.jinja"
    assert sorted(hub.requests) == [
        "GET /api/models/owner/name/revision/main",
        f"GET /owner/name/resolve/{commit}/additional_chat_templates/rag.jinja",
        f"GET /owner/name/resolve/{commit}/chat_template.jinja",
        f"GET /owner/name/resolve/{commit}/tokenizer_config.json",
    ]
    assert load("owner/name").render(MESSAGES) == "<s>Hello!"


def test_a_second_load_asks_nothing(hub):
    """What is in the cache is used, also when there is another commit by now."""
    hub.add("owner/name", FILES)
    first = resolve("owner/name")
    hub.repositories["owner/name"].commit({**FILES, "chat_template.jinja": NEW})
    hub.requests.clear()
    assert resolve("owner/name") == first
    assert hub.requests == []


def test_fetch_gets_what_is_there_now(hub, offline):
    """The cache is filled anew, and is what loads from then on."""
    hub.add("owner/name", FILES)
    resolve("owner/name")
    hub.repositories["owner/name"].commit({**FILES, "chat_template.jinja": NEW})
    assert fetch("owner/name").text == NEW
    hub.requests.clear()
    assert resolve("owner/name").text == NEW
    assert hub.requests == []
    with pytest.raises(SourceError, match="'zephyr' is not the id"):
        fetch("zephyr")
    offline()
    with pytest.raises(SourceError, match="the network is switched off"):
        fetch("owner/name")


def test_a_revision(hub):
    """A branch, a tag and a commit lead to their own templates, as an argument and in the id."""
    first = hub.add("owner/name", FILES)
    repository = hub.repositories["owner/name"]
    repository.commit({**FILES, "chat_template.jinja": NEW}, branch="refs/pr/1")
    assert resolve("owner/name", revision="refs/pr/1").text == NEW
    assert resolve("owner/name@refs/pr/1").text == NEW
    assert resolve("owner/name", revision=first).text == TEMPLATE
    assert resolve(f"owner/name@{first}", revision=first).text == TEMPLATE
    assert resolve("owner/name").text == TEMPLATE
    hub.requests.clear()
    assert resolve("owner/name", revision="refs/pr/1").text == NEW
    assert resolve("owner/name", revision=first).text == TEMPLATE
    assert hub.requests == []
    with pytest.raises(SourceError, match="name two revisions"):
        resolve("owner/name@main", revision="v2")


def test_a_processors_model(hub):
    """Of a model that sees, the processor's template counts, as in a folder."""
    files = {"preprocessor_config.json": "{}", "chat_template.json": json.dumps({"chat_template": NEW})}
    hub.add("owner/name", {**files, "tokenizer_config.json": FILES["tokenizer_config.json"]})
    for _ in range(2):
        source = resolve("owner/name")
        assert (source.text, source.special_tokens, source.by_processor) == (NEW, {"bos_token": "<s>"}, True)


def test_another_hub(hub, monkeypatch):
    """An endpoint given as an argument is asked instead of the usual one."""
    from huggingface_hub import constants

    hub.add("owner/name", FILES)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert resolve("owner/name", endpoint=f"{hub.endpoint}/").text == TEMPLATE


def test_a_folder_of_that_name_wins(hub):
    """As everywhere, what is on the disk is meant before what is on the hub."""
    hub.add("owner/name", FILES)
    os.makedirs("owner/name")
    Path("owner/name/chat_template.jinja").write_text(NEW, encoding="utf-8")
    assert resolve("owner/name").text == NEW
    assert hub.requests == []


# The cache


def test_the_cache_is_the_one_of_huggingface_hub(hub):
    """What we fetched, huggingface_hub finds, and the reverse; it also knows which files do not exist."""
    import huggingface_hub

    commit = hub.add("owner/name", FILES)
    resolve("owner/name")
    path = huggingface_hub.hf_hub_download("owner/name", "chat_template.jinja", local_files_only=True)
    assert Path(path).read_text(encoding="utf-8") == TEMPLATE
    missing = huggingface_hub.try_to_load_from_cache("owner/name", "chat_template.json")
    assert missing is huggingface_hub.file_download._CACHED_NO_EXIST
    (repository,) = huggingface_hub.scan_cache_dir(hub.cache).repos
    assert [(revision.commit_hash, revision.refs) for revision in repository.revisions] == [(commit, {"main"})]


def test_what_huggingface_hub_fetched_is_not_fetched_again(hub):
    """Files that are there are used; the others are asked for once, of the same commit, and then it is complete."""
    import huggingface_hub

    commit = hub.add("owner/name", FILES)
    huggingface_hub.hf_hub_download("owner/name", "tokenizer_config.json")
    hub.repositories["owner/name"].commit({**FILES, "chat_template.jinja": NEW})
    hub.requests.clear()
    assert resolve("owner/name").text == TEMPLATE
    assert sorted(hub.requests) == [
        f"GET /api/models/owner/name/revision/{commit}",
        f"GET /owner/name/resolve/{commit}/additional_chat_templates/rag.jinja",
        f"GET /owner/name/resolve/{commit}/chat_template.jinja",
    ]
    hub.requests.clear()
    assert resolve("owner/name").text == TEMPLATE
    assert hub.requests == []


def test_transformers_finds_what_was_fetched(hub, offline):
    """Without a network it loads the tokenizer's template from our cache."""
    transformers = pytest.importorskip("transformers")
    hub.add("owner/name", FILES)
    resolve("owner/name")
    offline()
    from transformers.utils.hub import cached_file

    path = cached_file("owner/name", "chat_template.jinja")
    assert Path(path).read_text(encoding="utf-8") == TEMPLATE
    assert transformers.utils.hub.list_repo_templates("owner/name", local_files_only=True) == ["rag"]


def test_a_cache_that_cannot_be_written_is_no_obstacle(hub):
    """The templates are there all the same."""
    hub.add("owner/name", FILES)
    hub.cache.write_text("a file where the folder should be")
    assert resolve("owner/name").templates == {"default": TEMPLATE, "rag": "{{ 'rag' }}"}


def test_a_broken_file_in_the_cache_is_named(hub):
    """The error says which model, commit and file it is."""
    hub.add("owner/name", {"tokenizer_config.json": "{"})
    for _ in range(2):
        with pytest.raises(SourceError, match=r"owner/name@[0-9a-f]{12}/tokenizer_config.json: not valid JSON"):
            resolve("owner/name")


# Without a network


def test_offline_with_a_cache(hub, offline):
    """The cache is enough, by the argument and by the environment, for what was fetched."""
    hub.add("owner/name", FILES)
    resolve("owner/name")
    hub.requests.clear()
    assert resolve("owner/name", offline=True).text == TEMPLATE
    offline()
    assert resolve("owner/name").text == TEMPLATE
    assert hub.requests == []


def test_offline_with_a_part_in_the_cache(hub, offline):
    """What another program left there is used as far as it goes, and the hint says that it may be a part."""
    import huggingface_hub

    hub.add("owner/name", FILES)
    huggingface_hub.hf_hub_download("owner/name", "additional_chat_templates/notes.txt")
    offline()
    source = resolve("owner/name")
    assert source.templates == {}
    assert "only some of its files" in source.hint


def test_offline_without_a_cache(hub):
    """The error says that it is not there, and what would bring it there."""
    hub.add("owner/name", FILES)
    with pytest.raises(SourceError, match="owner/name at main is not in the hub's cache") as caught:
        resolve("owner/name", offline=True)
    assert "llm-templates fetch owner/name" in caught.value.hint
    assert hub.requests == []


def test_no_network_with_a_part_in_the_cache(hub):
    """When the hub cannot be asked for the rest, what is there is used if it has a template."""
    import huggingface_hub

    hub.add("owner/name", FILES)
    huggingface_hub.hf_hub_download("owner/name", "chat_template.jinja")
    hub.faults["*"] = 503
    assert resolve("owner/name").templates == {"default": TEMPLATE}


def test_no_network_without_a_cache(hub):
    """A refused connection is told at once, with the reason."""
    with pytest.raises(SourceError, match=r"the hub cannot be reached: .*refused") as caught:
        resolve("owner/name", endpoint="http://127.0.0.1:9")
    assert "is there a network?" in caught.value.hint


def test_a_model_with_a_built_in_family_names_it(hub):
    """Who cannot reach the publisher's repository is told that the template is here."""
    with pytest.raises(SourceError) as caught:
        resolve("huggingfaceh4/zephyr-7b-beta")
    assert "its template is built in: load('zephyr')" in caught.value.hint


def test_a_built_in_family_stands_in_offline(hub, monkeypatch):
    """A model that is not in the cache is rendered with the family it speaks, and the user is told."""
    name = "HuggingFaceH4/zephyr-7b-beta"
    with pytest.warns(FallbackWarning, match="the built-in family zephyr is used") as warned:
        template = load(name, offline=True)
    assert warned[0].filename == __file__
    assert (template.source, template.name) == (load("zephyr").source, name)
    assert (template.model.family, template.special_tokens["eos_token"]) == ("zephyr", "</s>")
    with pytest.raises(SourceError, match="is not in the hub's cache"):
        load(name, revision="v1", offline=True)  # a built-in template has no revisions
    hub.add(name, {"chat_template.jinja": NEW})
    load(name)
    assert load(name, offline=True).source == NEW  # what is cached is the model's own


def test_a_hub_that_says_nothing(hub):
    """It is waited for, not for ever."""
    hub.add("owner/name", FILES)
    hub.faults["/api/models/owner/name/revision/main"] = "hang"
    with pytest.raises(SourceError, match=r"did not answer within 2\.5 seconds") as caught:
        resolve("owner/name")
    assert "HF_HUB_ETAG_TIMEOUT=30 waits longer" in caught.value.hint


def test_a_file_that_does_not_come(hub, monkeypatch):
    """The same for each of the files; how long is the user's choice."""
    monkeypatch.setenv("HF_HUB_ETAG_TIMEOUT", "0.3")
    commit = hub.add("owner/name", FILES)
    hub.faults[f"/owner/name/resolve/{commit}/chat_template.jinja"] = "hang"
    with pytest.raises(SourceError, match=r"did not answer within 0\.3 seconds"):
        resolve("owner/name")


def test_a_name_that_is_looked_up_for_ever(hub, monkeypatch):
    """Not even the system's look-up of the hub's address, which has no limit of its own, is waited for without one."""
    monkeypatch.setenv("HF_HUB_ETAG_TIMEOUT", "0.3")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: time.sleep(10))
    with pytest.raises(SourceError, match="did not answer"):
        resolve("owner/name", endpoint="http://hub.invalid")


# Refusals


def test_a_private_model(hub):
    """It is not told from one that does not exist, as the hub wants it; a token shows it."""
    hub.add("owner/name", FILES, private=True)
    for token in (None, "hf_bad", False):
        with pytest.raises(SourceError, match="there is no model owner/name on the hub, or it is private") as caught:
            resolve("owner/name", token=token)
        assert "hf auth login" in caught.value.hint
    assert resolve("owner/name", token="hf_good").text == TEMPLATE


def test_the_token_that_is_logged_in(hub, monkeypatch):
    """It is sent unless the caller says otherwise; True insists on one."""
    hub.add("owner/name", FILES, private=True)
    with pytest.raises(SourceError, match="no token is set"):
        resolve("owner/name", token=True)
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    with pytest.raises(SourceError, match="there is no model"):
        resolve("owner/name", token=False)
    assert resolve("owner/name").text == TEMPLATE
    assert hub.authorizations == [None, *["Bearer hf_good"] * (len(hub.authorizations) - 1)]


def test_a_gated_model(hub):
    """The terms have to be accepted first; the address is given."""
    hub.add("owner/name", FILES, gated=True)
    for token in (None, "hf_bad"):
        with pytest.raises(SourceError, match="owner/name is gated") as caught:
            resolve("owner/name", token=token)
        assert f"{hub.endpoint}/owner/name" in caught.value.hint
    assert resolve("owner/name", token="hf_good").text == TEMPLATE
    assert resolve("owner/name").text == TEMPLATE  # it is in the cache now


def test_a_missing_model(hub):
    """The name is repeated, and the spelling suspected."""
    with pytest.raises(SourceError, match="there is no model owner/nmae on the hub") as caught:
        resolve("owner/nmae")
    assert "check the spelling" in caught.value.hint


def test_a_missing_revision(hub):
    """The revision is repeated."""
    hub.add("owner/name", FILES)
    with pytest.raises(SourceError, match="owner/name has no revision 'v9'"):
        resolve("owner/name", revision="v9")


@pytest.mark.parametrize("revision", ["../main", "/etc", "a b", "a\\b", "-x", "x/", "a..b", "a\0b"])
def test_a_revision_that_cannot_be_one(hub, revision):
    """It would be a path to elsewhere; nothing is asked for."""
    with pytest.raises(SourceError, match="cannot be a revision"):
        resolve("owner/name", revision=revision)
    assert hub.requests == []


WITHOUT = {
    "base model": ({"tokenizer_config.json": "{}", "config.json": "{}"}, {}, "may not be a chat model"),
    "GGUF files": ({"model-Q4_K_M.gguf": "GGUF"}, {}, "it holds GGUF files"),
    "adapter": ({"adapter_config.json": "{}"}, {"base_model": ["owner/base"]}, "it was made from owner/base"),
    "quantization": ({"model.onnx": ""}, {"base_model": "owner/base"}, "it was made from owner/base"),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_a_model_without_a_template(hub, name):
    """There is none, with a hint where one may be; then and from the cache."""
    files, card, words = WITHOUT[name]
    hub.add("owner/name", files)
    hub.repositories["owner/name"].card = card
    source = resolve("owner/name")
    assert source.templates == {}
    assert words in source.hint
    hub.requests.clear()
    assert resolve("owner/name").templates == resolve("owner/name", offline=True).templates == {}
    assert hub.requests == []
    with pytest.raises(SourceError, match="owner/name has no chat template"):
        load("owner/name")
    assert load("owner/name", default="chatml").source == load("chatml").source


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "the hub wants a token"),
        (403, "does not let this account"),
        (429, "too many requests"),
        (500, "answered with status 500"),
        (503, "answered with status 503"),
    ],
)
def test_other_answers(hub, status, words):
    """Each kind of refusal is told apart, with a way out."""
    hub.faults["*"] = status
    with pytest.raises(SourceError) as caught:
        resolve("owner/name")
    assert words in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "answer",
    [b"<html>Please log in</html>", b"[]", b"{}", b'{"sha": 5, "siblings": []}', b'{"sha": "x", "siblings": []}'],
)
def test_something_else_answers(hub, answer):
    """A login page of the network, or another server, is not taken for the hub."""
    hub.faults["*"] = answer
    with pytest.raises(SourceError, match="does not answer as a hub does") as caught:
        resolve("owner/name")
    assert "login page" in caught.value.hint


# Downloads


def test_a_file_that_lies_elsewhere(hub):
    """The hub may send us to another server, which is not shown the token."""
    commit = hub.add("owner/name", FILES)
    path = f"/owner/name/resolve/{commit}/chat_template.jinja"
    with running_hub() as storage:
        hub.faults[path] = f"{storage.endpoint}/file"
        storage.faults["/file"] = NEW.encode()
        assert resolve("owner/name", token="hf_good").text == NEW
        assert (storage.requests, storage.authorizations) == (["GET /file"], [None])


def test_a_token_with_a_line_break_is_not_shown(hub):
    """It is refused without being repeated."""
    with pytest.raises(SourceError, match="the token holds characters") as caught:
        resolve("owner/name", token="hf_secret\n")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("chosen", ["nonsense", "-1", "nan"])
def test_a_waiting_time_that_is_none(monkeypatch, chosen):
    """The usual one holds."""
    monkeypatch.setenv("HF_HUB_ETAG_TIMEOUT", chosen)
    assert hub_calls.timeout() == hub_calls.TIMEOUT


def test_many_templates_are_fetched_a_few_at_a_time(hub):
    """All of them come."""
    names = [f"t{i:02}" for i in range(30)]
    hub.add("owner/name", {f"additional_chat_templates/{name}.jinja": f"{{{{ '{name}' }}}}" for name in names})
    assert sorted(resolve("owner/name").templates) == names


def test_a_download_that_breaks_off_once(hub):
    """It is tried again at once."""
    commit = hub.add("owner/name", FILES)
    hub.faults[f"/owner/name/resolve/{commit}/chat_template.jinja"] = "cut once"
    assert resolve("owner/name").text == TEMPLATE


def test_a_download_that_always_breaks_off(hub):
    """It is an error, and nothing of it stays in the cache."""
    commit = hub.add("owner/name", FILES)
    path = f"/owner/name/resolve/{commit}/chat_template.jinja"
    hub.faults[path] = "cut"
    with pytest.raises(SourceError, match="the hub's answer broke off"):
        resolve("owner/name")
    assert hub.requests.count(f"GET {path}") == 2
    with pytest.raises(SourceError, match="not in the hub's cache"):
        resolve("owner/name", offline=True)
    del hub.faults[path]
    assert resolve("owner/name").text == TEMPLATE


def test_a_file_too_large_is_not_read_to_its_end(hub, monkeypatch):
    """The limit of a folder's files holds here, too."""
    monkeypatch.setattr(hub_calls, "FILE_LIMIT", 2**20)
    hub.add("owner/name", {"chat_template.jinja": "x" * (2**20 + 1)})
    with pytest.raises(SourceError, match="more than 1 MiB"):
        resolve("owner/name")


def test_many_or_odd_templates_are_refused(hub):
    """A repository cannot fill the disk, nor write where it should not."""
    hub.add("owner/many", {f"additional_chat_templates/{i}.jinja": "x" for i in range(101)})
    with pytest.raises(SourceError, match="more than 100 additional templates"):
        resolve("owner/many")
    hub.add("owner/odd", {"additional_chat_templates/a:b.jinja": "x"})
    with pytest.raises(SourceError, match="under a name that no file can have"):
        resolve("owner/odd")
    hub.add("owner/deep", {"additional_chat_templates/../../x.jinja": "x", "chat_template.jinja": TEMPLATE})
    assert resolve("owner/deep").templates == {"default": TEMPLATE}


# The real environment

PROGRAM = """
import sys
from llm_templates import FallbackWarning, SourceError, load
try:
    print(load("owner/name").render([{"role": "user", "content": "Hello!"}]))
except SourceError as error:
    print(error.message)
print("transformers" in sys.modules, "numpy" in sys.modules)
"""


def run(**environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**clean, **environment}, capture_output=True, text=True, check=True
    )
    assert result.stderr == ""
    return result.stdout


@pytest.mark.parametrize("switch", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_the_environment_counts(hub, tmp_path, switch):
    """HF_ENDPOINT, HF_HOME, HF_TOKEN and the offline switches mean what they mean to huggingface_hub."""
    hub.add("owner/name", FILES, private=True)
    settings = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "home")}
    assert run(**settings, **{switch: "1"}).startswith("owner/name at main is not in the hub's cache")
    assert run(**settings, HF_TOKEN="hf_good") == "<s>Hello!\nFalse False\n"
    assert run(**settings, **{switch: "1"}) == "<s>Hello!\nFalse False\n"
