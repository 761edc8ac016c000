"""The stopwatch: contenders take turns, so that a busy machine slows all of them alike."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterable, Mapping

#: How long one turn of a contender should last at least, in seconds.
TURN = 0.004


def race(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds each call takes: the best of `rounds` turns, the turns of all contenders interleaved.

    A fast call is repeated within a turn. The order rotates from round to round. The garbage collector
    rests meanwhile, as with `timeit`.
    """
    repeats = {name: _repeats(call) for name, call in calls.items()}
    best = dict.fromkeys(calls, math.inf)
    names = list(calls)
    collecting = gc.isenabled()
    try:
        for turn in range(rounds):
            shift = turn % len(names)
            for name in names[shift:] + names[:shift]:
                gc.collect(0)
                gc.disable()
                best[name] = min(best[name], _turn(calls[name], repeats[name]))
                gc.enable()
    finally:
        (gc.enable if collecting else gc.disable)()
    return best


def _repeats(call: Callable[[], object]) -> int:
    """How many calls fill a turn."""
    call()
    count = 1
    while (taken := _turn(call, count) * count) < TURN:
        count = max(count + 1, min(count * 10, math.ceil(count * TURN / max(taken, 1e-9))))
    return count


def _turn(call: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def geometric_mean(values: Iterable[float]) -> float:
    """The geometric mean; not a number when there are no values."""
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan
