"""MODEL and the options that say which of its templates is meant, as every command takes them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click
from click.shell_completion import CompletionItem

from .. import families
from ..errors import SourceError, TemplatesError
from ..sources import TemplateSource, resolve
from ..template import TOOL_USE, ChatTemplate, load
from .advice import advise_on_model

Command = TypeVar("Command", bound=Callable[..., Any])


class Model(NamedTuple):
    """What was asked for, and what it led to."""

    template: ChatTemplate
    #: Where it came from, with the model's other templates.
    source: TemplateSource
    #: Whether one of them was asked for by name.
    chosen: bool
    #: Where the template came from, in words.
    origin: str

    def variant(self, tools: bool) -> str:
        """The name of the template that renders, with tools or without."""
        takes_over = tools and not self.chosen and self.source.chooses_tool_use and TOOL_USE in self.source.templates
        return TOOL_USE if takes_over else self.template.variant

    def text(self, variant: str) -> str:
        """The Jinja text of one of the model's templates."""
        return self.source.templates.get(variant, self.template.source)


def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """What a shell may put for MODEL: built-in names and cached models that begin so; files where none does."""
    names = [*families.names(), *_cached()]
    items = [CompletionItem(name) for name in names if name.startswith(incomplete)]
    return items or [CompletionItem(incomplete, type="file")]


def _cached() -> list[str]:
    """The ids of the models in the hub's cache."""
    from huggingface_hub import constants

    try:
        entries = sorted(os.listdir(constants.HF_HUB_CACHE))
    except OSError:
        return []
    return ["/".join(entry.split("--")[1:]) for entry in entries if entry.startswith("models--")]


#: MODEL, the first argument.
model_argument = click.argument("model", shell_complete=complete)


def model_options(command: Command) -> Command:
    """Give a command --variant, --revision, --offline and --default."""
    for option in (
        click.option("--default", metavar="NAME", help="A built-in name, for a model that has no template."),
        click.option("--offline", is_flag=True, help="Look for a hub id on this machine only."),
        click.option("--revision", metavar="REVISION", help="The branch, tag or commit of a hub id."),
        click.option("--variant", metavar="NAME", help="Which of a model's named templates, such as tool_use."),
    ):
        command = option(command)
    return command


def load_model(model: str, variant: str | None, revision: str | None, offline: bool, default: str | None) -> Model:
    """The template that a command's MODEL and options name.

    Raises:
        SourceError: they name none.
    """
    model = os.path.expanduser(model) if model.startswith("~") else model
    try:
        template = load(model, revision, variant, offline, default)
    except TemplatesError as error:
        advise_on_model(error)
        raise
    try:
        source = resolve(model, revision=revision, offline=True)  # the hub was asked just now
    except SourceError:  # the cache cannot be written
        source = resolve(model, revision=revision, offline=offline)
    if source.templates or default is None:
        return Model(template, source, variant is not None, source.origin)
    return Model(template, source, variant is not None, f"{resolve(default).origin}, in place of the model's own")
