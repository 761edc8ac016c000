"""What is printed: tables, and the bars with the values that were measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .measure import Row
from .timing import geometric_mean


@dataclass(frozen=True)
class Bar:
    """One thing the project promises about its speed, and what was measured."""

    name: str
    value: float
    bound: float
    at_least: bool = True

    @property
    def holds(self) -> bool:
        """Whether the value keeps the promise."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        wanted = f"at {'least' if self.at_least else 'most'} {self.bound:g} x"
        return f"{self.name:<62}{self.value:8.2f} x   {wanted:<15}{'holds' if self.holds else 'does not hold'}"


def render_table(rows: Iterable[Row]) -> list[Row]:
    """Print renders as they are measured; give them back as a list."""
    print(f"{'render':<44}{'messages':>9}{'ours':>11}{'transformers':>22}{'minijinja':>20}")
    done = []
    for row in rows:
        done.append(row)
        print(
            f"{_short(row.name):<44}{row.size:>9}{_time(row.seconds['ours']):>11}"
            f"{_with_ratio(row, 'transformers'):>22}{_with_ratio(row, 'minijinja'):>20}",
            flush=True,
        )
    for contender in ("transformers", "minijinja"):
        for size in sorted({row.size for row in done}):
            values = ratios((row for row in done if row.size == size), contender)
            print(f"geometric mean against {contender}, {size} messages: {geometric_mean(values):.2f} x")
    remarks: dict[str, list[str]] = {}
    for row in done:
        for contender, remark in row.remarks.items():
            text = f"{contender}, {row.name}: {remark}"
            remarks.setdefault(text + ("" if contender in row.seconds else " (left out)"), []).append(str(row.size))
    for text, sizes in remarks.items():
        print(f"note: {text} [{', '.join(sizes)} messages]")
    return done


def trace_table(rows: Iterable[Row]) -> list[Row]:
    """Print traced renders beside transformers' plain ones."""
    print(f"\n{'traced render':<44}{'messages':>9}{'ours':>11}{'with segments':>15}{'transformers, plain':>22}")
    done = []
    for row in rows:
        done.append(row)
        print(
            f"{_short(row.name):<44}{row.size:>9}{_time(row.seconds['ours']):>11}"
            f"{_time(row.seconds['segments']):>15}{_with_ratio(row, 'transformers'):>22}",
            flush=True,
        )
    means = [
        geometric_mean(row.seconds["transformers"] / row.seconds[name] for row in done) for name in ("ours", "segments")
    ]
    print(f"geometric mean against transformers: {means[0]:.2f} x, with the origin of every character {means[1]:.2f} x")
    return done


def hand_table(rows: Iterable[Row]) -> list[Row]:
    """Print our time and the hand-written function's."""
    print(f"\n{'against functions written by hand':<44}{'messages':>9}{'ours':>11}{'by hand':>11}{'ours/hand':>11}")
    done = []
    for row in rows:
        done.append(row)
        ours, hand = row.seconds["ours"], row.seconds["by hand"]
        print(f"{row.name:<44}{row.size:>9}{_time(ours):>11}{_time(hand):>11}{ours / hand:>9.2f} x", flush=True)
    return done


def compile_table(rows: Iterable[Row]) -> list[Row]:
    """Print compile times."""
    print(f"\n{'compile':<44}{'ours':>20}{'jinja2':>11}{'ours/jinja2':>13}")
    done = []
    for row in rows:
        done.append(row)
        ours, jinja = row.seconds["ours"], row.seconds["jinja2"]
        print(f"{_short(row.name):<44}{_time(ours):>20}{_time(jinja):>11}{ours / jinja:>11.2f} x", flush=True)
    mean = geometric_mean(row.seconds["ours"] / row.seconds["jinja2"] for row in done)
    print(f"geometric mean of ours/jinja2: {mean:.2f} x")
    return done


def cold_table(seconds: dict[str, float]) -> None:
    """Print the cold processes."""
    print(f"\n{'cold process: import, load a built-in, render':<64}")
    for name, value in seconds.items():
        print(f"{name:<44}{_time(value):>20}")


def ratios(rows: Iterable[Row], contender: str) -> list[float]:
    """How many times faster ours is than a contender, for the rows it took part in."""
    return [ratio for row in rows if (ratio := row.ratio(contender)) is not None]


def bars(
    rendered: list[Row],
    hand: list[Row],
    traced: list[Row],
    encoded: list[dict[str, Any]],
    cold: dict[str, float] | None,
) -> list[Bar]:
    """The promises with what was measured."""
    slower = [row.seconds["ours"] / row.seconds["by hand"] for row in hand]
    made: list[Bar] = []
    add: Callable[[Bar], None] = made.append
    if rendered:
        add(Bar("speed against transformers, geometric mean", geometric_mean(ratios(rendered, "transformers")), 12))
        add(Bar("speed against minijinja, geometric mean", geometric_mean(ratios(rendered, "minijinja")), 2.5))
    if hand:
        add(Bar("time against functions written by hand, geometric mean", geometric_mean(slower), 2, at_least=False))
    if traced:
        add(
            Bar(
                "traced against transformers' plain render, geometric mean",
                geometric_mean(ratios(traced, "transformers")),
                3,
            )
        )
    if encoded:
        slow = geometric_mean(row["encode"] / row["tokenizer"] for row in encoded)
        add(Bar("encode with mask and offsets against tokenizer.encode", slow, 1.3, at_least=False))
        grown = geometric_mean(row["extend"] / row["over"] for row in encoded)
        add(Bar("a turn added to 200 against encoding from scratch", grown, 0.05, at_least=False))
    if cold:
        add(Bar("cold process against transformers", cold["transformers"] / cold["ours"], 8))
    return made


def _short(name: str) -> str:
    return name if len(name) < 44 else name[:42] + "…"


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} µs"


def _with_ratio(row: Row, contender: str) -> str:
    ratio = row.ratio(contender)
    return "—" if ratio is None else f"{_time(row.seconds[contender])} {ratio:6.1f} x"
