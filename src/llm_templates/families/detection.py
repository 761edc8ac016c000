"""Which family a template belongs to: by the control texts it writes, and by what it renders."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from functools import cache
from typing import Any, NamedTuple, Protocol

from ..engine import compile_template
from ..errors import RaisedError, TemplatesError
from . import get, names
from .family import Family
from .markers import control_texts
from .probes import PROBES, TIME

#: How many families, those with the most control texts in common, are compared by what they render.
CANDIDATES = 8
#: How alike two templates' prompts must be to count as one family.
CLOSE = 0.8
#: How many lines of a template with control texts that the family does not have are named.
SHOWN_LINES = 5


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
    compile_template(source, mutable=False)
    ranked = sorted(_candidates(source), key=lambda entry: -entry[0])[:CANDIDATES]
    best: tuple[float, float, Family, str] | None = None
    for alike, family in ranked:
        for text in (family.template, *family.variants.values()):
            score = _similarity(source, text, family)
            if best is None or (score, alike) > best[:2]:
                best = (score, alike, family, text)
    if best is None or best[0] < CLOSE:
        return Detection(None, False, best[0] if best else 0.0, ("its prompts are unlike those of any family",))
    score, _, family, text = best
    equal, counted = _agreement(source, text, family)
    exact = equal == counted > 0
    return Detection(family.name, exact, score, tuple(_evidence(source, text, family, equal, counted)))


def _candidates(source: str) -> list[tuple[float, Family]]:
    """The families by how much of their control texts, the rare ones foremost, the template has in common."""
    markers, weights = frozenset(control_texts(source)), _weights()
    found = []
    for name in names():
        family = get(name)
        theirs = _markers(name)
        shared = sum(weights[marker] for marker in markers & theirs)
        every = sum(weights.get(marker, 1.0) for marker in markers | theirs)
        found.append((shared / every if every else 0.5, family))
    return found


@cache
def _markers(name: str) -> frozenset[str]:
    family = get(name)
    texts = (family.template, *family.variants.values())
    return frozenset(marker for text in texts for marker in control_texts(text))


@cache
def _weights() -> dict[str, float]:
    """The rarer a control text is among the families, the more it says."""
    counts = Counter(marker for name in names() for marker in _markers(name))
    return {marker: math.log(1 + len(names()) / count) for marker, count in counts.items()}


def _outcomes(source: str, tokens: Mapping[str, str]) -> Sequence[_Outcome]:
    template = compile_template(source, mutable=False)
    outcomes = []
    for probe in PROBES.values():
        context: dict[str, Any] = {"tools": None, "documents": None, "add_generation_prompt": False, **tokens, **probe}
        try:
            outcomes.append(_Outcome(template.render(context, now=TIME), None))
        except RaisedError as refusal:
            outcomes.append(_Outcome(None, refusal.message))
        except TemplatesError:
            outcomes.append(_Outcome(None, None))
    return outcomes


@cache
def _own_outcomes(name: str, text: str) -> Sequence[_Outcome]:
    return _outcomes(text, get(name).special_tokens)


def _pairs(source: str, text: str, family: Family) -> list[tuple[_Outcome, _Outcome]]:
    """What both make of each probe, where at least one of them does not fail by accident."""
    pairs = zip(_outcomes(source, family.special_tokens), _own_outcomes(family.name, text), strict=True)
    return [(ours, theirs) for ours, theirs in pairs if ours.counts and theirs.counts]


def _similarity(source: str, text: str, family: Family) -> float:
    pairs = _pairs(source, text, family)
    return sum(_alike(ours, theirs) for ours, theirs in pairs) / len(pairs) if pairs else 0.0


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


def _evidence(source: str, text: str, family: Family, equal: int, counted: int) -> list[str]:
    markers, theirs = frozenset(control_texts(source)), frozenset(control_texts(text))
    shared = sorted(markers & theirs, key=lambda marker: (-_weights().get(marker, 0), marker))
    sentences = [f"{equal} of {counted} probe conversations become what the family {family.name} makes of them"]
    if shared:
        sentences.append(f"both write {', '.join(shared[:SHOWN_LINES])}")
    extra, missing = sorted(markers - theirs), sorted(theirs - markers)
    if extra:
        lines = [number for number, line in enumerate(source.splitlines(), 1) if any(m in line for m in extra)]
        shown = ", ".join(map(str, lines[:SHOWN_LINES])) + (", …" if len(lines) > SHOWN_LINES else "")
        sentences.append(f"only this template has {', '.join(extra[:SHOWN_LINES])} (line {shown})")
    if missing:
        sentences.append(f"only the family has {', '.join(missing[:SHOWN_LINES])}")
    return sentences
