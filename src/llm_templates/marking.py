"""What a caller passed, copied with marks: every text and number in it knows where it stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .engine import Border
from .engine.provenance import Origin, number, whole
from .lowering import normal_message

#: Below this depth values are left as they are, and text in them counts as derived from input.
DEPTH_LIMIT = 64


class Marker:
    """Marks the inputs of one render, and remembers which there were.

    >>> marker = Marker()
    >>> messages = marker.messages([{"role": "user", "content": "Hi"}])
    >>> str(messages[0]["content"].node[1])
    'messages[0].content'
    """

    def __init__(self) -> None:
        self._lower = Border().lower
        #: The origin of each text and number that was marked, names of keys not among them.
        self.marked: list[Origin] = []

    def messages(self, messages: Sequence[Any]) -> list[dict[Any, Any]]:
        """The messages as the reference passes them on, marked."""
        return [
            {
                key: self.value(value, Origin("message", index=index, path=str(key)))
                for key, value in normal_message(message).items()
            }
            for index, message in enumerate(messages)
        ]

    def items(self, kind: str, values: Sequence[Any] | None) -> list[Any] | None:
        """Tools or documents, marked."""
        if values is None:
            return None
        return [self.value(value, Origin(kind, index=index)) for index, value in enumerate(values)]

    def variables(self, variables: Mapping[str, Any] | None) -> dict[str, Any]:
        """Template variables, marked."""
        return {name: self.value(value, Origin("variable", path=name)) for name, value in (variables or {}).items()}

    def special_tokens(self, tokens: Mapping[str, str]) -> dict[str, Any]:
        """Special tokens, which count as text of the template."""
        return {name: whole(token, Origin("template", path=name)) for name, token in tokens.items()}

    def value(self, value: Any, origin: Origin, depth: int = 0) -> Any:
        """A value with everything in it marked."""
        value = self._lower(value)
        kind = type(value)
        if kind is str:
            self.marked.append(origin)
            return whole(value, origin)
        if kind is int or kind is float:
            self.marked.append(origin)
            return number(value, origin)
        if depth >= DEPTH_LIMIT:
            return value
        if kind is dict:
            return {
                self._key(key, origin): self.value(item, _below(origin, key), depth + 1) for key, item in value.items()
            }
        if kind is list or kind is tuple:
            return kind(
                self.value(item, origin._replace(path=f"{origin.path}[{index}]"), depth + 1)
                for index, item in enumerate(value)
            )
        return value

    def _key(self, key: Any, origin: Origin) -> Any:
        key = self._lower(key)
        return whole(key, _below(origin, key)._replace(key=True)) if type(key) is str else key


def _below(origin: Origin, key: Any) -> Origin:
    path = origin.path
    if isinstance(key, str) and key.isidentifier():
        return origin._replace(path=f"{path}.{key}" if path else key)
    return origin._replace(path=f"{path}[{key!r}]")
