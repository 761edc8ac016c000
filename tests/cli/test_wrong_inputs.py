"""What a newcomer reads when something is wrong: one file a case, `wrong/<name>.txt`, with the command and its answer.

UPDATE_SNAPSHOTS=1 writes the files again; read the difference before keeping it.
"""

import json
import os
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from llm_templates.cli import main

HERE = Path(__file__).parent / "wrong"
USER = {"role": "user", "content": "Hello!"}
SYSTEM = {"role": "system", "content": "Be brief."}
ANSWER = {"role": "assistant", "content": "Hi."}
PARTS = {"role": "user", "content": [{"type": "text", "text": "Hello!"}]}
TOOL = {"type": "function", "function": {"name": "add"}}


def lines(*contents):
    return "".join(f"{json.dumps(content)}\n" for content in contents)


#: What is written into talk.json, or another file, and the command.
CASES = {
    # The conversation.
    "talk-empty": ("", "render zephyr talk.json"),
    "talk-single-quotes": ("[{'role': 'user', 'content': 'Hello!'}]", "render zephyr talk.json"),
    "talk-trailing-comma": ('[\n  {"role": "user", "content": "Hello!"},\n]', "render zephyr talk.json"),
    "talk-missing-comma": ('[{"role": "user" "content": "Hello!"}]', "render zephyr talk.json"),
    "talk-python-names": ('[{"role": "user", "content": None}]', "render zephyr talk.json"),
    "talk-comment": ('// my talk\n[{"role": "user", "content": "Hello!"}]', "render zephyr talk.json"),
    "talk-line-break-in-text": ('[{"role": "user", "content": "Hello\nyou!"}]', "render zephyr talk.json"),
    "talk-backslash": (r'[{"role": "user", "content": "C:\path"}]', "render zephyr talk.json"),
    "talk-truncated": (json.dumps([USER, ANSWER])[:-20], "render zephyr talk.json"),
    "talk-not-json": ("Hello!", "render zephyr talk.json"),
    "talk-latin-1": ('[{"role": "user", "content": "Grüße"}]'.encode("latin-1"), "render zephyr talk.json"),
    "talk-utf-16": (json.dumps([USER]).encode("utf-16"), "render zephyr talk.json"),
    "talk-text": ('"Hello!"', "render zephyr talk.json"),
    "talk-other-object": ('{"message": "Hello!"}', "render zephyr talk.json"),
    "talk-messages-as-object": (json.dumps({"messages": USER}), "render zephyr talk.json"),
    "talk-list-of-texts": ('["Hello!"]', "render zephyr talk.json"),
    "talk-no-messages": ("[]", "render zephyr talk.json"),
    "talk-without-content": ('[{"role": "user"}]', "render zephyr talk.json"),
    "talk-content-under-another-name": ('[{"role": "user", "text": "Hello!"}]', "render llama2 talk.json"),
    "talk-without-role": ('[{"content": "Hello!"}]', "render chatml talk.json"),
    "talk-number-as-content": ('[{"role": "user", "content": 5}]', "render chatml talk.json"),
    "talk-parts": (json.dumps([PARTS]), "render zephyr talk.json"),
    "talk-two-users": (json.dumps([USER, ANSWER, USER, USER]), "render llama2 talk.json"),
    "talk-assistant-first": (json.dumps([ANSWER, USER]), "render mistral talk.json"),
    "talk-system": (json.dumps([SYSTEM, USER]), "render gemma talk.json"),
    "talk-system-later": (json.dumps([USER, SYSTEM]), "render mistral talk.json"),
    "talk-nothing-to-continue": ('[{"role": "assistant"}]', "render zephyr talk.json --continue-final-message"),
    "talk-lines-broken": (lines(USER) + '{"role": "assistant", "content": "Hi.\n', "render zephyr talk.json"),
    "talk-lines-of-conversations": (lines([USER], [USER, ANSWER]), "render zephyr talk.json"),
    "talk-lines-of-texts": (lines(USER, "Hi."), "render zephyr talk.json"),
    "talk-piped-empty": ("", "render zephyr -"),
    # The command line.
    "no-conversation": (None, "render zephyr"),
    "no-such-file": (None, "render zephyr nowhere.json"),
    "near-file": (json.dumps([USER]), "render zephyr tlak.json"),
    "a-folder": (None, "render zephyr ."),
    "text-as-file": (None, "render zephyr 'Hello!'"),
    "swapped": (json.dumps([USER]), "render talk.json zephyr"),
    "file-as-model": (json.dumps([USER]), "render talk.json -u 'Hello!'"),
    "generation-prompt-and-continue": (None, "render zephyr -u x --generation-prompt --continue-final-message"),
    # Variables.
    "variable-without-value": (None, "render zephyr -u x --var enable_thinking"),
    "variable-misspelled": (None, "render '{{ enable_thinking }}' -u x --var enable_thinkng=true"),
    "variable-of-no-use": (None, "render zephyr -u x --var enable_thinking=true"),
    "variable-reserved": (None, "render zephyr -u x --var messages=5"),
    # Tools.
    "tools-and-talk-from-standard-input": (None, "render zephyr - --tools -"),
    "tools-no-such-file": (None, "render zephyr -u x --tools tools.json"),
    "tools-not-json": ("[{'name': 'add'}]", "render zephyr -u x --tools talk.json"),
    "tools-one-object": (json.dumps(TOOL), "render zephyr -u x --tools talk.json"),
    "tools-list-of-texts": ('["add"]', "render zephyr -u x --tools talk.json"),
    "tools-no-such-module": (None, "render zephyr -u x --tools no_such_module:add"),
    "tools-no-such-function": (None, "render zephyr -u x --tools json:dump_"),
    "tools-not-documented": (None, "render zephyr -u x --tools antigravity_tools:fly"),
    # Models.
    "model-near-name": (None, "render zephir -u x"),
    "model-far-from-all": (None, "show my-own-model"),
    "model-missing-path": (None, "render ./my-model -u x"),
    "model-without-template": ({"tokenizer_config.json": '{"bos_token": "<s>"}'}, "render . -u x"),
    "model-truncated-config": ({"tokenizer_config.json": '{"chat_template": "{{ x }'}, "render . -u x"),
    "model-malformed-config": ({"tokenizer_config.json": '{"chat_template": 5}'}, "show ."),
    "model-config-is-a-list": ({"tokenizer_config.json": "[]"}, "render . -u x"),
    "model-latin-1-template": ({"chat_template.jinja": "é".encode("latin-1")}, "show . --template"),
    "model-truncated-template": ({"chat_template.jinja": "{% for m in messages %}\n{{ m.content"}, "render . -u x"),
    "model-truncated-gguf": ({"model.gguf": b"GGUF\x03\x00\x00\x00\x01"}, "show model.gguf"),
    "model-unknown-variant": (None, "render zephyr -u x --variant rag"),
    "model-unknown-default": ({"tokenizer_config.json": '{"bos_token": "<s>"}'}, "render . -u x --default chatlm"),
    "model-not-cached": (None, "render owner/name -u x --offline"),
    "model-built-in-but-not-cached": (None, "show HuggingFaceH4/zephyr-7b-beta --revision v1 --offline"),
    "template-too-expensive": (None, "render \"{{ 'x' * 1000000000 }}\" -u x"),
    "template-raises-without-roles-to-blame": (None, "render \"{{ raise_exception('No.') }}\" -u x -s y"),
    "fetch-near-name": (None, "fetch zephir"),
    "fetch-malformed-config": ({"tokenizer_config.json": "{"}, "fetch ."),
    # Outputs and prompts.
    "parse-no-such-file": (None, "parse zephyr @answer.txt"),
    "parse-near-name": (None, "parse zephir x"),
    "parse-standard-input-twice": (None, "parse zephyr --tools -"),
    "parse-two-views": (None, "parse zephyr x --stream --spans"),
    "parse-latin-1": ("Grüße".encode("latin-1"), "parse zephyr -"),
    "grammar-beyond-response-templates": (None, "grammar lfm2 --response-template"),
    "read-no-such-file": (None, "read zephyr @prompt.txt"),
    "show-two-parts": (None, "show zephyr --template --tokens"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder to work in, an empty cache, and no width of a terminal to break lines at."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("antigravity_tools.py").write_text("def fly(height: int): ...\n", encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_the_answer_is_the_one_on_file(name):
    """The command, what it says on standard error, and its status: a change of words is seen and meant."""
    content, command = CASES[name]
    files = content if isinstance(content, dict) else {} if content is None else {"talk.json": content}
    for file, text in files.items():
        Path(file).write_bytes(text if isinstance(text, bytes) else text.encode())
    stdin = files.get("talk.json") if command.endswith(" -") else None
    result = CliRunner().invoke(main, shlex.split(command), input=stdin, catch_exceptions=False)
    assert result.stdout == ""
    # The reminder of the usage above some errors is click's own, and its versions differ.
    said = result.stderr.partition("\n\n")[2] if result.stderr.startswith("Usage:") else result.stderr
    answer = f"$ llm-templates {command}\n{said}status {result.exit_code}\n"
    path = HERE / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(answer, encoding="utf-8")
    assert answer == path.read_text(encoding="utf-8")


def test_every_file_has_a_case():
    """An answer that nothing gives any more is removed."""
    assert {path.stem for path in HERE.glob("*.txt")} == set(CASES)


def test_hints_are_in_the_words_of_the_command_line():
    """Nobody who types commands is told of Python's arguments, unless there is no other way."""
    for path in HERE.glob("*.txt"):
        said = path.read_text(encoding="utf-8").partition("\n")[2]
        words = re.findall(r"\b(?:variant|default|revision|offline|strict|token)=|load\('", said)
        assert not words, path.name
