"""A whole prompt back into a conversation, which is sure where writing that conversation gives the prompt again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .restoring import Parse, Restorer
from .splitting import Split, Splitter
from .transcript import Writes
from .trials import Trial, Trials
from .turns import ASSISTANT, SYSTEM, TOOL, USER, Turns

#: How many ways of cutting a prompt into turns are tried.
SPLITS_TRIED = 12


class Transcript(NamedTuple):
    """A conversation as a prompt shows it."""

    messages: list[dict[str, Any]]
    #: None where the prompt shows none.
    tools: list[dict[str, Any]] | None
    add_generation_prompt: bool
    #: Variables of the template that the prompt tells, such as `enable_thinking`.
    variables: dict[str, Any]
    #: Whether writing the conversation again gives the same prompt.
    exact: bool
    #: What the prompt does not tell, and where it is not the same when it is written again.
    lost: tuple[str, ...]


def read(prompt: str, template: Writes, turns: Turns, parse: Parse) -> Transcript:
    """A prompt as a conversation.

    The likeliest way to cut the prompt into turns is taken, unless the template refuses the conversation or writes it
    otherwise, and another way gives the prompt exactly. It never fails, whatever the prompt is; what a prompt does not
    show, such as reasoning that a template drops, is not made up.

    Args:
        prompt: what a template wrote.
        template: that template.
        turns: how it writes turns, from `derive_turns`.
        parse: reads what the model wrote of a turn: its text, the end of the prompt before it, and the tools.

    >>> from llm_templates import load
    >>> from llm_templates.grammar.transcript import derive_turns
    >>> template = load("chatml")
    >>> prompt = template.render([{"role": "user", "content": "Hi"}], add_generation_prompt=True)
    >>> found = read(prompt, template, derive_turns(template), lambda output, *_: {"content": output})
    >>> found.messages, found.add_generation_prompt, found.exact
    ([{'role': 'user', 'content': 'Hi'}], True, True)
    """
    restorer = Restorer(prompt, turns, parse)
    trials = Trials(prompt, template.render, restorer)
    best = _best(prompt, turns, restorer, trials)
    if best is None:
        return Transcript([], None, False, {}, False, ("the prompt is not one of this template's",))
    restored = best.restored
    whole = not best.split.unread and not best.split.lacks and best.split.ending is not None
    exact = best.same and whole and restored.unread_tools is None
    return Transcript(
        restored.messages,
        restored.tools,
        restored.add_generation_prompt,
        restored.variables,
        exact,
        tuple(_remarks(best, turns)),
    )


def _best(prompt: str, turns: Turns, restorer: Restorer, trials: Trials) -> Trial | None:
    """The reading that explains most of a prompt."""
    best: Trial | None = None
    partial: Split | None = None
    for blanks in (False, True):
        splitter = Splitter(prompt, turns, blanks=blanks, said=restorer.said)
        before = None
        for _ in range(SPLITS_TRIED):
            split = splitter.next(before)
            if split is None or trials.left <= 0:
                break
            trial = trials.of(split)
            # The likeliest way stays unless it is refused, or another explains the whole prompt.
            if best is None or trial.same or best.agrees < 0 <= trial.agrees:
                best = trial
            if not trial.blames_split:
                return trial
            before = trials.wrong_from(trial)
        partial = partial or splitter.open
    return trials.of(partial) if best is None and partial is not None else best


def _remarks(trial: Trial, turns: Turns) -> Iterator[str]:
    """What is lost."""
    if trial.split.unread:
        yield f"the first {trial.split.unread} characters of the prompt are not this template's: they were not read"
    if trial.split.lacks:
        yield f"the prompt does not begin with {trial.split.lacks!r}, as this template's do"
    if trial.restored.unread_tools is not None:
        yield "the tools are not written as JSON of their schemas: they were not read"
    if trial.split.ending is None:
        yield "the prompt ends inside of its last message"
    if trial.remark:
        yield trial.remark
    yield from sorted(set(_unclear(trial.split, turns)))


def _unclear(split: Split, turns: Turns) -> Iterator[str]:
    """What the template writes alike, of what was read."""
    alike = {(gap.before, gap.after, gap.texts) for gap in turns.gaps if not gap.hides}
    blank = {(gap.before, gap.after) for gap in turns.gaps if gap.is_blank}
    for field in split.fields:
        if field.kind == USER:
            if not field.gap.before and ("", SYSTEM, field.gap.texts) in alike and (SYSTEM, USER) in blank:
                yield "a system message would stand in the user's first turn: nothing tells it from the user's words"
            elif (field.gap.before, TOOL, field.gap.texts) in alike:
                yield "the results of tools are written as the user's words are"
    if (USER, ASSISTANT) in blank or (ASSISTANT, USER) in blank:
        yield "white space alone stands between the user's words and the model's"
