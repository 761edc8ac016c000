"""What is measured: real templates, and conversations of a chosen length to render with them."""

from __future__ import annotations

import importlib.resources
import json
import os
import pathlib
import random
from dataclasses import dataclass, field
from typing import Any

Message = dict[str, Any]

#: Messages in a conversation: a first question, an ordinary chat, a long one.
SIZES = (2, 22, 202)

#: 24 templates of 16 families, as their publishers ship them (Llama 2's, which was never published as Jinja, is a
#: widely used transcription). They are named, not copied: the texts are read from the corpus folder.
CHOSEN = (
    "qwen-qwen1.5-72b-chat",
    "qwen-qwen2.5-0.5b-instruct",
    "qwen-qwen3-0.6b",
    "chujiezheng-llama-2-chat",
    "gpt4all-substitution-original-meta-llama-3-8b-instruct.q4-0.gguf",
    "meta-llama-llama-3.1-8b-instruct",
    "mistralai-mistral-7b-instruct-v0.3",
    "mistralai-mistral-small-3.2-24b-instruct-2506",
    "google-gemma-2-9b-it",
    "google-gemma-3-4b-it",
    "google-gemma-4-12b-it",
    "deepseek-ai-deepseek-r1-distill-qwen-7b",
    "deepseek-ai-deepseek-v3.1",
    "microsoft-phi-3.5-mini-instruct",
    "microsoft-phi-4",
    "cohereforai-c4ai-command-r-v01-default",
    "zai-org-glm-4.6",
    "ibm-granite-granite-3.3-2b-instruct",
    "huggingfacetb-smollm3-3b",
    "openai-gpt-oss-20b",
    "allenai-open-instruct-olmo",
    "lgai-exaone-exaone-4.0-1.2b",
    "huggingfaceh4-zephyr-7b-beta",
    "moonshotai-kimi-k2-instruct",
)

DEFAULT_CORPUS = pathlib.Path(__file__).resolve().parent.parent.parent / "shared" / "corpus"


@dataclass(frozen=True)
class Subject:
    """One template with the special tokens of its model."""

    name: str
    family: str
    source: str
    special_tokens: dict[str, str] = field(default_factory=dict)


def corpus_folder(option: str | None = None) -> pathlib.Path | None:
    """The folder of real templates: the option, else `LLM_TEMPLATES_CORPUS`, else beside the repository, else none."""
    named = option or os.environ.get("LLM_TEMPLATES_CORPUS")
    folder = pathlib.Path(named) if named else DEFAULT_CORPUS
    if (folder / "index.json").is_file():
        return folder
    if named:
        raise SystemExit(f"bench: {folder} has no index.json, so it is not a corpus folder")
    return None


def from_corpus(folder: pathlib.Path) -> list[Subject]:
    """The chosen templates of the corpus in `folder`."""
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    found = []
    for slug in CHOSEN:
        with (folder / "templates" / f"{slug}.jinja").open(encoding="utf-8", newline="") as file:
            source = file.read()
        found.append(Subject(slug, index[slug]["family"], source, index[slug]["special_tokens"]))
    return found


def from_families() -> list[Subject]:
    """The built-in families: what there is to measure without the corpus."""
    tokens = {"bos_token": "<s>", "eos_token": "</s>"}
    folder = importlib.resources.files("llm_templates.families")
    files = sorted((item for item in folder.iterdir() if item.name.endswith(".jinja")), key=lambda item: item.name)
    return [Subject(f.name.removesuffix(".jinja"), f.name, f.read_text(encoding="utf-8"), tokens) for f in files]


SENTENCES = (
    "Could you explain how a bill becomes a law, step by step, and where it usually gets stuck?",
    "The train leaves at 7:45, so we would have to be at the station by half past at the latest.",
    "Here is the function you asked for:\n\n```python\ndef area(r):\n    return 3.14159 * r ** 2\n```\n",
    "I tried that, and it still says `KeyError: 'name'` on line 12.",
    'She said "it depends", which is not what the customer wanted to hear.',
    "In short: measure first, change one thing, and measure again.",
    "- flour, 250 g\n- sugar, 120 g\n- three eggs\n",
    "Das wäre schön, aber morgen geht es leider nicht – vielleicht am Freitag?",
    "Prices rose by 3.2 % in March & fell by 0.4 % in April, if <the report> is right.",
    "Why does the moon look larger near the horizon than it does high in the sky?",
    "Please keep the tone friendly and do not promise a refund.",
    "A monad is a monoid in the category of endofunctors; what is the problem?",
)


def conversation(size: int, seed: int = 0, *, system: bool = True) -> list[Message]:
    """`size` messages of about 100 to 600 characters that alternate and end with the user's.

    A system message takes the first place when `system` holds. Without one an even size would end with the
    assistant's, so the conversation is one shorter.
    """
    choose = random.Random(f"{size}/{seed}")

    def text() -> str:
        wanted, parts = choose.randint(100, 500), [choose.choice(SENTENCES)]
        while sum(map(len, parts)) < wanted:
            parts.append(choose.choice(SENTENCES))
        return " ".join(parts)

    messages = [{"role": "system", "content": text()}] if system else []
    count = size - 1  # odd for every even size: begins and ends with the user
    messages += [{"role": "assistant" if turn % 2 else "user", "content": text()} for turn in range(count)]
    return messages
