"""`llm-templates parse`: what a model wrote to a message."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from encodings.utf_8_sig import IncrementalDecoder
from typing import TYPE_CHECKING, Any

import click

from ..errors import InputError
from .given_text import check_given, read_given_text
from .models import load_model, model_argument, model_options
from .tools import read_tools
from .writing import write_columns, write_document, write_note, write_table

if TYPE_CHECKING:
    from ..grammar.parser import Parser

#: How much of standard input is waited for at most, in bytes; whatever is there is taken at once.
PIECE = 65_536
#: What is told of a call that is not whole.
ENDS = {"truncated": "is cut off", "broken": "is broken"}


@click.command(no_args_is_help=True)
@model_argument
@click.argument("output", required=False, metavar="[OUTPUT|@FILE|-]")
@click.option("--prompt", metavar="TEXT|@FILE", help="What the output goes on with.  [default: the template's own end]")
@click.option("--tools", multiple=True, metavar="FILE|MODULE:FUNCTION", help="The tools the model had.")
@click.option("--stream", is_flag=True, help="An event on each line, as it comes; the message on the last.")
@click.option("--spans", is_flag=True, help="What each stretch of the output was read as.")
@model_options
@click.option("--json", "as_json", is_flag=True, help="The message as JSON, on a terminal, too.")
def parse(
    output: str | None,
    prompt: str | None,
    tools: tuple[str, ...],
    stream: bool,
    spans: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Read what a model wrote as a message: its content, its reasoning and its tool calls.

    OUTPUT is the text itself; without it, standard input is read. On a terminal the message is shown for people,
    elsewhere as one line of JSON. A call that is cut off or broken is pointed out, and kept as text.

    \b
    llm-templates parse qwen3 '<think>Easy.</think>Hello!'
    curl ... | llm-templates parse ./my-model --tools tools.json --prompt @prompt.txt
    """
    if stream and spans:
        raise click.UsageError("one at a time: --stream or --spans")
    if ["-" if output is None else output, prompt, *tools].count("-") > 1:
        raise click.UsageError("standard input can be read once: it is the output, the prompt or the tools")
    check_given(output, "the output")
    template = load_model(**options).template
    parser = template.parser(
        prompt=None if prompt is None else read_given_text(prompt), tools=read_tools(tools) if tools else None
    )
    pieces = _pieces() if stream and output in (None, "-") else iter([read_given_text(output)])
    message = _streamed(parser, pieces) if stream else _parsed(parser, "".join(pieces), spans, as_json)
    for call in message.get("unparsed_tool_calls", ()):
        write_note(_remark(call))


def _streamed(parser: Parser, pieces: Iterator[str]) -> dict[str, Any]:
    """Write events as they come, and the message; returns that."""
    for piece in pieces:
        for event in parser.feed(piece):
            write_document(event)
    message = parser.finish()
    for event in [*parser.last_events, {"message": message}]:
        write_document(event)
    return message


def _parsed(parser: Parser, output: str, spans: bool, as_json: bool) -> dict[str, Any]:
    """Write the message, or what each stretch of the output is; returns the message."""
    parser.feed(output)
    message = parser.finish()
    if spans and as_json:
        write_document({"message": message, "spans": [span._asdict() for span in parser.spans]})
    elif spans:
        rows = [(str(span.start), str(span.end), span.kind, output[span.start : span.end]) for span in parser.spans]
        write_columns(("from", "to", "kind", "text"), rows)
    elif as_json or not sys.stdout.isatty():
        write_document(message)
    else:
        write_table(_rows(message))
    return message


def _pieces() -> Iterator[str]:
    """Standard input, as it comes.

    Raises:
        InputError: it is not UTF-8.
    """
    decoder = IncrementalDecoder()
    stream = sys.stdin.buffer
    # What is there, instead of as much as was asked for.
    read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    data = b"?"
    while data:
        data = read(PIECE)
        try:
            yield decoder.decode(data, final=not data)
        except UnicodeDecodeError:
            raise InputError("standard input: not UTF-8 text", hint="save it as UTF-8") from None


def _remark(call: dict[str, Any]) -> str:
    """What a user should know of a call that is not whole."""
    name = f"the call of {call['name']}" if "name" in call else "a call"
    start, end = call["span"]
    return f"{name} at characters {start} to {end} {ENDS[call['status']]}: it is kept as text, in unparsed_tool_calls"


def _rows(message: dict[str, Any]) -> list[tuple[str, str]]:
    """A message as a table for people."""
    rows: list[tuple[str, str]] = []
    for title, text in (("reasoning", message.get("reasoning_content", "")), ("content", message["content"])):
        rows += _titled(title, text.split("\n") if text else [])
    for call in message.get("tool_calls", ()):
        arguments = call["function"]["arguments"].items()
        lines = [f"  {key} = {json.dumps(value, ensure_ascii=False)}" for key, value in arguments]
        rows += _titled("call", [f"{call['function']['name']}  ({call['id']})", *lines])
    for call in message.get("unparsed_tool_calls", ()):
        rows += _titled(f"{call['status']} call", call["text"].split("\n"))
    return rows or [("content", "(nothing)")]


def _titled(title: str, lines: list[str]) -> list[tuple[str, str]]:
    return [("" if index else title, line) for index, line in enumerate(lines)]
