"""`llm-templates grammar`: what a model's output looks like, as far as its template and its family's data show it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from .models import load_model, model_argument, model_options
from .writing import ROW_ESCAPES, write_document, write_text

if TYPE_CHECKING:
    from ..grammar.grammar import Grammar

#: What a response template may call the reasoning.
FIELDS = ("reasoning_content", "thinking")
#: The heading of a part, and the key of a value, in a grammar's TOML.
HEADING = re.compile(r"(\[\[?)([\w-]+)\]\]?")
KEY = re.compile(r"([\w-]+) = ")


@click.command(no_args_is_help=True)
@model_argument
@click.option("--derived", is_flag=True, help="Only what the template itself shows, without the family's data.")
@click.option("--response-template", is_flag=True, help="As the JSON that transformers, vLLM and SGLang read.")
@click.option(
    "--field",
    type=click.Choice(FIELDS),
    default=FIELDS[0],
    show_default=True,
    help="What --response-template calls the reasoning; vLLM and SGLang want the second.",
)
@model_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document: the grammar, and what proved each part.")
def grammar(derived: bool, response_template: bool, field: str, as_json: bool, **options: Any) -> None:
    """Show what a model's output looks like: how it writes reasoning, content and calls, and what ends it.

    The answer is TOML, with what proved each part as comments: a probe of the template, or why the family's data says
    so where the template does not.

    \b
    llm-templates grammar qwen3
    llm-templates grammar ./my-model --derived
    llm-templates grammar qwen3 --response-template --field thinking
    """
    template = load_model(**options).template
    found = template.grammar(overrides=not derived)
    if template.model.response_template:
        from ..grammar.disagreement import disagreements

        for remark in disagreements(template.grammar(), template.model.response_template):
            click.echo(f"Note: the model's response_template: {remark}", err=True)
    if response_template:
        from ..grammar.response_template import to_response_template

        exported = to_response_template(found, field)
        write_text(json.dumps(exported, ensure_ascii=False, indent=None if as_json else 2) + "\n", "the template")
    elif as_json:
        from ..grammar.data import table_of

        write_document(table_of(found))
    else:
        write_text("".join(f"{line}\n" for line in _commented(found)), "the grammar")


def _commented(grammar: Grammar) -> Iterator[str]:
    """The lines of the TOML, with the evidence above what it proves."""
    from ..grammar.data import to_toml

    left = dict(grammar.evidence)
    part, counts = "", dict.fromkeys(grammar._fields, 0)
    for line in to_toml(grammar._replace(evidence={})).split("\n")[:-1]:
        heading, key = HEADING.fullmatch(line), KEY.match(line)
        places: list[str] = []
        if heading:
            part = name = heading[2]
            if heading[1] == "[[":
                part = f"{name}[{counts[name]}]"
                counts[name] += 1
            places = [name, part]
        elif key:
            places = [f"{part}.{key[1]}" if part else key[1]]
        for place in places:
            if place in left:
                yield _comment(left.pop(place))
        yield line
    for place, why in left.items():
        yield _comment(f"{place}: {why}")


def _comment(why: str) -> str:
    return f"# {why.translate(ROW_ESCAPES)}"
