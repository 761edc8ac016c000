"""The measurements: renders, hand-written functions, compilation. Texts are compared before anything is timed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from . import contenders, handwritten
from .contenders import Render
from .subjects import SIZES, Message, Subject, conversation
from .timing import race

#: Different conversations of a size that take turns, so that nobody gains from having just seen the same one.
VARIETY = 3


@dataclass
class Row:
    """One template at one size: seconds for a render per contender, and who gave another text or none."""

    name: str
    family: str
    size: int
    seconds: dict[str, float]
    remarks: dict[str, str] = field(default_factory=dict)

    def ratio(self, contender: str) -> float | None:
        """How many times faster ours is than `contender`, where both were measured."""
        return self.seconds[contender] / self.seconds["ours"] if contender in self.seconds else None


def renders(subjects: list[Subject], rounds: int) -> Iterator[Row]:
    """Ours against transformers and minijinja, for every subject and size."""
    for subject in subjects:
        reference = contenders.transformers(subject)
        system = _accepts_system(reference)
        calls: dict[str, Render] = {"ours": contenders.ours(subject), "transformers": reference}
        remarks = {}
        try:
            calls["minijinja"] = contenders.minijinja(subject)
        except Exception as error:  # noqa: BLE001 - another project's errors, whatever they are
            remarks["minijinja"] = _first_line(error)
        for size in SIZES:
            chats = [conversation(size, seed, system=system) for seed in range(VARIETY)]
            yield _row(subject, size, calls, chats, dict(remarks), rounds)


def _row(
    subject: Subject,
    size: int,
    calls: dict[str, Render],
    chats: list[list[Message]],
    remarks: dict[str, str],
    rounds: int,
) -> Row:
    wanted = [calls["transformers"](chat) for chat in chats]
    if [calls["ours"](chat) for chat in chats] != wanted:
        raise AssertionError(f"{subject.name}, {size} messages: our text is not the reference's")
    racing = {"ours": calls["ours"], "transformers": calls["transformers"]}
    if other := calls.get("minijinja"):
        try:
            if [other(chat) for chat in chats] != wanted:
                remarks["minijinja"] = "another text"
            racing["minijinja"] = other
        except Exception as error:  # noqa: BLE001 - another project's errors, whatever they are
            remarks["minijinja"] = _first_line(error)
    seconds = race({name: _each(call, chats) for name, call in racing.items()}, rounds)
    return Row(subject.name, subject.family, size, {name: value / VARIETY for name, value in seconds.items()}, remarks)


def traces(subjects: list[Subject], rounds: int) -> Iterator[Row]:
    """Traced renders, and those whose segments are asked for, against transformers' plain render."""
    for subject in subjects:
        calls: dict[str, Render] = {
            "ours": contenders.traced(subject),
            "segments": contenders.segmented(subject),
            "transformers": contenders.transformers(subject),
        }
        system = _accepts_system(calls["transformers"])
        for size in SIZES:
            chats = [conversation(size, seed, system=system) for seed in range(VARIETY)]
            wanted = [calls["transformers"](chat) for chat in chats]
            for name in ("ours", "segments"):
                if [calls[name](chat) for chat in chats] != wanted:
                    raise AssertionError(f"{subject.name}, {size} messages: the traced text is not the reference's")
            seconds = race({name: _each(call, chats) for name, call in calls.items()}, rounds)
            yield Row(subject.name, subject.family, size, {name: value / VARIETY for name, value in seconds.items()})


def by_hand(rounds: int) -> Iterator[Row]:
    """Ours against two functions written by hand, on the same formats."""
    formats = (
        (Subject("ChatML", "chatml", handwritten.CHATML), handwritten.chatml),
        (Subject("Llama 3", "llama3", handwritten.LLAMA3, handwritten.LLAMA3_TOKENS), handwritten.llama3),
    )
    for subject, function in formats:
        for size in SIZES:
            chats = [conversation(size, seed) for seed in range(VARIETY)]
            calls: dict[str, Render] = {"ours": contenders.ours(subject), "by hand": function}
            if [calls["ours"](chat) for chat in chats] != [function(chat) for chat in chats]:
                raise AssertionError(f"{subject.name}: our text is not that of the function written by hand")
            seconds = race({name: _each(call, chats) for name, call in calls.items()}, rounds)
            yield Row(subject.name, subject.family, size, {name: value / VARIETY for name, value in seconds.items()})


def compiles(subjects: list[Subject], rounds: int) -> Iterator[Row]:
    """The time from a template's text to something that renders. A numbered comment keeps caches out of it."""
    from llm_templates.engine import compile_template

    environment = contenders.jinja_environment()
    for subject in subjects:
        calls = {
            "ours": _fresh(compile_template, subject.source),
            "jinja2": _fresh(environment.from_string, subject.source),
        }
        yield Row(subject.name, subject.family, 0, race(calls, rounds))


def _each(call: Render, chats: list[list[Message]]) -> Callable[[], object]:
    return lambda: [call(chat) for chat in chats]


def _fresh(compile_source: Callable[[str], object], source: str) -> Callable[[], object]:
    numbers = itertools.count()
    return lambda: compile_source(f"{source}{{# {next(numbers)} #}}")


def _accepts_system(render: Render) -> bool:
    """Whether a template takes a system message and shows it."""
    messages = conversation(2)
    try:
        return messages[0]["content"].strip() in render(messages)
    except Exception:  # noqa: BLE001 - the reference's error for a role it refuses, whatever its class
        return False


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:90]
