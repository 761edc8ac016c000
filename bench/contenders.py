"""Who is measured. Each function prepares one template and returns a call that renders one conversation with it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn

from .subjects import Message, Subject

Render = Callable[[list[Message]], str]


def traced(subject: Subject) -> Render:
    """This library's traced render: the text, and what is needed to tell where it came from."""
    from llm_templates import ChatTemplate

    trace = ChatTemplate.from_string(subject.source, special_tokens=subject.special_tokens).trace

    def call(messages: list[Message]) -> str:
        return str(trace(messages, add_generation_prompt=True))

    return call


def segmented(subject: Subject) -> Render:
    """The same, with the origin of every character looked up."""
    from llm_templates import ChatTemplate

    trace = ChatTemplate.from_string(subject.source, special_tokens=subject.special_tokens).trace

    def call(messages: list[Message]) -> str:
        return "".join(segment.text for segment in trace(messages, add_generation_prompt=True).segments)

    return call


def ours(subject: Subject) -> Render:
    """This library, with its budgets on, as they are by default."""
    from llm_templates import ChatTemplate

    render = ChatTemplate.from_string(subject.source, special_tokens=subject.special_tokens).render

    def call(messages: list[Message]) -> str:
        text: str = render(messages, add_generation_prompt=True)
        return text

    return call


def transformers(subject: Subject) -> Render:
    """The reference. It keeps its own cache of compiled templates, which the first call fills."""
    render = importlib.import_module("transformers.utils.chat_template_utils").render_jinja_template
    source, tokens = subject.source, subject.special_tokens

    def call(messages: list[Message]) -> str:
        rendered, _ = render(conversations=[messages], chat_template=source, add_generation_prompt=True, **tokens)
        text: str = rendered[0]
        return text

    return call


def minijinja(subject: Subject) -> Render:
    """minijinja (Rust) from Python, set up as projects do that render chat templates with it; compiled once."""
    environment = minijinja_environment()
    environment.add_template("template", subject.source)
    render, tokens = environment.render_template, subject.special_tokens

    def call(messages: list[Message]) -> str:
        text: str = render(
            "template", messages=messages, tools=None, documents=None, add_generation_prompt=True, **tokens
        )
        return text

    return call


def minijinja_environment() -> Any:
    """Python's methods on strings and mappings (`pycompat`), `tojson` without HTML escapes, the two host functions."""
    environment = importlib.import_module("minijinja").Environment(
        trim_blocks=True, lstrip_blocks=True, pycompat=True, debug=False, auto_escape_callback=lambda name: False
    )
    environment.add_filter("tojson", _tojson)
    environment.add_function("raise_exception", _raise_exception)
    environment.add_function("strftime_now", lambda format: datetime.now().strftime(format))
    return environment


def jinja_environment() -> Any:
    """Jinja2's sandbox as transformers sets it up: what compiling costs there."""
    module = importlib.import_module("transformers.utils.chat_template_utils")
    return module._cached_compile_jinja_template("").environment


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _raise_exception(message: str) -> NoReturn:
    raise ValueError(message)
