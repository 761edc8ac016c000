"""The names that roles go by, and the one name each has here."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from .notes import Notes, wrong

#: Every name of a role, in small letters.
ROLES = {
    "system": "system",
    "developer": "developer",
    **dict.fromkeys(("user", "human", "input", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "bot", "output", "ai", "model", "chatbot"), "assistant"),
    **dict.fromkeys(("tool", "function", "observation", "ipython", "tool_response"), "tool"),
    **dict.fromkeys(("function_call", "tool_call"), "assistant"),
}
#: Of these, the ones whose text is a call rather than what the assistant says.
CALLING = ("function_call", "tool_call")
#: The roles of those who have nothing but words, by the names that they have here.
SPEAKERS = ("user", "assistant", "system", "developer")


def role_of(name: Any, place: str, notes: Notes) -> str:
    """The role that a name stands for.

    Raises:
        InputError: nobody knows it.

    >>> role_of("human", "conversations[0].from", Notes())
    'user'
    """
    if not isinstance(name, str):
        raise wrong(place, f"a role is text, not {type(name).__name__}")
    known = name.strip().lower()
    if known not in ROLES:
        near = difflib.get_close_matches(known, ROLES, 1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise wrong(place, f"{name!r} is no role", f"{meant}known are {', '.join(ROLES)}")
    if ROLES[known] != name:
        notes.add("renamed", place, f"the role {name!r} is {ROLES[known]!r}")
    return ROLES[known]


def is_call(turn: Mapping[str, Any]) -> bool:
    """Whether the text of a turn is a call.

    >>> is_call({"from": "function_call", "value": "{}"}), is_call({"role": "assistant", "content": "{}"})
    (True, False)
    """
    return str(turn.get("role", turn.get("from"))).strip().lower() in CALLING


def has_words_alone(message: Any) -> bool:
    """Whether a message is role and content, the role by its name here and the content text: as it is read.

    >>> has_words_alone({"role": "user", "content": "Hi"}), has_words_alone({"role": "human", "content": "Hi"})
    (True, False)
    """
    if not isinstance(message, dict) or len(message) != 2:
        return False
    return message.get("role") in SPEAKERS and isinstance(message.get("content"), str)
