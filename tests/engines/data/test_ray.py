"""Ray Data: the order of rows, what its blocks keep of records, and options that are its own."""

import json

import pytest

from llm_templates import Batch
from llm_templates.integrations.ray import map_dataset

from .records import batch, prompts, table, talks


@pytest.fixture
def ordered(cluster):
    """Ray Data, asked to keep the order of records."""
    context = cluster.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    yield cluster
    context.execution_options.preserve_order = False


def test_the_order_is_kept_if_ray_is_asked_to(ordered):
    """Blocks come in the order of the records then, whichever is ready first."""
    given = ordered.data.from_arrow([table().slice(start, 25) for start in range(0, 500, 25)])
    ids = [row["id"] for row in map_dataset(given, batch(), batch_size=10).take_all()]
    assert ids == batch()(table())["id"].to_pylist()


@pytest.mark.parametrize("kind", ["items", "lines", "json"])
def test_records_are_what_they_were_before_they_came_into_blocks(kind, ordered, datasets, tmp_path):
    """As objects, as Ray reads lines of JSON, and as datasets writes what differs in type."""
    # What differs in type is no table of Ray's, but pickled by it.
    records = talks(meant=kind != "lines")
    if kind == "items":
        given = ordered.data.from_items(records)
    elif kind == "lines":
        path = tmp_path / "talks.jsonl"
        path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
        given = ordered.data.read_json(str(path))
    else:
        path = tmp_path / "talks.parquet"
        datasets.Dataset.from_list(records, on_mixed_types="use_json").to_parquet(path)
        given = ordered.data.read_parquet(str(path))
    assert [row["prompt"] for row in map_dataset(given, Batch("qwen3")).take_all()] == prompts(records)


def test_options_of_the_library_go_to_it(cluster):
    """As what a task is to have of a core."""
    given = cluster.data.from_arrow(table().slice(0, 20))
    rows = map_dataset(given, batch(), num_cpus=0.5)
    assert rows.count() == batch()(table().slice(0, 20)).num_rows
