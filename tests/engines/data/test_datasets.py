"""Hugging Face datasets: what its cache finds again, its several kinds of data sets, and what its tables keep of records."""

import json
import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from llm_templates import Batch, InputError
from llm_templates.integrations.datasets import map_dataset

from .records import batch, prompts, table, talks

datasets = pytest.importorskip("datasets", reason="datasets is not installed")

#: A run of its own: two processes, after the tokenizer was used in the first one.
RUN = """
import json, sys
from datasets import Dataset
from llm_templates.integrations.datasets import map_dataset
from data.records import batch, table

made = batch(**json.loads(sys.argv[2]))
made(table().slice(0, 5))
given = Dataset.from_parquet(sys.argv[1], cache_dir=sys.argv[1] + ".cache")
rows = map_dataset(given, made, batch_size=64, num_proc=2)
print(json.dumps([len(rows), rows[7]["prompt"]]))
"""


def run_afresh(path, seed, **options):
    """What the rows are in a new process, whose texts hash otherwise, and what it has to say."""
    places = [os.path.dirname(os.path.dirname(__file__)), *sys.path]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, places))}
    command = [sys.executable, "-W", "default", "-c", RUN, str(path), json.dumps(options)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def cached(path):
    """The files of the cache, each with when it was written."""
    folder = path.parent / (path.name + ".cache")
    return {file: file.stat().st_mtime_ns for file in folder.rglob("*.arrow")}


@pytest.fixture
def path(tmp_path):
    """A file of records."""
    path = tmp_path / "records.parquet"
    pq.write_table(table(), path)
    return path


def from_file(path):
    return datasets.Dataset.from_parquet(str(path), cache_dir=f"{path}.cache")


def test_the_cache_is_found_by_another_process(path):
    """Neither the seed of hashes nor the number of processes decides; and nothing is said about forks or tokenizers."""
    rows, said = run_afresh(path, "1")
    assert "fork" not in said.lower()
    assert "parallelism" not in said.lower()
    written = cached(path)
    assert sum("cache-" in file.name for file in written) == 2
    assert run_afresh(path, "2")[0] == rows
    assert cached(path) == written
    # In this process, with no other ones.
    found = map_dataset(from_file(path), batch(), batch_size=64)
    assert [len(found), found[7]["prompt"]] == rows
    assert cached(path) == written


def test_the_cache_is_missed_for_anything_else(path):
    """Another option, template, tokenizer, size of batches, or other records."""
    given = from_file(path)
    map_dataset(given, batch())
    other = batch().tokenizer
    other.add_special_tokens(["<think>"])
    for made, options, records in (
        (batch(max_tokens=1199), {}, given),
        (batch(variables={"enable_thinking": False}), {}, given),
        (Batch("qwen2.5", batch().tokenizer, copy=("id",), on_error="column"), {}, given),
        (Batch("qwen2.5", other, copy=("id",), on_error="column"), {}, given),
        (batch(), {"batch_size": 99}, given),
        (batch(), {}, given.select(range(499))),
    ):
        before = cached(path)
        map_dataset(records, made, **options)
        assert len(cached(path)) == len(before) + 1
        before = cached(path)
        map_dataset(records, made, **options)
        assert cached(path) == before


def test_options_of_the_library_go_to_it(path):
    """As `keep_in_memory`, which writes no file."""
    given = from_file(path)
    before = cached(path)
    assert len(map_dataset(given, batch(), keep_in_memory=True)) == len(map_dataset(given, batch()))
    assert len(cached(path)) == len(before) + 1


def test_a_dict_of_data_sets(path):
    """Each of its parts is mapped; an empty one has the columns all the same."""
    given = datasets.DatasetDict(train=from_file(path), test=from_file(path).select([]))
    rows = map_dataset(given, batch())
    assert isinstance(rows, datasets.DatasetDict)
    assert {name: len(part) for name, part in rows.items()} == {"train": batch()(table()).num_rows, "test": 0}
    assert rows["test"].features == rows["train"].features


def test_records_that_give_no_rows(path):
    """A batch of which nothing is left is no error."""
    made = Batch("qwen3", batch().tokenizer, on_empty="skip", max_tokens=5)
    rows = map_dataset(from_file(path).select(range(0, 500, 10)), made, batch_size=7)
    assert len(rows) == 0
    assert rows.column_names == ["input_ids", "labels", "mask"]


def test_rows_are_of_no_format(path):
    """Whatever the format of the records is, rows are plain objects, until another one is asked for."""
    rows = map_dataset(from_file(path).with_format("numpy", columns=["id"]), batch())
    assert rows.format["type"] is None
    assert type(rows[0]["input_ids"]) is list


def test_copied_columns_keep_their_features():
    """The names of classes, of which Arrow knows nothing."""
    features = datasets.Features(text=datasets.Value("string"), topic=datasets.ClassLabel(names=["sea", "sky"]))
    chat = json.dumps([{"role": "user", "content": "Hi"}])
    given = datasets.Dataset.from_dict({"text": [chat], "topic": [1]}, features=features).rename_column(
        "text", "messages"
    )
    rows = map_dataset(given, Batch("chatml", copy=("topic",)))
    assert rows.features["topic"].names == ["sea", "sky"]
    assert rows[0] == {"prompt": "<|im_start|>user\nHi<|im_end|>\n", "topic": 1}


@pytest.mark.parametrize("kind", ["data set", "stream"])
def test_records_are_numbered_through(kind):
    """Not batch by batch: neither in the column, nor where an error is told."""
    given = datasets.Dataset(table())
    given = given if kind == "data set" else given.to_iterable_dataset()
    rows = list(map_dataset(given, batch(columns=("record",)), batch_size=7))
    assert [row["record"] for row in rows] == [row["id"] for row in rows]
    with pytest.raises(InputError, match="robot") as caught:
        list(map_dataset(given, batch(on_error="raise"), batch_size=7))
    assert caught.value.__notes__ == ["in record 9"]


def test_a_stream_of_which_nothing_is_known():
    """Its columns are what they turn out to be; and it goes on where it was left."""
    texts = [json.dumps(record["messages"]) for record in talks(meant=True)]

    def generate():
        for number in range(30):
            yield {"id": number, "messages": texts[number % 3]}

    given = datasets.IterableDataset.from_generator(generate)
    assert given.features is None
    rows = map_dataset(given, Batch("qwen3", copy=("id",)), batch_size=4)
    one_by_one = iter(rows)
    assert [next(one_by_one)["id"] for _ in range(11)] == list(range(11))
    again = map_dataset(given, Batch("qwen3", copy=("id",)), batch_size=4)
    again.load_state_dict(rows.state_dict())
    assert [row["id"] for row in again] == list(range(11, 30))


def test_options_that_would_make_other_rows_are_refused(path):
    """Rows are made by the batch alone; and a stream, which is read later, has no options."""
    given = from_file(path)
    with pytest.raises(InputError, match="drop_last_batch: no such option"):
        map_dataset(given, batch(), drop_last_batch=True)
    with pytest.raises(InputError, match="num_proc: no such option of a stream"):
        map_dataset(given.to_iterable_dataset(), batch(), num_proc=2)


@pytest.mark.parametrize(
    ("kind", "meant"),
    [("struct", False), ("json", True), ("lines", False), ("stream", False), ("text", True)],
)
def test_records_are_what_they_were_before_they_came_into_a_table(kind, meant, tmp_path):
    """Keys of other records are gone again and tools are whole; what is kept as JSON is exact."""
    path = tmp_path / "talks.jsonl"
    records = talks(meant)
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    if kind == "struct":
        given = datasets.Dataset.from_list(records)
    elif kind == "json":
        given = datasets.Dataset.from_list(records, on_mixed_types="use_json")
    elif kind == "text":
        texts = [{key: json.dumps(value) for key, value in record.items()} for record in records]
        given = datasets.Dataset.from_list(texts)
    else:
        options = {"data_files": str(path), "split": "train", "streaming": kind == "stream"}
        given = datasets.load_dataset("json", cache_dir=str(tmp_path / "cache"), **options)
    assert [row["prompt"] for row in map_dataset(given, Batch("qwen3"))] == prompts(records)


def test_what_the_library_keeps_as_json_by_itself(tmp_path):
    """Where types differ, `load_dataset` reads a column, or something deep inside of one, as JSON text."""
    path = tmp_path / "talks.jsonl"
    records = talks(False)
    records[1]["messages"][1]["tool_calls"][0]["function"]["arguments"] = {"x": "Bern"}
    records[1]["tools"][0]["function"]["parameters"]["properties"]["x"] = {"type": ["string", "null"]}
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    given = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    assert str(given.features).count("Json") == 2
    assert [row["prompt"] for row in map_dataset(given, Batch("qwen3"))] == prompts(records)
