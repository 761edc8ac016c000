"""The gaps that probes show, gathered: where turns of the model begin and end is what all probes agree on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from ..families.markers import CONTROL
from .shown_tools import ToolsForm
from .turns import ASSISTANT, EDGE, TOOLS, VARIABLE, Gap
from .written import Written

if TYPE_CHECKING:
    from ..prompt import Prompt

#: How many gaps are kept; a template has about fifty.
GAPS_KEPT = 1_000


class _Sight(NamedTuple):
    """A gap as a probe shows it, with how sure it is."""

    before: str
    after: str
    texts: tuple[str, ...]
    opens: bool
    generation: bool
    hides: bool
    #: Whether it is known where the turn of the model before it ends, and where the one after it begins.
    is_sure: bool = True
    #: Whether a turn of the model beside it has no words.
    is_silent: bool = False
    #: Whether those beside it have content, and nothing else.
    is_plain: bool = False
    #: The marker that a turn of the model after it begins with, where nothing else tells that it begins.
    ahead: str = ""

    @property
    def text(self) -> str:
        return "…".join(self.texts)


class GapTable:
    """The gaps of a template, as its probes show them."""

    def __init__(self) -> None:
        #: The probe that showed each first, and the settings it was seen with.
        self._sights: dict[_Sight, tuple[str, list[str]]] = {}

    def note(self, prompt: Prompt, fields: Sequence[Written], generation: bool, setting: str, probe: str) -> None:
        """Take what stands between the fields of a prompt."""
        for sight in _sights(prompt, fields, generation):
            if len(self._sights) < GAPS_KEPT or sight in self._sights:
                settings = self._sights.setdefault(sight, (probe, []))[1]
                if setting not in settings:
                    settings.append(setting)

    def gaps(self, form: ToolsForm, stops: tuple[str, ...]) -> tuple[Gap, ...]:
        """All of them; `form` is how tools are written, `stops` are what ends a turn of the model."""
        groups: dict[tuple[str, str, bool], list[_Sight]] = {}
        for sight in self._sights:
            groups.setdefault((sight.before, sight.after, sight.generation), []).append(sight)
        found: dict[_Sight, Gap] = {}
        for (before, after, _), group in groups.items():
            chosen = [sight for sight in group if not sight.is_silent]
            # A turn without words may be written otherwise, or not at all: it is the last to be thought of.
            silent = [sight._replace(hides=bool(chosen)) for sight in group if sight.is_silent]
            chosen = chosen or silent
            if ASSISTANT in (before, after):
                chosen = _agreed(chosen, before == ASSISTANT, stops)
            elif TOOLS in (before, after) and not form.is_json:
                unsure = [sight._replace(is_sure=after == TOOLS) for sight in chosen]
                chosen = _agreed(unsure, before == TOOLS, stops)
            for sight in [*chosen, *(sight for sight in silent if sight.is_sure)]:
                self._add(found, sight, group)
        return tuple(found.values())

    def _add(self, found: dict[_Sight, Gap], sight: _Sight, group: Sequence[_Sight]) -> None:
        # A text that several agree on has what was known of each.
        agreed = ASSISTANT in (sight.before, sight.after)
        like = [other for other in group if other.texts == sight.texts or (agreed and _has(other, sight))]
        like = like or list(group)
        settings = dict.fromkeys(name for other in like for name in self._sights[other][1])
        key = sight._replace(is_sure=True, is_silent=False, is_plain=False, hides=False)
        known = found.get(key)
        if known is None or known.hides > sight.hides:
            before, after, texts, opens, generation, hides, *_ = sight
            evidence = self._sights[like[0]][0]
            found[key] = Gap(before, after, texts, opens, generation, hides, sight.ahead, tuple(settings), evidence)


def _sights(prompt: Prompt, fields: Sequence[Written], generation: bool) -> Iterator[_Sight]:
    text = str(prompt)
    computed = _computed_places(prompt)
    shown: set[int | None] = set()
    written = {field.message for field in fields}
    edges = [Written(EDGE, -1, 0, 0), *fields, Written(EDGE, len(prompt.roles), len(text), len(text))]
    for before, after in pairwise(edges):
        if after.start < before.end:
            return
        if after.kind.startswith(VARIABLE) and shown:
            # A variable that is written after the first message may be anything in a turn.
            return
        opens = after.message is not None and after.message not in shown and after.kind != EDGE
        last = max((message for message in shown if message is not None), default=-1)
        shown.add(after.message)
        # Messages between them of which no word is written.
        hides = any(message not in written for message in range(last + 1, after.message or 0))
        yield _Sight(
            before.kind,
            after.kind,
            _cut(text, before.end, after.start, computed),
            opens,
            generation and after.kind == EDGE,
            hides,
            before.ends and after.begins,
            before.is_silent or after.is_silent,
            all(field.is_plain or field.kind != ASSISTANT for field in (before, after)),
        )


def _computed_places(prompt: Prompt) -> list[tuple[int, int]]:
    """Where the template wrote what it computed: numbers and dates."""
    found = []
    place = 0
    for segment in prompt.segments:
        end = place + len(segment.text)
        origin = segment.origin
        if origin.is_template and origin.line is None and not origin.path and any(map(str.isdigit, segment.text)):
            found.append((place, end))
        place = end
    return found


def _cut(text: str, start: int, end: int, computed: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    texts = []
    for first, last in computed:
        if start <= first and last <= end:
            texts.append(text[start:first])
            start = last
    return (*texts, text[start:end])


def _agreed(sights: list[_Sight], by_end: bool, stops: tuple[str, ...]) -> list[_Sight]:
    """The sights cut to what they agree on, from their beginning or their end.

    What the model may write in one turn and not in another, such as the marker of a call, is not part of a gap.
    """
    plain = [sight for sight in sights if len(sight.texts) == 1]
    sure = [sight for sight in plain if sight.is_sure]
    kept = [s for s in sure if s.is_plain or not any(_is_more(s, other, by_end, stops) for other in sure)]
    known = {sight.text for sight in kept}
    unsure = [sight for sight in plain if not sight.is_sure and sight.text not in known]
    unsure = [sight for sight in unsure if not any(_is_more(sight, other, by_end, stops) for other in kept)]
    if unsure:
        texts = _common([sight.text for sight in (*unsure, *(other for other in kept if other.is_plain))], by_end)
        agreed = [unsure[0]._replace(texts=(text,)) for text in texts if text.strip()]
        kept += agreed or (unsure if by_end else _cut_ahead(unsure, kept))
    return kept + [sight for sight in sights if len(sight.texts) > 1]


def _cut_ahead(sights: Sequence[_Sight], known: Sequence[_Sight]) -> list[_Sight]:
    """Sights of turns of the model, cut before the first marker that stands before no other turn."""
    usual = {match[0] for sight in known for match in CONTROL.finditer(sight.text)}
    found = []
    for sight in sights:
        match = next((match for match in CONTROL.finditer(sight.text) if match[0] not in usual), None)
        found.append(sight._replace(texts=(sight.text[: match.start()],), ahead=match[0]) if match else sight)
    return found


def _has(sight: _Sight, other: _Sight) -> bool:
    """Whether a text has another at its end or its beginning, where the two agree."""
    by_end = sight.before == ASSISTANT
    return sight.text.endswith(other.text) if by_end else sight.text.startswith(other.text)


def _is_more(sight: _Sight, other: _Sight, by_end: bool, stops: tuple[str, ...]) -> bool:
    """Whether a text is another, not a blank one, and markers beyond it."""
    text, less = sight.text, other.text
    if text == less or not less.strip() or not (text.endswith(less) if by_end else text.startswith(less)):
        return False
    rest = text[: -len(less)] if by_end else text[len(less) :]
    return any(character in "<>[]{}|" for character in rest) and not (by_end and rest.startswith(stops))


def _common(texts: Sequence[str], by_end: bool) -> list[str]:
    """What texts begin or end with alike, with the white space there, as each has it."""
    if by_end:
        size = len(alike_at_end(texts))
        return list(dict.fromkeys(text[len(text[: len(text) - size].rstrip()) :] for text in texts))
    size = _alike(texts)
    inside = [match.start() for text in texts for match in CONTROL.finditer(text) if match.start() < size < match.end()]
    size = min([size, *inside])
    return list(dict.fromkeys(text[: len(text) - len(text[size:].lstrip())] for text in texts))


def alike_at_end(texts: Sequence[str]) -> str:
    """What texts end with alike, cut outside of control texts.

    >>> alike_at_end(["<s><|user|>", "</s><|user|>"])
    '<|user|>'
    """
    size = _alike([text[::-1] for text in texts])
    cuts = [(text, len(text) - size) for text in texts]
    inside = [len(text) - m.end() for text, at in cuts for m in CONTROL.finditer(text) if m.start() < at < m.end()]
    return texts[0][len(texts[0]) - min([size, *inside]) :]


def _alike(texts: Sequence[str]) -> int:
    """How many characters texts begin with alike."""
    first, last = min(texts), max(texts)
    return next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
