"""Honest templates and long conversations: what renders two messages renders a thousand, with default limits."""

import json
import os
from pathlib import Path

import pytest

from llm_templates import BudgetError, ChatTemplate, TemplatesError
from llm_templates.engine import Limits

CORPUS = Path(os.environ.get("LLM_TEMPLATES_CORPUS", "/nonexistent"))
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="LLM_TEMPLATES_CORPUS names no corpus")

LENGTH = 1_000
LOOSE = Limits(steps=10**12, created=10**12, value=10**12, output=10**12)
TEXTS = (
    "Could you tell me a little more about number {}, please?",
    "Certainly. Number {} is a fine number, and I like it.",
)
TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Looks up a number.",
        "parameters": {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]},
    },
}


def plain(length):
    """Alternating messages of some sixty characters."""
    return [
        {"role": ("user", "assistant")[index % 2], "content": TEXTS[index % 2].format(index)} for index in range(length)
    ]


def with_tools(length):
    """The same, where every third answer looks something up first."""
    messages = []
    turn = 0
    while len(messages) < length:
        messages.append({"role": "user", "content": TEXTS[0].format(turn)})
        if turn % 3 == 0:
            call = {"name": "look_up", "arguments": {"number": turn}}
            messages.append(
                {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [{"id": f"call{turn:05}", "type": "function", "function": call}],
                }
            )
            messages.append(
                {"role": "tool", "name": "look_up", "tool_call_id": f"call{turn:05}", "content": f"{turn}: fine"}
            )
        messages.append({"role": "assistant", "content": TEXTS[1].format(turn)})
        turn += 1
    return messages


def steps_needed(source, tokens, messages, tools):
    """The least power of two of steps, in millions, with which it renders."""
    millions = 1
    while True:
        limits = Limits(steps=millions * 1_000_000, steps_per_node=0, steps_per_pair=0, created=10**12, value=10**12)
        try:
            ChatTemplate.from_string(source, special_tokens=tokens, limits=limits).render(messages, tools=tools)
            return millions
        except BudgetError:
            millions *= 2


@pytest.mark.parametrize("kind", ["plain", "with tools"])
def test_what_renders_two_messages_renders_a_thousand(kind, capsys):
    """No template of the corpus meets a limit on a conversation of a thousand messages."""
    make, tools = (plain, None) if kind == "plain" else (with_tools, [TOOL])
    index = json.loads((CORPUS / "index.json").read_text(encoding="utf-8"))
    accepted, refused, stopped = 0, [], []
    for path in sorted((CORPUS / "templates").glob("*.jinja")):
        source, tokens = path.read_text(encoding="utf-8"), index[path.stem]["special_tokens"]
        try:
            template = ChatTemplate.from_string(source, special_tokens=tokens)
            template.render(make(2), tools=tools)
        except TemplatesError:
            continue
        accepted += 1
        messages = make(LENGTH)
        try:
            template.render(messages, tools=tools)
        except BudgetError as error:
            stopped.append(f"{path.stem}: {error.message} ({steps_needed(source, tokens, messages, tools)} M steps)")
        except TemplatesError as error:
            refused.append(f"{path.stem}: {error.message[:80]}")
    with capsys.disabled():
        print(f"\n{kind}: {accepted - len(refused) - len(stopped)} of {accepted} templates render {LENGTH} messages")
        print("\n".join(refused))
    assert accepted > 100
    assert stopped == []
