"""Turns: how a template writes the turns of a conversation: the text that stands between any two fields, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from .shown_tools import ToolsForm

#: What stands before the first field and after the last one.
EDGE = ""
USER, SYSTEM, TOOL = "user.content", "system.content", "tool.content"
#: All that the model wrote of a turn: content, reasoning and calls.
ASSISTANT = "assistant"
#: All schemas of tools.
TOOLS = "tools"
#: The role, so to speak, of what a template shows of its variables.
VARIABLE = "variable"

#: What may stand where the template computes something, such as the number of a turn or a date.
_COMPUTED = r"[^\n<>\[\]{}|]{1,48}?"


#: What tells nothing, with white space around it.
_WEAK = ("", ",", ".", ";", ":", "-")


class Gap(NamedTuple):
    """The text that a template writes between two fields of a conversation.

    Fields are called by the role and the key, as in "user.content" and "tool.tool_call_id"; `ASSISTANT`, `TOOLS` and
    `EDGE` are the others.
    """

    before: str
    after: str
    #: Literal texts; between each two of them stands something that the template computes, such as a date.
    texts: tuple[str, ...]
    #: Whether the field after it is the first of its message.
    opens: bool = True
    #: At the end of a prompt: whether it is a generation prompt.
    generation: bool = False
    #: Whether a message stood between them of which no word is written.
    hides: bool = False
    #: What the model's words after it begin with, where that tells that they do.
    ahead: str = ""
    #: The settings of the reasoning switch it was seen with, by their names; "" for none.
    settings: tuple[str, ...] = ("",)
    #: The probe that showed it.
    evidence: str = ""

    @property
    def text(self) -> str:
        """The literal text, with an ellipsis where something is computed."""
        return "…".join(self.texts)

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing in it to tell it from what stands between anybody's words."""
        return not self.ahead and self.text.strip() in _WEAK

    @property
    def pattern(self) -> str:
        """A regular expression for its text."""
        end = r"\Z" if self.after == EDGE else ""
        ahead = f"(?={re.escape(self.ahead)})" if self.ahead else ""
        return _COMPUTED.join(map(re.escape, self.texts)) + ahead + end


class Turns(NamedTuple):
    """How a template writes conversations; derived from it by `transcript.derive_turns`."""

    gaps: tuple[Gap, ...] = ()
    #: Whether the template takes the content of messages as a list of parts only.
    parts: bool = False
    #: How schemas of tools are written.
    tools: ToolsForm = ToolsForm()
    #: Fields that are written as JSON writes text, with escapes.
    escaped: frozenset[str] = frozenset()
    #: Template variables by setting, as the template's switch for reasoning has them.
    settings: Mapping[str, Mapping[str, Any]] = {}


class Field(NamedTuple):
    """A field of a conversation where it stands in a prompt."""

    kind: str
    start: int
    end: int
    #: What is written before it.
    gap: Gap

    @property
    def role(self) -> str:
        """Whose words it is."""
        return self.kind.partition(".")[0]
