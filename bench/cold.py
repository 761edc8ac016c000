"""A cold process: start Python, import, take a built-in template, render one conversation, exit."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from .handwritten import CHATML

MESSAGES = [{"role": "user", "content": "Hello!"}]

OURS = f"""
from llm_templates import load
print(load("chatml").render({MESSAGES!r}, add_generation_prompt=True))
"""

TRANSFORMERS = f"""
import sys
from transformers import PreTrainedTokenizerFast
tokenizer = PreTrainedTokenizerFast.from_pretrained(sys.argv[1])
print(tokenizer.apply_chat_template({MESSAGES!r}, tokenize=False, add_generation_prompt=True))
"""


def cold_start(rounds: int) -> dict[str, float]:
    """Seconds from the start of the process to its end, best of `rounds`: ours, transformers, bare Python."""
    with tempfile.TemporaryDirectory() as folder:
        write_tokenizer(pathlib.Path(folder))
        programs = {"ours": OURS, "transformers": TRANSFORMERS, "python alone": "pass"}
        best = dict.fromkeys(programs, float("inf"))
        printed = {}
        for turn in range(rounds + 1):
            for name, program in programs.items():
                seconds, printed[name] = _run(program, folder)
                if turn:  # the first turn only fills the caches of the disk and of compiled modules
                    best[name] = min(best[name], seconds)
    if printed["ours"] != printed["transformers"]:
        raise AssertionError(f"cold process: {printed['ours']!r} is not {printed['transformers']!r}")
    return best


def write_tokenizer(folder: pathlib.Path) -> None:
    """A tokenizer of a few words with a ChatML template, in the two files that transformers reads."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "Hello": 1, "<|im_start|>": 2, "<|im_end|>": 3}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "unk_token": "[UNK]",
        "chat_template": CHATML,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")


def _run(program: str, folder: str) -> tuple[float, str]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program, folder], env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"cold process: {done.stderr.strip()}")
    return seconds, done.stdout
