"""The data files of the families: complete, consistent, and read once."""

import tomllib
from importlib.resources import files

import pytest

from llm_templates import SourceError, families
from llm_templates.sources.special_tokens import STANDARD

FACTS = {
    *("title", "description", "models", "aliases", "roles", "content"),
    *("special_tokens", "stop", "variables", "quirks"),
}


@pytest.fixture(params=families.names())
def family(request):
    return families.get(request.param)


def test_every_template_has_facts_and_the_reverse():
    """A family is a pair of files; none stands alone."""
    entries = [entry.name for entry in files("llm_templates.families").iterdir()]
    templates = {name.removesuffix(".jinja") for name in entries if name.endswith(".jinja")}
    assert templates == set(families.names())


def test_facts_are_known_ones(family):
    """A misspelled key in a TOML file would be a fact that nobody reads."""
    text = (files("llm_templates.families") / f"{family.name}.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text).keys() <= FACTS


def test_facts_are_complete(family):
    """Each family says what it is, how its turns end, and why it is odd where it is."""
    assert family.title
    assert family.description.endswith(".")
    assert family.content.endswith(".")
    assert family.roles
    assert family.stop.tokens
    assert all(quirk.what.endswith(".") and quirk.why.endswith(".") for quirk in family.quirks)
    assert set(family.special_tokens) <= set(STANDARD)


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
