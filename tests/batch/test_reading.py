"""Files in chunks: every record once, in order, wherever the cuts are."""

import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from llm_templates import SourceError
from llm_templates.batch.reading import Lines, chunks, schema_of, sources
from llm_templates.batch.record import Broken

EXAMPLES = settings(max_examples=60, deadline=None)
VALUES = st.one_of(
    st.none(),
    st.dictionaries(st.text(max_size=3), st.text(max_size=20) | st.integers(), max_size=2),
    st.sampled_from(["", "   ", "not json", '{"a": ', "\ufeff"]).map(lambda text: (text,)),
)


def lines_of(values, ending, last):
    lines = [value[0] if isinstance(value, tuple) else json.dumps(value, ensure_ascii=False) for value in values]
    return ending.join(lines) + (ending if last and lines else "")


def read(found):
    return [pair for chunk in found for pair in chunk.records()]


@EXAMPLES
@given(
    values=st.lists(VALUES, max_size=20),
    size=st.integers(1, 80),
    ending=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
def test_lines_are_read_once_and_in_order(tmp_path_factory, values, size, ending, last):
    """Whatever the size of a chunk; a record's number is that of its line."""
    path = tmp_path_factory.mktemp("lines") / "data.jsonl"
    path.write_bytes(lines_of(values, ending, last).encode())
    found = list(chunks(sources(str(path)), size))
    assert [chunk.number for chunk in found] == list(range(len(found)))
    assert sum(chunk.size for chunk in found) == path.stat().st_size
    records = read(found)
    wanted = [
        (number, value)
        for number, value in enumerate(values)
        if not (isinstance(value, tuple) and not value[0].strip())
    ]
    assert [number for number, _ in records] == [number for number, _ in wanted]
    for (_, got), (_, value) in zip(records, wanted, strict=True):
        if isinstance(value, tuple):
            assert isinstance(got, Broken)
            assert "not JSON" in got.error.message
        else:
            assert got == value


@EXAMPLES
@given(
    counts=st.lists(st.integers(0, 40), min_size=1, max_size=3), size=st.integers(50, 3000), group=st.integers(1, 50)
)
def test_rows_of_tables_are_read_once_and_in_order(tmp_path_factory, counts, size, group):
    """Whatever the row groups are; numbers go on from file to file, places begin anew."""
    folder = tmp_path_factory.mktemp("tables")
    number = 0
    for index, count in enumerate(counts):
        rows = [{"n": number + place, "text": "x" * place} for place in range(count)]
        schema = pa.schema([("n", pa.int64()), ("text", pa.string())])
        parquet.write_table(pa.Table.from_pylist(rows, schema), folder / f"{index}.parquet", row_group_size=group)
        number += count
    found = list(chunks(sources(str(folder)), size))
    assert [(n, record["n"]) for n, record in read(found)] == [(n, n) for n in range(number)]
    for chunk in found:
        for place, record in chunk.records():
            told = chunk.place(place)
            before = sum(counts[: int(told["file"][0])])
            assert record["n"] == before + told["row"]


def test_a_folder_is_read_by_name(tmp_path):
    """Files below it, too; hidden ones and other kinds are not data."""
    for name in ("b.jsonl", "a/z.jsonl", "a/y.ndjson", ".cache/x.jsonl", "_temporary/w.jsonl", "README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('{"messages": []}\n')
    for name in ("rows.parquet", "rows.parquet.summary.json", "rows.parquet.rejects.jsonl"):
        (tmp_path / name).write_text("")
    assert [source.name for source in sources(str(tmp_path))] == ["a/y.ndjson", "a/z.jsonl", "b.jsonl"]


def test_what_cannot_be_read_is_an_error(tmp_path):
    """With the path and the way out."""
    with pytest.raises(SourceError, match="has no files of records"):
        sources(str(tmp_path))
    with pytest.raises(SourceError, match=r"ends in \.jsonl"):
        sources(str(tmp_path / "data.csv"))
    with pytest.raises(SourceError, match="No such file"):
        sources(str(tmp_path / "data.jsonl"))
    (tmp_path / "data.parquet").write_bytes(b"no table")
    with pytest.raises(SourceError, match=r"data\.parquet"):
        list(chunks(sources(str(tmp_path / "data.parquet"))))
    (tmp_path / "more.jsonl").write_text("{}\n")
    with pytest.raises(SourceError, match="of one kind"):
        schema_of(sources(str(tmp_path)))


def test_a_line_without_an_end_is_an_error(tmp_path, monkeypatch):
    """Rather than all of the memory."""
    monkeypatch.setattr("llm_templates.batch.reading.LONGEST", 100)
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'{"a": 1}\n' + b"x" * 500)
    with pytest.raises(SourceError, match="line 2: longer than 100 bytes"):
        list(chunks(sources(str(path)), 10))


def test_chunks_know_the_lines_they_begin_with(tmp_path):
    """So that an error names the line of the file."""
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(["{}"] * 10))
    found = list(chunks(sources(str(path)), 8))
    assert [(chunk.line, chunk.first) for chunk in found if isinstance(chunk, Lines)] == [
        (1, 0),
        (4, 3),
        (7, 6),
        (10, 9),
    ]
