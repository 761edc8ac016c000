"""`Chat`: messages in, message out, with any engine that goes on with a prompt."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from ..arguments import tool_list
from ..errors import BackendError, InputError
from ..loading import load
from ..lowering import plain_messages
from ..prompt import Prompt
from ..template import ChatTemplate
from ..tokens.trust import Trust
from .attempts import attempted
from .backends import recognised
from .calling import Functions
from .injections import POLICIES, disarmed
from .marks import marks
from .stopping import Stops

Event = dict[str, Any]

#: How many tokens an answer may have; what engines use by themselves is often no more than 16.
MAX_TOKENS = 2048
#: Whose text may hold control tokens: who writes the program, and the model.
TRUSTED = ("system", "developer", "assistant")


class Stream(Iterator[Event]):
    """An answer as it comes: the events of `Parser.feed`, and the whole message once they are over.

    Between two rounds of calls, `{"tool": message}` is the result of one. Made by `Chat.stream`.
    """

    def __init__(self, events: Callable[[Stream], Generator[Event, None, None]]) -> None:
        #: The message, once the events are over.
        self.message: dict[str, Any] | None = None
        #: The messages that have come: calls, results, and the answer.
        self.messages: list[dict[str, Any]] = []
        #: Why the engine says that the output ended, such as "stop" or "length"; None if it does not.
        self.finish_reason: str | None = None
        self._events = events(self)

    def __next__(self) -> Event:
        try:
            return next(self._events)
        except BackendError as error:
            error.messages = list(self.messages)
            raise

    def close(self) -> None:
        """Ends the generation; what has come is left as it is."""
        self._events.close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Chat:
    """A template and an engine: takes messages, gives the message that the model answers.

    A conversation whose last message is the assistant's is continued: the answer begins with that message's text.

    Args:
        template: a `ChatTemplate`, or what `load` takes.
        backend: the engine: an address (vLLM, SGLang, llama.cpp's server, Ollama) or `Completions(address, ...)`, a
            `huggingface_hub.InferenceClient`, a text-generation pipeline of transformers, a `llama_cpp.Llama`, or a
            function from the prompt to the text that goes on with it, or to its pieces.
        tools: Python functions, or schemas of tools.
        call_tools: whether the functions among the tools are called as the model asks, with their results given back
            to it; otherwise the calls are in the message.
        rounds: how often, at most; the calls of the last message are then left to the caller.
        max_tokens: how long an answer may be, for engines of which it is known how they call that.
        retries: how often an engine is asked again that cannot be reached or is overloaded; never once text has come.
        adds_bos: whether the engine puts the token that begins a text before every prompt, so that the template's own
            is left out; as is known of the backend if None.
        on_injection: what becomes of the template's control tokens in text that may not have them, since an engine that
            takes text would take them for its own: "text" spells them apart in the prompt, "report" warns of them as
            well, "raise" refuses the conversation.
        trust: whose text may have them; as for `tokens.encode`.

    >>> chat = Chat("chatml", lambda prompt: "Hello!<|im_end|>")
    >>> chat([{"role": "user", "content": "Hi"}])
    {'role': 'assistant', 'content': 'Hello!'}
    """

    def __init__(
        self,
        template: ChatTemplate | Any,
        backend: Any,
        *,
        tools: Sequence[Any] | None = None,
        call_tools: bool = False,
        rounds: int = 8,
        max_tokens: int | None = MAX_TOKENS,
        retries: int = 2,
        adds_bos: bool | None = None,
        on_injection: str = "report",
        trust: Trust = TRUSTED,
    ) -> None:
        if on_injection not in POLICIES:
            raise InputError(f"on_injection={on_injection!r} is none of {', '.join(map(repr, POLICIES))}")
        self.template: ChatTemplate = template if isinstance(template, ChatTemplate) else load(template)
        self._row, self.backend = recognised(backend)
        self._tools = None if tools is None else list(tools)
        self._call_tools = call_tools
        self._rounds = rounds
        self._max_tokens = max_tokens
        self._retries = retries
        self._trust, self._on_injection = trust, on_injection
        self._adds_bos = self._row.adds_bos(self.backend) if adds_bos is None else adds_bos

    def __call__(
        self,
        messages: Any,
        tools: Sequence[Any] | None = None,
        reasoning: bool | str | None = None,
        variables: Mapping[str, Any] | None = None,
        **generation: Any,
    ) -> dict[str, Any]:
        """The message that the model answers, as `ChatTemplate.parse` gives it.

        Args:
            messages: as for `ChatTemplate.render`; never changed.
            tools: in place of those of the chat; `[]` for none.
            reasoning: as for `render`.
            variables: as for `render`.
            generation: `max_tokens` and `stop`, and what else the engine itself takes, such as `temperature`.

        Raises:
            BackendError: the engine cannot be reached, refused, failed, or broke off; `partial` is what had come,
                and `messages` the rounds that were over.
            TemplatesError: what `render` raises.
        """
        with self.stream(messages, tools, reasoning, variables, **generation) as stream:
            for _ in stream:
                pass
        assert stream.message is not None
        return stream.message

    def extend(
        self,
        messages: Any,
        tools: Sequence[Any] | None = None,
        reasoning: bool | str | None = None,
        variables: Mapping[str, Any] | None = None,
        **generation: Any,
    ) -> list[Any]:
        """The conversation with the answer at its end, and before it the calls that were made and their results.

        >>> chat = Chat("chatml", lambda prompt: ", world!")
        >>> chat.extend([{"role": "user", "content": "Greet."}, {"role": "assistant", "content": "Hello"}])[1:]
        [{'role': 'assistant', 'content': 'Hello, world!'}]
        """
        given = plain_messages(messages)
        with self.stream(given, tools, reasoning, variables, **generation) as stream:
            for _ in stream:
                pass
        return [*(given[:-1] if _is_begun(given) else given), *stream.messages]

    def stream(
        self,
        messages: Any,
        tools: Sequence[Any] | None = None,
        reasoning: bool | str | None = None,
        variables: Mapping[str, Any] | None = None,
        **generation: Any,
    ) -> Stream:
        """The same as it comes: iterate over the events, then read `.message`.

        >>> talk = [{"role": "user", "content": "Hi"}]
        >>> stream = Chat("chatml", lambda prompt: iter(["Hel", "lo!<|im", "_end|>"])).stream(talk)
        >>> list(stream), stream.message
        ([{'content': 'Hel'}, {'content': 'lo!'}], {'role': 'assistant', 'content': 'Hello!'})
        """
        given = plain_messages(messages)
        offered = self._tools if tools is None else list(tools)
        schemas = list(tool_list(offered)) if offered else None
        functions = Functions(offered or [], schemas or []) if self._call_tools else None
        options = {"tools": schemas, "reasoning": reasoning, "variables": variables}
        return Stream(lambda stream: self._events(stream, given, functions, options, generation))

    def _events(
        self,
        stream: Stream,
        given: list[Any],
        functions: Functions | None,
        options: dict[str, Any],
        generation: Mapping[str, Any],
    ) -> Generator[Event, None, None]:
        talk = given
        for played in range(max(0, self._rounds) + 1):
            begun = _is_begun(talk)
            message = yield from self._answer(stream, talk, options, generation)
            stream.messages.append(message)
            if functions is None or played >= self._rounds or not functions.can_answer(message):
                break
            results = functions.answers(message)
            for result in results:
                stream.messages.append(result)
                yield {"tool": result}
            talk = [*(talk[:-1] if begun else talk), message, *results]
        stream.message = message

    def _answer(
        self, stream: Stream, talk: list[Any], options: dict[str, Any], generation: Mapping[str, Any]
    ) -> Generator[Event, None, dict[str, Any]]:
        """The events of one output; its message."""
        prompt, whole = self._prompt(talk, options)
        parser = self.template.parser(prompt=prompt, tools=options["tools"])
        cuts, settings = self._settings(generation)
        kept = self._row.kept(self.backend)
        if kept is not None:
            settings.setdefault(kept, marks(self.template.grammar()))
        turn_ends = self.template.grammar().stops
        stops = Stops([*self.template.stop_strings, *cuts])
        bos = self.template.special_tokens.get("bos_token")
        sent = prompt.removeprefix(bos) if self._adds_bos and bos else prompt
        # An engine leaves out what it stops at, so it is not told of what may close a call.
        told = [stop for stop in self.template.stop_strings if stop in turn_ends]
        call = partial(self._row.pieces, self.backend, sent, [*told, *cuts], settings)
        output = ""
        stream.finish_reason = None
        with closing(attempted(call, self._retries)) as pieces:
            for text, reason in pieces:
                text = stops.feed(text)
                output += text
                stream.finish_reason = reason or stream.finish_reason
                yield from parser.feed(text)
                if stops.found is not None:
                    stream.finish_reason = "stop"
                    break
        rest = stops.rest()
        if stops.found is not None and stops.found not in (*turn_ends, *cuts):
            read = partial(self.template.parse, prompt=prompt, tools=options["tools"])
            if _is_cut_off(read(output)) and not _is_cut_off(read(output + stops.found)):
                rest = stops.found
        yield from parser.feed(rest)
        message = parser.finish()
        yield from parser.last_events
        return message if whole is None else whole(output + rest, message)

    def _prompt(
        self, talk: list[Any], options: dict[str, Any]
    ) -> tuple[str, Callable[[str, dict[str, Any]], dict[str, Any]] | None]:
        """The prompt; and what makes the whole message of an output that continues one."""
        if not _is_begun(talk):
            return self._written(self.template.trace(talk, add_generation_prompt=True, **options)), None
        begun = talk[-1]
        if begun.get("tool_calls"):
            raise InputError(
                "the conversation ends with calls, and without their results",
                hint='add a message with "role": "tool" for each',
            )
        field = next((key for key in ("content", "reasoning_content") if begun.get(key)), None)
        if field is None:
            # Nothing of an answer is there yet.
            return self._written(self.template.trace(talk[:-1], add_generation_prompt=True, **options)), None
        text = begun[field]
        if not isinstance(text, str):
            raise InputError(
                f"the {field} of the last message is a {type(text).__name__}", hint="only a text can be continued"
            )
        prefill = self.template.prefill(talk, field=field, **options)
        text = text.removesuffix(prefill.dropped)
        prompt = self._written(prefill.prompt)
        # Calls that were cut off are not in the prompt, so the model does not go on with them.
        begun = {name: value for name, value in begun.items() if name != "unparsed_tool_calls"}

        def whole(output: str, message: dict[str, Any]) -> dict[str, Any]:
            before = prompt.removesuffix(text)
            if field == "content" and before != prompt:
                known = self.template.parse(text, prompt=before, tools=options["tools"])
                if known["content"].strip() != text.strip():
                    # The text is markup itself, such as what opens the reasoning.
                    return {**begun, **self.template.parse(text + output, prompt=before, tools=options["tools"])}
            return {**begun, **message, field: text + message.get(field, "")}

        return prompt, whole

    def _written(self, prompt: Prompt) -> str:
        """What is sent."""
        return disarmed(prompt, self.template, self._trust, self._on_injection)

    def _settings(self, generation: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
        """The texts that the caller wants the output to end before, and the engine's own options."""
        settings = dict(generation)
        stop = settings.pop("stop", None) or []
        cuts = [stop] if isinstance(stop, str) else list(stop)
        limit = settings.pop("max_tokens", None)
        name = self._row.limit
        if name is None:
            return cuts, settings if limit is None else {**settings, "max_tokens": limit}
        limit = self._max_tokens if limit is None else limit
        if limit is not None:
            settings.setdefault(name, limit)
        return cuts, settings


def _is_begun(talk: list[Any]) -> bool:
    """Whether the last message is the beginning of the answer."""
    return bool(talk[-1].get("role") == "assistant")


def _is_cut_off(message: Mapping[str, Any]) -> bool:
    return "unparsed_tool_calls" in message
