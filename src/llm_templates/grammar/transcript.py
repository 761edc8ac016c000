"""From a template to how it writes turns: it is given conversations of known words, and what stands between is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import TemplatesError
from ..families.switches import Switch
from .gaps import GapTable
from .rehearsal import BRIEF, SPECIAL, VALUE, Rehearsal, as_parts, rehearsal, rehearsals, with_text_arguments
from .rehearsal import TOOLS as PROBED
from .shown_tools import ToolsForm, form_of, json_around
from .turns import TOOLS, Turns
from .written import Written, written_fields

if TYPE_CHECKING:
    from ..prompt import Prompt

#: How many variables are tried.
VARIABLES_TRIED = 24


class Writes(Protocol):
    """What is asked of a template; a `ChatTemplate` has it."""

    @property
    def render(self) -> Callable[..., str]:
        """Messages to a prompt."""

    @property
    def trace(self) -> Callable[..., Prompt]:
        """Messages to a prompt that knows where it came from."""

    @property
    def stop_strings(self) -> tuple[str, ...]:
        """What ends a turn of the model."""

    @property
    def reasoning_switch(self) -> Switch | None:
        """The variables that turn reasoning on and off."""

    @property
    def variables(self) -> tuple[str, ...]:
        """The names that it reads."""


def derive_turns(template: Writes) -> Turns:
    """How a template writes the turns of a conversation.

    >>> from llm_templates import load
    >>> turns = derive_turns(load("chatml"))
    >>> next(gap.text for gap in turns.gaps if (gap.before, gap.after) == ("user.content", "assistant"))
    '<|im_end|>\\n<|im_start|>assistant\\n'
    """
    return _Derivation(template).turns()


class _Derivation:
    def __init__(self, template: Writes) -> None:
        self._template = template
        self._stops = template.stop_strings
        self._parts = _wants_parts(template)
        self._table = GapTable()
        self._forms: list[ToolsForm] = []

    def turns(self) -> Turns:
        switch = self._template.reasoning_switch
        settings = dict(switch.settings) if switch else {}
        switched = switch.names if switch else frozenset()
        for found in rehearsals():
            self._rehearse(found)
        for setting, variables in settings.items():
            for letters in BRIEF:
                self._rehearse(rehearsal(letters), setting, variables)
                self._rehearse(rehearsal(letters, PROBED), setting, variables)
        for name in [name for name in self._template.variables if name not in switched][:VARIABLES_TRIED]:
            for letters in ("su", "u"):
                self._rehearse(rehearsal(letters), "", {name: VALUE})
        form = _agreed(self._forms)
        return Turns(self._table.gaps(form, self._stops), self._parts, form, self._escaped(), settings)

    def _rehearse(self, found: Rehearsal, setting: str = "", variables: Mapping[str, Any] | None = None) -> None:
        """Have a conversation written, with and without a generation prompt."""
        for generation in (False, True):
            written = self._write(found.messages, found.tools, generation, variables)
            if written is not None:
                prompt, fields = written
                tools = found.tools or []
                fields = [self._whole(str(prompt), field, tools) if field.kind == TOOLS else field for field in fields]
                self._table.note(prompt, fields, generation, setting, found.name)

    def _write(
        self,
        messages: list[dict[str, Any]],
        tools: list[dict[str, Any]] | None,
        generation: bool = False,
        variables: Mapping[str, Any] | None = None,
    ) -> tuple[Prompt, list[Written]] | None:
        given = as_parts(messages) if self._parts else messages
        calls = any("tool_calls" in message for message in messages)
        # Some templates take arguments as text only.
        for told in (given, with_text_arguments(given)) if calls else (given,):
            try:
                prompt = self._template.trace(
                    told, tools=tools, add_generation_prompt=generation, variables=variables, strict=False
                )
                return prompt, written_fields(prompt, self._stops)
            except TemplatesError:
                continue
        return None

    def _whole(self, text: str, field: Written, tools: list[dict[str, Any]]) -> Written:
        """The place of tools with the JSON around their words."""
        found = json_around(text, field.start, field.end)
        if found is None:
            self._forms.append(ToolsForm("text"))
            return field
        values, between, start, end = found
        self._forms.append(form_of(values, between, tools))
        return field._replace(start=start, end=end)

    def _escaped(self) -> frozenset[str]:
        """The fields that are written as JSON writes text."""
        found = set()
        for letters in ("sucta", "ucta", "dua"):
            for tools in (PROBED, None):
                messages = rehearsal(letters, special=SPECIAL).messages
                written = self._write(messages, tools)
                for field in written[1] if written else ():
                    if field.message is not None and field.kind.endswith(".content"):
                        text = str(written[0])[field.start : field.end] if written else ""
                        if text in _encodings(messages[field.message]["content"]):
                            found.add(field.kind)
        return frozenset(found)


def _wants_parts(template: Writes) -> bool:
    """Whether a template writes the words of messages only where they are parts."""
    for as_list in (False, True):
        for letters in ("uau", "suau", "u", "ua"):
            messages = rehearsal(letters).messages
            try:
                prompt = template.render(as_parts(messages) if as_list else messages)
            except TemplatesError:
                continue
            if all(message["content"] in prompt for message in messages if message["role"] == "user"):
                return as_list
    return False


def _agreed(forms: Sequence[ToolsForm]) -> ToolsForm:
    """The form that all probes of tools show; several of them show what is between two."""
    if len({form.kind for form in forms}) != 1:
        return ToolsForm("text" if forms else "")
    return next((form for form in forms if form.between is not None), forms[0])


def _encodings(text: str) -> tuple[str, str]:
    return json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]
