"""The records of Arrow tables, as they were before they came into one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .columns import arrow


def records_of(data: Any) -> list[dict[str, Any]]:
    """The records of a `pyarrow.RecordBatch` or `pyarrow.Table`.

    Arrow gives every object of a column the keys of all: one that is null was not there. What a table keeps as JSON or
    as a map is an object again, with the nulls that are in it.

    >>> import pyarrow
    >>> records_of(pyarrow.table({"messages": [[{"role": "user", "name": None}, {"role": "tool", "name": "add"}]]}))
    [{'messages': [{'role': 'user'}, {'role': 'tool', 'name': 'add'}]}]
    """
    # Times and bytes say nothing that is rendered, and not all of them can be had as Python's.
    kinds = arrow().types
    data = data.select(
        [field.name for field in data.schema if not (kinds.is_temporal(field.type) or _is_bytes(field.type))]
    )
    records: list[dict[str, Any]] = data.to_pylist()
    for field in data.schema:
        read = _reader(field.type)
        if read is not None:
            for record in records:
                if record[field.name] is not None:
                    record[field.name] = read(record[field.name])
    return records


def _is_bytes(kind: Any) -> bool:
    types = arrow().types
    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind))


def _reader(kind: Any) -> Callable[[Any], Any] | None:
    """What makes the values of a type what they stand for; None where they are that already."""
    types = arrow().types
    if getattr(kind, "extension_name", None) == "arrow.json":
        return _from_json
    if types.is_struct(kind):
        inner = {field.name: read for field in kind if (read := _reader(field.type)) is not None}
        return lambda value: {
            name: inner[name](item) if name in inner else item for name, item in value.items() if item is not None
        }
    if types.is_map(kind):
        each = _reader(kind.item_type)
        return lambda pairs: {key: item if each is None or item is None else each(item) for key, item in pairs}
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        each = _reader(kind.value_type)
        return each and (lambda values: [None if value is None else each(value) for value in values])
    return None


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # Whoever reads the record says what is wrong with it.
        return text
