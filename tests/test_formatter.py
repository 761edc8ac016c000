"""Formatter: the quick start, and the documentation of the original library as it was typed there."""

import contextlib
import io
import sys
import types
from pathlib import Path

import pytest

from llm_templates import Content, Conversation, Formatter, InputError, RaisedError, SourceError, families, load

sys.path.insert(0, str(Path(__file__).parent / "sources"))
from hub_server import running_hub

HELLO = [Content(role="user", content="Hello!")]
TALK = [
    {"role": "user", "content": "Hello!"},
    {"role": "assistant", "content": "How can I help you?"},
    {"role": "user", "content": "Write a poem about the sea"},
]
#: The names that the original library's documentation lists.
ORIGINAL_NAMES = ("zephyr", "llama2", "llama3", "llama31", "mistral", "gemma", "cohere", "phi3")


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


def test_named_templates(tmp_path):
    """`template_name` chooses among a model's templates; each is kept beside the others."""
    templates = '[{"name": "default", "template": "{{ 1 }}"}, {"name": "rag", "template": "{{ 2 }}"}]'
    (tmp_path / "tokenizer_config.json").write_text(f'{{"chat_template": {templates}}}', encoding="utf-8")
    formatter = Formatter(str(tmp_path))
    conversation = Conversation(messages=HELLO)
    for _ in range(2):
        assert formatter.render(conversation) == "1"
        assert formatter.render(conversation, template_name="rag") == "2"
        assert formatter.render(conversation, template_name="default") == "1"


def test_tools_and_variables_reach_the_template():
    """What else a template reads goes by name."""
    formatter = Formatter("{{ tools | length }}{{ mood }}")
    conversation = Conversation(messages=HELLO)
    assert formatter.render(conversation, tools=[{"name": "a"}], variables={"mood": "merry"}) == "1merry"


def test_what_is_loaded_is_kept_unless_the_cache_is_off(tmp_path):
    """A changed template is seen by a new formatter, or by one that keeps nothing."""
    path = tmp_path / "chat_template.jinja"
    path.write_text("{{ 'before' }}", encoding="utf-8")
    keeping, fresh = Formatter(str(tmp_path)), Formatter(str(tmp_path), use_cache=False)
    conversation = Conversation(messages=HELLO)
    assert [keeping.render(conversation), fresh.render(conversation)] == ["before", "before"]
    path.write_text("{{ 'after' }}", encoding="utf-8")
    assert [keeping.render(conversation), fresh.render(conversation)] == ["before", "after"]
    assert Formatter(str(tmp_path)).render(conversation) == "after"


def test_a_model_without_a_template_needs_the_users_choice(tmp_path):
    """The default is used only where the model has none."""
    (tmp_path / "tokenizer_config.json").write_text('{"bos_token": "<s>"}', encoding="utf-8")
    conversation = Conversation(str(tmp_path), HELLO)
    with pytest.raises(SourceError, match="no chat template"):
        Formatter().render(conversation)
    assert Formatter(default="chatml").render(conversation) == Formatter("chatml").render(conversation)
    assert Formatter(default="chatml").render(Conversation("zephyr", HELLO)).startswith("<|user|>")


def test_the_conversation_is_not_changed():
    """Asking for the assistant's prompt adds no message."""
    conversation = Conversation("llama2", HELLO)
    Formatter().render(conversation, add_assistant_prompt=True)
    assert conversation == Conversation("llama2", HELLO)


def test_any_object_with_messages_is_a_conversation():
    """The original's own, for one."""
    conversation = types.SimpleNamespace(model="zephyr", messages=TALK)
    assert Formatter().render(conversation) == load("zephyr").render(TALK)


# -- a model of the hub --


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A stand-in hub with an empty cache."""
    constants = pytest.importorskip("huggingface_hub.constants")
    with running_hub() as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield hub


def files(text):
    return {"tokenizer_config.json": "{}", "chat_template.jinja": text}


def test_a_model_of_the_hub_is_asked_for_once(hub):
    """One formatter keeps it, the next takes it from the cache."""
    hub.add("owner/name", files("{{ messages[0].content }}"))
    conversation = Conversation("owner/name", HELLO)
    formatter = Formatter()
    assert formatter.render(conversation) == "Hello!"
    asked = len(hub.requests)
    assert asked > 0
    assert formatter.render(conversation) == Formatter().render(conversation) == "Hello!"
    assert Formatter(offline=True).render(conversation) == "Hello!"
    assert len(hub.requests) == asked


def test_the_cache_can_be_passed_by(hub):
    """Without the cache each render asks the hub; clearing it on creation asks once."""
    hub.add("owner/name", files("{{ 'before' }}"))
    conversation = Conversation("owner/name", HELLO)
    assert Formatter().render(conversation) == "before"
    hub.repositories["owner/name"].commit(files("{{ 'after' }}"))
    assert Formatter().render(conversation) == "before"
    assert Formatter(use_cache=False, offline=True).render(conversation) == "before"
    cleared = Formatter(clear_cache_on_create=True)
    assert cleared.render(conversation) == "after"
    asked = len(hub.requests)
    assert cleared.render(conversation) == "after"
    assert len(hub.requests) == asked
    hub.repositories["owner/name"].commit(files("{{ 'later' }}"))
    fresh = Formatter(use_cache=False)
    assert fresh.render(conversation) == "later"
    hub.repositories["owner/name"].commit(files("{{ 'last' }}"))
    assert fresh.render(conversation) == "last"


def test_a_revision(hub):
    """A branch, tag or commit of each model."""
    hub.add("owner/name", files("{{ 1 }}"))
    hub.repositories["owner/name"].commit(files("{{ 2 }}"), "next")
    conversation = Conversation("owner/name", HELLO)
    assert Formatter(revision="next").render(conversation) == "2"
    assert Formatter(use_cache=False, revision="next").render(conversation) == "2"
    assert Formatter().render(conversation) == "1"


def test_the_key_shows_private_and_gated_models(hub):
    """It is sent for this formatter's models, and nowhere else."""
    hub.add("owner/private", files("{{ 1 }}"), private=True)
    hub.add("owner/gated", files("{{ 2 }}"), gated=True)
    for name, words in (("owner/private", "or it is private"), ("owner/gated", "is gated")):
        with pytest.raises(SourceError, match=words):
            Formatter().render(Conversation(name, HELLO))
    formatter = Formatter(huggingface_api_key="hf_good")
    assert formatter.render(Conversation("owner/private", HELLO)) == "1"
    assert formatter.render(Conversation("owner/gated", HELLO)) == "2"
    assert "Bearer hf_good" in hub.authorizations


# -- the original's documentation, typed from there --

SNIPPETS = {
    "quick start": (
        """
from llm_templates import Formatter, Conversation, Content

messages = [Content(role="user", content="Hello!"),
            Content(role="assistant", content="How can I help you?"),
            Content(role="user", content="Write a poem about the sea")]

conversation = Conversation(model='llama3', messages=messages)
conversation_str = Formatter().render(conversation, add_assistant_prompt=True)

print(conversation_str)
""",
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHello!<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nHow can I help you?<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nWrite a poem about the sea<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n\n",
    ),
    "library usage": (
        """
from llm_templates import Formatter, Conversation
messages = [
    {
        "role": "user",
        "content": "Hello!"
    },
    {
        "role": "assistant",
        "content": "How can I help you?"
    },
    {
        "role": "user",
        "content": "Write a poem about the sea"
    }
]

formatter = Formatter()

# Local model
conversation = Conversation(model="zephyr", messages=messages)
print(formatter.render(conversation, add_assistant_prompt=True))
""",
        "<|user|>\nHello!</s>\n<|assistant|>\nHow can I help you?</s>\n"
        "<|user|>\nWrite a poem about the sea</s>\n<|assistant|>\n\n",
    ),
    "another example, which names zephyr where it speaks of llama2": (
        """
formatter = Formatter()

# Local model
conversation = Conversation(model="zephyr", messages=messages)
print(formatter.render(conversation))
""",
        "<|user|>\nHello!</s>\n<|assistant|>\nHow can I help you?</s>\n<|user|>\nWrite a poem about the sea</s>\n\n",
    ),
    "a model of the hub": (
        """
from llm_templates import Formatter, Conversation, Content

messages = [Content(role="user", content="Hello!"),
            Content(role="assistant", content="How can I help you?"),
            Content(role="user", content="Write a poem about the sea")]

formatter = Formatter()

# Apply Hugging Face Mixtral model template
model = "mistralai/Mixtral-8x7B-Instruct-v0.1"
# model = "HuggingFaceH4/zephyr-7b-beta"
conversation = Conversation(model=model, messages=messages)
conversation_str = formatter.render(conversation)

print(conversation_str)

# And then call the model in HuggingFace via API
from huggingface_hub import InferenceClient
client = InferenceClient()

result = client.text_generation(prompt=conversation_str, model=model, max_new_tokens=768, temperature=0.7, top_p=0.9,
                                top_k=50)
""",
        "<s>[INST] Hello! [/INST]How can I help you?</s> [INST] Write a poem about the sea [/INST]\n",
    ),
}


def run(snippet, names):
    """What the snippet prints."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(snippet, names)  # noqa: S102  (the text itself is what is tested)
    return printed.getvalue()


@pytest.mark.parametrize("name", SNIPPETS)
def test_documented_snippets_run_word_for_word(name, hub, monkeypatch):
    """Each prints what the models were trained on; one whose family is not built in says so."""
    import huggingface_hub

    calls = []
    client = types.SimpleNamespace(text_generation=lambda **options: calls.append(options) or "The sea, ...")
    monkeypatch.setattr(huggingface_hub, "InferenceClient", lambda: client)
    config = '{"bos_token": "<s>", "eos_token": "</s>"}'
    mixtral = {"tokenizer_config.json": config, "chat_template.jinja": families.get("mistral").template}
    hub.add("mistralai/Mixtral-8x7B-Instruct-v0.1", mixtral)
    snippet, expected = SNIPPETS[name]
    names = {"Formatter": Formatter, "Conversation": Conversation, "messages": TALK}
    if name == "quick start" and families.find("llama3") is None:
        with pytest.raises(SourceError, match="nothing is known by the name 'llama3'"):
            run(snippet, names)
        return
    assert run(snippet, names) == expected
    if name == "a model of the hub":
        assert calls[0]["prompt"] == names["conversation_str"]
        assert names["result"] == "The sea, ..."


@pytest.mark.parametrize("name", ORIGINAL_NAMES)
def test_the_originals_names(name):
    """Every name renders by the family of today, or is said not to be known."""
    conversation = Conversation(name, HELLO)
    if families.find(name) is None:
        with pytest.raises(SourceError, match=f"nothing is known by the name '{name}'"):
            Formatter().render(conversation)
    else:
        assert "Hello!" in Formatter().render(conversation, add_assistant_prompt=True)


def test_the_original_signature():
    """Every argument the original documents, by name and in its order."""
    formatter = Formatter(model_name="zephyr", use_cache=True, clear_cache_on_create=False, huggingface_api_key=None)
    assert (formatter.model_name, formatter.use_cache, formatter.huggingface_api_key) == ("zephyr", True, None)
    positional = Formatter("zephyr", True, False, None)
    conversation = Conversation(model="llama2", messages=HELLO)
    assert conversation.messages[0].role == "user"
    expected = "<|user|>\nHello!</s>\n<|assistant|>\n"
    assert positional.render(conversation, add_assistant_prompt=True, template_name="default") == expected


# -- what is wrong is said --


def cases(tmp_path):
    def folder(**content):
        path = tmp_path / str(len(list(tmp_path.iterdir())))
        path.mkdir()
        for name, text in content.items():
            (path / name.replace("__", ".")).write_bytes(text)
        return str(path)

    yield (
        "no model",
        None,
        HELLO,
        InputError,
        ("Model name is required\ngive the Conversation a model or the Formatter a model_name"),
    )
    yield "near name", "zephir", HELLO, SourceError, "nothing is known by the name 'zephir'\ndid you mean zephyr?\n"
    yield "role order", "llama2", [*HELLO, *HELLO], RaisedError, "Conversation roles must alternate"
    yield "system message", "gemma", [Content("system", "x"), *HELLO], RaisedError, "System role not supported"
    path = folder(tokenizer_config__json=b'{"chat_template": "{{ x }')
    yield "truncated file", path, HELLO, SourceError, f"{path}/tokenizer_config.json: not valid JSON"
    path = folder(tokenizer_config__json=b'{"chat_template": 5}')
    yield "malformed config", path, HELLO, SourceError, f"{path}/tokenizer_config.json: chat_template must be text"
    path = folder(chat_template__jinja="é".encode("latin-1"))
    yield "encoding", path, HELLO, SourceError, f"{path}/chat_template.jinja: not UTF-8 text (byte 0)"


def test_what_is_wrong_is_said(tmp_path):
    """An error of the fitting kind, which begins with what is wrong."""
    for name, model, messages, kind, text in cases(tmp_path):
        with pytest.raises(kind) as caught:
            Formatter().render(Conversation(model, messages))
        assert str(caught.value).startswith(text), name


@pytest.mark.parametrize("conversation", [None, "Hello!", {"model": "zephyr", "messages": TALK}, TALK])
def test_something_else_than_a_conversation(conversation):
    """The two ways are told: a Conversation, or load for messages alone."""
    with pytest.raises(InputError, match=f"render takes a Conversation, not {type(conversation).__name__}") as caught:
        Formatter("zephyr").render(conversation)
    assert "load(model).render(messages)" in caught.value.hint


def test_an_unknown_template_name_lists_those_there_are():
    """A built-in family has one."""
    with pytest.raises(SourceError, match="zephyr has no template named 'tool_use', only 'default'"):
        Formatter().render(Conversation("zephyr", HELLO), template_name="tool_use")
