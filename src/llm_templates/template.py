"""`ChatTemplate`: a thin face over the engine and what belongs to a model's prompts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from .arguments import PARAMETERS, RESERVED, check_variables, mappings, tool_list
from .continuation import Continuation
from .diagnosis import Finding, diagnose
from .engine import Limits, Template, compile_template, run_type
from .engine.budget import DEFAULT_LIMITS
from .engine.globals import GLOBALS
from .errors import InputError
from .families.switches import with_reasoning
from .lowering import WATCHED, ChatRun, plain_messages, with_image_parts
from .probed import Probed
from .sources import DEFAULT, TemplateSource

if TYPE_CHECKING:
    from .grammar.parser import Parser
    from .grammar.reading import Transcript
    from .grammar.tables import Tables
    from .grammar.turns import Turns
    from .masking import Training
    from .prompt import Prefill, Prompt
    from .tokens import Tokens

#: Those of them whose items are plain dicts when the engine gets them.
CLOSED = ("messages",)


def compile_chat(source: str, extensions: Sequence[str], limits: Limits) -> Template:
    """Compile a chat template with what every chat template shares."""
    return compile_template(
        source,
        extensions=extensions,
        watched=WATCHED,
        parameters=PARAMETERS,
        closed=CLOSED,
        mutable=False,
        limits=limits,
    )


class ChatTemplate(Probed):
    """A chat template with its special tokens: a conversation in, the exact prompt out.

    Made by `load` or `ChatTemplate.from_string`; immutable, shared freely between threads, and picklable.
    """

    __slots__ = (
        "_by_processor",
        "_clock",
        "_engine",
        "_root",
        "_run",
        "_values",
        "_with_tools",
        "variant",
    )

    def __init__(
        self,
        engine: Template,
        model: TemplateSource,
        variant: str = DEFAULT,
        now: datetime | None = None,
        with_tools: ChatTemplate | None = None,
    ) -> None:
        self._engine = engine
        #: What was loaded: all templates of the model, where they came from, at which commit.
        self.model = model
        #: The name of this template among those of its model.
        self.variant = variant
        #: The template that takes over when tools are given, if the model has one.
        self._with_tools = with_tools
        #: The special tokens the template may read by name, such as `bos_token`; unset ones are absent.
        self.special_tokens: dict[str, str] = dict(model.special_tokens)
        self._by_processor = model.by_processor
        self._clock = now
        self._family: str | None = model.family
        self._stops: tuple[str, ...] | None = None
        #: The generation prompts that probes gave, by what they depend on.
        self._openings: dict[tuple[Any, ...], str] = {}
        self._tables: dict[bool, Tables] = {}
        self._turns: Turns | None = None
        self._root = engine.root
        self._values = engine.values(self.special_tokens)
        self._reads = frozenset(engine.reads)
        self._run = run_type(ChatRun, engine.limits, now)

    @classmethod
    def from_string(
        cls,
        source: str,
        *,
        special_tokens: Mapping[str, str | None] | None = None,
        now: datetime | None = None,
        name: str | None = None,
        extensions: Sequence[str] = (),
        limits: Limits = DEFAULT_LIMITS,
    ) -> ChatTemplate:
        """Compile a chat template.

        Args:
            source: Jinja text, as in `chat_template.jinja`.
            special_tokens: what `bos_token`, `eos_token`, ... stand for; None means unset.
            now: the time `strftime_now` tells; the time of the render if None.
            name: how error texts and `repr` call it.
            extensions: filters of some publishers' hosts that are off by default: "from_json", "fromjson".
            limits: what the template may use.

        Raises:
            TemplateSyntaxError: the text is not a template.
            BudgetError: it is larger or deeper than `limits` allow.

        >>> template = ChatTemplate.from_string("{% for m in messages %}{{ m.role }}: {{ m.content }}\\n{% endfor %}")
        >>> template.render([{"role": "user", "content": "Hi"}])
        'user: Hi\\n'
        """
        engine = compile_chat(source, extensions, limits)
        tokens = {key: token for key, token in (special_tokens or {}).items() if token is not None}
        return cls(engine, TemplateSource.of(source, tokens, name), now=now)

    @property
    def name(self) -> str | None:
        """What the template's model is called, or None."""
        return self.model.name

    @property
    def source(self) -> str:
        """The Jinja text."""
        return self._engine.source

    @property
    def variables(self) -> tuple[str, ...]:
        """The names the template reads besides messages, tools, documents and special tokens, in reading order.

        >>> ChatTemplate.from_string("{% if enable_thinking %}<think>{% endif %}").variables
        ('enable_thinking',)
        """
        known = RESERVED | GLOBALS.keys()
        return tuple(name for name in self._engine.reads if name not in known and not name.endswith("_token"))

    @property
    def reads_clock(self) -> bool:
        """Whether the prompt depends on when it is rendered, as far as the template's text tells."""
        return "strftime_now" in self._reads or (self._with_tools is not None and self._with_tools.reads_clock)

    def at(self, now: datetime) -> ChatTemplate:
        """The same template, told that it is `now`, whenever it renders.

        >>> ChatTemplate.from_string("{{ strftime_now('%Y') }}").at(datetime(2024, 7, 26)).render([{"role": "user"}])
        '2024'
        """
        return ChatTemplate(
            self._engine, self.model, self.variant, now, None if self._with_tools is None else self._with_tools.at(now)
        )

    def render(
        self,
        messages: Any,
        *,
        tools: Sequence[Any] | None = None,
        documents: Sequence[Any] | None = None,
        add_generation_prompt: bool = False,
        continue_final_message: bool | str = False,
        reasoning: bool | str | None = None,
        variables: Mapping[str, Any] | None = None,
        strict: bool = True,
    ) -> str:
        """The prompt, byte-equal to `tokenizer.apply_chat_template(messages, tokenize=False, ...)`.

        Args:
            messages: a list of messages (dicts in the OpenAI shape, or objects that lower to them), or a conversation
                object that holds one as `.messages`. Read as the template reads it, never changed.
            tools: tool schemas, or Python functions, whose schemas are made from their signatures and docstrings.
            documents: documents for retrieval, dicts as the template wants them.
            add_generation_prompt: end with what precedes the model's answer.
            continue_final_message: end inside the last message, so that the model goes on with it; a text names the
                field to continue instead of "content".
            reasoning: whether the model is to reason (True, False), or how much ("low", "medium", "high"), whatever the
                template calls the variable for it.
            variables: what else the template may read, such as `enable_thinking`.
            strict: refuse a variable that the template never reads.

        Raises:
            RaisedError: the template refused the conversation, in its own words.
            TemplateRuntimeError: the template failed on it.
            BudgetError: the template needs more than its budget.
            InputError: the conversation or an option cannot be used.

        >>> from llm_templates import load
        >>> load("chatml").render([{"role": "user", "content": "Hi"}], add_generation_prompt=True)
        '<|im_start|>user\\nHi<|im_end|>\\n<|im_start|>assistant\\n'
        """
        if tools is not None and self._with_tools is not None:
            return self._with_tools.render(
                messages,
                tools=tools,
                documents=documents,
                add_generation_prompt=add_generation_prompt,
                continue_final_message=continue_final_message,
                reasoning=reasoning,
                variables=variables,
                strict=strict,
            )
        if reasoning is not None:
            variables = with_reasoning(reasoning, self.reasoning_switch, variables)
        if type(messages) is not list or not messages:
            messages = plain_messages(messages)
        for message in messages:
            if type(message) is not dict:
                messages = plain_messages(messages)
                break
        if self._by_processor:
            messages = with_image_parts(messages)
        continuation = None
        if continue_final_message:
            continuation = self._continuation(messages[-1], continue_final_message, add_generation_prompt)
            messages = [*messages[:-1], continuation.message]
        if tools is not None:
            tools = tool_list(tools)
        if documents is not None:
            documents = mappings("documents", documents)
        root, values = self._root, self._values
        run = self._run()
        run.inputs = (messages, tools, documents, variables)
        if type(add_generation_prompt) is not bool:
            add_generation_prompt = run.border.lower(add_generation_prompt)
        if variables:
            check_variables(variables, self._reads if strict else None, self.variables)
            lower = run.border.lower
            context = {**self.special_tokens, **{name: lower(value) for name, value in variables.items()}}
            shadowed = GLOBALS.keys() & variables.keys()
            engine = self._engine.shadowing(shadowed) if shadowed else self._engine
            root, values = engine.root, engine.values(context)
        try:
            text = root(run, values, messages, tools, documents, add_generation_prompt)
        except Exception as error:  # noqa: BLE001  (the engine says what it means)
            raise self._engine.failure(error) from error.__cause__
        return text if continuation is None else continuation.cut(text)

    def trace(
        self,
        messages: Any,
        *,
        tools: Sequence[Any] | None = None,
        documents: Sequence[Any] | None = None,
        add_generation_prompt: bool = False,
        continue_final_message: bool | str = False,
        reasoning: bool | str | None = None,
        variables: Mapping[str, Any] | None = None,
        strict: bool = True,
    ) -> Prompt:
        """The same prompt as `render` gives, with the origin of every character.

        Takes and raises what `render` does.

        >>> template = ChatTemplate.from_string("{% for m in messages %}[{{ m.content }}]{% endfor %}")
        >>> [(segment.text, segment.owner) for segment in template.trace([{"content": "Hi"}]).segments]
        [('[', 0), ('Hi', 0), (']', 0)]
        """
        if tools is not None and self._with_tools is not None:
            return self._with_tools.trace(
                messages,
                tools=tools,
                documents=documents,
                add_generation_prompt=add_generation_prompt,
                continue_final_message=continue_final_message,
                reasoning=reasoning,
                variables=variables,
                strict=strict,
            )
        if reasoning is not None:
            variables = with_reasoning(reasoning, self.reasoning_switch, variables)
        messages = plain_messages(messages)
        if self._by_processor:
            messages = with_image_parts(messages)
        continuation = None
        if continue_final_message:
            continuation = self._continuation(messages[-1], continue_final_message, add_generation_prompt)
            messages = [*messages[:-1], continuation.message]
        tools = None if tools is None else tool_list(tools)
        documents = None if documents is None else mappings("documents", documents)
        if variables:
            check_variables(variables, self._reads if strict else None, self.variables)
        from .sampling import Rules
        from .tracing import traced

        rules = Rules(partial(self._generation_prompt, tools is not None, variables), lambda: self.stop_strings)
        given = (messages, tools, documents, variables)
        end = None if continuation is None else continuation.cut
        return traced(self._engine, self.special_tokens, self._clock, given, add_generation_prompt, rules, end)

    def encode(
        self,
        messages: Any,
        *,
        tokenizer: Any,
        training: Training | None = None,
        trust: Any = (),
        on_injection: str = "text",
        **options: Any,
    ) -> Tokens:
        """The prompt as tokens: ids, offsets, and a mask of what the model itself would write.

        No text of the conversation can become a control token: those count only where the template wrote them.

        Args:
            messages: as for `render`.
            tokenizer: a tokenizer of `tokenizers` or transformers, a `tokenizer.json`, a model's folder or its hub id.
            training: which parts the mask covers, with what weight; by default what the model would write, as far as
                the messages do not say what they weigh. What is worth knowing of the mask is in the `findings`.
            trust: whose text may hold control tokens; see `llm_templates.tokens.encode`.
            on_injection: "text", "report" or "raise"; see there.
            options: `tools`, `documents`, `add_generation_prompt`, `reasoning`, `variables` and the rest of `render`.

        Raises:
            MissingExtraError: the library `tokenizers` is not installed.
            InputError: an option cannot be used; or text of the input holds a control token, with "raise".
        """
        from .tokens import encode

        prompt = self.trace(messages, **options)
        mask = prompt.mask() if training is None else prompt.mask(training)
        tokens = encode(prompt, tokenizer, trust=trust, on_injection=on_injection, sampled=mask.spans)
        return replace(tokens, findings=mask.findings)

    def prefill(self, messages: Any, *, field: str = "content", **options: Any) -> Prefill:
        """The prompt up to the end of the last message's text, for the model to go on with it.

        Beside `continue_final_message`, which has the reference's results: the end is known from the trace, so it is
        found where the text is written twice or changed, and what the template leaves out of its end is told.

        Args:
            messages: as for `render`; the last one is the beginning of the answer.
            field: what of it is continued, such as "reasoning_content".
            options: `tools`, `documents`, `reasoning`, `variables` and `strict`, as for `render`.

        Raises:
            InputError: there is nothing to continue.

        >>> from llm_templates import load
        >>> talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Well, "}]
        >>> found = load("gemma").prefill(talk)
        >>> str(found.prompt)[-26:], found.dropped
        ('<start_of_turn>model\\nWell,', ' ')
        """
        return self.trace(messages, **options).prefill(field)

    def parse(self, output: str, *, prompt: str | None = None, tools: Sequence[Any] | None = None) -> dict[str, Any]:
        """A model's output as a message: its content, its reasoning and its tool calls.

        `{"role": "assistant", "content": ..., "reasoning_content": ..., "tool_calls": [...]}`: the content is always
        there; the other keys are if the output has them. Calls that are cut off or broken are in
        `"unparsed_tool_calls"`, with their text. It never fails, whatever the output is.

        Args:
            output: what the model wrote.
            prompt: the prompt that it goes on with, or the end of it: it may have begun the reasoning. The template's
                generation prompt if None; "" if nothing precedes the output.
            tools: the tools the model had, as for `render`: what type a value has is known from them, where the format
                does not say.

        >>> from llm_templates import load
        >>> message = load("qwen3").parse('<tool_call>\\n{"name": "now", "arguments": {"zone": "UTC"}}\\n</tool_call>')
        >>> message["tool_calls"][0]["function"]
        {'name': 'now', 'arguments': {'zone': 'UTC'}}
        """
        parser = self.parser(prompt=prompt, tools=tools)
        parser.feed(output)
        return parser.finish()

    def parser(self, prompt: str | None = None, *, tools: Sequence[Any] | None = None, tokenizer: Any = None) -> Parser:
        """The same for output that comes in pieces: `feed(text)` gives events, `finish()` the message.

        Takes what `parse` does, and a tokenizer (as `encode` does) to be fed ids: then a control token counts only
        where the model wrote the token itself, and never where text looks like one.

        Raises:
            MissingExtraError: a tokenizer is given, and the library `tokenizers` is not installed.
        """
        if self._with_tools is not None and tools is not None:
            return self._with_tools.parser(prompt=prompt, tools=tools, tokenizer=tokenizer)
        from .grammar.parser import Parser

        decoder = None
        if tokenizer is not None:
            from .tokens.decoding import Decoder

            decoder = Decoder(tokenizer)
        return Parser(self._parse_tables(), prompt, None if tools is None else tool_list(tools), decoder)

    def read(self, prompt: str) -> Transcript:
        """A whole prompt back as a conversation: its messages, the tools it shows, and whether it asks for an answer.

        It is verified by rendering: `exact` says whether the conversation gives this very prompt, and `lost` what the
        prompt does not tell, or what differs. It never fails, whatever the text is.

        >>> from llm_templates import load
        >>> template = load("chatml")
        >>> found = template.read(template.render([{"role": "user", "content": "Hi"}], add_generation_prompt=True))
        >>> found.messages, found.add_generation_prompt, found.exact
        ([{'role': 'user', 'content': 'Hi'}], True, True)
        """
        from .grammar.reading import read

        def parse(output: str, before: str, tools: list[dict[str, Any]] | None) -> dict[str, Any]:
            return self.parse(output, prompt=before, tools=tools)

        return read(prompt, self, self._turn_marks(), parse)

    def _continuation(self, final: dict[Any, Any], field: bool | str, add_generation_prompt: bool) -> Continuation:
        """What ends the prompt inside the last message."""
        if add_generation_prompt:
            raise InputError(
                "continue_final_message and add_generation_prompt exclude each other",
                hint="the first goes on with the last message, the second begins a new one",
            )
        return Continuation(final, field, self.source)

    def diagnose(
        self,
        messages: Any,
        *,
        tools: Sequence[Any] | None = None,
        documents: Sequence[Any] | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> list[Finding]:
        """What this template does to the conversation that its author may not have meant, each with what would help.

        A role the template refuses, parts printed as Python writes a list, arguments encoded twice, text that never
        reaches the prompt. Nothing is changed; `repaired(messages, findings)` makes the changes the findings propose.

        >>> template = ChatTemplate.from_string("{{ messages[0].content }}")
        >>> from llm_templates import repaired
        >>> findings = template.diagnose([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}])
        >>> print(findings[0])
        messages[0].content: its parts are printed as Python writes a list; give the text itself (parts)
        >>> repaired([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}], findings)
        [{'role': 'user', 'content': 'Hi'}]
        """

        def render(part: list[Any]) -> str:
            return self.render(part, tools=tools, documents=documents, variables=variables)

        return diagnose(messages, render)

    def save(self, folder: str | os.PathLike[str]) -> list[str]:
        """Write the template into a model's folder, or a new one, as transformers reads it back.

        A model that is there keeps everything else; the template it had is replaced. Returns the paths that changed.

        Raises:
            SourceError: a file that is there is broken, or one cannot be written.
        """
        from .saving import save_templates

        return save_templates(folder, self._templates(), self.special_tokens)

    def push_to_hub(self, repository: str, **options: Any) -> str:
        """Write the template into a repository on the hub, as one commit, and return the commit's address.

        Args:
            repository: the model's id, `owner/name`.
            options: `revision`, `message`, `private`, `create_pr`, `token`, `endpoint`, as `huggingface_hub` has them.

        Raises:
            SourceError: the hub refuses or cannot be reached.
        """
        from .saving import push_templates

        return push_templates(repository, self._templates(), self.special_tokens, **options)

    def _templates(self) -> dict[str, str]:
        templates = {DEFAULT: self.source}
        if self._with_tools is not None:
            templates[self._with_tools.variant] = self._with_tools.source
        return templates

    def __repr__(self) -> str:
        return f"<ChatTemplate {self.name or 'from text'}, {len(self.source)} characters>"

    def __reduce__(self) -> tuple[Any, ...]:
        return ChatTemplate, (
            self._engine,
            self.model,
            self.variant,
            self._clock,
            self._with_tools,
        )
