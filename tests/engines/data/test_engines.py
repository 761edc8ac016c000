"""Every engine gives the rows that `Batch` gives, and its users are told what is wrong in the same words."""

import sys

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from llm_templates import InputError, MissingExtraError
from llm_templates.integrations import datasets as on_datasets
from llm_templates.integrations import ray as on_ray
from llm_templates.integrations import spark as on_spark

from .records import COUNT, batch, records, table

ENGINES = ("datasets", "stream", "ray", "spark")
CALLS = {"datasets": on_datasets.map_dataset, "ray": on_ray.map_dataset, "pyspark": on_spark.map_frame}


@pytest.fixture(params=ENGINES)
def run(request):
    """A function from a table of records and a `Batch` to the table of rows that an engine makes of them."""
    return request.getfixturevalue(f"run_{request.param}")


@pytest.fixture(scope="session")
def run_datasets(datasets):
    def run(given, batch):
        return on_datasets.map_dataset(datasets.Dataset(given), batch, batch_size=64).with_format("arrow")[:]

    return run


@pytest.fixture(scope="session")
def run_stream(datasets):
    def run(given, batch):
        given = datasets.Dataset(given).to_iterable_dataset(num_shards=2)
        stream = on_datasets.map_dataset(given, batch, batch_size=64)
        return pa.concat_tables(stream.with_format("arrow").iter(64))

    return run


@pytest.fixture(scope="session")
def run_ray(cluster):
    def run(given, batch):
        dataset = cluster.data.from_arrow([given.slice(start, 99) for start in range(0, len(given), 99)])
        return pa.concat_tables(cluster.get(on_ray.map_dataset(dataset, batch, batch_size=64).to_arrow_refs()))

    return run


@pytest.fixture(scope="session")
def run_spark(spark):
    def run(given, batch):
        return on_spark.map_frame(spark.createDataFrame(given).repartition(4), batch).toArrow()

    return run


def test_same_rows_whichever_engine_runs(run):
    """Rows of every kind of column, several of one record, and those of broken records: the same, in the same types."""
    expected = batch()(table())
    rows = run(table(), batch())
    rows = rows.take(pc.sort_indices(rows["id"]))
    if "int8" in str(rows.schema) and "uint8" not in str(rows.schema):
        # Spark's bytes have a sign.
        signed = [field.with_type(_signed(field.type)) for field in expected.schema]
        expected = expected.cast(pa.schema(signed))
    assert rows.schema.types == expected.schema.types
    assert rows.schema.names == expected.schema.names
    assert len(set(rows["id"].to_pylist())) == COUNT
    for name in expected.schema.names:
        assert rows[name].combine_chunks().equals(expected[name].combine_chunks()), name


def _signed(kind):
    return pa.list_(pa.int8()) if kind == pa.list_(pa.uint8()) else kind


def test_an_error_in_a_worker_says_what_is_wrong(run):
    """Whatever an engine wraps it in, the words and the number of the record stand in what the user sees."""
    broken = table([records()[0], records()[9]])
    with pytest.raises(Exception, match=r"messages\[0\].role: 'robot' is no role") as caught:
        run(broken, batch(on_error="raise"))
    # Of its batch, which may be any.
    assert "in record " in "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])


def test_a_column_that_is_not_there_is_told(run):
    """With those that are."""
    with pytest.raises(Exception, match="the records have no column 'name' to copy\nthere are id, messages"):
        run(table(), batch(copy=("name",)))


@pytest.mark.parametrize("library", CALLS)
def test_what_is_no_data_set_is_refused(library):
    """And the error says what would make one."""
    pytest.importorskip(library, reason=f"{library} is not installed")
    with pytest.raises(InputError, match="a list is not a") as caught:
        CALLS[library]([], batch())
    assert caught.value.hint


@pytest.mark.parametrize("library", CALLS)
def test_a_library_that_is_not_there_is_named(library, monkeypatch):
    """With what to install."""
    for name in [name for name in sys.modules if name == library or name.startswith(f"{library}.")]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=library) as caught:
        CALLS[library]([], batch())
    assert f"llm-templates[{library.removeprefix('py')}]" in caught.value.hint
