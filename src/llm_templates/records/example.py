"""`Example`: what a record says, whatever its format: messages, answers to them, tools, and what else was there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from .notes import Notes, wrong

#: A message in the one form all formats are read to: `role`, `content` (text or parts), `reasoning_content`,
#: `tool_calls` (arguments as JSON text), `tool_call_id`, `name`, `weight`, and the keys nobody knows.
Message = dict[str, Any]

#: What an example may be, and how an error says it.
KINDS = {
    "conversation": "a conversation",
    "completion": "a prompt and its completion",
    "unpaired": "an answer with a label",
    "preference": "two answers, one preferred",
    "text": "text that is not cut into messages",
}


class Answer(NamedTuple):
    """What may follow the messages of an example."""

    messages: list[Message]
    #: Whether it is a good one; None where nobody compares.
    label: bool | None = None


class Stretch(NamedTuple):
    """A piece of text that is not cut into messages."""

    text: str
    #: Whether it is trained on; None where nobody says.
    label: bool | None = None


@dataclass(frozen=True)
class Example:
    """One example for training, or one conversation."""

    #: The conversation; where there are answers, what precedes them.
    messages: list[Message] = field(default_factory=list)
    answers: tuple[Answer, ...] = ()
    tools: list[Any] | None = None
    #: Template variables of this example.
    variables: dict[str, Any] = field(default_factory=dict)
    #: Text instead of messages.
    texts: tuple[Stretch, ...] = ()
    #: Whether prompt and answers were text rather than messages.
    raw: bool = False
    #: Fields of the record that belong to no format.
    extras: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """One of the names in `KINDS`."""
        if self.texts:
            return "text"
        if not self.answers:
            return "conversation"
        if len(self.answers) > 1:
            return "preference"
        return "completion" if self.answers[0].label is None else "unpaired"

    @property
    def turns(self) -> list[Message]:
        """All messages, those of the answers included."""
        return [*self.messages, *(message for answer in self.answers for message in answer.messages)]

    @property
    def chosen(self) -> Answer:
        """The preferred one of two answers."""
        return next(answer for answer in self.answers if answer.label)

    @property
    def rejected(self) -> Answer:
        """The other one."""
        return next(answer for answer in self.answers if not answer.label)


def fitted(example: Example, kinds: frozenset[str], target: str, notes: Notes) -> Example:
    """The example as one of the kinds that a target can write.

    Raises:
        InputError: it cannot be one of them, or has an answer to nothing.
    """
    made = _fitted(example, kinds, target, notes)
    if made.answers and not made.messages:
        raise wrong("", "there is an answer, and nothing that it answers")
    return made


def _fitted(example: Example, kinds: frozenset[str], target: str, notes: Notes) -> Example:
    if example.kind in kinds:
        return example
    if example.raw and example.kind == "completion" and "text" in kinds:
        prompt, answer = example.messages[0]["content"], example.answers[0].messages[0]["content"]
        return replace(example, messages=[], answers=(), texts=(Stretch(prompt, False), Stretch(answer, True)))
    if [stretch.label for stretch in example.texts] == [False, True] and "completion" in kinds:
        prompt, answer = (stretch.text for stretch in example.texts)
        said = Answer([{"role": "assistant", "content": answer}])
        return replace(example, messages=[{"role": "user", "content": prompt}], answers=(said,), texts=(), raw=True)
    if example.kind == "completion" and "conversation" in kinds:
        return joined(example, notes)
    if example.kind == "conversation" and "completion" in kinds:
        return split(example, notes)
    hint = f"it takes {'; '.join(KINDS[kind] for kind in KINDS if kind in kinds)}"
    if example.kind == "text":
        hint += "; load(model).read(text) makes messages of a prompt"
    raise wrong("", f"{target} has no form for {KINDS[example.kind]}", hint)


def joined(example: Example, notes: Notes) -> Example:
    """A prompt and its completion as one conversation, of which no more is trained on than before."""
    messages = []
    for index, message in enumerate(example.messages):
        if message["role"] == "assistant" and "weight" not in message:
            message = {**message, "weight": 0}
            notes.add("added", f"messages[{index}]", "'weight' 0, because a prompt is not trained on")
        messages.append(message)
    return replace(example, messages=messages + example.answers[0].messages, answers=(), raw=False)


def split(example: Example, notes: Notes) -> Example:
    """A conversation as a prompt and the completion that its last message is; all of it a prompt if that is not so."""
    if not example.messages or example.messages[-1]["role"] != "assistant":
        return example
    *prompt, last = example.messages
    for index, message in enumerate(prompt):
        if message["role"] == "assistant" and message.get("weight", 1):
            notes.lose(f"messages[{index}]", "the assistant's turns before the last are not trained on")
    if last.get("weight", 1) != 1:
        notes.lose(f"messages[{len(prompt)}].weight", "a completion is trained on, and has no weight")
    prompt = [_without_zero(message) for message in prompt]
    return replace(example, messages=prompt, answers=(Answer([last]),))


def _without_zero(message: Message) -> Message:
    """The message without the weight that every turn of a prompt has."""
    if message["role"] == "assistant" and not message.get("weight", 1):
        return {key: value for key, value in message.items() if key != "weight"}
    return message
