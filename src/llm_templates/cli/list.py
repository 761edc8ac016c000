"""`llm-templates list`: the built-in names."""

from __future__ import annotations

import click

from .. import families


@click.command("list")
def list_families() -> None:
    """List the built-in names, each with the models it stands for."""
    names = families.names()
    width = max(map(len, names))
    for name in names:
        click.echo(f"{name:{width}}  {families.get(name).title}")
