"""A data set on disk to rows on disk: the same rows with any number of workers, whole or not at all."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from llm_templates import Batch, ChatTemplate, InputError, SourceError, TemplatesError, load
from llm_templates.batch import reading, run
from llm_templates.batch.summary import Summary


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    """Many chunks, so that what goes on between them is tested; workers are handed theirs."""
    monkeypatch.setattr(run.chunks, "__defaults__", (4000,))
    monkeypatch.setattr(run, "CHUNK", 4000)


@pytest.fixture
def data(tmp_path, records):
    """A file of records, two of which cannot be rendered."""
    path = tmp_path / "in.jsonl"
    lines = [json.dumps(record, ensure_ascii=False) for record in records(150)]
    lines[40] = '{"messages": [{"role": "user"'
    lines[99] = json.dumps({"prompt": "Which?", "chosen": "a", "rejected": "b"})
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def batch(tokenizer_file):
    return Batch("qwen3", tokenizer_file, rewritten="turns", copy=("id",))


def whole(batch, data):
    """The rows, made one after the other in this process."""
    values = []
    for number, line in enumerate(data.read_text(encoding="utf-8").splitlines()):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        rows, _ = batch.rows([(number, record)])
        values += [
            {"id": record["id"], **row} for row in Batch(batch.template, batch.tokenizer).table(rows).to_pylist()
        ]
    return [{name: row[name] for name in ("input_ids", "labels", "mask", "id")} for row in values]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", ["out.parquet", "out.jsonl"])
def test_rows_are_those_of_the_batch(tmp_path, data, batch, workers, name):
    """In order, whoever made them; rejected records stand in a file of their own."""
    output = tmp_path / name
    seen = []
    summary = run.run(batch, data, output, workers=workers, progress=lambda done, total, _: seen.append((done, total)))
    if name.endswith(".jsonl"):
        rows = [json.loads(line) for line in output.read_text().splitlines()]
    else:
        rows = [{**row, "id": int(row["id"])} for row in parquet.read_table(output).to_pylist()]
    assert rows == whole(batch, data)
    assert summary.records == 150
    assert summary.rows == len(rows)
    assert summary.rejected == 2
    assert summary.rewritten > 0
    rejects = [json.loads(line) for line in Path(f"{output}.rejects.jsonl").read_text().splitlines()]
    assert [(one["file"], one["line"]) for one in rejects] == [("in.jsonl", 41), ("in.jsonl", 100)]
    assert "not JSON" in rejects[0]["reason"]
    assert rejects[1]["record"] == {"prompt": "Which?", "chosen": "a", "rejected": "b"}
    assert rejects[1]["error"] == "InputError"
    told = json.loads(Path(f"{output}.summary.json").read_text())
    assert told["run"]["batch"] == batch.fingerprint
    del told["run"]
    assert Summary.from_json(told) == summary
    assert seen[-1] == (data.stat().st_size, data.stat().st_size)
    assert seen == sorted(seen)
    assert len(seen) > 5
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"in.jsonl", name, f"{name}.rejects.jsonl", f"{name}.summary.json"}


def test_tables_and_folders_give_the_same_rows(tmp_path, records, tokenizer_file):
    """Parquet or lines, one file or many."""
    batch = Batch("qwen3", tokenizer_file)
    given = [record for record in records(120) if "messages" in record]
    for record in given:
        record["tools"] = json.dumps(record.get("tools"))
    folder, tables = tmp_path / "lines", tmp_path / "tables"
    folder.mkdir()
    tables.mkdir()
    for number in range(3):
        part = given[number * 20 : (number + 1) * 20 if number < 2 else None]
        (folder / f"{number}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in part))
        flat = [{"messages": json.dumps(record["messages"]), "tools": record["tools"]} for record in part]
        parquet.write_table(pa.Table.from_pylist(flat), tables / f"{number}.parquet", row_group_size=7)
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    run.run(batch, folder, first, workers=1)
    run.run(batch, tables, second, workers=2)
    assert parquet.read_table(first).equals(parquet.read_table(second))
    assert parquet.read_schema(first) == batch.schema()


def test_copied_columns_keep_their_types(tmp_path):
    """From a table they are as they were; from lines they are text in a table, and what they were in lines."""
    talk = [{"role": "user", "content": "Hi"}]
    parquet.write_table(pa.table({"n": pa.array([7], pa.int16()), "messages": [talk]}), tmp_path / "in.parquet")
    (tmp_path / "in.jsonl").write_text(json.dumps({"n": {"a": [1]}, "messages": talk}) + "\n")
    batch = Batch("chatml", copy=("n",))
    run.run(batch, tmp_path / "in.parquet", tmp_path / "a.parquet", workers=1)
    run.run(batch, tmp_path / "in.jsonl", tmp_path / "b.parquet", workers=1)
    run.run(batch, tmp_path / "in.jsonl", tmp_path / "c.jsonl", workers=1)
    assert parquet.read_table(tmp_path / "a.parquet")["n"].to_pylist() == [7]
    assert parquet.read_schema(tmp_path / "a.parquet").field("n").type == pa.int16()
    assert parquet.read_table(tmp_path / "b.parquet")["n"].to_pylist() == ['{"a": [1]}']
    assert json.loads((tmp_path / "c.jsonl").read_text())["n"] == {"a": [1]}


def test_the_first_error_ends_it_if_asked(tmp_path, data, batch):
    """With its place; nothing is written under the output's name."""
    output = tmp_path / "out.parquet"
    for workers in (1, 2):
        with pytest.raises(TemplatesError, match=r"in\.jsonl line 41: .*not JSON"):
            run.run(batch, data, output, workers=workers, on_error="raise", resume=True)
    assert not output.exists()


def test_an_interrupted_run_is_not_overwritten(tmp_path, data, batch):
    """It is resumed, or deleted by who owns it."""
    output = tmp_path / "out.parquet"
    with pytest.raises(RuntimeError, match="enough"):
        run.run(batch, data, output, workers=1, progress=_stop)
    assert not output.exists()
    with pytest.raises(InputError, match="interrupted run left") as caught:
        run.run(batch, data, output, workers=1)
    assert "--resume" in caught.value.hint
    made = set(os.listdir(f"{output}.parts"))
    assert sum(name.startswith("part-") for name in made) >= 3
    summary = run.run(batch, data, output, workers=1, resume=True)
    assert summary.records == 150
    other = tmp_path / "other.parquet"
    run.run(batch, data, other, workers=1)
    assert other.read_bytes() == output.read_bytes()


def _stop(done, total, summary):
    if summary.records > 50:
        raise RuntimeError("enough")


def test_what_is_done_is_not_done_again(tmp_path, data, batch, monkeypatch):
    """Resumed, only the chunks are made that were not; a part that is not whole is made again."""
    output = tmp_path / "out.parquet"
    with pytest.raises(RuntimeError, match="enough"):
        run.run(batch, data, output, workers=1, progress=_stop)
    parts = sorted(path for path in Path(f"{output}.parts").iterdir() if path.name.startswith("part-"))
    parts[1].write_bytes(parts[1].read_bytes()[:-10])
    (parts[2].parent / f"{parts[2].name}.123").write_bytes(b"unfinished")
    made = []
    make = run.Task.make
    monkeypatch.setattr(run.Task, "make", lambda task, chunk: (made.append(chunk.number), make(task, chunk)))
    run.run(batch, data, output, workers=1, resume=True)
    total = len(list(reading.chunks(reading.sources(str(data)), 4000)))
    assert made == [1, *range(len(parts), total)]


@pytest.mark.parametrize("change", ["options", "data", "tokenizer"])
def test_another_run_is_not_resumed(tmp_path, data, batch, change, tokenizer_file):
    """Rows of two kinds never come together in one output."""
    output = tmp_path / "out.parquet"
    with pytest.raises(RuntimeError, match="enough"):
        run.run(batch, data, output, workers=1, progress=_stop)
    if change == "options":
        batch = Batch("qwen3", tokenizer_file, copy=("id",))
    elif change == "data":
        data.write_text(data.read_text() + data.read_text().splitlines()[0] + "\n")
    else:
        tokenizer = batch.tokenizer.from_str(batch.tokenizer.to_str())
        tokenizer.add_tokens(["another"])
        batch = Batch("qwen3", tokenizer, rewritten="turns", copy=("id",))
    with pytest.raises(InputError, match="begun with others") as caught:
        run.run(batch, data, output, workers=1, resume=True)
    assert ("data" in caught.value.message) == (change == "data")


def test_a_resumed_run_keeps_its_time(tmp_path, data, tokenizer_file):
    """A template that tells the time is told that of the beginning."""
    source = "{{ strftime_now('%f') }}" + load("chatml").source
    output, other = tmp_path / "out.jsonl", tmp_path / "other.jsonl"
    template = ChatTemplate.from_string(source)
    first = Batch(template)
    with pytest.raises(RuntimeError, match="enough"):
        run.run(first, data, output, workers=1, progress=_stop)
    run.run(Batch(template), data, output, workers=1, resume=True)
    run.run(first, data, other, workers=1)
    assert output.read_bytes() == other.read_bytes()


def test_what_was_rejected_is_raised_if_that_is_asked_for_later(tmp_path, data, batch):
    """A part that has rejects does not hide them from a run that is to end with the first."""
    output = tmp_path / "out.parquet"
    with pytest.raises(RuntimeError, match="enough"):
        run.run(batch, data, output, workers=1, progress=_stop)
    with pytest.raises(TemplatesError, match="line 41"):
        run.run(batch, data, output, workers=1, resume=True, on_error="raise")


def test_an_output_among_the_data_is_no_data(tmp_path, records, tokenizer_file):
    """Neither are its rejects; and data is never replaced by its own rows."""
    batch = Batch("qwen3", tokenizer_file)
    lines = [json.dumps(record) for record in records(5)]
    (tmp_path / "in.jsonl").write_text("\n".join([*lines, "{broken"]))
    first = run.run(batch, tmp_path, tmp_path / "out.jsonl", workers=1)
    assert run.run(batch, tmp_path, tmp_path / "out.jsonl", workers=1) == first
    assert first.records == 6
    with pytest.raises(InputError, match="is the data itself"):
        run.run(batch, tmp_path / "in.jsonl", tmp_path / "in.jsonl")


def test_two_runs_do_not_write_one_output(tmp_path, data, batch):
    """The second is refused while the first is at it, whether it is to resume or not."""
    output = tmp_path / "out.parquet"
    refused = []

    def meddle(done, total, summary):
        if not refused:
            for resume in (False, True):
                with pytest.raises(InputError, match="another run is writing") as caught:
                    run.run(batch, data, output, workers=1, resume=resume)
                refused.append(caught)

    assert run.run(batch, data, output, workers=1, progress=meddle).records == 150
    assert len(refused) == 2


def test_parts_of_nobody_are_not_used(tmp_path, data, batch, tokenizer_file):
    """What is left in the folder without a word of what it was made of is thrown away."""
    output, other = tmp_path / "out.parquet", tmp_path / "other.parquet"
    with pytest.raises(RuntimeError, match="enough"):
        run.run(Batch("chatml", tokenizer_file), data, output, workers=1, progress=_stop)
    (Path(f"{output}.parts") / "run.json").unlink()
    run.run(batch, data, output, workers=1)
    run.run(batch, data, other, workers=1)
    assert other.read_bytes() == output.read_bytes()


def test_half_characters_end_nothing(tmp_path):
    """They are legal in JSON, and no file of rows can have them."""
    refusing = ChatTemplate.from_string(
        "{% if 'bad' in messages[0].content %}{{ raise_exception(messages[0].content) }}{% endif %}"
    )
    lines = [
        '{"messages": [{"role": "user", "content": "bad \\ud800"}], "id": "\\ud800"}',
        '{"messages": [{"role": "user", "content": ""}], "id": "\\ud800"}',
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    for name in ("out.jsonl", "out.parquet"):
        summary = run.run(Batch(refusing, copy=("id",)), tmp_path / "in.jsonl", tmp_path / name, workers=1)
        assert (summary.rows, summary.rejected) == (1, 1)
        assert json.loads(Path(f"{tmp_path / name}.rejects.jsonl").read_text())["reason"] == "bad \ud800"
        json.loads(Path(f"{tmp_path / name}.summary.json").read_text())


def test_times_and_bytes_beside_the_messages_do_no_harm(tmp_path):
    """Not even those that Python has no form for."""
    talk = [{"role": "user", "content": "Hi"}]
    table = pa.table(
        {
            "at": pa.array([2**62], pa.timestamp("ns")),
            "far": pa.array([2**60], pa.timestamp("us")),
            "image": pa.array([b"\xff"]),
            "messages": [talk],
        }
    )
    parquet.write_table(table, tmp_path / "in.parquet")
    assert run.run(Batch("chatml"), tmp_path / "in.parquet", tmp_path / "out.jsonl", workers=1).rows == 1


def test_copied_columns_are_the_same_in_all_files(tmp_path):
    """That is said before anything is done."""
    for name, kind in (("a", pa.int16()), ("b", pa.string())):
        values = pa.array([1], kind) if kind == pa.int16() else pa.array(["1"])
        parquet.write_table(pa.table({"n": values, "messages": ["[]"]}), tmp_path / f"{name}.parquet")
    with pytest.raises(SourceError, match="not the same in all files"):
        run.run(Batch("chatml", copy=("n",)), tmp_path, tmp_path / "out.jsonl")


def test_rejects_of_an_earlier_run_do_not_stay(tmp_path, data, batch, records):
    """A run without any leaves none."""
    output = tmp_path / "out.parquet"
    run.run(batch, data, output, workers=1)
    assert Path(f"{output}.rejects.jsonl").exists()
    data.write_text(json.dumps(records(1)[0]) + "\n")
    run.run(batch, data, output, workers=1)
    assert not Path(f"{output}.rejects.jsonl").exists()


def test_packed_rows_do_not_depend_on_the_workers(tmp_path, data, tokenizer_file):
    """They are packed within chunks."""
    batch = Batch("qwen3", tokenizer_file, pack=3000)
    for workers in (1, 2):
        summary = run.run(batch, data, tmp_path / f"{workers}.parquet", workers=workers)
        assert summary.rows < summary.made
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()


def test_an_empty_data_set_has_no_rows(tmp_path, batch):
    """And an output all the same."""
    (tmp_path / "in.jsonl").write_text("")
    assert run.run(batch, tmp_path / "in.jsonl", tmp_path / "out.parquet").records == 0
    assert parquet.read_table(tmp_path / "out.parquet").num_rows == 0


def test_wrong_arguments_are_told(tmp_path, data, batch):
    """Before anything is written."""
    with pytest.raises(InputError, match=r"\.parquet, \.jsonl"):
        run.run(batch, data, tmp_path / "out.csv")
    with pytest.raises(InputError, match="on_error"):
        run.run(batch, data, tmp_path / "out.jsonl", on_error="skip")
    with pytest.raises(InputError, match="workers=0"):
        run.run(batch, data, tmp_path / "out.jsonl", workers=0)
    with pytest.raises(InputError, match="tables in memory"):
        run.run(Batch("chatml", on_error="column"), data, tmp_path / "out.jsonl")
    with pytest.raises(SourceError):
        run.run(batch, tmp_path / "nothing.jsonl", tmp_path / "out.jsonl")
    parquet.write_table(pa.table({"messages": ["[]"]}), tmp_path / "in.parquet")
    with pytest.raises(InputError, match="no column 'name'"):
        run.run(Batch("chatml", copy=("name",)), tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert not list(tmp_path.glob("out*"))


def test_workers_that_are_killed_are_told(tmp_path, data, tokenizer_file, monkeypatch):
    """What is done is kept."""
    import signal

    from llm_templates.batch import pool

    output = tmp_path / "out.parquet"

    def kill(done, total, summary):
        for child in pool.multiprocessing.active_children():
            os.kill(child.pid, signal.SIGKILL)

    with pytest.raises(OSError, match="a worker was killed"):
        run.run(Batch("qwen3", tokenizer_file), data, output, workers=2, progress=kill)
    assert not output.exists()
    summary = run.run(Batch("qwen3", tokenizer_file), data, output, workers=2, resume=True)
    assert summary.records == 150
