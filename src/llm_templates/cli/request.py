"""The conversation and what goes with it, as the commands that render one take it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

from .reading import Request, check_path, read_request, read_variable
from .tools import read_tools

Command = TypeVar("Command", bound=Callable[..., Any])


class Given(NamedTuple):
    """What a template is to render."""

    messages: list[Any]
    tools: list[Any] | None
    documents: list[Any] | None
    variables: dict[str, Any]
    reasoning: bool | str | None
    #: What the user should know about the file.
    notes: tuple[str, ...]

    @property
    def inputs(self) -> dict[str, Any]:
        """What goes with the messages."""
        return {"tools": self.tools, "documents": self.documents, "variables": self.variables}


def request_options(command: Command) -> Command:
    """Give a command the conversation's file, --user, --system, --tools, --var and --reasoning."""
    for option in (
        click.option("--reasoning", metavar="on|off|LEVEL", help="Whether, or how much, the model is to reason."),
        click.option(
            "--var", "variables", multiple=True, metavar="NAME=VALUE", help="A template variable; JSON or text."
        ),
        click.option(
            "--tools", multiple=True, metavar="FILE|MODULE:FUNCTION", help="Tools: a JSON list, or from Python."
        ),
        click.option("-s", "--system", metavar="TEXT", help="A system message, before those of the file."),
        click.option("-u", "--user", multiple=True, metavar="TEXT", help="A user message, after those of the file."),
        click.argument("messages", required=False, type=click.Path(), callback=check_path, metavar="[MESSAGES.JSON|-]"),
    ):
        command = option(command)
    return command


def check_request(messages: str | None, user: tuple[str, ...], system: str | None, tools: tuple[str, ...]) -> None:
    """Refuse a command line without a conversation, or with two that are read from standard input.

    Raises:
        click.UsageError: it is one of these.
    """
    if messages is None and not user and system is None:
        raise click.UsageError("give a conversation: a JSON file, - for standard input, or --user TEXT")
    if [messages, *tools].count("-") > 1:
        raise click.UsageError("standard input can be read once: it is the conversation or the tools")


def read_given(
    messages: str | None,
    user: tuple[str, ...],
    system: str | None,
    tools: tuple[str, ...],
    variables: dict[str, Any],
    reasoning: str | None,
) -> Given:
    """What the options name, read.

    Raises:
        InputError: a file or a function is not there, or holds something else.
    """
    request = Request([]) if messages is None else read_request(messages)
    before = [] if system is None else [{"role": "system", "content": system}]
    after = [{"role": "user", "content": text} for text in user]
    return Given(
        messages=[*before, *request.messages, *after],
        tools=read_tools(tools) if tools else request.tools,
        documents=request.documents,
        variables=variables,
        reasoning={"on": True, "off": False}.get(reasoning, reasoning) if reasoning else None,
        notes=request.notes,
    )


def read_variables(variables: tuple[str, ...]) -> dict[str, Any]:
    """Each NAME=VALUE of --var."""
    return dict(map(read_variable, variables))
