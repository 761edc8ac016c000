"""What is sampled: all of the assistant's words and none of anybody else's, over every template of the corpus."""

import json
import os
from pathlib import Path

import pytest

from llm_templates import ChatTemplate, TemplatesError, families, load

CORPUS = Path(os.environ.get("LLM_TEMPLATES_CORPUS", "/nonexistent"))

TOOL = {
    "type": "function",
    "function": {
        "name": "Qztool",
        "description": "Qzdescription",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "Qzparameter"}},
            "required": ["city"],
        },
    },
}
CALL = {
    "id": "Qzid12345",
    "type": "function",
    "function": {"name": "Qztool", "arguments": {"city": "Qzargument value"}},
}
RESULT = {"role": "tool", "tool_call_id": "Qzid12345", "name": "Qztool", "content": "Qzresult words"}


def user(number):
    return {"role": "user", "content": f"Qzu{number}user words"}


def assistant(number, **more):
    return {"role": "assistant", "content": f"Qza{number}answer words", **more}


CONVERSATIONS = {
    "plain": ([user(1), assistant(2), user(3), assistant(4)], None),
    "system": ([{"role": "system", "content": "Qzsystem words"}, user(1), assistant(2), user(3), assistant(4)], None),
    "reasoning": (
        [
            user(1),
            assistant(2, reasoning_content="Qzr2 thoughts"),
            user(3),
            assistant(4, reasoning_content="Qzr4 thoughts"),
        ],
        None,
    ),
    "tools": ([user(1), assistant(2, tool_calls=[CALL]), RESULT, assistant(4), user(5), assistant(6)], [TOOL]),
    "calls alone": ([user(1), {**assistant(2), "content": "", "tool_calls": [CALL]}, RESULT, assistant(4)], [TOOL]),
    "ends with the user": ([user(1), assistant(2), user(3)], None),
}

#: Templates whose turns do not begin after what they add for an answer, and why.
WITHOUT_A_PROMPT = {
    "aabbdev-state-model-interface": "the model writes the header of its own turn; it is not trained on by default",
    "allenai-open-instruct-simple-chat": "there is no generation prompt, only a header; it is not trained on by default",
}


def mistakes(template, messages, tools):
    """What the mask of a prompt has wrong; None when the template does not render the conversation."""
    try:
        prompt = template.trace(messages, tools=tools)
    except TemplatesError:
        return None
    found, kept, written = [], set(), set()
    assert prompt.sampled == sorted(prompt.sampled)
    for segment in prompt.segments:
        origin = segment.origin
        # A role is a header's word; the header of the next turn may be what ends one.
        if origin.kind == "template" or (origin.kind == "message" and origin.path in ("role", "name")):
            continue
        if origin.kind == "message" and messages[origin.index]["role"] == "assistant" and segment.text.strip():
            (kept if segment.sampled else written).add((origin.index, origin.path))
        elif segment.sampled and segment.text.strip():
            found.append(("foreign", str(origin), segment.text))
    # What is written twice, such as a call's name beside its result, is the model's once.
    found += [("missed", place) for place in written - kept]
    return found + list(_unlike_the_prompt(template, messages, tools, prompt))


def _unlike_the_prompt(template, messages, tools, prompt):
    """Turns that do not begin where a prompt to write them ends, although that prompt is a prefix."""
    seen = set()
    for turn in prompt.turns:
        if turn.message in seen:
            continue
        seen.add(turn.message)
        before = messages[: turn.message]
        try:
            asked = template.render(before, tools=tools, add_generation_prompt=True)
            plain = template.render(before, tools=tools)
        except TemplatesError:
            continue
        if asked != plain and str(prompt).startswith(asked) and turn.start != len(asked):
            yield ("not after the prompt", turn.message, asked[-30:])


@pytest.mark.parametrize("name", families.names())
def test_the_mask_of_a_family(name):
    """Every built-in family, on every conversation that it renders."""
    template = load(name)
    rendered = 0
    for messages, tools in CONVERSATIONS.values():
        found = mistakes(template, messages, tools)
        rendered += found is not None
        assert not found, found
    assert rendered or name in NEEDS_MORE, "no conversation was rendered"


#: Families that render none of these conversations, and why.
NEEDS_MORE: dict[str, str] = {}


@pytest.mark.skipif(not CORPUS.is_dir(), reason="LLM_TEMPLATES_CORPUS names no corpus")
def test_the_mask_of_every_template():
    """All that render, without an exception but those listed."""
    index = json.loads((CORPUS / "index.json").read_text("utf-8"))
    wrong, rendered = {}, 0
    for slug, entry in sorted(index.items()):
        source = (CORPUS / "templates" / f"{slug}.jinja").read_bytes().decode("utf-8")
        try:
            template = ChatTemplate.from_string(source, special_tokens=entry["special_tokens"])
        except TemplatesError:
            continue
        for shape, (messages, tools) in CONVERSATIONS.items():
            found = mistakes(template, messages, tools)
            rendered += found is not None
            if found and not (slug in WITHOUT_A_PROMPT and all(kind == "not after the prompt" for kind, *_ in found)):
                wrong[slug, shape] = found
    assert rendered > 2000
    assert not wrong, dict(list(wrong.items())[:5])
    print(f"\nmasks of {rendered:,} prompts hold; listed: {', '.join(WITHOUT_A_PROMPT)}")
