"""Rows to a file: tables one after the other, as Parquet or as JSON lines."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Protocol

from .columns import arrow

#: How large a row group of a Parquet file is before it is compressed.
GROUP = 1 << 24


class Writer(Protocol):
    """What takes the tables of parts, one after the other."""

    def write(self, table: Any) -> None:
        """Append the rows of a table."""

    def __enter__(self) -> Writer: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class LineWriter:
    """Writes tables of one value, which are lines already."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "wb")  # noqa: SIM115  (closed on leaving the context)

    def write(self, table: Any) -> None:
        """Append the lines."""
        for value in table.column(0):
            self._file.write(value.as_buffer())

    def __enter__(self) -> LineWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _close(self._file, kind)


class TableWriter:
    """Writes Parquet, in row groups of about `GROUP` bytes."""

    def __init__(self, path: str, schema: Any) -> None:
        from pyarrow import parquet

        self._file = open(path, "wb")  # noqa: SIM115  (closed on leaving the context)
        # Ids of tokens are all different enough: a dictionary of them costs much time and saves nothing.
        self._writer = parquet.ParquetWriter(self._file, schema, compression="zstd", use_dictionary=False)
        self._schema = schema
        self._held: list[Any] = []
        self._size = 0

    def write(self, table: Any) -> None:
        """Append the rows."""
        self._held.append(table)
        self._size += table.nbytes
        if self._size >= GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            table = arrow().concat_tables(self._held)
            self._writer.write_table(table, row_group_size=max(table.num_rows, 1))
        self._held, self._size = [], 0

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()
        _close(self._file, kind)


def _close(file: Any, kind: type[BaseException] | None) -> None:
    """Close a file; on the disk before it gets its name, if all went well."""
    if kind is None:
        file.flush()
        os.fsync(file.fileno())
    file.close()


def writer_of(path: str, schema: Any) -> Writer:
    """What writes the rows: Parquet if they have a schema, else lines."""
    return LineWriter(path) if schema is None else TableWriter(path, schema)
