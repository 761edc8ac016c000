"""The special tokens of a tokenizer by name, from its two configuration files, as transformers reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import SourceError

#: The tokens every tokenizer may set.
STANDARD = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")

#: Entries that name more of them, for models that see images or hear; a list there is of tokens without names.
EXTRA = "extra_special_tokens"
SPECIFIC = "model_specific_special_tokens"

#: The entry that tells a configuration that is complete from one that special_tokens_map.json goes with.
COMPLETE = "added_tokens_decoder"


def special_tokens(config: Mapping[str, Any], token_map: Mapping[str, Any], place: str) -> dict[str, str]:
    """The named special tokens that are set.

    Args:
        config: tokenizer_config.json.
        token_map: special_tokens_map.json, which counts only when `config` lists no added tokens, and then wins.
        place: what errors call the model.

    >>> special_tokens({"bos_token": "<s>", "add_bos_token": True, "image_token": "<image>"}, {}, "model")
    {'bos_token': '<s>', 'image_token': '<image>'}
    """
    entries = {name: entry for name, entry in config.items() if not _is_settings(name, entry)}
    if "additional_special_tokens" in entries and not entries.get(EXTRA):
        entries[EXTRA] = entries.pop("additional_special_tokens")
    # `image_token` is a token by its name and its type; `add_bos_token` is a switch.
    named = {name: entry for name, entry in entries.items() if _names_token(name) and isinstance(entry, str)}
    for name in named:
        del entries[name]
    if isinstance(entries.get(EXTRA), dict):
        named.update(entries.pop(EXTRA))
    if not named and isinstance(entries.get(SPECIFIC), dict):
        named = dict(entries[SPECIFIC])
    if COMPLETE not in entries:
        entries.update(token_map)
        if isinstance(entries.get(EXTRA), dict):
            named.update(entries[EXTRA])
    tokens = {name: entries[name] for name in STANDARD if entries.get(name) is not None}
    tokens.update({name: entry for name, entry in entries.items() if _names_token(name) and _text(entry) is not None})
    tokens.update(named)
    return {name: _token(name, entry, place) for name, entry in tokens.items()}


def _names_token(name: str) -> bool:
    return name.endswith("_token") and name not in STANDARD


def _is_settings(name: str, entry: Any) -> bool:
    """Whether an entry of the configuration only looks like a token: there, objects that are tokens say so."""
    return _names_token(name) and isinstance(entry, dict) and entry.get("__type") != "AddedToken"


def _token(name: str, entry: Any, place: str) -> str:
    text = _text(entry)
    if text is None:
        raise SourceError(
            f"{place}: {name} must be text or an object with a text 'content'", hint="null, or no entry, unsets a token"
        )
    return text


def _text(entry: Any) -> str | None:
    """The text of a token written as text or as an object; None for anything else."""
    text = entry.get("content") if isinstance(entry, dict) else entry
    return text if isinstance(text, str) else None
