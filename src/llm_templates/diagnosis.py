"""What a template does to a conversation that its author may not have meant: found by rendering, never guessed.

Rendering itself never converts anything. `diagnose` says what would help, and `repaired` does it, if asked to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import InputError, RaisedError, TemplatesError
from .lowering import normal_message, plain_messages

#: Renders a conversation; everything but the messages is fixed.
Render = Callable[[list[Any]], str]


@dataclass(frozen=True)
class Change:
    """A new value for one key of one message."""

    index: int
    key: str
    value: Any


@dataclass(frozen=True)
class Finding:
    """Something about a conversation under a template that is worth a look.

    >>> str(Finding("role-order", "the template refuses it: 'roles must alternate'", index=1))
    "messages[1]: the template refuses it: 'roles must alternate' (role-order)"
    """

    #: What kind of finding it is: one of the names in `RULES`, or "refused" or "error".
    rule: str
    #: What was found, in one sentence.
    message: str
    #: The index of the message, if it is about one.
    index: int | None = None
    #: The key of the message, if it is about one.
    key: str | None = None
    #: What would help, in one sentence.
    advice: str | None = None
    #: What `repaired` would do.
    change: Change | None = None

    def __str__(self) -> str:
        where = "" if self.index is None else f"messages[{self.index}]" + (f".{self.key}" if self.key else "") + ": "
        advice = f"; {self.advice}" if self.advice else ""
        return f"{where}{self.message}{advice} ({self.rule})"


def diagnose(messages: Any, render: Render) -> list[Finding]:
    """What `render` makes of the conversation that its author may not have meant, in the order of the messages.

    Args:
        messages: a conversation, as `ChatTemplate.render` takes it. Never changed.
        render: renders a list of messages with everything else fixed.
    """
    plain = plain_messages(messages)
    try:
        text = render(plain)
    except RaisedError as refusal:
        return [_refusal(plain, render, refusal), *_apply(plain, render, None)]
    except InputError:
        raise
    except TemplatesError as error:
        repairs = _apply(plain, render, None)
        return repairs or [Finding("error", f"the template fails: {error.message}", advice="see the error of render()")]
    return _apply(plain, render, text)


def repaired(messages: Any, findings: Iterable[Finding]) -> list[Any]:
    """A new conversation with the change of every finding that has one; the findings say what was changed.

    >>> change = Change(0, "content", "Hi")
    >>> repaired([{"role": "user", "content": ["Hi"]}], [Finding("parts", "...", 0, "content", change=change)])
    [{'role': 'user', 'content': 'Hi'}]
    """
    result = [dict(message) for message in plain_messages(messages)]
    for finding in findings:
        if finding.change is not None:
            result[finding.change.index][finding.change.key] = finding.change.value
    return result


def _refusal(messages: list[Any], render: Render, refusal: RaisedError) -> Finding:
    """The template's own refusal, with the first message that brings it about."""
    for count in range(1, len(messages) + 1):
        try:
            render(messages[:count])
        except RaisedError as error:
            if error.message == refusal.message:
                role = messages[count - 1].get("role")
                said = f"with this message ({role!r}) the template refuses the conversation: {refusal.message!r}"
                return Finding("refused", said, count - 1, advice="the model was trained without it")
        except TemplatesError:
            continue
    return Finding("refused", f"the template refuses the conversation: {refusal.message!r}")


def _apply(messages: list[Any], render: Render, text: str | None) -> list[Finding]:
    findings: list[Finding] = []
    for index, message in enumerate(messages):
        normal = normal_message(message)
        explained: set[str | None] = set()
        for rule in RULES.values():
            found = rule(messages, index, normal, render, text)
            # The first rule that explains what became of a key is the most exact one.
            if found is not None and found.key not in explained:
                explained.add(found.key)
                findings.append(found)
    return findings


def _rendered(messages: list[Any], change: Change, render: Render) -> str | None:
    """The text with one change; None where the template fails on it."""
    changed = list(messages)
    changed[change.index] = {**messages[change.index], change.key: change.value}
    try:
        return render(changed)
    except TemplatesError:
        return None


# -- the rules --


def _parts_as_text(
    messages: list[Any], index: int, message: dict[Any, Any], render: Render, text: str | None
) -> Finding | None:
    """Parts that are printed as Python writes a list, or that the template fails on: it wants text."""
    content = message.get("content")
    if not isinstance(content, list) or not content:
        return None
    leaks = text is not None and repr(content) in text
    if text is not None and not leaks:
        return None
    said = "its parts are printed as Python writes a list" if leaks else "the template fails on parts"
    texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
    if len(texts) != len(content) or not all(isinstance(part, str) for part in texts):
        # Nothing that stands for an image can be put into words here.
        return Finding("parts", said, index, "content", "the template takes text only") if leaks else None
    change = Change(index, "content", "\n".join(str(part) for part in texts))
    if not leaks and _rendered(messages, change, render) is None:
        return None
    return Finding("parts", said, index, "content", "give the text itself", change)


def _text_as_parts(
    messages: list[Any], index: int, message: dict[Any, Any], render: Render, text: str | None
) -> Finding | None:
    """Text that does not reach the prompt, though it does as a part: the template wants parts."""
    content = message.get("content")
    if not isinstance(content, str) or not content.strip() or (text is not None and content.strip() in text):
        return None
    change = Change(index, "content", [{"type": "text", "text": content}])
    changed = _rendered(messages, change, render)
    if changed is None or content.strip() not in changed:
        return None
    return Finding("text", "its text reaches the prompt only as a part", index, "content", "give parts", change)


def _arguments_as_text(
    messages: list[Any], index: int, message: dict[Any, Any], render: Render, text: str | None
) -> Finding | None:
    """Tool arguments given as JSON text which the template encodes once more, or fails on."""
    calls = message.get("tool_calls")
    if not isinstance(calls, list):
        return None
    decoded = [_decoded(call) for call in calls]
    if all(new is old for new, old in zip(decoded, calls, strict=True)):
        return None
    change = Change(index, "tool_calls", decoded)
    if text is None:
        said, found = "the template fails on arguments as JSON text", _rendered(messages, change, render) is not None
    else:
        twice = [json.dumps(arguments, ensure_ascii=False) for arguments in map(_arguments, calls) if arguments]
        said, found = "its arguments are JSON text, which the template encodes once more", any(t in text for t in twice)
    return Finding("arguments", said, index, "tool_calls", "give them as an object", change) if found else None


def _arguments(call: Any) -> str | None:
    function = call.get("function", call) if isinstance(call, dict) else None
    arguments = function.get("arguments") if isinstance(function, dict) else None
    return arguments if isinstance(arguments, str) else None


def _decoded(call: Any) -> Any:
    """The call with its arguments as an object, if they are the JSON text of one."""
    arguments = _arguments(call)
    if arguments is None:
        return call
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        return call
    if not isinstance(value, dict):
        return call
    if "function" in call:
        return {**call, "function": {**call["function"], "arguments": value}}
    return {**call, "arguments": value}


def _dropped(
    messages: list[Any], index: int, message: dict[Any, Any], render: Render, text: str | None
) -> Finding | None:
    """Text of a message that is not in the prompt at all."""
    content = message.get("content")
    if text is None or not isinstance(content, str) or not content.strip() or content.strip() in text:
        return None
    lines: Sequence[str] = [line.strip() for line in content.splitlines() if line.strip()]
    if any(line in text for line in lines):
        return None
    role = message.get("role")
    return Finding("dropped", f"its text is not in the prompt; the role is {role!r}", index, "content")


#: Every rule by its name: (messages, index, the message as the template sees it, render, the text or None) -> finding.
RULES: dict[str, Callable[[list[Any], int, dict[Any, Any], Render, str | None], Finding | None]] = {
    "parts": _parts_as_text,
    "text": _text_as_parts,
    "arguments": _arguments_as_text,
    "dropped": _dropped,
}
