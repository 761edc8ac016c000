"""Every family against its golden file: eight conversations, as transformers renders them."""

import pytest
from golden_files import GOLDEN, NOW, conversations, golden_path, options_of, read_golden, write_golden

from llm_templates import RaisedError, TemplatesError, families, load

#: `name`, or `name.variant` for a family's further templates.
STEMS = [stem for name in families.names() for stem in (name, *(f"{name}.{v}" for v in families.get(name).variants))]


def template_of(stem):
    name, variant = next((n, stem[len(n) + 1 :]) for n in families.names() if stem == n or _is_variant(stem, n))
    return load(name, variant=variant or "default", now=NOW)


def _is_variant(stem, name):
    return stem.startswith(f"{name}.") and stem[len(name) + 1 :] in families.get(name).variants


@pytest.mark.parametrize("stem", STEMS)
def test_renders_what_transformers_renders(stem):
    """Equal byte for byte; where the template refuses, in the same words."""
    goldens, template = read_golden(stem), template_of(stem)
    assert goldens.keys() == conversations().keys()
    for name, conversation in conversations().items():
        golden = goldens[name]
        if golden.outcome == "renders":
            text = template.render(conversation["messages"], **options_of(conversation))
            assert text == golden.text, name
            continue
        with pytest.raises(TemplatesError) as caught:
            template.render(conversation["messages"], **options_of(conversation))
        if golden.outcome == "refused":
            assert isinstance(caught.value, RaisedError)
            assert caught.value.message == golden.text, name


def test_every_golden_file_has_its_family():
    """A file that is left over would be a test of nothing."""
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(STEMS)


def test_what_is_written_is_read(tmp_path, monkeypatch):
    """The sections of a file hold any text, line breaks at its ends included."""
    goldens = read_golden("zephyr")
    before = golden_path("zephyr").read_bytes()
    monkeypatch.setattr("golden_files.GOLDEN", tmp_path)
    write_golden("zephyr", goldens)
    assert (tmp_path / "zephyr.txt").read_bytes() == before
