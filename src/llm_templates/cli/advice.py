"""What helps when a template fails on a conversation, and what a user should know when it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..diagnosis import Finding
from ..errors import BudgetError, InputError, RaisedError, TemplatesError, TemplateSyntaxError
from ..template import ChatTemplate
from .reading import found
from .variables import lines_of_names

#: A template that refuses this, too, does not refuse the roles of the conversation.
PLAINEST = ({"role": "user", "content": "Hello!"},)


def advise(error: TemplatesError, template: ChatTemplate, messages: Sequence[Any], **options: Any) -> None:
    """Give `error`, which rendering `messages` with `options` ended in, a hint about them, unless it has one."""
    if error.hint is not None or isinstance(error, InputError | BudgetError | TemplateSyntaxError):
        return
    if not all(isinstance(message, dict) for message in messages):
        return
    findings = _findings(template, messages, options)
    for finding in findings:
        if finding.change is not None:
            error.hint = f"messages[{finding.index}].{finding.key}: {finding.message}; {finding.advice}"
            return
    if isinstance(error, RaisedError):
        if not _refuses(template, PLAINEST, options, error.message):
            error.hint = _about_role(messages, next((finding.index for finding in findings), None))
    else:
        error.hint = _about_content(messages)


def remarks(template: ChatTemplate, text: str, messages: Sequence[Any], **options: Any) -> list[str]:
    """What of the input did not reach the prompt, or not as it was meant; `text` is the template that made it."""
    read = lines_of_names(text)
    ignored = [name for name in ("tools", "documents") if options.get(name) and name not in read]
    found = _findings(template, messages, options)
    return [*(f"the template does not read {name}: the prompt is without them" for name in ignored), *map(str, found)]


def _findings(template: ChatTemplate, messages: Sequence[Any], options: Mapping[str, Any]) -> list[Finding]:
    try:
        return template.diagnose(messages, **options)
    except TemplatesError:  # rendering itself tells what is wrong
        return []


def _refuses(template: ChatTemplate, messages: Sequence[Any], options: Mapping[str, Any], words: str) -> bool:
    try:
        template.render(messages, **options)
    except RaisedError as error:
        return error.message == words
    except TemplatesError:
        pass
    return False


def _about_role(messages: Sequence[Any], index: int | None) -> str:
    """What is unusual about the role of the message at `index`, with which the refusal begins."""
    roles = [str(message.get("role")) for message in messages]
    if index is None:
        return f"the roles are {', '.join(roles[:20])}{', ...' if len(roles) > 20 else ''}"
    role = roles[index]
    if role == "system":
        return f"messages[{index}] is a system message; its text can begin the first user message instead"
    if index and role == roles[index - 1]:
        return f"messages[{index}] has the role {role!r}, and so has the one before it"
    if index == 0:
        return f"messages[0] has the role {role!r}; most models want the user to begin"
    return f"it is messages[{index}], of the role {role!r}, that is refused"


def _about_content(messages: Sequence[Any]) -> str | None:
    """The first message that has no role, or whose content is not there or not text."""
    for index, message in enumerate(messages):
        place = f"messages[{index}]"
        keys = f"only {', '.join(map(repr, message))}" if message else "it is empty"
        if "role" not in message:
            return f"{place} has no 'role', {keys}; the usual roles are system, user, assistant and tool"
        content = message.get("content")
        if content is None and not message.get("tool_calls"):
            return f"{place} has 'content': null" if "content" in message else f"{place} has no 'content', {keys}"
        if content is not None and not isinstance(content, str):
            return f"{place}.content is {found(content)}, where most templates want text"
    return None


def advise_on_model(error: TemplatesError) -> None:
    """Give `error`, which loading a model ended in, a hint about a template that is not whole, unless it has one."""
    if isinstance(error, TemplateSyntaxError) and "unexpected end of template" in error.message.lower():
        error.hint = error.hint or "the template ends in the middle: was its file cut short?"
