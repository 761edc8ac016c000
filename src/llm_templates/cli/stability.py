"""`llm-templates stability`: whether a prompt keeps its beginning when the conversation grows."""

from __future__ import annotations

from typing import Any

import click

from ..checks import Case, Change, StabilityReport
from ..checks import stability as check
from .models import load_model, model_argument, model_options
from .reading import read_variable
from .writing import ROW_ESCAPES, write_document, write_lines


@click.command(no_args_is_help=True)
@model_argument
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="A template variable; JSON or text.")
@click.option("--all", "everything", is_flag=True, help="Show the cases, too, in which nothing changes.")
@model_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document with every case.")
@click.pass_context
def stability(
    ctx: click.Context, /, variables: tuple[str, ...], everything: bool, as_json: bool, **options: Any
) -> None:
    """Tell whether a prompt keeps its beginning when a message is appended, as caches and training need it.

    Where it does not, the first difference is shown with the message and the template line that it comes from. "as
    generated" is the text of a generation prompt and what the model wrote after it. The exit status is 1 when
    something changes.

    \b
    llm-templates stability qwen3
    llm-templates stability ./my-model --var preserve_thinking=true
    """
    given = dict(map(read_variable, variables))
    model = load_model(**options)
    report = check(model.template, variables=given)
    if as_json:
        write_document(_document(report))
    else:
        write_lines([line for case in report.cases for line in _lines(case, everything)])
        kept = sum(case.stable for case in report.cases)
        refused = f", {len(report.refused)} refused by the template" if report.refused else ""
        write_lines([f"{kept} of {len(report.cases)} cases keep the beginning{refused}"])
    if not report.stable:
        ctx.exit(1)


def _lines(case: Case, everything: bool) -> list[str]:
    if case.change is None:
        why = f": {case.refusal}".translate(ROW_ESCAPES) if case.refusal else ""
        return [f"{'-' if case.refusal else '='} {case}{why}"] if everything else []
    change = case.change
    where = "" if change.message is None else f", in message {change.message}"
    lines = [f"≠ {case}: from character {change.place}{where}"]
    for word, text, origin in (("was", change.was, change.was_from), ("now", change.now, change.now_from)):
        lines.append(f"  {word}   {repr(text)[1:-1] or '(the end)'}{f'  ({origin})' if origin else ''}")
    if change.source is not None:
        lines.append(f"  line  {change.line}: {change.source.strip().translate(ROW_ESCAPES)}")
    return lines


def _document(report: StabilityReport) -> dict[str, Any]:
    return {
        "stable": report.stable,
        "cases": [
            {
                "history": list(case.history),
                "appended": case.appended,
                "generation_prompt": case.generation_prompt,
                "stable": case.stable,
                "change": None if case.change is None else _facts(case.change),
                "refusal": case.refusal,
            }
            for case in report.cases
        ],
    }


def _facts(change: Change) -> dict[str, Any]:
    told = {
        side: None if origin is None else str(origin)
        for side, origin in zip(("was_from", "now_from"), (change.was_from, change.now_from), strict=True)
    }
    return {**change._asdict(), **told}
