"""What is trained on: options, weights of messages, blocks, and what is reported instead of passed over."""

import pytest

from llm_templates import ChatTemplate, InputError, RaisedError, TemplateRuntimeError, Training, families, load
from llm_templates.masking import weight_of

TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "One?"},
    {"role": "assistant", "content": "1.", "reasoning_content": "Easy."},
    {"role": "user", "content": "Two?"},
    {"role": "assistant", "content": "2.", "reasoning_content": "Hm."},
]


def trained(name, talk=TALK, tools=None, **training):
    prompt = load(name).trace(talk, tools=tools)
    mask = prompt.mask(Training(**training))
    return [str(prompt)[start:end] for start, end, _ in mask.spans]


def test_what_the_model_would_write_is_the_default():
    """From after the generation prompt to the stop token, in every turn."""
    assert trained("zephyr") == ["1.</s>", "2.</s>"]
    assert trained("qwen3") == ["1.<|im_end|>", "<think>\nHm.\n</think>\n\n2.<|im_end|>"]


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        ({"turns": "last"}, ["2.</s>"]),
        ({"messages": [2]}, ["1.</s>"]),
        ({"header": True}, ["<|assistant|>\n1.</s>", "<|assistant|>\n2.</s>"]),
        ({"stop": False}, ["1.", "2."]),
        ({"trailing": True}, ["1.</s>\n", "2.</s>\n"]),
        ({"roles": ("user",)}, ["One?", "Two?"]),
        ({"roles": ("assistant", "system"), "turns": "last"}, ["Be brief.", "2.</s>"]),
        ({"roles": ("assistant",), "messages": [1]}, []),
    ],
)
def test_options(training, expected):
    """Each option changes what it names and nothing else."""
    assert trained("zephyr", **training) == expected


def test_reasoning_can_be_left_out():
    """With the marks around it."""
    assert trained("qwen3", reasoning=False) == ["1.<|im_end|>", "2.<|im_end|>"]


def test_calls_alone():
    """Of a turn with calls, what follows its words; of one without, nothing."""
    call = {"id": "call00001", "type": "function", "function": {"name": "add", "arguments": {"a": 1}}}
    tool = {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object"}}}
    talk = [
        {"role": "user", "content": "1 + 1?"},
        {"role": "assistant", "content": "I add.", "tool_calls": [call]},
        {"role": "tool", "content": "2", "tool_call_id": "call00001"},
        {"role": "assistant", "content": "2."},
    ]
    assert trained("qwen3", talk, [tool], calls_only=True) == [
        '\n<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call><|im_end|>'
    ]


@pytest.mark.parametrize(
    ("said", "weight"),
    [
        ({}, 1.0),
        ({"weight": 0}, 0.0),
        ({"weight": -0.5}, -0.5),
        ({"train": True}, 1.0),
        ({"trainable": False}, 0.0),
        ({"loss": 0.25}, 0.25),
        ({"loss_weight": 2}, 2.0),
        ({"step_loss_mask": 0}, 0.0),
        ({"masked": True}, 0.0),
        ({"masked": False}, 1.0),
        ({"masked": 1}, 0.0),
        ({"weight": 0, "train": False}, 0.0),
        ({"weight": None}, 1.0),
    ],
)
def test_messages_say_what_they_weigh(said, weight):
    """Eight names are in use for it."""
    assert weight_of({"role": "assistant", "content": "Hi", **said}, 0) == weight
    talk = [TALK[1], {"role": "assistant", "content": "1.", **said}]
    spans = load("zephyr").trace(talk).mask().spans
    assert [span.weight for span in spans] == ([weight] if weight else [])
    assert [span.weight for span in load("zephyr").trace(talk).mask(Training(weights=False)).spans] == [1.0]


@pytest.mark.parametrize(
    "said", [{"weight": 0, "train": True}, {"weight": "high"}, {"loss": [1]}, {"weight": float("nan")}]
)
def test_weights_that_say_nothing_or_two_things(said):
    """They are refused, with the message and the key."""
    with pytest.raises(InputError, match=r"messages\[4\]"):
        weight_of(said, 4)


def test_blocks_are_honoured_when_asked_for():
    """And compared otherwise."""
    source = (
        "{% for m in messages %}<|{{ m.role }}|>{% generation %}{{ m.content }}{% endgeneration %}<|end|>{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    prompt = ChatTemplate.from_string(source).trace(TALK[1:3])
    assert [str(prompt)[s:e] for s, e, _ in prompt.mask(Training(blocks=True)).spans] == ["One?", "1."]
    assert [str(prompt)[s:e] for s, e, _ in prompt.mask().spans] == ["1.<|end|>"]
    assert "generation blocks mark other stretches" in prompt.mask().findings[0]


def test_nothing_is_passed_over():
    """An empty mask, missing blocks, and turns that are rewritten are findings."""
    assert load("zephyr").trace(TALK[:2]).mask().findings == ("nothing of the prompt is trained on",)
    assert "no generation blocks" in load("zephyr").trace(TALK).mask(Training(blocks=True)).findings[0]
    rewritten = load("deepseek-r1").trace([TALK[1], TALK[2]]).mask()
    assert "is written without '<think>\\n'" in rewritten.findings[0]
    with pytest.raises(InputError, match="neither 'all' nor 'last'"):
        load("zephyr").trace(TALK).mask(Training(turns="first"))


CALL = {"id": "call00001", "type": "function", "function": {"name": "add", "arguments": {"a": 1}}}
PARAMETERS = {"type": "object", "properties": {"a": {"type": "integer"}}}
TOOL = {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": PARAMETERS}}
CALLING = [
    TALK[1],
    {"role": "assistant", "content": "", "reasoning_content": "Zebra one.", "tool_calls": [CALL]},
    {"role": "tool", "content": "2", "name": "add", "tool_call_id": "call00001"},
    {"role": "assistant", "content": "1.", "reasoning_content": "Zebra two."},
    TALK[3],
    {"role": "assistant", "content": "2.", "reasoning_content": "Zebra three."},
]


@pytest.mark.parametrize("name", families.names())
@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "thinking"])
def test_reasoning_that_the_template_leaves_out_is_told(name, key):
    """Of each turn that counts, under whichever name the reasoning comes."""

    def renamed(message):
        return {(key if field == "reasoning_content" else field): value for field, value in message.items()}

    in_parts = [{**message, "content": [{"type": "text", "text": message["content"]}]} for message in TALK[1:]]
    told = 0
    for given, tools in ((TALK[1:], None), (in_parts, None), (CALLING, [TOOL])):
        talk = [renamed(message) for message in given]
        try:
            prompt = load(name).trace(talk, tools=tools)
        except (RaisedError, TemplateRuntimeError):
            continue
        missing = [
            f"messages[{turn}]: its reasoning is not in the prompt"
            for turn in sorted({turn.message for turn in prompt.turns})
            if talk[turn][key] not in str(prompt)
        ]
        assert [finding for finding in prompt.mask().findings if "reasoning is not" in finding] == missing
        told += 1
    assert told, "no conversation that the template takes"


def test_reasoning_is_told_of_only_where_it_is_missed():
    """Not of turns that do not count, nor of a message that has none or from which the template makes other text."""

    def told(talk=TALK, name="qwen3", **training):
        return load(name).trace(talk).mask(Training(**training)).findings

    missing = ("messages[2]: its reasoning is not in the prompt",)
    assert told() == told(reasoning=False) == missing
    assert told(turns="last") == told(messages=[4]) == ()
    assert told([*TALK[:2], {**TALK[2], "weight": 0}, *TALK[3:]]) == ()
    assert told([*TALK[:2], {**TALK[2], "reasoning_content": " \n"}, *TALK[3:]]) == ()
    assert told(calls_only=True) == ("nothing of the prompt is trained on",)
    shouting = ChatTemplate.from_string(
        "{% for m in messages %}<|{{ m.role }}|>{{ m.reasoning_content | default('') | upper }}{{ m.content }}<|end|>"
        "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    assert shouting.trace(TALK[1:3]).mask().findings == ()


@pytest.mark.parametrize("training", ["last", "all", None, ("assistant",)])
def test_what_is_no_training(training):
    """The error shows what to write."""
    with pytest.raises(InputError, match=r'Training\(turns="last"\)'):
        load("zephyr").trace(TALK).mask(training)


def test_prefill_ends_where_the_text_does():
    """White space that the template drops is told, and a text that is written twice is cut where the model writes it."""
    talk = [TALK[1], {"role": "assistant", "content": "The answer is \n"}]
    found = load("llama3").prefill(talk)
    assert str(found.prompt).endswith("assistant<|end_header_id|>\n\nThe answer is")
    assert found.dropped == " \n"
    twice = ChatTemplate.from_string(
        "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}<|last|>{{ messages[-1].content }}"
    )
    assert str(twice.prefill([TALK[1], {"role": "assistant", "content": "1."}]).prompt).endswith("<|assistant|>1.")
    shouting = ChatTemplate.from_string(
        "{% for m in messages %}<|{{ m.role }}|>{{ m.content | upper }}<|end|>{% endfor %}"
    )
    assert (
        str(shouting.prefill([TALK[1], {"role": "assistant", "content": "So"}]).prompt)
        == "<|user|>ONE?<|end|><|assistant|>SO"
    )


def test_prefill_of_reasoning():
    """Any field of the last message."""
    talk = [TALK[1], {"role": "assistant", "content": "", "reasoning_content": "First"}]
    assert str(load("qwen3").prefill(talk, field="reasoning_content").prompt).endswith("<think>\nFirst")
    with pytest.raises(InputError, match="does not hold the 'content'"):
        load("qwen3").prefill(talk)


def test_prefill_of_parts():
    """The end of the last part, of however many, with the white space that was dropped of it."""
    source = "{% for m in messages %}<|{{ m.role }}|>{% for p in m.content %}{{ p.text | trim }}{% endfor %}<|end|>{% endfor %}"
    parts = [{"type": "text", "text": f"part {number} "} for number in range(12)]
    found = ChatTemplate.from_string(source).prefill([{"role": "assistant", "content": parts}])
    assert str(found.prompt).endswith("part 10part 11")
    assert found.dropped == " "


def test_probes_wait_until_they_are_needed():
    """A trace alone asks nothing about the template, and what probes told is kept for a bounded number of variables."""
    template = ChatTemplate.from_string("{% for m in messages %}{{ m.content }}{{ number }}{% endfor %}")
    template.trace(TALK)
    assert template._stops is None
    for number in range(300):
        assert template.trace(TALK, variables={"number": number}).turns
    assert len(template._openings) <= 256
