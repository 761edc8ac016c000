"""`llm-templates completion`: what makes a shell complete commands, options and models."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from .writing import write_text

PROGRAM = "llm-templates"
#: The variable by which the shell asks this program for completions; click's own choice for the program's name.
VARIABLE = "_LLM_TEMPLATES_COMPLETE"


@click.command(no_args_is_help=True)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Write the script that makes SHELL complete commands, options and models.

    \b
    bash  echo 'eval "$(llm-templates completion bash)"' >> ~/.bashrc
    zsh   echo 'eval "$(llm-templates completion zsh)"' >> ~/.zshrc
    fish  llm-templates completion fish > ~/.config/fish/completions/llm-templates.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None  # the choices are click's own names
    write_text(kind(ctx.find_root().command, {}, PROGRAM, VARIABLE).source(), "the script")
