"""`llm-templates fetch`: a model's templates from the hub into its cache, for later use without a network."""

from __future__ import annotations

import os
from typing import Any

import click

from .. import sources
from ..loading import load
from ..sources.hub import split_id
from .models import model_argument
from .writing import write_document, write_text


@click.command(no_args_is_help=True)
@model_argument
@click.option("--revision", metavar="REVISION", help="The branch, tag or commit of a hub id.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document: what was fetched.")
def fetch(model: str, revision: str | None, as_json: bool) -> None:
    """Fetch a model's templates from the hub, as they are now.

    They go into the cache that all of the hub's tools share, and are found there without a network. A private or gated
    model needs a login (`hf auth login`) or HF_TOKEN.

    \b
    llm-templates fetch HuggingFaceH4/zephyr-7b-beta
    """
    on_hub = split_id(model) is not None and not os.path.exists(model)
    if on_hub:
        source = sources.fetch(model, revision=revision)
        if not source.templates:
            load(model, revision, offline=True)  # says where they were looked for
        names = ", ".join(source.templates)
        said = f"{source.name} at {(source.commit or '')[:12]}: {names}"
    else:
        source = sources.resolve(model)
        said = f"{source.name or 'the text'} needs no fetching: {source.origin}"
    facts: dict[str, Any] = {
        "model": source.name,
        "source": source.origin,
        "commit": source.commit,
        "variants": sorted(source.templates),
        "fetched": on_hub,
    }
    if as_json:
        write_document(facts)
    else:
        write_text(f"{said}\n", "the answer")
