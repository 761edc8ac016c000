"""Where text came from: the marks that traced text carries, cut and joined as the text is.

The template's own text is marked. Text without a mark is input, so that an operation nobody thought of can never pass
input off as the template's own. Which input it is, is found by its identity when somebody asks.

A mark is a node, a tuple. A leaf is `(length, source, start, owner)`: text from one place, from `start` characters into
it, or written for the character at `~start` there if `start` is negative. Its source is an `Origin`, an `Item`, or the
text or number itself. A branch is `(length, None, nodes, owner)`. Of the owners above a leaf, the innermost that is not
None counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from .values import Real, SafeText, Text, Whole

Node = tuple[int, Any, Any, Any]


class Origin(NamedTuple):
    """Where a piece of a prompt came from.

    >>> str(Origin("message", index=3, path="content", start=12))
    'messages[3].content, character 12'
    >>> str(Origin("template", line=7))
    'template line 7'
    """

    #: "template", "message", "tool", "document", "variable", or "derived" for what cannot be told apart.
    kind: str
    #: The template line (1-based) of the template's text; None for what one of its operations computed.
    line: int | None = None
    #: The number of the message, tool or document.
    index: int | None = None  # type: ignore[assignment]  # it hides a method of tuples, which nobody needs here
    #: Where in the message, tool or document: "content", "tool_calls[0].function.name"; or the name of the variable, or
    #: of the special token, which counts as the template's text.
    path: str = ""
    #: The character there at which the piece begins.
    start: int = 0
    #: Whether the piece is the name at the end of `path`, and not the value there.
    key: bool = False

    @property
    def is_template(self) -> bool:
        """Whether the template's author wrote it; everything else counts as input."""
        return self.kind == "template"

    def __str__(self) -> str:
        if self.kind == "template":
            if self.path:
                return f"the special token {self.path}"
            return "computed by the template" if self.line is None else f"template line {self.line}"
        if self.kind == "derived":
            return "derived from input"
        place = f"{self.kind}s" if self.index is None else f"{self.kind}s[{self.index}]"
        if self.path:
            place += self.path if self.path.startswith("[") else f".{self.path}"
        return f"{'the key ' if self.key else ''}{place}{f', character {self.start}' if self.start else ''}"


class Item(NamedTuple):
    """What stands in a container, or its name there."""

    container: Any
    key: Any
    is_key: bool = False


#: In the place of a source: what follows is a buffer, pieces of text each followed by its owner.
BUFFER = Origin("buffer")
#: Where a `{% generation %}` block begins and ends: marks without text.
BEGINS, ENDS = Origin("begins"), Origin("ends")
#: Text that is not found in the input: it may hold anything.
DERIVED = Origin("derived")
#: What an operation of the template computed, such as a counter or the marks between JSON values.
COMPUTED = Origin("template")


def marked(text: str, node: Node) -> Text:
    """`text` with its mark; with the mark of unknown text where lengths disagree."""
    result = Text(text)
    result.node = node if node[0] == len(text) else (len(text), DERIVED, 0, None)
    return result


def marked_safe(text: str, node: Node) -> SafeText:
    """The same for Markup."""
    result = SafeText(text)
    result.node = node if node[0] == len(text) else (len(text), DERIVED, 0, None)
    return result


def whole(text: str, origin: Origin) -> Text:
    """Text that is all of what is found at `origin`."""
    result = Text(text)
    result.node = (len(text), origin, 0, None)
    return result


def number(value: int | float, origin: Any) -> Whole | Real:
    """A number of the input, with its source."""
    result = Whole(value) if isinstance(value, int) else Real(value)
    result.origin = origin
    return result


def computed(text: str) -> Text:
    """What an operation of the template wrote."""
    return whole(text, COMPUTED)


def node_of(text: str) -> Node:
    """The mark of text; text without one is its own source."""
    kind = type(text)
    if kind is Text or kind is SafeText:
        return text.node  # type: ignore[attr-defined,no-any-return]
    return (len(text), text, 0, None)


def is_template(source: Any) -> bool:
    """Whether the source of a leaf is the template."""
    return type(source) is Origin and source.kind == "template"


def branch(nodes: Iterable[Node], owner: Any = None) -> Node:
    """The mark of texts one after the other."""
    nodes = tuple(nodes)
    return (sum(node[0] for node in nodes), None, nodes, owner)


def leaves(node: Node) -> Iterator[Node]:
    """The leaves of a mark from left to right, each with its owner; empty ones left out."""
    stack: list[tuple[Node, Any]] = [(node, None)]
    while stack:
        (length, origin, rest, own), owner = stack.pop()
        owner = owner if own is None else own
        if not length and origin is not BEGINS and origin is not ENDS:
            continue
        if origin is None:
            stack.extend((child, owner) for child in reversed(rest))
        elif origin is BUFFER:
            for place in range(len(rest) - 2, -1, -2):
                inner = rest[place + 1]
                stack.append((node_of(rest[place]), owner if inner is None else inner))
        else:
            yield (length, origin, rest, owner)


def cut(node: Node, start: int, stop: int) -> Node:
    """The mark of `text[start:stop]`."""
    length, origin, rest, owner = node
    if start <= 0 and stop >= length:
        return node
    if origin is not None and origin is not BUFFER:
        return (max(0, stop - start), origin, rest if rest < 0 else rest + start, owner)
    kept = []
    at = 0
    for piece in leaves(node):
        end = at + piece[0]
        if end > start and at < stop:
            low, high = max(start - at, 0), min(stop, end) - at
            kept.append((high - low, piece[1], piece[2] if piece[2] < 0 else piece[2] + low, piece[3]))
        at = end
        if at >= stop:
            break
    return branch(kept)


def replaced(node: Node, length: int) -> Node:
    """The mark of `length` characters that stand for those of a text, not one for one."""
    pieces = [piece for piece in leaves(node) if piece[0]]
    if not pieces:
        return (length, COMPUTED, 0, None)
    found = pieces[0]
    others = [piece for piece in pieces if piece[1] is not found[1]]
    if not others:
        return (length, found[1], min(found[2], ~found[2]), found[3])
    if all(is_template(piece[1]) for piece in (found, *others)):
        return (length, COMPUTED, 0, found[3])
    return (length, DERIVED, 0, found[3])


def mapped(text: str, result: str, change: Callable[[str], str]) -> Node:
    """The mark of `result`, which is `text` with each character changed by itself, as escapes are."""
    node = node_of(text)
    if len(text) == len(result):
        return node
    pieces: list[Node] = []
    same = 0
    for place, character in enumerate(str.__str__(text)):
        size = len(change(character))
        if size == 1:
            continue
        if place > same:
            pieces.append(cut(node, same, place))
        pieces.append(replaced(cut(node, place, place + 1), size))
        same = place + 1
    if same < len(text):
        pieces.append(cut(node, same, len(text)))
    found = branch(pieces)
    return found if found[0] == len(result) else replaced(node, len(result))
