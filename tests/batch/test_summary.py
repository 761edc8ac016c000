"""Figures of parts add up to those of the whole."""

import json

from hypothesis import given
from hypothesis import strategies as st

from llm_templates import InputError
from llm_templates.batch.rows import Rejected, Row
from llm_templates.batch.summary import KINDS, Summary

ROWS = st.builds(
    lambda record, mask, cut, rewritten, findings, attempts: Row(
        record, "", [1] * len(mask), mask, [float(bit) for bit in mask], cut, rewritten, findings, attempts
    ),
    st.integers(0, 1000),
    st.lists(st.integers(0, 1), max_size=40),
    st.integers(0, 3),
    st.booleans(),
    st.lists(st.sampled_from(["messages[1]: no stop", "messages[2]: no stop", "empty"]), max_size=3).map(tuple),
    st.integers(0, 2),
)


@given(parts=st.lists(st.lists(ROWS, max_size=8, unique_by=lambda row: row.record), max_size=4))
def test_parts_add_up(parts):
    """Also on the way through JSON; each record is of one part."""
    for number, rows in enumerate(parts):
        for row in rows:
            row.record = row.record * len(parts) + number
    total = Summary()
    for rows in parts:
        total.add(Summary.from_json(json.loads(json.dumps(Summary.of(rows, [], len(rows)).to_json()))))
    whole = [row for rows in parts for row in rows]
    assert total == Summary.of(whole, [], len(whole))
    assert total.tokens == sum(len(row.ids) for row in whole)
    assert sum(total.lengths.values()) == len(whole)
    assert all(low <= 1 or any(low / 2 < len(row.ids) <= low for row in whole) for low in total.lengths)
    assert "".join(total.lines())


def test_findings_are_told_without_their_places():
    """The same finding of another message is the same; a row counts once."""
    row = Row(0, "", [1], [1], [1.0], findings=("messages[1]: no stop", "messages[3]: no stop"))
    assert Summary.of([row], [], 1).findings == {"no stop": 1}


def test_reasons_are_bounded():
    """A hostile data set may give each record a reason of its own."""
    total = Summary()
    for number in range(3 * KINDS):
        total.add(Summary.of([], [Rejected(number, InputError(f"reason {number}"))], 1))
    assert len(total.reasons) <= KINDS + 1
    assert sum(total.reasons.values()) == total.rejected == 3 * KINDS
