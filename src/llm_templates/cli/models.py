"""MODEL and the options that say which of its templates is meant, as every command takes them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click
from click.shell_completion import CompletionItem

from .. import families
from ..errors import FallbackWarning, TemplatesError
from ..loading import TOOL_USE, load
from ..sources import TemplateSource
from ..template import ChatTemplate
from .advice import advise_on_model
from .writing import write_note

Command = TypeVar("Command", bound=Callable[..., Any])


class Model(NamedTuple):
    """What was asked for, and what it led to."""

    template: ChatTemplate
    #: Whether one of the model's templates was asked for by name.
    chosen: bool

    @property
    def source(self) -> TemplateSource:
        """Where it came from, with the model's other templates."""
        return self.template.model

    def variant(self, tools: bool) -> str:
        """The name of the template that renders, with tools or without."""
        takes_over = tools and not self.chosen and not self.source.by_processor and TOOL_USE in self.source.templates
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
    with warnings.catch_warnings(record=True) as notices:
        warnings.simplefilter("always", FallbackWarning)
        try:
            template = load(model, revision, variant, offline, default)
        except TemplatesError as error:
            advise_on_model(error)
            raise
    for notice in notices:
        write_note(str(notice.message))
    return Model(template, variant is not None)
