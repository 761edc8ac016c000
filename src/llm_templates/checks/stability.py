"""Whether a prompt keeps its beginning when the conversation grows, and the template line that changes it if not.

Caches of a model's state, and training on several turns at once, need the text so far to stay as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..engine.provenance import Origin
from ..errors import InputError, TemplatesError
from ..prompt import Prompt
from ..template import ChatTemplate

#: How many characters are shown from the first difference on.
SHOWN = 40

_TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
_CALL = {"id": "call00001", "type": "function", "function": {"name": "weather", "arguments": {"city": "Bern"}}}

_FIRST = {"role": "user", "content": "What is the weather in Bern?"}
_NEXT = {"role": "user", "content": "And tomorrow?"}
_RESULT = {"role": "tool", "content": "Light rain.", "tool_call_id": "call00001", "name": "weather"}
_PLAIN = {"role": "assistant", "content": "It is raining."}
_REASONED = {**_PLAIN, "reasoning_content": "Rain means rain."}
_CALLED = {"role": "assistant", "content": "", "tool_calls": [_CALL]}
_REASONED_CALL = {**_CALLED, "reasoning_content": "A tool knows."}

#: Conversations and what is appended to them.
MATRIX: tuple[tuple[list[dict[str, Any]], dict[str, Any]], ...] = (
    *(([_FIRST], answer) for answer in (_PLAIN, _REASONED, _CALLED, _REASONED_CALL)),
    ([_FIRST, _CALLED, _RESULT], _PLAIN),
    ([_FIRST, _REASONED_CALL, _RESULT], _REASONED),
    ([_FIRST, _REASONED, _NEXT], _REASONED),
    ([_FIRST, _CALLED], _RESULT),
    ([_FIRST, _REASONED_CALL], _RESULT),
    ([_FIRST, _PLAIN], _NEXT),
    ([_FIRST, _REASONED], _NEXT),
    ([_FIRST, _CALLED, _RESULT, _PLAIN], _NEXT),
    ([_FIRST, _REASONED_CALL, _RESULT, _REASONED], _NEXT),
)


class Change(NamedTuple):
    """Where the longer conversation's prompt leaves the shorter one's."""

    #: The first character that differs.
    place: int
    #: What stood there, and what stands there now.
    was: str
    now: str
    #: Where these came from; None where the text has ended.
    was_from: Origin | None
    now_from: Origin | None
    #: The number of the first message that is written otherwise; None for what belongs to none.
    message: int | None
    #: The template line that wrote what differs, and its text; None where that is input on both sides.
    line: int | None
    source: str | None


class Case(NamedTuple):
    """One conversation and one message appended to it."""

    #: The messages in words, such as "assistant (reasoning)".
    history: tuple[str, ...]
    appended: str
    #: Whether the text so far ends with a generation prompt and what the model wrote after it.
    generation_prompt: bool
    #: Where the beginning changes; None if it stays.
    change: Change | None = None
    #: Why there is nothing to compare: the template refuses one of the two, or writes nothing of the model's.
    refusal: str | None = None

    @property
    def stable(self) -> bool:
        """Whether the text so far is the beginning of the longer one."""
        return self.change is None and self.refusal is None

    def __str__(self) -> str:
        """The case in words; "as generated" where a generation prompt and what the model wrote make up the text."""
        return f"{', '.join(self.history)} + {self.appended}{', as generated' if self.generation_prompt else ''}"


class StabilityReport(NamedTuple):
    """What became of each case.

    A case that the template refuses is neither stable nor unstable.

    >>> from llm_templates import load
    >>> stability(load("chatml")).stable
    True
    >>> report = stability(load("qwen3"))
    >>> str(report.unstable[-1])
    'user, assistant (reasoning, tool call), tool, assistant (reasoning) + user, as generated'
    """

    cases: tuple[Case, ...]

    @property
    def stable(self) -> bool:
        """Whether no case changes what was there."""
        return not self.unstable

    @property
    def unstable(self) -> tuple[Case, ...]:
        """The cases that do."""
        return tuple(case for case in self.cases if case.change is not None)

    @property
    def refused(self) -> tuple[Case, ...]:
        """The cases that the template does not take."""
        return tuple(case for case in self.cases if case.refusal is not None)


class _Held(NamedTuple):
    """A text that a server holds, with the traces that tell where it came from."""

    text: str
    #: Each with the place in the held text where it begins, and the place of its own from which it is taken.
    parts: tuple[tuple[int, Prompt, int], ...]

    def at(self, place: int) -> tuple[Origin, int | None] | None:
        """The origin of a character and the message in whose turn it stands."""
        if place >= len(self.text):
            return None
        start, prompt, first = next(part for part in reversed(self.parts) if part[0] <= place)
        return _at(prompt, first + place - start)


def stability(template: ChatTemplate, *, variables: Mapping[str, Any] | None = None) -> StabilityReport:
    """Append a user's, a tool's and the model's message to conversations of each kind, and compare the beginnings.

    Args:
        template: the template.
        variables: what it may read in each of the renders.

    >>> from llm_templates import load
    >>> change = stability(load("qwen3")).unstable[-1].change
    >>> change.message
    1
    """
    cases = []
    for history, appended in MATRIX:
        for generated in (False, True):
            names = tuple(map(_name, history)), _name(appended)
            try:
                change = _compare(template, history, appended, generated, variables)
                cases.append(Case(*names, generated, change))
            except TemplatesError as error:
                cases.append(Case(*names, generated, refusal=error.message))
    return StabilityReport(tuple(cases))


def _compare(
    template: ChatTemplate,
    history: Sequence[dict[str, Any]],
    appended: dict[str, Any],
    generated: bool,
    variables: Mapping[str, Any] | None,
) -> Change | None:
    tools = [_TOOL] if any("tool_calls" in message for message in (*history, appended)) else None

    def trace(messages: Sequence[dict[str, Any]], prompted: bool) -> Prompt:
        return template.trace(messages, tools=tools, add_generation_prompt=prompted, variables=variables)

    if not generated:
        held = _whole(trace(history, False))
    elif history[-1]["role"] == "assistant":
        held = _generated(trace(history[:-1], True), trace(history, False))
    else:
        held = _whole(trace(history, True))
    later = trace([*history, appended], generated and appended["role"] != "assistant")
    text = str(later)
    if text.startswith(held.text):
        return None
    pairs = zip(held.text, text, strict=False)
    shorter = min(len(held.text), len(text))
    place = next((index for index, (one, other) in enumerate(pairs) if one != other), shorter)
    # With tools, another template of the model may have taken over.
    source = (template._with_tools or template if tools else template).source
    return _change(held, later, place, source.splitlines())


def _whole(prompt: Prompt) -> _Held:
    return _Held(str(prompt), ((0, prompt, 0),))


def _generated(prompt: Prompt, written: Prompt) -> _Held:
    """A prompt and what the model wrote after it, as the template writes that when it stands last."""
    if not written.turns:
        raise InputError("the template writes nothing of what the model says")
    turn = written.turns[-1]
    text = str(prompt) + str(written)[turn.start : turn.end]
    return _Held(text, ((0, prompt, 0), (len(prompt), written, turn.start)))


def _change(held: _Held, later: Prompt, place: int, source: list[str]) -> Change:
    was, now = held.at(place), _at(later, place)
    sides = [side for side in (was, now) if side is not None]
    owners = [owner for _, owner in sides if owner is not None]
    lines = [origin.line for origin, _ in sides if origin.line is not None]
    return Change(
        place=place,
        was=held.text[place : place + SHOWN],
        now=str(later)[place : place + SHOWN],
        was_from=was and was[0],
        now_from=now and now[0],
        message=min(owners, default=None),
        line=lines[0] if lines else None,
        source=source[lines[0] - 1] if lines else None,
    )


def _at(prompt: Prompt, place: int) -> tuple[Origin, int | None] | None:
    if place >= len(prompt):
        return None
    end = 0
    for segment in prompt.segments:
        end += len(segment.text)
        if place < end:
            return prompt.origin_at(place), segment.owner
    return None


def _name(message: Mapping[str, Any]) -> str:
    """A message in words."""
    kinds = [word for key, word in (("reasoning_content", "reasoning"), ("tool_calls", "tool call")) if key in message]
    return f"{message['role']} ({', '.join(kinds)})" if kinds else str(message["role"])
