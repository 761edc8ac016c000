"""The uniform switch for reasoning: what `reasoning=True`, `False` or "low" means in a template's own variables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from ..errors import InputError, VariableError


class Switch(NamedTuple):
    """How a template is told whether, and how much, to reason.

    >>> switch("enable_thinking", {"on": True, "off": False}).variables_for(False)
    {'enable_thinking': False}
    """

    #: Template variables, by what the caller asks for: "on", "off", or a level such as "low".
    settings: Mapping[str, Mapping[str, Any]]

    def variables_for(self, reasoning: bool | str) -> dict[str, Any]:
        """The template variables that mean `reasoning`: True, False, or a level.

        Raises:
            InputError: the template cannot be told so.
        """
        asked = ("on" if reasoning else "off") if isinstance(reasoning, bool) else reasoning
        if not isinstance(asked, str) or asked not in self.settings:
            known = ", ".join(_WORDS.get(name, f'"{name}"') for name in self.settings)
            raise InputError(f"reasoning={reasoning!r} means nothing to this template", hint=f"it takes {known}")
        return dict(self.settings[asked])

    @property
    def names(self) -> frozenset[str]:
        """The variables that it sets."""
        return frozenset(name for setting in self.settings.values() for name in setting)


_WORDS = {"on": "True", "off": "False"}


def switch(
    variable: str | None = None,
    values: Mapping[str, Any] | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> Switch:
    """A switch of one variable with a value for each wish, or of several with a setting for each."""
    if variable is not None:
        return Switch({wish: {variable: value} for wish, value in (values or {}).items()})
    return Switch(settings or {})


_BOOLEAN = {"on": True, "off": False}
_LEVELS = {"low": "low", "medium": "medium", "high": "high"}

#: The variables that publishers use for it, where no family says which. A template may read one of each kind.
USUAL = (
    {"enable_thinking": _BOOLEAN, "thinking": _BOOLEAN, "enable_reasoning": _BOOLEAN},
    {"reasoning_effort": _LEVELS, "thinking_effort": _LEVELS},
)


def usual_switch(reads: Collection[str]) -> Switch | None:
    """The switch of a template that reads these names, if one of them is what publishers call it.

    >>> usual_switch(["messages", "thinking"]).settings["off"]
    {'thinking': False}
    """
    settings: dict[str, Mapping[str, Any]] = {}
    for kind in USUAL:
        for variable, values in kind.items():
            if variable in reads:
                settings.update(switch(variable, values).settings)
                break
    return Switch(settings) if settings else None


def with_reasoning(reasoning: bool | str, known: Switch | None, variables: Mapping[str, Any] | None) -> dict[str, Any]:
    """`variables` and those that mean `reasoning`.

    Raises:
        InputError: the template has no such switch, or not for this.
        VariableError: a variable is given that the switch sets, too.
    """
    if known is None:
        raise InputError(
            "the template has no switch for reasoning",
            hint="leave out reasoning=; what a template can be told is in template.variables",
        )
    given = dict(variables or {})
    both = sorted(known.names & given.keys())
    if both:
        raise VariableError(f"reasoning= and the variable {both[0]!r} say the same thing", hint="give one of them")
    return {**given, **known.variables_for(reasoning)}
