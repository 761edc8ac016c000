"""`COMPATIBILITY.md` says everything that differs: what the tables refuse, and what the limits are."""

import re
from pathlib import Path

import pytest

from llm_templates.arguments import RESERVED
from llm_templates.engine import Limits
from llm_templates.engine.filters import EXTENSION_FILTERS, REFUSED_FILTERS
from llm_templates.engine.reading import INTERNAL_NAMES, REFUSED_METHODS

TEXT = (Path(__file__).parents[2] / "COMPATIBILITY.md").read_text(encoding="utf-8")
#: What the document names: every word in backticks.
NAMED = {word for code in re.findall(r"`([^`]+)`", TEXT) for word in re.findall(r"\w+", code)}
CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))


@pytest.mark.parametrize(
    "table",
    [REFUSED_FILTERS, EXTENSION_FILTERS, INTERNAL_NAMES, *REFUSED_METHODS.values()],
    ids=lambda table: next(iter(table)),
)
def test_what_is_refused_is_named(table):
    """Every filter, method and attribute that a table refuses is in the document, in backticks."""
    assert set(table) - NAMED == set()


def test_what_has_no_loader_is_named():
    """The statements of Jinja that need other templates, or HTML."""
    assert {"include", "import", "from", "extends", "block", "autoescape", "lipsum"} <= NAMED


def test_reserved_variables_are_named():
    """The document gives the reserved names, or enough of them to see what they are."""
    assert len(RESERVED & NAMED) >= 4


def shown(limit):
    """A figure as the document writes it."""
    return f"{limit >> 20} Mi" if limit >= 1 << 20 and limit % (1 << 20) == 0 else f"{limit:,}"


@pytest.mark.parametrize("name", Limits._fields)
def test_the_limits_are_given(name):
    """Every figure of the limits is in the table of limits."""
    table = TEXT.split("## Refused by the budget")[1].split("\n## ")[0]
    assert re.search(rf"(?<![\d,]){re.escape(shown(getattr(Limits(), name)))}(?!\d|,\d)", table), shown(
        getattr(Limits(), name)
    )


def test_every_case_that_differs_is_described():
    """A case whose file says that it differs uses something that the document names."""
    for path in CASES:
        text = path.read_text(encoding="utf-8")
        if text.startswith("# differs: ") and path.stem.startswith("refused-"):
            template = text.split("\n---\n")[1]
            assert NAMED & set(re.findall(r"\w{3,}", template)), path.stem


@pytest.mark.parametrize("line", [line for line in TEXT.splitlines() if line.startswith("| ") and "---" not in line])
def test_every_row_has_as_many_cells_as_its_table(line):
    """A table that is broken in the middle reads as prose."""
    cells = re.sub(r"`[^`]*`", "", line).count("|")
    assert cells in (4, 5)
