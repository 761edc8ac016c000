"""Reading outputs as they come in, in pieces as long as tokens: ours, transformers' response parser, openai-harmony."""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from .formats import FORMATS, TOOLS, Format, outputs
from .timing import geometric_mean, race

#: Different outputs of a format that take turns.
VARIETY = 3

Read = Callable[[list[str]], dict[str, Any]]


@dataclass
class Row:
    """One format: characters read, and seconds for them per contender."""

    name: str
    characters: int
    seconds: dict[str, float]
    remarks: dict[str, str] = field(default_factory=dict)

    def rate(self, contender: str) -> float:
        """Megabytes in a second; a character counts as a byte, as nearly all of them are."""
        return self.characters / self.seconds[contender] / 1e6

    def ratio(self, contender: str) -> float | None:
        """How many times faster ours is, where both were measured."""
        return self.seconds[contender] / self.seconds["ours"] if contender in self.seconds else None


def ours(form: Format) -> Read:
    """This library's parser, with all its events, those of arguments among them."""
    from llm_templates import load

    template = load(form.family)

    def call(chunks: list[str]) -> dict[str, Any]:
        parser = template.parser(prompt=form.prompt, tools=TOOLS)
        feed = parser.feed
        for chunk in chunks:
            feed(chunk)
        return parser.finish()

    return call


def transformers(form: Format) -> Read:
    """The response parser of transformers; its template is loaded once. It tells nothing of arguments but raw text."""
    module = importlib.import_module("transformers.utils.chat_parsing.response_parser")
    loaded = module.load_response_template(form.response_template)

    def call(chunks: list[str]) -> dict[str, Any]:
        parser = module.ResponseParser(loaded, prefix=form.prompt, tools=TOOLS)
        feed = parser.feed
        for chunk in chunks:
            feed(chunk)
        message: dict[str, Any] = parser.finalize()[0]
        return message

    return call


def harmony(form: Format, texts: list[str]) -> Callable[[], object]:
    """openai-harmony on the tokens of Harmony's own format: its parser takes no text.

    Raises:
        Exception: it is not installed, or has no vocabulary: it fetches that on first use.
    """
    module = importlib.import_module("openai_harmony")
    encoding = module.load_harmony_encoding(module.HarmonyEncodingName.HARMONY_GPT_OSS)
    rows = [encoding.encode(text, allowed_special="all") for text in texts]

    def call() -> None:
        for tokens in rows:
            parser = module.StreamableParser(encoding, role=module.Role.ASSISTANT)
            for token in tokens:
                parser.process(token)
                _ = parser.last_content_delta
            _ = parser.messages

    return call


def pieces(text: str, seed: str) -> list[str]:
    """A text in pieces of three to five characters."""
    choose, found, place = random.Random(seed), [], 0
    while place < len(text):
        size = choose.randint(3, 5)
        found.append(text[place : place + size])
        place += size
    return found


def parses(rounds: int) -> Iterator[Row]:
    """Every format. The messages of both are compared before anything is timed."""
    for form in FORMATS:
        texts = outputs(form, VARIETY)
        chunks = [pieces(text, form.family) for text in texts]
        reads = {"ours": ours(form), "transformers": transformers(form)}
        for one in chunks:
            seen = {name: _seen(read(one)) for name, read in reads.items()}
            if seen["ours"] != seen["transformers"]:
                raise AssertionError(f"{form.family}: {seen['ours']!r} is not {seen['transformers']!r}")
        calls: dict[str, Callable[[], object]] = {name: _each(read, chunks) for name, read in reads.items()}
        remarks = {}
        if form.family == "gpt-oss":
            try:
                calls["harmony"] = harmony(form, texts)
            except Exception as error:  # noqa: BLE001 - another project's errors, whatever they are
                remarks["harmony"] = f"left out: {error}".splitlines()[0][:100]
        yield Row(form.family, sum(map(len, texts)), race(calls, rounds), remarks)


def _each(read: Read, rows: list[list[str]]) -> Callable[[], object]:
    return lambda: [read(chunks) for chunks in rows]


def _seen(message: dict[str, Any]) -> tuple[str, str, list[Any]]:
    """What a message says, under either name for reasoning and whatever white space is around texts."""
    reasoning = message.get("reasoning_content") or message.get("thinking") or ""
    calls = [call["function"] for call in message.get("tool_calls", ())]
    arguments = [(call["name"], {k: _bare(v) for k, v in call["arguments"].items()}) for call in calls]
    return (message.get("content") or "").strip(), reasoning.strip(), arguments


def _bare(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


# -- what twice the length costs --

#: What precedes the repeated part, the part, and what follows, in Qwen3's and Qwen3-Coder's format.
SHAPES = {
    "an answer": ("qwen3", "", "some words ", ""),
    "openers": ("qwen3", "", "<tool_call>", ""),
    "near-markers": ("qwen3", "", "<tool_cal ", ""),
    "white space": ("qwen3", "a", " ", "b"),
    "a string without an end": ("qwen3", '<tool_call>\n{"name": "f", "arguments": {"a": "', "words ", ""),
    "depth": ("qwen3", '<tool_call>\n{"name": "f", "arguments": {"a": ', "[", ""),
    "a value with closing tags": ("qwen3-coder", "<tool_call>\n<function=f>\n<parameter=a>\n", "</parameter> x ", ""),
    "a value of line breaks": ("qwen3-coder", "<tool_call>\n<function=f>\n<parameter=a>\n", "\n", ""),
    "a draft in reasoning": ("qwen3.5", "", '<tool_call>\n<function=f>\n</function>\n</tool_call>\n', "</think>"),
}  # fmt: skip


def growth(rounds: int, times: int = 2000) -> Iterator[tuple[str, float]]:
    """For each shape, how much longer an output twice as long takes."""
    from llm_templates import load

    def reader(family: str, text: str) -> Callable[[], object]:
        template, chunks = load(family), pieces(text, "growth")

        def call() -> dict[str, Any]:
            parser = template.parser(tools=TOOLS)
            for chunk in chunks:
                parser.feed(chunk)
            return parser.finish()

        return call

    for name, (family, before, part, after) in SHAPES.items():
        calls = {str(n): reader(family, before + part * n * times + after) for n in (1, 2)}
        seconds = race(calls, rounds)
        yield name, seconds["2"] / seconds["1"]


# -- how much is derived --

#: How a template's records are read: by what families' data says, too, or by the template alone.
WAYS = {"with families' data": True, "from the template alone": False}


def cases_file(option: str | None = None) -> pathlib.Path | None:
    """Recorded outputs with their messages: in the folder of the option, or of `LLM_TEMPLATES_CASES`."""
    folder = option or os.environ.get("LLM_TEMPLATES_CASES")
    file = pathlib.Path(folder) / "parse.jsonl" if folder else None
    return file if file is not None and file.is_file() else None


def derived(file: pathlib.Path) -> dict[str, list[int]]:
    """By template: how many records are read as recorded, in each of `WAYS`, and how many there are."""
    found: dict[str, list[int]] = {}
    for record in filter(_is_run, map(json.loads, file.read_text(encoding="utf-8").splitlines())):
        counts = found.setdefault(record["template_file"], [0] * (len(WAYS) + 1))
        for place, overrides in enumerate(WAYS.values()):
            counts[place] += _as_recorded(file.parent.parent, record, overrides)
        counts[-1] += 1
    return found


def _is_run(record: dict[str, Any]) -> bool:
    options = record.get("options") or {}
    others = ("continue_final_message", "is_partial", "json_schema")
    ordinary = options.get("reasoning_format") != "none" and not any(options.get(name) for name in others)
    return bool(record.get("template_file")) and ordinary


@cache
def _template(file: pathlib.Path) -> Any:
    from llm_templates import ChatTemplate

    source = file.read_bytes().decode("utf-8")
    return ChatTemplate.from_string(source, special_tokens={"bos_token": "<s>", "eos_token": "</s>"})


def _as_recorded(root: pathlib.Path, record: dict[str, Any], overrides: bool) -> bool:
    from llm_templates.grammar.parser import Parser

    template, tools = _template(root / record["template_file"]), record["tools"] or None
    prompt = record.get("generation_prompt")
    if prompt is None:
        opens = record.get("prompt_opens_reasoning")
        question = [{"role": "user", "content": "Hi"}]
        prompt = template.render(question, tools=tools, add_generation_prompt=True) if opens else ""
    parser = Parser(template._parse_tables(overrides), prompt, tools)
    parser.feed(record["output"])
    got, want = _compared(parser.finish()), _compared(record["expected"])
    return all(got[key] == want[key] for key in got if record["expected"].get(key) is not None)


def _compared(message: dict[str, Any]) -> dict[str, Any]:
    calls = [call.get("function", call) for call in message.get("tool_calls") or ()]
    return {
        "content": (message.get("content") or "").strip(),
        "reasoning_content": (message.get("reasoning_content") or "").strip(),
        "tool_calls": [(call["name"], _value(call["arguments"])) for call in calls],
    }


def _value(arguments: Any) -> Any:
    try:
        return json.loads(arguments) if isinstance(arguments, str) else arguments
    except ValueError:
        return arguments


# -- what is printed --


def table(rows: Iterable[Row]) -> list[Row]:
    """Print them as they are measured; give them back as a list."""
    print(f"\n{'outputs in pieces of 3 to 5 characters':<44}{'ours':>12}{'transformers':>22}{'harmony':>20}")
    done = []
    for row in rows:
        done.append(row)
        others = "".join(f"{_rate(row, name):>{width}}" for name, width in (("transformers", 22), ("harmony", 20)))
        print(f"{row.name:<44}{row.rate('ours'):>7.2f} MB/s{others}", flush=True)
        for name, remark in row.remarks.items():
            print(f"note: {name}, {row.name}: {remark}")
    rate = geometric_mean(row.rate("ours") for row in done)
    print(f"geometric mean: {rate:.2f} MB/s, {faster(done):.2f} x as fast as transformers")
    return done


def _rate(row: Row, name: str) -> str:
    ratio = row.ratio(name)
    return "—" if ratio is None else f"{row.rate(name):.2f} MB/s {ratio:6.1f} x"


def growth_table(rows: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    """Print what twice the length costs."""
    print(f"\n{'an output twice as long':<44}{'time':>14}")
    done = []
    for name, ratio in rows:
        done.append((name, ratio))
        print(f"{name:<44}{ratio:>12.2f} x", flush=True)
    return done


def derived_table(found: Mapping[str, Sequence[int]]) -> None:
    """Print how much of what others recorded is read as recorded, by template."""
    print(f"\n{'recorded outputs that are read as recorded':<64}" + "".join(f"{name:>26}" for name in WAYS))
    total = [sum(counts) for counts in zip(*found.values(), strict=True)]
    for name, counts in [*sorted(found.items()), ("all", total)]:
        *good, every = counts
        shares = "".join(f"{f'{count} of {every} {count / every:7.1%}':>26}" for count in good)
        print(f"{pathlib.PurePath(name).stem[:62]:<64}{shares}")


def faster(rows: Iterable[Row]) -> float:
    """How many times faster than transformers, as a geometric mean."""
    return geometric_mean(ratio for row in rows if (ratio := row.ratio("transformers")) is not None)
