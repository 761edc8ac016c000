"""Every exception the library raises, in one tree.

    TemplatesError                      everything below; carries message, line, excerpt, hint
    ├── TemplateSyntaxError             the template cannot be parsed or compiled      (also jinja2's)
    ├── TemplateRuntimeError            the template failed while it ran               (also jinja2's)
    │   ├── UndefinedError              an undefined value was used                    (also jinja2's)
    │   └── SecurityError               the template asked for what is refused         (also jinja2's)
    ├── RaisedError                     the template's own raise_exception             (also jinja2.TemplateError)
    ├── BudgetError                     source, steps, bytes, depth: a limit was met
    ├── InputError                      the conversation or an option is wrong         (also ValueError)
    │   └── VariableError               a template variable that the template never reads, or a reserved name
    ├── SourceError                     a model, folder or file gives no template      (also LookupError)
    ├── BackendError                    an engine refused, failed or broke off; carries partial, status, messages
    │   └── BackendTimeoutError         it was silent for too long                     (also TimeoutError)
    └── MissingExtraError               an optional dependency is not installed        (also ImportError)

and one warning, FallbackWarning, for what is used in place of what was asked for.

`error.message` is the raw text. `str(error)` starts with it, adds the template line with a caret and a hint where there
are any, and never exceeds 4 KiB.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jinja2
from jinja2.exceptions import SecurityError as JinjaSecurityError

#: The longest text `str(error)` gives, in UTF-8 bytes.
TEXT_LIMIT = 4096


class TemplatesError(Exception):
    """The base of every error this library raises on purpose.

    Args:
        message: what went wrong, in one sentence.
        line: the template line it happened at (1-based), when there is one.
        excerpt: that line with a caret below it, ready to print.
        hint: the way out, in one sentence.
    """

    message: str
    line: int | None
    excerpt: str | None
    hint: str | None

    def __init__(
        self, message: str = "", *, line: int | None = None, excerpt: str | None = None, hint: str | None = None
    ) -> None:
        Exception.__init__(self, message)
        self.message = message  # type: ignore[misc,unused-ignore]  # jinja2's class has a property of this name
        self.line = line
        self.excerpt = excerpt
        self.hint = hint

    def __str__(self) -> str:
        rest = ""
        if self.excerpt:
            rest += f"\n{_visible(_bounded(self.excerpt, TEXT_LIMIT // 4))}"
        if self.hint:
            rest += f"\n{_visible(_bounded(self.hint, TEXT_LIMIT // 4))}"
        room = TEXT_LIMIT - _size(rest)
        return _bounded(_visible(self.message[:TEXT_LIMIT]), room) + rest

    def __reduce__(self) -> tuple[Any, ...]:
        made_of = (type(self), self.message, self.line, self.excerpt, self.hint)
        # Where it happened, as those who passed it on have noted.
        notes = getattr(self, "__notes__", None)
        return _rebuild, made_of, {"__notes__": notes} if notes else None


def _rebuild(
    kind: type[TemplatesError], message: str, line: int | None, excerpt: str | None, hint: str | None
) -> TemplatesError:
    return kind(message, line=line, excerpt=excerpt, hint=hint)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _bounded(text: str, limit: int) -> str:
    """`text`, or its beginning and an ellipsis, in at most `limit` UTF-8 bytes."""
    data = text.encode("utf-8", "surrogatepass")
    if len(data) <= limit:
        return text
    return data[: limit - 3].decode("utf-8", "ignore") + "…"


#: Control characters an error text shows as escapes, so that a template's message cannot drive a terminal.
_CONTROLS = {code: f"\\x{code:02x}" for code in [*range(0x20), *range(0x7F, 0xA0)] if chr(code) not in "\n\t"}


def _visible(text: str) -> str:
    return text.translate(_CONTROLS)


class TemplateSyntaxError(TemplatesError, jinja2.TemplateSyntaxError):
    """The template cannot be parsed, or uses what the language does not have."""

    def __init__(
        self, message: str = "", *, line: int | None = None, excerpt: str | None = None, hint: str | None = None
    ) -> None:
        TemplatesError.__init__(self, message, line=line, excerpt=excerpt, hint=hint)
        # What jinja2's own handlers read.
        self.lineno = line or 1
        self.name = self.filename = self.source = None
        self.translated = True

    message = ""
    __str__ = TemplatesError.__str__
    __reduce__ = TemplatesError.__reduce__


class TemplateRuntimeError(TemplatesError, jinja2.TemplateRuntimeError):
    """The template failed while it ran: a type it cannot use, a name that does not exist, a division by zero."""

    message = ""


class UndefinedError(TemplateRuntimeError, jinja2.UndefinedError):
    """The template used an undefined value where it needs one."""

    message = ""


class SecurityError(TemplateRuntimeError, JinjaSecurityError):
    """The template asked for something that no prompt needs and that is refused."""

    message = ""


class RaisedError(TemplatesError, jinja2.TemplateError):
    """The template itself refused the conversation with `raise_exception`; `message` is what it said."""

    message = ""


class BudgetError(TemplatesError):
    """The template needs more than its budget: source size, nesting, steps, bytes, depth or output."""


class InputError(TemplatesError, ValueError):
    """The conversation, a tool, a document or an option cannot be used as it is."""


class VariableError(InputError):
    """A template variable that the template never reads, or whose name is reserved."""


class SourceError(TemplatesError, LookupError):
    """A reference (name, path, text, object) from which no chat template could be loaded."""


class MissingExtraError(TemplatesError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""


class BackendError(TemplatesError):
    """An engine cannot be reached, refused the prompt, failed, or broke off.

    Args:
        message: what went wrong, in one sentence.
        partial: the output that had arrived, as the model wrote it.
        status: the HTTP status of the answer, if there was one.
        hint: the way out, in one sentence.
        messages: what was whole before: calls that were made, and their results. `Chat` says it.
    """

    partial: str
    status: int | None
    messages: list[dict[str, Any]]

    def __init__(
        self,
        message: str = "",
        *,
        partial: str = "",
        status: int | None = None,
        hint: str | None = None,
        messages: Iterable[dict[str, Any]] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.partial = partial
        self.status = status
        self.messages = list(messages)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_backend, (type(self), self.message, self.partial, self.status, self.hint, self.messages)


class BackendTimeoutError(BackendError, TimeoutError):
    """An engine said nothing for longer than it may."""


def _rebuild_backend(
    kind: type[BackendError],
    message: str,
    partial: str,
    status: int | None,
    hint: str | None,
    messages: list[dict[str, Any]],
) -> BackendError:
    return kind(message, partial=partial, status=status, hint=hint, messages=messages)


class FallbackWarning(UserWarning):
    """Something stood in for what was asked for: a built-in family for a model that is not on this machine."""
