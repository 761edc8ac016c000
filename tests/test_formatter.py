"""Formatter: the quick start."""

import pytest

from llm_templates import Content, Conversation, Formatter, InputError, RaisedError, SourceError

HELLO = [Content(role="user", content="Hello!")]


def test_renders_for_the_conversations_model():
    """The model a conversation names is the one whose prompt comes out."""
    conversation = Conversation(model="zephyr", messages=HELLO)
    assert Formatter().render(conversation) == "<|user|>\nHello!</s>\n"
    assert Formatter().render(conversation, add_assistant_prompt=True) == "<|user|>\nHello!</s>\n<|assistant|>\n"


def test_the_formatters_model_wins():
    """A formatter made for a model renders for it, whatever the conversation names."""
    formatter = Formatter(model_name="chatml")
    expected = "<|im_start|>user\nHello!<|im_end|>\n"
    assert formatter.render(Conversation(model="zephyr", messages=HELLO)) == expected
    assert formatter.render(Conversation(messages=HELLO)) == expected


def test_one_formatter_serves_many_models():
    """Each model's template is loaded once and kept."""
    formatter = Formatter()
    for _ in range(2):
        assert formatter.render(Conversation("zephyr", HELLO)).startswith("<|user|>")
        assert formatter.render(Conversation("gemma", HELLO)).startswith("<bos><start_of_turn>user")


def test_a_model_may_be_a_folder_or_a_template(tmp_path):
    """Anything `load` takes is a model's name."""
    (tmp_path / "chat_template.jinja").write_text("{{ messages[0].content }}?", encoding="utf-8")
    assert Formatter().render(Conversation(str(tmp_path), HELLO)) == "Hello!?"
    assert Formatter("{{ messages[0].content }}!").render(Conversation(messages=HELLO)) == "Hello!!"


def test_the_conversation_is_not_changed():
    """Asking for the assistant's prompt adds no message."""
    conversation = Conversation("llama2", HELLO)
    Formatter().render(conversation, add_assistant_prompt=True)
    assert conversation == Conversation("llama2", HELLO)


def test_a_model_name_is_required():
    """Without any model there is no prompt."""
    with pytest.raises(InputError, match="Model name is required"):
        Formatter().render(Conversation(messages=HELLO))


def test_errors_are_those_of_load_and_render():
    """An unknown model, a refused conversation and an unknown template name are told apart."""
    with pytest.raises(SourceError, match="did you mean zephyr"):
        Formatter().render(Conversation("zephir", HELLO))
    with pytest.raises(RaisedError, match="System role not supported"):
        Formatter().render(Conversation("gemma", [Content(role="system", content="Be brief."), *HELLO]))
    assert Formatter().render(Conversation("zephyr", HELLO), template_name="default")
    with pytest.raises(InputError, match="no template named 'tool_use'"):
        Formatter().render(Conversation("zephyr", HELLO), template_name="tool_use")
