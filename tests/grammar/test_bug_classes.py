"""The mistakes that parsers of model output keep making, each of them ruled out by name.

The classes are those that issue trackers of serving engines, agents and libraries report again and again.
"""

import itertools
import json
import re

import pytest
from forms import REASONING, TOOLS, Folded, form_id, forms, longest, pieces, seen, streamed, tool

from llm_templates import ChatTemplate, families, load

tokenizers = pytest.importorskip("tokenizers")

IM = "<|im_start|>assistant\n"
#: What a marker looks like: where it is cut is where a parser errs.
MARKER = re.compile(r"</?[a-z][^<>\n]{0,60}>|<[|｜][^<>\n]{1,60}>|\[/?[A-Z_]{3,20}\]|\]<\]minimax\[>\[")


def parse(family, output, prompt=None, tools=TOOLS):
    return load(family).parse(output, prompt=prompt, tools=tools)


def coder(name, *arguments):
    """A call as Qwen3-Coder writes it."""
    written = "".join(f"<parameter={key}>\n{value}\n</parameter>\n" for key, value in arguments)
    return f"<tool_call>\n<function={name}>\n{written}</function>\n</tool_call>"


# -- 1: what is streamed is not what is parsed whole --


@pytest.mark.parametrize("form", forms(), ids=form_id)
def test_every_cutting_into_small_pieces_gives_what_was_said(form):
    """Pieces of one to four characters, begun at every place, add up to the message that the whole output gives."""
    whole = form.template.parse(form.output, prompt=form.prompt, tools=TOOLS)
    assert seen(whole) == form.said
    assert "unparsed_tool_calls" not in whole
    for size in range(1, 5):
        for offset in range(size):
            chunks = pieces(form.output, size, offset)
            assert "".join(chunks) == form.output
            _, message, _ = streamed(form.template, chunks, prompt=form.prompt, tools=TOOLS)
            assert message == whole, (size, offset)


@pytest.mark.parametrize("form", longest(), ids=form_id)
def test_events_add_up_to_the_message(form):
    """Adding up the events, one character at a time, gives the texts, names, ids and arguments of the message."""
    _, message, events = streamed(form.template, form.output, prompt=form.prompt, tools=TOOLS)
    folded = Folded(events)
    assert (folded.reasoning, folded.content) == seen(message)[:2]
    for call, told in zip(message.get("tool_calls", ()), folded.calls.values(), strict=True):
        assert (told["id"], told["name"]) == (call["id"], call["function"]["name"])
        assert json.loads(told["arguments"]) == call["function"]["arguments"]


# -- 2: a marker is split between pieces, or a piece holds several --


@pytest.mark.parametrize("form", longest(), ids=form_id)
def test_a_cut_inside_a_marker_changes_nothing(form):
    """Wherever a marker is cut in two, and wherever two are, the message is the same."""
    whole = form.template.parse(form.output, prompt=form.prompt, tools=TOOLS)
    inside = [place for match in MARKER.finditer(form.output) for place in range(match.start() + 1, match.end())]
    assert inside or form.family in ("xlam2", "toolace", "llama3.1", "firefunction2", "phi4-mini", "functionary3.2")
    for place in inside:
        _, message, _ = streamed(
            form.template, [form.output[:place], form.output[place:]], prompt=form.prompt, tools=TOOLS
        )
        assert message == whole, (form.output[:place], form.output[place:])


def test_a_piece_may_hold_the_end_of_a_call_and_the_beginning_of_another():
    """Coarse pieces, as speculative decoding makes them, lose no call and mix none up."""
    first, second = coder("get_weather", ("city", "Paris")), coder("get_weather", ("city", "Oslo"))
    output = f"{first}\n{second}<|im_end|>"
    for place in range(len(first) - 30, len(first) + 30):
        _, message, events = streamed(load("qwen3-coder"), [output[:place], output[place:]], prompt="", tools=TOOLS)
        assert [arguments["city"] for _, arguments in seen(message)[2]] == ["Paris", "Oslo"]
        assert sorted(Folded(events).calls) == [0, 1]


def test_a_marker_that_never_ends_is_text():
    """What looks like the beginning of a marker at the end of the output is the end of the answer."""
    for end in ("<", "<tool", "<tool_call", "</tool_ca"):
        assert parse("qwen2.5", f"a {end}")["content"] == f"a {end}"


def test_text_is_not_held_back_without_a_reason():
    """A piece of an answer comes as an event at once, but for what may begin a marker."""
    parser = load("qwen2.5").parser(prompt="", tools=TOOLS)
    assert parser.feed("Hello, wor") == [{"content": "Hello, wor"}]
    assert parser.feed("ld <b") == [{"content": "ld <b"}]


# -- 3: arguments are guessed from half of their JSON --

NESTED = {
    "rows": [{"a": [1, [2, {"b": "}]"}]]}, {}, []],
    "text": 'tab\t, quote ", backslash \\, slash /, é, 🌍, \u2028, </tool_call>',
    "number": -1.5e-7,
    "big": 2**70,
    "null": None,
    "": "empty",
}


@pytest.mark.parametrize("ensure_ascii", [False, True])
@pytest.mark.parametrize("indent", [None, 2])
def test_arguments_never_close_early(ensure_ascii, indent):
    """Pieces of arguments, added up, are always a beginning of the JSON that is there in the end."""
    written = json.dumps({"name": "f", "arguments": NESTED}, ensure_ascii=ensure_ascii, indent=indent)
    output = f"<tool_call>\n{written}\n</tool_call><|im_end|>"
    parser, message, events = streamed(load("qwen2.5"), output, prompt="", tools=None)
    assert seen(message)[2] == [("f", NESTED)]
    final = Folded(events).calls[0]["arguments"]
    assert json.loads(final) == NESTED
    so_far = Folded([])
    for event in events:
        so_far.add(event)
        if so_far.calls:
            text = so_far.calls[0]["arguments"]
            assert final.startswith(text)
            assert text == final or not _is_json(text)
    assert parser.spans[-1].end == len(output)


def _is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


#: Formats whose arguments are only known when the call is over, and why.
LATE = {
    "minimax-m3": "a value may turn out to be an object or a list by what follows",
    "mistral-nemo": "the id of a call, which is told first, is written after its arguments",
}


@pytest.mark.parametrize("form", [form for form in longest() if "two:" in form.output], ids=form_id)
def test_arguments_come_while_they_are_written(form):
    """Of a long text argument something is told before the call is over, in every format that allows it."""
    place = form.output.index("two:") + 8
    parser = form.template.parser(prompt=form.prompt, tools=TOOLS)
    told = "".join(call["arguments"] for call in Folded(parser.feed(form.output[:place])).calls.values())
    assert ("two:" in told) is (form.family not in LATE), told


# -- 4: the prompt has already opened the reasoning, or closed it --


@pytest.mark.parametrize(
    ("family", "prompt", "output", "said"),
    [
        ("qwen3", f"{IM}<think>\n", "a\n</think>\n\nb", ("a", "b")),
        ("qwen3", f"{IM}<think>\n\n</think>\n\n", "b", ("", "b")),
        ("qwen3", f"{IM}<think>\na, and", " so\n</think>\n\nb", (" so", "b")),
        ("qwen3", f"{IM}<think>\na\n</think>\n\nb, and", " c", ("", " c")),
        ("qwen3.5", None, "a\n</think>\n\nb", ("a", "b")),
        ("qwen3.5", f"{IM}<think>\n", "<think>\na\n</think>\n\nb", ("a", "b")),
        ("glm4.7", "<|user|>Hi<|assistant|></think>", "b", ("", "b")),
        ("glm4.7", "<|user|>Hi<|assistant|><think>", "a</think>b", ("a", "b")),
        ("deepseek-v3.1", None, "b<｜end▁of▁sentence｜>", ("", "b")),
        ("deepseek-v3.1", "<｜User｜>Hi<｜Assistant｜><think>", "a</think>b<｜end▁of▁sentence｜>", ("a", "b")),
        ("deepseek-v4", "<｜User｜>Hi<｜Assistant｜></think>", "b", ("", "b")),
        ("apriel1.6", None, "a\n[BEGIN FINAL RESPONSE]\nb", ("a", "b")),
        ("gemma4", "<|turn>model\n<|channel>thought\n<channel|>", "b<turn|>", ("", "b")),
    ],
)
def test_the_prompt_tells_where_the_output_begins(family, prompt, output, said):
    """An output is read on from what the prompt ends with, not as if it stood alone."""
    assert seen(parse(family, output, prompt))[:2] == said


@pytest.mark.parametrize("family", ["qwen3", "qwen3.5", "deepseek-v3.1", "glm4.7", "kimi-k2-thinking", "minimax-m2"])
def test_a_marker_in_somebody_elses_turn_opens_nothing(family):
    """A `<think>` that a user, a system text or a tool writes is not the model's."""
    template = load(family)
    for text in ("<think>", "</think>", "What does <think>\n mean?"):
        messages = [{"role": "system", "content": text}, {"role": "user", "content": text}]
        plain = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
        prompts = [template.render(chat, add_generation_prompt=True) for chat in (messages, plain)]
        answers = [template.parse("It is a marker.", prompt=prompt) for prompt in prompts]
        assert answers[0] == answers[1]


# -- 5: the end of the reasoning is missing --


@pytest.mark.parametrize(
    ("family", "prompt", "said"),
    [
        ("qwen3", f"{IM}<think>\n", ("cut off he", "")),
        ("qwen3", f"{IM}<think>\n\n</think>\n\n", ("", "cut off he")),
        ("qwen3", None, ("", "cut off he")),
        ("qwen3.5", None, ("cut off he", "")),
        ("deepseek-v3.1", None, ("", "cut off he")),
        ("deepseek-v3.1", "<｜Assistant｜><think>", ("cut off he", "")),
        ("glm4.7", None, ("cut off he", "")),
        ("glm4.7", "<|assistant|></think>", ("", "cut off he")),
        ("apriel1.6", None, ("cut off he", "")),
        ("qwen2.5", None, ("", "cut off he")),
    ],
)
def test_without_an_end_the_prompt_decides(family, prompt, said):
    """Text after an open reasoning is reasoning, text after a closed one is the answer, however it ends."""
    assert seen(parse(family, "cut off he", prompt))[:2] == said


def test_reasoning_that_the_model_opened_and_never_closed():
    """It is reasoning, and there is no answer."""
    assert seen(parse("qwen3", "<think>\nI wond")) == ("I wond", "", [])


def test_an_end_without_a_beginning_makes_reasoning_of_what_came_before():
    """A model that leaves out the opening marker is understood, and the events say that they were mistaken."""
    _, message, events = streamed(load("qwen3"), "a\n</think>\n\nb", prompt=None)
    assert seen(message) == ("a", "b", [])
    folded = Folded(events)
    assert (folded.reasoning.strip(), folded.content) == ("a", "b")


# -- 6: a call inside of reasoning --

CALL = coder("get_weather", ("city", "Paris"))


def test_a_call_in_reasoning_that_is_never_closed_is_a_call():
    """A model that goes from its reasoning straight to a call, without a word, makes that call."""
    assert seen(parse("qwen3.5", f"Let me see.\n{CALL}<|im_end|>")) == (
        "Let me see.",
        "",
        [("get_weather", {"city": "Paris"})],
    )


def test_a_call_ends_reasoning_in_kimi_k2():
    """The section of calls ends the reasoning without its closing marker."""
    calls = '<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{"a": 1}<|tool_call_end|><|tool_calls_section_end|>'
    assert seen(parse("kimi-k2-thinking", f"<think>I need it.{calls}")) == ("I need it.", "", [("f", {"a": 1})])


def test_a_draft_of_a_call_is_not_made():
    """What the model only thinks of calling, and then closes its reasoning, is reasoning word for word."""
    reasoning, content, calls = seen(
        parse("qwen3.5", f"I could write\n{CALL}\nbut no.\n</think>\n\nNo need.<|im_end|>")
    )
    assert (reasoning, content, calls) == (f"I could write\n{CALL}\nbut no.", "No need.", [])


def test_a_draft_is_not_made_and_the_call_is():
    """Of two calls, one before the end of the reasoning and one after it, the second is made."""
    other = CALL.replace("Paris", "Oslo")
    reasoning, content, calls = seen(parse("qwen3.5", f"So: {CALL}\nOr rather Oslo.\n</think>\n\n{other}<|im_end|>"))
    assert "Paris" in reasoning
    assert (content, calls) == ("", [("get_weather", {"city": "Oslo"})])


def test_a_draft_leaves_no_events_of_a_call():
    """Whoever acts on events must not be told of a call that is taken back."""
    output = f"I could write\n{CALL}\nbut no.\n</think>\n\nNo need.<|im_end|>"
    _, _, events = streamed(load("qwen3.5"), output, prompt=None, tools=TOOLS)
    assert Folded(events).calls == {}


# -- 7: text of a marker in a value --

MEAN = [
    "a </parameter> b",
    "</function>",
    "a\n</parameter>\nb",
    "<parameter=x>\n1",
    "<tool_call>",
    "</tool_call>",
    "a </arg_value> b",
    "</think>",
    '"}}',
    "{'a': [\"b\", (1, 2)]}",
    "a, b='c', d=\"e\")]",
    'it\'s "so" \\ and \\n',
    "[TOOL_CALLS][ARGS]{}",
    "<｜tool▁call▁end｜>",
    "<|tool_call_end|>",
    "a <| b |> c",
]
JSON_FAMILIES = (
    "qwen2.5",
    "deepseek-v3.1",
    "kimi-k2",
    "mistral-nemo",
    "mistral-v13",
    "command-a",
    "gpt-oss",
    "llama3.1",
    "apertus",
)
WRITTEN = {
    "qwen2.5": '<tool_call>\n{{"name": "write_file", "arguments": {0}}}\n</tool_call>',
    "deepseek-v3.1": "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>write_file<｜tool▁sep｜>{0}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    "kimi-k2": "<|tool_calls_section_begin|><|tool_call_begin|>functions.write_file:0<|tool_call_argument_begin|>{0}<|tool_call_end|><|tool_calls_section_end|>",
    "mistral-nemo": '[TOOL_CALLS][{{"name": "write_file", "arguments": {0}}}]',
    "mistral-v13": "[TOOL_CALLS]write_file[ARGS]{0}",
    "command-a": '<|START_ACTION|>[\n    {{"tool_call_id": "0", "tool_name": "write_file", "parameters": {0}}}\n]<|END_ACTION|>',
    "gpt-oss": "<|channel|>commentary to=functions.write_file <|constrain|>json<|message|>{0}<|call|>",
    "llama3.1": '{{"name": "write_file", "parameters": {0}}}',
    "apertus": '<|tools_prefix|>[{{"write_file": {0}}}]<|tools_suffix|>',
}


@pytest.mark.parametrize("value", MEAN)
@pytest.mark.parametrize("family", JSON_FAMILIES)
def test_a_string_of_json_may_hold_anything(family, value):
    """Quotes protect what is between them, in every format whose arguments are JSON."""
    arguments = {"path": "a", "text": value}
    output = WRITTEN[family].format(json.dumps(arguments, ensure_ascii=False))
    for chunks in ([output], output):
        _, message, _ = streamed(load(family), chunks, prompt="", tools=TOOLS)
        assert seen(message) == ("", "", [("write_file", arguments)])


@pytest.mark.parametrize("value", [value for value in MEAN if "<parameter=" not in value and value != "</function>"])
@pytest.mark.parametrize("family", ["qwen3-coder", "seed-oss", "minimax-m2"])
def test_a_tag_counts_only_where_the_next_argument_or_the_end_follows(family, value):
    """Values between tags are not escaped, so a closing tag inside of one is told by what does not follow it."""
    shape = {
        "qwen3-coder": "<tool_call>\n<function=write_file>\n<parameter=path>\na\n</parameter>\n<parameter=text>\n{0}\n</parameter>\n</function>\n</tool_call>",
        "seed-oss": "<seed:tool_call>\n<function=write_file>\n<parameter=path>a</parameter>\n<parameter=text>{0}</parameter>\n</function>\n</seed:tool_call>",
        "minimax-m2": '<minimax:tool_call>\n<invoke name="write_file">\n<parameter name="path">a</parameter>\n<parameter name="text">{0}</parameter>\n</invoke>\n</minimax:tool_call>',
    }[family]
    output = shape.format(value)
    prompt = "]~b]ai\n" if family == "minimax-m2" else ""
    for chunks in ([output], output):
        _, message, _ = streamed(load(family), chunks, prompt=prompt, tools=TOOLS)
        assert seen(message) == ("", "", [("write_file", {"path": "a", "text": value})])


@pytest.mark.parametrize("value", [value for value in MEAN if value != "</tool_call>"])
def test_a_value_of_glm_may_hold_its_own_end(value):
    """As with other tags: `</arg_value>` ends a value where another key or the end of the call follows."""
    output = f"<tool_call>write_file\n<arg_key>path</arg_key>\n<arg_value>a</arg_value>\n<arg_key>text</arg_key>\n<arg_value>{value}</arg_value>\n</tool_call>"
    for chunks in ([output], output):
        _, message, _ = streamed(load("glm4.5"), chunks, prompt="", tools=TOOLS)
        assert seen(message) == ("", "", [("write_file", {"path": "a", "text": value})])


@pytest.mark.parametrize("value", MEAN)
@pytest.mark.parametrize(
    ("family", "shape"),
    [
        ("olmo3", "<function_calls>write_file(path='a', text={0})</function_calls>"),
        ("lfm2.5", "<|tool_call_start|>[write_file(path='a', text={0})]<|tool_call_end|>"),
        ("llama4", "[write_file(path='a', text={0})]"),
    ],
)
def test_a_string_of_python_may_hold_anything(family, shape, value):
    """Commas, brackets, the other quote and escapes, in a literal as Python prints it."""
    output = shape.format(repr(value))
    for chunks in ([output], output):
        _, message, _ = streamed(load(family), chunks, prompt="", tools=TOOLS)
        assert seen(message) == ("", "", [("write_file", {"path": "a", "text": value})])


@pytest.mark.parametrize("value", MEAN)
def test_a_string_of_gemma_may_hold_quotes_braces_and_commas(value):
    """Its own quote ends a string, and nothing else does."""
    output = f'<|tool_call>call:write_file{{path:<|"|>a<|"|>,text:<|"|>{value}<|"|>}}<tool_call|>'
    for chunks in ([output], output):
        _, message, _ = streamed(load("gemma4"), chunks, prompt="", tools=TOOLS)
        assert seen(message) == ("", "", [("write_file", {"path": "a", "text": value})])


def test_a_greedy_reading_would_join_two_calls():
    """The end of the first call is not sought behind the second."""
    first, second = coder("write_file", ("path", "a"), ("text", "b")), coder("write_file", ("path", "c"), ("text", "d"))
    calls = seen(parse("qwen3-coder", f"{first}\n{second}"))[2]
    assert [arguments for _, arguments in calls] == [{"path": "a", "text": "b"}, {"path": "c", "text": "d"}]


# -- 8: a control token, and text that looks like one --

CONTROL = ("<think>", "</think>", "<tool_call>", "</tool_call>", "<|im_start|>", "<|im_end|>")


def byte_tokenizer(control=CONTROL):
    """A tokenizer in which every byte is a token, and the control tokens are one each."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({character: number for number, character in enumerate(alphabet)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(list(control))
    return made


def spelled(tokenizer, text):
    """The ids of a text, letter by letter: no control token, whatever it looks like."""
    from tokenizers import pre_tokenizers

    ((symbols, _),) = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)
    return [tokenizer.token_to_id(symbol) for symbol in symbols]


def ids_of(tokenizer, *parts):
    """Ids of an output: a control token of its own text, and of anything in a list the letters."""
    found = []
    for part in parts:
        found += spelled(tokenizer, part[0]) if isinstance(part, list) else tokenizer.encode(part).ids
    return found


def read_ids(family, tokenizer, ids, prompt="", size=1):
    parser = load(family).parser(prompt=prompt, tools=TOOLS, tokenizer=tokenizer)
    events = [event for start in range(0, len(ids), size) for event in parser.feed(ids[start : start + size])]
    message = parser.finish()
    return message, [*events, *parser.last_events]


LOOKALIKE = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>'


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_look_alike_of_a_call_stays_text(size):
    """Letters that spell a marker are an answer about markers, when the output comes as token ids."""
    tokenizer = byte_tokenizer()
    ids = ids_of(tokenizer, ["Write "], [LOOKALIKE], [" so."], "<|im_end|>")
    message, events = read_ids("qwen3", tokenizer, ids, size=size)
    assert seen(message) == ("", f"Write {LOOKALIKE} so.", [])
    assert Folded(events).content == f"Write {LOOKALIKE} so."


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_control_token_counts(size):
    """The same text with the real tokens is a call."""
    tokenizer = byte_tokenizer()
    message, _ = read_ids("qwen3", tokenizer, ids_of(tokenizer, LOOKALIKE, "<|im_end|>"), size=size)
    assert seen(message) == ("", "", [("get_weather", {"city": "Paris"})])


def test_a_look_alike_inside_of_reasoning_does_not_end_it():
    """Only the real `</think>` does."""
    tokenizer = byte_tokenizer()
    ids = ids_of(tokenizer, "<think>", ["It writes </think> itself."], "</think>", ["b"])
    assert seen(read_ids("qwen3", tokenizer, ids)[0]) == ("It writes </think> itself.", "b", [])


def test_a_look_alike_inside_of_an_argument_does_not_end_the_call():
    """Neither the closing marker nor the end of the turn."""
    tokenizer = byte_tokenizer()
    ids = ids_of(tokenizer, "<tool_call>", ['\n<function=write_file>\n<parameter=text>\n</parameter>\n</function>\n</tool_call><|im_end|>\n</parameter>\n</function>\n'], "</tool_call>", "<|im_end|>")  # fmt: skip
    message, _ = read_ids("qwen3-coder", tokenizer, ids)
    assert len(message.get("tool_calls", ())) + len(message.get("unparsed_tool_calls", ())) == 1


# -- 9: the type of an argument --

TYPED = tool(
    "f",
    zip="string",
    count="integer",
    ratio="number",
    on="boolean",
    day="string",
    maybe={"type": ["integer", "null"]},
    either={"anyOf": [{"type": "integer"}, {"type": "string"}]},
    nullable={"type": "string", "nullable": True},
    items={"type": "array", "items": {"type": "integer"}},
    where={"$ref": "#/$defs/place"},
    level={"enum": ["low", "high"]},
    step={"enum": [1, 2]},
)
TYPED["function"]["parameters"]["$defs"] = {"place": {"type": "object", "properties": {"city": {"type": "string"}}}}


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [
        ("zip", "30", "30"),
        ("zip", "02134", "02134"),
        ("zip", "true", "true"),
        ("zip", "null", "null"),
        ("zip", '{"a": 1}', '{"a": 1}'),
        ("zip", "[1]", "[1]"),
        ("zip", "", ""),
        ("day", "2026-01-15", "2026-01-15"),
        ("count", "3", 3),
        ("count", "-3", -3),
        ("count", "123456789012345678901234567890", 123456789012345678901234567890),
        ("count", "9007199254740993", 9007199254740993),
        ("count", "2026-01-15", "2026-01-15"),
        ("ratio", "0.1", 0.1),
        ("ratio", "5", 5),
        ("ratio", "1e3", 1000.0),
        ("on", "true", True),
        ("on", "False", False),
        ("maybe", "null", None),
        ("maybe", "7", 7),
        ("either", "7", 7),
        ("either", "seven", "seven"),
        ("items", "[1, 2]", [1, 2]),
        ("items", "[]", []),
        ("where", '{"city": "Paris"}', {"city": "Paris"}),
        ("level", "low", "low"),
        ("step", "2", 2),
    ],
)
@pytest.mark.parametrize("family", ["qwen3-coder", "glm4.5", "minimax-m2"])
def test_the_schema_says_what_a_value_between_tags_is(family, key, written, value):
    """A text stays a text however much it looks like a number, and what is no number does not lose the call."""
    output = {
        "qwen3-coder": coder("f", (key, written)),
        "glm4.5": f"<tool_call>f\n<arg_key>{key}</arg_key>\n<arg_value>{written}</arg_value>\n</tool_call>",
        "minimax-m2": f'<minimax:tool_call>\n<invoke name="f">\n<parameter name="{key}">{written}</parameter>\n</invoke>\n</minimax:tool_call>',
    }[family]
    prompt = "]~b]ai\n" if family == "minimax-m2" else ""
    for chunks in ([output], output):
        _, message, _ = streamed(load(family), chunks, prompt=prompt, tools=[TYPED])
        assert seen(message)[2] == [("f", {key: value})]
        assert type(seen(message)[2][0][1][key]) is type(value)


@pytest.mark.parametrize("number", ["9007199254740993", "123456789012345678901234567890", "0.1", "-0", "1E5", "1e-7"])
def test_numbers_of_json_keep_their_digits(number):
    """What the model wrote is in the pieces of arguments, digit by digit."""
    output = f'<tool_call>\n{{"name": "f", "arguments": {{"a": {number}}}}}\n</tool_call>'
    _, message, events = streamed(load("qwen2.5"), output, prompt="", tools=None)
    assert number in Folded(events).calls[0]["arguments"]
    assert seen(message)[2] == [("f", {"a": json.loads(number)})]


def test_types_on_the_wire_are_believed():
    """DSML says of each value whether it is a text; no schema is needed."""
    output = (
        '\n\n<｜DSML｜function_calls>\n<｜DSML｜invoke name="f">\n<｜DSML｜parameter name="a" string="true">30</｜DSML｜parameter>\n'
        '<｜DSML｜parameter name="b" string="false">[1, null]</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>'
    )
    assert seen(parse("deepseek-v3.2", output, "", None)) == ("", "", [("f", {"a": "30", "b": [1, None]})])


def test_without_a_schema_a_text_of_json_is_a_text():
    """In JSON the quotes say what is a text."""
    output = '<tool_call>\n{"name": "f", "arguments": {"a": "30", "b": 30}}\n</tool_call>'
    assert seen(parse("qwen2.5", output, "", None))[2] == [("f", {"a": "30", "b": 30})]


# -- 10: white space that means something --

SOURCE = "    def f():\n\n\treturn 1  \n\n"


@pytest.mark.parametrize(
    ("family", "shape"),
    [
        (
            "qwen3-coder",
            "<tool_call>\n<function=write_file>\n<parameter=text>\n{0}\n</parameter>\n</function>\n</tool_call>",
        ),
        (
            "seed-oss",
            "<seed:tool_call>\n<function=write_file>\n<parameter=text>{0}</parameter>\n</function>\n</seed:tool_call>",
        ),
        ("glm4.5", "<tool_call>write_file\n<arg_key>text</arg_key>\n<arg_value>{0}</arg_value>\n</tool_call>"),
        ("gemma4", '<|tool_call>call:write_file{{text:<|"|>{0}<|"|>}}<tool_call|>'),
    ],
)
def test_the_text_of_a_file_is_kept_as_it_is(family, shape):
    """Its indentation, its tabs, and the line break at its end; only what the format puts around it is gone."""
    output = shape.format(SOURCE)
    for chunks in ([output], output):
        _, message, _ = streamed(load(family), chunks, prompt="", tools=TOOLS)
        assert seen(message)[2] == [("write_file", {"text": SOURCE})]


def test_between_reasoning_and_a_call_there_is_no_answer():
    """The line breaks there belong to the markers; nobody is told of an answer."""
    output = f"<think>\na\n</think>\n\n{LOOKALIKE}<|im_end|>"
    _, message, events = streamed(load("qwen3"), output, prompt=None, tools=TOOLS)
    assert seen(message) == ("a", "", [("get_weather", {"city": "Paris"})])
    assert not any("content" in event for event in events)


def test_an_answer_keeps_the_white_space_inside_of_it():
    """Code in an answer is not touched."""
    answer = "See:\n\n    def f():\n        return 1\n\n\nSo."
    for family, output in (
        ("qwen3", f"<think>\na\n</think>\n\n{answer}<|im_end|>"),
        ("gpt-oss", f"<|channel|>final<|message|>{answer}<|return|>"),
    ):
        _, message, events = streamed(load(family), output, prompt=None)
        assert message["content"] == answer == Folded(events).content


# -- 11: the output was cut off --


@pytest.mark.parametrize("form", [form for form in forms() if form.name == "call"], ids=form_id)
def test_a_call_that_was_cut_off_is_not_a_call(form):
    """It is kept as it was written, with its place, and is nothing that anybody could act on by mistake."""
    begin, end = form.output.index("city"), form.output.rindex("3")
    for place in range(begin, end):
        output = form.output[:place]
        message = form.template.parse(output, prompt=form.prompt, tools=TOOLS)
        assert seen(message) == ("", "", []), output
        (left,) = message["unparsed_tool_calls"]
        assert left["status"] == "truncated"
        assert left.get("name", "get_weather") == "get_weather"
        assert left["text"] == output[slice(*left["span"])]
        assert left["span"][1] == place
        _, again, _ = streamed(form.template, output, prompt=form.prompt, tools=TOOLS)
        assert again == message


#: Families whose calls begin with a marker before the name, and no JSON around that.
MARKED = ("qwen3-coder", "glm4.5", "deepseek-v3.1", "deepseek-v3.2", "kimi-k2", "minimax-m2", "minimax-m3", "gemma4", "mistral-v13", "lfm2.5", "olmo3", "seed-oss", "solar-open")  # fmt: skip


@pytest.mark.parametrize(
    "form", [form for form in forms() if form.name == "call" and form.family in MARKED], ids=form_id
)
def test_half_a_name_is_not_an_answer(form):
    """A call that was cut off in its name, or right after it, leaves nothing of itself in the answer."""
    begin = form.output.index("get_weather")
    for place in range(begin, begin + len("get_weather") + 1):
        output = form.output[:place]
        message = form.template.parse(output, prompt=form.prompt, tools=TOOLS)
        assert seen(message) == ("", "", []), output
        (left,) = message["unparsed_tool_calls"]
        assert (left["status"], left["span"][1]) == ("truncated", place)


def test_a_whole_call_before_a_cut_one_is_a_call():
    """What was finished counts."""
    first, second = coder("get_weather", ("city", "Paris")), coder("get_weather", ("city", "Oslo"))
    message = parse("qwen3-coder", f"{first}\n{second[:60]}")
    assert seen(message)[2] == [("get_weather", {"city": "Paris"})]
    assert message["unparsed_tool_calls"][0]["name"] == "get_weather"


def test_half_a_call_is_never_completed():
    """A cut number or text would be another value, and look right."""
    message = parse("qwen2.5", '<tool_call>\n{"name": "pay", "arguments": {"amount": 100')
    assert "tool_calls" not in message
    assert message["unparsed_tool_calls"][0]["text"].endswith('"amount": 100')


# -- 12: what the model writes is refused --

STRANGE = [
    "",
    " \n",
    "<",
    "</think>",
    "<think>",
    "<think><think></think></think>",
    "<tool_call>",
    "</tool_call>",
    "<tool_call>\n{}\n</tool_call>",
    '<tool_call>\n{"name": 3}\n</tool_call>',
    '<tool_call>\n{"name": "f", "arguments": "x"}\n</tool_call>',
    '<tool_call>\n{"name": "f", "arguments": {}} {}\n</tool_call>',
    "<tool_call>\nf(\n</tool_call>",
    "</parameter>\n</function>\n</tool_call>",
    "<function=f>\n<parameter=a>\n</function>",
    "[TOOL_CALLS]",
    "[TOOL_CALLS][",
    "[TOOL_CALLS]bash[ARGS]",
    "[ARGS]{}",
    "<|channel|>",
    "<|channel|>final",
    "<|message|>a<|end|><|end|>",
    "<|start|>assistant<|start|>assistant<|channel|>oops<|message|>a",
    "<|channel|>commentary to=<|message|>{}<|call|>",
    "<|tool_call>call:f{a:<tool_call|>",
    '<|"|>',
    "{",
    '{"name"',
    "[f(",
    "[f(a=)]",
    "\x00\ufeff\U0010ffff",
    "\ud83d",
    "a" * 5000,
    "{" * 2000,
    "[" * 2000,
    "<" * 2000,
]


@pytest.mark.parametrize("family", sorted({form.family for form in forms()}))
def test_nothing_that_a_model_writes_is_refused(family):
    """Whatever comes, there is a message, and it holds what was written."""
    template = load(family)
    for output in STRANGE:
        parser, message, _ = streamed(template, [output], prompt=None, tools=TOOLS)
        assert message["role"] == "assistant"
        assert isinstance(message["content"], str)
        if output == "a" * 5000:
            assert output in (message["content"], message.get("reasoning_content"))
        assert "".join(output[start:end] for start, end, _ in parser.spans) == output


def test_text_after_a_call_is_kept():
    """It is an answer, and the call before it is a call."""
    output = f"{LOOKALIKE}\nThere you are."
    message = parse("qwen2.5", output)
    assert seen(message)[2] == [("get_weather", {"city": "Paris"})]
    assert message["content"].strip() == "There you are."


def test_a_broken_call_between_two_good_ones_is_kept_aside():
    """Only the broken one is not a call."""
    broken = '<tool_call>\n{"name": "f", "arguments": {"a": }}\n</tool_call>'
    message = parse("qwen2.5", f"{LOOKALIKE}\n{broken}\n{LOOKALIKE}")
    assert [name for name, _ in seen(message)[2]] == ["get_weather", "get_weather"]
    (left,) = message["unparsed_tool_calls"]
    assert left["status"] == "broken"
    assert '"a": }' in left["text"]


# -- 13: several calls --


@pytest.mark.parametrize("form", [form for form in forms() if form.name == "calls"], ids=form_id)
def test_calls_are_numbered_in_their_order(form):
    """Indices count calls, not tools, and every call has an id of its own."""
    _, message, events = streamed(form.template, form.output, prompt=form.prompt, tools=TOOLS)
    assert list(Folded(events).calls) == [0, 1]
    ids = [call["id"] for call in message["tool_calls"]]
    assert all(isinstance(identity, str) and identity for identity in ids)
    assert len(set(ids)) == 2
    assert [call["id"] for call in form.template.parse(form.output, prompt=form.prompt)["tool_calls"]] == ids


def test_two_calls_of_one_tool_are_two():
    """The same tool with the same arguments, too."""
    message = parse("qwen2.5", f"{LOOKALIKE}\n{LOOKALIKE}")
    assert len(message["tool_calls"]) == 2
    assert message["tool_calls"][0]["id"] != message["tool_calls"][1]["id"]


@pytest.mark.parametrize(
    ("family", "output", "ids"),
    [
        ("kimi-k2", "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:7<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>", ["functions.f:7"]),
        ("mistral-nemo", '[TOOL_CALLS][{"name": "f", "arguments": {}, "id": "A1b2C3d4E"}, {"name": "f", "arguments": {}, "id": "A1b2C3d4F"}]', ["A1b2C3d4E", "A1b2C3d4F"]),
        ("mistral-small3.2", "[TOOL_CALLS]f[CALL_ID]A1b2C3d4E[ARGS]{}", ["A1b2C3d4E"]),
        ("command-a", '<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "f", "parameters": {}}]<|END_ACTION|>', ["0"]),
        ("solar-open", "<|tool_calls|><|tool_call:begin|>A1<|tool_call:name|>f<|tool_call:args|>{}<|tool_call:end|><|calls|>", ["A1"]),
    ],
)  # fmt: skip
def test_an_id_that_the_model_wrote_is_kept(family, output, ids):
    """The model must see it again, letter by letter."""
    message = parse(family, output, "")
    assert [call["id"] for call in message["tool_calls"]] == ids
    assert [name for name, _ in seen(message)[2]] == ["f"] * len(ids)


@pytest.mark.parametrize("name", ["get-weather", "fs.read", "f:1", "a-b.c_d"])
def test_a_name_is_read_out_of_an_id_of_kimi(name):
    """`functions.NAME:NUMBER`, whatever the name has in it."""
    output = f"<|tool_calls_section_begin|><|tool_call_begin|>functions.{name}:3<|tool_call_argument_begin|>{{}}<|tool_call_end|><|tool_calls_section_end|>"
    message = parse("kimi-k2", output)
    assert seen(message)[2] == [(name, {})]
    assert message["tool_calls"][0]["id"] == f"functions.{name}:3"


# -- 14: names that nobody expected --


@pytest.mark.parametrize("name", ["get-weather", "fs.read", "ns::tool", "mcp__a__b", "unknown", "取得", "a/b"])
@pytest.mark.parametrize(
    ("family", "shape"),
    [
        ("qwen2.5", '<tool_call>\n{{"name": "{0}", "arguments": {{"a": "v"}}}}\n</tool_call>'),
        ("qwen3-coder", "<tool_call>\n<function={0}>\n<parameter=a>\nv\n</parameter>\n</function>\n</tool_call>"),
        ("glm4.5", "<tool_call>{0}\n<arg_key>a</arg_key>\n<arg_value>v</arg_value>\n</tool_call>"),
        (
            "deepseek-v3.1",
            '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>{0}<｜tool▁sep｜>{{"a": "v"}}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
        ),
        ("gemma4", '<|tool_call>call:{0}{{a:<|"|>v<|"|>}}<tool_call|>'),
        ("gpt-oss", '<|channel|>commentary to=functions.{0} <|constrain|>json<|message|>{{"a": "v"}}<|call|>'),
        ("mistral-v13", '[TOOL_CALLS]{0}[ARGS]{{"a": "v"}}'),
    ],
)
def test_any_name_is_kept(family, shape, name):
    """With hyphens, dots and colons, and of tools that were never offered: the caller decides, not the parser."""
    for tools in (TOOLS, None):
        for chunks in ([shape.format(name)], shape.format(name)):
            _, message, _ = streamed(load(family), chunks, prompt="", tools=tools)
            assert seen(message) == ("", "", [(name, {"a": "v"})])


@pytest.mark.parametrize("name", ["fs.read", "mcp__a__b", "unknown"])
@pytest.mark.parametrize(("family", "shape"), [("lfm2.5", "<|tool_call_start|>[{0}(a=1)]<|tool_call_end|>"), ("olmo3", "<function_calls>{0}(a=1)</function_calls>")])  # fmt: skip
def test_a_dotted_name_of_python_is_kept(family, shape, name):
    """Where calls are written as Python, a name may have dots."""
    assert seen(parse(family, shape.format(name))) == ("", "", [(name, {"a": 1})])


# -- 15: another edition of a template --


def edition(family, *changes):
    """A family's template for tools with some of its text changed, as a publisher's next revision."""
    facts = families.get(family)
    source = facts.variants.get("tool_use", facts.template)
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return ChatTemplate.from_string("{#- revision 2 -#}" + source, special_tokens=dict(facts.special_tokens))


@pytest.mark.parametrize("family", sorted({form.family for form in forms()}))
def test_another_edition_of_a_template_is_understood(family):
    """A template that is not known by its text is read by the markers that it writes."""
    changed = edition(family)
    for form in forms():
        if form.family == family:
            assert seen(changed.parse(form.output, prompt=form.prompt, tools=TOOLS)) == form.said, form.name


def test_markers_of_ones_own_are_found():
    """A template with other words for the same things needs no entry anywhere."""
    template = edition("qwen3", ("<tool_call>", "<my_call>"), ("</tool_call>", "</my_call>"), ("<think>", "<ponder>"), ("</think>", "</ponder>"))  # fmt: skip
    output = '<ponder>\na\n</ponder>\n\nb\n<my_call>\n{"name": "f", "arguments": {"a": 1}}\n</my_call><|im_end|>'
    assert seen(template.parse(output, prompt="")) == ("a", "b", [("f", {"a": 1})])


# -- 16: characters of several bytes, cut by tokens --


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_character_of_several_tokens_is_whole(size):
    """No event holds half of one, in reasoning, answer and arguments."""
    tokenizer = byte_tokenizer()
    call = '{"name": "get_weather", "arguments": {"city": "Zürich 🌍 東京"}}'
    ids = ids_of(
        tokenizer,
        "<think>",
        ["héé 🤔"],
        "</think>",
        ["naïve 👩‍👩‍👧 ñ"],
        "<tool_call>",
        [call],
        "</tool_call>",
        "<|im_end|>",
    )
    message, events = read_ids("qwen3", tokenizer, ids, size=size)
    assert seen(message) == ("héé 🤔", "naïve 👩‍👩‍👧 ñ", [("get_weather", {"city": "Zürich 🌍 東京"})])
    assert "\ufffd" not in json.dumps(events, ensure_ascii=False)
    assert Folded(events).content == "naïve 👩‍👩‍👧 ñ"


def test_half_a_character_at_the_end_is_told_as_such():
    """Bytes that make no character are shown as the sign for that, as everywhere, and nothing is raised."""
    tokenizer = byte_tokenizer()
    message, _ = read_ids("qwen3", tokenizer, ids_of(tokenizer, ["a🌍"])[:-1])
    assert message["content"].startswith("a")
    assert message["content"].strip("a\ufffd") == ""


# -- 17: what was read is written otherwise --

ROUND_TRIP = ("qwen2.5", "qwen3", "qwen3-coder", "qwen3.5", "glm4.5", "glm4.7", "deepseek-v3.1", "deepseek-v3.2", "deepseek-v4", "kimi-k3", "minimax-m2", "minimax-m3", "functiongemma", "mistral-nemo", "mistral-small3.2", "mistral-v13", "olmo3", "lfm2.5", "seed-oss", "granite4.0", "apertus", "inkling", "glimmer", "minicpm5", "step3.5", "nemotron3-nano")  # fmt: skip
ARGUMENTS = {
    "path": "a b",
    "text": "1\n  2",
    "n": 3,
    "x": 0.5,
    "yes": True,
    "no": False,
    "list": [1, "a", {"k": []}],
    "map": {"é": 1},
}
KINDS = {
    "path": "string",
    "text": "string",
    "n": "integer",
    "x": "number",
    "yes": "boolean",
    "no": "boolean",
    "list": "array",
    "map": "object",
}


@pytest.mark.parametrize("family", ROUND_TRIP)
def test_what_was_read_is_written_the_same_again(family):
    """A turn that is parsed and put back into the conversation gives the prompt that the model has already seen."""
    template, tools = load(family), [tool("f", **KINDS)]
    call = {"id": "abcdefg01", "type": "function", "function": {"name": "f", "arguments": ARGUMENTS}}
    question = {"role": "user", "content": "Go."}
    answer = {
        "role": "assistant",
        "content": "",
        "reasoning_content": "So.",
        "tool_calls": [call, {**call, "id": "abcdefg02"}],
    }
    asked = template.render([question], tools=tools, add_generation_prompt=True)
    whole = template.render([question, answer], tools=tools)
    if not whole.startswith(asked):  # the prompt has closed the reasoning, which the turn opens
        pytest.skip(f"the generation prompt is not how the turn begins: {asked[-30:]!r}")
    message = template.parse(whole[len(asked) :], prompt=asked, tools=tools)
    assert template.render([question, message], tools=tools) == whole


def test_arguments_are_an_object():
    """Templates differ in whether they take a text for the arguments; an object they can all be given."""
    for form in itertools.islice((form for form in forms() if form.said[2]), 50):
        for _, arguments in seen(form.template.parse(form.output, prompt=form.prompt, tools=TOOLS))[2]:
            assert type(arguments) is dict


def test_the_message_has_no_keys_for_what_is_not_there():
    """Nothing is `None`, and nothing is an empty list."""
    assert parse("qwen3", "Hi.<|im_end|>") == {"role": "assistant", "content": "Hi."}
    message = parse("qwen3", f"<think>\n{REASONING}\n</think>\n\nHi.<|im_end|>")
    assert message == {"role": "assistant", "content": "Hi.", "reasoning_content": REASONING}


# -- found by reading what engines test --


def in_pieces(template, output, **given):
    """The message, which is the same character by character."""
    whole = template.parse(output, **given)
    parser = template.parser(**given)
    for character in output:
        parser.feed(character)
    assert parser.finish() == whole
    return whole


def test_a_forgotten_closing_tag_does_not_swallow_the_next_argument():
    """An argument that the tool has ends a value, on a line of its own; one that it has not is the value's text."""
    both = {"city": {"type": "string"}, "days": {"type": "integer"}}
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": both}}}]
    begun = "<tool_call>\n<function=f>\n<parameter=city>\nParis"
    rest = "\n3\n</parameter>\n</function>\n</tool_call>"
    qwen = load("qwen3-coder")
    message = in_pieces(qwen, f"{begun}\n<parameter=days>{rest}", tools=tools)
    assert message["tool_calls"][0]["function"]["arguments"] == {"city": "Paris", "days": 3}
    message = in_pieces(qwen, f"{begun}\n<parameter=other>{rest}", tools=tools)
    assert message["tool_calls"][0]["function"]["arguments"] == {"city": "Paris\n<parameter=other>\n3"}


def test_words_before_a_line_break_are_no_tool():
    """Functionary's headers have no marker: a tool is one that there is, or one that an object follows."""
    template = load("functionary3.2")
    for output in ("Answer:\n{}", "Hello there.\nHow are you?", "Yes\nno"):
        assert in_pieces(template, output, prompt="", tools=TOOLS) == {"role": "assistant", "content": output}
    assert in_pieces(template, 'f\n{"a": 1}', prompt="")["tool_calls"][0]["function"]["name"] == "f"


def test_a_message_may_begin_without_its_header():
    """Where the end of a header says what follows, it ends the reasoning before it, too."""
    output = "<|think|>hm<|tool_calls|><|tool_call:begin|>abc<|tool_call:name|>f<|tool_call:args|>{}<|tool_call:end|><|calls|>"
    message = in_pieces(load("solar-open"), output, prompt="")
    assert (message["reasoning_content"], message["content"]) == ("hm", "")
    assert message["tool_calls"][0]["function"] == {"name": "f", "arguments": {}}


@pytest.mark.parametrize("end", ["]<|tool_call_end|>", "]", "<|tool_call_end|>", ""])
def test_half_an_end_of_calls_is_no_content(end):
    message = in_pieces(load("lfm2"), f"<|tool_call_start|>[get_weather(city='Paris'){end}")
    assert message["content"] == ""
    assert message["tool_calls"][0]["function"]["arguments"] == {"city": "Paris"}


def test_a_stop_token_in_brackets_and_bars_ends_the_answer():
    template = ChatTemplate.from_string(load("exaone4").source)
    assert in_pieces(template, "Hello, world![|endofturn|]", prompt="")["content"] == "Hello, world!"
