"""Parts: the rows of one chunk in a file of their own, which is there as a whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..errors import TemplatesError
from .batch import Batch
from .columns import arrow
from .reading import Chunk, Rows
from .rows import Rejected
from .summary import Summary

#: The formats a data set is written in.
FORMATS = (".parquet", ".jsonl")
#: Where a part has its summary and its rejected records.
SUMMARY, REJECTS = b"summary", b"rejects"


class Part(NamedTuple):
    """What was made of a chunk."""

    table: Any
    summary: Summary
    #: The rejected records as JSON lines.
    rejects: bytes


class Task(NamedTuple):
    """What a worker is told once."""

    batch: Batch
    #: Where parts are put.
    folder: str
    #: One of `FORMATS`.
    form: str
    #: Whether the first record that cannot be rendered ends it all.
    raises: bool

    def path(self, number: int) -> str:
        """Where the part of a chunk is."""
        return os.path.join(self.folder, f"part-{number:08}.arrow")

    def make(self, chunk: Chunk) -> None:
        """Make the part of a chunk.

        Raises:
            TemplatesError: a record cannot be rendered, if it `raises`.
        """
        numbered = list(chunk.records())
        rows, rejected = self.batch.rows(numbered)
        if rejected and self.raises:
            error = rejected[0].error
            place = " ".join(f"{key} {value}" for key, value in chunk.place(rejected[0].record).items())
            error.message = f"{place.removeprefix('file ')}: {error.message}"
            raise error
        summary = Summary.of(rows, rejected, len(numbered))
        table = self.batch.table(rows, _copied(self.batch.copy, chunk, numbered), first=chunk.first)
        summary.rows = table.num_rows
        given = dict(numbered)
        if self.form == ".jsonl":
            values = table.to_pylist()
            if self.batch.copy and not isinstance(chunk, Rows):
                for row, value in zip(rows, values, strict=True):
                    record = given[row.record]
                    fields = record if isinstance(record, dict) else {}
                    value.update((name, fields.get(name)) for name in self.batch.copy)
            table = arrow().table({"lines": [b"".join(map(_line, values))]})
        rejects = b"".join(_line({**chunk.place(one.record), **_told(one, given)}) for one in rejected)
        metadata = {SUMMARY: json.dumps(summary.to_json()).encode(), REJECTS: rejects}
        self._write(table.replace_schema_metadata(metadata), chunk.number)

    def _write(self, table: Any, number: int) -> None:
        pa = arrow()
        path = self.path(number)
        unfinished = f"{path}.{os.getpid()}"
        with pa.OSFile(unfinished, "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        os.replace(unfinished, path)

    def read(self, number: int) -> Part | None:
        """The part of a chunk; None if it is not there, or not whole."""
        pa = arrow()
        try:
            with pa.memory_map(self.path(number)) as file:
                table = pa.ipc.open_file(file).read_all()
        except (pa.ArrowInvalid, OSError):
            return None
        metadata = table.schema.metadata
        summary = Summary.from_json(json.loads(metadata[SUMMARY]))
        return Part(table.replace_schema_metadata(None), summary, metadata[REJECTS])


def _told(one: Rejected, given: dict[int, Any]) -> dict[str, Any]:
    """What the rejects file says of a record, and the record itself."""
    error: TemplatesError = one.error
    told = {"error": type(error).__name__, "reason": error.message}
    if error.hint:
        told["hint"] = error.hint
    return {**told, "record": given[one.record]}


def _line(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, default=repr).encode() + b"\n"
    except UnicodeEncodeError:
        # Half a character: it stays what it was, as an escape.
        return json.dumps(value, default=repr).encode() + b"\n"


def _copied(names: Sequence[str], chunk: Chunk, numbered: Sequence[tuple[int, Any]]) -> Any:
    """The columns that are copied, a row for each record of the chunk: of lines, as JSON text where it is no text."""
    if not names:
        return None
    if isinstance(chunk, Rows):
        return chunk.table()
    pa = arrow()
    known = dict(numbered)
    fields = [known.get(number) for number in range(chunk.first, chunk.first + chunk.length)]
    return pa.table(
        {
            name: pa.array(
                [_text(field.get(name)) if isinstance(field, dict) else None for field in fields], pa.string()
            )
            for name in names
        }
    )


def _text(value: Any) -> str | None:
    text = value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if text is None or text.isascii() else text.encode("utf-8", "replace").decode()
