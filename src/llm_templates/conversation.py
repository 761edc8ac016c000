"""The values a conversation is made of: `Content`, one message, and `Conversation`, a model's name with messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .errors import InputError

_ABSENT: Any = object()


class Content:
    """One message: who speaks, what is said, and any other fields a template may read.

    Fields are kept as they were given and in their order; one that was not given is not there at all, because templates
    ask whether a key exists.

    Args:
        role: who speaks, such as `system`, `user`, `assistant` or `tool`.
        content: the text, a list of parts, or None; leave it out for a message without content.
        fields: anything else, such as `tool_calls`, `reasoning_content` or `name`.

    Raises:
        InputError: the role is not text.

    >>> message = Content(role="user", content="Hello!", name="Ada")
    >>> message.role, message.content, message.name
    ('user', 'Hello!', 'Ada')
    >>> message.as_message()
    {'role': 'user', 'content': 'Hello!', 'name': 'Ada'}
    """

    __slots__ = ("_fields",)

    _fields: dict[str, Any]

    def __init__(self, /, role: str, content: Any = _ABSENT, **fields: Any) -> None:
        given = {"role": role} if content is _ABSENT else {"role": role, "content": content}
        self._fields = _checked({**given, **fields}, "the message")

    @classmethod
    def from_message(cls, message: Mapping[str, Any], place: str = "the message") -> Content:
        """The same message as a `Content`; the mapping is copied, never changed.

        Args:
            message: a mapping with at least a `role`.
            place: what an error calls the message, such as `messages[2]`.

        Raises:
            InputError: it has no role, or a key that is not text.

        >>> Content.from_message({"role": "user", "content": "Hello!"})
        Content(role='user', content='Hello!')
        """
        made = cls.__new__(cls)
        made._fields = _checked(dict(message), place)
        return made

    @property
    def role(self) -> str:
        """Who speaks."""
        return str(self._fields["role"])

    @property
    def content(self) -> Any:
        """What is said; None when the message has no content."""
        return self._fields.get("content")

    def as_message(self) -> dict[str, Any]:
        """The message as the plain mapping a template reads; a new one each time."""
        return dict(self._fields)

    def __getattr__(self, name: str) -> Any:
        # Asked only for what the class itself does not have, so that a field never hides a method.
        fields = object.__getattribute__(self, "_fields")
        try:
            return fields[name]
        except KeyError:
            raise AttributeError(f"the message has no field {name!r}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Content) and self._fields == other._fields

    __hash__ = None  # type: ignore[assignment]  # a part list cannot be hashed

    def __repr__(self) -> str:
        return f"Content({', '.join(f'{name}={value!r}' for name, value in self._fields.items())})"


class Conversation:
    """A model's name and the messages exchanged with it.

    Args:
        model: what to load the template by; may be left out where the formatter names the model.
        messages: `Content` objects or message mappings. The list is copied; a mapping becomes a `Content`.

    Raises:
        InputError: a message is neither of these or has no role; the error says which one.

    >>> conversation = Conversation(model="zephyr", messages=[{"role": "user", "content": "Hello!"}])
    >>> conversation.messages[0].role
    'user'
    """

    __slots__ = ("messages", "model")

    model: str | None
    messages: list[Content]

    def __init__(self, model: str | None = None, messages: Iterable[Content | Mapping[str, Any]] = ()) -> None:
        if isinstance(messages, str | bytes | Mapping) or not isinstance(messages, Iterable):
            raise InputError(
                f"messages must be a list of messages, not {type(messages).__name__}",
                hint='a conversation of one message: [{"role": "user", "content": "Hello!"}]',
            )
        self.model = model
        self.messages = [_as_content(message, f"messages[{index}]") for index, message in enumerate(messages)]

    def append_prompt(
        self, role: str | None = None, message: Any = None, content: Content | Mapping[str, Any] | None = None
    ) -> Conversation:
        """Add a message at the end, `content` or one of `role` and `message`, and return the conversation.

        Raises:
            InputError: neither is given.

        >>> Conversation("zephyr").append_prompt("user", "Hello!").append_prompt("assistant", "Hi.").messages[-1].role
        'assistant'
        """
        if content is None and role is None:
            raise InputError(
                "append_prompt needs a role and a message, or content=Content(...)",
                hint='conversation.append_prompt(role="user", message="Hello!")',
            )
        added = Content(role=role, content=message) if content is None and role is not None else content
        self.messages.append(_as_content(added, "content"))
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Conversation) and (self.model, self.messages) == (other.model, other.messages)

    __hash__ = None  # type: ignore[assignment]  # messages may be appended

    def __repr__(self) -> str:
        return f"Conversation(model={self.model!r}, messages={self.messages!r})"


def _as_content(message: Content | Mapping[str, Any] | None, place: str) -> Content:
    if isinstance(message, Content):
        return message
    if isinstance(message, Mapping):
        return Content.from_message(message, place)
    raise InputError(
        f"{place} must be a Content or a mapping, not {type(message).__name__}",
        hint='a message is Content(role="user", content="Hello!") or {"role": "user", "content": "Hello!"}',
    )


def _checked(fields: dict[str, Any], place: str) -> dict[str, Any]:
    """`fields`, after making sure that they can be a message."""
    for name in fields:
        if not isinstance(name, str):
            raise InputError(f"{place} has a key that is not text: {name!r}")
    if "role" not in fields:
        raise InputError(f"{place} has no role", hint="the usual roles are system, user, assistant and tool")
    if not isinstance(fields["role"], str):
        raise InputError(f"{place}: the role must be text, not {type(fields['role']).__name__}")
    return fields
