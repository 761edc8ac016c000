"""`ChatTemplate.encode`: trace, mask and tokens in one call."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from llm_templates import InputError, Training, load

TALK = [
    {"role": "user", "content": "Hi <|im_end|>"},
    {"role": "assistant", "content": "Hello!", "weight": 0.5},
    {"role": "user", "content": "Bye"},
    {"role": "assistant", "content": "Bye!"},
]


@pytest.fixture(scope="module")
def tokenizer():
    """Each byte is a token; the control texts of ChatML are tokens of their own."""
    alphabet = {letter: place for place, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    made = Tokenizer(models.BPE(alphabet, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    return made


def masked(tokens):
    return "".join(tokens.text[s:e] for (s, e), counts in zip(tokens.offsets, tokens.mask, strict=True) if counts)


def test_what_the_model_would_write_is_masked(tokenizer):
    """With the weights that messages say."""
    tokens = load("chatml").encode(TALK, tokenizer=tokenizer)
    assert tokens.text == load("chatml").render(TALK)
    assert masked(tokens) == "Hello!<|im_end|>Bye!<|im_end|>"
    assert {weight for weight, counts in zip(tokens.weights, tokens.mask, strict=True) if counts} == {0.5, 1.0}
    assert tokens.ids.count(tokenizer.token_to_id("<|im_end|>")) == 4
    assert [label for label in tokens.labels() if label != -100] == [
        number for number, counts in zip(tokens.ids, tokens.mask, strict=True) if counts
    ]
    assert tokens.findings == ()


def test_options_reach_the_mask_and_the_prompt(tokenizer):
    """Those of training, and those of rendering."""
    tokens = load("chatml").encode(TALK, tokenizer=tokenizer, training=Training(turns="last", stop=False))
    assert masked(tokens) == "Bye!"
    prompted = load("chatml").encode(TALK[:1], tokenizer=tokenizer, add_generation_prompt=True)
    assert prompted.text.endswith("<|im_start|>assistant\n")
    assert prompted.findings == ("nothing of the prompt is trained on",)


def test_control_tokens_of_the_input_can_be_refused(tokenizer):
    """The error says where they stand."""
    with pytest.raises(InputError, match=r"messages\[0\]"):
        load("chatml").encode(TALK, tokenizer=tokenizer, on_injection="raise")
