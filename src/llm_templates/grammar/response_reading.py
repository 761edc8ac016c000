"""Response reading: the grammar that a `response_template` of Hugging Face's transformers describes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from ..errors import InputError
from .data import grammar_of, table_of
from .grammar import Block, CallForm, Grammar, Header, Route
from .layout import atoms, escaped
from .pattern_reading import Anything, Edge, Group, Literal, Way, layout_of, text_of, ways
from .response_calls import CallReading, Unreadable, call_forms

#: What the field of the reasoning is called; the format leaves the name to whoever writes a template.
REASONING = ("reasoning_content", "thinking", "reasoning")
#: What a template and a field of it may say.
TOP = ("version", "defaults", "start_anchor", "start_anchor_pattern", "fields")
OPTIONS = (
    *("open", "open_pattern", "close", "close_pattern", "content", "content_args"),
    *("repeats", "join", "optional", "transform", "transform_each"),
)
CONTENTS = ("text", "int", "float", "bool", "json", "xml-inline", "kv-lines")

OUTSIDE = "text outside of the fields is content here, and dropped there"
ANYTHING = "where a pattern lets anything stand, nothing is expected, or a space between words"


class _Region(NamedTuple):
    """A field of the template, with what its anchors may match."""

    name: str
    opens: list[Way]
    closes: list[Way]
    options: Mapping[str, Any]

    @property
    def strips(self) -> bool:
        """Whether white space around the text is left out."""
        return bool(self.options.get("content_args", {}).get("strip", True))


def from_response_template(spec: Mapping[str, Any]) -> tuple[Grammar, list[str]]:
    r"""The grammar that a `response_template` describes, and remarks on what of it a grammar cannot say.

    Raises:
        InputError: it is no response template, with the place and the reason.

    >>> fields = {"thinking": {"open": "<think>", "close": "</think>"}, "content": {"close": "<|im_end|>"}}
    >>> grammar, remarks = from_response_template({"start_anchor": "<|im_start|>assistant\n", "fields": fields})
    >>> grammar.reasoning, grammar.stops, remarks
    ((Block(open='<think>\n', close='\n</think>\n\n'),), ('<|im_end|>',), [])
    """
    regions = _checked(spec)
    return _Reader(spec, regions).grammar()


def with_response_template(derived: Grammar, spec: Mapping[str, Any]) -> Grammar:
    """A grammar with what a model's own `response_template` says where the chat template shows nothing.

    Raises:
        InputError: it is no response template, with the place and the reason.

    >>> fields = {"reasoning_content": {"open": "<think>", "close": "</think>"}}
    >>> grammar = with_response_template(Grammar(opener="Model:"), {"start_anchor": "Model:", "fields": fields})
    >>> grammar.reasoning[0].open, grammar.evidence["reasoning"]
    ('<think>\\n', 'response_template')
    """
    shipped, _ = from_response_template(spec)
    if derived.header is not None:
        return derived
    if shipped.header is not None:
        # Messages with headers look like wrapped text to whoever does not know of them.
        taken: dict[str, Any] = {"header": shipped.header, "calls": shipped.calls, "reasoning": (), "content": None}
    else:
        parts = ("reasoning", "content", "calls", "stops", "opener")
        taken = {
            part: getattr(shipped, part) for part in parts if getattr(shipped, part) and not getattr(derived, part)
        }
    kept = {place: why for place, why in derived.evidence.items() if re.split(r"[.\[]", place)[0] not in taken}
    proof = {part: shipped.evidence[part] for part in taken if part in shipped.evidence}
    return derived._replace(**taken, evidence={**kept, **proof})


# Checking


def _checked(spec: Any) -> dict[str, _Region]:
    table = _table(spec, "response_template", TOP)
    if table.get("version", 1) != 1:
        raise InputError(f"version: only version 1 is known, not {table['version']!r}")
    fields = _table(table.get("fields"), "fields")
    if not fields:
        raise InputError("fields: there are none")
    regions = {}
    for name, options in fields.items():
        place = f"fields.{name}"
        _table(options, place, OPTIONS)
        if options.get("content", "text") not in CONTENTS:
            raise InputError(f"{place}.content: {options['content']!r} is none of {', '.join(CONTENTS)}")
        _table(options.get("content_args", {}), f"{place}.content_args")
        opens, closes = (_anchor(options, key, place) for key in ("open", "close"))
        regions[name] = _Region(name, opens, closes, options)
    if sum(not region.opens for region in regions.values()) > 1:
        raise InputError("fields: only one may do without `open`")
    return regions


def _table(value: Any, place: str, known: Collection[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"{place}: expected a table, not {type(value).__name__}")
    for key in value:
        if known is not None and key not in known:
            raise InputError(f"{place}.{key}: there is no such key", hint=f"the keys are {', '.join(known)}")
    return value


def _anchor(options: Mapping[str, Any], key: str, place: str) -> list[Way]:
    """What an anchor may match."""
    literal, pattern = options.get(key), options.get(f"{key}_pattern")
    if pattern is not None and literal is not None:
        raise InputError(f"{place}.{key}: either `{key}` or `{key}_pattern`")
    if pattern is not None:
        if not isinstance(pattern, str):
            raise InputError(f"{place}.{key}_pattern: expected text, not {type(pattern).__name__}")
        try:
            return ways(pattern)
        except InputError as error:
            raise InputError(f"{place}.{key}_pattern: {error.message}") from None
    texts = [literal] if isinstance(literal, str) else literal
    if texts is None:
        return []
    if not isinstance(texts, list | tuple) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise InputError(f"{place}.{key}: expected text, or a list of texts")
    return [(Literal(text),) for text in texts]


# Reading


class _Reader:
    def __init__(self, spec: Mapping[str, Any], regions: Mapping[str, _Region]) -> None:
        self.spec = spec
        self.remarks: list[str] = []
        self.reasoning = next((regions[name] for name in REASONING if name in regions), None)
        self.content = regions.get("content")
        self.calls = regions.get("tool_calls")
        self.regions = [region for region in (self.reasoning, self.content, self.calls) if region]
        for name in regions:
            if regions[name] not in self.regions:
                self.remarks.append(f"the field {name} is none of a message, and is left out")
        if spec.get("defaults", {"role": "assistant"}) != {"role": "assistant"}:
            self.remarks.append("the defaults are left out")
        if any(not region.options.get("optional", True) for region in self.regions):
            self.remarks.append("a grammar does not demand any field")

    def grammar(self) -> tuple[Grammar, list[str]]:
        """What the fields add up to."""
        grammar = Grammar(opener=self._opener())
        ends = self._header_ends()
        grammar = self._checked(self._messages(grammar, ends) if ends else self._marked(grammar))
        places = ("reasoning", "content", "calls", "header", "stops", "opener")
        proof = {place: "response_template" for place in places if getattr(grammar, place)}
        return grammar._replace(evidence=proof), self.remarks

    def _checked(self, grammar: Grammar) -> Grammar:
        """The grammar without what is none, whatever the template meant by it."""
        for part, entries in table_of(grammar).items():
            try:
                grammar_of({part: entries})
            except InputError as error:
                self._remark(f"{part} is left out: {error.message}")
                grammar = grammar._replace(**{part: Grammar._field_defaults[part]})
        return grammar

    def _opener(self) -> str:
        anchors = _anchor(self.spec, "start_anchor", "response_template")
        if not anchors:
            raise InputError("start_anchor: it is missing")
        texts = [_exact(way) for way in anchors]
        shortest = min(texts, key=len)
        if all(text.startswith(shortest) for text in texts):
            return shortest
        self.remarks.append(f"of what precedes an output, only {texts[0]!r} is kept")
        return texts[0]

    def _text(self, way: Way) -> str:
        """The literal text of a way of matching, with a remark where it is more."""
        if any(isinstance(piece, Anything) for piece in way):
            self._remark(ANYTHING)
        return text_of(way)

    def _remark(self, remark: str) -> None:
        if remark not in self.remarks:
            self.remarks.append(remark)

    # Regions with marks of their own

    def _marked(self, grammar: Grammar) -> Grammar:
        stops: list[str] = []
        content = None
        if self.content and self.content.opens:
            close, *stops = _texts(self.content.closes) or [""]
            content = self._block(self.content, self._text(self.content.opens[0]), close)
        elif self.content:
            stops = _texts(self.content.closes)
            content = next((Block(one, two) for one in stops for two in stops if two in _partners(one)), None)
            stops = [stop for stop in stops if content is None or stop not in content]
        if not self.content or self.content.opens:
            self._remark(OUTSIDE)
        blocks = self._blocks(grammar.opener, stops) if self.reasoning else ()
        closes = {block.close.strip() for block in blocks}
        opener = grammar.opener
        for block in blocks:
            # The anchor holds the mark that opens the reasoning, which belongs to that.
            if block.open.strip() and opener.rstrip().endswith(block.open.strip()):
                opener = opener.rstrip().removesuffix(block.open.strip())
        forms = self._forms(stops)
        own = {mark for form in forms for mark in (form.begin, form.end)}
        stops = [stop for stop in stops if stop not in closes | own]
        return grammar._replace(
            opener=opener, reasoning=tuple(filter(any, blocks)), content=content, calls=tuple(forms), stops=tuple(stops)
        )

    def _blocks(self, opener: str, stops: Collection[str]) -> tuple[Block, ...]:
        assert self.reasoning is not None
        closes = [text for text in _texts(self.reasoning.closes) if text not in stops] or [""]
        opens = [self._text(way) for way in self.reasoning.opens] or [""]
        pairs = zip(opens, closes, strict=True) if len(opens) == len(closes) else product(opens, closes)
        found = []
        for text, close in pairs:
            partner = close.replace("</", "<", 1)
            is_shown = partner != close and opener.rstrip().endswith(partner)
            found.append(self._block(self.reasoning, text or (partner if is_shown else ""), close))
        return tuple(dict.fromkeys(found))

    def _block(self, region: _Region, open_: str, close: str) -> Block:
        """A text between two marks; where white space is left out, templates have these on lines of their own."""
        if not region.strips:
            return Block(open_, close)
        after = "\n\n" if region is self.reasoning else ""
        return Block(open_ and f"{open_}\n", close and f"\n{close}{after}")

    def _forms(self, stops: Sequence[str]) -> list[CallForm]:
        if self.calls is None:
            return []
        try:
            forms, remarks = call_forms(self.calls.options, self.calls.opens, self.calls.closes, stops)
        except Unreadable as error:
            self._remark(f"tool calls are left out: {error}")
            return []
        is_loose = any(isinstance(piece, Anything) for way in self.calls.opens for piece in way)
        if is_loose and not any("{json}" in form.call for form in forms):
            self._remark(ANYTHING)
        for remark in remarks:
            self._remark(remark)
        return forms

    # Messages with headers

    def _header_ends(self) -> tuple[str, ...]:
        """What ends the headers, where the texts that open the fields are such."""
        texts = [region for region in (self.reasoning, self.content) if region]
        if not texts or not all(region.opens for region in self.regions):
            return ()
        marks = [_last_mark(way) for region in texts for way in region.opens]
        if all(marks) and len({*marks}) == 1 and len(texts) > 1:
            return (marks[0],)
        if not all(marks) or not all(map(_is_loose, texts)):
            return ()
        calls = [_last_mark(way) for way in self.calls.opens] if self.calls and _is_loose(self.calls) else []
        return tuple(dict.fromkeys(filter(None, marks + calls)))

    def _messages(self, grammar: Grammar, ends: tuple[str, ...]) -> Grammar:
        begin = grammar.opener.strip()
        routes, forms = self._call_routes(begin, ends)
        for region, to in ((self.reasoning, "reasoning"), (self.content, "content")):
            for way in region.opens if region else ():
                sought = _sought(way, begin, ends)
                # A header that nothing else fits is content's anyway.
                if to == "reasoning" or sought not in ends or Edge() not in way:
                    routes.append(Route(sought, to))
        closes = _texts(way for region in self.regions for way in region.closes)
        if self.calls and not any(route.to not in ("reasoning", "content") for route in routes):
            forms = self._forms(())
            self._remark(OUTSIDE)
            known = {route.match for route in routes}
            routes += [Route(escaped(end), "calls") for end in ends if escaped(end) not in known]
            closes = [text for text in closes if not any(text in form.call for form in forms)]
        header = Header(begin, ends, tuple(closes), tuple(dict.fromkeys(routes)))
        return grammar._replace(header=header, calls=tuple(forms))

    def _call_routes(self, begin: str, ends: Collection[str]) -> tuple[list[Route], list[CallForm]]:
        """The headers after which come the arguments of a call, or a call."""
        found = [way for way in (self.calls.opens if self.calls else ()) if _last_mark(way) in ends]
        if not self.calls or not found:
            return [], []
        try:
            reading = CallReading.of(self.calls.options)
        except Unreadable as error:
            self._remark(f"tool calls are left out: {error}")
            return [Route(_sought(way, begin, ends), "nothing") for way in found], []
        if reading.by_name:
            return [Route(_until_name(way, begin), "arguments") for way in found], []
        return [Route(_sought(way, begin, ends), "calls") for way in found], [CallForm("{json}", keys=reading.keys)]


# Texts


def _exact(way: Way) -> str:
    """The text of a way of matching, white space included."""
    return "".join(piece.text for piece in way if isinstance(piece, Literal))


def _texts(found: Iterable[Way]) -> list[str]:
    return list(dict.fromkeys(filter(None, map(text_of, found))))


def _partners(text: str) -> set[str]:
    """What closes what a marker opens, by its looks."""
    pairs = (("<", "</"), ("START", "END"), ("start", "end"), ("BEGIN", "END"), ("begin", "end"))
    return {text.replace(*pair, 1) for pair in pairs} - {text}


def _is_loose(region: _Region) -> bool:
    """Whether anything may stand in what opens a field, as in headers."""
    return all(any(isinstance(piece, Anything) for piece in way) for way in region.opens)


def _last_mark(way: Way) -> str:
    """The last marker of what opens a field; "" where that does not end in one."""
    last = way[-1] if way else None
    if not isinstance(last, Literal):
        return ""
    found = atoms(last.text)
    return found[-1].text if found and found[-1].is_marker else ""


def _until_name(way: Way, begin: str) -> str:
    """What a header has up to the name of a tool."""
    at = next((index for index, piece in enumerate(way) if isinstance(piece, Group)), len(way))
    return layout_of(way[: at + 1], ("name",)).removeprefix(begin).strip()


def _sought(way: Way, begin: str, ends: Collection[str]) -> str:
    """What tells a header from others: its text without what begins and ends every one."""
    text = layout_of(tuple(piece for piece in way if not isinstance(piece, Edge | Anything)), ("name",)).strip()
    text = text.removeprefix(escaped(begin)).strip()
    for end in ends:
        if text.endswith(escaped(end)) and len(text) > len(escaped(end)):
            return text.removesuffix(escaped(end)).strip()
    return text
