"""A traced prompt cut into the fields of its messages: the words of each, and what the model wrote of a turn as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..sampling import RESULT_ROLES, Turn
from .turns import ASSISTANT, TOOLS, VARIABLE

if TYPE_CHECKING:
    from ..prompt import Prompt, Segment


#: What of a call is written again with its result.
_ECHOED = ("function.name", "].id")


class Written(NamedTuple):
    """A field where a template wrote it."""

    kind: str
    #: The number of its message; None for tools and variables.
    message: int | None
    start: int
    end: int
    #: For what the model wrote: whether it is known where it begins, and where it ends. If not, its first or last word
    #: is taken for it, and markers of calls or reasoning may stand beyond.
    begins: bool = True
    ends: bool = True
    #: Whether there are no words of its message in it, or only its content.
    is_silent: bool = False
    is_plain: bool = False


def written_fields(prompt: Prompt, stops: Sequence[str]) -> list[Written]:
    """The fields of a prompt from left to right.

    >>> from llm_templates import load
    >>> prompt = load("chatml").trace([{"role": "user", "content": "Hi"}])
    >>> [(field.kind, str(prompt)[field.start : field.end]) for field in written_fields(prompt, ["<|im_end|>"])]
    [('user.content', 'Hi')]
    """
    roles = prompt.roles
    turns = _turns(prompt, stops)
    found: list[Written] = []
    echoes: Counter[tuple[int | None, str]] = Counter()
    following = 0
    inside = 0
    for start, end, segment in _placed(prompt):
        while following < len(turns) and turns[following].start < end:
            found.append(turns[following])
            inside = turns[following].end
            following += 1
        if start < inside:
            continue
        kind, message = _field(segment.origin, segment.owner, roles)
        if kind.startswith(ASSISTANT):
            # The name or the id of a call, written again with its result.
            key = "tool_call_id" if kind.endswith("id") else "name"
            echoes[message, key] += 1
            message = (message or 0) + echoes[message, key]
            if message >= len(roles) or roles[message] not in RESULT_ROLES:
                continue
            kind = f"{roles[message]}.{key}"
        last = found[-1] if found else None
        # One that is written again from its beginning is another.
        goes_on = last and kind and (last.kind, last.message) == (kind, message)
        if last and goes_on and (last.end == start or segment.origin.start or kind == TOOLS):
            found[-1] = last._replace(end=end)
        elif kind:
            found.append(Written(kind, message, start, end))
    return found + turns[following:]


def _placed(prompt: Prompt) -> Iterator[tuple[int, int, Segment]]:
    """The segments with where they begin and end."""
    place = 0
    for segment in prompt.segments:
        end = place + len(segment.text)
        yield place, end, segment
        place = end


def _turns(prompt: Prompt, stops: Sequence[str]) -> list[Written]:
    """What the model wrote, turn by turn."""
    text = str(prompt)
    words: dict[int | None, list[tuple[int, int, str]]] = {}
    owned: list[tuple[int, int | None]] = []
    for start, end, segment in _placed(prompt):
        if segment.origin.kind == "message" and segment.origin.path != "role":
            words.setdefault(segment.origin.index, []).append((start, end, segment.origin.path))
        owned.append((start, segment.owner))
    found: list[Written] = []
    for turn in prompt.turns:
        said = [span for span in words.get(turn.message, ()) if turn.start <= span[0] and span[1] <= turn.end]
        # Words behind another message's header, such as that of a result, are said again.
        others = (start for start, owner in owned if start > turn.start and owner not in (None, turn.message))
        limit = next(others, turn.end)
        if said and said[0][1] <= limit < said[-1][1]:
            said = [span for span in said if span[1] <= limit]
            turn = _ended(turn, text, said[-1][1], limit, stops)
        begins = turn.header < turn.start and not any("generation prompt" in remark for remark in turn.remarks)
        ends = turn.stop < turn.end
        if not said:
            end = max(turn.start, turn.stop)
            found.append(Written(ASSISTANT, turn.message, turn.start, end, begins, ends, is_silent=True))
            continue
        if found and found[-1].message == turn.message and all(path.endswith(_ECHOED) for _, _, path in said):
            continue
        first, last = said[0][0], said[-1][1]
        if all(path.startswith("content") for _, _, path in said):
            found.append(Written(ASSISTANT, turn.message, first, last, is_plain=True))
            continue
        start, end = turn.start, turn.stop
        # A turn without a stop token may be taken to end with the marker that ends a call.
        if text[turn.stop : turn.end] not in stops and said[-1][2].startswith("tool_calls"):
            end = turn.end
        # White space at either end is the template's, not the model's to say.
        before = text[start:first] if begins else ""
        after = text[last:end] if ends else ""
        start = first - len(before.lstrip())
        end = last + len(after.rstrip())
        found.append(Written(ASSISTANT, turn.message, start, end, begins, ends))
    return found


def _ended(turn: Turn, text: str, last: int, limit: int, stops: Sequence[str]) -> Turn:
    """A turn that ends with the first stop after its last words, at most at `limit`."""
    places = [(place, place + len(stop)) for stop in stops if stop and (place := text.find(stop, last, limit)) >= 0]
    stop, end = min(places, default=(limit, limit))
    return turn._replace(stop=stop, end=end)


def _field(origin: Any, owner: int | None, roles: Sequence[str | None]) -> tuple[str, int | None]:
    """What a piece of a prompt belongs to; "" for the template's own text."""
    if origin.is_template or (origin.kind == "message" and origin.path == "role"):
        return "", None
    if origin.kind == "tool":
        return TOOLS, None
    if origin.kind == "variable":
        return f"{VARIABLE}.{origin.path}", None
    message, path = origin.index, origin.path
    if origin.kind == "derived":
        message, path = owner, "content"
    if message is None:
        return "", None
    role = roles[message]
    if role == ASSISTANT:
        if owner is not None and roles[owner] in RESULT_ROLES:
            return f"{roles[owner]}.{'tool_call_id' if path.endswith('id') else 'name'}", owner
        return (f"{ASSISTANT}.{path}", message) if path.endswith(_ECHOED) else ("", None)
    return f"{role}.{path.partition('.')[0].partition('[')[0] or 'content'}", message
