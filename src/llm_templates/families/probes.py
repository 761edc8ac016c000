"""Probe conversations: small, of every shape that templates treat differently, with words that nobody else uses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

#: What `strftime_now` tells a template that is probed.
TIME = datetime(2025, 1, 2, 3, 4, 5)

TOOL = {
    "type": "function",
    "function": {
        "name": "qzlookup",
        "description": "Qztoolwords.",
        "parameters": {
            "type": "object",
            "properties": {"qzkey": {"type": "string", "description": "Qzkeywords."}, "qzcount": {"type": "integer"}},
            "required": ["qzkey"],
        },
    },
}


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def _assistant(text: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def _call(number: int, arguments: dict[str, Any]) -> dict[str, Any]:
    function = {"name": "qzlookup", "arguments": arguments}
    return {"id": f"call0000{number}", "type": "function", "function": function}


_SYSTEM = {"role": "system", "content": "Qzsystem be brief."}
_THOUGHTS = dict.fromkeys(("reasoning_content", "thinking", "reasoning"), "Qzthought about it.")
RESULT = {"role": "tool", "tool_call_id": "call00001", "name": "qzlookup", "content": "Qzresult"}
CALLED = [_user("Qzone?"), _assistant("", tool_calls=[_call(1, {"qzkey": "Qzvalue", "qzcount": 3})])]

#: Contexts by name: what a template is rendered with, beside the special tokens.
PROBES: dict[str, dict[str, Any]] = {
    "a question": {"messages": [_user("Qzone?")], "add_generation_prompt": True},
    "system and turns": {
        "messages": [_SYSTEM, _user("Qzone?"), _assistant(" Qztwo. "), _user("Qzthree?")],
        "add_generation_prompt": True,
    },
    "whole turns": {"messages": [_user("Qzone?"), _assistant("Qztwo."), _user("Qzthree?"), _assistant("Qzfour.")]},
    "reasoning at the end": {"messages": [_user("Qzone?"), _assistant("Qztwo.", **_THOUGHTS)]},
    "reasoning before a question": {
        "messages": [_user("Qzone?"), _assistant("Qztwo.", **_THOUGHTS), _user("Qzthree?")],
        "add_generation_prompt": True,
    },
    "tools": {"messages": [_SYSTEM, _user("Qzone?")], "tools": [TOOL], "add_generation_prompt": True},
    "a tool's result": {"messages": [*CALLED, RESULT], "tools": [TOOL], "add_generation_prompt": True},
    "calls in history": {
        "messages": [*CALLED, RESULT, _assistant("Qztwo."), _user("Qzthree?")],
        "tools": [TOOL],
    },
    "reasoning off": {
        "messages": [_user("Qzone?")],
        "add_generation_prompt": True,
        "enable_thinking": False,
        "thinking": False,
    },
    "reasoning on": {
        "messages": [_user("Qzone?")],
        "add_generation_prompt": True,
        "enable_thinking": True,
        "thinking": True,
    },
    "parts": {
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Qzone?"}]}],
        "add_generation_prompt": True,
    },
    "an image": {
        "messages": [{"role": "user", "content": [{"type": "image", "url": "qz"}, {"type": "text", "text": "Qzone?"}]}],
        "add_generation_prompt": True,
    },
    "no generation prompt": {"messages": [_SYSTEM, _user("Qzone?")]},
    "two of one role": {"messages": [_user("Qzone?"), _user("Qztwo?")], "add_generation_prompt": True},
    "the assistant first": {"messages": [_assistant("Qzone."), _user("Qztwo?")], "add_generation_prompt": True},
    "a late system message": {"messages": [_user("Qzone?"), _assistant("Qztwo."), _SYSTEM, _user("Qzthree?")]},
    "another role": {
        "messages": [_user("Qzone?"), {"role": "developer", "content": "Qztwo."}],
        "add_generation_prompt": True,
    },
    "an empty system message": {
        "messages": [{"role": "system", "content": ""}, _user("Qzone?")],
        "add_generation_prompt": True,
    },
    "documents": {
        "messages": [_user("Qzone?")],
        "documents": [{"doc_id": 1, "title": "Qztitle", "text": "Qzdocument."}],
        "add_generation_prompt": True,
    },
    "a level of reasoning": {
        "messages": [_user("Qzone?")],
        "add_generation_prompt": True,
        "reasoning_effort": "low",
        "thinking_effort": "low",
    },
}
