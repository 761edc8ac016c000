"""Probed: what is known of a chat template beside its text, from its family or from what it renders for probes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from . import families
from .errors import InputError
from .families.switches import Switch, usual_switch
from .sources import TemplateSource

if TYPE_CHECKING:
    from .grammar.grammar import Grammar
    from .grammar.tables import Tables
    from .grammar.turns import Turns
    from .prompt import Prompt

#: How many generation prompts are kept; a variable may have another value with every call.
OPENINGS_KEPT = 256


class Probed:
    """The part of `ChatTemplate` that asks the template itself; each answer is found once and kept."""

    __slots__ = ("_family", "_openings", "_reads", "_stops", "_tables", "_turns", "model", "special_tokens")

    _family: str | None
    _stops: tuple[str, ...] | None
    _reads: frozenset[str]
    _openings: dict[tuple[Any, ...], str]
    _tables: dict[bool, Tables]
    _turns: Turns | None
    model: TemplateSource
    special_tokens: dict[str, str]

    if TYPE_CHECKING:
        # What `ChatTemplate` has.
        @property
        def source(self) -> str: ...
        @property
        def variables(self) -> tuple[str, ...]: ...
        @property
        def render(self) -> Callable[..., str]: ...
        @property
        def trace(self) -> Callable[..., Prompt]: ...

    @property
    def family(self) -> str | None:
        """The name of the built-in family that the template belongs to, by name or by what it renders; None if to none.

        >>> from llm_templates import load
        >>> load("chatml").family
        'chatml'
        """
        if self._family is None:
            self._family = families.detect(self).family or ""
        return self._family or None

    @property
    def stop_strings(self) -> tuple[str, ...]:
        """What ends the model's turn: texts of tokens, and of what a model without such tokens runs on with.

        A family's are those in its data. Of other templates they are what follows an answer or a call in the prompt,
        the tokens of the model's generation configuration, and its `eos_token`.

        >>> from llm_templates import load
        >>> load("chatml").stop_strings
        ('<|im_end|>',)
        """
        if self._stops is None:
            found = self._family_stops or self._parse_tables(overrides=False).grammar.stops
            self._stops = tuple(dict.fromkeys([*found, *self.model.stop_tokens]))
        return self._stops

    @property
    def reasoning_switch(self) -> Switch | None:
        """The variables that tell this template whether, and how much, to reason; None if there are none.

        >>> from llm_templates import ChatTemplate
        >>> ChatTemplate.from_string("{{ enable_thinking }}").reasoning_switch.settings["off"]
        {'enable_thinking': False}
        """
        known = families.get(self.model.family).reasoning if self.model.family else None
        return known if known and known.names <= self._reads else usual_switch(self._reads)

    @property
    def _family_stops(self) -> tuple[str, ...]:
        return families.get(self.model.family).stop_strings if self.model.family else ()

    def _derived_stops(self) -> list[str]:
        from .stops import derived_stops

        end = self.special_tokens.get("eos_token")
        derived = derived_stops(self.render, [*self.model.stop_tokens, end or ""])
        if not derived and self.family:
            derived = families.get(self.family).stop_strings
        return [*derived, end] if end else list(derived)

    def _generation_prompt(self, tools: bool, variables: Mapping[str, Any] | None, role: str | None) -> str:
        """What the template ends a prompt with after a message of this role, from a probe."""
        read = {name: value for name, value in (variables or {}).items() if name in self._reads}
        key = (tools, repr(sorted(read.items())), role)
        known = self._openings.get(key)
        if known is None:
            from .stops import generation_prompt

            if len(self._openings) >= OPENINGS_KEPT:
                self._openings.clear()
            render = partial(self.render, variables=variables, strict=False)
            known = self._openings[key] = generation_prompt(render, role, tools)
        return known

    def grammar(self, *, overrides: bool = True) -> Grammar:
        """What the model's output looks like, as far as the template shows it, with what proved each part.

        Args:
            overrides: whether what the family's data says of it counts, too.

        >>> from llm_templates import load
        >>> load("qwen3").grammar().reasoning[0]
        Block(open='<think>\\n', close='\\n</think>\\n\\n')
        """
        return self._parse_tables(overrides).grammar

    def _parse_tables(self, overrides: bool = True) -> Tables:
        known = self._tables.get(overrides)
        if known is None:
            from .grammar.derive import derive
            from .grammar.overrides import find_table, with_overrides
            from .grammar.tables import Tables

            grammar = derive(
                self.render,
                variables=self.variables,
                switch=self.reasoning_switch,
                stops=self._family_stops or self._derived_stops(),
                source=self.source,
            )
            table = find_table(self.model.family, self.source) if overrides else None
            if table:
                grammar = with_overrides(grammar, table)
            if overrides and self.model.response_template:
                from .grammar.response_template import with_response_template

                # Somebody else's file; a grammar is derived without it.
                with suppress(InputError):
                    grammar = with_response_template(grammar, self.model.response_template)
            known = self._tables[overrides] = Tables(grammar)
        return known

    def _turn_marks(self) -> Turns:
        if self._turns is None:
            from .grammar.transcript import derive_turns

            self._turns = derive_turns(self)
        return self._turns
