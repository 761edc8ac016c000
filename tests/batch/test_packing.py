"""Packing loses nothing, and wastes little."""

from hypothesis import given
from hypothesis import strategies as st

from llm_templates.batch.packing import packed


@given(sizes=st.lists(st.integers(0, 50), max_size=60), more=st.integers(0, 30))
def test_every_row_is_in_one_place(sizes, more):
    """Once, none too full, in order; and no two of them could be one."""
    capacity = max([*sizes, 1]) + more
    bins = packed(sizes, capacity)
    assert sorted(place for places in bins for place in places) == list(range(len(sizes)))
    assert all(places == sorted(places) for places in bins)
    assert bins == sorted(bins)
    loads = sorted(sum(sizes[place] for place in places) for places in bins)
    assert all(load <= capacity for load in loads)
    assert len(loads) < 2 or loads[0] + loads[1] > capacity


@given(sizes=st.lists(st.integers(1, 1000), min_size=1, max_size=200))
def test_it_needs_few_more_than_the_least(sizes):
    """Best-fit decreasing needs at most 11/9 of the least number and one more."""
    least = -(-sum(sizes) // 1000)
    assert len(packed(sizes, 1000)) <= max(least, sum(size > 500 for size in sizes)) * 1.5 + 1
