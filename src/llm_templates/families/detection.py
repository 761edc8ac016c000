"""Which family a template belongs to: by the control texts it writes, and by what it renders."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from functools import cache
from typing import Any, NamedTuple, Protocol

from ..engine import Template, compile_template, run_type
from ..engine.provenance import BUFFER, Origin, leaves
from ..engine.traced import TracedRun
from ..errors import RaisedError, TemplatesError
from . import get, names
from .family import Family
from .markers import control_texts
from .probes import PROBES, TIME

#: How many families, those with the most control texts in common, are compared by what they render.
CANDIDATES = 12
#: How many probes are rendered to find these where control texts do not show them, and how many prompts of a template
#: there must be to conclude anything from it.
FEW, LEAST = 3, 3
#: How alike two templates' prompts must be to count as one family.
CLOSE = 0.8
#: Whose text a family was checked against, the surest first.
ORIGINS = ("publisher", "engine", "framework", "community", "documentation")
#: How many lines of a template with control texts that the family does not have are named.
SHOWN_LINES = 5


#: What every template is given.
_CONTEXT: dict[str, Any] = {"tools": None, "documents": None, "add_generation_prompt": False}


class HasSource(Protocol):
    """A template object, such as `ChatTemplate`."""

    @property
    def source(self) -> str:
        """The Jinja text."""


class Detection(NamedTuple):
    """What a template was found to be.

    >>> from llm_templates import families
    >>> text = "{% for m in messages %}<|im_start|>{{ m.role }}\\n{{ m.content }}<|im_end|>\\n{% endfor %}"
    >>> found = families.detect(text)
    >>> found.family, found.exact
    ('chatml', False)
    """

    #: The name of the nearest family, or None when none is near.
    family: str | None
    #: Whether both render the same prompt, or refuse in the same words, for every probe conversation.
    exact: bool
    #: From 0 to 1: how alike the prompts are.
    similarity: float
    #: What it was concluded from, in sentences.
    evidence: tuple[str, ...]


class _Outcome(NamedTuple):
    text: str | None
    refusal: str | None

    @property
    def counts(self) -> bool:
        """Whether something can be concluded from it: an accident of the template says nothing."""
        return self.text is not None or self.refusal is not None


def detect(template: HasSource | str) -> Detection:
    """The built-in family a template belongs to, with the evidence; what it renders is never changed by this.

    Args:
        template: a `ChatTemplate`, or Jinja text.

    Raises:
        TemplateSyntaxError: the text is not a template.

    >>> detect(get("zephyr").template).exact
    True
    """
    source = template if isinstance(template, str) else template.source
    tokens: Mapping[str, str] = getattr(template, "special_tokens", {})
    best = _best(source, tokens, _candidates(source))
    if best is None or best.similarity < CLOSE:
        # Markers may be put together while rendering, and then only prompts show them.
        best = _best(source, tokens, _by_prompts(source)) or best
    if best is None or best.similarity < CLOSE:
        score = best.similarity if best else 0.0
        return Detection(None, False, score, ("its prompts are unlike those of any family",))
    equal, counted = _agreement(source, best.text, best.family)
    evidence = _evidence(source, best.text, best.family, equal, counted)
    return Detection(best.family.name, equal == counted, best.similarity, tuple(evidence))


class _Match(NamedTuple):
    similarity: float
    #: How many special tokens are the same, how alike are the names that both read and the control texts in both, and
    #: how sure the family's own text is: what tells families apart that render the same.
    ties: tuple[float, ...]
    family: Family
    text: str


def _best(source: str, tokens: Mapping[str, str], candidates: Sequence[tuple[float, Family]]) -> _Match | None:
    reads = frozenset(compile_template(source, mutable=False).reads)
    matches = []
    for alike, family in candidates:
        for text in (family.template, *family.variants.values()):
            theirs = frozenset(compile_template(text, mutable=False).reads)
            same = sum(family.special_tokens.get(name) == token for name, token in tokens.items())
            ties = (same, len(reads & theirs) / max(1, len(reads | theirs)), alike, -ORIGINS.index(family.origin.kind))
            matches.append(_Match(_similarity(source, text, family), ties, family, text))
    return max(matches, key=lambda match: match[:2], default=None)


def _by_prompts(source: str) -> list[tuple[float, Family]]:
    """The families whose prompts for the first probes are most like those of the template."""
    found = []
    for name in names():
        family = get(name)
        pairs = _pairs(source, family.template, family, FEW)
        found.append((sum(_alike(*pair) for pair in pairs) / len(pairs) if pairs else 0.0, family))
    return sorted(found, key=lambda entry: -entry[0])[:CANDIDATES]


def _candidates(source: str) -> list[tuple[float, Family]]:
    """The families by how much of their control texts, the rare ones foremost, the template has in common."""
    markers, weights = _markers_in(source), _weights()
    found = []
    for name in names():
        family = get(name)
        theirs = _markers(name)
        shared = sum(weights[marker] for marker in markers & theirs)
        every = sum(weights.get(marker, 1.0) for marker in markers | theirs)
        found.append((shared / every if every else 0.0, family))
    return sorted(found, key=lambda entry: -entry[0])[:CANDIDATES]


@cache
def _markers(name: str) -> frozenset[str]:
    family = get(name)
    texts = (family.template, *family.variants.values())
    return frozenset().union(*map(_markers_in, texts))


def _markers_in(source: str) -> frozenset[str]:
    """The control texts of a template: in its text, and in its strings, where a line begins after a quote or `\\n`."""
    lines = source.replace("\\n", "\n").replace("'", "\n").replace('"', "\n")
    return frozenset(control_texts(lines))


@cache
def _weights() -> dict[str, float]:
    """The rarer a control text is among the families, the more it says."""
    counts = Counter(marker for name in names() for marker in _markers(name))
    return {marker: math.log(1 + len(names()) / count) for marker, count in counts.items()}


def _outcomes(source: str, tokens: Mapping[str, str], count: int | None = None) -> Sequence[_Outcome]:
    template = compile_template(source, mutable=False)
    outcomes = []
    for probe in list(PROBES.values())[:count]:
        context: dict[str, Any] = {**_CONTEXT, **tokens, **probe}
        try:
            outcomes.append(_Outcome(template.render(context, now=TIME), None))
        except RaisedError as refusal:
            outcomes.append(_Outcome(None, refusal.message))
        except TemplatesError:
            outcomes.append(_Outcome(None, None))
    return outcomes


@cache
def _own_outcomes(name: str, text: str, count: int | None) -> Sequence[_Outcome]:
    return _outcomes(text, get(name).special_tokens, count)


def _pairs(source: str, text: str, family: Family, count: int | None = None) -> list[tuple[_Outcome, _Outcome]]:
    """What both make of each probe, where neither fails by accident."""
    ours = _outcomes(source, family.special_tokens, count)
    pairs = zip(ours, _own_outcomes(family.name, text, count), strict=True)
    return [(one, other) for one, other in pairs if one.counts and other.counts]


def _similarity(source: str, text: str, family: Family) -> float:
    pairs = _pairs(source, text, family)
    if sum(ours.text is not None for ours, _ in pairs) < LEAST:
        return 0.0
    return sum(_alike(ours, theirs) for ours, theirs in pairs) / len(pairs)


def _alike(ours: _Outcome, theirs: _Outcome) -> float:
    if ours == theirs:
        return 1.0
    if ours.text is None or theirs.text is None:
        return 0.5 if ours.text is theirs.text else 0.0
    # By control texts and words: two formats may differ in one letter of a marker.
    return SequenceMatcher(None, ours.text.split(), theirs.text.split(), autojunk=False).ratio()


def _agreement(source: str, text: str, family: Family) -> tuple[int, int]:
    pairs = _pairs(source, text, family)
    return sum(ours == theirs for ours, theirs in pairs), len(pairs)


def _differing_lines(source: str, text: str, family: Family) -> list[int]:
    """The lines of a template that write what its prompts have otherwise than the family's, from first to last."""
    lines = set()
    engine = compile_template(source, mutable=False).traced()
    outcomes = zip(
        PROBES.values(), _outcomes(source, family.special_tokens), _own_outcomes(family.name, text, None), strict=True
    )
    for probe, ours, theirs in outcomes:
        if ours.text is None or theirs.text is None or ours.text == theirs.text:
            continue
        pairs = list(zip(ours.text, theirs.text, strict=False))
        start = next((at for at, (one, other) in enumerate(pairs) if one != other), len(pairs))
        common = min(len(ours.text), len(theirs.text)) - start
        back = zip(reversed(ours.text), reversed(theirs.text), strict=False)
        same = next((at for at, (one, other) in enumerate(back) if one != other), common)
        end = max(len(ours.text) - min(same, common), start + 1)
        lines |= _lines_of(engine, {**_CONTEXT, **family.special_tokens, **probe}, start, end)
    return sorted(lines)


def _lines_of(engine: Template, context: Mapping[str, Any], start: int, end: int) -> set[int]:
    """The template lines that write characters `start` to `end` of a prompt."""
    run: Any = run_type(TracedRun, engine.limits, TIME)()
    engine.run(run, engine.values(context))
    lines, place = set(), 0
    for length, source, _, _ in leaves((1, BUFFER, run.output, None)):
        if place < end and place + length > start and type(source) is Origin and source.line is not None:
            lines.add(source.line)
        place += length
    return lines


def _evidence(source: str, text: str, family: Family, equal: int, counted: int) -> list[str]:
    markers, theirs = _markers_in(source), _markers_in(text)
    shared = sorted(markers & theirs, key=lambda marker: (-_weights().get(marker, 0), marker))
    sentences = [f"{equal} of {counted} probe conversations become what the family {family.name} makes of them"]
    lines = _differing_lines(source, text, family) if equal < counted else []
    if lines:
        where = f"line {lines[0]}" if lines[0] == lines[-1] else f"lines {lines[0]} to {lines[-1]}"
        sentences.append(f"what differs is written in {where} of the template")
    if shared:
        sentences.append(f"both write {', '.join(shared[:SHOWN_LINES])}")
    extra, missing = sorted(markers - theirs), sorted(theirs - markers)
    if extra:
        places = [number for number, line in enumerate(source.splitlines(), 1) if any(m in line for m in extra)]
        shown = ", ".join(map(str, places[:SHOWN_LINES])) + (", …" if len(places) > SHOWN_LINES else "")
        sentences.append(f"only this template has {', '.join(extra[:SHOWN_LINES])} (line {shown})")
    if missing:
        sentences.append(f"only the family has {', '.join(missing[:SHOWN_LINES])}")
    return sentences
