"""Call forms: finds the form in which a template writes calls, from turns with one call and with two."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from ..errors import InputError
from .argument_forms import Argument, more_types, typed
from .call_dialects import Dialect, dialect_of, name_end
from .differences import lead, same_end, same_start, trail
from .grammar import CallForm
from .layout import escaped, layout
from .probes import ANSWER, NUMBER, ONE, OTHER, TYPED, VALUES, Call, Shape, shapes
from .stage import Stage

#: Stand for what a call says while literal text is compared; nobody's text has them.
NAME, ID, INDEX, ARGUMENTS, WHOLE = "\ue010", "\ue011", "\ue012", "\ue013", "\ue014"
FIELDS = {NAME: "{name}", ID: "{id}", INDEX: "{index}", ARGUMENTS: "{arguments}", WHOLE: "{json}"}
_FIELD = re.compile(f"[{''.join(FIELDS)}]")
_LAST = re.compile(f"[{ARGUMENTS}{WHOLE}]")

#: An id that is made of the name and the number of the call.
_MADE_ID = re.compile(rf"[A-Za-z_.]{{0,40}}{NAME}:(\d)\b")
_DIGITS = re.compile(r"\d{1,9}")
#: A quote as HTML writes it.
_ESCAPED = re.compile(r"&(?:#34|quot);")


class Calls(NamedTuple):
    """The turns in which a template wrote calls."""

    shape: Shape
    dialect: Dialect
    #: A turn with one call, and the same with fields in the place of what the call says.
    text: str
    one: str
    #: The same of two calls, after an answer if the template writes both; None if it writes no second call.
    two: str | None = None

    @property
    def head(self) -> str:
        """What precedes the call."""
        return self.one[: _bounds(self.one)[0]]

    @property
    def gap(self) -> str | None:
        """What stands between an answer and calls; None if that is not known."""
        two = self.two or ""
        _, found, gap = two[: _bounds(two)[0]].rpartition(ANSWER)
        return gap if found else None


def written_calls(stage: Stage) -> Calls | None:
    """The turns in which a template writes calls, in the first shape that shows them plainly, if any does."""
    second_best: Calls | None = None
    for shape in shapes():
        text = stage.said(shape.messages((ONE,)), tools=shape.tools)
        dialect = dialect_of(text) if text and all(key in text for key in ONE.arguments) else None
        one = _masked(text, (ONE,), dialect) if text and dialect else None
        if text is None or dialect is None or one is None:
            continue
        found = Calls(shape, dialect, text, one)
        if dialect.is_plain and not _ESCAPED.search(one):
            return _with_second(stage, found)
        second_best = second_best or found
    return _with_second(stage, second_best) if second_best else None


def _with_second(stage: Stage, calls: Calls) -> Calls:
    """The same with the turn of two calls."""
    for content in (ANSWER, ""):
        text = stage.said(calls.shape.messages((ONE, OTHER), content), tools=calls.shape.tools)
        if text and all(key in text for call in (ONE, OTHER) for key in call.arguments):
            two = _masked(text, (ONE, OTHER), calls.dialect)
            if two is not None:
                return calls._replace(two=two)
    return calls


def _masked(text: str, calls: tuple[Call, ...], dialect: Dialect) -> str | None:
    """A turn with fields in the place of what its calls say; None if they are not all found."""
    pieces: list[str] = []
    place = 0
    for number, call in enumerate(calls):
        start = place
        if not dialect.is_whole:
            # Arguments come after the name or the id.
            places = [text.find(word, place) for word in (call.name, call.id)]
            start = min((found for found in places if found >= 0), default=len(text))
        span = dialect.span(text, call, start)
        if span is None:
            return None
        before = text[place : span.start].replace(call.name, NAME).replace(call.id, ID)
        made = _MADE_ID.search(before)
        if made and int(made[1]) in (number, number + 1):
            before = before[: made.start()] + ID + before[made.end() :]
        pieces += [before, WHOLE if dialect.is_whole else ARGUMENTS]
        place = span.end
        if dialect.is_array:
            break
    return "".join([*pieces, text[place:]])


def call_form(
    stage: Stage, calls: Calls, before: Callable[[str], str], ended: Callable[[str, str], str]
) -> CallForm | None:
    """The form of calls; None if it cannot be written as a layout.

    Args:
        stage: renders probes.
        calls: the turns.
        before: cuts off what precedes the calls: the opener, reasoning and an answer.
        ended: cuts off what ends the turn, given what follows a call and what stands between two calls.
    """
    first, last = _bounds(calls.one)
    pre, inner, post = before(calls.one[:first]), calls.one[first : last + 1], calls.one[last + 1 :]
    middle, space = None, ""
    if calls.two is not None:
        start, end = _bounds(calls.two)
        other = before(calls.two[:start])
        # The white space between an answer and calls belongs to these.
        space = lead(other) if ANSWER in calls.two[:start] else ""
        pre = same_end(pre, other) if pre.strip() and other.strip() else min(pre, other, key=len)
        second = _FIELD.search(calls.two, end + 1)
        if second:
            middle = calls.two[end + 1 : second.start()]
            inner = _numbered(inner, calls.two[second.start() :])
    parts = _parts(pre, middle, ended(post, middle or ""))
    parts = parts._replace(begin=space + parts.begin) if parts.begin else parts._replace(open=space + parts.open)
    argument = _argument(stage, calls)
    form = CallForm(
        call=_with_fields(parts.open + inner + parts.close),
        begin=parts.begin,
        end=parts.end,
        between=parts.between,
        arguments=calls.dialect.name,
        argument=argument.layout if argument else "",
        types=argument.types if argument else {},
        quoted=argument.quoted if argument else False,
        quote=calls.dialect.quote,
        keys=calls.dialect.keys,
    )
    return form if _is_sound(form) else None


def _bounds(text: str) -> tuple[int, int]:
    """Where the first field of the first call stands, and the last."""
    first, last = _FIELD.search(text), _LAST.search(text)
    return (first.start() if first else 0), (last.start() if last else 0)


def _with_fields(text: str) -> str:
    text = escaped(text)
    for mark, field in FIELDS.items():
        text = text.replace(mark, field)
    return text


def _is_sound(form: CallForm) -> bool:
    """Whether the layouts can be read, and no word of the probes is in them, taken for literal text."""
    try:
        layout(form.call)
        layout(form.argument)
    except InputError:
        return False
    texts = (form.call, form.begin, form.end, form.between, form.argument)
    words = (ONE.name, ONE.id, OTHER.name, OTHER.id, *ONE.arguments, *map(str, ONE.arguments.values()))
    return not any(word in text for text in texts for word in words)


def _numbered(inner: str, second: str) -> str:
    """The inside of a call, with a field for its number if the next number is in the same place of the second."""
    for match in _DIGITS.finditer(inner):
        following = _DIGITS.match(second, match.start())
        if following and int(following[0]) == int(match[0]) + 1:
            return inner[: match.start()] + INDEX + inner[match.end() :]
    return inner


class _Parts(NamedTuple):
    """The literal text around calls."""

    begin: str
    open: str
    close: str
    end: str
    between: str


def _parts(pre: str, middle: str | None, post: str) -> _Parts:
    """What belongs to each call and what to a run of them.

    Args:
        pre: what precedes the first call.
        middle: what stands between two calls; None if that is not known.
        post: what follows the last.
    """
    if middle is None:
        return _Parts("", pre.lstrip(), post.rstrip(), "", "")
    opening = same_end(pre, middle).lstrip()
    begin = pre[: len(pre) - len(opening)].lstrip()
    rest = middle[: len(middle) - len(opening)]
    close = same_start(rest, post)
    if not close.strip():
        close = ""
    end, between = post[len(close) :].rstrip(), rest[len(close) :]
    if not end:
        # The white space after a call stands between calls.
        space = trail(close)
        close, between = close[: len(close) - len(space)], space + between
    return _Parts(begin, opening, close, end, between)


def _argument(stage: Stage, calls: Calls) -> Argument | None:
    """The layout of one argument, with what it says of the types of values."""
    argument = calls.dialect.argument
    if argument is None:
        return None

    def turn(call: Call) -> str | None:
        text = stage.said(calls.shape.messages((call,)), tools=calls.shape.tools)
        return text if text and next(iter(call.arguments)) in text else None

    text = turn(TYPED)
    if text is None or str(NUMBER) not in text:
        return argument
    argument = typed(argument, text, TYPED, name_end(text, TYPED))
    if argument.types:
        keys = [f"qzkey{number}kx" for number in range(len(VALUES))]
        text = turn(ONE._replace(arguments=dict(zip(keys, VALUES, strict=True))))
        if text is not None:
            argument = more_types(argument, text, keys)
    return argument
