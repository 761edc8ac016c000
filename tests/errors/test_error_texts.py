"""What users read when something is wrong: one file a case, `<name>.txt`, with the error's kind and its whole text.

UPDATE_SNAPSHOTS=1 writes the files again; read the difference before keeping it.
"""

import os
from pathlib import Path

import pytest

from llm_templates import ChatTemplate, Content, Conversation, Formatter, TemplatesError, load

HERE = Path(__file__).parent
USER = {"role": "user", "content": "Hello!"}
SYSTEM = {"role": "system", "content": "Be brief."}
ALTERNATION = "{% for m in messages %}\n{{ m.content + m.missing }}\n{% endfor %}"


def render(source, *messages, **options):
    return ChatTemplate.from_string(source).render(list(messages) or [USER], **options)


def folder(**files):
    for name, text in files.items():
        Path(name.replace("__", ".")).write_text(text, encoding="utf-8")
    return load(".")


CASES = {
    "unknown-name": lambda: load("zefyr"),
    "unknown-name-far-from-all": lambda: load("a name far from all others"),
    "missing-file": lambda: load("./chat_template.jinja"),
    "reference-of-another-type": lambda: load(5),
    "folder-without-template": lambda: folder(tokenizer_config__json='{"bos_token": "<s>"}'),
    "folder-with-broken-json": lambda: folder(tokenizer_config__json='{"chat_template": "{{ x }'),
    "folder-without-default": lambda: folder(tokenizer_config__json='{"chat_template": {"rag": "{{ 1 }}"}}'),
    "folder-with-wrong-token": lambda: folder(chat_template__jinja="{{ 1 }}", tokenizer_config__json='{"eos_token":2}'),
    "no-model-name": lambda: Formatter().render(Conversation(messages=[USER])),
    "unknown-template-name": lambda: Formatter("zephyr").render(Conversation(messages=[USER]), template_name="rag"),
    "messages-as-text": lambda: Conversation("zephyr", "Hello!"),
    "message-as-text": lambda: Conversation("zephyr", [USER, "Hello!"]),
    "message-without-role": lambda: Conversation("zephyr", [{"content": "Hello!"}]),
    "role-of-another-type": lambda: Content(role=5, content="Hello!"),
    "render-message-as-text": lambda: render("{{ 1 }}", USER, "Hello!"),
    "render-no-messages": lambda: load("zephyr").render([]),
    "unknown-variable": lambda: render("{{ enable_thinking }}", variables={"enable_thinkng": False}),
    "reserved-variable": lambda: render("{{ messages }}", variables={"messages": []}),
    "continue-and-prompt": lambda: render("{{ 1 }}", add_generation_prompt=True, continue_final_message=True),
    "refused-system-message": lambda: load("gemma").render([SYSTEM, USER]),
    "refused-order": lambda: load("llama2").render([USER, USER]),
    "syntax": lambda: render("{% for m in messages %}\n{{ m.content }\n{% endfor %}"),
    "unknown-tag": lambda: render("{% include 'x' %}"),
    "undefined": lambda: render(ALTERNATION),
    "parts-where-text-is-wanted": lambda: load("zephyr").render(
        [{"role": "user", "content": [{"type": "text", "text": "Hello!"}]}]
    ),
    "unknown-filter": lambda: render("{{ messages | nosuch }}"),
    "private-attribute": lambda: render("{{ messages.append(1) }}"),
    "steps": lambda: render("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}"),
    "size": lambda: render("{{ 'x' * 1000000000 }}"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_is_the_one_on_file(name, tmp_path, monkeypatch):
    """The error's kind and text are those of its file, so that a change of words is seen and meant."""
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path / "model")
    with pytest.raises(TemplatesError) as caught:
        CASES[name]()
    text = f"{type(caught.value).__name__}: {caught.value}\n"
    path = HERE / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_every_file_has_a_case():
    """A text that nothing raises any more is removed."""
    assert {path.stem for path in HERE.glob("*.txt")} == set(CASES)
