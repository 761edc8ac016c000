"""A `Batch` run by Hugging Face datasets: with its cache, on several processes, or while a stream is read."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from ..errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from ..batch import Batch

#: What `map` of datasets may be told beside. All that decides about rows is the `Batch`'s, and the cache is to know it.
OPTIONS = ("num_proc", "keep_in_memory", "load_from_cache_file", "writer_batch_size", "desc")


def map_dataset(
    dataset: Any, batch: Batch, *, num_proc: int | None = None, batch_size: int = 1000, **options: Any
) -> Any:
    """The rows of a data set's records, as a data set of the same kind.

    What a run has written is found again by every later one with the same records, template, tokenizer and options.

    Args:
        dataset: a `Dataset`, an `IterableDataset`, or a dict of such.
        batch: what makes the rows.
        num_proc: how many processes share the work; a stream takes none.
        batch_size: how many records are worked on at a time. Rows are packed among those of one batch.
        options: `keep_in_memory`, `load_from_cache_file`, `writer_batch_size` and `desc`, as `map` of datasets takes
            them.

    Raises:
        InputError: it is no data set, an option cannot be used, or a record cannot be rendered.
        MissingExtraError: the library `datasets` is not installed.

    >>> from datasets import Dataset
    >>> from llm_templates import Batch
    >>> talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]
    >>> map_dataset(Dataset.from_list([{"messages": talk}]), Batch("chatml"))[0]
    {'prompt': '<|im_start|>user\\nHi<|im_end|>\\n<|im_start|>assistant\\nYes<|im_end|>\\n'}
    """
    try:
        from datasets import Dataset, Features, IterableDataset
    except ImportError:
        raise MissingExtraError(
            "running on datasets needs the library datasets", hint="pip install 'llm-templates[datasets]'"
        ) from None
    if isinstance(dataset, dict):
        given: dict[str, Any] = {"num_proc": num_proc, "batch_size": batch_size, **options}
        return type(dataset)({name: map_dataset(part, batch, **given) for name, part in dataset.items()})
    if not isinstance(dataset, Dataset | IterableDataset):
        raise InputError(f"a {type(dataset).__name__} is not a data set", hint="datasets.Dataset.from_list makes one")
    is_stream = isinstance(dataset, IterableDataset)
    options |= {} if num_proc is None else {"num_proc": num_proc}
    unknown = options.keys() - (() if is_stream else OPTIONS)
    if unknown:
        told = f"{', '.join(sorted(unknown))}: no such option{' of a stream' if is_stream else ''}"
        raise InputError(told, hint=None if is_stream else f"there are {', '.join(OPTIONS)}")
    features = None
    if dataset.features is not None or not batch.copy:
        schema = batch.schema(None if dataset.features is None else dataset.features.arrow_schema)
        # What Arrow has no type for, such as the names of classes, stays with the columns that are copied.
        features = Features(Features.from_arrow_schema(schema) | {name: dataset.features[name] for name in batch.copy})
    options |= {"batched": True, "batch_size": batch_size, "features": features}
    options |= {"with_indices": True, "fn_kwargs": {"batch": batch}}
    if is_stream:
        return dataset.with_format("arrow").map(_rows, **options).with_format(None)
    if len(dataset) == 0:
        # `map` would leave it as it is.
        return Dataset.from_dict({name: [] for name in schema.names}, features=features, split=dataset.split)
    key = _fingerprint(dataset._fingerprint, batch, batch_size)
    return dataset.with_format("arrow").map(_rows, new_fingerprint=key, **options).with_format(None)


def _rows(records: Any, places: list[int], batch: Batch) -> Any:
    return batch(records, places[0])


def _fingerprint(records: str, batch: Batch, size: int) -> str:
    """What the rows are found by in the cache. The hash that `map` makes of a function may be another in every run."""
    state = f"{version('llm-templates')} {records} {batch.fingerprint} {size}"
    return hashlib.sha256(state.encode()).hexdigest()[:32]
