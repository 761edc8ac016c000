"""From what a user names a tokenizer by to the `tokenizers.Tokenizer` behind it."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..errors import InputError, MissingExtraError, SourceError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FILE = "tokenizer.json"
_KINDS = (
    "a tokenizer is a tokenizers.Tokenizer, a fast tokenizer of transformers, the path of a tokenizer.json or of a "
    "model's folder, or a hub id (owner/name)"
)


def load_tokenizer(reference: Any) -> Tokenizer:
    """The tokenizer that `reference` stands for.

    Raises:
        MissingExtraError: the library `tokenizers` is not installed.
        SourceError: there is no tokenizer of that name, or its file is broken.
        InputError: the object is not a tokenizer that this library can use.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise MissingExtraError(
            "tokens need the library tokenizers", hint="pip install 'llm-templates[tokenizers]'"
        ) from None
    if isinstance(reference, Tokenizer):
        return reference
    if isinstance(reference, str | os.PathLike):
        return _named(os.fsdecode(reference))
    # A processor has its tokenizer inside.
    for holder in (reference, getattr(reference, "tokenizer", None)):
        found = getattr(holder, "backend_tokenizer", None)
        if isinstance(found, Tokenizer):
            return found
    raise InputError(f"a {type(reference).__name__} is not a tokenizer that can be used here", hint=_KINDS)


def _named(name: str) -> Tokenizer:
    path = os.path.join(name, FILE) if os.path.isdir(name) else name
    try:
        status = os.stat(path)
    except OSError:
        pass
    else:
        return _from_file(path, status.st_mtime_ns, status.st_size)
    from ..sources.hub import split_id

    parts = split_id(name)
    if os.path.isdir(name):
        raise SourceError(f"the folder {name} has no {FILE}", hint=_KINDS)
    if parts is None:
        raise SourceError(f"there is no tokenizer {name!r}", hint=_KINDS)
    path = _from_hub(*parts)
    return _from_file(path, 0, 0)


@lru_cache(8)
def _from_file(path: str, changed: int, size: int) -> Tokenizer:
    # The time of the last change and the size are there for the cache: a file that was written anew is read anew.
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(path)
    except Exception as error:  # noqa: BLE001  (the library raises bare exceptions)
        raise SourceError(f"{path}: not a {FILE}: {error}", hint=_KINDS) from None


@lru_cache(32)
def _from_hub(name: str, revision: str | None) -> str:
    from huggingface_hub import hf_hub_download

    try:
        return str(hf_hub_download(name, FILE, revision=revision))
    except Exception as error:  # noqa: BLE001  (the HTTP clients' errors have no common base)
        reason = str(error).strip().partition("\n")[0]
        raise SourceError(f"the {FILE} of {name} cannot be had: {reason}", hint=_KINDS) from None
