"""The exact prompt a chat model was trained on, from any chat template."""

from typing import TYPE_CHECKING, Any

from .conversation import Content, Conversation
from .diagnosis import Finding, repaired
from .errors import (
    BackendError,
    BackendTimeoutError,
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
    from .batch import Batch
    from .fitting import fit
    from .grammar.grammar import Grammar
    from .grammar.parser import Parser
    from .grammar.reading import Transcript
    from .integrations.chat import Chat
    from .masking import Training
    from .records import convert
    from .schema import tool_schema
    from .tokens.session import Session

__all__ = [
    "BackendError",
    "BackendTimeoutError",
    "Batch",
    "BudgetError",
    "Chat",
    "ChatTemplate",
    "Content",
    "Conversation",
    "FallbackWarning",
    "Finding",
    "Formatter",
    "Grammar",
    "InputError",
    "MissingExtraError",
    "Parser",
    "RaisedError",
    "SecurityError",
    "Session",
    "SourceError",
    "TemplateRuntimeError",
    "TemplateSyntaxError",
    "TemplatesError",
    "Training",
    "Transcript",
    "UndefinedError",
    "VariableError",
    "convert",
    "fit",
    "format_chat_history",
    "load",
    "repaired",
    "tool_schema",
]


#: What is read when it is asked for: each of these costs an import that most programs never need.
_LATER = {
    "Batch": "batch",
    "Chat": "integrations.chat",
    "Grammar": "grammar.grammar",
    "Parser": "grammar.parser",
    "Session": "tokens.session",
    "Training": "masking",
    "Transcript": "grammar.reading",
    "convert": "records",
    "fit": "fitting",
    "tool_schema": "schema",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("llm-templates")
    if name in _LATER:
        from importlib import import_module

        return getattr(import_module(f".{_LATER[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
