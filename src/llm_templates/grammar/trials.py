"""What was read, written again: the ways of telling a conversation are tried until one gives the prompt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ..errors import TemplatesError
from .rehearsal import TOOLS as SOME_TOOLS
from .restoring import Restored, Restorer, Ways, has_edges
from .splitting import Split
from .turns import ASSISTANT, TOOLS, Field

#: How many prompts are written to compare them.
PROMPTS_WRITTEN = 64
#: How many turns of the model are taken as they stand, one after the other, because reading them loses something.
VERBATIM_TRIED = 6
#: How many settings of the switch for reasoning are tried.
SETTINGS_TRIED = 3
#: How much of a prompt a remark quotes.
_QUOTED = 40


class Trial(NamedTuple):
    """What was read in one way, and how far writing it again goes with the prompt."""

    split: Split
    ways: Ways
    restored: Restored
    #: Whether all of it agrees that can be compared, and how many characters do; -1 where the template refuses.
    same: bool
    agrees: int
    remark: str = ""

    @property
    def worth(self) -> tuple[bool, int]:
        """What the better of two has more of."""
        return self.same, self.agrees

    @property
    def blames_split(self) -> bool:
        """Whether the prompt may have to be cut otherwise: not if it differs in a turn of the model or right after."""
        last = next((field for field in reversed(self.split.fields) if field.start <= self.agrees), None)
        return not self.same and (last is None or last.kind not in (ASSISTANT, TOOLS))


class Trials:
    """Tries splits of a prompt; writes no more prompts than a fixed number of them."""

    def __init__(self, prompt: str, render: Callable[..., str], restorer: Restorer) -> None:
        self._prompt = prompt
        self._render = render
        self._restorer = restorer
        #: How many prompts may still be written.
        self.left = PROMPTS_WRITTEN

    def of(self, split: Split) -> Trial:
        """A split, read in the way that agrees best with the prompt."""
        settings = _settings(split)
        best = self._try(split, Ways(setting=settings[0]))
        if any(map(has_edges, best.restored.messages)):
            trial = self._try(split, best.ways._replace(trimmed=True))
            # What is the same either way is the template's white space.
            best = trial if trial.worth >= best.worth else best
        for change in _changes(settings[1:], best):
            if best.same or self.left <= 0:
                return best
            best = max(best, self._try(split, best.ways._replace(**change)), key=_worth)
        for _ in range(VERBATIM_TRIED):
            place = None if best.same else _last_said(best)
            if place is None or self.left <= 0:
                break
            trial = self._try(split, best.ways._replace(verbatim=best.ways.verbatim | {place}))
            if trial.worth <= best.worth:
                break
            best = trial
        return best

    def wrong_from(self, trial: Trial) -> int | None:
        """Where a way of reading proves wrong: what was decided behind that is not to blame."""
        if trial.agrees >= 0:
            return trial.agrees
        messages = trial.restored.messages
        low, high = 0, len(messages)
        while high - low > 1 and self.left > 0:
            middle = (low + high) // 2
            try:
                self._write(trial.restored, messages[:middle])
            except TemplatesError:
                high = middle
            else:
                low = middle
        return trial.split.fields[trial.restored.places[high - 1]].start if messages else None

    def _try(self, split: Split, ways: Ways) -> Trial:
        restored = self._restorer.restore(split, ways)
        try:
            written = self._write(restored, restored.messages)
        except TemplatesError as error:
            return Trial(split, ways, restored, False, -1, f"the template refuses what was read: {error.message}")
        agrees, place = self._compared(written, split, restored)
        if agrees == len(self._prompt) and (place == len(written) or split.ending is None):
            return Trial(split, ways, restored, True, agrees)
        here, there = self._prompt[agrees : agrees + _QUOTED], written[place : place + _QUOTED]
        remark = f"written again, it differs at character {agrees}: {there!r} in the place of {here!r}"
        return Trial(split, ways, restored, False, agrees, remark)

    def _write(self, restored: Restored, messages: list[dict[str, Any]]) -> str:
        self.left -= 1
        tools = restored.tools if restored.unread_tools is None else SOME_TOOLS[:1]
        return self._render(
            messages,
            tools=tools,
            add_generation_prompt=restored.add_generation_prompt,
            variables=restored.variables or None,
            strict=False,
        )

    def _compared(self, written: str, split: Split, restored: Restored) -> tuple[int, int]:
        """Where the prompt and what is written differ first, as a place in each."""
        first = split.fields[0]
        if split.unread:
            # What the prompt begins with is not the template's: it is compared from the first words on.
            return self._alike_from(first.start, written, written.find(self._prompt[first.start : first.end]))
        if split.lacks:
            return self._alike_from(0, written, len(split.lacks))
        agrees = _common(written, self._prompt)
        number = restored.unread_tools
        if number is not None:
            # Other tools are written in the place of those that were not read: what follows them is compared.
            field = split.fields[number]
            before = split.fields[number - 1].end if number else 0
            after = split.fields[number + 1].start if number + 1 < len(split.fields) else len(self._prompt)
            found = written.find(self._prompt[field.end : after], before) if agrees >= before else -1
            if found >= 0:
                return self._alike_from(field.end, written, found)
        return agrees, agrees

    def _alike_from(self, place: int, written: str, found: int) -> tuple[int, int]:
        if found < 0:
            return place, 0
        same = _common(written[found:], self._prompt[place:])
        return place + same, found + same


def _worth(trial: Trial) -> tuple[bool, int]:
    return trial.worth


def _last_said(trial: Trial) -> int | None:
    """The last turn of the model that is read and begins before the first difference."""
    said: list[tuple[int, Field]] = [
        (place, field)
        for place, field in enumerate(trial.split.fields)
        if field.kind == ASSISTANT and place not in trial.ways.verbatim
    ]
    return next((place for place, field in reversed(said) if trial.agrees < 0 or field.start <= trial.agrees), None)


def _settings(split: Split) -> list[str]:
    """The settings of the switch for reasoning that a split may have been written with, the likeliest first.

    Not every gap was seen with every setting; what is seen without any tells nothing.
    """
    gaps = [field.gap for field in split.fields]
    if split.ending is not None:
        gaps.append(split.ending)
    found = Counter(name for gap in gaps if "" not in gap.settings for name in gap.settings)
    return [name for name, _ in found.most_common(SETTINGS_TRIED)] or [""]


def _changes(settings: Sequence[str], first: Trial) -> Iterator[dict[str, Any]]:
    """Other ways of telling the same, the likeliest first."""
    messages = first.restored.messages
    yield from ({"setting": name} for name in settings)
    if any(message["role"] == "system" for message in messages[1:]):
        yield {"system_first": True}
    if any(message.get("tool_calls") for message in messages):
        yield {"arguments": "json"}
        yield {"thought_is_said": True}
        yield {"silence": "absent"}
        yield {"silence": "null"}
        yield {"arguments": "json"}
        yield {"arguments": "compact"}


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    low, high = 0, min(len(one), len(other))
    if one[:high] == other[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle
    return low
