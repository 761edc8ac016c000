"""Disagreement: where a response template that a model ships says otherwise than its chat template shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InputError
from .grammar import CallForm, Grammar
from .layout import atoms
from .response_template import from_response_template


def disagreements(grammar: Grammar, spec: Mapping[str, Any]) -> list[str]:
    """What a `response_template` says otherwise than a grammar, one sentence each; none where they agree.

    Markers are compared without the white space around them.

    >>> from llm_templates.grammar.grammar import Block
    >>> fields = {"thinking": {"open": "[THINK]", "close": "[/THINK]"}, "content": {}}
    >>> disagreements(Grammar(reasoning=(Block("<think>", "</think>"),)), {"start_anchor": "A:", "fields": fields})
    ['reasoning is between [THINK] and [/THINK] there, and between <think> and </think> here']
    """
    try:
        theirs, _ = from_response_template(spec)
    except InputError as error:
        return [f"it cannot be used: {error}"]
    found = []
    if theirs.reasoning and grammar.reasoning:
        there, here = theirs.reasoning[0], grammar.reasoning[0]
        if (there.open.strip(), there.close.strip()) != (here.open.strip(), here.close.strip()):
            found.append(
                f"reasoning is between {there.open.strip()} and {there.close.strip()} there, "
                f"and between {here.open.strip()} and {here.close.strip()} here"
            )
    if theirs.calls and grammar.calls:
        there_begins = {_begins(form) for form in theirs.calls}
        here_begins = {_begins(form) for form in grammar.calls}
        if there_begins.isdisjoint(here_begins):
            named = [" or ".join(sorted(begins)) for begins in (there_begins, here_begins)]
            found.append(f"calls begin with {named[0]} there, and with {named[1]} here")
    found += [
        f"{name} is described there, and not found here"
        for name, described, known in (
            ("reasoning", theirs.reasoning, grammar.reasoning or grammar.header),
            ("a form of calls", theirs.calls, grammar.calls or grammar.header),
        )
        if described and not known
    ]
    return found


def _begins(form: CallForm) -> str:
    """The first marker of a form."""
    literal = atoms(form.begin) or atoms(form.call.partition("{")[0])
    return literal[0].text if literal else "no marker"
