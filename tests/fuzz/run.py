"""A run: so many templates, each by both engines, judged and counted."""

from __future__ import annotations

import collections
import random
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from . import differences
from .contexts import CONTEXTS
from .generate import template
from .reduce import reduce
from .worker import Case, Outcome, Worker

#: How many templates go to a child at a time.
BATCH = 50


@dataclass(frozen=True)
class Finding:
    """A template on which the engines differ in a way no row describes."""

    verdict: str
    case: Case
    ours: Outcome
    theirs: Outcome

    @property
    def group(self) -> tuple[str, ...]:
        """What findings of the same cause have in common, as far as the exceptions tell."""
        told = (f"{one.status} {one.error} {one.message}" for one in (self.ours, self.theirs))
        return self.verdict, *(re.sub(r"'[^']*'|\"[^\"]*\"|\d+|(?<= )of an? \w+", "…", text)[:90] for text in told)

    def __str__(self) -> str:
        return (
            f"{self.verdict} [{self.case.context}]\n  template {self.case.source!r}\n"
            f"  ours     {str(self.ours)[:600]}\n  theirs   {str(self.theirs)[:600]}"
        )


@dataclass
class Tally:
    """What came of a run."""

    verdicts: collections.Counter[str] = field(default_factory=collections.Counter)
    raises: collections.Counter[str] = field(default_factory=collections.Counter)
    findings: list[Finding] = field(default_factory=list)
    total: int = 0
    slowest: float = 0.0

    def __str__(self) -> str:
        lines = [f"{count:7}  {verdict}" for verdict, count in self.verdicts.most_common()]
        if self.raises:
            told = ", ".join(f"{name} {count}" for name, count in self.raises.most_common())
            lines.append(f"accepted here, refused by the reference with: {told}")
        return "\n".join([f"{self.total} templates, our slowest {self.slowest * 1e3:.0f} ms", *lines])


def cases(seed: int, count: int) -> Iterator[Case]:
    """The templates of a run, each with a context."""
    names = list(CONTEXTS)
    for index in range(count):
        weights = (6, 3, 3, 3, 1)
        yield Case(template(seed, index), random.Random(f"context {seed}/{index}").choices(names, weights)[0])


def run(seed: int, count: int) -> Tally:
    """Render `count` templates by both engines, at the same time."""
    tally, made = Tally(), cases(seed, count)
    with Worker("ours") as ours, Worker("jinja") as theirs, ThreadPoolExecutor(2) as pool:
        while batch := [case for _, case in zip(range(BATCH), made, strict=False)]:
            answers = pool.map(lambda worker: worker.render(batch), (ours, theirs))
            for case, mine, reference in zip(batch, *answers, strict=True):
                verdict = differences.judge(case.source, mine, reference)
                tally.total += 1
                tally.slowest = max(tally.slowest, mine.seconds)
                tally.verdicts[verdict] += 1
                if mine.status == "text" and reference.status == "refused":
                    tally.raises[reference.error] += 1
                if verdict in differences.FAILURES:
                    tally.findings.append(Finding(verdict, case, mine, reference))
    return tally


def smallest(finding: Finding, ours: Worker, theirs: Worker) -> Finding:
    """The finding with the shortest template that gives the same verdict with the same kinds of exception."""

    def look(source: str) -> Finding:
        case = Case(source, finding.case.context)
        mine, reference = ours.render([case])[0], theirs.render([case])[0]
        return Finding(differences.judge(source, mine, reference), case, mine, reference)

    return look(reduce(finding.case.source, lambda source: look(source).group == finding.group))
