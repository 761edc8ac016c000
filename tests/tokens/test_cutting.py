"""Words are those of the library's own pre-tokenizer, and their ids put together are those of the tokenizer."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numpy")

from tokenizers import Regex, Tokenizer, pre_tokenizers

from llm_templates.tokens import memory
from llm_templates.tokens.cutting import BOUNDS, BYTE_LEVEL, LONGEST, Cutter
from llm_templates.tokens.memory import Memory
from llm_templates.tokens.pipeline import Pipeline

#: Patterns that publishers ship, by the models they are known from.
PATTERNS = {
    "gpt2": BYTE_LEVEL,
    "qwen2": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "llama3": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
    "o200k": (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "tekken": (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|"
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|"
        r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
}
PIECES = st.sampled_from(
    [
        *(
            "a",
            "Z",
            "é",
            "ſ",
            "\u212a",
            "'",
            "s",
            "'S",
            "'re",
            "'LL",
            "'ſ",
            "ﬁ",
            "ß",
            "İ",
            "ǅ",
            "ʰ",
            "1",
            "123",
            "٣",
            "²",
            "Ⅷ",
            "½",
        ),
        *(
            " ",
            "  ",
            "\n",
            "\r\n",
            "\n\n",
            "\t",
            "\u00a0",
            "\u2003",
            "\u0085",
            "\x1c",
            "\x1f",
            "\u200b",
            "\u2028",
            "\u180e",
        ),
        *(
            "!",
            "...",
            "/",
            "-",
            "_",
            "<|",
            "|>",
            "\x00",
            "東京",
            "👋🏽",
            "\u0301",
            "\u0bcd",
            "क",
            "ि",
            "𝒳",
            "𐐷",
            "\ufeff",
        ),
    ]
)
TEXTS = st.lists(PIECES | st.characters(codec="utf-8"), max_size=25).map("".join)


@pytest.mark.parametrize("name", PATTERNS)
@settings(max_examples=400, deadline=None)
@given(text=TEXTS)
def test_words_are_those_of_the_library(name, text):
    """For any text, of whatever characters; none are told apart only beyond the last bound."""
    words = Cutter(PATTERNS[name]).words(text)
    if words is None:
        assert max(map(ord, text)) >= BOUNDS[-1]
        return
    own = pre_tokenizers.Split(Regex(PATTERNS[name]), "isolated").pre_tokenize_str(text)
    assert words == [word for word, _ in own]


def test_the_pattern_of_gpt_2_is_the_librarys():
    """The one that a byte-level pre-tokenizer has without naming it."""
    text = "It's I'LL  10 x\u00a0y\n\n 'tis 東京!? "
    words = [text[start:end] for _, (start, end) in pre_tokenizers.ByteLevel(False).pre_tokenize_str(text)]
    assert Cutter(BYTE_LEVEL).words(text) == words


@pytest.mark.parametrize(
    "pattern",
    [
        r"\p{N}{1,3}+",
        r"\s*|\S+",
        r"a?|b",
        r"[^\n-a]+",
        r"[\t-a]",
        "a?" * 28 + "a{28}",
        r"(?:x|\p{L}*)(?:x|\p{L}*)(?:x|\p{L}*)(?:x|\p{L}*)1|\p{L}+",
        r"(a+)+",
        r"(?:a+)+b",
        r"(?:a*)*",
        r"(?:a|b){2,}",
        r"\s*\s*\s*\s*x",
        r"a|^b",
        r"a$",
        r"(a)\1",
        r"\w+",
        r"\bword",
        r"[[:alpha:]]+",
        r"[a-z&&[^b]]+",
        r"[\S]+",
        r"[^\P{L}]",
        r"(?i:straße)",
        r"(?<=a)b",
        r"(?i)abc",
        r".+",
        r"\p{Han}+",
        "a" * (LONGEST + 1),
        "[",
        "(?:a",
        "a)",
    ],
)
def test_patterns_that_are_not_understood_are_refused(pattern):
    """What repeats a repetition, looks back, or means what Python's patterns may not."""
    with pytest.raises(ValueError):  # noqa: PT011  (whatever it says, it is caught)
        Cutter(pattern).words("abc")


@pytest.mark.parametrize("byte_level", ["gpt2", "llama3"])
@settings(max_examples=150, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_ids_are_the_tokenizers(byte_level, tokenizer_of, texts):
    """Whatever was remembered before."""
    tokenizer = tokenizer_of(byte_level, ("<|im_start|>", "<|im", "東京"))
    pipeline = Pipeline(tokenizer)
    remembering = Memory(pipeline.model, STEPS[byte_level], pipeline.added)
    for text in texts:
        found = remembering.ids(text)
        if found is not None:
            assert list(memoryview(found).cast("i")) == tokenizer.encode(text, add_special_tokens=False).ids


STEPS = {
    "gpt2": [{"type": "ByteLevel", "use_regex": True}],
    "llama3": [
        {"type": "Split", "pattern": {"Regex": PATTERNS["llama3"]}, "behavior": "Isolated"},
        {"type": "ByteLevel", "use_regex": False},
    ],
}


def test_what_is_remembered_is_bounded(tokenizer_of, monkeypatch):
    """By the number of words and by their length."""
    monkeypatch.setattr(memory, "MOST", 10)
    tokenizer = tokenizer_of("gpt2")
    remembering = Memory(tokenizer.model, STEPS["gpt2"], {})
    for number in range(100):
        text = f" {number} and" + "x" * number
        found = remembering.ids(text)
        assert list(memoryview(found).cast("i")) == tokenizer.encode(text).ids
        assert len(remembering._known) <= 10 + 4
        assert max(map(len, remembering._known)) <= memory.LONGEST


def test_threads_may_share_it(tokenizer_of, monkeypatch):
    """Also while it begins anew."""
    monkeypatch.setattr(memory, "MOST", 5)
    tokenizer = tokenizer_of("gpt2")
    remembering = Memory(tokenizer.model, STEPS["gpt2"], {})
    texts = [" ".join(f"w{(number * 7 + place) % 50}" for place in range(20)) for number in range(100)]
    wanted = [tokenizer.encode(text).ids for text in texts]
    wrong = []

    def work():
        for text, ids in zip(texts, wanted, strict=True):
            if list(memoryview(remembering.ids(text)).cast("i")) != ids:
                wrong.append(text)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_what_is_removed_is_no_word(tokenizer_of):
    """A pattern may say what to leave out, or, the other way round, what to keep."""
    model = tokenizer_of("llama3").model
    split, last = STEPS["llama3"]
    with pytest.raises(ValueError, match="another way to cut"):
        Memory(model, [{**split, "behavior": "Removed", "invert": False}, last], {})
    with pytest.raises(ValueError, match="another way to cut"):
        Memory(model, [{**split, "behavior": "MergedWithNext"}, last], {})
    keeping = Memory(model, [{**split, "behavior": "Removed", "invert": True}, last], {})
    tokenizer = Tokenizer(model)
    kept = pre_tokenizers.Split(Regex(PATTERNS["llama3"]), "removed", invert=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([kept, pre_tokenizers.ByteLevel(False, use_regex=False)])
    text = "It's 10 o'clock,\n東京"
    assert list(memoryview(keeping.ids(text)).cast("i")) == tokenizer.encode(text).ids


@pytest.mark.parametrize("flags", [{"lstrip": True}, {"rstrip": True}, {"single_word": True}])
def test_added_tokens_that_look_around_are_not_told(tokenizer_of, flags):
    """Nor are those of which some are found before the others."""
    pipeline = Pipeline(tokenizer_of("gpt2", ("<|x|>",), **flags))
    with pytest.raises(ValueError, match="look at what is around"):
        Memory(pipeline.model, STEPS["gpt2"], pipeline.added)
    with pytest.raises(ValueError, match="another spelling"):
        Memory(pipeline.model, STEPS["gpt2"], Pipeline(tokenizer_of("gpt2", ("e\u0301",))).added)
    mixed = Tokenizer.from_str(tokenizer_of("gpt2", ("<|x|>",)).to_str())
    mixed.add_tokens(["plain"])
    with pytest.raises(ValueError, match="one after the other"):
        Memory(mixed.model, STEPS["gpt2"], Pipeline(mixed).added)
