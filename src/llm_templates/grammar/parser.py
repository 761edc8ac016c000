"""Parser: an output, in any pieces, to events and a message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ..errors import InputError
from .collector import Collector, Span
from .cursor import Cursor, Event
from .grammar import Grammar
from .layout import atoms
from .machine import Machine
from .tables import Tables, joined
from .value_types import ToolTypes


class Decoding(Protocol):
    """What turns ids into text; `tokens.decoding.Decoder` does."""

    #: The texts of control tokens, by id.
    controls: dict[int, str]

    def texts(self, ids: Sequence[int]) -> list[tuple[str, bool]]:
        """The text of more ids, in pieces; whether each is a control token."""

    def rest(self) -> str:
        """The text of what was cut off."""


class Parser:
    """Reads one output of a model, as it comes.

    Made by `ChatTemplate.parser`, or from a grammar of one's own.

    Args:
        grammar: what outputs look like.
        prompt: the prompt that the output goes on with, or its end; the grammar's own if None.
        tools: the tools the model had.
        decoder: what turns ids into text, to be fed ids.

    >>> from llm_templates import load
    >>> parser = load("qwen3").parser()
    >>> parser.feed("<think>\\nEasy.\\n</th")
    [{'reasoning_content': 'Easy.'}]
    >>> parser.feed("ink>\\n\\nHello!")
    [{'content': 'Hello!'}]
    >>> parser.finish()
    {'role': 'assistant', 'content': 'Hello!', 'reasoning_content': 'Easy.'}
    """

    def __init__(
        self,
        grammar: Grammar | Tables,
        prompt: str | None = None,
        tools: Sequence[Any] | None = None,
        decoder: Decoding | None = None,
    ) -> None:
        tables = grammar if isinstance(grammar, Tables) else Tables(grammar)
        grammar = tables.grammar
        given = grammar.prompt if prompt is None else prompt
        self._cursor = Cursor()
        self._collector = Collector(given)
        self._cursor.told = self._collector.taken
        self._machine = Machine(tables, self._cursor, self._collector, ToolTypes(tools))
        self._message: dict[str, Any] | None = None
        #: The events that only the end of the output brought about, after `finish`.
        self.last_events: list[Event] = []
        tail, space = _tail(given, tables)
        opened = bool(tail is not None and grammar.reasoning and not grammar.reasoning[0].open)
        self._machine.region.skip(space)
        self._running = self._machine.run(opened)
        # Places count from where the output begins.
        self._cursor.base = -len(tail or "")
        self._feed(tail or "")
        # What was read so far is the prompt's: it sets the state, and is no output.
        self._machine.region.forget()
        self._cursor.bypass = None
        self._collector.begin_output(self._machine.region.kind, self._machine.calls.told)
        self._decoder = decoder
        if decoder is not None:
            heads = tuple(decoder.controls.values())
            self._cursor.control_texts = frozenset(text for text in tables.markers if text.startswith(heads))

    def feed(self, output: str | Sequence[int]) -> list[Event]:
        """Take more of the output; what became certain by it, as `delta`s of OpenAI's streaming chunks.

        Text, or ids where the parser has a tokenizer: then what looks like a control token, but is not one, is text.

        `{"reasoning_content": text}`, `{"content": text}` and `{"tool_calls": [...]}`. One more kind of event is rare:
        `{"reclassified": {"content": "reasoning_content"}}` says that the content so far was reasoning, because a
        marker closed it that nothing had opened.
        """
        # Most pieces are only more of the same text.
        bypass = self._cursor.bypass
        if bypass is not None and output.__class__ is str and output and bypass[0](output):
            return bypass[1](output)
        if self._message is not None:
            return []
        if isinstance(output, str):
            self._feed(output)
        elif self._decoder is None:
            raise InputError("ids need a tokenizer", hint="template.parser(tokenizer=...)")
        else:
            for text, is_control in self._decoder.texts(output):
                self._feed(text, is_control)
        return self._collector.taken()

    def finish(self) -> dict[str, Any]:
        """The message that the output is; nothing comes after this."""
        if self._message is None:
            if self._decoder is not None:
                self._feed(self._decoder.rest())
            self._cursor.final = True
            self._feed("")
            self._message = self._machine.message()
            self.last_events = self._collector.taken()
        return self._message

    @property
    def spans(self) -> list[Span]:
        """What each stretch of the output was read as, from left to right, without gaps."""
        return self._collector.spans(self._cursor.place)

    def _feed(self, text: str, is_control: bool = False) -> None:
        if is_control:
            self._cursor.add_control(text)
        else:
            self._cursor.add(text)
        self._cursor.bypass = None
        try:
            next(self._running)
        except StopIteration:
            pass


def _tail(prompt: str, tables: Tables) -> tuple[str | None, str]:
    """What of a prompt belongs to the turn that the output goes on with, and white space that should precede that.

    None if no turn begins in the prompt.
    """
    opener = tables.grammar.opener
    core = opener.strip()
    place = prompt.rfind(core) if core else -1
    if place >= 0:
        # The white space around it may be missing at the end of a prompt.
        tail, after = prompt[place + len(core) :], opener[len(opener.rstrip()) :]
        return tail.removeprefix(after), after if after and not tail else ""
    # A prompt of another kind may still end inside of reasoning, or right after it.
    bare = prompt.rstrip()
    for block in tables.grammar.reasoning:
        for text in (block.open, block.close):
            marker = joined(atoms(text))
            if marker and bare.endswith(marker):
                return prompt[len(bare) - len(marker) :], ""
    return None if not prompt else "", ""
