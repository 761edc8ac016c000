"""`llm-templates list`: the built-in names."""

from __future__ import annotations

from typing import Any

import click

from .. import families
from .writing import write_document, write_table


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document with what is known of each.")
def list_families(as_json: bool) -> None:
    """List the built-in names, each with the models it stands for."""
    known = [families.get(name) for name in families.names()]
    if as_json:
        write_document([family_facts(family) for family in known])
    else:
        write_table([(family.name, family.title) for family in known])


def family_facts(family: families.Family) -> dict[str, Any]:
    """What a document says of a built-in family."""
    return {
        "name": family.name,
        "title": family.title,
        "description": family.description,
        "aliases": list(family.aliases),
        "models": list(family.models),
        "stop": {"tokens": list(family.stop.tokens), "strings": list(family.stop.strings)},
    }
