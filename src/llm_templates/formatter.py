"""Formatter: a conversation that names its model, to the model's prompt, in one call."""

from __future__ import annotations

from .conversation import Conversation
from .errors import InputError
from .template import ChatTemplate, load


class Formatter:
    """Renders conversations; each model's template is loaded once and kept for the formatter's life.

    Args:
        model_name: what to load the template by, instead of the model a conversation names: anything `load` takes.

    >>> from llm_templates import Content, Conversation
    >>> conversation = Conversation(model="zephyr", messages=[Content(role="user", content="Hello!")])
    >>> print(Formatter().render(conversation, add_assistant_prompt=True))
    <|user|>
    Hello!</s>
    <|assistant|>
    <BLANKLINE>
    """

    def __init__(self, model_name: str | None = None) -> None:
        self.model_name = model_name
        self._templates: dict[str, ChatTemplate] = {}

    def render(
        self, conversation: Conversation, add_assistant_prompt: bool = False, template_name: str | None = None
    ) -> str:
        """The prompt of a conversation.

        Args:
            conversation: the messages, with the model's name unless the formatter has one.
            add_assistant_prompt: end with what makes the model answer.
            template_name: which of a model's named templates; only `default` can be chosen.

        Raises:
            InputError: no model is named, or the template name is another one.
            SourceError: the model's name gives no template.
            TemplatesError: the template refuses the conversation, or fails.

        >>> Formatter("chatml").render(Conversation(messages=[{"role": "user", "content": "Hello!"}]))
        '<|im_start|>user\\nHello!<|im_end|>\\n'
        """
        if template_name not in (None, "default"):
            raise InputError(f"there is no template named {template_name!r}: only 'default' can be chosen")
        template = self._template(self.model_name or conversation.model)
        return template.render(conversation, add_generation_prompt=add_assistant_prompt)

    def _template(self, model: str | None) -> ChatTemplate:
        if not model:
            raise InputError(
                "Model name is required", hint="give the Conversation a model or the Formatter a model_name"
            )
        if model not in self._templates:
            self._templates[model] = load(model)
        return self._templates[model]
