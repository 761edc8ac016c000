"""The data files of the families: complete, consistent, and read once."""

import json
import tomllib
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from llm_templates import SourceError, families
from llm_templates.engine import compile_template
from llm_templates.sources.special_tokens import STANDARD

SCHEMA = json.loads((Path(__file__).parent / "family.schema.json").read_text("utf-8"))


@pytest.fixture(params=families.names())
def family(request):
    return families.get(request.param)


def test_every_template_has_facts_and_the_reverse():
    """A family is a pair of files, and a file for each variant; none stands alone."""
    entries = [entry.name for entry in files("llm_templates.families").iterdir()]
    templates = {name.removesuffix(".jinja") for name in entries if name.endswith(".jinja")}
    variants = {f"{name}.{variant}" for name in families.names() for variant in families.get(name).variants}
    assert templates == set(families.names()) | variants


def test_there_are_enough_families():
    """The registry covers the formats in use."""
    assert len(families.names()) >= 60


def test_facts_follow_the_schema(family):
    """A misspelled key in a TOML file would be a fact that nobody reads."""
    jsonschema.validate(tomllib.loads(families.facts_text(family.name)), SCHEMA)


def test_facts_are_consistent(family):
    """How a turn ends is told, switches and variables are those that the template reads, quirks have a reason."""
    assert family.stop_strings
    reads = {name for text in (family.template, *family.variants.values()) for name in compile_template(text).reads}
    assert family.variables.keys() <= reads
    if family.reasoning:
        assert family.reasoning.names <= family.variables.keys()
    tokens = {name for name in reads if name.endswith("_token") and name in STANDARD}
    assert tokens <= family.special_tokens.keys(), "a token that the template writes has no text"


def test_templates_begin_with_a_description(family):
    """Whoever opens a file reads first what the format looks like."""
    assert family.template.startswith("{#")


def test_names_are_unambiguous():
    """No alias is another family's name or alias."""
    every = [*families.names(), *(alias for name in families.names() for alias in families.get(name).aliases)]
    assert len(every) == len(set(every))


def test_an_alias_gives_the_family():
    """`find` and `get` know a family by its aliases, too."""
    for name in families.names():
        for alias in families.get(name).aliases:
            assert families.get(alias) is families.get(name)


def test_a_family_is_read_once(family):
    """The files are read on first use only."""
    assert families.get(family.name) is family


@pytest.mark.parametrize("name", ["", "zefyr", "../errors", "zephyr.toml", "Zephyr"])
def test_an_unknown_name_is_an_error_with_a_way_out(name):
    """Only names from the list are looked up, and the hint names some of them."""
    assert families.find(name) is None
    with pytest.raises(SourceError) as caught:
        families.get(name)
    assert "zephyr" in caught.value.hint or "families.names()" in caught.value.hint
