"""Formatter: a conversation that names its model, to the model's prompt, in one call."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from .conversation import Conversation
from .errors import InputError
from .loading import load
from .sources import fetch, resolve
from .template import ChatTemplate


class Formatter:
    """Renders conversations; each model's template is loaded once and kept for the formatter's life.

    Args:
        model_name: what to load the template by, instead of the model a conversation names: anything `load` takes.
        use_cache: keep the template that was loaded, and take a model of the hub from the hub's cache on this machine
            if it is there. Without it, every render loads the template again, and asks the hub.
        clear_cache_on_create: trust nothing that is in the hub's cache now: the first time, each model is asked for
            again. The files themselves are shared with other programs and stay.
        huggingface_api_key: the token that shows private and gated models of the hub; None for the one logged in.
        revision: the branch, tag or commit of a model of the hub.
        offline: look for a model of the hub in its cache only.
        default: a built-in name or Jinja text for models that have no template, such as "chatml".

    >>> from llm_templates import Content, Conversation
    >>> conversation = Conversation(model="zephyr", messages=[Content(role="user", content="Hello!")])
    >>> print(Formatter().render(conversation, add_assistant_prompt=True))
    <|user|>
    Hello!</s>
    <|assistant|>
    <BLANKLINE>
    """

    def __init__(
        self,
        model_name: str | None = None,
        use_cache: bool = True,
        clear_cache_on_create: bool = False,
        huggingface_api_key: str | None = None,
        *,
        revision: str | None = None,
        offline: bool = False,
        default: str | None = None,
    ) -> None:
        self.model_name = model_name
        self.use_cache = use_cache
        self.huggingface_api_key = huggingface_api_key
        self._distrusts_cache = clear_cache_on_create
        self._revision = revision
        self._offline = offline
        self._default = default
        self._templates: dict[tuple[str, str | None], ChatTemplate] = {}

    def render(
        self,
        conversation: Conversation,
        add_assistant_prompt: bool = False,
        template_name: str | None = None,
        *,
        tools: Sequence[Any] | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> str:
        """The prompt of a conversation.

        Args:
            conversation: the messages, with the model's name unless the formatter has one. Never changed.
            add_assistant_prompt: end with what makes the model answer.
            template_name: which of a model's named templates, such as "tool_use" or "rag".
            tools: tool schemas.
            variables: what else the template may read.

        Raises:
            InputError: no model is named, or the conversation is none.
            SourceError: the model's name gives no template, or it has none of that name.
            TemplatesError: the template refuses the conversation, or fails.

        >>> Formatter("chatml").render(Conversation(messages=[{"role": "user", "content": "Hello!"}]))
        '<|im_start|>user\\nHello!<|im_end|>\\n'
        """
        if not hasattr(conversation, "messages"):
            raise InputError(
                f"render takes a Conversation, not {type(conversation).__name__}",
                hint="Conversation(model=..., messages=[...]); for messages alone: load(model).render(messages)",
            )
        template = self._template(self.model_name or getattr(conversation, "model", None), template_name)
        return template.render(
            conversation, tools=tools, add_generation_prompt=add_assistant_prompt, variables=variables
        )

    def _template(self, model: str | None, name: str | None) -> ChatTemplate:
        if not model:
            raise InputError(
                "Model name is required", hint="give the Conversation a model or the Formatter a model_name"
            )
        template = self._templates.get((model, name)) if self.use_cache else None
        if template is None:
            self._reach(model)
            template = load(model, self._revision, name, self._offline, self._default)
            self._templates[model, name] = template
        return template

    def _reach(self, model: str) -> None:
        """See to it that a model of the hub is in the hub's cache as this formatter was told to have it."""
        from .sources import hub

        if self._offline or hub.split_id(model) is None or os.path.exists(model):
            return
        seen = any(model == name for name, _ in self._templates)
        if not self.use_cache or (self._distrusts_cache and not seen):
            fetch(model, revision=self._revision, token=self.huggingface_api_key)
        elif self.huggingface_api_key is not None:
            resolve(model, revision=self._revision, token=self.huggingface_api_key)
