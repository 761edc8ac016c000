"""Data sets as they lie on disk: files of JSON lines and of Parquet, cut into chunks of about the same size."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from ..errors import InputError, SourceError
from .columns import arrow
from .record import Broken
from .tables import records_of

#: How much of the input is one worker's task: enough to be worth handing over, little enough to share the end of it.
CHUNK = 1 << 20
#: The longest line that is read, and how many rows of a table are read at once.
LONGEST = 1 << 28
ROWS = 1024
KINDS = (".jsonl", ".ndjson", ".parquet")
#: What the files beside an output are called, after its name.
REJECTS, SUMMARY = ".rejects.jsonl", ".summary.json"


class Source(NamedTuple):
    """A file of records."""

    path: str
    #: How it is called in errors: its path below the folder that was named.
    name: str
    size: int
    changed: int


class Chunk(Protocol):
    """Some records of a file, one after the other, which any worker can read."""

    @property
    def number(self) -> int:
        """Its place among all chunks."""

    @property
    def first(self) -> int:
        """The number of its first record."""

    @property
    def length(self) -> int:
        """How many records it has; for lines, how many there are."""

    @property
    def size(self) -> int:
        """How many bytes of the input it is, more or less."""

    def records(self) -> Iterator[tuple[int, Any]]:
        """The records, each with its number."""

    def place(self, record: int) -> dict[str, Any]:
        """Where a record stands."""


class Lines(NamedTuple):
    """Lines of JSON."""

    number: int
    first: int
    length: int
    size: int
    path: str
    name: str
    start: int
    #: The number of the first of these lines, from 1 on.
    line: int

    def records(self) -> Iterator[tuple[int, Any]]:
        """The records, each with its number; lines without anything are none."""
        with open(self.path, "rb") as file:
            file.seek(self.start)
            data = file.read(self.size)
        for index, line in enumerate(data.split(b"\n")):
            if line.strip():
                yield self.first + index, _record(line)

    def place(self, record: int) -> dict[str, Any]:
        """The file and the line."""
        return {"file": self.name, "line": self.line + record - self.first}


class Rows(NamedTuple):
    """Rows of a table, as Arrow's bytes."""

    number: int
    first: int
    length: int
    size: int
    name: str
    row: int
    data: bytes

    def table(self) -> Any:
        """The rows as a `pyarrow.Table`."""
        return arrow().ipc.open_stream(self.data).read_all()

    def records(self) -> Iterator[tuple[int, Any]]:
        """The records, each with its number."""
        return enumerate(records_of(self.table()), self.first)

    def place(self, record: int) -> dict[str, Any]:
        """The file and the row, from 0 on."""
        return {"file": self.name, "row": self.row + record - self.first}


def _record(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        return Broken(InputError(f"not JSON: {error}", hint="each line is one record, an object"))


def sources(path: str) -> list[Source]:
    """The files of a data set: the one at `path`, or those below the folder, in the order of their names.

    Raises:
        SourceError: there is none.
    """
    if os.path.isdir(path):
        below = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
        found = sorted(name for name in below if name.lower().endswith(KINDS) and not _is_no_data(name, path))
        if not found:
            raise SourceError(f"the folder {path} has no files of records", hint=f"these end in {', '.join(KINDS)}")
    elif not path.lower().endswith(KINDS):
        raise SourceError(f"{path}: a file of records ends in {', '.join(KINDS)}", hint="or it is a folder of these")
    else:
        found = [path]
    result = []
    for name in found:
        try:
            status = os.stat(name)
        except OSError as error:
            raise SourceError(f"{name}: {error.strerror}") from None
        shown = os.path.relpath(name, path) if os.path.isdir(path) else os.path.basename(name)
        result.append(Source(name, shown.replace(os.sep, "/"), status.st_size, status.st_mtime_ns))
    return result


def _is_no_data(name: str, folder: str) -> bool:
    """Whether a file is hidden, or is what a run wrote."""
    if name.endswith(REJECTS) or os.path.exists(name + SUMMARY):
        return True
    return any(part.startswith((".", "_")) for part in os.path.relpath(name, folder).split(os.sep))


def is_table(source: Source) -> bool:
    """Whether a file is a table rather than lines."""
    return source.path.lower().endswith(".parquet")


def chunks(files: Sequence[Source], size: int = CHUNK) -> Iterator[Chunk]:
    """The files in pieces of about `size` bytes, in order; the same files always give the same.

    Raises:
        SourceError: a file is not what its name says, or cannot be read.
    """
    number = first = 0
    for source in files:
        for chunk in _tables(source, number, first, size) if is_table(source) else _lines(source, number, first, size):
            yield chunk
            number += 1
            first += chunk.length


def _lines(source: Source, number: int, first: int, size: int) -> Iterator[Chunk]:
    """Whole lines, as many as have at least `size` bytes."""
    start = 0
    line = 1
    try:
        with open(source.path, "rb") as file:
            while data := file.read(size):
                rest = file.readline(LONGEST)
                if len(rest) == LONGEST:
                    lines = line + data.count(b"\n")
                    raise SourceError(f"{source.name}, line {lines}: longer than {LONGEST:,} bytes")
                count = data.count(b"\n") + (1 if rest or not data.endswith(b"\n") else 0)
                found = Lines(number, first, count, len(data) + len(rest), source.path, source.name, start, line)
                yield found
                number, first, line, start = number + 1, first + count, line + count, start + found.size
    except OSError as error:
        raise SourceError(f"{source.path}: {error.strerror}") from None


def _tables(source: Source, number: int, first: int, size: int) -> Iterator[Chunk]:
    """Rows of a table, as many as have about `size` bytes."""
    pa = arrow()
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(source.path, buffer_size=CHUNK, pre_buffer=False) as file:
            total = max(file.metadata.num_rows, 1)
            row = 0
            for batch in file.iter_batches(ROWS):
                length = max(1, batch.num_rows * size // max(batch.nbytes, 1))
                for start in range(0, batch.num_rows, length):
                    part = batch.slice(start, length)
                    sink = pa.BufferOutputStream()
                    with pa.ipc.new_stream(sink, part.schema) as writer:
                        writer.write_batch(part)
                    count = part.num_rows
                    share = source.size * count // total
                    yield Rows(number, first, count, share, source.name, row, sink.getvalue().to_pybytes())
                    number, first, row = number + 1, first + count, row + count
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{source.path}: {str(error).partition(chr(10))[0]}") from None


def schema_of(files: Sequence[Source], copy: Sequence[str] = ()) -> Any:
    """The columns of the records, if the files are tables; None for lines.

    Args:
        files: what is read.
        copy: the columns that go along with the rows, which must be the same in all files.

    Raises:
        SourceError: the files are of both kinds, or tables of different columns.
    """
    kinds = {is_table(source) for source in files}
    if kinds == {False}:
        return None
    if len(kinds) > 1:
        raise SourceError("some of the files are tables and some are lines", hint="give those of one kind")
    pa = arrow()
    from pyarrow import parquet

    try:
        schemas = [parquet.read_schema(source.path) for source in files]
    except (pa.ArrowException, OSError) as error:
        raise SourceError(str(error).partition("\n")[0]) from None
    for name in copy:
        types = {str(schema.field(name).type) if name in schema.names else "none" for schema in schemas}
        if len(types) > 1:
            raise SourceError(f"the column {name!r} is not the same in all files: {', '.join(sorted(types))}")
    return schemas[0]
