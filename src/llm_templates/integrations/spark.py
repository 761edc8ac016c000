"""A `Batch` run by PySpark, on one machine or a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from ..batch import Batch


def map_frame(frame: Any, batch: Batch) -> Any:
    """The rows of a frame's records, made by Spark's workers when they are asked for.

    The columns have the types of `batch.schema`.

    Args:
        frame: a `pyspark.sql.DataFrame`.
        batch: what makes the rows.

    Raises:
        InputError: it is no frame, or has no column that is to be copied.
        MissingExtraError: the library `pyspark` is not installed.

    >>> from pyspark.sql import SparkSession
    >>> from llm_templates import Batch
    >>> session = SparkSession.builder.getOrCreate()
    >>> frame = session.createDataFrame([(r'[{"role": "user", "content": "Hi"}]',)], ["messages"])
    >>> map_frame(frame, Batch("chatml")).first().prompt
    '<|im_start|>user\\nHi<|im_end|>\\n'
    """
    try:
        import pyarrow
        from pyspark.sql.pandas.types import from_arrow_schema
        from pyspark.sql.types import StructType
    except ImportError:
        raise MissingExtraError(
            "running on Spark needs the library pyspark", hint="pip install 'llm-templates[spark]'"
        ) from None
    if not hasattr(frame, "mapInArrow"):
        raise InputError(f"a {type(frame).__name__} is not a frame of Spark", hint="session.read.json makes one")
    # Copied columns keep Spark's own types, so that Arrow's are of no account here.
    made = batch.schema(pyarrow.schema([(name, pyarrow.null()) for name in frame.columns]))
    fields = [frame.schema[field.name] if field.name in batch.copy else field for field in from_arrow_schema(made)]

    def rows(batches: Iterable[Any]) -> Iterator[Any]:
        return map(batch, batches)

    return frame.mapInArrow(rows, StructType(fields))
