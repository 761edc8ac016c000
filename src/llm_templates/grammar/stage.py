"""Stage: where a template writes probes: what it writes for the assistant, cut out of the prompt."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from ..errors import BudgetError, TemplatesError
from ..families.markers import CONTROL
from ..families.probes import TIME
from ..families.switches import Switch
from .differences import lead, same_start
from .probes import ANSWER, NEXT, QUESTION, RESULT, TOOLS, assistant, user

#: How many prompts are rendered at most, and how long what follows the question may be, in characters.
RENDERS, LONGEST = 60, 8_000
#: Wishes that a switch may know for reasoning and for none, the plainest first.
ON, OFF = ("on", "high", "medium"), ("off", "none")
#: Variables without which old templates write nothing: the tools as JSON text, and the time.
VARIABLES = {"functions": json.dumps(TOOLS), "datetime": str(TIME)}


class Manner(NamedTuple):
    """What a template needs so that it writes an answer at all."""

    #: Whether tools are given where a probe has none.
    tools: bool = False
    #: Whether content is a list of parts.
    parts: bool = False
    #: Whether the user speaks again after the assistant.
    followed: bool = False


_MANNERS = (
    Manner(),
    Manner(parts=True),
    Manner(tools=True),
    Manner(followed=True),
    Manner(tools=True, parts=True),
    Manner(tools=True, followed=True),
)


class Stage:
    """Renders probes, and cuts out what the template writes after the user's question.

    Args:
        render: the template.
        variables: the variables that it reads.
        switch: how it is told to reason.
    """

    def __init__(self, render: Callable[..., str], variables: Collection[str], switch: Switch | None) -> None:
        self._render = render
        self._given = {name: value for name, value in VARIABLES.items() if name in variables}
        settings = switch.settings if switch else {}
        #: The variables of each way to ask: "" for none, "on" and "off".
        self._wishes: dict[str, dict[str, Any]] = {"": {}}
        for wish, names in (("on", ON), ("off", OFF)):
            name = next((name for name in names if name in settings), None)
            if name is not None:
                self._wishes[wish] = dict(settings[name])
        self._questions: dict[tuple[bool, str], str] = {}
        #: How many prompts were rendered.
        self.renders = 0
        for manner in (*_MANNERS, Manner()):
            self._take(manner)
            if self.answer is not None:
                break

    def _take(self, manner: Manner) -> None:
        self.manner, self.prompt = manner, ""
        self._questions.clear()
        #: The generation prompt; "" for none.
        self.prompt = self.said([], generation=True) or ""
        answer = self.said([assistant(ANSWER)])
        #: What is written for an answer of nothing but `ANSWER`; None where the template writes none.
        self.answer = answer if answer is not None and ANSWER in answer else None

    @property
    def wishes(self) -> tuple[str, ...]:
        """The ways to ask for reasoning that the template knows: "" and perhaps "on" and "off"."""
        return tuple(self._wishes)

    def said(
        self, messages: Sequence[dict[str, Any]], *, tools: bool = False, generation: bool = False, wish: str = ""
    ) -> str | None:
        """What follows the question where these messages do, without what follows it anyway; None if refused.

        It ends where the tool's result or the user's next words begin. White space at its beginning is left out, except
        from what precedes an answer that the model is to give.
        """
        said = self._after_question(messages, tools, generation, wish)
        return said.lstrip() if said and not generation else said

    @property
    def space(self) -> str:
        """The white space between the question and what is written for an answer."""
        return lead(self._after_question([assistant(ANSWER)], False, False, "") or "")

    @property
    def shared(self) -> str:
        """What follows the question whether or not it is answered."""
        return same_start(self.question(), self._region([assistant(ANSWER)], False, False, "") or "")

    def _after_question(
        self, messages: Sequence[dict[str, Any]], tools: bool, generation: bool, wish: str
    ) -> str | None:
        region = self._region(messages, tools, generation, wish)
        if region is None:
            return None
        question = self.question(tools=tools, wish=wish)
        start = same_start(region, question)
        if len(start) < len(question.rstrip()):
            # What both begin with is no more than the end of the question and the beginning of another turn.
            start = start[: len(start) - _overlap(start, self.prompt)]
        return region[len(start) :]

    def question(self, *, tools: bool = False, wish: str = "") -> str:
        """What follows the question where nobody has answered it."""
        key = (tools, wish)
        if key not in self._questions:
            self._questions[key] = self._region([], tools, False, wish) or ""
        return self._questions[key]

    def _region(self, messages: Sequence[dict[str, Any]], tools: bool, generation: bool, wish: str) -> str | None:
        followed = self.manner.followed and bool(messages)
        talk = [user(QUESTION), *messages, *([user(NEXT)] if followed else [])]
        if self.manner.parts:
            talk = [_as_parts(message) for message in talk]
        given = {**self._given, **self._wishes[wish]}
        if self.renders >= RENDERS:
            return None
        self.renders += 1
        try:
            text = self._render(
                talk,
                tools=TOOLS if tools or self.manner.tools else None,
                add_generation_prompt=generation,
                variables=given or None,
                strict=False,
            )
        except BudgetError:
            # A template that takes so long is not asked again.
            self.renders = RENDERS
            return None
        except TemplatesError:
            return None
        _, found, region = text.rpartition(QUESTION)
        for end in (RESULT, NEXT):
            region = region.partition(end)[0]
        return region if found and len(region) <= LONGEST else None


def _overlap(before: str, prompt: str) -> int:
    """How many characters at the end of a text a generation prompt begins with, in whole markers."""
    sizes = [match.end() for match in CONTROL.finditer(prompt)]
    return next((size for size in reversed(sizes) if before.endswith(prompt[:size])), 0)


def _as_parts(message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    if not isinstance(content, str) or message["role"] == "tool":
        return message
    return {**message, "content": [{"type": "text", "text": content}]}
