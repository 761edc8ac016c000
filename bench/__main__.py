"""The command: `python -m bench [--quick | --full] [--json FILE] [--check] [--corpus FOLDER] [--only PART]`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import sys
import warnings

if not __package__:  # run as a file: find the package it belongs to
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
    __package__ = "bench"

from bench import batching, cold, measure, parsing, report, subjects, tokens

PARTS = ("render", "trace", "tokens", "hand", "compile", "cold", "parse", "batch")


def main() -> int:
    """Measure, print, and say which bars hold. The exit status is 0 unless `--check` is given and one does not."""
    arguments = _arguments()
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    warnings.simplefilter("ignore")
    rounds, parts = (4 if arguments.quick else 15), arguments.only or list(PARTS)

    folder = subjects.corpus_folder(arguments.corpus)
    if folder is None:
        print("No corpus folder (see LLM_TEMPLATES_CORPUS): the built-in families are measured instead.\n")
    chosen = [
        subject
        for subject in (subjects.from_corpus(folder) if folder else subjects.from_families())
        if arguments.template in subject.name
    ]
    families = len({subject.family for subject in chosen})
    print(f"{len(chosen)} templates of {families} families; {platform.python_implementation()} "
          f"{platform.python_version()}, {os.cpu_count()} cores; best of {rounds} interleaved rounds\n")  # fmt: skip

    rendered = report.render_table(measure.renders(chosen, rounds)) if "render" in parts else []
    traced = report.trace_table(measure.traces(chosen, max(3, rounds // 2))) if "trace" in parts else []
    encoded = tokens.measure(rounds) if "tokens" in parts else []
    if encoded:
        tokens.table(encoded)
    hand = report.hand_table(measure.by_hand(rounds)) if "hand" in parts else []
    compiled = report.compile_table(measure.compiles(chosen, max(3, rounds // 3))) if "compile" in parts else []
    started = cold.cold_start(3 if arguments.quick else 7) if "cold" in parts else None
    if started:
        report.cold_table(started)

    parsed = parsing.table(parsing.parses(rounds)) if "parse" in parts else []
    if parsed:
        parsing.growth_table(parsing.growth(3))
        if file := parsing.cases_file():
            parsing.derived_table(parsing.derived(file))

    rows = None
    if "batch" in parts:
        if reason := batching.missing():
            print(f"\ndata sets are left out: {reason}")
        else:
            rows = batching.measure(quick=arguments.quick, full=arguments.full)
            batching.table(rows)

    bars = report.bars(rendered, hand, traced, encoded, started)
    if parsed:
        title = "outputs in pieces, against transformers' response parser, geometric mean"
        bars.append(report.Bar(title, parsing.faster(parsed), 3))
    if rows:
        bars += batching.bars(rows)
    print()
    for bar in bars:
        print(bar)
    if arguments.json:
        result = {
            "python": platform.python_version(),
            "render": [dataclasses.asdict(row) for row in rendered],
            "trace": [dataclasses.asdict(row) for row in traced],
            "by_hand": [dataclasses.asdict(row) for row in hand],
            "compile": [dataclasses.asdict(row) for row in compiled],
            "cold": started,
            "parse": [dataclasses.asdict(row) for row in parsed],
            "batch": batching.as_json(rows) if rows else None,
            "bars": [{**dataclasses.asdict(bar), "holds": bar.holds} for bar in bars],
        }
        pathlib.Path(arguments.json).write_text(json.dumps(result, indent=1, ensure_ascii=False), encoding="utf-8")
    return 1 if arguments.check and not all(bar.holds for bar in bars) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="How fast templates render, against others.")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="fewer repeats, and a small data set")
    size.add_argument("--full", action="store_true", help="a large data set, too, for its memory")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    parser.add_argument("--check", action="store_true", help="exit status 1 when a bar does not hold")
    parser.add_argument("--corpus", metavar="FOLDER", help="real templates (default: LLM_TEMPLATES_CORPUS)")
    parser.add_argument("--template", metavar="PART", default="", help="only templates whose name contains this")
    parser.add_argument("--only", metavar="PART", action="append", choices=PARTS, help=f"one of {', '.join(PARTS)}")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
