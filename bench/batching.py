"""A data set of conversations to rows of ids and labels, on two cores, against others; and the memory it takes."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .batch_contenders import (
    TEMPLATE,
    WHOLE,
    WORKERS,
    Taken,
    alone,
    between,
    clocks,
    columns,
    environment,
    tokenizer,
    trl,
)
from .conversations import conversations, write_jsonl
from .report import Bar

#: Without these there is nothing to compare with, or to write.
NEEDED = ("datasets", "pyarrow", "numpy", "tokenizers", "transformers")
QUICK, ROWS, FULL = 2_000, 20_000, 200_000
#: How many conversations the tokenizer is trained on, which are others than those.
TRAINED = 2_000
#: How often the memory is looked at, in seconds.
POLL = 0.05


@dataclass
class Measured:
    """What was measured."""

    rows: int
    tokens: int
    #: The whole command, and its highest memory in bytes, by how many rows it was given.
    ours: dict[int, Taken] = field(default_factory=dict)
    peaks: dict[int, int] = field(default_factory=dict)
    #: TRL's way, and the tokenizer alone, by what was measured.
    trl: dict[str, Taken] = field(default_factory=dict)
    alone: dict[str, Taken] = field(default_factory=dict)
    #: Rows whose labels are not TRL's.
    differing: int = 0


def missing() -> str | None:
    """Why this cannot be measured here, or None."""
    absent = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(absent)} (dependency group bench)" if absent else None


def measure(*, quick: bool = False, full: bool = False) -> Measured:
    """Write the data set, train a tokenizer, and let all of them run. That their ids are the same is part of it.

    Raises:
        AssertionError: the ids of one are not those of another.
        RuntimeError: a program failed.
    """
    count = QUICK if quick else ROWS
    others = [] if quick else [QUICK, FULL] if full else [QUICK]
    with tempfile.TemporaryDirectory(prefix="bench-batch-") as name:
        folder = pathlib.Path(name)
        (folder / "template.jinja").write_text(TEMPLATE, encoding="utf-8")
        tokenizer(conversations(TRAINED, seed=1)).save(str(folder / "tokenizer.json"))
        rows = folder / "rows.jsonl"
        write_jsonl(conversations(count), rows)

        taken, peak = ours(folder, rows)
        ids, labels = columns(folder / "ours.parquet")
        measured = Measured(count, len(ids.values), {count: taken}, {count: peak})
        measured.trl = trl(folder)
        theirs, their_labels = columns(folder / "trl.parquet")
        if not ids.equals(theirs):
            raise AssertionError("batch: the ids are not those of apply_chat_template")
        if not labels.equals(their_labels):
            measured.differing = sum(mine != their for mine, their in zip(labels, their_labels, strict=True))
        measured.alone = alone(folder, ids)
        # Again, a while later: other work on the machine may have met the first time.
        measured.ours[count] = min(taken, ours(folder, rows)[0])
        for other in others:
            write_jsonl(conversations(other), rows)
            measured.ours[other], measured.peaks[other] = ours(folder, rows)
    return measured


def ours(folder: pathlib.Path, rows: pathlib.Path) -> tuple[Taken, int]:
    """The time of the whole command, and its highest memory in bytes (0 where there is no `/proc`).

    Raises:
        RuntimeError: it failed.
    """
    command = [
        *(sys.executable, "-m", "llm_templates", "batch", str(folder / "template.jinja"), str(rows)),
        *("-o", str(folder / "ours.parquet"), "--tokenizer", str(folder / "tokenizer.json")),
        *("--mask", "--workers", str(WORKERS)),
    ]
    start = clocks()
    with subprocess.Popen(
        command, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as program:
        memory = Memory(program.pid)
        output, _ = program.communicate()
    taken = between(start, clocks())
    if program.returncode:
        raise RuntimeError(f"llm-templates batch: {output.strip()}")
    return taken, memory.stop()


class Memory(threading.Thread):
    """Looks at the memory of a program and of all the programs it started, and keeps the highest sum.

    Pages that several of them share count for each of them.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._ended, self._highest = pid, threading.Event(), 0
        self.start()

    def run(self) -> None:
        """Look until it is stopped."""
        while not self._ended.wait(POLL):
            self._highest = max(self._highest, sum(map(_resident, _family(self._pid))))

    def stop(self) -> int:
        """The highest sum in bytes."""
        self._ended.set()
        self.join()
        return self._highest


def _family(pid: int) -> Iterator[int]:
    yield pid
    for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = children.read_text().split()
        except OSError:  # it has ended meanwhile
            continue
        for child in found:
            yield from _family(int(child))


def _resident(pid: int) -> int:
    try:
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def table(measured: Measured) -> None:
    """Print it."""
    title = f"{measured.rows:,} conversations, {measured.tokens / 1e6:.1f} million tokens, {WORKERS} workers"
    print(f"\n{title:<64}{'time':>9}{'of cores':>11}{'rows/s':>9}")
    lines = {"ours, the whole command": measured.ours[measured.rows]}
    lines |= {f"TRL's way, {name}": taken for name, taken in measured.trl.items()}
    lines |= {f"the tokenizer alone, {name}": taken for name, taken in measured.alone.items()}
    for name, taken in lines.items():
        rate = measured.rows / taken.seconds
        print(f"{name:<64}{taken.seconds:>7.1f} s{taken.work:>9.1f} s{rate:>9,.0f}")
    if measured.differing:
        print(f"note: {measured.differing:,} rows have other labels than TRL's")
    for rows, peak in sorted(measured.peaks.items()):
        if peak:
            print(f"ours, {rows:,} rows: {measured.ours[rows].seconds:.1f} s, {peak / 1e6:,.0f} MB at most")


def as_json(measured: Measured) -> dict[str, Any]:
    """The figures as plain data: seconds by the clock and of the cores, memory in bytes."""
    return {
        "rows": measured.rows,
        "tokens": measured.tokens,
        "ours": {str(rows): taken._asdict() for rows, taken in measured.ours.items()},
        "memory": {str(rows): peak for rows, peak in measured.peaks.items()},
        "trl": {name: taken._asdict() for name, taken in measured.trl.items()},
        "alone": {name: taken._asdict() for name, taken in measured.alone.items()},
        "differing": measured.differing,
    }


def bars(measured: Measured) -> list[Bar]:
    """The promises, with what was measured; none for a data set so small that it takes little more than the start."""
    if measured.rows < ROWS:
        return []
    ours = measured.ours[measured.rows].seconds
    limit = min(measured.alone.values()).seconds
    found = [
        Bar("data set: whole command against TRL's way, from file to file", measured.trl[WHOLE].seconds / ours, 3),
        Bar("data set: whole command against the tokenizer alone", limit / ours, 0.7),
    ]
    peaks = [peak for _, peak in sorted(measured.peaks.items()) if peak]
    if len(peaks) > 1:
        found.append(Bar("data set: memory, most rows against fewest", peaks[-1] / peaks[0], 1.25, at_least=False))
    return found
