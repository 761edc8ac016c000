"""Tables: a grammar made ready for the machine: which marker may begin or end what."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import NamedTuple

from ..families.markers import CONTROL
from .cursor import Markers
from .grammar import Block, CallForm, Grammar
from .layout import Atom, Field, Layout, atoms, layout
from .literals import JSON, PYTHON, Style, loose

#: How many blanks are more than a writer of prose puts before a text.
INDENTATION = 4


class Opening(NamedTuple):
    """How far into a form's opening atoms a marker leads."""

    form: Form
    after: int


class Form:
    """A call form, with the markers at each of its places."""

    def __init__(self, data: CallForm) -> None:
        self.data = data
        self.layout = layout(data.call)
        parts = self.layout.parts
        first = next(index for index, part in enumerate(parts) if isinstance(part, Field))
        last = max(index for index, part in enumerate(parts) if isinstance(part, Field))
        self.is_json = isinstance(parts[first], Field) and parts[first] == Field("json")
        #: What precedes the first call, and what precedes every call.
        self.begin = atoms(data.begin)
        self.own = tuple(part for part in parts[:first] if isinstance(part, Atom))
        self.opening = self.begin + self.own
        #: The fields, each with the literal after it, up to the next.
        self.fields = cut_at_fields(parts[first:])
        self.closing = tuple(part for part in parts[last + 1 :] if isinstance(part, Atom))
        #: Whether what begins it is a marker by its looks: words, such as "```json", may begin something else.
        self.is_certain = any(atom.is_marker for atom in self.opening)
        self.between = atoms(data.between)
        self.end = atoms(data.end)
        #: Whether no marker begins it: it counts only where the answer begins.
        self.is_bare = len(joined(self.opening)) < 2
        self.style: Style = STYLES.get(data.arguments) or loose(data.quote)
        self.argument: ArgumentLayout | None = ArgumentLayout(layout(data.argument), data) if data.argument else None

    @cached_property
    def closers(self) -> tuple[str, ...]:
        """Texts that may follow the arguments of a call."""
        return (*chunks(self.closing), *chunks(self.end))

    @cached_property
    def ends(self) -> Markers:
        """What certainly ends a call, broken or not."""
        return Markers([text for text in self.closers if len(text) > 2])

    @property
    def lead(self) -> str:
        """The white space that the form has between an answer and its first call."""
        return self.opening[0].before if self.opening else ""

    @cached_property
    def gap(self) -> str:
        """The white space that the form has after a call."""
        written = self.end or self.closing
        after = written[-1].after if written else ""
        between = self.data.between
        return after + between[: len(between) - len(between.lstrip())]


class ArgumentLayout:
    """The layout of one tagged argument, cut at its fields."""

    def __init__(self, parts: Layout, form: CallForm) -> None:
        first = next(index for index, part in enumerate(parts.parts) if isinstance(part, Field))
        #: Literal atoms before `{key}`.
        self.open = tuple(part for part in parts.parts[:first] if isinstance(part, Atom))
        #: The fields, each with the literal after it.
        self.fields = cut_at_fields(parts.parts[first:])
        self.types = dict(form.types)
        self.quoted = form.quoted
        #: All that precedes a value, as it usually comes, and the text it ends with.
        self.head, self.head_end = self._head()

    def _head(self) -> tuple[re.Pattern[str], str]:
        pattern, literal = _spaced(self.open), self.open
        for name, following in self.fields:
            if name == "value":
                break
            pattern += rf"(?P<{name}>[^\n]{{1,200}}?){_spaced(following)}"
            literal = following
        if not literal or len(self.fields) < 2 or self.fields[-1][0] != "value":
            return re.compile(r"(?!)"), ""
        return re.compile(pattern + "".join(f"{space}?" for space in literal[-1].after)), literal[-1].text[-1]


@lru_cache(maxsize=4096)
def steps(literal: tuple[Atom, ...]) -> dict[str, int]:
    """The texts that may stand where literal text is due, each with the number of atoms that are behind it then.

    Models leave markers out, and a control text counts even without what stands beside it.
    """
    found: dict[str, int] = {}
    for index, atom in enumerate(literal):
        if index == 0 or atom.before or literal[index - 1].after or _stands_alone(literal[index - 1].text):
            whole = joined(literal[index:])
            found.setdefault(whole, index + _count(literal[index:], whole))
            if _stands_alone(atom.text):
                found.setdefault(atom.text, index + 1)
    return found


def _stands_alone(text: str) -> bool:
    """Whether literal text means something without what is written beside it: a control text, a closing bracket."""
    return text in ("]", ")", "}") or CONTROL.fullmatch(text) is not None


def _spaced(literal: tuple[Atom, ...]) -> str:
    """A pattern of literal atoms with white space between them, as far as they may have some."""
    return "".join((r"\s{0,16}" if index else "") + re.escape(atom.text) for index, atom in enumerate(literal))


def chunks(literal: tuple[Atom, ...]) -> list[str]:
    """Literal atoms as texts, cut only where white space is."""
    found: list[str] = []
    while literal:
        found.append(joined(literal))
        literal = literal[_count(literal, found[-1]) :]
    return found


def cut_at_fields(parts: tuple[Atom | Field, ...]) -> list[tuple[str, tuple[Atom, ...]]]:
    """Each field by its name, with the literal atoms that follow it; a field comes first."""
    found: list[tuple[str, tuple[Atom, ...]]] = []
    for part in parts:
        if isinstance(part, Field):
            found.append((part.name, ()))
        else:
            name, literal = found[-1]
            found[-1] = (name, (*literal, part))
    return found


#: How literal values are written, by dialect.
STYLES = {"json": JSON, "tagged": JSON, "nested": JSON, "python": PYTHON}


def joined(literal: tuple[Atom, ...]) -> str:
    """The first atoms that stand together, without white space between them."""
    found = ""
    for atom in literal:
        if found and atom.before:
            break
        found += atom.text
        if atom.after:
            break
    return found


class Tables:
    """What a machine looks for, by where it is."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.forms = [Form(data) for data in grammar.calls]
        self.bare = [form for form in self.forms if form.is_bare]
        # Where messages have headers, these say what is reasoning and what is the answer.
        reasoning, content = ((), None) if grammar.header else (grammar.reasoning, grammar.content)
        heads = {("reasoning", atoms(block.open)[0].text) for block in reasoning if block.open}
        heads |= {("calls", form.opening[0].text) for form in self.forms if form.opening}
        heads |= {("content", joined(atoms(text))) for text in content or () if text}
        firsts = [head for _, head in heads]
        #: Atoms that only one kind of thing begins with.
        self._single = {head for head in firsts if firsts.count(head) == 1}
        self.reasons: dict[str, tuple[Block, tuple[Atom, ...]]] = {}
        self.unreasons: dict[str, tuple[Block, tuple[Atom, ...]]] = {}
        for block in reasoning:
            self._add_block(block)
        self.triggers: dict[str, list[Opening]] = {}
        for form in self.forms:
            self._add_form(form)
        self.wraps = self._wrap(content.open) if content else {}
        self.unwraps = self._wrap(content.close) if content else {}
        #: White space that the format has before an answer, where no marker stands there.
        self.lead = content.open if content and not atoms(content.open) else ""
        if len(self.lead) > INDENTATION and not self.lead.strip(" "):
            # The template writes its own indentation, which differs from place to place.
            self.lead *= INDENTATION
        #: White space that it has after an answer.
        self.trail = content.close[: len(content.close) - len(content.close.lstrip())] if content else ""
        #: White space that may belong to a marker after a text; and a line's end, which says where another begins.
        spaces = "".join([text[: len(text) - len(text.lstrip())] for text in self._literals()])
        self.edges = "".join(sorted({"\n", *spaces}))
        self.stops = frozenset(grammar.stops) - self.unwraps.keys()
        self.strays = frozenset(text for form in self.forms for text in form.closers if len(text) > 2)
        header = grammar.header
        self.header_ends = frozenset(header.ends if header else ())
        self.header_begins = frozenset([header.begin.strip()] if header else ())
        self.closes = frozenset(header.closes if header else ())
        #: Ends of headers that say by themselves what follows: they begin a message wherever they stand.
        self.kinds = self.header_ends & {route.match for route in (header.routes if header else ())}
        self.in_body = Markers([*self.closes, *self.header_begins, *self.stops, *self.kinds])
        self.in_header = Markers([*self.header_ends, *self.in_body.texts])
        common = [*self.triggers, *self.stops, *self.header_begins, *grammar.ignored]
        outer = [*common, *self.strays, *self.reasons, *self.unreasons, *self.wraps, *self.unwraps]
        self.in_content = Markers(outer)
        self.in_calls = Markers([*outer, *self.closes])
        wraps = [text for text in self.wraps if "|" in text]
        self.in_reasoning = Markers([*common, *self.unreasons, *self.reasons, *wraps])
        #: All that is looked for.
        self.markers = self.in_content.texts | self.in_header.texts | self.in_body.texts
        #: What ends the output, or a message of it.
        self.ends = self.stops | self.header_begins | self.closes

    def _literals(self) -> list[str]:
        """What may follow a text."""
        grammar = self.grammar
        found = [text for block in grammar.reasoning for text in block]
        found += [*(grammar.content or ()), *grammar.stops]
        return found + [text for form in grammar.calls for text in (form.begin, form.call)]

    def _add_block(self, block: Block) -> None:
        for table, text in ((self.reasons, block.open), (self.unreasons, block.close)):
            literal = atoms(text)
            if not literal:
                continue
            whole = joined(literal)
            table.setdefault(whole, (block, literal[_count(literal, whole) :]))
            if literal[0].text in self._single and CONTROL.fullmatch(literal[0].text):
                table.setdefault(literal[0].text, (block, literal[1:]))

    def _add_form(self, form: Form) -> None:
        index = 0
        while index < len(form.opening):
            # What precedes the first call only, and what precedes every call, are looked for each on its own.
            stop = len(form.begin) if index < len(form.begin) else len(form.opening)
            literal = form.opening[index:stop]
            whole = joined(literal)
            count = _count(literal, whole)
            certain = index == 0 or any(atom.is_marker for atom in literal[:count])
            if certain and len(whole) > 1:
                self.triggers.setdefault(whole, []).append(Opening(form, index + count))
            head = literal[0].text
            if count > 1 and head in self._single and CONTROL.fullmatch(head):
                self.triggers.setdefault(head, []).append(Opening(form, index + 1))
            index += count

    def _wrap(self, text: str) -> dict[str, str]:
        literal = atoms(text)
        return {joined(literal): literal[-1].after} if literal else {}


def after_joined(literal: tuple[Atom, ...]) -> tuple[Atom, ...]:
    """The atoms after those that `joined` puts together."""
    return literal[_count(literal, joined(literal)) :]


def _count(literal: tuple[Atom, ...], whole: str) -> int:
    """How many atoms `whole` is made of."""
    size, count = 0, 0
    while size < len(whole):
        size += len(literal[count].text)
        count += 1
    return count
