"""Laws of every parser: cuttings do not matter, events add up, all text is accounted for, work grows with length."""

import json
import random
import re
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from forms import TOOLS, Folded, form_id, forms, longest, seen, streamed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import llm_templates
from llm_templates import load

KINDS = {"content", "reasoning", "call", "marker", "leftover"}
ROOT = str(Path(llm_templates.__file__).parent)
MARKER = re.compile(
    r"</?[A-Za-z:_|｜][^<>\s]{0,40}>|<[|｜][^<>\n]{1,60}>|\[/?[A-Z_ ]{3,24}\]|\]<\]minimax\[>\[|functools|[{}\[\]()\"',:=]|\n"
)

SLOW = settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def every_marker():
    """What stands between the words, in all formats."""
    found = Counter(piece for form in forms() for piece in MARKER.findall(form.output))
    return tuple(sorted(found))


MARKERS = every_marker()


def mutated(chance, form):
    """An output that a model might have meant to write, spoilt in a few places."""
    text = form.output
    for _ in range(chance.randint(1, 4)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.choice((0, 1, 3, 10, 40)))
        text = chance.choice(CHANGES)(chance, text, start, end)
    return text[:4000]


CHANGES = (
    lambda chance, text, start, end: text[:start] + text[end:],
    lambda chance, text, start, end: text[:start],
    lambda chance, text, start, end: text[:end] + text[start:],
    lambda chance, text, start, end: text[:start] + chance.choice(MARKERS) + text[start:],
    lambda chance, text, start, end: text[:start] + chance.choice(MARKERS) + text[end:],
    lambda chance, text, start, end: text[:start] + chance.choice(forms()).output + text[end:],
    lambda chance, text, start, end: text[:start] + chance.choice((" ", "\n\n", "\\", '"', "\x00", "é🌍", "\ud83d", "NaN", "-")) + text[start:],
    lambda chance, text, start, end: text[:start] + text[start:end] * 3 + text[end:],
)  # fmt: skip


def cut(chance, text):
    """A text in pieces as long as tokens, or single characters, or a few large ones."""
    longest_piece = chance.choice((1, 2, 5, 8, 200))
    found, place = [], 0
    while place < len(text):
        end = place + chance.randint(1, longest_piece)
        found.append(text[place:end])
        place = end
    return found


def check_message(output, parser, message, events):
    """What holds of every message, whatever the output was."""
    assert message.keys() <= {"role", "content", "reasoning_content", "tool_calls", "unparsed_tool_calls"}
    assert message["role"] == "assistant"
    assert message.get("reasoning_content", "x").strip()
    assert message.get("tool_calls", [0]), "an empty list"
    left = message.get("unparsed_tool_calls", [])
    for call in left:
        start, end = call["span"]
        assert 0 <= start < end <= len(output)
        assert call["text"] == output[start:end]
        assert call["status"] in ("truncated", "broken")
    check_events(message, left, events)
    check_spans(output, parser, message)


def check_events(message, left, events):
    folded = Folded(events)
    reasoning, content, _ = seen(message)
    assert folded.content == content
    assert folded.reasoning == reasoning or (not reasoning and not folded.reasoning.strip())
    told = iter(folded.calls.values())
    for call in message.get("tool_calls", ()):
        assert call.keys() == {"id", "type", "function"}
        assert call["function"].keys() == {"name", "arguments"}
        # Calls that went wrong have been told of, too.
        written = next(one for one in told if one["id"] == call["id"] and _value(one) == call["function"]["arguments"])
        assert written["name"] == call["function"]["name"]
    assert list(folded.calls) == sorted(folded.calls)
    assert len(folded.calls) <= len(message.get("tool_calls", ())) + len(left), "a call nobody knows of was told of"


def _value(written):
    try:
        return json.loads(written["arguments"])
    except ValueError:
        return None


def check_spans(output, parser, message):
    spans = [tuple(span) for span in parser.spans]
    assert "".join(output[start:end] for start, end, _ in spans) == output
    assert [start for start, _, _ in spans] == [0, *(end for _, end, _ in spans)][: len(spans)]
    assert {kind for _, _, kind in spans} <= KINDS
    for kind, text in (("content", message["content"]), ("reasoning", message.get("reasoning_content", ""))):
        spoken = "".join(output[start:end] for start, end, found in spans if found == kind)
        assert _words(spoken) == _words(text), kind


def _words(text):
    return "".join(text.split())


# -- cuttings, events, spans --


@SLOW
@given(form=st.sampled_from(forms()), places=st.lists(st.integers(0, 600), max_size=12))
def test_any_cutting_gives_the_same(form, places):
    """The message, its spans and what events add up to do not depend on where an output is cut."""
    whole, message, events = streamed(form.template, [form.output], prompt=form.prompt, tools=TOOLS)
    places = sorted({0, *(place for place in places if place < len(form.output)), len(form.output)})
    chunks = [form.output[start:end] for start, end in pairwise(places)]
    parser, again, others = streamed(form.template, chunks, prompt=form.prompt, tools=TOOLS)
    assert again == message == form.template.parse(form.output, prompt=form.prompt, tools=TOOLS)
    assert [tuple(span) for span in parser.spans] == [tuple(span) for span in whole.spans]
    for told in (events, others):
        check_message(form.output, parser, message, told)
    assert Folded(events).__dict__ == Folded(others).__dict__


@pytest.mark.parametrize("form", forms(), ids=form_id)
def test_all_text_is_accounted_for(form):
    """Spans lie side by side from the first character to the last, and say what each was taken for."""
    parser, message, events = streamed(form.template, form.output, prompt=form.prompt, tools=TOOLS)
    check_message(form.output, parser, message, events)
    kinds = {kind for start, end, kind in parser.spans if not form.output[start:end].isspace()}
    reasoning, content, calls = form.said
    assert ("reasoning" in kinds, "content" in kinds, "call" in kinds) == (bool(reasoning), bool(content), bool(calls))
    left = "".join(form.output[start:end] for start, end, kind in parser.spans if kind == "leftover")
    assert not left or left in form.template.stop_strings


TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


@SLOW
@given(
    form=st.sampled_from(longest()),
    parts=st.lists(st.one_of(st.sampled_from(MARKERS), TEXT, st.sampled_from(["get_weather", '{"city": "Paris"}', "city"])), max_size=25),
    chance=st.randoms(use_true_random=False),
)  # fmt: skip
def test_markers_in_any_order_are_read_the_same_however_they_are_cut(form, parts, chance):
    """Outputs of markers and text at random: no exception, one message, and everything accounted for."""
    output = "".join(parts)
    parser, message, events = streamed(form.template, [output], prompt=form.prompt, tools=TOOLS)
    check_message(output, parser, message, events)
    _, again, others = streamed(form.template, cut(chance, output), prompt=form.prompt, tools=TOOLS)
    assert again == message
    check_events(again, again.get("unparsed_tool_calls", []), others)


@SLOW
@given(
    arguments=st.dictionaries(
        st.text(min_size=1, max_size=8),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
            max_leaves=10,
        ),
        max_size=5,
    ),
    ensure_ascii=st.booleans(),
    chance=st.randoms(use_true_random=False),
)  # fmt: skip
def test_json_arguments_come_through_exactly(arguments, ensure_ascii, chance):
    """Any JSON: what the message has is what was written, and its pieces, added up, are its text."""
    try:
        written = json.dumps({"name": "f", "arguments": arguments}, ensure_ascii=ensure_ascii)
    except ValueError:
        return
    output = f"<tool_call>\n{written}\n</tool_call><|im_end|>"
    parser, message, events = streamed(load("qwen2.5"), cut(chance, output), prompt="", tools=None)
    assert seen(message) == ("", "", [("f", arguments)])
    check_message(output, parser, message, events)


# -- outputs that went wrong --

OUTPUTS = 10_000


@pytest.mark.parametrize("part", range(20))
def test_spoilt_outputs_of_all_families(part):
    """Ten thousand of them: never an exception, the same message whole and in pieces, nothing lost."""
    chance = random.Random(f"spoilt outputs {part}")
    every = forms()
    for _ in range(OUTPUTS // 20):
        form = chance.choice(every)
        output = mutated(chance, form)
        prompt = form.prompt if chance.random() < 0.8 else chance.choice(every).prompt
        tools = TOOLS if chance.random() < 0.8 else None
        chunks = cut(chance, output)
        try:
            parser, message, events = streamed(form.template, [output], prompt=prompt, tools=tools)
            check_message(output, parser, message, events)
            pieces, again, others = streamed(form.template, chunks, prompt=prompt, tools=tools)
            assert again == message
            check_message(output, pieces, again, others)
        except BaseException:
            print(
                f"{form_id(form)}\nprompt={prompt!r}, tools={tools is not None}\noutput={output!r}\nchunks={chunks!r}"
            )
            raise


# -- work --


class Work:
    """Counts lines of our own code that run."""

    def __init__(self):
        self.lines = 0

    def _line(self, frame, event, argument):
        self.lines += event == "line"
        return self._line

    def _call(self, frame, event, argument):
        return self._line if frame.f_code.co_filename.startswith(ROOT) else None

    def __enter__(self):
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *error):
        sys.settrace(self._before)


def lines_of(template, output, size, prompt):
    """How many lines run to read an output in pieces of a size."""
    with Work() as work:
        parser = template.parser(prompt=prompt, tools=TOOLS)
        for start in range(0, len(output), size):
            parser.feed(output[start : start + size])
        parser.finish()
    return work.lines


#: Name: what precedes the repeated part, the part, what follows it.
SHAPES = {
    "openers": ("", "<tool_call>", ""),
    "openers of calls": ("", "<tool_call>\n<function=f>\n", ""),
    "reasoning opened again": ("", "<think>", ""),
    "reasoning closed again": ("", "</think>", ""),
    "reasoning to and fro": ("", "<think>a</think>", ""),
    "near-markers": ("", "<tool_cal", ""),
    "first characters": ("", "<", ""),
    "white space": ("a", " ", "b"),
    "line breaks before a marker": ("a", "\n", "<tool_call>"),
    "a string without an end": ('<tool_call>\n{"name": "f", "arguments": {"a": "', "x ", ""),
    "backslashes": ('<tool_call>\n{"name": "f", "arguments": {"a": "', "\\", ""),
    "depth": ('<tool_call>\n{"name": "f", "arguments": {"a": ', '{"a":[', ""),
    "brackets": ('<tool_call>\n{"name": "f", "arguments": {"a": ', "[", ""),
    "many arguments": ('<tool_call>\n{"name": "f", "arguments": {', '"a": 1,', '"b": 1}}\n</tool_call>'),
    "white space in an object": ('<tool_call>\n{"name": "f", "arguments": {', " \n", "}}\n</tool_call>"),
    "closing tags in a value": (
        "<tool_call>\n<function=f>\n<parameter=a>\n",
        "</parameter> x ",
        "\n</parameter>\n</function>\n</tool_call>",
    ),
    "white space in a value": (
        "<tool_call>\n<function=f>\n<parameter=a>\n",
        "\n",
        "\n</parameter>\n</function>\n</tool_call>",
    ),
    "arguments between tags": (
        "<tool_call>\n<function=f>\n",
        "<parameter=a>\n1\n</parameter>\n",
        "</function>\n</tool_call>",
    ),
    "calls": ("", '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>\n', ""),
    "a key without an end": ("<tool_call>f\n<arg_key>", "a ", ""),
    "a name without an end": ("<tool_call>\n<function=", "a", ""),
    "python brackets": ("<function_calls>f(a=", "[(", ""),
    "python quotes": ("<function_calls>f(a=", "'a' ", ""),
    "python names": ("<function_calls>f(", "a", ""),
    "loose quotes": ("<|tool_call>call:f{a:", '<|"|>', ""),
    "loose depth": ("<|tool_call>call:f{a:", "{a:", ""),
    "headers": ("", "<|start|>assistant<|channel|>", ""),
    "messages": ("", "<|channel|>analysis<|message|>a<|end|><|start|>assistant", ""),
    "bare braces": ("", "{", ""),
    "bare brackets": ("", "[", ""),
    "bare objects": ("", '{"a": 1} ', ""),
    "drafts in reasoning": ("<think>", '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>\n', "</think>"),
    "namespaces": (']<]minimax[>[<tool_call>\n]<]minimax[>[<invoke name="f">', "]<]minimax[>[<a>", ""),
}
#: Enough formats that every machine and dialect is among them.
MACHINES = ("qwen3", "qwen3-coder", "glm4.5", "olmo3", "gemma4", "gpt-oss", "mistral-nemo", "mistral-v13", "llama3.1", "minimax-m3", "kimi-k2", "functionary3.2")  # fmt: skip
#: How long the shorter output is, in characters: far beyond everything that is bounded.
LENGTH = 3000


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("family", MACHINES)
def test_work_grows_with_length(family, shape):
    """An output twice as long takes at most 2.3 times the work, whole and in pieces, however it is made to look."""
    before, part, after = SHAPES[shape]
    template, times = load(family), LENGTH // len(part)
    asked = template.render([{"role": "user", "content": "Hi"}], add_generation_prompt=True)
    thinking = [(asked + template.grammar().reasoning[0].open, 3)] if template.grammar().reasoning else []
    for prompt, size in ((None, 3), (None, 100_000), *thinking):
        lines_of(template, before + part + after, size, prompt)  # what is derived once is derived
        short, long = (lines_of(template, before + part * count + after, size, prompt) for count in (times, 2 * times))
        assert long <= 2.3 * short + 200, (prompt, size, short, long)


@pytest.mark.parametrize("form", forms(), ids=form_id)
def test_an_output_may_go_on_from_anywhere(form):
    """A prompt that ends inside an output: what is left gives the calls that end in it, whole, and nothing before."""
    template, output = form.template, form.output
    begun = template.grammar().prompt if form.prompt is None else form.prompt
    calls = [call["function"] for call in template.parse(output, prompt=form.prompt, tools=TOOLS).get("tool_calls", [])]
    for place in range(0, len(output), max(1, len(output) // 24)):
        prompt, rest = begun + output[:place], output[place:]
        parser, message, events = streamed(template, [rest], prompt=prompt, tools=TOOLS)
        assert streamed(template, list(rest), prompt=prompt, tools=TOOLS)[1] == message
        left = [call["function"] for call in message.get("tool_calls", [])]
        assert left == calls[len(calls) - len(left) :]
        told = {}
        for event in events:
            for delta in event.get("tool_calls", ()):
                told[delta["index"]] = told.get(delta["index"], "") + delta.get("function", {}).get("arguments", "")
        assert [json.loads(text) for _, text in sorted(told.items())] == [call["arguments"] for call in left]
        assert [span.start for span in parser.spans] == [0, *(span.end for span in parser.spans)][: len(parser.spans)]
        for call in message.get("unparsed_tool_calls", ()):
            start, end = call["span"]
            assert rest[start:end] == call["text"]
