"""What llama.cpp makes of the same conversations: prompts, ids, and the template inside of its file."""

import unicodedata

import pytest

pytest.importorskip("xllamacpp", reason="llama.cpp's server is in xllamacpp, which is not installed")

from llm_templates import load

from .chats import LEARNED, UNSEEN
from .make_gguf import write_gguf
from .served import served
from .wire import as_sent

CHATS = {**LEARNED, **UNSEEN}


def prompts(template, name):
    """Every beginning of a chat, with the prompt for an answer and without."""
    messages, tools = CHATS[name]
    for end in range(1, len(messages) + 1):
        for prompted in (True, False):
            options = {"tools": tools, "add_generation_prompt": prompted}
            yield messages[:end], options, template.render(messages[:end], **options)


@pytest.mark.parametrize("name", CHATS)
def test_prompts(server, template, name):
    """The engine's own renderer writes the same."""
    for messages, options, prompt in prompts(template, name):
        asked = {key: value for key, value in options.items() if value is not None}
        assert server.ask("/apply-template", messages=as_sent(messages), **asked)["prompt"] == prompt


@pytest.mark.parametrize("name", CHATS)
def test_ids(server, template, tokenizer, name):
    """The engine's own tokenizer gives the same, and nothing before them; where text looks like a control token, it is fooled."""
    for messages, options, prompt in prompts(template, name):
        tokens = template.encode(messages, tokenizer=tokenizer, **options)
        theirs = server.ask("/tokenize", content=prompt, parse_special=True, add_special=True)["tokens"]
        assert (tokens.ids == theirs) is (not tokens.attempts)
        assert server.ask("/detokenize", tokens=tokens.ids)["content"] == prompt


def test_letters_that_are_composed(server, template, tokenizer):
    """The tokenizer of this family composes letters; llama.cpp does not, so it gives other ids than the model was trained on."""
    messages = [{"role": "user", "content": "a\u0301 \u1100\u1161 \u212b"}]
    ids = template.encode(messages, tokenizer=tokenizer).ids
    prompt = template.render(messages)
    assert ids == tokenizer.encode(prompt, add_special_tokens=False).ids
    assert ids == server.ask("/tokenize", content=unicodedata.normalize("NFC", prompt))["tokens"]
    assert ids != server.ask("/tokenize", content=prompt)["tokens"]


@pytest.mark.parametrize("name", CHATS)
def test_the_template_in_the_file(gguf_file, template, name):
    """It renders what the folder's does."""
    own = load(gguf_file)
    assert own.source == template.source
    assert own.special_tokens["eos_token"] == template.special_tokens["eos_token"]
    for messages, options, prompt in prompts(template, name):
        assert own.render(messages, **options) == prompt


def test_the_token_that_begins_the_text_comes_once(folder, template, tokenizer, tmp_path):
    """An engine that puts one there itself is sent the prompt without it."""
    from llm_templates.integrations.chat import Chat

    file = tmp_path / "begins.gguf"
    write_gguf(folder, file, begins_with="<|endoftext|>", template="{{- bos_token }}\n" + template.source)
    own = load(file)
    messages, _ = LEARNED["greeting"]
    ids = own.encode(messages[:1], tokenizer=tokenizer, add_generation_prompt=True).ids
    assert ids[:2] == [tokenizer.token_to_id("<|endoftext|>"), tokenizer.token_to_id("<|im_start|>")]
    counts = []
    with served(file) as engine:

        def answer(prompt):
            counts.append(engine.ask("/v1/completions", prompt=prompt, max_tokens=1)["usage"]["prompt_tokens"])
            return ""

        for adds_bos in (True, False):
            Chat(own, answer, adds_bos=adds_bos)(messages[:1])
        asked = engine.ask("/v1/chat/completions", messages=messages[:1], max_tokens=1)
    assert counts == [len(ids), len(ids) + 1]
    assert asked["usage"]["prompt_tokens"] == len(ids)
