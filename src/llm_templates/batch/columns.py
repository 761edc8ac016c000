"""Rows as Arrow tables: which columns there are, and how each is made of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import InputError, MissingExtraError
from .rows import Rejected, Row

if TYPE_CHECKING:
    import numpy
    import pyarrow

    from ..tokens import Tokens

#: What trainers leave out of the loss.
IGNORED = -100
ERROR = "error"


class Flat:
    """The tokens of rows one after the other, each row made of the prompts that were packed into it."""

    def __init__(self, groups: Sequence[Sequence[Row]]) -> None:
        import numpy

        self.groups = groups
        self._rows = [row for group in groups for row in group]
        self.sizes = numpy.fromiter((len(row.ids) for row in self._rows), numpy.int32, len(self._rows))
        #: Where the tokens of each group begin, and where the last one's end.
        self.offsets = _offsets([sum(len(row.ids) for row in group) for group in groups])
        self.count = int(self.offsets[-1])

    def ids(self) -> numpy.ndarray[Any, Any]:
        return self._joined("ids", "int32")

    def mask(self) -> numpy.ndarray[Any, Any]:
        return self._joined("mask", "int8")

    def weights(self) -> numpy.ndarray[Any, Any]:
        return self._joined("weights", "float32")

    def labels(self) -> numpy.ndarray[Any, Any]:
        """The ids where the mask is 1; never that of a first token that another prompt comes before."""
        import numpy

        labels: numpy.ndarray[Any, Any] = numpy.where(self.mask() != 0, self.ids(), numpy.int32(IGNORED))
        starts = self._starts()
        labels[starts[(self.sizes > 0) & ~numpy.isin(starts, self.offsets)]] = IGNORED
        return labels

    def positions(self) -> numpy.ndarray[Any, Any]:
        """The place of each token in its own prompt."""
        import numpy

        places: numpy.ndarray[Any, Any] = numpy.arange(self.count, dtype=numpy.int32)
        places -= numpy.repeat(self._starts(), self.sizes)
        return places

    def _starts(self) -> numpy.ndarray[Any, Any]:
        return _offsets(self.sizes)[:-1]

    def _joined(self, name: str, kind: str) -> numpy.ndarray[Any, Any]:
        import numpy

        values = [getattr(row, name) for row in self._rows if len(row.ids)]
        joined: numpy.ndarray[Any, Any] = numpy.concatenate(values) if values else numpy.zeros(0, kind)
        return joined


def arrays(tokens: Tokens) -> tuple[Any, Any, Any]:
    """Ids, mask and weights as rows have them."""
    import numpy

    return (
        numpy.array(tokens.ids, numpy.int32),
        numpy.array(tokens.mask, numpy.int8),
        numpy.array(tokens.weights, numpy.float32),
    )


def _offsets(sizes: Any) -> numpy.ndarray[Any, Any]:
    import numpy

    offsets: numpy.ndarray[Any, Any] = numpy.zeros(len(sizes) + 1, numpy.int32)
    numpy.cumsum(sizes, out=offsets[1:])
    return offsets


class Column(NamedTuple):
    """How a column is made."""

    #: The name of its Arrow type; of the items, for one that has a value for each token.
    type: str
    values: Callable[[Flat], Any]
    is_list: bool = True
    #: Whether it needs a tokenizer, the mask, and packed rows.
    of_tokens: bool = True
    of_mask: bool = False
    of_packs: bool = False


def _ones(flat: Flat) -> Any:
    import numpy

    return numpy.ones(flat.count, numpy.int8)


#: Every column by its name.
COLUMNS: dict[str, Column] = {
    "prompt": Column("string", lambda flat: [group[0].prompt for group in flat.groups], False, False),
    "input_ids": Column("int32", Flat.ids),
    "attention_mask": Column("int8", _ones),
    "labels": Column("int32", Flat.labels, of_mask=True),
    "mask": Column("int8", Flat.mask, of_mask=True),
    "assistant_masks": Column("int8", Flat.mask, of_mask=True),
    "completion_mask": Column("int8", Flat.mask, of_mask=True),
    "weights": Column("float32", Flat.weights, of_mask=True),
    "length": Column("int32", lambda flat: flat.offsets[1:] - flat.offsets[:-1], False),
    "record": Column("int64", lambda flat: [group[0].record for group in flat.groups], False, False),
    "position_ids": Column("int32", Flat.positions),
    "seq_lengths": Column("int32", lambda flat: flat.sizes, of_packs=True),
}
TOKENS = ("input_ids", "labels", "mask")
PACKED = ("position_ids", "seq_lengths")
#: Those that need the mask.
MASKED = frozenset(name for name, column in COLUMNS.items() if column.of_mask)


def checked_columns(columns: Sequence[str] | None, is_encoded: bool, is_packed: bool) -> tuple[str, ...]:
    """The columns that are asked for, or those that rows have by themselves.

    Raises:
        InputError: there is no such column, or it needs what is not asked for.
    """
    if columns is None:
        columns = (*(TOKENS if is_encoded else ("prompt",)), *(PACKED if is_packed else ()))
    if isinstance(columns, str):
        raise InputError(f"columns={columns!r} is a text", hint=f"give a tuple: columns=({columns!r},)")
    for name in columns:
        column = COLUMNS.get(name)
        if column is None:
            raise InputError(f"{name!r} is no column", hint=f"there are {', '.join(COLUMNS)}")
        if column.of_tokens and not is_encoded:
            raise InputError(f"the column {name!r} needs a tokenizer", hint="give tokenizer=...")
        if column.of_packs and not is_packed:
            raise InputError(f"the column {name!r} tells packed rows apart", hint="give pack=...")
        if is_packed and name in ("prompt", "record"):
            raise InputError(f"a packed row has no one {name}", hint=f"leave the column {name!r} out")
    if not columns or len(set(columns)) < len(columns):
        raise InputError(f"columns={tuple(columns)!r}: a row has columns, each of them once")
    return tuple(columns)


def arrow() -> Any:
    """The library pyarrow.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import pyarrow
    except ImportError:
        raise MissingExtraError("tables need pyarrow", hint="pip install 'llm-templates[arrow]'") from None
    return pyarrow


def schema_of(columns: Sequence[str], has_errors: bool, given: Any, copy: Sequence[str]) -> pyarrow.Schema:
    """The columns of a table and their types.

    Raises:
        InputError: a column that is to be copied is none of the records'.
    """
    pa = arrow()
    fields = [pa.field(name, _type(COLUMNS[name])) for name in columns]
    for name in copy:
        if given is None or name not in given.names:
            there = "" if given is None else f"there are {', '.join(given.names)}"
            raise InputError(f"the records have no column {name!r} to copy", hint=there or None)
        fields.append(given.field(name))
    if has_errors:
        fields.append(pa.field(ERROR, pa.string()))
    return pa.schema(fields)


def table_of(
    groups: Sequence[Sequence[Row]],
    columns: Sequence[str],
    rejected: Sequence[Rejected],
    has_errors: bool,
    data: Any,
    copy: Sequence[str],
    first: int = 0,
) -> pyarrow.Table:
    """A table with a row for each group, and one for each rejected record.

    Args:
        groups: the rows, packed ones together.
        columns: names of `COLUMNS`.
        rejected: records without rows, of which the table is to have one.
        has_errors: whether there is a column for errors.
        data: the records, for the columns that are copied.
        copy: the names of these.
        first: the number of the first record of `data`.
    """
    pa = arrow()
    errors: dict[int, str] = {}
    if rejected:
        # In the order of the records, each that has no rows with one that is empty.
        errors = {one.record: str(one.error).encode("utf-8", "replace").decode() for one in rejected}
        empty = [[Row(one.record, "")] for one in rejected]
        groups = sorted([*groups, *empty], key=lambda group: group[0].record)
    schema = schema_of(columns, has_errors, None if data is None else data.schema, copy)
    flat = Flat(groups)
    missing = [group[0].record in errors for group in groups] if errors else None
    arrays = [_array(COLUMNS[name], flat, None if name == "record" else missing) for name in columns]
    if copy:
        records = pa.array([group[0].record - first for group in groups], pa.int64())
        arrays += [data.column(name).take(records) for name in copy]
    if has_errors:
        arrays.append(pa.array([errors.get(group[0].record) for group in groups], pa.string()))
    return pa.Table.from_arrays(arrays, schema=schema)


def _type(column: Column) -> Any:
    pa = arrow()
    items = pa.type_for_alias(column.type)
    return pa.list_(items) if column.is_list else items


def _array(column: Column, flat: Flat, missing: Sequence[bool] | None) -> Any:
    import numpy

    pa = arrow()
    kind = pa.type_for_alias(column.type)
    if not column.is_list:
        return pa.array(column.values(flat), kind, mask=None if missing is None else numpy.array(missing))
    values = pa.array(column.values(flat), kind)
    offsets = flat.offsets
    if column.of_packs:
        offsets = _offsets([len(group) for group in flat.groups])
    mask = None if missing is None else pa.array(missing)
    return pa.ListArray.from_arrays(pa.array(offsets), values, mask=mask)
