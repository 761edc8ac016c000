"""From what a traced render kept of its input to where that stood in what the caller passed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .engine import Border
from .engine.provenance import COMPUTED, DERIVED, Item, Origin, number, whole
from .engine.values import Real, Text, Whole
from .lowering import normal_message

#: Below this depth values are not looked for, and text in them counts as derived from input.
DEPTH_LIMIT = 64


class AmbiguousError(Exception):
    """The same object stands in two places of the input, so that its identity does not tell where it was read."""


#: The types of marked numbers.
NUMBERS = (Whole, Real)
#: The place of a container that stands in two.
AMBIGUOUS = Origin("derived")


class Inputs:
    """What a template was given, searched by identity when somebody asks where a text came from."""

    def __init__(
        self,
        messages: list[Any],
        tools: Sequence[Any] | None,
        documents: Sequence[Any] | None,
        variables: Mapping[str, Any] | None,
        border: Border,
        marked: bool = False,
    ) -> None:
        self.messages = messages
        #: Whether texts carry marks of their own; an object in two places then stands there under two names.
        self._marked = marked
        self._others = {"tool": tools or (), "document": documents or ()}
        self._variables = variables or {}
        self._border = border
        #: Texts at the top of messages: what most of a prompt is made of. None for one that stands in two places.
        self._shallow: dict[int, tuple[int, Any] | None] | None = None
        #: Whether there is anything below the top of messages.
        self._is_nested = bool(self._others["tool"] or self._others["document"] or self._variables)
        self._containers: dict[int, Origin] | None = None
        self._scalars: dict[int, list[Origin]] = {}

    def origin(self, source: Any, start: int, owner: int | None) -> Origin:
        """Where the source of a leaf stood.

        Raises:
            AmbiguousError: it stood in two places.
        """
        kind = type(source)
        if start < 0:
            start = ~start
        if kind is Origin:
            return source if not start or source.kind in ("template", "derived") else source._replace(start=start)  # type: ignore[no-any-return]
        if kind is str:
            return self._of_text(source, start, owner)
        if kind is Item:
            return self._of_item(source, start, owner)
        self._deep()
        return self._of_number(source)

    def _of_text(self, text: str, start: int, owner: int | None) -> Origin:
        shallow = self._tops()
        if owner is not None and self.messages[owner].get("role") is text:
            # A role may stand in a marker, words may not: it must be no other text of the input.
            if id(text) in shallow or (self._is_nested and self._stands_elsewhere(text)):
                raise AmbiguousError
            return Origin("message", None, owner, "role", start)
        found = shallow.get(id(text), ())
        if found and found[0] == owner:
            return Origin("message", None, found[0], str(found[1]), start)
        if found is None and not self._marked:
            raise AmbiguousError
        self._deep()
        known = self._scalars.get(id(text), [])
        if len(known) > 1:
            # One that a call and its result share: whoever's turn it is.
            known = [origin for origin in known if origin.kind == "message" and origin.index == owner]
            if len(known) != 1 and not self._marked:
                raise AmbiguousError
        if not known:
            return DERIVED
        return known[0]._replace(start=start) if start else known[0]

    def _tops(self) -> dict[int, tuple[int, Any] | None]:
        """The texts at the top of messages, roles not among them."""
        if self._shallow is None:
            self._shallow = {}
            for index, message in enumerate(self.messages):
                for key, value in message.items():
                    kind = type(value)
                    if kind is str:
                        if key != "role":
                            place = id(value)
                            self._shallow[place] = None if place in self._shallow else (index, key)
                    elif kind is not Text and value is not None:
                        self._is_nested = True
        return self._shallow

    def _stands_elsewhere(self, text: str) -> bool:
        """Whether a role is a text of another place, too."""
        self._deep()
        return any(origin.path != "role" for origin in self._scalars.get(id(text), ()))

    def _of_number(self, value: Any) -> Origin:
        # Its identity says little, since small numbers are shared by everything.
        if id(value) in self._scalars and not self._marked:
            raise AmbiguousError
        return COMPUTED

    def _of_item(self, item: Item, start: int, owner: int | None) -> Origin:
        base = self._deep().get(id(item.container))
        if base is None:
            # A container that the template made, perhaps around a value of the input.
            value = item.key if item.is_key else item.container[item.key]
            return self._of_text(value, start, owner) if type(value) is str else self._of_number(value)
        if base is AMBIGUOUS:
            raise AmbiguousError
        place = at_key(base, item.key) if type(item.container) is dict else at_index(base, item.key)
        return place._replace(start=start, key=item.is_key) if start or item.is_key else place

    def _deep(self) -> dict[int, Origin]:
        """The places of all containers; those of texts and numbers are in `_scalars` from now on."""
        if self._containers is None:
            self._containers = {}
            for value, origin in self.places():
                if type(value) in (dict, list, tuple):
                    known = self._containers.setdefault(id(value), origin)
                    if known is not origin and not self._marked:
                        self._containers[id(value)] = AMBIGUOUS
                elif value is not None and type(value) is not bool:
                    self._scalars.setdefault(id(value), []).append(origin)
        return self._containers

    def places(self) -> Iterator[tuple[Any, Origin]]:
        """Every value of the input, names of keys among them, with its place."""
        lower, whole_of = self._border.lower, self._border.whole
        stack: list[tuple[Any, Origin, int]] = []
        for name, value in self._variables.items():
            stack.append((value, Origin("variable", path=name), 0))
        for kind, values in self._others.items():
            stack += [(value, Origin(kind, index=index), 0) for index, value in enumerate(values)]
        for index, message in enumerate(self.messages):
            stack.append((message, Origin("message", index=index), 0))
            normal = whole_of(message)
            if normal is not message:
                yield normal, Origin("message", index=index)
        while stack:
            value, origin, depth = stack.pop()
            value = lower(value)
            # A marked copy says itself where it stood; a message may have it under a second name.
            yield value, value.node[1] if type(value) is Text else value.origin if type(value) in NUMBERS else origin
            if depth > DEPTH_LIMIT:
                continue
            if type(value) is dict:
                for key, found in value.items():
                    place = at_key(origin, key)
                    if depth or origin.kind != "message":
                        stack.append((key, place._replace(key=True), DEPTH_LIMIT))
                    stack.append((found, place, depth + 1))
            elif type(value) in (list, tuple):
                stack += [(found, at_index(origin, index), depth + 1) for index, found in enumerate(value)]


def at_key(origin: Origin, key: Any) -> Origin:
    """The place of a key's value in the mapping at `origin`."""
    # Built anew: a change by name takes several times as long, and places are many.
    kind, line, index, path, start, is_key = origin
    if isinstance(key, str) and key.isidentifier():
        return Origin(kind, line, index, f"{path}.{key}" if path else str(key), start, is_key)
    return Origin(kind, line, index, f"{path}[{key!r}]", start, is_key)


def at_index(origin: Origin, index: int) -> Origin:
    """The place of an item in the list at `origin`."""
    kind, line, owner, path, start, is_key = origin
    return Origin(kind, line, owner, f"{path}[{index}]", start, is_key)


class Marker:
    """Copies input with marks on every text and number: exact where identities are not, and slower.

    >>> marked = Marker(Border()).messages([{"role": "user", "content": "Hi"}])
    >>> str(marked[0]["content"].node[1])
    'messages[0].content'
    """

    def __init__(self, border: Border) -> None:
        self._lower = border.lower

    def messages(self, messages: Sequence[Any]) -> list[dict[Any, Any]]:
        """The messages as the reference passes them on, marked."""
        return [
            normal_message(
                {
                    key: self.value(value, Origin("message", index=index, path=str(key)))
                    for key, value in message.items()
                }
            )
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

    def value(self, value: Any, origin: Origin, depth: int = 0) -> Any:
        """A value with everything in it marked."""
        value = self._lower(value)
        kind = type(value)
        if kind is str:
            return whole(value, origin)
        if kind is int or kind is float:
            return number(value, origin)
        if depth >= DEPTH_LIMIT:
            return value
        if kind is dict:
            return {
                self._key(key, origin): self.value(item, at_key(origin, key), depth + 1) for key, item in value.items()
            }
        if kind is list or kind is tuple:
            return kind(self.value(item, at_index(origin, index), depth + 1) for index, item in enumerate(value))
        return value

    def _key(self, key: Any, origin: Origin) -> Any:
        key = self._lower(key)
        return whole(key, at_key(origin, key)._replace(key=True)) if type(key) is str else key
