"""Session: the tokens of a conversation that grows, of which only what changed is encoded."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from operator import eq, index
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..attribution import Marker
from ..engine import Border
from ..engine.provenance import Origin
from ..errors import InputError
from ..lowering import normal_message, plain_messages
from ..schema import tool_schemas
from .anchors import START, Anchor, Anchors
from .encoding import encode
from .growth import Buffer, Rewrite, common_length, rewritten_at, tail, written_alike
from .loading import load_tokenizer
from .tokens import Tokens

if TYPE_CHECKING:
    from ..prompt import Prompt


class Traces(Protocol):
    """What a session asks of a template: a `ChatTemplate` has it."""

    @property
    def trace(self) -> Callable[..., Prompt]:
        """Renders messages to a prompt that knows where it came from."""


class Extension(NamedTuple):
    """What the growth of a conversation did to its tokens: keep `kept` of them and append `ids`."""

    #: The ids that follow those that stay.
    ids: list[int]
    #: How many ids of the sequence as it was are still valid.
    kept: int
    #: Where the prompt does not go on as it was; None where nothing of its text changed.
    rewritten: Rewrite | None


class _Output(NamedTuple):
    """Ids that came from the model: which of all, and the character they end at."""

    first: int
    last: int
    end: int


class Session:
    """A conversation that grows turn by turn, as a model reads it.

    Its ids are those that encoding the whole conversation anew would give, except that ids from the model stay as they
    came from it.

    Args:
        template: the model's template.
        tokenizer: what `encode` takes.
        tools: tool schemas, or Python functions.
        documents: documents for retrieval.
        reasoning: whether the model is to reason, or how much.
        variables: what else the template may read.
        policies: what `encode` takes besides: `trust`, `on_injection`, `ordinary`.

    Raises:
        InputError: a tool or an option cannot be used.
        SourceError: there is no such tokenizer.
        MissingExtraError: the library `tokenizers` is not installed.

    >>> from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    >>> from llm_templates import load
    >>> alphabet = {letter: place for place, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    >>> tokenizer = Tokenizer(models.BPE(alphabet, []))
    >>> tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    >>> tokenizer.decoder = decoders.ByteLevel()
    >>> _ = tokenizer.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    >>> session = Session(load("chatml"), tokenizer)
    >>> prompt = session.extend([{"role": "user", "content": "Hi"}]).ids
    >>> session.add_output(tokenizer.encode("Yo<|im_end|>").ids)
    >>> extension = session.extend([{"role": "assistant", "content": "Yo"}, {"role": "user", "content": "Bye"}])
    >>> extension.kept == len(prompt) + 3, extension.rewritten
    (True, None)
    >>> tokenizer.decode(extension.ids, skip_special_tokens=False)
    '\\n<|im_start|>user\\nBye<|im_end|>\\n<|im_start|>assistant\\n'
    """

    def __init__(
        self,
        template: Traces,
        tokenizer: Any,
        *,
        tools: Sequence[Any] | None = None,
        documents: Sequence[Any] | None = None,
        reasoning: bool | str | None = None,
        variables: Mapping[str, Any] | None = None,
        **policies: Any,
    ) -> None:
        self._template = template
        self._tokenizer = load_tokenizer(tokenizer)
        self._anchors = Anchors(self._tokenizer)
        # Marked once and for all, so that nobody has to search a long conversation for where a text stood.
        self._marker = Marker(Border())
        self._options: dict[str, Any] = {
            "tools": None if tools is None else self._marker.items("tool", tool_schemas(tools)),
            "documents": self._marker.items("document", documents),
            "reasoning": reasoning,
            "variables": self._marker.variables(variables),
        }
        # No mask is asked for, so nobody has to find what the model would write.
        self._policies: dict[str, Any] = {"sampled": (), **policies}
        #: The messages as the caller gave them, and marked copies.
        self._messages: list[Any] = []
        self._marked: list[Any] = []
        self._ids: list[int] = []
        self._prompt: Prompt | None = None
        #: The prompt's text, and the pieces it was made of.
        self._text = ""
        self._buffer: Buffer = ()
        #: Control tokens that what follows can be encoded from, in the order of the sequence.
        self._known: list[Anchor] = []
        #: The ids that came from the model, those that the prompt has already and those that it does not have yet.
        self._outputs: list[_Output] = []
        self._output: list[int] = []

    @property
    def ids(self) -> list[int]:
        """The whole sequence."""
        return list(self._ids)

    @property
    def mask(self) -> list[int]:
        """1 for the ids that came from the model, else 0."""
        mask = [0] * len(self._ids)
        outputs = [(first, last) for first, last, _ in self._outputs]
        for first, last in [*outputs, (len(mask) - len(self._output), len(mask))]:
            mask[first:last] = [1] * (last - first)
        return mask

    @property
    def messages(self) -> list[Any]:
        """The conversation so far."""
        return list(self._messages)

    @property
    def prompt(self) -> Prompt:
        """The prompt as it was last rendered.

        Raises:
            InputError: nothing was rendered yet.
        """
        if self._prompt is None:
            raise InputError("the session is empty", hint="begin it with session.extend(messages)")
        return self._prompt

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        return f"<Session of {len(self._messages)} messages, {len(self._ids)} tokens>"

    def extend(self, messages: Iterable[Any] = (), add_generation_prompt: bool = True) -> Extension:
        """Add messages to the conversation, and encode what they change.

        Args:
            messages: what follows the conversation so far; the message that the model's output was read as is one of
                them.
            add_generation_prompt: end with what precedes the model's answer.

        Raises:
            InputError: a message cannot be used, or the conversation is empty.
            RaisedError: the template refuses the conversation. Whatever is raised, the session stays as it was.
        """
        given = messages if hasattr(messages, "messages") else list(messages)
        new = plain_messages(given) if given else []
        marked = [*self._marked, *self._copies(new)]
        prompt = self._template.trace(marked, add_generation_prompt=add_generation_prompt, **self._options)
        buffer: Buffer = prompt._run.output
        written, anchors = self._written()
        before = self._text + written
        common = common_length(before, str(prompt))
        # What the model read when it wrote stays as it read it, whoever is said to have written that now.
        reach = common
        if not self._output or common < len(self._text):
            alike = written_alike(self._buffer, buffer)
            reach = common if alike >= min(common, len(self._text)) else alike

        known = [*self._known, *anchors]
        known = known[: bisect_right(known, reach, key=lambda anchor: anchor.end)]
        anchor = known[-1] if known else START
        outputs = self._outputs_until(anchor, reach, len(before))
        last = outputs[-1] if outputs else None
        pinned = last if last is not None and last.last > anchor.length else None
        place = anchor.length if pinned is None else pinned.last
        tokens, first, shift = self._encoded(prompt, anchor, pinned)
        fresh = tokens.ids[first:]

        kept = place + sum(1 for _ in takewhile(bool, map(eq, self._ids[place:], fresh)))
        # An output whose ids are those of the message was not changed, even if its text cannot be had from its ids.
        changed = common < len(self._text) or (common < len(before) and kept < len(self._ids))
        rewritten = None
        if changed and self._prompt is not None:
            # From a little before, to see the template's text before a message's.
            rewritten = rewritten_at(common, prompt, self._prompt, known[-3].end if len(known) > 2 else 0)
        # In place: copies of a long sequence would take longer than the rest.
        self._ids[place:] = fresh
        self._known = [*known, *self._anchors.found(tokens, first, place, shift)]
        self._outputs, self._output = outputs, []
        self._messages, self._marked = [*self._messages, *new], marked
        self._prompt, self._text, self._buffer = prompt, str(prompt), buffer
        return Extension(self._ids[kept:], kept, rewritten)

    def add_output(self, ids: Iterable[int]) -> None:
        """Append what the model wrote, exactly as it came from it.

        The message that it is read as belongs to the next `extend`. Where the template writes that message as the ids
        say it, they stay, however a tokenizer would have cut the same text.

        Args:
            ids: the ids, with or without the token that ended the turn; a whole answer or, called again, a part of it.

        Raises:
            InputError: there is no prompt yet, or one of them is no id of the tokenizer.
        """
        if self._prompt is None:
            raise InputError("there is no prompt that the model could have answered", hint="call session.extend first")
        try:
            output = [index(identity) for identity in ids]
        except TypeError:
            raise InputError("the output holds something that is not an id", hint="give a list of integers") from None
        for identity in output:
            if self._tokenizer.id_to_token(identity) is None:
                raise InputError(f"the tokenizer has no token of the id {identity}")
        self._output += output
        self._ids += output

    def _copies(self, messages: list[Any]) -> list[dict[Any, Any]]:
        """The next messages, every text in them marked with its place."""
        return [
            normal_message(
                {
                    key: self._marker.value(value, Origin("message", index=number, path=str(key)))
                    for key, value in message.items()
                }
            )
            for number, message in enumerate(messages, len(self._marked))
        ]

    def _written(self) -> tuple[str, list[Anchor]]:
        """The text of what the model wrote since the last render, and the control tokens in it."""
        begin = len(self._ids) - len(self._output)
        text, anchors, first = "", [], begin
        for place in range(begin, len(self._ids)):
            content = self._anchors.content(self._ids[place])
            if content is None:
                continue
            text += self._decoded(first, place + 1)
            first = place + 1
            if text.endswith(content):
                anchors.append(Anchor(len(self._text) + len(text), first, content))
        return text + self._decoded(first, len(self._ids)), anchors

    def _decoded(self, first: int, last: int) -> str:
        """The text of a range of ids."""
        # In context: many decoders take a space away from the beginning of a text.
        start = max(0, first - 1)
        head: str = self._tokenizer.decode(self._ids[start:first], skip_special_tokens=False)
        text: str = self._tokenizer.decode(self._ids[start:last], skip_special_tokens=False)
        if not text.startswith(head):
            head, text = "", self._tokenizer.decode(self._ids[first:last], skip_special_tokens=False)
        return text[len(head) :]

    def _outputs_until(self, anchor: Anchor, reach: int, end: int) -> list[_Output]:
        """The model's ids that can stay: those that end within the `reach` characters that did not change."""
        outputs = list(self._outputs)
        if self._output:
            outputs.append(_Output(len(self._ids) - len(self._output), len(self._ids), end))
        kept: list[_Output] = []
        for output in outputs:
            if output.end <= reach:
                kept.append(output)
            elif output.first < anchor.length:
                # Of this one, what is before a control token that it has itself.
                kept.append(_Output(output.first, anchor.length, anchor.end))
        return kept

    def _encoded(self, prompt: Prompt, anchor: Anchor, pinned: _Output | None) -> tuple[Tokens, int, int]:
        """The tokens of what is new: of a stretch of the prompt, which begin, and where the stretch does."""
        tokens = self._encode(prompt, anchor.end, anchor.content)
        shift = anchor.end - len(anchor.content)
        if pinned is None:
            return tokens, 1 if anchor.content else 0, shift
        # Encoded with what the model wrote, for the context, and cut where its ids end.
        first = bisect_left(tokens.offsets, pinned.end - shift, key=lambda offset: offset[0])
        if not first or tokens.offsets[first - 1][1] <= pinned.end - shift:
            return tokens, first, shift
        content = self._anchors.any
        return self._encode(prompt, pinned.end, content), 1 if content else 0, pinned.end - len(content)

    def _encode(self, prompt: Prompt, start: int, after: str) -> Tokens:
        return encode(tail(prompt, start, after) if start else prompt, self._tokenizer, **self._policies)
