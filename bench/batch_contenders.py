"""Who makes ids of a data set of conversations besides this library: TRL's way, and the tokenizer alone."""

from __future__ import annotations

import json
import multiprocessing
import os
import pathlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from .conversations import library

WORKERS = 2
#: TRL's way, without what comes before and after it.
MAP = "map"
WHOLE = "the whole program, from file to file"
#: How many prompts are encoded in one call; the calls of the contenders alternate.
CHUNK = 1000
VOCABULARY = 24_000
#: How the tokenizers of GPT-4, of Llama 3 and of Qwen cut a text into words; this is Qwen's.
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>", "<think>", "</think>")

#: ChatML with reasoning and tools, in the form that TRL trains on: what the model writes stands in generation blocks.
TEMPLATE = """\
{%- set system = messages[0].content if messages[0].role == 'system' else '' %}
{%- if system or tools %}
    {{- '<|im_start|>system\\n' ~ system }}
    {%- if tools %}
        {{- '\\n\\n# Tools\\n\\nCall these functions, each call a JSON object in <tool_call></tool_call>:\\n<tools>' }}
        {%- for tool in tools %}
            {{- '\\n' ~ tool | tojson }}
        {%- endfor %}
        {{- '\\n</tools>' }}
    {%- endif %}
    {{- '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'user' %}
        {{- '<|im_start|>user\\n' ~ message.content ~ '<|im_end|>\\n' }}
    {%- elif message.role == 'assistant' %}
        {{- '<|im_start|>assistant\\n' }}
        {%- generation %}
            {%- if message.reasoning_content %}
                {{- '<think>\\n' ~ message.reasoning_content ~ '\\n</think>\\n\\n' }}
            {%- endif %}
            {{- message.content }}
            {%- for call in message.tool_calls or [] %}
                {%- set arguments = call.function.arguments %}
                {{- '<tool_call>\\n{"name": "' ~ call.function.name ~ '", "arguments": ' }}
                {{- (arguments if arguments is string else arguments | tojson) ~ '}\\n</tool_call>' }}
            {%- endfor %}
            {{- '<|im_end|>' }}
        {%- endgeneration %}
        {{- '\\n' }}
    {%- elif message.role == 'tool' %}
        {{- '<|im_start|>user\\n<tool_response>\\n' ~ message.content ~ '\\n</tool_response><|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

#: What TRL's SFTTrainer makes of a data set of conversations with `assistant_only_loss=True`: ids and masks, row by
#: row, with `datasets.map`; then labels, in the same way. The time to load TRL itself and torch is not counted.
TRL = """
import json, os, sys, time
import datasets
from transformers import PreTrainedTokenizerFast

def encoded(example, tokenizer, chat_template):
    tools = example.get("tools")
    done = tokenizer.apply_chat_template(
        example["messages"],
        tools=json.loads(tools) if isinstance(tools, str) else tools,
        chat_template=chat_template,
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    if 1 not in done["assistant_masks"]:
        raise RuntimeError("nothing of a conversation is trained on")
    return {"input_ids": done["input_ids"], "assistant_masks": done["assistant_masks"]}

def labeled(example):
    pairs = zip(example["input_ids"], example["assistant_masks"], strict=True)
    return {"labels": [token if counts else -100 for token, counts in pairs]}

def main(rows, tokenizer_file, template, workers, output):
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=tokenizer_file, eos_token="<|im_end|>")
    data = datasets.load_dataset("json", data_files=rows, split="train")
    with open(template, encoding="utf-8") as file:
        arguments = {"tokenizer": tokenizer, "chat_template": file.read()}
    clocks = [(time.perf_counter(), sum(os.times()[:4]))]
    data = data.map(encoded, fn_kwargs=arguments, num_proc=int(workers))
    clocks.append((time.perf_counter(), sum(os.times()[:4])))
    data = data.map(labeled, num_proc=int(workers))
    clocks.append((time.perf_counter(), sum(os.times()[:4])))
    data.select_columns(["input_ids", "assistant_masks", "labels"]).to_parquet(output)
    print(json.dumps(clocks))

if __name__ == "__main__":
    main(*sys.argv[1:])
"""


class Taken(NamedTuple):
    """How long something took."""

    #: By the clock on the wall.
    seconds: float
    #: The time that cores worked on it, which other work on the machine changes less.
    work: float


def clocks() -> Taken:
    """What the clocks show now."""
    return Taken(time.perf_counter(), sum(os.times()[:4]))


def between(start: Taken, end: Taken) -> Taken:
    """What has passed: here, and in the programs that were started and have ended."""
    return Taken(end.seconds - start.seconds, end.work - start.work)


def environment(folder: pathlib.Path) -> dict[str, str]:
    """For a program of its own: nothing cached, nothing fetched, and no settings of ours for threads."""
    ours = ("PYTHONDONTWRITEBYTECODE", "TOKENIZERS_PARALLELISM", "RAYON_NUM_THREADS")
    found = {name: value for name, value in os.environ.items() if name not in ours}
    cache = str(folder / "cache")
    return {**found, "HF_DATASETS_CACHE": cache, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}


def tokenizer(rows: Iterator[dict[str, Any]]) -> Any:
    """A byte-level tokenizer such as Qwen's, trained on conversations and on the sources of Python."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    texts = [message["content"] for row in rows for message in row["messages"]]
    made.train_from_iterator([*library(), *texts], trainer)
    made.add_special_tokens(list(CONTROL))
    return made


def trl(folder: pathlib.Path) -> dict[str, Taken]:
    """The time of the whole program, and in it of `datasets.map`, without and with labels.

    Raises:
        RuntimeError: the program failed.
    """
    program = folder / "trl.py"
    program.write_text(TRL, encoding="utf-8")
    files = [str(folder / name) for name in ("rows.jsonl", "tokenizer.json", "template.jinja", "trl.parquet")]
    command = [sys.executable, str(program), *files[:3], str(WORKERS), files[3]]
    start = clocks()
    done = subprocess.run(command, env=environment(folder), capture_output=True, text=True, check=False)
    taken = between(start, clocks())
    if done.returncode:
        raise RuntimeError(f"TRL's way: {done.stderr.strip()}")
    shutil.rmtree(folder / "cache")
    began, mapped, labeled = (Taken(*shown) for shown in json.loads(done.stdout.splitlines()[-1]))
    return {
        MAP: between(began, mapped),
        "map, and map for labels": between(began, labeled),
        WHOLE: taken,
    }


def alone(folder: pathlib.Path, expected: Any) -> dict[str, Taken]:
    """The time that the tokenizer takes for prompts which are in memory already, by how it is called.

    Args:
        folder: where the files are.
        expected: the ids, an Arrow array of lists.

    Raises:
        AssertionError: the ids are others.
    """
    texts, path = _prompts(folder), str(folder / "tokenizer.json")
    return {**_in_threads(texts, path, expected), **_in_programs(texts, path, expected)}


def _in_threads(texts: list[str], path: str, expected: Any) -> dict[str, Taken]:
    """With the library's own threads: calls with many prompts, which alternate."""
    from tokenizers import Tokenizer

    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    loaded = Tokenizer.from_file(path)
    calls = {"encode_batch, threads": loaded.encode_batch, "encode_batch_fast, threads": loaded.encode_batch_fast}
    taken = dict.fromkeys(calls, Taken(0.0, 0.0))
    for first in range(0, len(texts), CHUNK):
        part = texts[first : first + CHUNK]
        for name, call in calls.items():
            start = clocks()
            ids = [encoding.ids for encoding in call(part, add_special_tokens=False)]
            taken[name] = Taken(*map(sum, zip(taken[name], between(start, clocks()), strict=True)))
            _compare(name, ids, expected[first : first + CHUNK])
    return taken


def _in_programs(texts: list[str], path: str, expected: Any) -> dict[str, Taken]:
    """With one program a core, each of which encodes its share of the prompts one by one."""
    ways = multiprocessing.get_context("spawn")
    ready, results = ways.Barrier(WORKERS), ways.SimpleQueue()
    workers = [
        ways.Process(target=_encode, args=(number, path, texts[number::WORKERS], ready, results), daemon=True)
        for number in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    spans: dict[str, list[tuple[Taken, Taken]]] = {}
    for _ in range(len(CALLS) * WORKERS):
        name, number, start, end, ids = results.get()
        name = f"{name}, {WORKERS} processes"
        spans.setdefault(name, []).append((start, end))
        _compare(name, ids, expected.take(list(range(number, len(texts), WORKERS))))
    for worker in workers:
        worker.join()
    return {
        name: Taken(
            max(end.seconds for _, end in found) - min(start.seconds for start, _ in found),
            sum(end.work - start.work for start, end in found),
        )
        for name, found in spans.items()
    }


#: How one prompt is encoded: with what is known of each token, or with ids alone.
CALLS: dict[str, Callable[[Any, str], Any]] = {
    "encode": lambda loaded, text: loaded.encode(text, add_special_tokens=False),
    "encode_batch_fast": lambda loaded, text: loaded.encode_batch_fast([text], add_special_tokens=False)[0],
}


def _encode(number: int, path: str, texts: list[str], ready: Any, results: Any) -> None:
    from tokenizers import Tokenizer

    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    loaded = Tokenizer.from_file(path)
    for name, call in CALLS.items():
        ready.wait()
        start = clocks()
        ids = [call(loaded, text).ids for text in texts]
        results.put((name, number, start, clocks(), ids))


def _prompts(folder: pathlib.Path) -> list[str]:
    from llm_templates import ChatTemplate

    render = ChatTemplate.from_string(TEMPLATE).render
    texts = []
    with (folder / "rows.jsonl").open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            texts.append(render(row["messages"], tools=json.loads(row["tools"]) if row["tools"] else None))
    return texts


def columns(path: pathlib.Path) -> tuple[Any, Any]:
    """The ids and the labels of a file, in the same types whoever wrote it."""
    import pyarrow
    from pyarrow import parquet

    table = parquet.read_table(path, columns=["input_ids", "labels"])
    kind = pyarrow.large_list(pyarrow.int32())
    ids, labels = (table.column(name).combine_chunks().cast(kind) for name in table.column_names)
    return ids, labels


def _compare(name: str, ids: Sequence[Sequence[int]], expected: Any) -> None:
    import pyarrow

    if not pyarrow.array(ids, expected.type).equals(expected):
        raise AssertionError(f"batch: the ids are not those of the tokenizer alone ({name})")
