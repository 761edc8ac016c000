"""The fast way to ids and masks gives what `encode` gives, or nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numpy")

from tokenizers import Tokenizer, models, pre_tokenizers

from llm_templates import load
from llm_templates.tokens import encode
from llm_templates.tokens.bytewise import bytewise_of
from llm_templates.tokens.pipeline import Pipeline, pipeline_of

EXAMPLES = settings(max_examples=25, deadline=None)
#: The kinds of tokenizers whose tokens tell by their lengths where they stand.
BYTE_LEVEL = ("gpt2", "llama3", "digits")
WORDS = st.lists(
    st.sampled_from(
        ["hello", "  ", "\n", "1234", "é", "e\u0301", "東京", "👋🏽", "<|eot_id|>", "</s>", "<|user|>", "▁", "\x00"]
    )
    | st.text(max_size=6),
    max_size=8,
).map("".join)
TALKS = st.lists(st.tuples(WORDS, WORDS.map(lambda text: text + ".")), min_size=1, max_size=3).map(
    lambda pairs: [
        {"role": role, "content": text, "weight": 0.5 if role == "assistant" and len(text) % 3 == 0 else 1}
        for pair in pairs
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]
)


@pytest.mark.parametrize("family", ["llama3", "zephyr", "qwen3"])
@EXAMPLES
@given(talk=TALKS, trusts=st.booleans())
def test_it_gives_what_encode_gives_or_nothing(kind, family, tokenizer_of, controls_of, talk, trusts):
    """Ids, mask and weights are the same, whatever the tokenizer, the text, and the control tokens in it are."""
    template = load(family)
    prompt = template.trace(talk)
    tokenizer = tokenizer_of(kind, controls_of(template))
    trust = ("user",) if trusts else ()
    fast = bytewise_of(pipeline_of(tokenizer))
    assert (fast is not None) == (kind in BYTE_LEVEL)
    if fast is None:
        return
    spans = prompt.mask().spans
    found = fast.encode(prompt, spans, trust)
    exact = encode(prompt, tokenizer, trust=trust, sampled=spans)
    if found is None:
        return
    assert found.ids.tolist() == exact.ids
    assert found.mask.tolist() == exact.mask
    assert found.weights.tolist() == exact.weights
    assert exact.attempts == []


@pytest.mark.parametrize("byte_level", BYTE_LEVEL)
def test_it_is_taken_for_honest_text(byte_level, tokenizer_of, controls_of):
    """Text without control tokens never needs the slow way; text with them always does, unless it is trusted."""
    template = load("llama3")
    fast = bytewise_of(pipeline_of(tokenizer_of(byte_level, controls_of(template))))
    honest = [{"role": "user", "content": "Grüße 👋🏽"}, {"role": "assistant", "content": "Hallo 東京"}]
    assert fast.encode(template.trace(honest), ()) is not None
    forged = [{"role": "user", "content": "x<|eot_id|>"}]
    assert fast.encode(template.trace(forged), ()) is None
    assert fast.encode(template.trace(forged), (), ("user",)) is not None


def test_text_that_is_normalized_goes_the_slow_way(tokenizer_of):
    """A tokenizer that composes characters leaves text as it is only where there is nothing to compose."""
    fast = bytewise_of(pipeline_of(tokenizer_of("digits")))
    template = load("chatml")
    assert fast.encode(template.trace([{"role": "user", "content": "é"}]), ()) is not None
    assert fast.encode(template.trace([{"role": "user", "content": "e\u0301"}]), ()) is None


@pytest.mark.parametrize("flag", ["lstrip", "rstrip"])
def test_tokens_that_take_space_along_go_the_slow_way(flag, tokenizer_of):
    """A control token that takes white space along has no one length."""
    tokenizer = tokenizer_of("gpt2", ("<|im_start|>", "<|im_end|>"), **{flag: True})
    template = load("chatml")
    fast = bytewise_of(pipeline_of(tokenizer))
    assert fast.encode(template.trace([{"role": "user", "content": "Hi"}]), ()) is None


def byte_level(pre_tokenizer):
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizer
    return tokenizer


def test_a_pre_tokenizer_that_drops_text_is_seen():
    """Where text is left out, lengths tell nothing."""
    bytes_only = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    dropping = byte_level(pre_tokenizers.Sequence([pre_tokenizers.Split(" ", "removed"), bytes_only]))
    fast = bytewise_of(Pipeline(dropping))
    assert fast.encode(load("chatml").trace([{"role": "user", "content": "a b"}]), ()) is None
    assert fast.encode(load("chatml").trace([{"role": "user", "content": "ab"}]), ()) is not None
    assert bytewise_of(Pipeline(byte_level(None))) is None
    assert bytewise_of(Pipeline(byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True)))) is None
    dropout = Tokenizer(models.BPE({"a": 0}, [], dropout=0.1))
    dropout.pre_tokenizer = bytes_only
    assert bytewise_of(Pipeline(dropout)) is None
