"""Engines behind an address: what they are asked, and whatever they answer."""

import pickle
from types import SimpleNamespace

import pytest

from llm_templates import load
from llm_templates.errors import BackendError, BackendTimeoutError, InputError
from llm_templates.integrations.chat import Chat
from llm_templates.integrations.completions import LINE_LIMIT, Completions

from .stand_in import breaks_off, falls_silent, hangs_up, line, refuses, says, writes

TALK = [{"role": "user", "content": "Hi"}]
PROMPT = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


def test_an_answer(engine):
    engine.plays = [says("Hel", "lo", "!<|im_end|>")]
    assert Chat("chatml", engine.url)(TALK, temperature=0.5) == {"role": "assistant", "content": "Hello!"}
    (asked,) = engine.asked
    assert asked["path"] == "/v1/completions"
    assert asked["body"] == {
        "prompt": PROMPT,
        "stream": True,
        "stop": ["<|im_end|>"],
        "add_special_tokens": False,
        "skip_special_tokens": False,
        "include_stop_str_in_output": True,
        "preserved_tokens": ["<|im_end|>"],
        "temperature": 0.5,
        "max_tokens": 2048,
    }


def test_a_stream(engine):
    engine.plays = [says("Hel", "lo!", reason="length")]
    stream = Chat("chatml", engine.url).stream(TALK)
    assert stream.message is None
    assert list(stream) == [{"content": "Hel"}, {"content": "lo!"}]
    assert stream.message == {"role": "assistant", "content": "Hello!"}
    assert stream.messages == [stream.message]
    assert stream.finish_reason == "length"


def test_a_stream_that_nobody_reads_on_is_closed(engine):
    engine.plays = [falls_silent("Hello", seconds=3)]
    with Chat("chatml", Completions(engine.url)).stream(TALK) as stream:
        assert next(stream) == {"content": "Hello"}
    assert stream.message is None
    assert list(stream) == []


def test_an_engine_that_does_not_stop_is_stopped(engine):
    engine.plays = [falls_silent("Hello<|im", "_end|><|im_start|>user\nMore", seconds=3)]
    chat = Chat("chatml", Completions(engine.url, timeout=1.0))
    assert chat(TALK) == {"role": "assistant", "content": "Hello"}


def test_the_model_the_key_and_the_options(engine):
    engine.plays = [says("Yes")]
    chat = Chat("chatml", Completions(engine.url + "/v1/", model="small", key="secret", extra={}), max_tokens=None)
    chat(TALK, stop="END", seed=1)
    (asked,) = engine.asked
    assert asked["headers"]["authorization"] == "Bearer secret"
    assert asked["body"] == {
        "model": "small",
        "prompt": PROMPT,
        "stream": True,
        "stop": ["<|im_end|>", "END"],
        "seed": 1,
    }


def test_control_tokens_that_the_output_is_read_by_are_asked_for(engine):
    """An engine that would leave them out is told of each; of others if the caller says so, and of none if it may not be."""
    asked = {}
    for name, extra, options in [
        ("all", None, {}),
        ("own", None, {"preserved_tokens": ["[END]"]}),
        ("fixed", {"preserved_tokens": ["[END]"]}, {}),
        ("none", {}, {}),
    ]:
        engine.plays = [says("Yes")]
        Chat("mistral-nemo", Completions(engine.url, extra=extra))(TALK, **options)
        asked[name] = engine.asked[-1]["body"].get("preserved_tokens")
    assert asked == {"all": ["[TOOL_CALLS]", "</s>"], "own": ["[END]"], "fixed": ["[END]"], "none": None}


def test_what_the_caller_stops_at_is_no_part_of_the_answer(engine):
    engine.plays = [says("One, two, E", "ND, three")]
    assert Chat("chatml", engine.url)(TALK, stop=["END"])["content"] == "One, two, "


def test_an_ollama_engine_is_asked_for_raw_text(engine):
    engine.plays = [writes(b'{"response": "Hel"}\n{"response": "lo!", "done": false}\n{"done": true}\n')]
    chat = Chat("llama3", Completions(engine.url + "/api/generate", model="tiny"))
    stream = chat.stream(TALK, max_tokens=5, top_k=3)
    assert list(stream) == [{"content": "Hel"}, {"content": "lo!"}]
    assert stream.finish_reason == "stop"
    body = engine.asked[0]["body"]
    assert (body["raw"], body["stream"], body["model"]) == (True, True, "tiny")
    assert body["options"] == {"stop": list(chat.template.stop_strings), "num_predict": 5, "top_k": 3}
    assert body["prompt"].startswith("<|start_header_id|>"), "it puts the first token there itself"


@pytest.mark.parametrize(("adds_bos", "starts"), [(None, "<|begin_of_text|>"), (True, "<|start_header_id|>")])
def test_who_writes_the_first_token(engine, adds_bos, starts):
    engine.plays = [says("Yes")]
    Chat("llama3", Completions(engine.url, adds_bos=adds_bos))(TALK)
    Chat("llama3", engine.url, adds_bos=adds_bos)(TALK)
    assert [asked["body"]["prompt"].startswith(starts) for asked in engine.asked] == [True, True]


@pytest.mark.parametrize("failure", [refuses(500), refuses(503), refuses(429), hangs_up])
def test_a_failure_that_passes(engine, pauses, failure):
    """An engine that starts up or is overloaded is asked again, a little later."""
    engine.plays = [failure, failure, says("Yes")]
    assert Chat("chatml", engine.url)(TALK)["content"] == "Yes"
    assert pauses == [0.5, 1.0]


def test_a_failure_that_stays(engine, pauses):
    engine.plays = [refuses(503, b"loading the model")]
    with pytest.raises(BackendError, match="answers 503: loading the model") as caught:
        Chat("chatml", engine.url, retries=3)(TALK)
    assert (caught.value.status, caught.value.partial) == (503, "")
    assert len(engine.asked) == 4
    assert pauses == [0.5, 1.0, 2.0]


def test_a_refusal_is_final_and_says_why(engine, pauses):
    engine.plays = [refuses(400)]
    with pytest.raises(BackendError, match="answers 400: the prompt is too long") as caught:
        Chat("chatml", engine.url)(TALK)
    assert caught.value.status == 400
    assert len(engine.asked) == 1
    assert pauses == []


def test_a_redirection_is_not_followed(engine):
    """It could carry the key and the prompt to another host."""
    for status in (302, 307):
        engine.plays = [refuses(status, b"", Location=engine.url + "/elsewhere")]
        with pytest.raises(BackendError, match=str(status)):
            Chat("chatml", Completions(engine.url, key="secret"))(TALK)
    assert {asked["path"] for asked in engine.asked} == {"/v1/completions"}


def test_a_stream_that_breaks_off(engine, pauses):
    """What had come is in the error; nothing is asked twice once text has come."""
    engine.plays = [breaks_off("Hel", "lo")]
    stream = Chat("chatml", engine.url).stream(TALK)
    events = []
    with pytest.raises(BackendError, match="broke off") as caught:
        events.extend(iter(lambda: next(stream), None))
    assert caught.value.partial == "Hello"
    assert stream.message is None
    assert len(engine.asked) == 1
    assert pauses == []
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.message, copy.partial, copy.status, type(copy)) == (caught.value.message, "Hello", None, BackendError)


def test_an_answer_that_is_cut_inside_a_chunk(engine):
    def play(handler):
        handler.send_response(200)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        data = line("Hello")
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) + b"40\r\ndata: {")

    engine.plays = [play]
    with pytest.raises(BackendError) as caught:
        Chat("chatml", engine.url)(TALK)
    assert caught.value.partial == "Hello"


@pytest.mark.parametrize("texts", [(), ("Hello",)])
def test_silence(engine, texts):
    engine.plays = [falls_silent(*texts)]
    chat = Chat("chatml", Completions(engine.url, timeout=0.2))
    with pytest.raises(BackendTimeoutError, match="said nothing for 0.2 seconds") as caught:
        chat(TALK)
    assert caught.value.partial == "".join(texts)
    assert isinstance(caught.value, TimeoutError)
    assert len(engine.asked) == 1, "it may be at work still"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"data: {broken\n\n", "does not answer as an engine does"),
        (b'data: {"choices": 1}\n\n', "does not answer as an engine does"),
        (b'data: {"error": {"message": "out of memory"}}\n\n', "failed: out of memory"),
        (b"<html>A login page</html>", "broke off"),
        (b"", "broke off"),
        (b"data: {" + b"x" * LINE_LIMIT, "does not answer as an engine does"),
        (b'data: {"a":' + b"[" * 100_000, "does not answer as an engine does"),
    ],
)
def test_what_is_no_answer(engine, data, said):
    engine.plays = [writes(data)]
    with pytest.raises(BackendError, match=said) as caught:
        Chat("chatml", engine.url)(TALK)
    assert len(str(caught.value)) < 1000


def test_an_answer_without_end(engine, monkeypatch):
    monkeypatch.setattr("llm_templates.integrations.completions.OUTPUT_LIMIT", 1000)
    engine.plays = [says(*["Hello "] * 100)]
    with pytest.raises(BackendError, match="more than 1,000 bytes") as caught:
        Chat("chatml", engine.url)(TALK)
    assert caught.value.partial.startswith("Hello Hello ")


def test_nobody_is_there(engine, pauses):
    engine.close()
    with pytest.raises(BackendError, match="cannot be reached"):
        Chat("chatml", engine.url)(TALK)
    assert len(pauses) == 2


@pytest.mark.parametrize("url", ["localhost:8000", "file:///etc/passwd", "ftp://host/", "", "http://"])
def test_what_is_no_address(url):
    with pytest.raises(InputError, match="is no address"):
        Completions(url)


def test_a_key_is_never_shown():
    with pytest.raises(InputError) as caught:
        Completions("http://localhost", key="secret\n")
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(Completions("http://localhost", key="secret"))


def test_an_option_that_is_no_json():
    with pytest.raises(InputError, match="cannot be written as JSON"):
        Chat("chatml", "http://localhost:1")(TALK, seed=SimpleNamespace())


def test_the_client_of_the_hub(engine):
    """huggingface_hub's own client, against a server that speaks its language."""
    from huggingface_hub import InferenceClient

    engine.plays = [
        writes(
            b'data:{"index":1,"token":{"id":1,"text":"Hel","logprob":0,"special":false},"generated_text":null}\n\n'
            b'data:{"index":2,"token":{"id":2,"text":"lo!","logprob":0,"special":false},"generated_text":"Hello!"}\n\n'
        )
    ]
    stream = Chat("zephyr", InferenceClient(engine.url, token="hf_none")).stream(TALK, temperature=0.7, max_tokens=9)
    assert list(stream) == [{"content": "Hel"}, {"content": "lo!"}]
    body = engine.asked[0]["body"]
    assert body["inputs"] == "<|user|>\nHi</s>\n<|assistant|>\n"
    assert body["parameters"]["stop"] == list(load("zephyr").stop_strings)
    assert body["parameters"]["max_new_tokens"] == 9
