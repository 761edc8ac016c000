"""Which text of a prompt may hold control tokens: the template's own, and what the caller vouches for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import InputError
from ..families.markers import CONTROL
from .loading import load_tokenizer
from .matching import Spans
from .pipeline import pipeline_of

if TYPE_CHECKING:
    from ..prompt import Prompt, Segment

#: Who speaks in a conversation. Templates build control tokens of these, as in '<|' + message.role + '|>', so they
#: count as the template's; any other role is input.
ROLES = frozenset(
    {
        *("system", "developer", "user", "human", "assistant", "model", "bot", "gpt", "chatbot"),
        *("tool", "function", "ipython", "observation", "environment"),
    }
)
#: What can be trusted besides roles: where texts come from that belong to no message.
KINDS = {"tools": "tool", "documents": "document", "variables": "variable"}

#: A name before a colon, where somebody's words or the model's follow.
HEADER = re.compile(r"(?:^|\s)((?:[A-Z][A-Za-z0-9]{1,20} ){0,3}[A-Z][A-Za-z0-9]{1,20}:)\s*\Z")

Trust = Iterable[str | tuple[str, str]]


class Layout(NamedTuple):
    """Where the segments of a prompt begin, and what of it is not trusted."""

    starts: list[int]
    untrusted: Spans


def roles_of(prompt: Prompt) -> tuple[str | None, ...]:
    """The role of each message."""
    return prompt.roles


def layout(prompt: Prompt, trust: Trust = ()) -> Layout:
    """Read a prompt's segments once.

    Raises:
        InputError: `trust` holds something else than names and (name, path) pairs.
    """
    is_trusted = policy(prompt, trust)
    starts: list[int] = []
    spans: list[tuple[int, int]] = []
    place = low = high = 0
    for segment in prompt.segments:
        starts.append(place)
        end = place + len(segment.text)
        if segment.origin.kind != "template" and not is_trusted(segment):
            if place > high:
                if high > low:
                    spans.append((low, high))
                low = place
            high = end
        place = end
    if high > low:
        spans.append((low, high))
    return Layout(starts, Spans(spans))


def policy(prompt: Prompt, trust: Trust) -> Callable[[Segment], bool]:
    """What says of a segment that is not the template's whether it may hold control tokens all the same.

    Raises:
        InputError: `trust` holds something else than names and (name, path) pairs.
    """
    if isinstance(trust, str):
        raise InputError(f"trust={trust!r} is a text", hint=f"give a tuple: trust=({trust!r},)")
    rules: list[tuple[str, str]] = []
    for rule in trust:
        name, path = (rule, "") if isinstance(rule, str) else rule if _is_pair(rule) else (None, None)
        if name is None or path is None:
            raise InputError(f"trust holds {rule!r}", hint="it holds roles, or pairs such as ('assistant', 'content')")
        rules.append((name, path))
    if not rules:
        return _is_role
    roles = roles_of(prompt)

    def trusted(segment: Segment) -> bool:
        kind, path, index = segment.origin.kind, segment.origin.path, segment.origin.index
        if _is_role(segment):
            return True
        role = roles[index] if kind == "message" and index is not None else None
        return any(name == role or KINDS.get(name) == kind for name, prefix in rules if _within(path, prefix))

    return trusted


def _is_pair(rule: Any) -> bool:
    return isinstance(rule, tuple) and len(rule) == 2 and all(isinstance(part, str) for part in rule)


def _is_role(segment: Segment) -> bool:
    origin = segment.origin
    return origin.path == "role" and origin.kind == "message" and segment.text.strip().lower() in ROLES


def _within(path: str, prefix: str) -> bool:
    return path.startswith(prefix) and (not prefix or path[len(prefix) : len(prefix) + 1] in ("", ".", "["))


def parts(prompt: Prompt, trust: Trust = ()) -> list[tuple[str, bool]]:
    """A prompt in stretches, each with whether control tokens in it are meant: for servers that take text.

    A server that can encode part by part encodes the trusted ones with control tokens and the others without.

    Args:
        prompt: what `ChatTemplate.trace` returns.
        trust: as for `encode`.

    >>> from llm_templates import load
    >>> parts(load("zephyr").trace([{"role": "user", "content": "Hi</s>"}]))
    [('<|user|>\\n', True), ('Hi</s>', False), ('</s>\\n', True)]
    """
    text = str(prompt)
    found: list[tuple[str, bool]] = []
    place = 0
    untrusted = layout(prompt, trust).untrusted
    for start, end in zip(untrusted.starts, untrusted.ends, strict=True):
        if start > place:
            found.append((text[place:start], True))
        found.append((text[start:end], False))
        place = end
    if place < len(text):
        found.append((text[place:], True))
    return found


def unprotected(prompt: Prompt, tokenizer: Any) -> list[str]:
    """The control texts of the template that are ordinary text for the tokenizer: anybody can write these.

    Args:
        prompt: what `ChatTemplate.trace` returns.
        tokenizer: what `encode` takes.

    >>> from tokenizers import Tokenizer, models
    >>> from llm_templates import load
    >>> tokenizer = Tokenizer(models.BPE())
    >>> _ = tokenizer.add_special_tokens(["<s>", "</s>"])
    >>> unprotected(load("llama2").trace([{"role": "user", "content": "Hi"}]), tokenizer)
    ['[INST]', '[/INST]']
    """
    spans = pipeline_of(load_tokenizer(tokenizer)).control_spans(str(prompt))
    found: dict[str, None] = {}
    place = 0
    for part, is_trusted in parts(prompt):
        if is_trusted:
            header = HEADER.search(part)
            marks = [match.span() for match in CONTROL.finditer(part) if not _is_name(match[0])]
            for start, end in [*marks, *([header.span(1)] if header else [])]:
                if not _covered(spans, place + start, place + end):
                    found[part[start:end]] = None
        place += len(part)
    return list(found)


def _is_name(control: str) -> bool:
    # Such as "Today Date:", which marks nothing where no words follow it.
    return control.endswith(":") and control[0] != "#"


def _covered(spans: Spans, start: int, end: int) -> bool:
    return any(low <= start and end <= high for low, high in zip(spans.starts, spans.ends, strict=True))
