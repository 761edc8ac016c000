"""The command line, `llm-templates`: the group of commands, and how an error becomes a message and an exit status."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import click

from ..errors import TemplatesError
from .batch import batch
from .completion import completion
from .diff import diff
from .failures import BUG, INTERRUPTED, READER_GONE, Failure
from .fetch import fetch
from .grammar import grammar
from .list import list_families
from .parse import parse
from .read import read
from .render import render
from .show import show
from .stability import stability
from .trace import trace


class Program(click.Group):
    """A group whose commands may raise the library's errors."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the program; arguments are taken as they are, also on Windows: a prompt may hold `*` and `%`."""
        extra.setdefault("windows_expand_args", False)
        return super().main(*args, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Remember whether JSON is asked for: an error in what follows on the command line is JSON, too."""
        ctx.meta["json"] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error ends it with one message on standard error and the exit status of its kind."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort):
            raise
        except TemplatesError as error:
            self._fail(ctx, Failure.of(error))
        except click.ClickException as error:
            if not ctx.meta["json"]:
                raise
            self._fail(ctx, Failure.of(error))
        except BrokenPipeError:
            _leave_pipe()
            ctx.exit(READER_GONE)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except Exception as error:  # noqa: BLE001  (whatever is left is a fault of ours, and says so)
            if not ctx.meta["json"]:
                click.echo(traceback.format_exc(), err=True)
            message = f"this is a fault of llm-templates: {type(error).__name__}: {error}"
            self._fail(ctx, Failure(type(error).__name__, BUG, message, hint="please report it with what you ran"))

    def _fail(self, ctx: click.Context, failure: Failure) -> None:
        if ctx.meta["json"]:
            click.echo(failure.as_json(), err=True)
        else:
            click.echo(f"{click.style('Error:', fg='red', bold=True)} {failure.as_text()}", err=True)
        ctx.exit(failure.status)


def _leave_pipe() -> None:
    """Let what is still buffered go nowhere, so that the end of the program does not stumble over the closed pipe."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError:  # a stream of a test has no file
        pass


@click.group("llm-templates", cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="llm-templates", message="%(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """The exact prompt a chat model was trained on, from any chat template.

    \b
    Exit status:
      0  done
      1  what was compared is not the same (diff, stability, read)
      2  the command line is wrong
      3  the conversation, a tool or a variable is wrong
      4  the template refused the conversation, or failed
      5  there is no such model, or it has no template, or it cannot be reached
      7  an optional package is missing
     70  a fault of this program
     74  the output cannot be written
    130  interrupted
    141  the reader of the output went away
    """
    # Names and messages are of any language; what a terminal cannot show is better escaped than fatal.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")
    # Elsewhere click colours only what a terminal shows.
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        ctx.color = False


for command in (batch, completion, diff, fetch, grammar, list_families, parse, read, render, show, stability, trace):
    main.add_command(command)
