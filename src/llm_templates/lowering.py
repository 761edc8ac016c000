"""Any message object to plain data, as `tokenizer.apply_chat_template` treats it, read when the template reads it."""

from __future__ import annotations

from typing import Any

from .engine import Border, Run, Scale
from .errors import InputError

#: The names a message's reasoning comes under. The first is the one templates read most; the reference fills it, and
#: `thinking`, from whichever is there.
REASONING_KEYS = ("reasoning_content", "thinking", "reasoning")
WATCHED = frozenset(REASONING_KEYS)


def normal_message(message: dict[Any, Any]) -> dict[Any, Any]:
    """`message` without the keys whose value is None, its reasoning under the names the reference gives it.

    >>> normal_message({"role": "assistant", "content": None, "reasoning": "Hm."})
    {'thinking': 'Hm.', 'role': 'assistant', 'reasoning': 'Hm.', 'reasoning_content': 'Hm.'}
    """
    kept = {key: value for key, value in message.items() if value is not None}
    for key in REASONING_KEYS:
        if key in kept:
            return {"thinking": kept[key], **kept, "reasoning_content": kept[key]}
    return kept


class ChatRun(Run):
    """The run of a conversation; `inputs` are its messages, tools, documents and variables."""

    watched = WATCHED

    def make_border(self) -> Border:
        return ChatBorder(self.inputs[0])

    def scale(self) -> Scale:
        return scale_of(*self.inputs)


class ChatBorder(Border):
    """The border of a conversation: a message read whole is normalised, and none is copied before."""

    def __init__(self, messages: list[Any]) -> None:
        super().__init__()
        self._messages = messages
        self._normal: dict[int, dict[Any, Any]] | None = None

    def whole(self, mapping: dict[Any, Any]) -> dict[Any, Any]:
        if self._normal is None:
            self._normal = {
                id(message): normal_message(message) for message in self._messages if _is_rewritten(message)
            }
        return self._normal.get(id(mapping), mapping)

    def rewrites(self) -> bool:
        if self._normal is None:
            self.whole({})
        return bool(self._normal)


def _is_rewritten(message: dict[Any, Any]) -> bool:
    # By type, not by comparison with None: what a caller's `__eq__` does is not our business.
    return type(None) in map(type, message.values()) or not WATCHED.isdisjoint(message)


def plain_messages(conversation: Any) -> list[Any]:
    """The conversation as a list of dicts: the caller's own list and dicts where they are that already.

    Raises:
        InputError: it is no conversation, with the index of the message that is not.
    """
    held = getattr(conversation, "messages", None)
    given = held if isinstance(held, list | tuple) else conversation
    if not isinstance(given, list | tuple):
        raise InputError(
            f"a conversation is a list of messages, not {type(conversation).__name__}",
            hint='pass [{"role": "user", "content": "..."}]',
        )
    if not given:
        raise InputError("the conversation is empty", hint="pass at least one message")
    messages: list[Any] = given if type(given) is list else list(given)
    if all(type(message) is dict for message in messages):
        return messages
    return [_plain_message(message, index) for index, message in enumerate(messages)]


def _plain_message(message: Any, index: int) -> dict[Any, Any]:
    if type(message) is dict:
        return message
    own = getattr(message, "as_message", None)
    if callable(own):
        return dict(own())
    if isinstance(message, list | tuple):
        raise InputError(
            f"message {index} is a {type(message).__name__}: one conversation is rendered at a time",
            hint="render each conversation of a batch by itself",
        )
    lowered = Border().lower(message)
    if type(lowered) is not dict:
        raise InputError(
            f"message {index} is a {type(message).__name__}, not a mapping, a dataclass or a model",
            hint='a message looks like {"role": "user", "content": "..."}',
        )
    return lowered


def with_image_parts(messages: list[Any]) -> list[Any]:
    """The messages as a processor hands them on: each `image_url` part an `image` part with its `url`.

    >>> part = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}
    >>> with_image_parts([{"role": "user", "content": [part]}])
    [{'role': 'user', 'content': [{'type': 'image', 'url': 'https://example.org/cat.png'}]}]
    """
    return [_with_image_parts(message) for message in messages]


def _with_image_parts(message: dict[Any, Any]) -> dict[Any, Any]:
    parts = message.get("content")
    if not isinstance(parts, list) or not any(map(_names_image, parts)):
        return message
    return {**message, "content": [_image_part(part) if _names_image(part) else part for part in parts]}


def _names_image(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "image_url" and "image_url" in part


def _image_part(part: dict[Any, Any]) -> dict[str, Any]:
    image = part["image_url"]
    return {"type": "image", "url": image.get("url", "") if isinstance(image, dict) else image}


def scale_of(messages: list[Any], *others: Any) -> Scale:
    """How large the input is, counted without recursion over what JSON is made of."""
    nodes = size = 0
    stack: list[Any] = [messages, *others]
    while stack:
        value = stack.pop()
        nodes += 1
        if isinstance(value, str):
            size += len(value) if value.isascii() else 4 * len(value)
        elif isinstance(value, dict):
            stack.extend(value.values())
            size += sum(len(key) for key in value if isinstance(key, str))
        elif isinstance(value, list | tuple):
            stack.extend(value)
    return Scale(messages=len(messages), nodes=nodes, bytes=size)
