"""What a reference can be, in which order it is understood, and what is said of one that is nothing."""

import pathlib

import pytest

from llm_templates import SourceError, load
from llm_templates.sources import SOURCES, resolve


def test_jinja_text_is_a_template():
    """Text with a tag or a print statement is the template itself, whatever else it looks like."""
    for text in ("{{ messages[0].content }}", "zephyr {% if x %}{% endif %}", "a/b.jinja{{ x }}"):
        source = resolve(text)
        assert (source.text, source.special_tokens, source.name, source.origin) == (text, {}, None, "text")


def test_a_built_in_name_brings_its_special_tokens():
    """A family gives its template and tokens, and the caller may change what it got."""
    source = resolve("zephyr")
    assert source.name == "zephyr"
    assert source.origin == "the built-in family zephyr"
    source.special_tokens["eos_token"] = "changed"
    assert resolve("zephyr").special_tokens["eos_token"] == "</s>"


def test_an_alias_is_the_family():
    """The other names of a family load it."""
    assert resolve("llama-2") == resolve("llama2")


def test_an_existing_path_wins_over_a_built_in_name(tmp_path, monkeypatch):
    """As everywhere in the ecosystem, a local folder of the same name is the one that is meant."""
    (tmp_path / "zephyr").mkdir()
    (tmp_path / "zephyr" / "chat_template.jinja").write_text("{{ 'mine' }}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert resolve("zephyr").text == "{{ 'mine' }}"
    monkeypatch.chdir("/")
    assert resolve("zephyr").text != "{{ 'mine' }}"


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("zefyr", "nothing is known by the name 'zefyr'"),
        ("some/model/further", "nothing is known by the name 'some/model/further'"),
        ("owner--x/name", "nothing is known by the name 'owner--x/name'"),
        ("name/", "nothing is known by the name 'name/'"),
        ("", "nothing is known by the name ''"),
        ("a\0b", "nothing is known by the name 'a\\x00b'"),
        ("x" * 100_000, "…'"),
        ("./nowhere", "there is no file or folder './nowhere'"),
        ("/nowhere/at/all", "there is no file or folder '/nowhere/at/all'"),
        ("nowhere.jinja", "there is no file or folder 'nowhere.jinja'"),
        ("nowhere.gguf", "there is no file or folder 'nowhere.gguf'"),
        (pathlib.Path("zephyr"), "there is no file or folder 'zephyr'"),
        (5, "a reference must be text, a path or a tokenizer, not int"),
        (None, "a reference must be text, a path or a tokenizer, not NoneType"),
        (b"zephyr", "a reference must be text, a path or a tokenizer, not bytes"),
    ],
)
def test_an_unknown_reference_says_what_there_is(reference, words):
    """The error names the reference and every kind of reference there is."""
    with pytest.raises(SourceError) as caught:
        load(reference)
    assert words in caught.value.message
    assert len(caught.value.message) < 300
    assert all(source.description in caught.value.hint for source in SOURCES)


def test_a_near_name_is_suggested():
    """A slip of the keyboard is answered with the nearest built-in name."""
    with pytest.raises(SourceError, match="did you mean mistral"):
        load("Mistral")
