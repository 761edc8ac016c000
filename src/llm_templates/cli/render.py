"""`llm-templates render`: a conversation to its prompt."""

from __future__ import annotations

from typing import Any

import click

from ..errors import TemplatesError
from .advice import advise, remarks
from .models import Model, load_model, model_argument, model_options
from .request import check_request, read_given, read_variables, request_options
from .variables import lines_of_names
from .writing import write_document, write_text

CONTINUE = "--continue-final-message"


class RenderCommand(click.Command):
    """A command with an option whose value may be left out, and then is not looked for in the next word."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments, the bare option given the value it stands for."""
        end = args.index("--") if "--" in args else len(args)
        words = [f"{word}=content" if word == CONTINUE else word for word in args[:end]]
        return super().parse_args(ctx, [*words, *args[end:]])


@click.command(cls=RenderCommand, no_args_is_help=True)
@model_argument
@request_options
@click.option(
    "--generation-prompt/--no-generation-prompt",
    default=None,
    help=f"End with what makes the model answer, or do not.  [default: do, unless {CONTINUE}]",
)
@click.option(
    CONTINUE,
    "field",
    metavar="[=FIELD]",
    help="Leave the last message open, at its content or FIELD, for the model to go on.",
)
@model_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document: the prompt and what it was made with.")
def render(
    messages: str | None,
    user: tuple[str, ...],
    system: str | None,
    tools: tuple[str, ...],
    variables: tuple[str, ...],
    reasoning: str | None,
    generation_prompt: bool | None,
    field: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Write the prompt of a conversation, exactly, to standard output.

    MODEL is a built-in name (see `llm-templates list`), a model's folder or file, a hub id, or Jinja text. The
    conversation is a JSON list of messages, a message on each line, or an object with `messages` and, if you like,
    `tools` and `documents`.

    \b
    llm-templates render zephyr -u 'Hello!'
    llm-templates render ./my-model messages.json --var enable_thinking=false
    """
    if field is not None and generation_prompt:
        raise click.UsageError(f"{CONTINUE} leaves no place for --generation-prompt")
    check_request(messages, user, system, tools)
    given = read_variables(variables)
    model = load_model(**options)
    request = read_given(messages, user, system, tools, given, reasoning)
    conversation, inputs = request.messages, request.inputs
    try:
        prompt = model.template.render(
            conversation,
            add_generation_prompt=field is None if generation_prompt is None else generation_prompt,
            continue_final_message=field or False,
            reasoning=request.reasoning,
            **inputs,
        )
    except TemplatesError as error:
        advise(error, model.template, conversation, **inputs)
        raise
    variant = model.variant(tools=request.tools is not None)
    notes = [*request.notes, *remarks(model.template, model.text(variant), conversation, **inputs)]
    if as_json:
        write_document(_document(prompt, notes, model, variant))
        return
    for note in notes:
        click.echo(f"Note: {note}", err=True)
    write_text(prompt, "the prompt")


def _document(prompt: str, notes: list[str], model: Model, variant: str) -> dict[str, Any]:
    read = lines_of_names(model.text(variant))
    return {
        "prompt": prompt,
        "model": model.source.name,
        "source": model.source.origin,
        "variant": variant,
        "special_tokens": {name: token for name, token in model.template.special_tokens.items() if name in read},
        "notes": notes,
    }
