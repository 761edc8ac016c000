"""`llm-templates list`: the built-in families."""

from __future__ import annotations

from typing import Any

import click

from .. import families
from .writing import write_columns, write_document

HEADER = ("family", "tools", "reasoning", "beside text", "stops at", "for example")


@click.command("list")
@click.argument("words", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="One JSON document with what is known of each.")
def list_families(words: tuple[str, ...], as_json: bool) -> None:
    """List the built-in families, or those with all WORDS in their names, titles or models.

    \b
    llm-templates list
    llm-templates list qwen coder
    """
    known = [family for family in map(families.get, families.names()) if _has(family, words)]
    if as_json:
        write_document([family_facts(family) for family in known])
    else:
        write_columns(HEADER, [_row(family) for family in known])


def _has(family: families.Family, words: tuple[str, ...]) -> bool:
    text = " ".join((family.name, family.title, *family.aliases, *family.models, *family.patterns)).lower()
    return all(word.lower() in text for word in words)


def _row(family: families.Family) -> tuple[str, ...]:
    reasoning = "switch" if family.reasoning else "yes" if family.reasons else "-"
    example = next(iter((*family.models, *family.patterns)), "")
    stops = " ".join(family.stop_strings[:2])
    return family.name, "yes" if family.tools else "-", reasoning, " ".join(family.media) or "-", stops, example


def family_facts(family: families.Family) -> dict[str, Any]:
    """What a document says of a built-in family."""
    return {
        "name": family.name,
        "title": family.title,
        "description": family.description,
        "aliases": list(family.aliases),
        "models": list(family.models),
        "patterns": list(family.patterns),
        "templates": ["default", *family.variants],
        "roles": list(family.roles),
        "content": family.content,
        "context": family.context,
        "tools": family.tools,
        "reasoning": {wish: dict(values) for wish, values in family.reasoning.settings.items()}
        if family.reasoning
        else family.reasons,
        "media": list(family.media),
        "stop": {"tokens": list(family.stop.tokens), "strings": list(family.stop.strings)},
        "variables": {name: variable._asdict() for name, variable in family.variables.items()},
        "conventions": family.conventions._asdict(),
        "quirks": [quirk._asdict() for quirk in family.quirks],
        "origin": family.origin._asdict(),
    }
