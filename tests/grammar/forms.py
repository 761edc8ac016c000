"""The same seven things as each family of models writes them: `forms/<family>.txt`, one section a thing.

A section begins with a line `=== name`, or `=== name after "what precedes the output"` where that is not the
generation prompt that the template writes by itself. What a section says is in `SAID`, by its name.
"""

import json
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from llm_templates import load

FOLDER = Path(__file__).parent / "forms"
_HEAD = re.compile(r"^=== ([a-z ,]+?)(?: after (\".*\"))?\n", re.MULTILINE)

REASONING = "The weather is asked for.\nIn Paris, then."
ANSWER = "Voilà.\n\nI will look."
WEATHER = ("get_weather", {"city": "Paris", "days": 3})
FILE = ("write_file", {"path": "notes/a.txt", "text": "one\n  two: \"<b>\" & 'c', {d}\n"})
TIME = ("get_time", {})

#: Reasoning, answer and calls of each section.
SAID = {
    "answer": ("", ANSWER, []),
    "reasoning and answer": (REASONING, ANSWER, []),
    "call": ("", "", [WEATHER]),
    "calls": ("", "", [WEATHER, FILE]),
    "call without arguments": ("", "", [TIME]),
    "answer and call": ("", ANSWER, [FILE]),
    "reasoning and call": (REASONING, "", [FILE]),
    "reasoning, answer and calls": (REASONING, ANSWER, [WEATHER, FILE]),
}


def tool(name, *required, **properties):
    """The schema of a tool, each parameter given by its type or its own schema."""
    kinds = {key: {"type": kind} if isinstance(kind, str) else kind for key, kind in properties.items()}
    parameters = {"type": "object", "properties": kinds, "required": list(required)}
    return {"type": "function", "function": {"name": name, "description": "A tool.", "parameters": parameters}}


TOOLS = [
    tool("get_weather", "city", city="string", days="integer"),
    tool("write_file", "path", "text", path="string", text="string"),
    tool("get_time"),
]


class Form(NamedTuple):
    """One section of a file."""

    family: str
    name: str
    output: str
    #: What precedes the output; None for what the template writes by itself.
    prompt: str | None

    @property
    def template(self):
        return load(self.family)

    @property
    def said(self):
        """What it says, in the shape that `seen` gives."""
        return SAID[self.name]


def _sections(path):
    text = path.read_bytes().decode("utf-8")
    heads = list(_HEAD.finditer(text))
    assert [head.start() for head in heads[:1]] == [0], f"{path.name} does not begin with a section"
    ends = [head.start() for head in heads[1:]] + [len(text)]
    for head, end in zip(heads, ends, strict=True):
        prompt = json.loads(head[2]) if head[2] else None
        yield Form(path.stem, head[1], text[head.end() : end].removesuffix("\n"), prompt)


@cache
def forms():
    """Every section of every file."""
    return tuple(form for path in sorted(FOLDER.glob("*.txt")) for form in _sections(path))


def form_id(form):
    return f"{form.family}: {form.name}"


def longest():
    """The longest section of each family."""
    best = {}
    for form in forms():
        if form.family not in best or len(form.output) > len(best[form.family].output):
            best[form.family] = form
    return tuple(best.values())


def seen(message):
    """Reasoning, content and calls of a message."""
    calls = [(call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls", ())]
    return message.get("reasoning_content", ""), message["content"], calls


def streamed(template, chunks, **options):
    """The parser that read an output in pieces, its message, and all its events."""
    parser = template.parser(**options)
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    message = parser.finish()
    return parser, message, [*events, *parser.last_events]


def pieces(text, size, offset=0):
    """A text cut into pieces of one size, the first of them `offset` long."""
    places = [0, *range(offset or size, len(text), size), len(text)]
    return [text[start:end] for start, end in pairwise(places)]


class Folded:
    """What a client has who adds up events: texts, and calls by index."""

    def __init__(self, events):
        self.reasoning, self.content = "", ""
        self.calls = {}
        for event in events:
            self.add(event)

    def add(self, event):
        if event.get("reclassified") == {"content": "reasoning_content"}:
            self.reasoning, self.content = self.reasoning + self.content, ""
            return
        self.reasoning += event.get("reasoning_content", "")
        self.content += event.get("content", "")
        for delta in event.get("tool_calls", ()):
            if delta.keys() == {"index", "id"}:  # the model wrote it after the arguments
                self.calls[delta["index"]]["id"] = delta["id"]
                continue
            function = delta["function"]
            if delta["index"] not in self.calls:
                assert delta["type"] == "function"
                self.calls[delta["index"]] = {"id": delta["id"], "name": function["name"], "arguments": ""}
            else:
                assert delta.keys() == {"index", "function"}
                assert function.keys() == {"arguments"}
            self.calls[delta["index"]]["arguments"] += function["arguments"]
