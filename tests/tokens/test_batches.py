"""What is done with tokens: padding, truncation, arrays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_templates import ChatTemplate, InputError, fit, load
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
    """A question goes with all that follows it, the oldest first; the system message stays, and so does the last one."""
    tokenizer = tokenizer_of("gpt2", ("<|im_start|>", "<|im_end|>"))
    template = load("chatml")
    tokens = encode(template.trace(MESSAGES, add_generation_prompt=True), tokenizer)
    left = [
        encode(template.trace([MESSAGES[0], *MESSAGES[start:]], add_generation_prompt=True), tokenizer)
        for start in (1, 3, 7)
    ]
    fitting = [at for at, rest in enumerate(left) if len(rest) <= size]
    if not fitting:
        with pytest.raises(InputError, match=f"max_tokens={size}"):
            tokens.truncate(size, keep="turns")
        return
    cut = tokens.truncate(size, keep="turns")
    assert cut.ids == left[fitting[0]].ids
    assert text_of(cut) == left[fitting[0]].text
    assert cut.dropped == [[], [1, 2], [1, 2, 3, 4, 5, 6]][fitting[0]]
    assert cut.truncate(size, keep="turns") is cut


@given(
    roles=st.lists(st.sampled_from(["user", "assistant", "tool"]), min_size=1, max_size=9),
    system=st.booleans(),
    size=st.integers(1, 120),
)
def test_turns_are_those_of_fit(tokenizer_of, roles, system, size):
    """What is dropped of the tokens is what `fit` leaves out of the messages, whoever begins the conversation."""
    tokenizer = tokenizer_of("gpt2", ("<|im_start|>", "<|im_end|>"))
    talk = [{"role": "system", "content": "Be kind."}] * system
    talk += [{"role": role, "content": f"word {number}"} for number, role in enumerate(roles)]
    tokens = encode(load("chatml").trace(talk), tokenizer)
    try:
        fitted = fit(load("chatml"), talk, tokenizer, size, add_generation_prompt=False)
    except InputError:
        with pytest.raises(InputError):
            tokens.truncate(size, keep="turns")
        return
    cut = tokens.truncate(size, keep="turns")
    assert (cut.dropped, len(cut)) == (fitted.dropped, fitted.tokens)
    assert cut.ids == encode(load("chatml").trace(fitted.messages), tokenizer).ids


def test_no_answer_stays_without_its_question(tokenizer):
    """Whatever has to go, what is left after the system message begins with a question."""
    talk = [{"role": "system", "content": "Be kind."}]
    for number in range(6):
        talk += [
            {"role": "user", "content": f"Question {number}"},
            {"role": "assistant", "content": f"Answer {number}"},
        ]
    tokens = encode(load("chatml").trace(talk), tokenizer)
    seen = set()
    for size in range(len(tokens)):
        try:
            cut = tokens.truncate(size, keep="turns")
        except InputError:
            continue
        seen.add(len(cut.dropped))
        assert text_of(cut).split("<|im_start|>")[2].startswith("user")
    assert seen == {2, 4, 6, 8, 10}


def test_results_that_users_give_go_with_their_call(tokenizer):
    """Some formats have users give the results of calls; a turn does not begin with one, nor between call and result."""
    call = {"role": "assistant", "content": "Calling.", "tool_calls": [{"id": "1", "function": {"name": "f"}}]}
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "text": "7"}]}
    late = {"role": "tool", "content": "7", "tool_call_id": "1"}
    for talk in (
        [MESSAGES[1], call, result, MESSAGES[2], MESSAGES[7]],
        [MESSAGES[1], call, MESSAGES[3], late, MESSAGES[7]],
    ):
        prompt = ChatTemplate.from_string(
            "{% for m in messages %}<|im_start|>{{ m.role }} {{ m.content if m.content is string else m.content[0].text }}"
            "<|im_end|>{% endfor %}"
        ).trace(talk)
        tokens = encode(prompt, tokenizer)
        assert tokens.truncate(len(tokens) - 1, keep="turns").dropped == [0, 1, 2, 3]


def test_a_truncation_that_leaves_nothing_to_train_on_is_told(tokenizer):
    """Once, and not where something is left."""
    tokens = load("chatml").encode(MESSAGES[:3], tokenizer=tokenizer)
    assert tokens.truncate(len(tokens) - 1).findings == ()
    cut = tokens.truncate(5, keep="start")
    assert (1 in cut.mask, cut.findings) == (False, ("nothing of the prompt is trained on",))
    assert cut.truncate(3, keep="start").findings == cut.findings


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
