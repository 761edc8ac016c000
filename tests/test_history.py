"""`format_chat_history`: pairs of what was said and answered."""

import pytest

from llm_templates import InputError, RaisedError, SourceError, format_chat_history, load

OPEN = [["Hello!", "Hi."], ["How are you?", None]]


def as_messages(*texts):
    roles = ("user", "assistant")
    return [{"role": roles[index % 2], "content": text} for index, text in enumerate(texts)]


@pytest.mark.parametrize("model", ["zephyr", "llama2", "mistral", "gemma", "chatml"])
def test_a_history_renders_as_its_messages(model):
    """Pairs are the messages of the user and the assistant in turn, and the model is asked to answer."""
    messages = as_messages("Hello!", "Hi.", "How are you?")
    assert format_chat_history(OPEN, model) == load(model).render(messages, add_generation_prompt=True)


def test_lists_tuples_and_any_iterable_are_the_same():
    """Interfaces differ in which they keep."""
    expected = format_chat_history(OPEN, "chatml")
    assert format_chat_history([tuple(pair) for pair in OPEN], "chatml") == expected
    assert format_chat_history(tuple(OPEN), "chatml") == expected
    assert format_chat_history(iter(OPEN), "chatml") == expected


def test_an_empty_last_answer_is_the_models_turn():
    """Interfaces that stream begin the answer as empty text; elsewhere empty text is what was said."""
    assert format_chat_history([["Hello!", ""]], "chatml") == format_chat_history([["Hello!", None]], "chatml")
    assert format_chat_history([["", ""], ["Hello!", None]], "chatml") == load("chatml").render(
        as_messages("", "", "Hello!"), add_generation_prompt=True
    )


def test_a_finished_history_is_rendered_as_it_is():
    """Without a generation prompt, the last answer ends the prompt."""
    prompt = format_chat_history([("Hello!", "Hi.")], "zephyr", add_generation_prompt=False)
    assert prompt == "<|user|>\nHello!</s>\n<|assistant|>\nHi.</s>\n"


def test_a_greeting_has_no_users_part():
    """The assistant may have spoken first."""
    prompt = format_chat_history([[None, "Welcome!"], ["Hello!", None]], "chatml", add_generation_prompt=False)
    assert prompt == "<|im_start|>assistant\nWelcome!<|im_end|>\n<|im_start|>user\nHello!<|im_end|>\n"


def test_a_system_message_comes_first():
    """It stands where the model wants it."""
    prompt = format_chat_history(OPEN, "llama2", system="Be brief.")
    assert prompt.startswith("<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHello! [/INST]")


def test_tools_and_variables_reach_the_template():
    """What else a template reads goes by name."""
    template = "{{ tools|tojson }}{{ mood }}"
    prompt = format_chat_history(OPEN, template, tools=[{"name": "a"}], variables={"mood": "merry"})
    assert prompt == '[{"name": "a"}]merry'


def test_a_loaded_template_is_used_as_it_is():
    """Whoever has loaded a template need not load it again."""
    template = load("zephyr")
    assert format_chat_history(OPEN, template) == format_chat_history(OPEN, "zephyr")


def test_the_history_is_not_changed():
    """Nothing is added to what the caller keeps."""
    history = [["Hello!", "Hi."], ["How are you?", None]]
    format_chat_history(history, "chatml", system="Be brief.")
    assert history == [["Hello!", "Hi."], ["How are you?", None]]


PAIR = "a pair looks like ['Hello!', 'Hi.'], or ['Hello!', None] when it is the model's turn"
FILE = "a file cannot stand in a prompt: leave the pair out, or put what it says as text"


@pytest.mark.parametrize(
    ("history", "text"),
    [
        ("Hello!", f"a history is a list of [user, assistant] pairs, not a str\n{PAIR}"),
        (None, f"a history is a list of [user, assistant] pairs, not a NoneType\n{PAIR}"),
        ({"Hello!": "Hi."}, f"a history is a list of [user, assistant] pairs, not a dict\n{PAIR}"),
        ([], "the history is empty\nbegin it with what the user said: [['Hello!', None]]"),
        (["Hello!", "Hi."], f"history[0] is a str, not a [user, assistant] pair\n{PAIR}"),
        (
            [["Hello!", "Hi."], {"role": "user", "content": "How are you?"}],
            "history[1] is a message, not a [user, assistant] pair\n"
            "for a list of messages: load(model).render(messages, add_generation_prompt=True)",
        ),
        ([["Hello!", "Hi."], ["How are you?"]], f"history[1] does not have two items but 1\n{PAIR}"),
        ([["a", "b", "c"]], f"history[0] does not have two items but 3\n{PAIR}"),
        ([["a", "b"], [5, None]], f"history[1]: the user's part is an int, not text or None\n{PAIR}"),
        ([["a", ["b"]]], f"history[0]: the assistant's part is a list, not text or None\n{PAIR}"),
        ([["a", "b"], [("photo.png", "a photo"), None]], f"history[1]: the user's part is a tuple, not text\n{FILE}"),
        ([[{"text": "a", "files": []}, None]], f"history[0]: the user's part is a dict, not text\n{FILE}"),
        ([["a", "b"], [None, None]], "history[1] is empty: nobody says anything\nleave the pair out"),
    ],
)
def test_a_wrong_history_is_refused_with_its_place(history, text):
    """The error says which pair is wrong, what is wrong, and what a pair looks like."""
    with pytest.raises(InputError) as caught:
        format_chat_history(history, "chatml")
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("history", "hint"),
    [
        (
            [["Hello!", "Hi."], ["Are you there?", None], ["Hello?", None]],
            "history[1] has no answer, so that two user messages follow each other",
        ),
        ([[None, "Welcome!"], ["Hello!", None]], "history[0] has no user's part, so that the assistant speaks unasked"),
    ],
)
def test_a_pair_that_the_model_does_not_know_is_named(history, hint):
    """Where a template insists on turns, its refusal says which pair breaks them."""
    with pytest.raises(RaisedError, match="Conversation roles must alternate") as caught:
        format_chat_history(history, "mistral")
    assert caught.value.hint == hint
    assert format_chat_history(history, "chatml")


def test_a_refusal_for_another_reason_stays_as_it_is():
    """A model without system messages refuses one in its own words."""
    with pytest.raises(RaisedError, match="System role not supported") as caught:
        format_chat_history([["Hello!", None]], "gemma", system="Be brief.")
    assert caught.value.hint is None


def test_an_unknown_model_is_an_error_of_load():
    """With the nearest name."""
    with pytest.raises(SourceError, match="did you mean zephyr"):
        format_chat_history([["Hello!", None]], "zephir")
