"""A traced render: the compiled template run so that the prompt knows where its characters came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from .attribution import Inputs, Marker
from .engine import Border, Template, run_type
from .engine.globals import GLOBALS
from .engine.provenance import Origin, whole
from .engine.traced import TracedRun
from .lowering import ChatRun
from .prompt import Prompt
from .sampling import Rules


class TracedChatRun(ChatRun, TracedRun):
    """The run of a traced conversation."""

    #: The prompt, once it is rendered.
    text: str


def traced(
    engine: Template,
    tokens: Mapping[str, str],
    clock: datetime | None,
    given: tuple[Any, ...],
    add_generation_prompt: bool,
    rules: Rules,
    cut: Callable[[str], str] | None = None,
) -> Prompt:
    """Render with origins.

    Args:
        engine: the template, compiled for plain renders.
        tokens: special tokens by the names the template reads.
        clock: the time it is told.
        given: messages, tools, documents and variables.
        add_generation_prompt: as for `render`.
        rules: what is known of its turns.
        cut: what keeps the beginning of the text; None to keep all.
    """
    render = partial(_run, engine, tokens, clock, add_generation_prompt, given)
    run = render(given)

    def again() -> tuple[Any, Inputs]:
        messages, tools, documents, variables = given
        marker = Marker(Border())
        marked = (
            marker.messages(messages),
            marker.items("tool", tools),
            marker.items("document", documents),
            marker.variables(variables),
        )
        second = render(marked)
        return second, Inputs(marked[0], marked[1], marked[2], marked[3], second.border, marked=True)

    text = run.text if cut is None else cut(run.text)
    return Prompt(text, run, Inputs(given[0], given[1], given[2], given[3], run.border), rules, again)


def _run(
    engine: Template,
    tokens: Mapping[str, str],
    clock: datetime | None,
    add_generation_prompt: bool,
    scaled: tuple[Any, ...],
    given: tuple[Any, ...],
) -> TracedChatRun:
    """The run of a render, which has the text and its pieces; `scaled` is what its budget grows with."""
    messages, tools, documents, variables = given
    run: Any = run_type(TracedChatRun, engine.limits, clock)()
    run.inputs = scaled
    run.turns = {id(message): index for index, message in enumerate(messages)}
    lower = run.border.lower
    context = {name: whole(token, Origin("template", path=name)) for name, token in tokens.items()}
    context.update((name, lower(value)) for name, value in (variables or {}).items())
    compiled = engine.traced(GLOBALS.keys() & context.keys())
    values = compiled.values(context)
    run.text = compiled.run(run, values, messages, tools, documents, lower(add_generation_prompt))
    return run  # type: ignore[no-any-return]
