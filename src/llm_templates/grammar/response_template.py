"""Response templates: a grammar in the format in which Hugging Face's transformers describes outputs.

The format is that of `response_template` in `tokenizer_config.json` (transformers 5.13 and later, vLLM, SGLang,
Transformers.js): regions of the output, each between an opening and a closing text or pattern, and how the text of each
is read. `from_response_template` and `with_response_template` read one; they live in `response_reading`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from ..errors import InputError
from .data import TAGGED
from .grammar import CallForm, Grammar, Header, Route
from .layout import Atom, Field, layout
from .patterns import WORD, argument_pattern, either, escaped, field_pattern, is_literal, literal_pattern
from .response_reading import from_response_template, with_response_template

__all__ = ["from_response_template", "to_response_template", "with_response_template"]

#: What the field of the reasoning is called: by transformers and TRL, and by vLLM and SGLang.
FIELDS = ("reasoning_content", "thinking")
#: The longest header of a message, in characters.
HEADER = 256
#: What the format has no words for, by dialect.
_BEYOND = {"nested": "arguments nested in tags", "python": "arguments written as Python"}
_GROUP = re.compile(r"\(\?P<\w+>")


def to_response_template(grammar: Grammar, field: str = "reasoning_content") -> dict[str, Any]:
    r"""A grammar as a `response_template`, for the first of its call forms, which is the model's own.

    As in all published ones, white space around a text is left out, and content after a call takes the place of content
    before it. Values that do not say their type are text, unless a parser is given `tools`.

    Args:
        grammar: what outputs look like.
        field: what the reasoning is called: "reasoning_content" in transformers and TRL; "thinking" in vLLM and SGLang,
            which refuse any other name.

    Raises:
        InputError: the grammar has something that the format cannot express, with the reason.

    >>> grammar = Grammar(opener="<|im_start|>assistant\n", stops=("<|im_end|>",))
    >>> to_response_template(grammar)["fields"]
    {'content': {'close_pattern': '<\\|im_end\\|>\\s*', 'content': 'text'}}
    """
    if field not in FIELDS:
        raise InputError(f"the reasoning cannot be called {field!r}", hint=f"name it {' or '.join(FIELDS)}")
    if not grammar.opener:
        raise InputError(
            "the grammar does not say what precedes an output, where a response template begins to read",
            hint='give it an opener, such as "<|im_start|>assistant\\n"',
        )
    write = _messages if grammar.header else _regions
    return {
        "defaults": {"role": "assistant"},
        "start_anchor": _start(grammar),
        "fields": write(grammar, field),
    }


def _start(grammar: Grammar) -> str | list[str]:
    """What the message begins after: what precedes the output, and the end of reasoning that nothing opened."""
    shown = grammar.prompt.rpartition(grammar.opener)[2]
    closes = [
        block.close.strip() for block in grammar.reasoning if any(mark and mark.strip() in shown for mark in block)
    ]
    texts = [grammar.opener, *(grammar.opener + close for close in closes if close)]
    return texts if len(texts) > 1 else grammar.opener


# Regions with marks of their own


def _regions(grammar: Grammar, field: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    calls = _calls(grammar) if grammar.calls else None
    if grammar.reasoning:
        fields[field] = _reasoning(grammar)
    # Not every model wraps its answers, so what wraps them only parts the content from other text.
    wraps = grammar.content or ()
    parting = [literal_pattern(text) for text in (*wraps, *grammar.stops, *grammar.ignored) if text.strip()]
    parting += calls.parting if calls else ()
    close = {"close_pattern": rf"{either(parting)}\s*"} if parting else {}
    fields["content"] = {**close, "content": "text"}
    if calls:
        fields["tool_calls"] = calls.field()
    return fields


def _reasoning(grammar: Grammar) -> dict[str, Any]:
    opens = [block.open for block in grammar.reasoning]
    closes = [*(block.close for block in grammar.reasoning), *grammar.stops]
    # What nothing opens begins where the message does, and what nothing closes ends where the answer begins.
    start = [] if all(map(str.strip, opens)) else [r"\A"]
    wrap = grammar.content.open.strip() if grammar.content else ""
    end = [f"(?={literal_pattern(wrap)})"] if wrap and not all(block.close for block in grammar.reasoning) else []
    return {**_anchor("open", opens, start), **_anchor("close", closes, end), "content": "text"}


def _anchor(key: str, texts: Iterable[str], patterns: Sequence[str]) -> dict[str, Any]:
    """Literal texts where that is possible: a parser need not wait for more of them."""
    texts = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    if patterns or not all(map(is_literal, texts)):
        return {f"{key}_pattern": "|".join([*map(literal_pattern, texts), *patterns])}
    return {key: texts if len(texts) > 1 else texts[0]} if texts else {}


# Calls


class _Calls(NamedTuple):
    """The field of calls, and what stands around runs of them."""

    opens: tuple[str, ...]
    closes: tuple[str, ...]
    #: How what is between them is read, and what becomes of it.
    reading: dict[str, Any]
    parting: tuple[str, ...] = ()

    def field(self) -> dict[str, Any]:
        close = {"close_pattern": "|".join(self.closes)} if self.closes else {}
        return {"open_pattern": "|".join(self.opens), **close, "repeats": True, **self.reading}

    def with_form(self, other: _Calls) -> _Calls:
        """The same for another form, too, if it is read in the same way; no pattern may have a group twice."""
        named = any("(?P<" in pattern for pattern in (*self.opens, *other.opens))
        if other.reading != self.reading or (named and other.opens != self.opens):
            return self
        return _Calls(
            tuple(dict.fromkeys(self.opens + other.opens)),
            tuple(dict.fromkeys(self.closes + other.closes)),
            self.reading,
            tuple(dict.fromkeys(self.parting + other.parting)),
        )


def _calls(grammar: Grammar) -> _Calls:
    """The calls in the model's own form, and in others that are read in the same way."""
    stops = [literal_pattern(stop) for stop in grammar.stops if stop.strip()]
    calls = _form_calls(grammar.calls[0], stops)
    for form in grammar.calls[1:]:
        with suppress(InputError):
            calls = calls.with_form(_form_calls(form, stops))
    return calls


def _form_calls(form: CallForm, stops: Sequence[str]) -> _Calls:
    parts = layout(form.call).parts
    at = next(index for index, part in enumerate(parts) if part in (Field("json"), Field("arguments")))
    if any(isinstance(part, Field) for part in parts[at + 1 :]):
        raise InputError(f"the call {form.call!r} has a field after its arguments, which nothing reads")
    begin, between, end = (literal_pattern(text) for text in (form.begin, form.between, form.end))
    opening, closing = field_pattern(parts[:at]), field_pattern(parts[at + 1 :])
    if parts[at] == Field("json"):
        reading = {"content": "json", "transform": _json_transform(form)}
        if not (opening and form.between):
            return _json_calls(form, stops, reading)
    else:
        reading = {**_arguments(form), "transform": _transform(parts)}
    leads = [rf"{mark}\s*" for mark in (begin, between) if mark]
    opened = (f"(?:{'|'.join(leads)})?" if leads else "") + opening
    closes = [closing] if closing else [*filter(None, [end]), *stops]
    # Without a mark of its own, a call ends where the next one begins, too.
    following = [] if closing else [rf"(?=\s*{_GROUP.sub('(?:', opened)})"]
    return _Calls(
        (rf"{opened}\s*",),
        (*([rf"{either(closes)}\s*"] if closes else []), *following),
        reading,
        # A parser must not wait for the end of the run with each call, as it may not come.
        (end,) if closing and end else (),
    )


def _json_calls(form: CallForm, stops: Sequence[str], reading: dict[str, Any]) -> _Calls:
    """Calls of which each may be one JSON object, or all of them an array: the parser reads one object at a time."""
    before, after = form.call.split("{json}")
    begin, own = literal_pattern(form.begin), literal_pattern(before)
    head = rf"{begin}\s*{own}" if begin and own else begin or own
    close, end = literal_pattern(after), literal_pattern(form.end)
    shape = _shape(form)
    separator = literal_pattern(form.between) or (r"[,;]" if own else r"[,;\n]")
    # Bounded, so that blank lines are not read again from each of them.
    another = rf"{separator}\s{{0,8}}(?={shape})"
    opens = [rf"{head}\s*(?:\[\s*)?(?=\{{)" if head else rf"(?:\[\s*)?(?={shape})", another]
    tail = [*filter(None, [close or end]), *stops]
    closes = [rf"(?:\]\s*)?{either(tail)}\s*"] if tail else []
    parting = (end,) if close and end else ()
    return _Calls(tuple(opens), (*closes, r"\]\s*\Z", rf"(?=\s{{0,8}}{another})"), reading, parting)


def _shape(form: CallForm) -> str:
    """How the JSON of a call begins."""
    keys = form.keys
    name, arguments = (rf'"{escaped(key)}"\s*:' for key in (keys.name, keys.arguments))
    identity = rf'(?:"{escaped(keys.id)}"\s*:\s*"[^"]*"\s*,\s*)?' if keys.id else ""
    return rf'\{{\s*{identity}{name}\s*"[^"]*"\s*,\s*{arguments}'


def _json_transform(form: CallForm) -> dict[str, Any]:
    keys = form.keys
    if not keys.name:
        raise InputError("a response template cannot read a call whose name is a key of its JSON")
    if (keys.name, keys.arguments, keys.id) == ("name", "arguments", ""):
        return {"type": "function", "function": "{content}"}
    for key in (keys.name, keys.arguments):
        if not re.fullmatch(r"\w+", key):
            raise InputError(f"a response template cannot name the key {key!r}")
    function = {"name": f"{{content.{keys.name}}}", "arguments": f"{{content.{keys.arguments}}}"}
    return {"type": "function", "function": function}


def _transform(parts: Iterable[Atom | Field]) -> dict[str, Any]:
    call = {"type": "function", "function": {"name": "{name}", "arguments": "{content}"}}
    return {"id": "{id}", **call} if Field("id") in parts else call


def _arguments(form: CallForm) -> dict[str, Any]:
    """How the text of arguments is read."""
    if form.arguments in _BEYOND:
        raise InputError(f"a response template cannot read {_BEYOND[form.arguments]}")
    if form.arguments == "loose":
        quotes = {"string_delims": [[form.quote, form.quote]]} if form.quote else {}
        return {"content": "json", "content_args": {"unquoted_keys": True, **quotes}}
    if form.arguments not in TAGGED:
        return {"content": "json"}
    if form.types:
        raise InputError("a response template cannot read the types of values that stand beside them")
    if layout(form.argument).parts[-1] == Field("value"):
        raise InputError(f"nothing closes a value in the argument {form.argument!r}")
    reading: dict[str, Any] = {"tag_pattern": argument_pattern(form.argument)}
    if form.quoted:
        reading["value_parser"] = {"name": "json"}
    return {"content": "xml-inline", "content_args": reading}


# Messages with headers


def _messages(grammar: Grammar, field: str) -> dict[str, Any]:
    """The fields of messages that begin with a header saying what they are; text outside of them is nothing."""
    assert grammar.header is not None
    routes = _Routes(grammar.header)
    closes = [*grammar.header.closes, *grammar.stops]
    ends = [*map(literal_pattern, filter(str.strip, closes)), f"(?={routes.begin})" if routes.begin else r"\Z"]
    # What is said in several messages of a kind belongs together, but not every parser can join texts.
    joins = {"repeats": True, "join": "", "content_args": {"strip": False}} if field == FIELDS[0] else {}
    text = {"close_pattern": "|".join(dict.fromkeys(ends)), "content": "text", **joins}
    fields: dict[str, Any] = {}
    for name, to in ((field, "reasoning"), ("content", "content")):
        opening = routes.opening(to)
        if opening:
            fields[name] = {"open_pattern": opening, **text}
    body = {"close_pattern": text["close_pattern"], "repeats": True, "content": "json"}
    if any(route.to == "arguments" for route in grammar.header.routes):
        transform = {"type": "function", "function": {"name": "{name}", "arguments": "{content}"}}
        fields["tool_calls"] = {"open_pattern": routes.opening("arguments"), **body, "transform": transform}
    elif grammar.calls and any(route.to == "calls" for route in grammar.header.routes):
        form = grammar.calls[0]
        if form.call == "{json}":
            opening = routes.opening("calls")
            fields["tool_calls"] = {"open_pattern": opening, **body, "transform": _json_transform(form)}
        else:
            fields["tool_calls"] = _calls(grammar).field()
    return fields


class _Routes:
    """Patterns for the headers that lead somewhere; of several routes that fit, the first decides."""

    def __init__(self, header: Header) -> None:
        self.routes = header.routes
        self.ends = tuple(end.strip() or end for end in header.ends)
        self.begin = escaped(header.begin.strip())
        self._end = either(map(escaped, self.ends))
        stopping = "|".join(filter(None, [*map(escaped, self.ends), self.begin]))
        #: Any text of a header, as little as there can be.
        self._any = rf"(?:(?!{stopping})[\s\S]){{0,{HEADER}}}?"

    def opening(self, to: str) -> str:
        """A pattern for a whole header after which comes what goes there; "" if none does."""
        found = [index for index, route in enumerate(self.routes) if route.to == to]
        others = [index for index, route in enumerate(self.routes) if route.to != to]
        # Content is what no other route fits, so that only those before such routes matter.
        found = [index for index in found if to != "content" or index < max(others, default=0)]
        heads = [self._sought(index) for index in found if not self._has_end(self.routes[index])]
        if to == "content":
            heads.append(self._not(others))
        whole = [self._sought(index) for index in found if self._has_end(self.routes[index])]
        name = f"(?P<name>{WORD}+)" if to == "arguments" else ""
        rest = [f"{either(heads)}{name}{self._any}{self._end}"] if heads else []
        begin = rf"(?:{self.begin}|\A)" if self.begin else r"\A"
        return f"{begin}{either([*rest, *whole])}" if rest or whole else ""

    def _sought(self, index: int) -> str:
        """A pattern for a header up to what a route seeks in it, or to the name; not one that an earlier route fits."""
        route = self.routes[index]
        earlier = [other for other in range(index) if self.routes[other].to != route.to]
        text = self._text(route, "" if route.to == "arguments" else f"{WORD}+")
        return f"{self._not(earlier)}{self._lead(route)}{text}"

    def _not(self, indices: Sequence[int]) -> str:
        """A pattern for what no header has that one of these routes fits."""
        texts: dict[str, list[str]] = {}
        for route in (self.routes[index] for index in indices):
            texts.setdefault(self._lead(route), []).append(self._text(route, f"{WORD}+"))
        return f"(?!{'|'.join(lead + either(found) for lead, found in texts.items())})" if texts else ""

    def _lead(self, route: Route) -> str:
        """A pattern for what precedes what a route seeks; a name alone is sought at the beginning."""
        return r"\s*" if layout(route.match).parts[:1] == (Field("name"),) else self._any

    def _text(self, route: Route, name: str) -> str:
        """A pattern for what a route seeks, up to the name if there is one in it."""
        parts = layout(route.match)
        return escaped(parts.before("name").strip()) + (name if "name" in parts.fields else "")

    def _has_end(self, route: Route) -> bool:
        """Whether what a route seeks is what ends the header, too."""
        return route.match.strip().endswith(self.ends)
