"""Builds messages where one turn of the assistant comes in several items: reasoning, words, calls."""

from __future__ import annotations

from typing import Any

from .example import Message
from .notes import Notes
from .pairing import pair


class Turns:
    """Messages in the making.

    >>> turns = Turns(Notes())
    >>> turns.reason("Hm.", "[0]")
    >>> turns.say({"role": "assistant", "content": "No."}, "[1]")
    >>> turns.messages()
    [{'role': 'assistant', 'reasoning_content': 'Hm.', 'content': 'No.'}]
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._messages: list[Message] = []
        self._places: list[str] = []
        #: The assistant's turn that may still grow.
        self._open: Message | None = None

    def reason(self, text: str, place: str) -> None:
        """Reasoning, which begins a turn unless nothing but reasoning precedes it."""
        if not text:
            self._notes.add("removed", place, "empty reasoning")
            return
        if self._open is not None and ("content" in self._open or "tool_calls" in self._open):
            self._open = None
        turn = self._turn(place)
        if "reasoning_content" in turn:
            self._notes.add("changed", place, "several pieces of reasoning are one")
            text = f"{turn['reasoning_content']}\n\n{text}"
        turn["reasoning_content"] = text

    def say(self, message: Message, place: str) -> None:
        """Words, which follow reasoning in the same turn, and begin one after anything else."""
        if self._open is not None and ("content" in self._open or "tool_calls" in self._open):
            self._open = None
        self._turn(place).update(message)

    def call(self, call: dict[str, Any], place: str) -> None:
        """A call, which belongs to the turn before it."""
        self._turn(place).setdefault("tool_calls", []).append(call)

    def add(self, message: Message, place: str) -> None:
        """A message of anybody else, which ends the turn."""
        self._open = None
        self._messages.append(message)
        self._places.append(place)

    def messages(self) -> list[Message]:
        """What was built, with calls and results paired."""
        for message in self._messages:
            if "content" not in message and "tool_calls" not in message:
                message["content"] = ""
        pair(self._messages, self._places, self._notes)
        return self._messages

    def _turn(self, place: str) -> Message:
        if self._open is None:
            self.add({"role": "assistant"}, place)
            self._open = self._messages[-1]
        return self._open
