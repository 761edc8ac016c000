"""A session's ids are those of encoding the whole conversation anew, except that the model's own ids stay as they came."""

import time
from itertools import chain, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders

from llm_templates import ChatTemplate, InputError, RaisedError, TemplatesError, load
from llm_templates.families.markers import control_texts
from llm_templates.tokens.encoding import encode
from llm_templates.tokens.growth import common_length, tail, written_alike
from llm_templates.tokens.session import Session

FAMILIES = ("chatml", "qwen3", "llama3", "zephyr", "mistral-v3", "gemma", "deepseek-r1", "phi3", "llama2", "vicuna")
#: What templates do that makes growing hard.
HARD = {
    # Turns that run into each other: what ended one turn may be a message's own text in the grown prompt.
    "merged": "{% for m in messages %}{% if loop.first or m.role != loop.previtem.role %}<|im_start|>{{ m.role }}\n{% endif %}"
    "{{ m.content }}{% if loop.last or m.role != loop.nextitem.role %}<|im_end|>{% endif %}{% endfor %}",
    # Everything gathered in one text before it is printed.
    "gathered": "{% set ns = namespace(t='') %}{% for m in messages %}"
    "{% set ns.t = ns.t + '<|im_start|>' + m.role + '\n' + m.content|trim + '<|im_end|>\n' %}{% endfor %}{{ ns.t }}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    # The last turn is not written as it will be later.
    "last": "{% for m in messages %}<|im_start|>{{ m.role }}{% if loop.last %} now{% endif %}\n{{ m.content }}<|im_end|>{% endfor %}",
    # The beginning says how long the conversation is.
    "counted": "{{ messages|length }}{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}",
    # No control token anywhere.
    "plain": "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}",
}
CONTROLS = ("<|im_start|>", "<|im_end|>", "<think>", "</think>")
WORDS = st.sampled_from(
    [
        "a",
        "yes",
        " yes",
        "the cat",
        "\n",
        "\n\n",
        "  ",
        "Grüße",
        "東",
        "👋🏽",
        "<|im_end|>",
        "<|im_start|>user\n",
        "<think>",
        "</think>",
    ]
)
CONTENT = st.lists(WORDS, max_size=6).map("".join)


def template_of(name):
    return ChatTemplate.from_string(HARD[name]) if name in HARD else load(name)


def controls_of(template):
    """The control texts that a template writes, as a tokenizer for it would have them."""
    messages = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    return (*control_texts(template.render(messages, add_generation_prompt=True)), *CONTROLS)


@st.composite
def growing(draw):
    """Conversations that begin with a question, cut in steps, each with whether the model is to answer."""
    steps = []
    role = "user"
    for _ in range(draw(st.integers(1, 5))):
        messages = []
        for _ in range(draw(st.integers(1, 2))):
            messages.append({"role": role, "content": draw(CONTENT)})
            role = "assistant" if role == "user" else "user"
            if draw(st.integers(0, 9)) == 0:
                role = "user"
        steps.append((messages, draw(st.booleans())))
    return steps


@pytest.mark.parametrize("name", [*HARD, *FAMILIES])
def test_growing_is_encoding_from_scratch(name, kind, tokenizer_of):
    """After any sequence of extends the ids are those of the whole conversation, and what is kept was there before."""
    template = template_of(name)
    tokenizer = tokenizer_of(kind, controls_of(template))

    @settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(growing())
    def law(steps):
        session = Session(template, tokenizer)
        conversation = []
        for messages, answer in steps:
            before, text = session.ids, str(session.prompt) if len(conversation) else ""
            try:
                expected = encode(template.trace(conversation + messages, add_generation_prompt=answer), tokenizer)
            except RaisedError:
                with pytest.raises(RaisedError):
                    session.extend(messages, answer)
                assert session.ids == before
                return
            except TemplatesError:
                return
            extension = session.extend(messages, answer)
            conversation += messages
            assert session.ids == expected.ids
            assert session.ids == before[: extension.kept] + extension.ids
            assert str(session.prompt) == expected.text
            if extension.rewritten is None:
                assert expected.text.startswith(text)
            else:
                assert extension.rewritten.place == common_length(text, expected.text) < len(text)

    law()


def decoding(tokenizer):
    """A copy that decodes its ids to the text they stand for."""
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.post_processor = None
    copy.decoder = decoders.ByteLevel()
    return copy


@pytest.fixture
def chat(tokenizer_of):
    """ChatML with a byte-level tokenizer."""
    return load("chatml"), decoding(tokenizer_of("gpt2", CONTROLS))


def one_by_one(tokenizer, text):
    """The ids of a text cut as no tokenizer would cut it: one character a token."""
    return [identity for character in text for identity in tokenizer.encode(character, add_special_tokens=False).ids]


QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
ANSWER = {"role": "assistant", "content": "Paris, of course."}
THANKS = {"role": "user", "content": "Thanks."}


@pytest.mark.parametrize("name", ["chatml", "zephyr", "llama3", "phi3", "llama2", "vicuna", "plain", "gathered"])
@pytest.mark.parametrize("stop", [True, False])
@settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(text=st.text("ab \n東.", max_size=12).map(str.strip), cuts=st.lists(st.integers(0, 12), max_size=4))
def test_what_the_model_wrote_stays_as_it_came(name, stop, text, cuts, tokenizer_of):
    """Ids that are not cut as the tokenizer would cut them are kept wherever their text is what the template writes."""
    template = template_of(name)
    tokenizer = decoding(tokenizer_of("gpt2", controls_of(template)))
    session = Session(template, tokenizer)
    prompt = list(session.extend(QUESTION).ids)
    answer = {"role": "assistant", "content": text}
    written = template.render([*QUESTION, answer])[len(str(session.prompt)) :]
    if not template.render([*QUESTION, answer]).startswith(str(session.prompt)) or not written.startswith(text):
        return
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    parts = [text[start:end] for start, end in pairwise(edges)]
    output = [identity for part in parts for identity in tokenizer.encode(part).ids]
    ending = next((end for end in template.stop_strings if stop and written.startswith(text + end)), "")
    output += tokenizer.encode(ending).ids
    session.add_output(output[:1])
    session.add_output(output[1:])
    assert session.ids == prompt + output
    extension = session.extend([answer, THANKS])
    assert session.ids[: len(prompt + output)] == prompt + output
    assert extension == (session.ids[len(prompt + output) :], len(prompt + output), None)
    assert session.mask == [0] * len(prompt) + [1] * len(output) + [0] * len(extension.ids)
    assert tokenizer.decode(session.ids, skip_special_tokens=False) == str(session.prompt)


@pytest.mark.parametrize("name", ["chatml", "llama3", "phi3", "zephyr"])
@pytest.mark.parametrize("kind_of", ["gpt2", "llama3", "digits", "legacy", "metaspace-first", "metaspace-always"])
@settings(max_examples=10, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.text("ab \n東é.", max_size=12).map(str.strip), min_size=1, max_size=3))
def test_an_output_as_a_tokenizer_cuts_it_is_encoding_from_scratch(name, kind_of, texts, tokenizer_of):
    """Where the model writes what the tokenizer would, nobody can tell a session from encoding anew."""
    template = template_of(name)
    tokenizer = Tokenizer.from_str(tokenizer_of(kind_of, controls_of(template)).to_str())
    if kind_of.startswith("metaspace"):
        tokenizer.decoder = decoders.Metaspace(prepend_scheme=kind_of.partition("-")[2])
    elif kind_of != "legacy":
        tokenizer.decoder = decoders.ByteLevel()
    session = Session(template, tokenizer)
    conversation = [*QUESTION]
    session.extend(QUESTION)
    stop = tokenizer.token_to_id(template.stop_strings[0])
    for text in texts:
        turn = [{"role": "assistant", "content": text}, THANKS]
        anew = encode(template.trace(conversation + turn, add_generation_prompt=True), tokenizer)
        before = session.ids
        if anew.ids[: len(before)] != before:
            return
        output = anew.ids[len(before) : anew.ids.index(stop, len(before)) + 1]
        session.add_output(output)
        extension = session.extend(turn)
        conversation += turn
        assert session.ids == anew.ids
        assert (extension.kept, extension.rewritten) == (len(before + output), None)


@pytest.mark.parametrize("kind_of", ["gpt2", "legacy", "metaspace-first", "metaspace-always"])
def test_outputs_without_control_tokens_are_read_and_continued_in_context(kind_of, tokenizer_of):
    """A space before the first word is the model's, and none comes between its last word and what follows."""
    template = template_of("plain")
    tokenizer = Tokenizer.from_str(tokenizer_of(kind_of, CONTROLS).to_str())
    if kind_of.startswith("metaspace"):
        tokenizer.decoder = decoders.Metaspace(prepend_scheme=kind_of.partition("-")[2])
    elif kind_of == "gpt2":
        tokenizer.decoder = decoders.ByteLevel()
    session = Session(template, tokenizer)
    session.extend(QUESTION)
    for _ in range(2):
        before = session.ids
        turn = [{"role": "assistant", "content": "Paris, of course."}, THANKS]
        anew = encode(template.trace([*session.messages, *turn], add_generation_prompt=True), tokenizer)
        end = anew.text.rindex("\nuser: ")
        assert anew.ids[: len(before)] == before
        session.add_output([anew.ids[at] for at in range(len(before), len(anew)) if anew.offsets[at][1] <= end])
        output = session.ids
        extension = session.extend(turn)
        assert (extension.kept, extension.rewritten) == (len(output), None)
        assert session.ids == anew.ids


def test_a_space_that_the_model_wrote_first_is_read(tokenizer_of):
    """Decoders take it away from the beginning of a text, and an output is not the beginning."""
    tokenizer = Tokenizer.from_str(tokenizer_of("metaspace-always", CONTROLS).to_str())
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    session = Session(template_of("plain"), tokenizer)
    session.extend(QUESTION)
    session.add_output([tokenizer.token_to_id(character) for character in "▁Paris"])
    before = session.ids
    extension = session.extend([{"role": "assistant", "content": "Paris"}, THANKS])
    assert (session.ids[: len(before)], extension.kept, extension.rewritten) == (before, len(before), None)


def test_an_output_that_reaches_into_what_follows_stays(chat):
    """Ids are kept where a tokenizer would have made one token of their end and the beginning of the next."""
    _, tokenizer = chat
    template = ChatTemplate.from_string("{% for m in messages %}{{ m.content }}{% endfor %}")
    word = next(word for word in ("return", "messages", "template", "the") if len(tokenizer.encode(word).ids) == 1)
    session = Session(template, tokenizer)
    session.extend([{"role": "user", "content": "Say it:"}])
    session.add_output(tokenizer.encode(word[:2]).ids)
    before = session.ids
    extension = session.extend([{"role": "assistant", "content": word[:2]}, {"role": "user", "content": word[2:]}])
    assert extension == (tokenizer.encode(word[2:]).ids, len(before), None)


def test_what_follows_an_output_is_encoded_as_always(chat):
    """Behind the output's last control token the ids are those of encoding from scratch."""
    template, tokenizer = chat
    session = Session(template, tokenizer)
    session.extend(QUESTION)
    session.add_output([*one_by_one(tokenizer, ANSWER["content"]), tokenizer.token_to_id("<|im_end|>")])
    extension = session.extend([ANSWER, THANKS])
    anew = encode(session.prompt, tokenizer)
    assert anew.ids[-len(extension.ids) :] == extension.ids
    assert anew.text[anew.offsets[-len(extension.ids)][0] :].startswith("\n<|im_start|>user\nThanks.")
    # A second round keeps both.
    ids = session.ids
    session.add_output(one_by_one(tokenizer, "You are welcome."))
    extension = session.extend([{"role": "assistant", "content": "You are welcome."}], add_generation_prompt=False)
    assert session.ids[: extension.kept] == ids + one_by_one(tokenizer, "You are welcome.")
    assert tokenizer.decode(extension.ids, skip_special_tokens=False) == "<|im_end|>\n"
    assert sum(session.mask) == len(ANSWER["content"]) + 1 + len("You are welcome.")


def test_an_output_that_is_written_otherwise_is_encoded_again(chat):
    """Where the message is not what the ids say, the place is told, and ids are kept up to a control token before."""
    template, tokenizer = chat
    session = Session(template, tokenizer)
    prompt = session.extend(QUESTION).ids
    end = tokenizer.token_to_id("<|im_end|>")
    session.add_output([*one_by_one(tokenizer, "Paris, of  course. "), end])
    extension = session.extend([ANSWER, THANKS])
    assert session.ids == encode(session.prompt, tokenizer).ids
    assert len(prompt) <= extension.kept < len(prompt) + len("Paris, of ")
    assert extension.rewritten.message == 1
    assert extension.rewritten.place == str(session.prompt).index("course")
    assert str(extension.rewritten.origin) == "messages[1].content, character 10"
    assert not any(session.mask)


def test_an_output_stays_up_to_a_control_token_of_its_own(chat):
    """A control token that the model wrote is a place to go on from, and counts as one although a message says it."""
    template, tokenizer = chat
    session = Session(template, tokenizer)
    prompt = session.extend(QUESTION).ids
    thought = [*one_by_one(tokenizer, "Hm."), tokenizer.token_to_id("</think>")]
    session.add_output(thought + one_by_one(tokenizer, "Paris!"))
    extension = session.extend([{"role": "assistant", "content": "Hm.</think>Paris?"}])
    assert session.ids[: len(prompt + thought)] == prompt + thought
    assert extension.kept >= len(prompt + thought)
    assert extension.rewritten.place == str(session.prompt).rindex("?<|im_end|>")
    header = session.prompt.origin_at(str(session.prompt).index("\nHm."))
    assert (extension.rewritten.message, extension.rewritten.line) == (1, header.line)
    assert session.mask[: len(prompt + thought)] == [0] * len(prompt) + [1] * len(thought)
    assert sum(session.mask) == len(thought)


def test_an_output_that_never_becomes_a_message_goes(chat):
    """Without its message the output is not part of the prompt."""
    template, tokenizer = chat
    session = Session(template, tokenizer)
    prompt = session.extend(QUESTION).ids
    session.add_output(tokenizer.encode("Paris").ids)
    extension = session.extend()
    assert (session.ids, extension.kept, extension.ids) == (prompt, len(prompt), [])
    assert extension.rewritten.place == len(str(session.prompt))
    assert session.extend() == ([], len(prompt), None)


def test_the_template_line_that_rewrote_a_turn_is_told(chat):
    """The first character that is not as it was, whose turn it is in, and the line of the template that wrote it."""
    _, tokenizer = chat
    template = ChatTemplate.from_string(
        "{%- for m in messages %}\n"
        "{{- '<|im_start|>' + m.role + '\n' }}\n"
        "{%- if m.reasoning_content and loop.last %}\n"
        "{{- '<think>' + m.reasoning_content + '</think>' }}\n"
        "{%- endif %}\n"
        "{{- m.content }}\n"
        "{{- '<|im_end|>' }}\n"
        "{%- endfor %}"
    )
    session = Session(template, tokenizer)
    session.extend([*QUESTION, {**ANSWER, "reasoning_content": "Easy."}], add_generation_prompt=False)
    extension = session.extend([THANKS])
    assert session.ids == encode(session.prompt, tokenizer).ids
    rewritten = extension.rewritten
    assert rewritten.place == str(session.prompt).index("Paris")
    assert (rewritten.message, rewritten.line, rewritten.origin.path) == (1, 2, "content")
    assert tokenizer.decode(session.ids[: extension.kept], skip_special_tokens=False).endswith("assistant\n")


def test_a_control_token_that_became_a_message_counts_no_longer(tokenizer_of):
    """The same text in the same place is other tokens when a message has it and no longer the template."""
    template = ChatTemplate.from_string(HARD["merged"])
    tokenizer = tokenizer_of("gpt2", CONTROLS)
    session = Session(template, tokenizer)
    session.extend([{"role": "user", "content": "a"}])
    extension = session.extend([{"role": "user", "content": "<|im_end|>b"}])
    assert str(session.prompt) == "<|im_start|>user\na<|im_end|>b<|im_end|>"
    assert session.ids == encode(session.prompt, tokenizer).ids
    assert session.ids.count(tokenizer.token_to_id("<|im_end|>")) == 1
    assert extension.kept == session.ids.index(tokenizer.encode("a").ids[0], 2) + 1


def test_what_the_caller_changes_later_changes_nothing(chat):
    """Messages, lists and ids that were passed in or given out are not the session's own."""
    template, tokenizer = chat
    session = Session(template, tokenizer)
    message = {"role": "user", "content": "Hi"}
    messages = [message]
    ids = session.extend(messages).ids
    before = session.ids
    message["content"] = "Bye"
    messages.append(THANKS)
    ids.append(1)
    session.ids.append(1)
    session.messages.append(THANKS)
    assert session.extend() == ([], len(before), None)
    assert session.ids == before


def test_a_refusal_leaves_the_session_as_it_was(chat):
    """An output that waits for its message, too, is still there."""
    _, tokenizer = chat
    template = ChatTemplate.from_string(
        "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no tools') }}{% endif %}"
        "<|im_start|>{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>{% endif %}"
    )
    session = Session(template, tokenizer)
    session.extend(QUESTION)
    session.add_output(one_by_one(tokenizer, "Paris, of course."))
    before = session.ids
    with pytest.raises(RaisedError):
        session.extend([{"role": "tool", "content": "x"}])
    assert session.ids == before
    assert session.messages == QUESTION
    assert session.extend([ANSWER]).kept == len(before)


def test_an_attack_can_be_refused(chat):
    """What `encode` takes besides goes with the session."""
    template, tokenizer = chat
    session = Session(template, tokenizer, on_injection="raise")
    before = session.extend(QUESTION).ids
    with pytest.raises(InputError, match=r"messages\[1\].content holds the control token '<\|im_end\|>'"):
        session.extend([{"role": "user", "content": "<|im_end|>"}])
    assert session.ids == before
    session.extend([{"role": "user", "content": "fine"}])
    assert session.ids == encode(session.prompt, tokenizer).ids


def test_tools_and_numbers_in_calls_grow_as_well(tokenizer_of):
    """A conversation with calls, the same number and the same name in each."""
    template = load("qwen3")
    tokenizer = tokenizer_of("gpt2", ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", *CONTROLS))

    def now(zone: str) -> str:
        """The time.

        Args:
            zone: where
        """

    session = Session(template, tokenizer, tools=[now], variables={"enable_thinking": False})
    conversation = []
    for number in range(4):
        call = {"type": "function", "function": {"name": "now", "arguments": {"zone": "CET", "number": number, "n": 1}}}
        turn = [
            {"role": "user", "content": "When?"},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "content": "noon"},
        ]
        session.extend(turn)
        conversation += turn
        prompt = template.trace(
            conversation, tools=[now], add_generation_prompt=True, variables={"enable_thinking": False}
        )
        assert session.ids == encode(prompt, tokenizer).ids


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda session: session.prompt, "the session is empty"),
        (lambda session: session.add_output([1]), "no prompt that the model could have answered"),
        (lambda session: session.extend(), "the conversation is empty"),
        (lambda session: session.extend(["Hi"]), "message 0 is a str"),
        (lambda session: (session.extend(QUESTION), session.add_output([10**6])), "no token of the id 1000000"),
        (lambda session: (session.extend(QUESTION), session.add_output("Hi")), "not an id"),
    ],
)
def test_misuse_is_explained(call, says, chat):
    """What cannot be meant is an InputError that says why."""
    with pytest.raises(InputError, match=says):
        call(Session(*chat))


def test_a_long_conversation_grows_at_a_small_price(tokenizer_of):
    """Of 200 turns, one more costs at most a twentieth of the tokenizing that all of them cost."""
    template = load("chatml")
    tokenizer = tokenizer_of("gpt2", CONTROLS)
    words = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "argues", "about", "caches"]
    turns = [
        [
            {"role": "assistant", "content": " ".join(words[(turn + place) % len(words)] for place in range(80))},
            {"role": "user", "content": " ".join(words[(turn * place) % len(words)] for place in range(40))},
        ]
        for turn in range(201)
    ]
    session = Session(template, tokenizer)
    session.extend([{"role": "user", "content": "Go on."}, *chain.from_iterable(turns[:200])])
    counted = []
    session._encode = lambda prompt, start, after: (
        counted.append(start) or Session._encode(session, prompt, start, after)
    )
    session.extend(turns[200])
    text = str(session.prompt)
    assert len(text) - counted[0] <= len(text) / 20

    def seconds(prompt):
        begin = time.perf_counter()
        encode(prompt, tokenizer, sampled=())
        return time.perf_counter() - begin

    def fresh():
        return template.trace(session.messages, add_generation_prompt=True)

    part = min(seconds(tail(fresh(), counted[0], "<|im_start|>")) for _ in range(5))
    assert part <= min(seconds(fresh()) for _ in range(3)) / 20


@given(st.text("ab", max_size=3000), st.text("ab", max_size=30), st.text("ab", max_size=30))
@settings(deadline=None, database=None)
def test_the_common_length_is_the_longest_common_prefix(text, one, other):
    """Of any two texts."""
    expected = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    assert common_length(text + one, text + other) == len(text) + expected


@pytest.mark.parametrize("name", [*HARD, "qwen3", "llama3"])
@given(content=CONTENT, data=st.data())
@settings(max_examples=20, deadline=None, database=None)
def test_a_tail_is_the_end_of_the_prompt(name, content, data):
    """Its text and the origin of each of its characters are those of the whole prompt, and the prompt is like itself."""
    template = template_of(name)
    messages = [
        {"role": "user", "content": content},
        {"role": "assistant", "content": "ok"},
        {"role": "user", "content": "no"},
    ]
    try:
        prompt = template.trace(messages)
    except TemplatesError:
        return
    start = data.draw(st.integers(0, len(prompt)))
    part = tail(prompt, start, "<x>")
    assert str(part) == "<x>" + str(prompt)[start:]
    assert [part.origin_at(place + 3) for place in range(len(prompt) - start)] == [
        prompt.origin_at(place) for place in range(start, len(prompt))
    ]
    assert written_alike(prompt._run.output, template.trace(messages)._run.output) == len(prompt)
