"""`llm-templates show`: what a model's template is, reads and writes."""

from __future__ import annotations

import json
from typing import Any

import click

from .. import families
from ..arguments import PARAMETERS
from ..errors import TemplatesError
from .models import Model, load_model, model_argument, model_options
from .variables import lines_of_names
from .writing import write_document, write_table, write_text

#: What a flag shows, and its key in the document.
PARTS = ("template", "variables", "tokens", "toml", "example")

#: What is rendered as an example: the first of these that the template takes.
EXAMPLES: tuple[list[dict[str, Any]], ...] = (
    [
        {"role": "system", "content": "Answer briefly."},
        {"role": "user", "content": "When do I prune roses?"},
        {"role": "assistant", "content": "In late winter."},
        {"role": "user", "content": "And tulips?"},
    ],
    [{"role": "user", "content": "When do I prune roses?"}],
    [{"role": "user", "content": [{"type": "text", "text": "When do I prune roses?"}]}],
)


@click.command(no_args_is_help=True)
@model_argument
@click.option("--template", is_flag=True, help="The Jinja text, exactly.")
@click.option("--variables", is_flag=True, help="The variables it reads, each with the lines it does so at.")
@click.option("--tokens", is_flag=True, help="The model's special tokens.")
@click.option("--toml", is_flag=True, help="A built-in family's data file.")
@click.option("--example", is_flag=True, help="A prompt that it renders.")
@model_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document, with everything or what the flags name.")
def show(as_json: bool, **options: Any) -> None:
    """Show what a model's template is and what it reads.

    \b
    llm-templates show zephyr
    llm-templates show ./my-model --variables
    """
    wanted = [part for part in PARTS if options.pop(part)]
    if len(wanted) > 1 and not as_json:
        raise click.UsageError(f"one at a time: --{' or --'.join(wanted)}; with --json they go together")
    facts = _facts(load_model(**options))
    if as_json:
        write_document({part: facts[part] for part in wanted} if wanted else facts)
    elif wanted in (["template"], ["toml"], ["example"]):
        write_text(facts[wanted[0]] or "", f"the {wanted[0]}")
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
    family = families.get(template.family) if template.family else None
    built_in = model.source.family is not None
    facts["family"] = family.name if family else None
    facts["stop"] = list(template.stop_strings)
    facts["toml"] = families.facts_text(family.name) if family and built_in else None
    facts["example"] = _example(model)
    switch = template.reasoning_switch
    facts["reasoning"] = {wish: dict(values) for wish, values in switch.settings.items()} if switch else None
    if family and built_in:
        facts["title"] = family.title
        facts["models"] = list(family.models)
        for entry in facts["variables"]:
            known = family.variables.get(entry["name"])
            entry.update(known._asdict() if known else {})
    return facts


def _example(model: Model) -> str | None:
    for messages in EXAMPLES:
        try:
            return model.template.render(messages, add_generation_prompt=True)
        except TemplatesError:
            continue
    return None


def _rows(part: str, facts: dict[str, Any]) -> list[tuple[str, str]]:
    if part == "tokens":
        return list(facts["tokens"].items())
    return [(entry["name"], _about(entry)) for entry in facts["variables"]]


def _about(variable: dict[str, Any]) -> str:
    lines = _lines(variable["lines"])
    if "meaning" not in variable:
        return lines
    default = "" if variable["default"] is None else f", {json.dumps(variable['default'])} if not given"
    return f"{variable['meaning']} ({variable['type']}{default}; {lines})"


def _lines(numbers: list[int]) -> str:
    return f"line{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"


def _summary(facts: dict[str, Any]) -> list[tuple[str, str]]:
    text: str = facts["template"]
    rows: dict[str, list[str]] = {
        "name": [facts["name"] or "none"],
        "title": [facts["title"]] if "title" in facts else [],
        "family": [facts["family"] or "none"],
        "source": [facts["source"]],
        "templates": [", ".join(facts["variants"])],
        "size": [f"{len(text.splitlines())} lines, {len(text):,} characters"],
        "reads": [f"{name} ({_lines(lines)})" for name, lines in facts["inputs"].items()],
        "variables": [f"{name}: {about}" for name, about in _rows("variables", facts)] or ["none"],
        "tokens": [f"{name} {token}" for name, token in _rows("tokens", facts)] or ["none"],
        "reasoning": [_switch(facts["reasoning"])] if facts["reasoning"] else [],
        "stops at": [repr(stop)[1:-1] for stop in facts["stop"]] or ["unknown"],
    }
    return [(name if index == 0 else "", line) for name, lines in rows.items() for index, line in enumerate(lines)]


def _switch(settings: dict[str, dict[str, Any]]) -> str:
    words = {"on": "reasoning=True", "off": "reasoning=False"}
    return "; ".join(
        f"{words.get(wish, f'reasoning={wish}')}: {', '.join(f'{name} = {value!r}' for name, value in values.items())}"
        for wish, values in settings.items()
    )
