"""`llm-templates fetch`, and the options of the other commands that are about the hub."""

import json

import pytest
from click.testing import CliRunner

from llm_templates.cli import main

FILES = {"tokenizer_config.json": '{"bos_token": "<s>"}', "chat_template.jinja": "{{ messages[0].content }}!"}


def run(*arguments):
    return CliRunner().invoke(main, list(arguments), catch_exceptions=False)


def test_what_was_fetched_is_there_without_a_network(hub):
    """The cache is filled, and the other commands take it from there."""
    commit = hub.add("owner/name", {**FILES, "additional_chat_templates/rag.jinja": "{{ 1 }}"})
    result = run("fetch", "owner/name")
    assert (result.exit_code, result.stdout) == (0, f"owner/name at {commit[:12]}: default, rag\n")
    asked = len(hub.requests)
    assert run("render", "owner/name", "-u", "x", "--offline").stdout == "x!"
    assert run("render", "owner/name", "-u", "x").stdout == "x!"
    assert run("render", "owner/name", "-u", "x", "--variant", "rag").stdout == "1"
    assert "templates  default, rag" in run("show", "owner/name", "--offline").stdout
    assert len(hub.requests) == asked


def test_what_has_changed_is_fetched_again(hub):
    """The command asks the hub; rendering is content with the cache."""
    hub.add("owner/name", FILES)
    assert run("render", "owner/name", "-u", "x").stdout == "x!"
    commit = hub.repositories["owner/name"].commit({**FILES, "chat_template.jinja": "{{ messages[0].content }}?"})
    assert run("render", "owner/name", "-u", "x").stdout == "x!"
    document = json.loads(run("fetch", "owner/name", "--json").stdout)
    assert (document["model"], document["commit"], document["fetched"]) == ("owner/name", commit, True)
    assert document["variants"] == ["default"]
    assert run("render", "owner/name", "-u", "x").stdout == "x?"


def test_a_revision(hub):
    """A branch has files of its own."""
    hub.add("owner/name", FILES)
    commit = hub.repositories["owner/name"].commit({**FILES, "chat_template.jinja": "{{ 2 }}"}, "next")
    assert commit[:12] in run("fetch", "owner/name", "--revision", "next").stdout
    assert run("render", "owner/name", "-u", "x", "--revision", "next", "--offline").stdout == "2"
    document = json.loads(run("render", "owner/name", "-u", "x", "--revision", "next", "--offline", "--json").stdout)
    assert commit[:12] in document["source"]


def test_what_needs_no_fetching_says_so(tmp_path, monkeypatch):
    """A built-in name, a folder and a text are there already."""
    assert run("fetch", "zephyr").stdout == "zephyr needs no fetching: the built-in family zephyr\n"
    assert run("fetch", "{{ 1 }}").stdout == "the text needs no fetching: text\n"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner" / "name").mkdir(parents=True)
    (tmp_path / "owner" / "name" / "chat_template.jinja").write_text("{{ 1 }}", encoding="utf-8")
    assert run("fetch", "owner/name").stdout.startswith("name needs no fetching: owner/name")
    assert json.loads(run("fetch", "zephyr", "--json").stdout)["fetched"] is False


@pytest.mark.parametrize(
    ("name", "repository", "words"),
    [
        ("owner/nothing", None, "there is no model owner/nothing on the hub, or it is private"),
        ("owner/base", {"files": {"tokenizer_config.json": "{}"}}, "owner/base has no chat template"),
        ("owner/gated", {"files": FILES, "gated": True}, "owner/gated is gated"),
        ("owner/private", {"files": FILES, "private": True}, "or it is private"),
        ("zephir", None, "did you mean zephyr?"),
    ],
)
def test_what_cannot_be_had_is_said(hub, name, repository, words):
    """A status of its own, and a way out."""
    if repository:
        hub.add(name, **repository)
    result = run("fetch", name)
    assert (result.exit_code, result.stdout) == (5, "")
    assert words in result.stderr
    assert "\n" in result.stderr.strip()


def test_a_model_that_is_not_cached_is_told_how_to_be(hub):
    """Offline, the way out is this command."""
    result = run("render", "owner/name", "-u", "x", "--offline")
    assert result.exit_code == 5
    assert "owner/name at main is not in the hub's cache on this machine" in result.stderr
    assert "llm-templates fetch owner/name" in result.stderr
    assert hub.requests == []
