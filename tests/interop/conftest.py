"""Small tokenizers of transformers, made here, with the control texts of the templates under test."""

import pytest

pytest.importorskip("transformers")

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

CONTROLS = ("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<tool_call>", "</tool_call>", "<s>", "</s>", "<pad>")
LINES = [
    "What is the weather in Bern today?\n",
    "It is sunny; take a hat, and go out.\n",
    "<|im_start|>user assistant\n",
]


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(LINES * 5, trainer)
    return tokenizer


def sentence():
    letters = ["<unk>", *(f"<0x{number:02X}>" for number in range(256)), "▁", "▁a", *"abcdefghijklmnopqrstuvwxyz"]
    words = {letter: number for number, letter in enumerate(letters)}
    tokenizer = Tokenizer(models.BPE(words, [("▁", "a")], unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


@pytest.fixture(params=[byte_level, sentence], ids=lambda maker: maker.__name__)
def make_tokenizer(request):
    """A function from a template's text and special tokens to a tokenizer of transformers that has them."""

    def make(chat_template=None, **special_tokens):
        tokenizer = request.param()
        tokenizer.add_special_tokens(list(CONTROLS))
        given = {"pad_token": "<pad>", **special_tokens}
        fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **given)
        fast.chat_template = chat_template
        return fast

    return make


@pytest.fixture
def tokenizer(make_tokenizer):
    """One with the special tokens of nearly all templates."""
    return make_tokenizer(bos_token="<s>", eos_token="<|im_end|>")


def plain(result):
    """A result as plain data with the types of its arrays, so that two can be compared."""
    if hasattr(result, "keys"):
        return type(result).__name__, {key: plain(result[key]) for key in result}
    if hasattr(result, "dtype"):
        return (
            type(result).__name__,
            str(result.dtype),
            [plain(row) for row in result] if result.ndim else result.item(),
        )
    return result


@pytest.fixture(scope="session")
def same():
    """A function that calls both, and returns what both returned."""

    def check(ours, theirs):
        assert plain(ours) == plain(theirs)
        return ours

    return check
