"""What became of a data set, in figures that add up: of a few records, or of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from ..masking import PLACE
from .rows import Rejected, Row

#: How many different findings and reasons are told; hostile records may have one each.
KINDS = 50
OTHERS = "others"
#: How long a bar of the histogram is.
WIDTH = 40


@dataclass(slots=True)
class Summary:
    """Figures of records and their rows.

    >>> summary = Summary.of([Row(0, "", [1, 2, 3], [0, 1, 1])], [], 1)
    >>> summary.tokens, summary.trained, dict(summary.lengths)
    (3, 2, {4: 1})
    """

    #: Records that were read, those of which there is no row because of an error, and those left out as asked.
    records: int = 0
    rejected: int = 0
    skipped: int = 0
    #: Rows that were made, before any were packed, and rows that were written.
    made: int = 0
    rows: int = 0
    tokens: int = 0
    #: Tokens that are trained on.
    trained: int = 0
    #: The tokens of the longest row.
    longest: int = 0
    #: Rows that were too long, and how many tokens were cut off.
    cut: int = 0
    cut_tokens: int = 0
    #: Records with earlier turns that the template writes otherwise than the model did.
    rewritten: int = 0
    #: Rows with control tokens in text that may not have them.
    injected: int = 0
    #: How many rows have up to so many tokens, by powers of two.
    lengths: Counter[int] = field(default_factory=Counter)
    #: How many rows have something worth knowing of their mask, by what it is.
    findings: Counter[str] = field(default_factory=Counter)
    #: How many records were rejected, by why.
    reasons: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, rows: Sequence[Row], rejected: Sequence[Rejected], records: int) -> Summary:
        """The figures of some records.

        Args:
            rows: their rows.
            rejected: those that have none.
            records: how many there are.
        """
        import numpy

        sizes = [len(row.ids) for row in rows]
        found = cls(
            records=records,
            rejected=len(rejected),
            skipped=records - len(rejected) - len({row.record for row in rows}),
            made=len(rows),
            rows=len(rows),
            tokens=sum(sizes),
            trained=sum(int(numpy.count_nonzero(row.mask)) for row in rows),
            longest=max(sizes, default=0),
            cut=sum(1 for row in rows if row.cut),
            cut_tokens=sum(row.cut for row in rows),
            rewritten=len({row.record for row in rows if row.is_rewritten}),
            injected=sum(1 for row in rows if row.attempts),
        )
        found.lengths.update(1 << (size - 1).bit_length() if size else 0 for size in sizes)
        for row in rows:
            found.findings.update({PLACE.sub("", finding) for finding in row.findings})
        found.reasons.update(PLACE.sub("", one.error.message.partition("\n")[0][:200]) for one in rejected)
        return found

    def add(self, other: Summary) -> None:
        """Count in what another one counted."""
        for entry in fields(self):
            mine, theirs = getattr(self, entry.name), getattr(other, entry.name)
            if entry.name == "longest":
                self.longest = max(mine, theirs)
            elif isinstance(mine, Counter):
                for key, count in theirs.items():
                    known = key in mine or len(mine) < KINDS or isinstance(key, int)
                    mine[key if known else OTHERS] += count
            else:
                setattr(self, entry.name, mine + theirs)

    def to_json(self) -> dict[str, Any]:
        """The figures as plain data."""
        found: dict[str, Any] = {}
        for entry in fields(self):
            value = getattr(self, entry.name)
            found[entry.name] = {str(key): value[key] for key in sorted(value)} if isinstance(value, Counter) else value
        return found

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Summary:
        """The figures that `to_json` gave.

        >>> Summary.from_json(Summary(lengths=Counter({4: 1})).to_json()).lengths
        Counter({4: 1})
        """
        found = cls(**data)
        found.lengths = Counter({int(key): count for key, count in data["lengths"].items()})
        found.findings, found.reasons = Counter(data["findings"]), Counter(data["reasons"])
        return found

    def lines(self) -> Iterator[str]:
        """The figures for people to read."""
        yield f"{_count(self.records, 'record')}, {_count(self.rows, 'row')}"
        if self.rows != self.made:
            yield f"{_count(self.made, 'prompt')} packed into {_count(self.rows, 'row')}"
        if self.tokens:
            share = f", {self.trained / self.tokens:.1%} of them trained on" if self.trained else ""
            mean = f"{self.tokens / self.made:,.0f} a prompt, the longest has {self.longest:,}"
            yield f"{_count(self.tokens, 'token')}{share}; {mean}"
        for number, text in (
            (self.rejected, "rejected"),
            (self.skipped, "left out, because nothing of them is trained on"),
            (self.rewritten, "with earlier turns that the template writes otherwise than the model did"),
        ):
            if number:
                yield f"{_count(number, 'record')} {text}"
        if self.cut:
            yield f"{_count(self.cut, 'row')} cut, by {_count(self.cut_tokens, 'token')}"
        if self.injected:
            yield f"{_count(self.injected, 'row')} with control tokens in text, which count as text"
        for title, counts in (("rejected because", self.reasons), ("of the masks", self.findings)):
            if counts:
                yield f"{title}:"
                yield from (f"  {count:>9,}  {text}" for text, count in counts.most_common(10))
        if self.tokens:
            yield "tokens of a prompt:"
            highest = max(self.lengths.values())
            for bound in sorted(self.lengths):
                count = self.lengths[bound]
                yield f"  up to {bound:>9,}  {count:>9,}  {'#' * max(1, round(WIDTH * count / highest))}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
