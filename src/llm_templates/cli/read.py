"""`llm-templates read`: a whole prompt back to the conversation it was made of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from .given_text import check_given, read_given_text
from .models import load_model, model_argument, model_options
from .writing import write_document, write_note, write_text

if TYPE_CHECKING:
    from ..grammar.reading import Transcript


@click.command(no_args_is_help=True)
@model_argument
@click.argument("prompt", required=False, metavar="[PROMPT|@FILE|-]")
@model_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document, with what else the prompt tells.")
@click.pass_context
def read(ctx: click.Context, /, prompt: str | None, as_json: bool, **options: Any) -> None:
    """Read a whole prompt back into the messages, and the tools, that it was rendered from.

    PROMPT is the text itself; without it, standard input is read. What is written is a conversation as `render` takes
    it. Standard error tells whether it gives exactly the same prompt again; if it does not, the exit status is 1.

    \b
    llm-templates render qwen3 talk.json | llm-templates read qwen3
    llm-templates read ./my-model @prompt.txt
    """
    check_given(prompt, "the prompt")
    template = load_model(**options).template
    found = template.read(read_given_text(prompt))
    if as_json:
        write_document(found._asdict())
    else:
        write_text(_conversation(found), "the conversation")
        for note in found.lost:
            write_note(note)
        if found.exact:
            write_note(f"rendered{_options(found)}, it is exactly this prompt again")
    if not found.exact:
        ctx.exit(1)


def _conversation(found: Transcript) -> str:
    """An object with a message, and a tool, on each line."""
    parts = {"messages": found.messages, "tools": found.tools}
    lists = [f'"{key}": {_rows(rows)}' for key, rows in parts.items() if rows is not None]
    return f"{{{', '.join(lists)}}}\n"


def _rows(rows: list[dict[str, Any]]) -> str:
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f"[\n{lines}\n]" if rows else "[]"


def _options(found: Transcript) -> str:
    """The options of `render` that a prompt tells of."""
    options = [] if found.add_generation_prompt else ["--no-generation-prompt"]
    options += [f"--var {name}={json.dumps(value)}" for name, value in found.variables.items()]
    return f" with {' '.join(options)}" if options else ""
