"""PySpark: types that it has not, and what its frames keep of records."""

import json
from datetime import datetime

import pytest

from llm_templates import Batch
from llm_templates.integrations.spark import map_frame

from .records import batch, prompts, table, talks

TEXTS = "messages string, tools string"
MAPS = """tools string, messages array<struct<role: string, content: string, reasoning_content: string,
    tool_calls: array<struct<type: string, function: struct<name: string, arguments: map<string, string>>>>>>"""


def test_columns_have_the_types_of_spark(spark):
    """Masks are bytes with a sign, and a copied column is of the type that it was."""
    frame = spark.createDataFrame([(1, datetime(2026, 1, 2), "[]")], "id: int, at: timestamp, messages: string")
    columns = ("prompt", "length", "mask", "weights", "record")
    rows = map_frame(frame, batch(columns=columns, copy=("at", "id")))
    types = dict(rows.dtypes)
    assert types == {
        "prompt": "string",
        "length": "int",
        "mask": "array<tinyint>",
        "weights": "array<float>",
        "record": "bigint",
        "at": "timestamp",
        "id": "int",
        "error": "string",
    }
    assert rows.first().at == datetime(2026, 1, 2)


@pytest.mark.parametrize(("schema", "meant"), [(TEXTS, True), (MAPS, False)], ids=["texts", "maps"])
def test_records_are_what_they_were_before_they_came_into_a_frame(schema, meant, spark, tmp_path):
    """Where a column is to be text, Spark keeps the JSON as it is; and arguments may be a map."""
    path = tmp_path / "talks.jsonl"
    # The values of this map are texts, whatever they were.
    records = talks(meant)[: 3 if meant else 2]
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    frame = spark.read.schema(schema).json(str(path))
    assert sorted(row.prompt for row in map_frame(frame, Batch("qwen3")).collect()) == sorted(prompts(records))


def test_no_record_is_read_before_rows_are_asked_for(spark):
    """And then only as many as are needed."""
    frame = spark.createDataFrame(table().slice(9, 1).select(["messages"]))
    rows = map_frame(frame, Batch("chatml"))
    with pytest.raises(Exception, match="'robot' is no role"):
        rows.collect()
