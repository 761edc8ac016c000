"""What is done with tokens: padding, truncation, arrays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_templates import InputError, load
from llm_templates.tokens import encode, pad

MESSAGES = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "First question"},
    {"role": "assistant", "content": "First answer"},
    {"role": "user", "content": "Call it"},
    {"role": "assistant", "content": "Calling."},
    {"role": "tool", "content": "result of the call"},
    {"role": "assistant", "content": "Done."},
    {"role": "user", "content": "Thanks"},
]


@pytest.fixture
def tokenizer(tokenizer_of):
    return tokenizer_of("gpt2", ("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|image_pad|>", "<|pad|>"))


@pytest.fixture
def tokens(tokenizer):
    return encode(load("chatml").trace(MESSAGES, add_generation_prompt=True), tokenizer)


def text_of(tokens):
    return "".join(tokens.text[start:end] for start, end in tokens.offsets)


def test_rows_of_one_length(tokenizer, tokens):
    """Shorter rows are filled: ids with the padding token, attention with 0, labels so that they are ignored."""
    other = encode(load("chatml").trace(MESSAGES[:3]), tokenizer)
    size = -(-len(tokens) // 64) * 64
    for side in ("right", "left"):
        rows = pad([tokens, other], tokenizer, side=side, multiple_of=64, ignore_index=-1)
        assert list(rows) == ["input_ids", "attention_mask", "labels", "weights"]
        assert all([len(row) for row in values] == [size, size] for values in rows.values())
        own = slice(0, len(other)) if side == "right" else slice(size - len(other), size)
        assert rows["input_ids"][1][own] == other.ids
        assert rows["labels"][1][own] == other.labels(-1)
        assert rows["weights"][1][own] == other.weights
        assert sum(rows["attention_mask"][1]) == len(other)
        padding = [
            identity for identity, seen in zip(rows["input_ids"][1], rows["attention_mask"][1], strict=True) if not seen
        ]
        assert set(padding) == {tokenizer.token_to_id("<|pad|>")}


def test_padding_without_a_padding_token(tokenizer_of, tokens):
    """An id can be given; a tokenizer that has none is an error only when one is needed."""
    bare = tokenizer_of("gpt2", ("<|im_end|>",))
    assert pad([tokens], bare)["input_ids"] == [tokens.ids]
    assert pad([tokens], pad_id=7, length=len(tokens) + 1)["input_ids"][0][-1] == 7
    for given_tokenizer in (bare, None):
        with pytest.raises(InputError, match="no token to pad with"):
            pad([tokens], given_tokenizer, length=1000)
    assert pad([], pad_id=0)["input_ids"] == []
    with pytest.raises(InputError):
        pad([tokens], side="both")
    with pytest.raises(InputError):
        pad([tokens], multiple_of=0)


def test_padding_as_the_tokenizer_is_set(tokenizer_of, tokens):
    """What the tokenizer itself pads with comes before what a token is called."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(tokenizer_of("gpt2", ("<pad>", "<|im_end|>")).to_str())
    tokenizer.enable_padding(pad_id=3, pad_token="x")
    assert pad([tokens], tokenizer, length=len(tokens) + 1)["input_ids"][0][-1] == 3


@given(size=st.integers(0, 200))
def test_cuts_keep_one_end(tokenizer_of, size):
    """All lists are cut alike; places in the text stay."""
    tokenizer = tokenizer_of("gpt2", ("<|im_start|>", "<|im_end|>"))
    tokens = encode(load("chatml").trace(MESSAGES), tokenizer)
    for keep, part in (("start", slice(0, size)), ("end", slice(max(len(tokens) - size, 0), None))):
        cut = tokens.truncate(size, keep=keep)
        assert cut.ids == tokens.ids[part]
        assert cut.offsets == tokens.offsets[part]
        assert cut.mask == tokens.mask[part]
        assert cut.weights == tokens.weights[part]
        assert cut.segment == tokens.segment[part]
        assert cut.text == tokens.text


@given(size=st.integers(1, 200))
def test_whole_turns_are_dropped(tokenizer_of, size):
    """A turn stays whole or goes whole, the oldest first; the system message stays, and results go with their call."""
    tokenizer = tokenizer_of("gpt2", ("<|im_start|>", "<|im_end|>"))
    prompt = load("chatml").trace(MESSAGES, add_generation_prompt=True)
    tokens = encode(prompt, tokenizer)
    texts = [
        "".join(segment.text for segment in prompt.segments if segment.owner == turn) for turn in range(len(MESSAGES))
    ]
    rest = "".join(segment.text for segment in prompt.segments if segment.owner is None)
    try:
        cut = tokens.truncate(size, keep="turns")
    except InputError:
        assert (
            len(encode(load("chatml").trace([MESSAGES[0], MESSAGES[-1]], add_generation_prompt=True), tokenizer)) > size
        )
        return
    assert len(cut) <= size
    first = 1 + len(cut.dropped)
    assert cut.dropped == list(range(1, first))
    assert MESSAGES[first]["role"] != "tool"
    assert text_of(cut) == texts[0] + "".join(texts[first:]) + rest
    # No less was possible.
    earlier = [turn for turn in range(1, first) if MESSAGES[turn]["role"] != "tool"]
    if earlier:
        kept = [tokens.segments[place].owner for place in tokens.segment]
        assert sum(owner is None or owner == 0 or owner >= earlier[-1] for owner in kept) > size


def test_wrong_truncations(tokens):
    """An unknown way to cut is refused, and so is a negative length; what fits is returned as it is."""
    with pytest.raises(InputError):
        tokens.truncate(5, keep="middle")
    with pytest.raises(InputError):
        tokens.truncate(-1)
    assert tokens.truncate(len(tokens), keep="turns") is tokens


def test_arrays(tokens):
    """The same numbers as NumPy arrays."""
    pytest.importorskip("numpy")
    arrays = tokens.numpy()
    assert arrays["input_ids"].tolist() == tokens.ids
    assert arrays["labels"].tolist() == tokens.labels()
    assert arrays["offsets"].tolist() == [list(place) for place in tokens.offsets]
    assert arrays["mask"].dtype == "uint8"
    assert arrays["attention_mask"].sum() == len(tokens)


def test_mask_and_weights_by_stretches_of_ones_own(tokenizer):
    """Other stretches than the prompt's, with weights; a token that reaches into one belongs to it."""
    prompt = load("chatml").trace(MESSAGES[1:3])
    text = str(prompt)
    first, second = text.index("First question"), text.index("First answer")
    tokens = encode(prompt, tokenizer, sampled=[(first, first + 14, 0.5), (second, second + 12), (3, 3)])
    kept = {}
    for (start, end), weight in zip(tokens.offsets, tokens.weights, strict=True):
        kept[weight] = kept.get(weight, "") + text[start:end]
    assert kept[0.5] == "First question"
    assert kept[1.0] == "First answer"
    assert [bool(weight) for weight in tokens.weights] == [bool(sampled) for sampled in tokens.mask]


def test_tokens_are_frozen(tokens):
    """A value, not a container to write into."""
    with pytest.raises(AttributeError):
        tokens.ids = []
    assert tokens.origins[0].is_template
    assert len(tokens.origins) == len(tokens)
