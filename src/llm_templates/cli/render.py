"""`llm-templates render`: a conversation to its prompt."""

from __future__ import annotations

import sys
from typing import Any

import click

from ..errors import InputError
from ..template import load
from .reading import Request, read_request, read_tools, read_variable

File = click.Path(exists=True, dir_okay=False, allow_dash=True)


@click.command(no_args_is_help=True)
@click.argument("model")
@click.argument("messages", required=False, type=File, metavar="[MESSAGES.JSON|-]")
@click.option("-u", "--user", metavar="TEXT", help="A user message, after those of the file.")
@click.option("-s", "--system", metavar="TEXT", help="A system message, before those of the file.")
@click.option("--tools", type=File, metavar="FILE", help="A JSON list of tools.")
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="A template variable; JSON or text.")
@click.option(
    "--generation-prompt/--no-generation-prompt",
    default=None,
    help="End with what makes the model answer, or do not.  [default: do, unless --continue-final-message]",
)
@click.option("--continue-final-message", is_flag=True, help="Leave the last message open, for the model to go on.")
def render(
    model: str,
    messages: str | None,
    user: str | None,
    system: str | None,
    tools: str | None,
    variables: tuple[str, ...],
    generation_prompt: bool | None,
    continue_final_message: bool,
) -> None:
    """Write the prompt of a conversation, exactly, to standard output.

    MODEL is a built-in name (see `llm-templates list`), a model's folder, a .jinja file, or Jinja text. The
    conversation is a JSON list of messages, or an object with `messages` and, if you like, `tools` and `documents`.

    \b
    llm-templates render zephyr -u 'Hello!'
    llm-templates render ./my-model messages.json --var enable_thinking=false
    """
    if continue_final_message and generation_prompt:
        raise click.UsageError("--continue-final-message leaves no place for --generation-prompt")
    if messages is None and user is None and system is None:
        raise click.UsageError("give a conversation: a JSON file, - for standard input, or --user TEXT")
    template = load(model)
    request = Request([]) if messages is None else read_request(messages)
    prompt = template.render(
        _with_options(request.messages, system, user),
        tools=request.tools if tools is None else read_tools(tools),
        documents=request.documents,
        add_generation_prompt=not continue_final_message if generation_prompt is None else generation_prompt,
        continue_final_message=continue_final_message,
        variables=dict(map(read_variable, variables)),
    )
    _write(prompt)


def _with_options(messages: list[Any], system: str | None, user: str | None) -> list[Any]:
    before = [] if system is None else [{"role": "system", "content": system}]
    after = [] if user is None else [{"role": "user", "content": user}]
    return [*before, *messages, *after]


def _write(prompt: str) -> None:
    """The prompt as UTF-8, without an added line break unless a person looks at it."""
    try:
        data = prompt.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"the prompt holds half a character (U+{ord(prompt[error.start]):04X}), which UTF-8 cannot write",
            hint="a \\u escape in the JSON stands without its other half",
        ) from None
    if sys.stdout.isatty() and not prompt.endswith("\n"):
        data += b"\n"
    rest = memoryview(data)
    while rest:  # an unbuffered stream (PYTHONUNBUFFERED) takes what the pipe has room for
        rest = rest[sys.stdout.buffer.write(rest) :]
    sys.stdout.buffer.flush()
