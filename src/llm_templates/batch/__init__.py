"""Data sets at scale: records of any format to rows of prompts or tokens, in one pass, on many workers.

- `record`: what a record gives a template to render.
- `rows`: what becomes of it, and histories that the template rewrites.
- `packing`: which rows share one.
- `columns`: rows as Arrow tables.
- `batch`: `Batch`, which does these for the records of a batch, wherever it is run.
"""

from .batch import Batch

__all__ = ["Batch"]
