"""The tiny model behind llama.cpp's server: what it has learned comes back as messages, and as the engine's own chat reads it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("xllamacpp", reason="llama.cpp's server is in xllamacpp, which is not installed")

from llm_templates.errors import BackendError
from llm_templates.integrations.chat import Chat
from llm_templates.integrations.completions import Completions

from .chats import LEARNED, UNSEEN, WEATHER, add, lessons, weather
from .make_gguf import write_gguf
from .served import served
from .wire import as_sent, joined, plain

#: A text prompt cannot say that what looks like a turn is none.
LESSONS = {name: lesson for name, lesson in lessons().items() if name != "control text"}


@pytest.fixture(scope="module")
def chat(server, gguf_file):
    """Nothing is known but the file and where it is served."""
    return Chat(gguf_file, Completions(server.url, adds_bos=True))


def own_chat(server, messages, tools, **options):
    """What the engine's own chat is asked."""
    asked = {"tools": tools, "parallel_tool_calls": True} if tools else {}
    return {"messages": as_sent(messages), "temperature": 0, "max_tokens": 200, **asked, **options}


@pytest.mark.parametrize("name", LESSONS)
def test_the_answer(server, chat, name):
    """It is the one learned, and the one that the engine's own chat reads."""
    (*messages, learned), tools = LESSONS[name]
    answer = chat(messages, tools or [], temperature=0)
    (choice,) = server.ask("/v1/chat/completions", **own_chat(server, messages, tools))["choices"]
    assert plain(answer) == plain(choice["message"]) == plain(learned)
    assert choice["finish_reason"] == ("tool_calls" if "tool_calls" in learned else "stop")


@pytest.mark.parametrize("name", LESSONS)
def test_the_answer_as_it_comes(server, chat, name):
    """The events add up to the message, and to what the engine's own events add up to."""
    (*messages, learned), tools = LESSONS[name]
    stream = chat.stream(messages, tools or [], temperature=0)
    events = list(stream)
    deltas = server.stream("/v1/chat/completions", **own_chat(server, messages, tools))
    theirs = joined(choice["delta"] for answer in deltas for choice in answer["choices"])
    assert plain(joined(events)) == plain(stream.message) == plain(theirs) == plain(learned)
    assert stream.finish_reason == "stop"


@pytest.mark.parametrize("name", LESSONS)
def test_the_pieces_of_the_raw_output(server, template, tokenizer, name):
    """The parser reads them as the engine cuts them, and reads the ids of the same output, one by one."""
    (*messages, learned), tools = LESSONS[name]
    prompt = template.render(messages, tools=tools, add_generation_prompt=True)
    asked = {"prompt": prompt, "temperature": 0, "n_predict": 200}
    pieces = [answer["content"] for answer in server.stream("/completion", **asked)]
    parser = template.parser(prompt=prompt, tools=tools)
    events = [event for piece in pieces for event in parser.feed(piece)]
    message = parser.finish()
    assert plain(joined([*events, *parser.last_events])) == plain(message) == plain(learned)
    ids = server.ask("/completion", return_tokens=True, **asked)["tokens"]
    assert len(ids) >= len(pieces) - 1 > 3
    reader = template.parser(prompt=prompt, tools=tools, tokenizer=tokenizer)
    for number in ids:
        reader.feed([number])
    assert plain(reader.finish()) == plain(learned)


@pytest.mark.parametrize("name", [name for name, (talk, _) in UNSEEN.items() if talk[-1]["role"] == "user"])
def test_what_it_has_not_learned(server, chat, name):
    """Whatever it says then is read as the engine's own chat reads it."""
    messages, _ = UNSEEN[name]
    (choice,) = server.ask("/v1/chat/completions", **own_chat(server, messages, None, max_tokens=60))["choices"]
    stream = chat.stream(messages, temperature=0, max_tokens=60)
    assert plain(joined(stream)) == plain(choice["message"])
    assert stream.finish_reason == choice["finish_reason"]


@pytest.mark.parametrize("name", ["long reasoning", "scripts", "thought and call, first 2", "two calls, first 2"])
def test_an_answer_that_is_cut_off(chat, name):
    """Wherever that is, what is there is the beginning of the answer, and no call is made of a half."""
    (*messages, learned), tools = LESSONS[name]
    whole = plain(learned)
    lengths = []
    for size in range(1, 200):
        stream = chat.stream(messages, tools or [], temperature=0, max_tokens=size)
        events = list(stream)
        message = plain(stream.message)
        if stream.finish_reason != "length":
            break
        assert whole["content"].startswith(message["content"])
        assert whole.get("reasoning_content", "").startswith(message.get("reasoning_content", ""))
        calls = message.get("tool_calls", [])
        assert calls == whole.get("tool_calls", [])[: len(calls)]
        assert joined(events)["content"] == message["content"]
        lengths.append((len(message.get("reasoning_content", "")), len(message["content"]), len(calls)))
    assert message == whole
    assert lengths == sorted(lengths)
    assert size > 20


def test_many_at_once(chat):
    """One chat answers from several threads."""

    def answer(lesson):
        (*messages, _), tools = lesson
        return plain(chat(messages, tools or [], temperature=0))

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(answer, LESSONS.values())) == [plain(talk[-1]) for talk, _ in LESSONS.values()]


def test_an_answer_that_nobody_waits_for(chat):
    """The engine ends it, and answers the next one."""
    messages, _ = LEARNED["code"]
    for _ in range(3):
        with chat.stream(messages[:1], temperature=0) as stream:
            assert next(stream)["content"]
        assert stream.message is None
    assert plain(chat(messages[:1], temperature=0)) == plain(messages[1])


def test_a_prompt_that_is_too_long(chat):
    """The engine says so, and the error says what it says."""
    with pytest.raises(BackendError, match="context") as caught:
        chat([{"role": "user", "content": "On and on. " * 2000}])
    assert caught.value.status == 400


def test_what_the_caller_stops_at(chat):
    """It ends the answer, is no part of it, and is found where tokens are cut elsewhere."""
    stream = chat.stream(LEARNED["greeting"][0][:1], temperature=0, stop=["ow can"])
    assert list(stream)
    assert stream.message["content"] == "Hello! H"
    assert stream.finish_reason == "stop"


def test_thinking_switched_off(chat):
    """The prompt holds the empty reasoning that the model has learned to begin with."""
    messages, _ = LEARNED["greeting"]
    assert plain(chat(messages[:1], reasoning=False, temperature=0)) == plain(messages[1])


def test_functions_that_the_model_calls(chat):
    """From the question over the calls and their results to the answer: the chats that were learned."""
    called = []

    def weather_seen(city: str, unit: str = "celsius"):
        called.append((city, unit))
        return weather(city, unit)

    weather_seen.__name__ = "weather"
    weather_seen.__doc__ = weather.__doc__
    for name, function in [("one call", weather_seen), ("two calls", weather_seen), ("thought and call", add)]:
        learned, _ = LEARNED[name]
        acting = Chat(chat.template, chat.backend, tools=[function], call_tools=True)
        talk = acting.extend(learned[:1], temperature=0)
        assert [plain(message) for message in talk] == [plain(message) for message in learned]
        stream = acting.stream(learned[:1], temperature=0)
        assert [event["tool"]["content"] for event in stream if "tool" in event] == [
            message["content"] for message in learned if message["role"] == "tool"
        ]
        assert plain(stream.message) == plain(learned[-1])
    assert called == 2 * [("Bern", "celsius")] + 2 * [("Zürich", "celsius"), ("東京", "kelvin")]


def test_an_answer_that_is_begun(chat):
    """The model goes on where the text, the reasoning, or the answer after the reasoning leaves off."""
    messages, _ = LEARNED["two turns"]
    begun = {"role": "assistant", "content": "The"}
    assert plain(chat([*messages[:1], begun], temperature=0)) == plain(messages[1])
    messages, _ = LEARNED["long reasoning"]
    begun = {"role": "assistant", "content": "", "reasoning_content": "Try 7: 7 *"}
    assert plain(chat([*messages[:1], begun], temperature=0)) == plain(messages[1])
    begun = {**messages[1], "content": "**No.**"}
    assert plain(chat([*messages[:1], begun], temperature=0)) == plain(messages[1])
    messages, tools = LEARNED["words and call"]
    begun = {"role": "assistant", "content": "I shall"}
    assert plain(chat([*messages[:1], begun], tools, temperature=0)) == plain(messages[1])


#: How one question and the prompt for an answer are marked.
ONE_TURN = ["<|im_start|>", "<|im_end|>", "<|im_start|>"]


def turns(ids, tokenizer):
    """The marks of turns among ids."""
    tokens = map(tokenizer.id_to_token, ids)
    return [token for token in tokens if token in ONE_TURN]


def test_text_that_looks_like_turns(server, template, tokenizer):
    """As ids it stays text, and the model answers what it has learned of it; as text it becomes turns."""
    messages, _ = LEARNED["control text"]
    tokens = template.encode(messages[:1], tokenizer=tokenizer, add_generation_prompt=True)
    assert turns(tokens.ids, tokenizer) == ONE_TURN
    asked = {"temperature": 0, "n_predict": 60}
    answer = server.ask("/completion", prompt=tokens.ids, **asked)
    assert answer["tokens_evaluated"] == len(tokens.ids)
    assert plain(template.parse(answer["content"], prompt=tokens.text)) == plain(messages[1])
    fooled = server.ask("/completion", prompt=tokens.text, **asked)
    assert fooled["tokens_evaluated"] < len(tokens.ids)
    assert plain(template.parse(fooled["content"], prompt=tokens.text)) != plain(messages[1])


def test_text_that_looks_like_turns_in_a_chat(server, template, tokenizer):
    """The prompt that an engine is sent as text has no turns in it but the template's."""
    messages, _ = LEARNED["control text"]
    sent = []
    Chat(template, lambda prompt: sent.append(prompt) or "", on_injection="text")(messages[:1])
    assert turns(server.ask("/tokenize", content=sent[0])["tokens"], tokenizer) == ONE_TURN
    plainly = template.render(messages[:1], add_generation_prompt=True)
    assert len(turns(server.ask("/tokenize", content=plainly)["tokens"], tokenizer)) == 7


def test_marks_that_the_engine_does_not_show(folder, template, tmp_path):
    """In many models the marks are control tokens, which this engine leaves out unless it is told of them."""
    file = tmp_path / "controls.gguf"
    write_gguf(folder, file, controls_only=True)
    with served(file) as engine:
        chat = Chat(template, Completions(engine.url))
        for name in ("long reasoning", "two calls, first 2", "thought and call, first 2", "words and call"):
            (*messages, learned), tools = LESSONS[name]
            assert plain(chat(messages, tools or [], temperature=0)) == plain(learned)
        untold = Chat(template, Completions(engine.url, extra={}))
        assert "tool_calls" not in untold(messages, [WEATHER], temperature=0)
