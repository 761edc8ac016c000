"""Tokens: encoding against the tokenizer alone, and a conversation that grows against one that is encoded anew."""

from __future__ import annotations

import random
from typing import Any

from .timing import race

#: How many user and assistant turns the long conversation has.
TURNS = 200
FAMILIES = ("llama3", "qwen3", "zephyr")
WORDS = ("the", "rose", "garden", "grows", "when", "rain", "and", "sun", "come", "over", "old", "walls", "of", "stone")


def tokenizer(control: list[str]) -> Any:
    """A byte-level tokenizer, trained on a few words, with control tokens."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=2000, initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator([_text(random.Random(seed), 200) for seed in range(50)], trainer)
    made.add_special_tokens(control)
    return made


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(words))


def _talk(turns: int) -> list[dict[str, str]]:
    chance = random.Random(7)
    return [{"role": role, "content": _text(chance, 60)} for _ in range(turns) for role in ("user", "assistant")]


def measure(rounds: int) -> list[dict[str, float | str]]:
    """For each family, seconds: encode and the tokenizer alone; extending a session and starting over."""
    from llm_templates import Session, load
    from llm_templates.families.markers import control_texts
    from llm_templates.tokens import encode

    rows: list[dict[str, float | str]] = []
    for name in FAMILIES:
        template = load(name)
        talk = _talk(TURNS)
        text = template.render(talk)
        tokens = tokenizer(sorted({*control_texts(text), *template.special_tokens.values()}))
        prompt = template.trace(talk)
        assert encode(prompt, tokens).ids == tokens.encode(text, add_special_tokens=False).ids
        grown = [*talk, *_talk(1)]

        session = Session(template, tokens)
        session.extend(talk, add_generation_prompt=False)
        seconds = race(
            {
                "encode": lambda: encode(prompt, tokens).offsets,  # noqa: B023
                "tokenizer": lambda: tokens.encode(text, add_special_tokens=False).offsets,  # noqa: B023
                "over": lambda: encode(template.trace(grown), tokens).ids,  # noqa: B023
                # Each call makes the conversation longer by a turn, which is to nobody's advantage but the others'.
                "extend": lambda: session.extend(_talk(1), add_generation_prompt=False),  # noqa: B023
            },
            rounds,
        )
        rows.append({"name": name, **seconds})
    return rows


def table(rows: list[dict[str, Any]]) -> None:
    """Print them."""
    title = f"tokens of a conversation of {2 * TURNS} messages"
    print(f"\n{title:<44}{'encode':>11}{'tokenizer':>11}{'over':>11}{'extend':>11}")
    for row in rows:
        shown = "".join(f"{row[name] * 1e3:>8.2f} ms" for name in ("encode", "tokenizer", "over", "extend"))
        print(f"{row['name']:<44}{shown}")
