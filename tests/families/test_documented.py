"""Prompts that the models' documentation prints, typed from there by hand."""

import pytest

from llm_templates import load

TALK = [
    {"role": "user", "content": "Hello, how are you?"},
    {"role": "assistant", "content": "I'm doing great. How can I help you today?"},
    {"role": "user", "content": "I'd like to show off how chat templating works!"},
]
PIRATE = [
    {"role": "system", "content": "You are a friendly chatbot who always responds in the style of a pirate"},
    {"role": "user", "content": "How many helicopters can a human eat in one sitting?"},
]
SMALL_TALK = [
    {"role": "user", "content": "Hi there!"},
    {"role": "assistant", "content": "Nice to meet you!"},
    {"role": "user", "content": "Can I ask a question?"},
]

DOCUMENTED = {
    "mistral": (
        TALK,
        False,
        "<s>[INST] Hello, how are you? [/INST]I'm doing great. How can I help you today?</s> "
        "[INST] I'd like to show off how chat templating works! [/INST]",
    ),
    "llama2": (
        TALK,
        False,
        "<s>[INST] Hello, how are you? [/INST] I'm doing great. How can I help you today? </s>"
        "<s>[INST] I'd like to show off how chat templating works! [/INST]",
    ),
    "zephyr": (
        TALK,
        False,
        "<|user|>\nHello, how are you?</s>\n"
        "<|assistant|>\nI'm doing great. How can I help you today?</s>\n"
        "<|user|>\nI'd like to show off how chat templating works!</s>\n",
    ),
    "zephyr to answer": (
        PIRATE,
        True,
        "<|system|>\nYou are a friendly chatbot who always responds in the style of a pirate</s>\n"
        "<|user|>\nHow many helicopters can a human eat in one sitting?</s>\n"
        "<|assistant|>\n",
    ),
    "chatml": (
        SMALL_TALK,
        False,
        "<|im_start|>user\nHi there!<|im_end|>\n"
        "<|im_start|>assistant\nNice to meet you!<|im_end|>\n"
        "<|im_start|>user\nCan I ask a question?<|im_end|>\n",
    ),
    "chatml to answer": (
        SMALL_TALK,
        True,
        "<|im_start|>user\nHi there!<|im_end|>\n"
        "<|im_start|>assistant\nNice to meet you!<|im_end|>\n"
        "<|im_start|>user\nCan I ask a question?<|im_end|>\n"
        "<|im_start|>assistant\n",
    ),
    "gemma": (
        [{"role": "user", "content": "Write a hello world program"}],
        True,
        "<bos><start_of_turn>user\nWrite a hello world program<end_of_turn>\n<start_of_turn>model\n",
    ),
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_renders_as_documented(name):
    """The built-in template prints what the documentation of its models prints."""
    messages, add_generation_prompt, expected = DOCUMENTED[name]
    template = load(name.split()[0])
    assert template.render(messages, add_generation_prompt=add_generation_prompt) == expected
