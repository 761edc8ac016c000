"""Derive: a grammar from what a template writes for probes; nothing is known of any template beforehand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import reduce

from ..families.markers import CONTROL, control_texts
from ..families.switches import Switch
from .answer_marks import Wrapped, split_opener, turn_ends, wrapped
from .call_forms import call_form, written_calls
from .differences import lead, openings, same_start
from .grammar import Block, CallForm, Grammar
from .probes import ANSWER, NEXT, ONE, assistant, result, user
from .reasoning_marks import Marks, find_thought, without_reasoning, written_marks
from .shown_marks import Shown, shown_marks
from .stage import Stage


def derive(
    render: Callable[..., str],
    *,
    variables: Collection[str] = (),
    switch: Switch | None = None,
    stops: Sequence[str] = (),
    source: str = "",
) -> Grammar:
    """The grammar of a template's output, with the probe that proved each part; what no probe shows is absent.

    Args:
        render: the template, as `ChatTemplate.render`.
        variables: the variables that it reads.
        switch: how it is told to reason.
        stops: what is known to end the output.
        source: the template's text; a marker that occurs in it is tried.

    >>> from llm_templates import load
    >>> template = load("qwen2.5")
    >>> grammar = derive(template.render, stops=template.stop_strings)
    >>> grammar.calls[0].call, grammar.calls[0].between
    ('\\n<tool_call>\\n{json}\\n</tool_call>', '\\n')
    >>> grammar.opener
    '<|im_start|>assistant\\n'
    """
    return _Derivation(Stage(render, variables, switch), tuple(stops), source).grammar()


class _Derivation:
    """One derivation; each part is found with what was found before it."""

    def __init__(self, stage: Stage, stops: tuple[str, ...], source: str) -> None:
        self.stage = stage
        self.stops = stops
        self.source = source
        self.evidence: dict[str, str] = {}
        #: What precedes an answer without reasoning.
        self.head = (stage.answer or "").partition(ANSWER)[0]
        self.prompts = self._prompts()
        self.calls = written_calls(stage)
        self.thought = find_thought(stage, self.calls.shape if self.calls else None)
        self.opener = self._common_start()
        marks = self._marks()
        self.blocks = [marks.block] if marks else []
        answer = self._answer(marks)
        self.content = answer.block
        space = self._without_opener(self.head)
        if not self.opener.strip():
            self.opener, space = self._question_end(), stage.space
        elif not self.prompts:
            # No prompt tells what a header ends with; a blank there is the answer's as well.
            bare = self.opener.rstrip(" ")
            self.opener, space = bare, self.opener[len(bare) :] + space
        #: What ends a turn, and whether that was seen at the end of a prompt.
        self.ends = self._ends(answer.tail, "an answer")
        self.ended = bool(self.ends)
        self.tail = answer.tail
        if not self.ended:
            self.tail = self._next_turn()
            self.ends = self._ends(self.tail, "an answer and a question")
        self._add_space(space)
        self.form = self._form()

    def grammar(self) -> Grammar:
        """What was found."""
        if self.opener:
            self.evidence["opener"] = "what the prompts and the turns of all probes begin with"
        if self.stage.prompt:
            self.evidence["prompt"] = "probe 'a question'"
        return Grammar(
            reasoning=tuple(self.blocks),
            content=self.content,
            calls=(self.form,) if self.form else (),
            stops=self._stops(),
            opener=self.opener,
            prompt=self.stage.prompt,
            evidence=self.evidence,
        )

    # Where a turn begins, and reasoning

    def _prompts(self) -> dict[str, str]:
        """The generation prompts, without white space at their beginning, by the names of the probes."""
        found = {"a question": self.stage.prompt.lstrip()}
        for wish in self.stage.wishes[1:]:
            found[f"a question, reasoning {wish}"] = (self.stage.said([], generation=True, wish=wish) or "").lstrip()
        return {probe: text for probe, text in found.items() if text}

    def _common_start(self) -> str:
        """What the generation prompts and the assistant's turns begin with, of those that begin alike at all."""
        turns = [self.head] if self.stage.answer is not None else []
        if self.thought:
            turns.append(self.thought.before)
        if self.calls:
            turns.append(self.calls.head)
        heads = list(self.prompts.values()) or turns
        common = reduce(same_start, heads) if heads else ""
        for turn in turns:
            # A call may be a turn of another kind.
            shared = same_start(common, turn)
            common = shared if shared.strip() else common
        return common

    def _question_end(self) -> str:
        """The last marker after a question, reasoning aside: the opener where a template always writes it."""
        question = self.stage.shared if self.stage.answer is not None else ""
        inside = [mark for block in self.blocks for mark in control_texts("".join(block))]
        places = [match.start() for match in CONTROL.finditer(question) if match[0] not in inside]
        if not places:
            return question.rpartition("\n")[2].strip()
        last = question[places[-1] :]
        return last[: min([last.find(mark) for mark in inside if mark in last], default=len(last))]

    def _marks(self) -> Marks | None:
        marks = None
        if self.thought:
            marks = written_marks(self.thought, self.opener, self._without_opener(self.head))
            if marks and not marks.block.open.strip():
                marks = self._prompted(marks)
        marks = marks or shown_marks(Shown(self.stage, self.prompts, self.head, self.opener, self.source))
        if marks is None:
            return None
        self.opener = _before(self.opener, marks.block.open.strip())
        self.evidence["reasoning[0].open"] = marks.open_evidence
        self.evidence["reasoning[0].close"] = marks.close_evidence
        return marks

    def _prompted(self, marks: Marks) -> Marks:
        """The same with the words that only a prompt writes before reasoning."""
        for probe, text in self.prompts.items():
            tail = self._without_opener(text)
            if tail.strip() and marks.block.close.strip() not in tail:
                return marks._replace(block=marks.block._replace(open=tail), open_evidence=f"probe '{probe}'")
        return marks

    def _without_opener(self, text: str) -> str:
        return text[len(same_start(text, self.opener)) :]

    # The answer, and where a turn ends

    def _answer(self, marks: Marks | None) -> Wrapped:
        turn, probe = self.stage.answer or "", "an answer"
        head = without_reasoning(self._without_opener(self.head), self.blocks)
        if marks and marks.rest and self.thought:
            turn, head, probe = self.thought.text, marks.rest, "reasoning and an answer"
        tail = turn.partition(ANSWER)[2]
        answer = wrapped(head, tail, self.calls.gap if self.calls else None, self.stage.prompt)
        if answer.block is None:
            self.opener, split = split_opener(self.opener, tail)
            answer = split or answer
        for part, text in answer.block._asdict().items() if answer.block else ():
            if text:
                self.evidence[f"content.{part}"] = f"probe '{probe}'"
        return answer

    def _add_space(self, before: str) -> None:
        """Add the white space that the template writes between an answer and the markers around it."""
        content = self.content or Block(before if before.isspace() else "", "")
        if not content.close and self.ends and self.tail.lstrip().startswith(self.ends[0]):
            content = content._replace(close=lead(self.tail))
        if content == self.content or not any(content):
            return
        self.content = content
        for part, text in content._asdict().items():
            if text:
                self.evidence.setdefault(f"content.{part}", "probe 'an answer'")

    def _next_turn(self) -> str:
        """What follows an answer up to what the user says next."""
        text = self.stage.said([assistant(ANSWER), user(NEXT)]) or ""
        return text.partition(ANSWER)[2]

    def _ends(self, tail: str, probe: str) -> list[str]:
        blocks = [*self.blocks, *([self.content] if self.content else [])]
        ends = turn_ends(tail, self.stops, blocks)
        if ends:
            self.evidence["stops"] = f"probe '{probe}'"
        return ends

    def _stops(self) -> tuple[str, ...]:
        """What is known to end the output, without what only closes a part of it, and with what was seen to end it."""
        closes = [block.close for block in [*self.blocks, self.content] if block]
        if self.form:
            closes += [self.form.call, self.form.end]
        kept = [stop for stop in self.stops if stop in self.ends or not any(stop in close for close in closes)]
        return tuple(dict.fromkeys([*kept, *self.ends]))

    # Calls

    def _form(self) -> CallForm | None:
        calls = self.calls
        form = call_form(self.stage, calls, self._of_calls, self._without_end) if calls else None
        if form is None or calls is None:
            return None
        one, two = (f"probe '{name}', {calls.shape.name}" for name in ("a call", "two calls"))
        self.evidence["calls[0].call"] = one
        for part in ("begin", "end", "between"):
            if getattr(form, part):
                self.evidence[f"calls[0].{part}"] = two
        if form.argument:
            self.evidence["calls[0].argument"] = one
        if calls.dialect.is_whole:
            self.evidence["calls[0].keys"] = one
        if form.types or form.quoted:
            self.evidence["calls[0].types"] = "probe 'a call with a string and a number'"
        return form

    def _of_calls(self, text: str) -> str:
        """What belongs to the calls of what precedes them."""
        _, found, after = text.rpartition(ANSWER)
        content = self.content or Block("", "")
        if found:
            return _without(after, content.close)
        text = without_reasoning(self._without_opener(text), self.blocks)
        return _without(_without(text, content.open), content.close)

    def _without_end(self, text: str, middle: str) -> str:
        """What belongs to the calls of what follows them; what ends the turn is noted.

        Args:
            text: what follows the last call.
            middle: what stands between two calls.
        """
        begins = [mark for mark in control_texts(self.opener) if mark not in middle]
        ends = [*(self.ends or [self.tail.strip()]), *begins]
        places = [place for end in ends if end.strip() and (place := text.find(end.strip())) >= 0]
        if places:
            return text[: min(places)]
        if not self.ended:
            self._note_next_turn()
            return text
        for match in CONTROL.finditer(text):
            # An answer's turn ends, so this one does, too: with the first marker that belongs to no call.
            if match[0] not in middle and not self._closes(match[0]):
                self._note_end(match[0])
                return text[: match.start()]
        return text

    def _closes(self, mark: str) -> bool:
        """Whether a marker closes one that stands before the calls."""
        return any(text in (self.calls.head if self.calls else "") for text in openings(mark))

    def _note_end(self, mark: str) -> None:
        self.ends.append(mark)
        self.evidence.setdefault("stops", "probe 'a call'")

    def _note_next_turn(self) -> None:
        """Where nothing ends a turn, a model that called writes the marker with which the tool's turn begins."""
        if self.calls is None or self.calls.shape.answered:
            return
        before = self.calls.text.rstrip()
        talk = [*self.calls.shape.messages((ONE,)), result(ONE)]
        text = self.stage.said(talk, tools=self.calls.shape.tools) or ""
        match = CONTROL.search(text, len(before)) if text.startswith(before) else None
        if match:
            self._note_end(match[0])


def _before(opener: str, begin: str) -> str:
    """An opener without the marker that opens reasoning, or a part of it, at its end."""
    place = opener.rfind(begin) if begin else -1
    if place >= 0:
        return opener[:place]
    for match in reversed(list(CONTROL.finditer(begin))):
        if opener.endswith(begin[: match.end()]):
            return opener[: len(opener) - match.end()]
    return opener


def _without(text: str, marker: str) -> str:
    """A text without the marker that it begins with, if it does."""
    bare = text.lstrip()
    return bare[len(marker.strip()) :] if marker.strip() and bare.startswith(marker.strip()) else text
