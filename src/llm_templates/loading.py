"""`load`: from whatever names a model to its chat template."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from .engine import Limits
from .engine.budget import DEFAULT_LIMITS
from .errors import SourceError
from .sources import DEFAULT, resolve
from .template import ChatTemplate, compile_chat

#: The name of the template that takes over when tools are given.
TOOL_USE = "tool_use"


def load(
    reference: Any,
    revision: str | None = None,
    variant: str | None = None,
    offline: bool = False,
    default: str | None = None,
    *,
    token: str | bool | None = None,
    endpoint: str | None = None,
    now: datetime | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> ChatTemplate:
    """The chat template that `reference` names.

    Args:
        reference: Jinja text, a model's folder or file, a built-in name, a hub id, or an object with `chat_template`.
        revision: the branch, tag or commit of a hub id.
        variant: the name of the template, where a model has several, such as "tool_use" or "rag". If it is not given,
            "tool_use" takes over when tools are rendered, as in the reference.
        offline: look into the hub's cache only.
        default: a built-in name or Jinja text for a model that has no template of its own, such as "chatml".
        token: what shows a private or gated model of the hub; None for the account that is logged in, False for none.
        endpoint: another hub's address.
        now: the time `strftime_now` tells; the time of the render if None.
        limits: what the template may use.

    Raises:
        SourceError: nothing was found, with what a reference can be; or the model has no such template.

    >>> load("chatml").render([{"role": "user", "content": "Hi"}])
    '<|im_start|>user\\nHi<|im_end|>\\n'
    """
    source = resolve(reference, revision=revision, offline=offline, token=token, endpoint=endpoint)
    templates = source.templates
    if not templates:
        if default is None:
            raise SourceError(
                f"{source.name or 'the model'} has no chat template",
                hint="; ".join(filter(None, (source.hint, "or name the built-in format it speaks as default=NAME"))),
            )
        stand_in = resolve(default)
        templates = stand_in.templates
        source = replace(
            source,
            templates=templates,
            special_tokens={**stand_in.special_tokens, **source.special_tokens},
            origin=f"{stand_in.origin}, in place of the model's own",
            family=stand_in.family,
            hint=None,
        )
    wanted = variant or DEFAULT
    if wanted not in templates:
        names = ", ".join(map(repr, sorted(templates)))
        raise SourceError(
            f"{source.name or 'the model'} has no template named {wanted!r}, only {names}",
            hint=f"load it with variant={sorted(templates)[0]!r}, or another of these",
        )

    def make(name: str, with_tools: ChatTemplate | None = None) -> ChatTemplate:
        engine = compile_chat(templates[name], (), limits)
        return ChatTemplate(engine, source, name, now, with_tools)

    takes_over = variant is None and not source.by_processor and TOOL_USE in templates
    return make(wanted, make(TOOL_USE) if takes_over else None)
