"""`Chat` with engines in this program: callables, pipelines, clients, and functions that a model calls."""

import copy
import json
import pickle
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_templates import load
from llm_templates.errors import BackendError, BackendTimeoutError, InputError, RaisedError
from llm_templates.integrations.chat import Chat
from llm_templates.integrations.stopping import Stops

TALK = [{"role": "user", "content": "Hi"}]
PROMPT = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


def multiply(x: int, y: int = 2) -> int:
    """Multiplies.

    Args:
        x: one
        y: another
    """
    return x * y


def call(name, **arguments):
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


class Script:
    """A backend that says one thing after the other, and keeps the prompts."""

    def __init__(self, *outputs):
        self.outputs = list(outputs)
        self.prompts = []

    def __call__(self, prompt, **options):
        self.prompts.append(prompt)
        return self.outputs.pop(0) if len(self.outputs) > 1 else self.outputs[0]


def pieces(text, size=3):
    return (text[at : at + size] for at in range(0, len(text), size))


# Backends


@pytest.mark.parametrize("output", ["Hello!<|im_end|>\n<|im_start|>user", "Hello!"])
@pytest.mark.parametrize("size", [None, 1, 4])
def test_a_function(output, size):
    script = Script(output if size is None else list(pieces(output, size)))
    assert Chat("chatml", script)(TALK) == {"role": "assistant", "content": "Hello!"}
    assert script.prompts == [PROMPT]


def test_a_function_gets_what_the_caller_gives():
    asked = []
    chat = Chat(load("chatml"), lambda prompt, **options: asked.append(options) or "A\nB")
    assert chat(TALK, stop="\n", max_tokens=3, seed=1)["content"] == "A"
    chat(TALK)
    assert asked == [{"max_tokens": 3, "seed": 1}, {}]


def test_a_generator_is_closed_at_the_end_of_the_turn():
    closed = []

    def endless(prompt):
        try:
            while True:
                yield "la<|im_end|>"
        finally:
            closed.append(prompt)

    assert Chat("chatml", endless)(TALK)["content"] == "la"
    assert closed == [PROMPT]


class Pipeline:
    task = "text-generation"

    def __call__(self, prompt, **options):
        self.asked = prompt, options
        return [{"generated_text": "Hello!<|eot_id|>"}]


def test_a_pipeline_of_transformers():
    pipeline = Pipeline()
    assert Chat("llama3", pipeline)(TALK, do_sample=False)["content"] == "Hello!"
    prompt, options = pipeline.asked
    assert prompt.startswith("<|begin_of_text|>")
    assert options == {
        "return_full_text": False,
        "add_special_tokens": False,
        "skip_special_tokens": False,
        "stop_sequence": ["<|eot_id|>", "<|end_of_text|>"],
        "do_sample": False,
        "max_new_tokens": 2048,
    }


class Llama:
    def tokenize(self, text, add_bos=True, special=False):
        assert (add_bos, special) == (False, True)
        return list(text)

    def create_completion(self, prompt, stream=False, stop=(), max_tokens=16):
        self.asked = bytes(prompt).decode(), list(stop), max_tokens
        yield {"choices": [{"text": "Hel", "finish_reason": None}]}
        yield {"choices": [{"text": "lo!", "finish_reason": "length"}]}


def test_a_llama():
    llama = Llama()
    stream = Chat("llama3", llama, max_tokens=4).stream(TALK)
    assert list(stream) == [{"content": "Hel"}, {"content": "lo!"}]
    assert stream.finish_reason == "length"
    prompt, stop, limit = llama.asked
    assert prompt == load("llama3").render(TALK, add_generation_prompt=True)
    assert (stop, limit) == (["<|eot_id|>", "<|end_of_text|>"], 4)


class Client:
    def text_generation(self, prompt, *, stream, **options):
        self.asked = prompt, options
        return iter(["Hel", "lo!</s>"])


def test_a_client_of_the_hub_with_the_options_of_the_original_example():
    client = Client()
    options = {"model": "zephyr", "max_new_tokens": 768, "temperature": 0.7, "top_p": 0.9, "top_k": 50}
    assert Chat("zephyr", client)(TALK, **options)["content"] == "Hello!"
    assert client.asked == ("<|user|>\nHi</s>\n<|assistant|>\n", {"stop": list(load("zephyr").stop_strings), **options})


async def later(prompt):
    return prompt


class Later:
    async def __call__(self, prompt):
        return prompt


@pytest.mark.parametrize("backend", [None, 3, object(), later, Later(), {"url": "http://localhost"}])
def test_what_is_no_backend(backend):
    with pytest.raises(InputError, match="backend"):
        Chat("chatml", backend)


@pytest.mark.parametrize("output", [None, 3, b"Hello", {"text": "Hello"}, [b"Hello"], [None]])
def test_what_is_no_output(output):
    with pytest.raises(BackendError, match="the backend"):
        Chat("chatml", lambda prompt: output)(TALK)


def test_errors_of_a_backend_are_ours_and_keep_what_came():
    def broken(prompt):
        yield "Hello <|im"
        raise OSError("gone")

    with pytest.raises(BackendError, match="OSError: gone") as caught:
        Chat("chatml", broken)(TALK)
    assert caught.value.partial == "Hello <|im"
    assert isinstance(caught.value.__cause__, OSError)


class ReadTimeout(Exception):
    """As HTTP clients call it."""


def test_a_time_out_of_a_client_is_ours():
    def silent(prompt):
        raise ReadTimeout("5 s")

    with pytest.raises(BackendTimeoutError, match="ReadTimeout: 5 s"):
        Chat("chatml", silent)(TALK)


def test_a_connection_is_tried_again_only_before_text_comes(pauses):
    calls = []

    def flaky(prompt):
        calls.append(prompt)
        if len(calls) == 1:
            raise ConnectionResetError
        yield "He"
        raise ConnectionResetError

    with pytest.raises(BackendError) as caught:
        Chat("chatml", flaky)(TALK)
    assert (len(calls), pauses, caught.value.partial) == (2, [0.5], "He")


def test_what_the_template_refuses_is_its_own_error():
    with pytest.raises(RaisedError, match="System role not supported"):
        Chat("gemma", Script("Hello"))([{"role": "system", "content": "Be brief."}, *TALK])


def test_reasoning_and_variables_reach_the_prompt():
    script = Script("Hello")
    chat = Chat("qwen3", script)
    chat(TALK, reasoning=False)
    chat(TALK, variables={"enable_thinking": False})
    assert (
        script.prompts[0]
        == script.prompts[1]
        == load("qwen3").render(TALK, reasoning=False, add_generation_prompt=True)
    )


def test_reasoning_is_apart_from_the_answer():
    stream = Chat("qwen3", lambda prompt: pieces("<think>\nEasy.\n</think>\n\nYes.<|im_end|>")).stream(TALK)
    events = list(stream)
    assert "".join(event.get("reasoning_content", "") for event in events) == "Easy."
    assert "".join(event.get("content", "") for event in events) == "Yes."
    assert stream.message == {"role": "assistant", "content": "Yes.", "reasoning_content": "Easy."}


# An answer that has begun


@pytest.mark.parametrize("family", ["chatml", "gemma", "llama3", "mistral", "qwen3", "zephyr"])
@pytest.mark.parametrize("begun", ["Well,", "Well, "])
def test_an_answer_is_continued(family, begun):
    """Whether or not the template strips the end of it."""
    script = Script(" I say." if begun == "Well," else "I say.")
    if load(family).prefill([*TALK, {"role": "assistant", "content": begun}]).dropped:
        script = Script(" I say.")
    talk = [*TALK, {"role": "assistant", "content": begun, "name": "me"}]
    before = copy.deepcopy(talk)
    answer = Chat(family, script)(talk)
    assert answer == {"role": "assistant", "content": "Well, I say.", "name": "me"}
    assert script.prompts[0].endswith(("Well,", "Well, "))
    assert talk == before
    assert Chat(family, script).extend(talk) == [*TALK, answer]
    assert talk == before


def test_what_is_no_text_cannot_be_continued():
    with pytest.raises(InputError, match="only a text can be continued"):
        Chat("chatml", Script(""))([*TALK, {"role": "assistant", "content": [{"type": "text", "text": "So"}]}])


def test_reasoning_is_continued():
    talk = [*TALK, {"role": "assistant", "content": "", "reasoning_content": "So,"}]
    answer = Chat("qwen3", Script(" easy.\n</think>\n\nYes.<|im_end|>"))(talk)
    assert answer == {"role": "assistant", "content": "Yes.", "reasoning_content": "So, easy."}


def test_an_answer_that_begins_with_markup_is_read_as_a_whole():
    talk = [*TALK, {"role": "assistant", "content": "<think>\nSo,"}]
    answer = Chat("chatml", Script(" easy.\n</think>\n\nYes."))(talk)
    whole = load("chatml").parse("<think>\nSo, easy.\n</think>\n\nYes.")
    assert answer == whole


def test_a_call_that_is_begun_is_finished():
    text = call("multiply", x=3)
    talk = [*TALK, {"role": "assistant", "content": text[:20]}]
    answer = Chat("hermes3", Script(text[20:]), tools=[multiply])(talk)
    assert answer["content"] == ""
    assert answer["tool_calls"][0]["function"] == {"name": "multiply", "arguments": {"x": 3}}


def test_a_call_that_was_cut_off_is_written_anew():
    """What was left of it is no part of the message that has it whole, so the call is made."""
    text = call("multiply", x=3)
    chat = Chat("qwen3", Script(f"Let me see.\n{text[:20]}"), tools=[multiply])
    talk = chat.extend(TALK)
    assert talk[-1]["unparsed_tool_calls"]
    again = Script(f"\n{text}", "It is 6.")
    talk = Chat("qwen3", again, tools=[multiply], call_tools=True).extend([*talk[:-1], {**talk[-1], "name": "me"}])
    assert [message["role"] for message in talk] == ["user", "assistant", "tool", "assistant"]
    assert talk[1]["tool_calls"][0]["function"] == {"name": "multiply", "arguments": {"x": 3}}
    assert set(talk[1]) == {"role", "content", "name", "tool_calls"}
    assert (talk[1]["content"].strip(), talk[2]["content"], talk[3]["content"]) == ("Let me see.", "6", "It is 6.")


def test_an_empty_beginning_is_none():
    script = Script("Hello!")
    assert Chat("chatml", script)([*TALK, {"role": "assistant", "content": ""}])["content"] == "Hello!"
    assert script.prompts == [PROMPT]


def test_calls_without_results_are_no_beginning():
    calls = [{"id": "1", "type": "function", "function": {"name": "multiply", "arguments": {}}}]
    with pytest.raises(InputError, match="without their results"):
        Chat("qwen3", Script(""))([*TALK, {"role": "assistant", "content": "", "tool_calls": calls}])


# Tools


def test_calls_are_told_and_not_made_unless_asked():
    script = Script(call("multiply", x=3) + "<|im_end|>")
    answer = Chat("qwen3", script, tools=[multiply])(TALK)
    assert answer["tool_calls"][0]["function"] == {"name": "multiply", "arguments": {"x": 3}}
    assert len(script.prompts) == 1
    assert script.prompts[0] == load("qwen3").render(TALK, tools=[multiply], add_generation_prompt=True)
    Chat("qwen3", script, tools=[multiply])(TALK, tools=[])
    assert script.prompts[1] == load("qwen3").render(TALK, add_generation_prompt=True)


def test_calls_are_made_until_there_is_an_answer():
    script = Script(call("multiply", x=3) + "\n" + call("multiply", x=4, y=5) + "<|im_end|>", "6 and 20.<|im_end|>")
    chat = Chat("qwen3", script, tools=[multiply], call_tools=True)
    talk = copy.deepcopy(TALK)
    stream = chat.stream(talk)
    events = list(stream)
    assert talk == TALK
    assert stream.message == {"role": "assistant", "content": "6 and 20."}
    asked, first, second, answer = stream.messages
    assert answer is stream.message
    assert [event["tool"] for event in events if "tool" in event] == [first, second]
    assert first == {"role": "tool", "name": "multiply", "content": "6", "tool_call_id": asked["tool_calls"][0]["id"]}
    assert second["content"] == "20"
    assert script.prompts[1] == load("qwen3").render(
        [*TALK, asked, first, second], tools=[multiply], add_generation_prompt=True
    )
    again = Script(call("multiply", x=3), "6.")
    assert [message["role"] for message in Chat("qwen3", again, tools=[multiply], call_tools=True).extend(talk)] == [
        *("user", "assistant", "tool", "assistant")
    ]


def fails(x: int):
    """Fails.

    Args:
        x: one
    """
    raise ValueError(f"no {x}")


def tea(kind: str, hot: bool | None = None):
    """Makes tea.

    Args:
        kind: which (choices: ["green", "black"])
        hot: whether it is
    """
    return {"kind": kind, "hot": hot}


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("fails", {"x": 3}, "Error: ValueError: no 3"),
        ("multiply", {}, "Error: multiply: missing a required argument: 'x'"),
        ("multiply", {"x": 1, "z": 2}, "Error: multiply: got an unexpected keyword argument 'z'"),
        ("multiply", {"x": "1"}, "Error: multiply: 'x' must be of type integer, not \"1\""),
        ("multiply", {"x": True}, "Error: multiply: 'x' must be of type integer, not true"),
        ("tea", {"kind": "red"}, 'Error: tea: \'kind\' must be one of ["green", "black"], not "red"'),
        ("tea", {"kind": "green", "hot": None}, '{"kind": "green", "hot": null}'),
        ("system", {"command": "ls"}, "Error: there is no tool 'system'; there are: fails, multiply, tea"),
        ("print", {}, "Error: there is no tool 'print'; there are: fails, multiply, tea"),
    ],
)
def test_what_the_model_is_told(name, arguments, told):
    """A call that cannot be made and a tool that fails are for the model to put right."""
    script = Script(call(name, **arguments), "I see.")
    stream = Chat("qwen3", script, tools=[multiply, fails, tea], call_tools=True).stream(TALK)
    assert [event["tool"]["content"] for event in stream if "tool" in event] == [told]
    assert stream.message["content"] == "I see."


def test_an_error_carries_the_rounds_that_were_over():
    """With the results of calls that were made, which nobody has to make again; copies have them, too."""

    def engine(prompt):
        if "<tool_response>" in prompt:
            yield "It"
            raise OSError("gone")
        yield call("multiply", x=3)

    chat = Chat("qwen3", engine, tools=[multiply], call_tools=True)
    for ask in (chat, chat.extend, lambda talk: list(chat.stream(talk))):
        with pytest.raises(BackendError, match="gone") as caught:
            ask(TALK)
        asked, result = caught.value.messages
        assert asked["tool_calls"][0]["function"]["arguments"] == {"x": 3}
        assert (result["role"], result["content"]) == ("tool", "6")
        copied = pickle.loads(pickle.dumps(caught.value))
        assert (copied.messages, copied.partial) == (caught.value.messages, "It")
    with pytest.raises(BackendError) as caught:
        Chat("qwen3", engine)([*TALK, {"role": "user", "content": "<tool_response>"}])
    assert caught.value.messages == []


def test_rounds_are_bounded():
    script = Script(call("multiply", x=3))
    stream = Chat("qwen3", script, tools=[multiply], call_tools=True, rounds=3).stream(TALK)
    assert sum("tool" in event for event in stream) == 3
    assert len(script.prompts) == 4
    assert stream.message["tool_calls"], "the caller sees what was still asked for"


@pytest.mark.parametrize(
    "output", [call("multiply", x=3)[:-14], call("multiply", x=3) + "\n" + call("multiply", x=4)[:-16]]
)
def test_calls_that_are_cut_off_are_never_made(output):
    """Nor is a call beside one: the output is not whole."""
    made = []

    def note(x: int) -> None:
        """Notes.

        Args:
            x: one
        """
        made.append(x)

    output = output.replace("multiply", "note")
    answer = Chat("qwen3", Script(output), tools=[note], call_tools=True)(TALK)
    assert made == []
    assert answer["unparsed_tool_calls"]


def test_calls_of_tools_without_a_function_are_the_callers():
    @dataclass
    class Point:
        """A point.

        Args:
            x: one
        """

        x: int

    written = {"type": "function", "function": {"name": "now", "description": "The time.", "parameters": {}}}
    for tools, output in (
        ([multiply, written], call("multiply", x=1) + "\n" + call("now")),
        ([Point], call("Point", x=1)),
    ):
        script = Script(output)
        answer = Chat("qwen3", script, tools=tools, call_tools=True)(TALK)
        assert len(answer["tool_calls"]) == output.count("<tool_call>")
        assert len(script.prompts) == 1


async def remote(x: int):
    """Later.

    Args:
        x: one
    """


def test_an_asynchronous_tool_is_refused():
    with pytest.raises(InputError, match="asynchronous"):
        Chat("qwen3", Script(""), tools=[remote], call_tools=True)(TALK)


def test_an_interruption_is_not_caught():
    def stop(x: int):
        """Stops.

        Args:
            x: one
        """
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Chat("qwen3", Script(call("stop", x=1)), tools=[stop], call_tools=True)(TALK)


# Stops


@given(
    st.text("ab<>", max_size=30),
    st.lists(st.text("ab<>", min_size=1, max_size=4), max_size=4),
    st.integers(1, 5),
)
def test_stops_do_not_depend_on_where_the_text_is_cut(text, texts, size):
    """Any split gives what the whole gives, and nothing after a stop comes through."""

    def through(parts):
        stops = Stops(texts)
        return "".join([stops.feed(part) for part in parts]) + stops.rest(), stops.found

    whole, found = through([text])
    if found is None:
        assert whole == text
        assert not any(stop in text for stop in texts)
    else:
        assert text.startswith(whole + found)
        assert not any(stop in whole for stop in texts)
    if not any(one in other for one in texts for other in texts if one is not other):
        assert through(pieces(text, size)) == (whole, found)


def test_what_closes_a_call_is_no_part_of_what_an_engine_leaves_out():
    """Some models stop at the end of a call; the call is whole all the same."""
    asked = []

    class Engine:
        def text_generation(self, prompt, *, stop, **options):
            asked.append(stop)
            written = "<tool_call>multiply\n<arg_key>x</arg_key>\n<arg_value>3</arg_value>\n</tool_call>"
            return pieces(written + "\nMore")

    template = load("glm4.5")
    stopping = load("glm4.5")
    stopping._stops = (*template.stop_strings, "</tool_call>")
    stream = Chat(stopping, Engine(), tools=[multiply]).stream(TALK)
    told = [event["tool_calls"] for event in stream if "tool_calls" in event]
    assert told
    assert asked == [list(template.stop_strings)]
    assert stream.message["tool_calls"][0]["function"]["arguments"] == {"x": 3}
    assert "unparsed_tool_calls" not in stream.message
