"""`llm-templates trace`: a conversation to its prompt, with who wrote each part of it."""

from __future__ import annotations

import shutil
import sys
from typing import Any

import click

from ..errors import TemplatesError
from .advice import advise
from .models import load_model, model_argument, model_options
from .request import check_request, read_given, read_variables, request_options
from .view import view
from .writing import write_document, write_lines


@click.command(no_args_is_help=True)
@model_argument
@request_options
@click.option(
    "--generation-prompt/--no-generation-prompt",
    default=True,
    help="End with what makes the model answer, or do not.  [default: do]",
)
@model_options
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON document: the prompt in segments, each with its origin."
)
@click.pass_context
def trace(
    ctx: click.Context,
    /,
    messages: str | None,
    user: tuple[str, ...],
    system: str | None,
    tools: tuple[str, ...],
    variables: tuple[str, ...],
    reasoning: str | None,
    generation_prompt: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Show who wrote what in a prompt: the template, each message, the tools; and what the model itself would write.

    Takes what `render` takes. On a terminal with colours; elsewhere input stands in brackets.

    \b
    llm-templates trace zephyr -u 'Hello!'
    llm-templates trace ./my-model messages.json --no-generation-prompt
    """
    check_request(messages, user, system, tools)
    given = read_variables(variables)
    model = load_model(**options)
    request = read_given(messages, user, system, tools, given, reasoning)
    try:
        prompt = model.template.trace(
            request.messages,
            add_generation_prompt=generation_prompt,
            reasoning=request.reasoning,
            **request.inputs,
        )
    except TemplatesError as error:
        advise(error, model.template, request.messages, **request.inputs)
        raise
    if as_json:
        write_document(prompt.to_json())
        return
    for note in request.notes:
        click.echo(f"Note: {note}", err=True)
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else None
    coloured = ctx.color is True or (terminal and ctx.color is not False)
    write_lines(view(prompt, request.messages, coloured=coloured, width=width))
