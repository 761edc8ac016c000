"""The explorer: `python -m tests.fuzz --count 2000 --seed 1 --show 20 --reduce`."""

from __future__ import annotations

import argparse
import sys
import time

from .run import Finding, run, smallest
from .worker import Worker


def main() -> int:
    """Run, print the counts and some findings. The exit status is 1 when there are any."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Templates made up, by us and by Jinja.")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=10, help="kinds of findings to print")
    parser.add_argument("--reduce", action="store_true", help="print the smallest template that shows the same")
    arguments = parser.parse_args()
    start = time.perf_counter()
    tally = run(arguments.seed, arguments.count)
    print(f"{tally}\n{time.perf_counter() - start:.0f} s\n")
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in tally.findings:
        groups.setdefault(finding.group, []).append(finding)
    with Worker("ours") as ours, Worker("jinja") as theirs:
        for alike in sorted(groups.values(), key=len, reverse=True)[: arguments.show]:
            shortest = min(alike, key=lambda finding: len(finding.case.source))
            print(f"{len(alike)} x {smallest(shortest, ours, theirs) if arguments.reduce else shortest}", flush=True)
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
