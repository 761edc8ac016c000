"""Conversations in which every text and number is unlike any other, and where each of them stands."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

#: Letters that no template writes, and no case map leads out of.
PRIVATE = "".join(map(chr, range(0x450, 0x470)))


def canaries(alphabet: str, prefix: str = "") -> Callable[[], str]:
    """A maker of texts of one alphabet, none of which occurs in another."""
    numbers = itertools.count(1)
    size = len(alphabet)

    def text() -> str:
        number = next(numbers) * 7919
        letters = [alphabet[number // size**place % size] for place in range(6)]
        return f"{prefix}{''.join(letters)}"

    return text


def plain_numbers() -> Callable[[], int]:
    """A maker of numbers of eight digits, none of which occurs in another."""
    numbers = itertools.count(10_000_019, 7_919)
    return lambda: next(numbers)


class Shape:
    """One shape of conversation, filled by the two makers.

    `options` are what `trace` takes besides the messages.
    """

    def __init__(self, kind: str, text: Callable[[], str], number: Callable[[], int] | None) -> None:
        self.kind = kind
        self._text = text
        self._number = number
        self.messages: list[dict[str, Any]] = []
        tools = kind in ("tools", "parts", "reasoning")
        self.options: dict[str, Any] = {"add_generation_prompt": kind == "prompted"}
        if tools:
            self.options["tools"] = [self._tool(), self._tool()]
        if kind == "documents":
            self.options["documents"] = [{"title": text(), "text": text()} for _ in range(2)]
        if kind != "no system":
            self._say("system")
        self._say("user", name=text())
        if tools:
            self._answer("reasoning" if kind == "reasoning" else "reasoning_content", [self._call(), self._call()])
            for call in self.messages[-1]["tool_calls"]:
                self._say("tool", tool_call_id=call["id"], name=text())
        self._answer("thinking" if kind == "reasoning" else "reasoning_content")
        self._say("user")
        if kind != "prompted":
            self._answer("reasoning_content")

    def fill_variables(self, names: tuple[str, ...]) -> None:
        """Give every variable that a template reads a text of its own."""
        self.options["variables"] = {name: self._text() for name in names}

    def places(self) -> dict[tuple[str, int | None, str, bool], Any]:
        """Every text and number of the input by kind, index and path; the names of keys apart."""
        found: dict[tuple[str, int | None, str, bool], Any] = {}
        given = {"message": self.messages, "tool": self.options.get("tools"), "document": self.options.get("documents")}
        for kind, values in given.items():
            for index, value in enumerate(values or ()):
                found.update(((kind, index, path, key), leaf) for path, key, leaf in leaves(value))
        for name, value in self.options.get("variables", {}).items():
            found.update((("variable", None, path, key), leaf) for path, key, leaf in leaves(value, name))
        return found

    def _scalar(self) -> Any:
        return self._number() if self._number else self._text()

    def _tool(self) -> dict[str, Any]:
        text = self._text
        required = text()
        properties = {
            required: {"type": "string", "description": text()},
            text(): {"type": "integer", "enum": [self._scalar(), self._scalar()]},
        }
        parameters = {"type": "object", "properties": properties, "required": [required]}
        return {"type": "function", "function": {"name": text(), "description": text(), "parameters": parameters}}

    def _call(self) -> dict[str, Any]:
        text = self._text
        arguments = {
            text(): text(),
            text(): self._scalar(),
            text(): [text(), self._scalar() + 0.5 if self._number else text()],
            text(): {text(): text()},
        }
        return {
            "id": (text() + text())[:9],
            "type": "function",
            "function": {"name": text(), "arguments": arguments},
        }

    def _say(self, role: str, **fields: Any) -> None:
        content: Any = self._text()
        if self.kind == "parts":
            content = [{"type": "text", "text": content}, {"type": "text", "text": self._text()}]
        self.messages.append({"role": role, "content": content, **fields})

    def _answer(self, reasoning: str, calls: list[dict[str, Any]] | None = None) -> None:
        self._say("assistant", **{reasoning: self._text()}, **({"tool_calls": calls} if calls else {}))


KINDS = ("plain", "no system", "tools", "reasoning", "parts", "documents", "prompted", "variables")


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, bool, Any]]:
    """The texts, numbers and names of keys in a tree: path, whether it is a key, and what stands there."""
    if isinstance(value, dict):
        for key, item in value.items():
            place = f"{path}[{key!r}]" if not key.isidentifier() else f"{path}.{key}" if path else key
            yield place, True, key
            yield from leaves(item, place)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    elif value is not None and not isinstance(value, bool):
        yield path, False, value
