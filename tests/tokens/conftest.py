"""Small tokenizers of every kind, trained here, with the control texts of any family."""

import json
from functools import lru_cache
from pathlib import Path

import pytest

import llm_templates
from llm_templates.families.markers import CONTROL

pytest.importorskip("tokenizers")

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SPLIT = Regex(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
BYTES = [f"<0x{number:02X}>" for number in range(256)]


@lru_cache(1)
def lines():
    """What the tokenizers learn from: the library's own text, and a little of what is not ASCII."""
    sources = sorted(Path(llm_templates.__file__).parent.glob("*.py"))
    return [line for path in sources for line in path.read_text().splitlines(keepends=True)] + [
        "Grüße, naïve café: 東京都 привет мир 👋🏽 ﬁn\n"
    ] * 20


def bpe_parts(pre_tokenizer, normalizer=None, alphabet=()):
    """A vocabulary and merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(vocab_size=1200, initial_alphabet=list(alphabet), show_progress=False)
    tokenizer.train_from_iterator(lines(), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return list(model["vocab"]), [tuple(merge) for merge in model["merges"]]


@lru_cache(None)
def byte_level_parts():
    return bpe_parts(pre_tokenizers.ByteLevel(add_prefix_space=False), alphabet=pre_tokenizers.ByteLevel.alphabet())


@lru_cache(None)
def sentence_parts():
    words, merges = bpe_parts(pre_tokenizers.Metaspace())
    return ["<unk>", "<s>", "</s>", *BYTES, *words], merges


def numbered(words):
    return {word: number for number, word in enumerate(words)}


def byte_level(**options):
    words, merges = byte_level_parts()
    return Tokenizer(models.BPE(numbered(words), merges, **options))


def sentence_bpe():
    words, merges = sentence_parts()
    return Tokenizer(models.BPE(numbered(words), merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))


def gpt2():
    tokenizer = byte_level()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    return tokenizer


def roberta():
    tokenizer = byte_level()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    return tokenizer


def llama3():
    tokenizer = byte_level(ignore_merges=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(SPLIT, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.add_special_tokens(["<s>"])
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=True),
            processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]),
        ]
    )
    return tokenizer


def digits():
    tokenizer = byte_level(ignore_merges=True)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return tokenizer


def legacy():
    tokenizer = sentence_bpe()
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


def metaspace(scheme):
    tokenizer = sentence_bpe()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=False)
    return tokenizer


def gemma():
    tokenizer = sentence_bpe()
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    return tokenizer


@lru_cache(None)
def unigram_words():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=1000, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False)
    tokenizer.train_from_iterator(lines(), trainer)
    words = json.loads(tokenizer.to_str())["model"]["vocab"]
    return [tuple(word) for word in words if word[0] != "<unk>"]


def unigram(scheme="always", byte_fallback=False):
    # The control tokens are in the vocabulary, as those of T5 and Gemma are.
    first = [(word, 0.0) for word in ("<pad>", "</s>", "<unk>", *(BYTES if byte_fallback else []))]
    tokenizer = Tokenizer(models.Unigram(first + unigram_words(), unk_id=2, byte_fallback=byte_fallback))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>"])
    return tokenizer


@lru_cache(None)
def wordpiece_words():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=1000, special_tokens=["[PAD]", "[UNK]"], show_progress=False)
    tokenizer.train_from_iterator(lines(), trainer)
    return tokenizer.to_str()


def wordpiece():
    return Tokenizer.from_str(wordpiece_words())


MAKERS = {
    "gpt2": gpt2,
    "roberta": roberta,
    "llama3": llama3,
    "digits": digits,
    "legacy": legacy,
    "metaspace-first": lambda: metaspace("first"),
    "metaspace-always": lambda: metaspace("always"),
    "metaspace-never": lambda: metaspace("never"),
    "gemma": gemma,
    "unigram": unigram,
    "unigram-first-bytes": lambda: unigram("first", byte_fallback=True),
    "wordpiece": wordpiece,
}


@lru_cache(None)
def _tokenizer(kind, controls, normalized=False, **flags):
    tokenizer = MAKERS[kind]()
    tokenizer.add_tokens([AddedToken(text, normalized=normalized, **flags) for text in controls])
    return tokenizer


@pytest.fixture(scope="session")
def tokenizer_of():
    """A function from a kind and control texts to a tokenizer that has them as added tokens."""
    return lambda kind, controls=(), **flags: _tokenizer(kind, tuple(dict.fromkeys(controls)), **flags)


def _controls(template):
    """Control texts of a template: its special tokens, and the tags it writes."""
    tags = (text for text in CONTROL.findall(template.source) if text[0] in "<[" and text[-1] in ">]")
    return sorted({*template.special_tokens.values(), *tags})


@pytest.fixture(scope="session")
def controls_of():
    """A function from a template to its control texts."""
    return lru_cache(None)(_controls)


def _is_trusted(prompt, place):
    """Whether the template wrote a character, or it is of a role that everybody knows: the rule, told anew."""
    origin = prompt.origin_at(place)
    return origin.is_template or (
        (origin.kind, origin.path) == ("message", "role")
        and prompt.segments[next(i for i, end in enumerate(_ends(prompt)) if place < end)].text.lower() in KNOWN_ROLES
    )


def _ends(prompt):
    end = 0
    for segment in prompt.segments:
        end += len(segment.text)
        yield end


KNOWN_ROLES = {"system", "developer", "user", "assistant", "tool", "function", "model", "ipython", "observation"}


def _forged(prompt, tokens, tokenizer):
    """Control tokens with a character that no template wrote."""
    added = tokenizer.get_added_tokens_decoder()
    unknown = {"[UNK]", "<unk>"}
    return [
        (tokens.text[start:end], str(prompt.origin_at(start)))
        for identity, (start, end) in zip(tokens.ids, tokens.offsets, strict=True)
        if identity in added
        and added[identity].content not in unknown
        and not all(_is_trusted(prompt, place) for place in range(start, end))
    ]


@pytest.fixture(scope="session")
def forged():
    """A function that lists what must never be there: control tokens of which a character is input."""
    return _forged


def pytest_generate_tests(metafunc):
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", list(MAKERS))
