"""Transcripts in one text: every turn after a blank line and `Human:` or `Assistant:`."""

from __future__ import annotations

import re
from typing import Any

from .example import Message
from .notes import Notes, wrong
from .texts import text_of
from .writing import refuse_roles, words_only

MARKS = {"Human": "user", "Assistant": "assistant"}
NAMES = {role: name for name, role in MARKS.items()}
TURN = re.compile(r"\n\n(Human|Assistant):")


def is_transcript(text: Any) -> bool:
    """Whether a text begins with a turn."""
    return isinstance(text, str) and TURN.match(text) is not None


def turns_of(text: Any, place: str) -> list[Message]:
    """The messages of a transcript; a name with nothing after it is where the model goes on.

    Raises:
        InputError: it does not begin with a turn.

    >>> turns_of("\\n\\nHuman: Hi\\n\\nAssistant:", "text")
    [{'role': 'user', 'content': 'Hi'}]
    """
    if not isinstance(text, str) or not is_transcript(text):
        raise wrong(place, "a transcript is a text that begins with a blank line and 'Human:'")
    pieces = TURN.split(text)[1:]
    if pieces[-2:] == ["Assistant", ""]:
        pieces = pieces[:-2]
    return [{"role": MARKS[name], "content": _said(text)} for name, text in zip(pieces[::2], pieces[1::2], strict=True)]


def _said(text: str) -> str:
    return text.removeprefix(" ")


def answer_of(text: Any, place: str) -> list[Message]:
    """What goes on where a transcript ends, as the assistant's message.

    Raises:
        InputError: it is no text, or holds a turn of its own.
    """
    if not isinstance(text, str):
        raise wrong(place, f"an answer is text, not {type(text).__name__}")
    if TURN.search(text):
        raise wrong(place, "it is more than one turn")
    return [{"role": "assistant", "content": _said(text)}]


def transcript(messages: list[Message], notes: Notes) -> str:
    """Messages as a transcript; where the last is the user's, it ends with the assistant's name.

    Raises:
        InputError: a text holds what would begin a turn.
    """
    text = ""
    for index, message in enumerate(messages):
        at = f"messages[{index}]"
        refuse_roles(message, at, tuple(NAMES), "hh")
        words_only(message, at, "hh", notes)
        said = text_of(message.get("content"), f"{at}.content", notes)
        if TURN.search(said):
            raise wrong(f"{at}.content", "the text holds what would begin a turn: a blank line and a name")
        text += f"\n\n{NAMES[message['role']]}: {said}"
    return text if messages and messages[-1]["role"] == "assistant" else f"{text}\n\nAssistant:"
