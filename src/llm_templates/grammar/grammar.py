"""Grammar: what a model's output looks like, as frozen data; every part knows what proved it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Block(NamedTuple):
    """Text between two markers; the white space that the template writes beside them belongs to the markers."""

    #: "" where nothing opens it: it begins where the prompt left off.
    open: str
    #: "" where only the end of the turn, or another marker, ends it.
    close: str


class Keys(NamedTuple):
    """The keys of a call that is one JSON object."""

    #: "" where the name is itself the key of the arguments: `{"f": {"a": 1}}`.
    name: str = "name"
    arguments: str = "arguments"
    #: "" where calls have no id.
    id: str = ""


class CallForm(NamedTuple):
    """One way in which calls are written.

    `call` is a layout (see `layout`): literal text with the fields `{name}`, `{id}`, `{index}` and `{arguments}`, or
    `{json}` where the whole call is one JSON object or an array of them. A run of calls stands between `begin` and
    `end`.
    """

    call: str
    begin: str = ""
    end: str = ""
    #: What stands between two calls.
    between: str = ""
    #: How arguments are written: a row of `dialects.DIALECTS`: "json", "tagged", "nested", "python" or "loose".
    arguments: str = "json"
    #: The layout of one argument, with the fields `{key}`, `{value}` and `{type}`; for "tagged" and "nested".
    argument: str = ""
    #: What `{type}` says of a value: "string", or "json" for everything else.
    types: Mapping[str, str] = {}
    #: Whether values of "tagged" arguments are all JSON, strings in quotes, too.
    quoted: bool = False
    #: What quotes strings in "loose" arguments beside `"`, such as `<|"|>`.
    quote: str = ""
    keys: Keys = Keys()


class Route(NamedTuple):
    """Where the text after a header goes."""

    #: A layout that is found in the header: literal text, and `{name}` for the name of a tool.
    match: str
    #: "reasoning", "content", "arguments" (of the call that `match` names), "calls" (calls in one of the forms) or
    #: "nothing".
    to: str


class Header(NamedTuple):
    """Messages that begin with a header saying what they are, as in Harmony."""

    #: What begins another message after the first; the generation prompt begins the first.
    begin: str
    #: What ends the header; the first that comes.
    ends: tuple[str, ...]
    #: What ends a message.
    closes: tuple[str, ...]
    #: The first that fits decides; none: content.
    routes: tuple[Route, ...]


class Grammar(NamedTuple):
    """What a model's output looks like.

    Derived from a template by `derive`, with the family's overrides where a template cannot show it; written and read
    as TOML by `exchange`.
    """

    #: The way reasoning is written, the usual one first; several where models of the format differ.
    reasoning: tuple[Block, ...] = ()
    #: What wraps the answer; None where nothing does.
    content: Block | None = None
    #: The ways calls are written. The first is the model's own; others are accepted.
    calls: tuple[CallForm, ...] = ()
    header: Header | None = None
    #: What ends the output.
    stops: tuple[str, ...] = ()
    #: What precedes the output in a prompt, up to where the model, or the prompt for it, begins with reasoning.
    opener: str = ""
    #: The generation prompt that the template writes without options; what a parser starts after.
    prompt: str = ""
    #: Texts that mean nothing in the output, such as `<|python_start|>`.
    ignored: tuple[str, ...] = ()
    #: What proved each part, by its place ("reasoning", "calls[0].call"): a probe, or the reason of an override.
    evidence: Mapping[str, str] = {}
