"""A prompt cut into the fields of its turns: the text between fields is looked for; what failed is tried otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ..families.markers import CONTROL
from .gaps import alike_at_end
from .shown_tools import schemas_end
from .turns import ASSISTANT, EDGE, SYSTEM, TOOLS, USER, VARIABLE, Field, Gap, Turns

#: How many decisions are taken again, and how often, on average, a character of the prompt is looked at.
STEPS, LOOKS = 4_000, 24
#: How far from the end of a prompt its ending begins at most.
ENDING_LIMIT = 2_000
#: How long a name, an id or the value of a variable may be.
VALUE_LIMIT = 200
#: Of the fields that may stand behind the same text, which is tried first.
_HEADS = (SYSTEM, "developer.content")
_ORDER = (TOOLS, USER, ASSISTANT, "tool", *_HEADS, VARIABLE)


class Split(NamedTuple):
    """The fields of a prompt, and what ends it; None where it ends inside of the last field."""

    fields: tuple[Field, ...]
    ending: Gap | None
    #: How many characters the prompt begins with that the template does not write; and what it lacks there.
    unread: int = 0
    lacks: str = ""


#: A message as it was read.
Said = dict[str, Any]


class Step(NamedTuple):
    """A gap where it stands in a prompt."""

    gap: Gap
    start: int
    end: int


class _Successors:
    """What may follow a field, ready to be looked for in a prompt."""

    def __init__(self, prompt: str, gaps: Sequence[Gap]) -> None:
        self._prompt = prompt
        inner = sorted((gap for gap in gaps if gap.after != EDGE), key=_preference)
        self._inner = [(gap, re.compile(gap.pattern)) for gap in inner]
        patterns = dict.fromkeys(gap.pattern for gap in inner)
        self._any = re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)")
        low = max(0, len(prompt) - ENDING_LIMIT)
        self._endings: list[Step] = []
        for gap in gaps:
            if gap.after == EDGE:
                match = re.compile(rf"(?:{gap.pattern})\Z").search(prompt, low)
                if match:
                    self._endings.append(Step(gap, match.start(), match.end()))
        self._endings.sort(key=lambda step: (step.start, step.gap.hides, step.gap.generation))
        #: How many characters were looked at.
        self.looks = 0

    def at(self, place: int) -> Iterator[Step]:
        """The gaps that stand at a place."""
        yield from (step for step in self._endings if step.start == place)
        for gap, pattern in self._inner:
            match = pattern.match(self._prompt, place)
            if match:
                yield Step(gap, place, match.end())

    def after(self, place: int) -> Iterator[Step]:
        """The gaps that stand at a place or somewhere after it, in the order of their places."""
        while place <= len(self._prompt):
            match = self._any.search(self._prompt, place)
            found = match.start() if match else len(self._prompt)
            self.looks += found - place + 1
            first = next((step.start for step in self._endings if place <= step.start < found), found)
            yield from self.at(first)
            place = first + 1


def _preference(gap: Gap) -> Any:
    """What sorts gaps that stand at one place."""
    kinds = (gap.after, gap.after.partition(".")[0])
    order = next((index for index, kind in enumerate(_ORDER) if kind in kinds), len(_ORDER))
    # At the beginning, a system message is looked for first: it goes on with what never follows the user's words.
    is_system = gap.before == EDGE and gap.after in _HEADS
    role = gap.before.partition(".")[0]
    # The model answers results of tools, and one role seldom speaks twice.
    repeats = kinds[1] == role or (gap.after == USER and role == "tool")
    return gap.hides, -len(gap.text) - len(gap.ahead), not is_system, repeats, order


def _is_short(kind: str) -> bool:
    """Whether a field is a name, an id or the value of a variable."""
    role, _, key = kind.partition(".")
    return role == VARIABLE or key not in ("", "content")


def _telling(gaps: Sequence[Gap]) -> list[Gap]:
    """The gaps that tell one field from another.

    White space does not. A system message that begins as the user's words do is told only by what never follows those.
    """
    first = {gap.texts for gap in gaps if (gap.before, gap.after) == (EDGE, USER)}
    loose = {gap.after for gap in gaps if gap.before == EDGE and gap.after in _HEADS and gap.texts in first}
    of_user = {gap.texts for gap in gaps if gap.before == USER}
    return [
        gap
        for gap in gaps
        if EDGE in (gap.before, gap.after) or not gap.is_blank or _is_short(gap.before)
        if gap.before not in loose or gap.texts not in of_user
    ]


def _openers(gaps: Sequence[Gap]) -> dict[str, list[str]]:
    """What stands before a turn wherever it does, by its text: the roles that it opens a turn of."""
    found: dict[str, list[str]] = {}
    for kind in (USER, SYSTEM, ASSISTANT):
        texts = [gap.text for gap in gaps if gap.after == kind and gap.opens and not gap.hides and len(gap.texts) == 1]
        common = alike_at_end(texts) if texts else ""
        if CONTROL.search(common):
            found.setdefault(common, []).append(kind)
    return found


class Splitter:
    """The ways in which a prompt may be cut into fields, the likeliest first.

    Args:
        prompt: the whole prompt.
        turns: how the template writes turns.
        blanks: whether a field may end at white space that the template writes after it, and nothing else.
        said: what the model wrote, by where its header begins, where it does, and where it ends.
    """

    def __init__(self, prompt: str, turns: Turns, *, blanks: bool, said: Callable[[int, int, int], Said]) -> None:
        self._prompt = prompt
        self._size = len(prompt)
        self._tools = turns.tools
        self._said = said
        groups: dict[str, list[Gap]] = {}
        for gap in turns.gaps if blanks else _telling(turns.gaps):
            groups.setdefault(gap.before, []).append(gap)
        self._successors = {kind: _Successors(prompt, gaps) for kind, gaps in groups.items()}
        self._after_json = _Successors(prompt, [gap for gap in turns.gaps if gap.before == TOOLS])
        self._none = _Successors(prompt, ())
        self._retaken = self._deepest = self._ways = self._unread = 0
        self._lacks = ""
        #: Where reading a field was found to lead nowhere.
        self._dead: set[tuple[str, int]] = set()
        #: What was decided; the choices it was taken from, and those after it; and the ways found when it was.
        self._path: list[Step] = []
        self._choices = [self._beginnings(turns.gaps)]
        self._found: list[int] = []
        #: The first way that led nowhere: the best there is if none leads to the end.
        self.open: Split | None = None

    def next(self, before: int | None = None) -> Split | None:
        """Another way; None once there is none left, or too much was tried.

        Args:
            before: where the last way proved wrong: what it decided later is not tried otherwise.
        """
        while before is not None and self._path and self._path[-1].start > before:
            self._pop()
        if self._path:
            self._pop()
        del self._choices[len(self._path) + 1 :]
        while self._choices and self._affords():
            step = next(self._choices[-1], None)
            if step is None:
                self._give_up()
                continue
            self._path.append(step)
            self._found.append(self._ways)
            if step.gap.after == EDGE:
                self._ways += 1
                return Split(self._fields(step.start), step.gap, self._unread, self._lacks)
            if (step.gap.after, step.end) in self._dead:
                self._pop()
                self._retaken += 1
                continue
            if len(self._path) > self._deepest:
                self._deepest = len(self._path)
            else:
                self._retaken += 1
            self._choices.append(self._follow(step.gap.after, step.end))
        return None

    def _beginnings(self, gaps: Sequence[Gap]) -> Iterator[Step]:
        """Where the first field may begin: at the beginning, or where a turn is first opened if none is there."""
        found = False
        for step in self._successors.get(EDGE, self._none).at(0):
            found = True
            yield step
        for gap in gaps:
            # A tokenizer may have taken the token away that begins a prompt.
            token = CONTROL.match(gap.text) if gap.before == EDGE and not found else None
            if token and len(gap.texts) == 1 and self._prompt.startswith(gap.text[token.end() :] or "\0"):
                self._lacks = token[0]
                yield Step(gap, 0, len(gap.text) - token.end())
        if not found and not self._lacks:
            openers = _openers(gaps)
            pattern = re.compile("|".join(map(re.escape, sorted(openers, key=len, reverse=True))) or r"(?!)")
            match = pattern.search(self._prompt)
            if match:
                self._unread = match.start()
                for kind in openers[match[0]]:
                    yield Step(Gap(EDGE, kind, (match[0],)), match.start(), match.end())

    def _affords(self) -> bool:
        looks = sum(successors.looks for successors in self._successors.values())
        return self._retaken < STEPS and looks < LOOKS * (self._size + STEPS)

    def _follow(self, kind: str, place: int) -> Iterator[Step]:
        """What may end the field that begins at a place."""
        successors = self._successors.get(kind, self._none)
        if kind == ASSISTANT:
            return self._after_assistant(successors, place)
        if kind == TOOLS and self._tools.is_json:
            return self._after_tools(place)
        if _is_short(kind):
            return self._after_short(successors, place)
        return successors.after(place)

    def _after_assistant(self, successors: _Successors, place: int) -> Iterator[Step]:
        """The same, where results of tools may be written as the user's words are: they are if something was called."""
        header = self._path[-1].start
        for start, steps in _places(successors.after(place)):
            if any(step.gap.after == ASSISTANT for step in steps) and _goes_on(self._said(header, place, start)):
                steps = [step for step in steps if step.gap.after != ASSISTANT]
            results = [step for step in steps if step.gap.after.startswith("tool.")]
            if results and len(steps) > len(results) and self._said(header, place, start).get("tool_calls"):
                steps.sort(key=lambda step: (step.start - step.end, step not in results))
            yield from steps

    def _after_tools(self, place: int) -> Iterator[Step]:
        """The same for JSON, whose end is where it ends."""
        for end in schemas_end(self._prompt, place, self._tools):
            yield from self._after_json.at(end)

    def _after_short(self, successors: _Successors, place: int) -> Iterator[Step]:
        """The same for a name, an id or the value of a variable: a few words without markers."""
        line = re.compile(r"[^\n<>\[\]{}|]*").match(self._prompt, place, place + VALUE_LIMIT)
        last = line.end() if line else place
        for step in successors.after(place):
            if step.start > last:
                return
            yield step

    def _pop(self) -> None:
        self._path.pop()
        self._found.pop()

    def _give_up(self) -> None:
        """Go back behind the last decision."""
        if self.open is None and self._path:
            self.open = Split(self._fields(self._size), None, self._unread, self._lacks)
        self._choices.pop()
        if self._path:
            step = self._path[-1]
            if self._found[-1] == self._ways:
                self._dead.add((step.gap.after, step.end))
            self._pop()

    def _fields(self, end: int) -> tuple[Field, ...]:
        steps = [step for step in self._path if step.gap.after != EDGE]
        ends = [*(step.start for step in steps[1:]), end][: len(steps)]
        return tuple(Field(step.gap.after, step.end, stop, step.gap) for step, stop in zip(steps, ends, strict=True))


def _goes_on(said: Said) -> bool:
    """Whether a message of the model is not over: it has thought, and neither said nor called anything."""
    return bool(said.get("reasoning_content")) and not said.get("content") and not said.get("tool_calls")


def _places(steps: Iterator[Step]) -> Iterator[tuple[int, list[Step]]]:
    """Steps by where they begin."""
    found: list[Step] = []
    for step in steps:
        if found and step.start != found[0].start:
            yield found[0].start, found
            found = []
        found.append(step)
    if found:
        yield found[0].start, found
