"""`llm-templates batch`: a data set to rows of prompts or tokens, over many workers."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from .failures import OutputError
from .models import load_model, model_argument, model_options
from .request import read_variables
from .tools import read_tools
from .writing import write_document, write_lines, write_note

if TYPE_CHECKING:
    from ..batch.summary import Summary

#: How often the progress bar moves, in seconds.
TICK = 0.2


def _split(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(name.strip() for name in value.split(",") if name.strip())


@click.command(no_args_is_help=True)
@model_argument
@click.argument("data", type=click.Path(exists=True), metavar="DATA")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False), help="A .parquet or .jsonl file.")
@click.option("--tokenizer", metavar="FILE", help="Tokens, by this tokenizer: a tokenizer.json, a folder or a hub id.")
@click.option("--mask", is_flag=True, help="With what is trained on: the columns labels and mask.")
@click.option("--columns", metavar="A,B,...", callback=_split, help="These columns, instead of the usual ones.")
@click.option("--copy", metavar="A,B,...", callback=_split, help="Fields of the records that go along.")
@click.option("--source", metavar="FORMAT", help="The records' format, instead of finding it out.")
@click.option("--train", type=click.Choice(["all", "last"]), default="all", help="Which turns of the model count.")
@click.option("--max-tokens", type=click.IntRange(1), metavar="N", help="Cut longer rows.")
@click.option(
    "--keep",
    type=click.Choice(["start", "end", "turns"]),
    default="start",
    help="What stays of them.  [default: start]",
)
@click.option("--pack", type=click.IntRange(1), metavar="N", help="Put prompts together into rows of N tokens.")
@click.option(
    "--rewritten",
    type=click.Choice(["row", "turns", "raise"]),
    default="row",
    help="Where the template rewrites earlier turns: one row, one for each turn, or an error.  [default: row]",
)
@click.option(
    "--on-empty",
    type=click.Choice(["raise", "skip", "keep"]),
    default="raise",
    help="Where nothing is trained on: an error, no row, or a row.  [default: raise]",
)
@click.option(
    "--on-error",
    type=click.Choice(["reject", "raise"]),
    default="reject",
    help="Put records with an error into OUTPUT.rejects.jsonl, or end.  [default: reject]",
)
@click.option("--workers", type=click.IntRange(1), metavar="N", help="How many run at once.  [default: one a core]")
@click.option("--resume", is_flag=True, help="Go on where the same command was interrupted.")
@click.option("--generation-prompt", is_flag=True, help="End each prompt with what makes the model answer.")
@click.option("--tools", multiple=True, metavar="FILE|MODULE:FUNCTION", help="Tools, for records that have none.")
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="A template variable; JSON or text.")
@click.option("--reasoning", metavar="on|off|LEVEL", help="Whether, or how much, the model is to reason.")
@model_options
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON document.")
def batch(
    data: str,
    output: str,
    tokenizer: str | None,
    mask: bool,
    columns: tuple[str, ...] | None,
    copy: tuple[str, ...] | None,
    train: str,
    on_error: str,
    workers: int | None,
    resume: bool,
    generation_prompt: bool,
    tools: tuple[str, ...],
    variables: tuple[str, ...],
    reasoning: str | None,
    as_json: bool,
    model: str,
    variant: str | None,
    revision: str | None,
    offline: bool,
    default: str | None,
    **choices: Any,
) -> None:
    """Render a data set, encode, mask, cut and pack it, in one pass.

    DATA is a file of JSON lines or of Parquet, or a folder of such files, with records of any format that `convert`
    knows. Beside OUTPUT stand OUTPUT.summary.json and OUTPUT.rejects.jsonl.

    \b
    llm-templates batch qwen3 chats.jsonl -o rows.parquet --tokenizer tokenizer.json --mask
    llm-templates batch ./my-model data/ -o prompts.jsonl
    """
    from ..batch.batch import Batch
    from ..batch.columns import TOKENS, checked_columns
    from ..batch.run import run
    from ..masking import Training

    if mask and tokenizer is None:
        raise click.UsageError("--mask needs --tokenizer: what is trained on is tokens")
    if columns is None and tokenizer is not None and not mask:
        usual = checked_columns(None, True, choices["pack"] is not None)
        columns = tuple(name for name in usual if name not in TOKENS or name == TOKENS[0])
    made = Batch(
        load_model(model, variant, revision, offline, default).template,
        tokenizer,
        columns=columns,
        copy=copy or (),
        training=Training(turns=train),
        add_generation_prompt=generation_prompt,
        tools=read_tools(tools) if tools else None,
        variables=read_variables(variables) or None,
        reasoning={"on": True, "off": False}.get(reasoning, reasoning) if reasoning else None,
        **choices,
    )
    with click.progressbar(length=1, file=sys.stderr, show_eta=True, item_show_func=str, hidden=not _is_seen()) as bar:
        try:
            progress = _progress(bar) if _is_seen() else None
            summary = run(made, data, output, workers=workers, resume=resume, on_error=on_error, progress=progress)
        except KeyboardInterrupt:
            write_note("what is done is kept; the same command goes on with it, with --resume")
            raise
        except OSError as error:
            raise OutputError(f"the output cannot be written: {error.strerror or error}") from None
    if as_json:
        write_document(summary.to_json())
    else:
        write_lines(list(summary.lines()))


def _is_seen() -> bool:
    return sys.stderr.isatty()


def _progress(bar: Any) -> Callable[[int, int, Summary], None]:
    """What moves the bar: how much of the input is done, rows and tokens a second, the time left."""
    began = time.monotonic()
    last = 0.0

    def show(done: int, total: int, summary: Summary) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < TICK and done < total:
            return
        last = now
        seconds = max(now - began, 1e-3)
        rates = f"{summary.made / seconds:,.0f} rows/s"
        if summary.tokens:
            rates += f", {summary.tokens / seconds:,.0f} tokens/s"
        bar.length = max(total, 1)
        bar.update(done - bar.pos, rates)

    return show
