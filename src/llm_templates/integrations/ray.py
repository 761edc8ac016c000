"""A `Batch` run by Ray Data, on one machine or a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from ..batch import Batch


def map_dataset(dataset: Any, batch: Batch, *, batch_size: int = 1000, **options: Any) -> Any:
    """The rows of a data set's records, made by Ray's tasks when they are read.

    Args:
        dataset: a `ray.data.Dataset`.
        batch: what makes the rows.
        batch_size: how many records are worked on at a time. Rows are packed among those of one batch.
        options: what else `map_batches` takes, such as `num_cpus` and `memory`.

    Raises:
        InputError: it is no data set.
        MissingExtraError: the library `ray` is not installed.

    >>> import ray
    >>> from llm_templates import Batch
    >>> talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]
    >>> map_dataset(ray.data.from_items([{"messages": talk}]), Batch("chatml")).take()
    [{'prompt': '<|im_start|>user\\nHi<|im_end|>\\n<|im_start|>assistant\\nYes<|im_end|>\\n'}]
    """
    try:
        from ray.data import Dataset
    except ImportError:
        raise MissingExtraError(
            "running on Ray needs the library ray", hint="pip install 'llm-templates[ray]'"
        ) from None
    if not isinstance(dataset, Dataset):
        raise InputError(f"a {type(dataset).__name__} is not a data set of Ray", hint="ray.data.read_json makes one")
    return dataset.map_batches(batch, batch_format="pyarrow", zero_copy_batch=True, batch_size=batch_size, **options)
