"""`llm-templates show`: what a model's template is, reads and writes."""

from __future__ import annotations

from typing import Any

import click

from .. import families
from ..template import PARAMETERS
from .models import Model, load_model, model_argument, model_options
from .variables import lines_of_names
from .writing import write_document, write_table, write_text

#: What a flag shows, and its key in the document.
PARTS = ("template", "variables", "tokens")


@click.command(no_args_is_help=True)
@model_argument
@click.option("--template", is_flag=True, help="The Jinja text, exactly.")
@click.option("--variables", is_flag=True, help="The variables it reads, each with the lines it does so at.")
@click.option("--tokens", is_flag=True, help="The model's special tokens.")
@model_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document, with everything or what the flags name.")
def show(template: bool, variables: bool, tokens: bool, as_json: bool, **options: Any) -> None:
    """Show what a model's template is and what it reads.

    \b
    llm-templates show zephyr
    llm-templates show ./my-model --variables
    """
    wanted = [part for part, is_wanted in zip(PARTS, (template, variables, tokens), strict=True) if is_wanted]
    if len(wanted) > 1 and not as_json:
        raise click.UsageError(f"one at a time: --{' or --'.join(wanted)}; with --json they go together")
    facts = _facts(load_model(**options))
    if as_json:
        write_document({part: facts[part] for part in wanted} if wanted else facts)
    elif wanted == ["template"]:
        write_text(facts["template"], "the template")
    elif wanted:
        write_table(_rows(wanted[0], facts))
    else:
        write_table(_summary(facts))


def _facts(model: Model) -> dict[str, Any]:
    """Everything that is shown, by name."""
    template = model.template
    lines = lines_of_names(template.source)
    facts: dict[str, Any] = {
        "name": model.source.name,
        "source": model.source.origin,
        "variant": template.variant,
        "variants": sorted(model.source.templates) or [template.variant],
        # A name that the template only sets is not listed.
        "variables": [{"name": name, "lines": lines[name]} for name in template.variables if name in lines],
        "inputs": {name: lines[name] for name in PARAMETERS if name in lines},
        "tokens": template.special_tokens,
        "template": template.source,
    }
    family = families.find(model.source.name or "")
    if family is not None and family.template == template.source:
        facts["title"] = family.title
        facts["models"] = list(family.models)
        facts["stop"] = {"tokens": list(family.stop.tokens), "strings": list(family.stop.strings)}
    return facts


def _rows(part: str, facts: dict[str, Any]) -> list[tuple[str, str]]:
    if part == "tokens":
        return list(facts["tokens"].items())
    return [(entry["name"], _lines(entry["lines"])) for entry in facts["variables"]]


def _lines(numbers: list[int]) -> str:
    return f"line{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"


def _summary(facts: dict[str, Any]) -> list[tuple[str, str]]:
    text: str = facts["template"]
    rows: dict[str, list[str]] = {
        "name": [facts["name"] or "none"],
        "title": [facts["title"]] if "title" in facts else [],
        "source": [facts["source"]],
        "templates": [", ".join(facts["variants"])],
        "size": [f"{len(text.splitlines())} lines, {len(text):,} characters"],
        "reads": [f"{name} ({_lines(lines)})" for name, lines in facts["inputs"].items()],
        "variables": [f"{name} ({lines})" for name, lines in _rows("variables", facts)] or ["none"],
        "tokens": [f"{name} {token}" for name, token in _rows("tokens", facts)] or ["none"],
        "stop": [*facts["stop"]["tokens"], *facts["stop"]["strings"]] if "stop" in facts else [],
    }
    return [(name if index == 0 else "", line) for name, lines in rows.items() for index, line in enumerate(lines)]
