"""The command line, `llm-templates`: the group of commands, and how an error becomes a message and an exit status."""

from __future__ import annotations

import sys
from typing import Any

import click

from ..errors import InputError, SourceError, TemplatesError
from .list import list_families
from .render import render

#: The exit status of each kind of error; the first that fits. 2 is click's own, for a wrong command line.
EXIT_STATUS = ((InputError, 3), (SourceError, 5), (TemplatesError, 4))


class Commands(click.Group):
    """A group whose commands may raise the library's errors."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of ours ends it with one message on stderr and its exit status."""
        try:
            return super().invoke(ctx)
        except TemplatesError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(next(status for kind, status in EXIT_STATUS if isinstance(error, kind)))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="llm-templates", message="%(version)s")
def main() -> None:
    """The exact prompt a chat model was trained on, from any chat template.

    Exit status: 0 done, 2 wrong command line, 3 wrong input, 4 the template refused or failed, 5 model not found.
    """
    # Names and messages are of any language; what a terminal cannot show is better escaped than fatal.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")


main.add_command(list_families)
main.add_command(render)
