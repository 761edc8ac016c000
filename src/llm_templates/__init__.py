"""The exact prompt a chat model was trained on, from any chat template."""

from typing import Any

from .conversation import Content, Conversation
from .diagnosis import Finding, repaired
from .errors import (
    BudgetError,
    InputError,
    MissingExtraError,
    RaisedError,
    SecurityError,
    SourceError,
    TemplateRuntimeError,
    TemplatesError,
    TemplateSyntaxError,
    UndefinedError,
    VariableError,
)
from .formatter import Formatter
from .template import ChatTemplate, load

__all__ = [
    "BudgetError",
    "ChatTemplate",
    "Content",
    "Conversation",
    "Finding",
    "Formatter",
    "InputError",
    "MissingExtraError",
    "RaisedError",
    "SecurityError",
    "SourceError",
    "TemplateRuntimeError",
    "TemplateSyntaxError",
    "TemplatesError",
    "UndefinedError",
    "VariableError",
    "load",
    "repaired",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        # Read when asked for: importlib.metadata costs more than the rest of the import.
        from importlib.metadata import version

        return version("llm-templates")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
