"""`llm-templates diff`: two templates compared by what they render."""

from __future__ import annotations

import sys

import click

from ..comparison import Comparison, compare
from .models import complete, load_model
from .writing import write_document, write_lines


@click.command(no_args_is_help=True)
@click.argument("left", metavar="A", shell_complete=complete)
@click.argument("right", metavar="B", shell_complete=complete)
@click.option("--offline", is_flag=True, help="Look for hub ids on this machine only.")
@click.option("--all", "everything", is_flag=True, help="Show the conversations, too, that both render the same.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, with both texts of each conversation.")
@click.pass_context
def diff(ctx: click.Context, left: str, right: str, offline: bool, everything: bool, as_json: bool) -> None:
    """Compare two templates by what they render, conversation by conversation, with the first difference marked.

    The exit status is 1 when they differ.

    \b
    llm-templates diff qwen2.5 qwen3
    llm-templates diff ./my-model Qwen/Qwen3-8B
    """
    one, other = (load_model(model, None, None, offline, None).template for model in (left, right))
    found = compare(one, other)
    if as_json:
        write_document([{**entry._asdict(), "equal": entry.equal} for entry in found])
    else:
        coloured = sys.stdout.isatty() and ctx.color is not False
        shown = [entry for entry in found if everything or not entry.equal]
        write_lines([line for entry in shown for line in _lines(entry, left, right, coloured)])
        equal = sum(entry.equal for entry in found)
        write_lines([f"{equal} of {len(found)} conversations are rendered the same"])
    if not all(entry.equal for entry in found):
        ctx.exit(1)


def _lines(entry: Comparison, left: str, right: str, coloured: bool) -> list[str]:
    if entry.equal:
        return [f"= {entry.shape}"]
    width = max(len(left), len(right))
    lines = [f"≠ {entry.shape}, from character {entry.place}"]
    for name, text in ((left, entry.left), (right, entry.right)):
        before, at, after = (repr(part)[1:-1] for part in entry.around(text))
        mark = click.style(at or "␃", reverse=True) if coloured else f"»{at or '␃'}«"
        lines.append(f"  {name.ljust(width)}  {before}{mark}{after}")
    return lines
