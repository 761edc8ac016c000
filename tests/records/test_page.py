"""The page of records names every format, what it takes, and every kind of remark."""

import re
from pathlib import Path

from llm_templates.records import FORMATS
from llm_templates.records.example import KINDS
from llm_templates.records.notes import KINDS as REMARKS

PAGE = (Path(__file__).parents[2] / "docs" / "records.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in row.split("|")[1:-1]] for row in re.findall(r"^\| `.*$", PAGE, re.MULTILINE)]


def test_every_format_has_a_row_that_says_what_it_takes():
    """In the order of the table, and with the words of the errors."""
    rows = [row for row in ROWS if len(row) == 3]
    assert [row[0].strip("`") for row in rows] == list(FORMATS)
    for row, one in zip(rows, FORMATS.values(), strict=True):
        said = (
            "everything" if set(KINDS) == one.KINDS else "; ".join(KINDS[kind] for kind in KINDS if kind in one.KINDS)
        )
        assert row[2] == said


def test_every_kind_of_remark_has_a_row():
    """With the words of the code."""
    assert {row[0].strip("`"): row[1] for row in ROWS if len(row) == 2} == REMARKS
