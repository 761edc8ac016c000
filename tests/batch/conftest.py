"""A small tokenizer, and conversations of many shapes."""

import random

import pytest

pytest.importorskip("pyarrow", reason="tables need pyarrow")
pytest.importorskip("tokenizers", reason="tokens need tokenizers")

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

CONTROL = ("<|im_start|>", "<|im_end|>", "<think>", "</think>", "<tool_call>", "</tool_call>")
WORDS = [
    "the",
    "rose",
    "garden",
    "grows",
    "when",
    "rain",
    "and",
    "sun",
    "come",
    "Grüße",
    "東京",
    "👋🏽",
    "0.25",
    "over",
    "old",
    "walls",
]
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def _tokenizer():
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(list(CONTROL))
    return made


@pytest.fixture(scope="session")
def tokenizer():
    """A tokenizer of single bytes, with control tokens."""
    return _tokenizer()


@pytest.fixture(scope="session")
def tokenizer_file(tmp_path_factory):
    """The same as a file."""
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    _tokenizer().save(str(path))
    return str(path)


def _text(chance, most=12):
    return " ".join(chance.choice(WORDS) for _ in range(chance.randint(1, most)))


def record(seed):
    """A record: plain, with reasoning, with a tool call, in another format, or one that cannot be rendered."""
    chance = random.Random(seed)
    kind = chance.choice(["plain", "plain", "reasoning", "call", "sharegpt", "alpaca"])
    if kind == "sharegpt":
        turns = [{"from": who, "value": _text(chance)} for who in ("human", "gpt") * chance.randint(1, 3)]
        return {"id": seed, "conversations": turns}
    if kind == "alpaca":
        return {"id": seed, "instruction": _text(chance), "input": "", "output": _text(chance)}
    messages = []
    for _ in range(chance.randint(1, 4)):
        messages.append({"role": "user", "content": _text(chance)})
        answer = {"role": "assistant", "content": _text(chance, 30)}
        if kind == "reasoning":
            answer["reasoning_content"] = _text(chance)
        if kind == "call" and chance.random() < 0.6:
            function = {"name": "weather", "arguments": {"city": _text(chance, 2)}}
            messages.append(
                {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": function}]}
            )
            messages.append({"role": "tool", "content": _text(chance)})
        messages.append(answer)
    return {"id": seed, "messages": messages, **({"tools": [TOOL]} if kind == "call" else {})}


@pytest.fixture(scope="session")
def records():
    """A function from a number to that many records."""
    return lambda count, first=0: [record(seed) for seed in range(first, first + count)]
