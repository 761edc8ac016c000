"""`fit` leaves out as few of the oldest turns as it takes, and nothing that must stay."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_templates import ChatTemplate, Conversation, InputError, RaisedError, load
from llm_templates.fitting import Fitted, fit, turns
from llm_templates.tokens import encode

CHATML = load("chatml")
#: One that refuses what does not alternate, beginning with the user, and a system message anywhere but at the beginning.
STRICT = ChatTemplate.from_string(
    "{% set said = messages[1:] if messages[0].role == 'system' else messages %}"
    "{% for m in said %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}"
    "{% endif %}{% endfor %}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
)
ROLES = st.lists(st.sampled_from(["user", "assistant", "tool", "call"]), min_size=1, max_size=12)


@st.composite
def conversations(draw):
    """Any order of roles, some of the assistant's messages with calls, and up to two system messages before."""
    messages = [{"role": "system", "content": "s" * draw(st.integers(0, 9))} for _ in range(draw(st.integers(0, 2)))]
    for number, role in enumerate(draw(ROLES)):
        message = {"role": "assistant" if role == "call" else role, "content": "w" * draw(st.integers(0, 40))}
        if role == "call":
            message["tool_calls"] = [{"id": f"id{number}", "function": {"name": "f", "arguments": {}}}]
        messages.append(message)
    return messages


def starts_of(messages):
    head, starts = turns(messages)
    return [[*messages[:head], *messages[start:]] for start in starts]


@given(messages=conversations(), limit=st.integers(1, 900), reserve=st.integers(0, 50), prompted=st.booleans())
@settings(deadline=None, max_examples=300)
def test_the_longest_that_fits_is_chosen(messages, limit, reserve, prompted):
    """Among all conversations without some of the oldest turns; and what the caller passed is as it was."""
    before = copy.deepcopy(messages)
    sizes = [len(CHATML.render(part, add_generation_prompt=prompted)) for part in starts_of(messages)]
    fitting = [place for place, size in enumerate(sizes) if size <= limit - reserve]
    if not fitting:
        with pytest.raises(InputError, match=rf"max_tokens={limit}"):
            fit(CHATML, messages, len, limit, reserve=reserve, add_generation_prompt=prompted)
    else:
        fitted = fit(CHATML, messages, len, limit, reserve=reserve, add_generation_prompt=prompted)
        assert fitted.messages == starts_of(messages)[fitting[0]]
        assert all(any(one is other for other in messages) for one in fitted.messages)
        assert fitted.tokens == sizes[fitting[0]]
        kept = [message for number, message in enumerate(messages) if number not in fitted.dropped]
        assert kept == fitted.messages
    assert messages == before


@given(messages=conversations(), limit=st.integers(1, 900))
@settings(deadline=None, max_examples=200)
def test_results_stay_with_their_calls(messages, limit):
    """A result of which the call goes goes with it, and the system messages and the last message never go."""
    try:
        fitted = fit(CHATML, messages, len, limit)
    except InputError:
        return
    kept = [number for number in range(len(messages)) if number not in fitted.dropped]
    assert kept[-1] == len(messages) - 1
    assert not any(messages[number]["role"] == "system" for number in fitted.dropped)
    caller = None
    for number, message in enumerate(messages):
        if "tool_calls" in message:
            caller = number
        elif message["role"] == "tool" and caller is not None:
            assert (caller in kept) == (number in kept)


@given(roles=st.lists(st.sampled_from(["user", "assistant"]), min_size=1, max_size=8), limit=st.integers(5, 90))
@settings(deadline=None)
def test_what_the_template_refuses_is_not_chosen(roles, limit):
    """Of what the template takes, the longest that fits; its own words where it takes nothing."""
    messages = [{"role": role, "content": "words"} for role in roles]
    sizes = []
    for part in starts_of(messages):
        try:
            sizes.append(len(STRICT.render(part)))
        except RaisedError:
            sizes.append(None)
    fitting = [place for place, size in enumerate(sizes) if size is not None and size <= limit]
    if fitting:
        assert fit(STRICT, messages, len, limit).messages == starts_of(messages)[fitting[0]]
    else:
        error = InputError if any(size is not None for size in sizes) else RaisedError
        with pytest.raises(error):
            fit(STRICT, messages, len, limit)


def long_conversation(count):
    messages = [{"role": "system", "content": "Be brief."}]
    for number in range(count):
        messages.append({"role": "user", "content": "question " * (1 + number * 7 % 23)})
        messages.append({"role": "assistant", "content": "answer " * (1 + number * 5 % 41)})
    return messages


@pytest.mark.parametrize("limit", [1000, 5000, 20_000, 40_000])
def test_few_prompts_are_encoded(limit):
    """Of 200 turns, a handful of prompts are tried."""
    lengths = []

    def count(text):
        lengths.append(len(text))
        return len(text)

    fitted = fit(CHATML, long_conversation(200), count, limit)
    assert fitted.tokens <= limit < fitted.tokens + 600
    assert len(lengths) <= 5


def test_what_fits_is_rendered_once():
    """Nothing is left out, and no second prompt is tried."""
    calls = []
    messages = long_conversation(3)
    fitted = fit(CHATML, messages, lambda text: calls.append(text) or text.split(), 10_000)
    assert fitted == Fitted(messages, [], len(calls[0].split()))
    assert calls == [CHATML.render(messages, add_generation_prompt=True)]


def test_tokens_are_counted_as_encode_gives_them():
    """With a tokenizer, and with nothing added to what the template writes."""
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"?": 0, "<s>": 1, "question": 2}, unk_token="?"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(["<s>", "<|im_start|>", "<|im_end|>"])
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    messages = long_conversation(30)
    fitted = fit(CHATML, messages, tokenizer, 200)
    prompt = CHATML.trace(fitted.messages, add_generation_prompt=True)
    assert fitted.tokens == len(encode(prompt, tokenizer).ids) <= 200
    dropped = len(fitted.dropped)
    longer = CHATML.trace([messages[0], *messages[dropped - 1 :]], add_generation_prompt=True)
    assert len(encode(longer, tokenizer).ids) > 200


def test_the_callers_own_objects_stay():
    """Of a conversation object, too, whatever its messages are."""
    conversation = Conversation(messages=[{"role": role, "content": "words"} for role in ("user", "assistant", "user")])
    fitted = fit(CHATML, conversation, len, 70)
    assert fitted.dropped == [0, 1]
    assert fitted.messages[0] is conversation.messages[2]


def test_results_that_a_user_gives_begin_no_turn():
    """Some formats have the results of calls in a message of the user."""
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "noon"}]}
    question = {"role": "user", "content": "When?"}
    assert turns([question, {"role": "assistant", "content": "..."}, result, question]) == (0, [0, 3])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"max_tokens": 20}, "the shortest prompt has 66 tokens, 46 more than fit: max_tokens=20"),
        ({"max_tokens": 90, "reserve": 30}, "6 more than fit: max_tokens=90, of which 30 are reserved"),
        ({"max_tokens": 20, "reserve": 20}, "leaves no room"),
        (
            {"max_tokens": 99, "tokenizer": lambda text: {"input_ids": [1]}},
            "gives a dict, neither ids nor their number",
        ),
        ({"max_tokens": 99, "tokenizer": lambda text: None}, "gives a NoneType"),
    ],
)
def test_what_cannot_be_is_explained(options, says):
    """With the numbers."""
    messages = [{"role": "user", "content": "a long question?"}]
    with pytest.raises(InputError, match=says):
        fit(CHATML, messages, **{"tokenizer": len, **options})
