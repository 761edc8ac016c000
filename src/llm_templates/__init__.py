"""The exact prompt a chat model was trained on, from any chat template."""

from typing import TYPE_CHECKING, Any

from .conversation import Content, Conversation
from .diagnosis import Finding, repaired
from .errors import (
    BudgetError,
    FallbackWarning,
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
from .history import format_chat_history
from .loading import load
from .template import ChatTemplate

if TYPE_CHECKING:
    from .schema import tool_schema

__all__ = [
    "BudgetError",
    "ChatTemplate",
    "Content",
    "Conversation",
    "FallbackWarning",
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
    "format_chat_history",
    "load",
    "repaired",
    "tool_schema",
]


def __getattr__(name: str) -> Any:
    # Read when asked for: each of them costs an import that most programs never need.
    if name == "__version__":
        from importlib.metadata import version

        return version("llm-templates")
    if name == "tool_schema":
        from .schema import tool_schema

        return tool_schema
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
