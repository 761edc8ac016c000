"""A reference that is an object with a chat template: a tokenizer or processor that is already loaded."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .content import named_templates, without_blank
from .source import Access, TemplateSource


def read(reference: Any, access: Access) -> TemplateSource | None:
    """The templates and special tokens an object has; None for one without an attribute `chat_template`."""
    if isinstance(reference, str | os.PathLike) or not hasattr(reference, "chat_template"):
        return None
    kind = type(reference).__name__
    content = reference.chat_template
    place = f"the {kind}'s chat_template"
    # A processor has no tokens of its own: its templates are given those of the tokenizer inside.
    is_processor = not hasattr(reference, "special_tokens_map") and hasattr(reference, "tokenizer")
    tokenizer = reference.tokenizer if is_processor else reference
    templates = {} if content is None else without_blank(named_templates(content, place), place)
    hint = f"set {place}"
    if is_processor and getattr(tokenizer, "chat_template", None):
        hint = "its tokenizer has one: load that"
    name = getattr(tokenizer, "name_or_path", None)
    return TemplateSource(
        templates,
        _tokens(tokenizer),
        name if isinstance(name, str) and name else kind,
        f"the {kind} object",
        by_processor=is_processor,
        hint=None if templates else hint,
    )


def _tokens(tokenizer: Any) -> dict[str, str]:
    """The named special tokens; lists there are of tokens without names."""
    tokens = getattr(tokenizer, "special_tokens_map", None)
    if not isinstance(tokens, Mapping):
        return {}
    named = {str(name): getattr(token, "content", token) for name, token in tokens.items()}
    return {name: token for name, token in named.items() if isinstance(token, str)}
