"""Trains the tiny model: `cd tests/engines && python -m e2e.make_tiny e2e/tiny` writes it as a folder.

It has learned the chats by heart, and what it was trained on is what the masks of `ChatTemplate.encode` say.
"""

import hashlib
import sys
from contextlib import contextmanager
from pathlib import Path

from llm_templates import Training, load

from .chats import LEARNED, lessons

SEED = 7
FAMILY = "qwen3"
#: Lists the checksums of the other files, as sha256sum does.
SUMS = "SHA256SUMS"
#: How many tokens there are, beside the marks of the template.
WORDS = 600
#: The marks, as in the models of that family: (text, whether it is special).
MARKS = (
    ("<|im_start|>", True),
    ("<|im_end|>", True),
    ("<tool_call>", False),
    ("</tool_call>", False),
    ("<tool_response>", False),
    ("</tool_response>", False),
    ("<think>", False),
    ("</think>", False),
)
SHAPE = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": True,
}
#: Training ends at this loss, or after so many rounds over all chats.
ENOUGH = 0.002
ROUNDS = 300


def make_tokenizer(template):
    """A byte-level tokenizer that splits text as those of the family do."""
    from tokenizers import AddedToken
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import Qwen2Tokenizer

    texts = sorted(template.render(talk, tools=tools) for talk, tools in LEARNED.values())
    tokenizer = Qwen2Tokenizer(**template.special_tokens).train_new_from_iterator(
        texts, WORDS, initial_alphabet=ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.add_tokens([AddedToken(text, special=special, normalized=False) for text, special in MARKS])
    tokenizer.chat_template = template.source
    return tokenizer


def rows(template, tokenizer):
    """What is trained on: for each message of the assistant, the ids of the chat up to it, and their labels."""
    for talk, tools in lessons().values():
        tokens = template.encode(talk, tokenizer=tokenizer, tools=tools, training=Training(turns="last"))
        yield tokens.ids, tokens.labels()


def batches(rows, pad):
    """Two, of rows that are about as long, as tensors."""
    import torch

    def tensor(lists, filling):
        longest = max(map(len, lists))
        return torch.tensor([[*numbers, *[filling] * (longest - len(numbers))] for numbers in lists])

    rows = sorted(rows, key=lambda row: len(row[0]))
    for part in rows[: len(rows) // 2], rows[len(rows) // 2 :]:
        ids = [ids for ids, _ in part]
        yield {
            "input_ids": tensor(ids, pad),
            "attention_mask": tensor([[1] * len(row) for row in ids], 0),
            "labels": tensor([labels for _, labels in part], -100),
        }


def train(batches, vocabulary, seed=SEED):
    """A model that has learned the batches by heart, and its loss."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(seed)
    model = Qwen2ForCausalLM(Qwen2Config(vocab_size=vocabulary, **SHAPE))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, betas=(0.9, 0.98), weight_decay=0.0)
    warming_up = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=10)
    for _ in range(ROUNDS):
        loss = 0.0
        for batch in batches:
            part = model(**batch).loss / len(batches)
            part.backward()
            loss += part.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        warming_up.step()
        if loss < ENOUGH:
            break
    return model.eval(), loss


@contextmanager
def one_thread():
    """More threads only wait for each other at this size, and change how sums are rounded."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def sums(folder):
    """The checksums of the files of a model, by their names."""
    files = sorted(file for file in Path(folder).iterdir() if file.name != SUMS)
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def make(folder):
    """Trains the model and writes it into a folder, its weights with half the precision; the loss."""
    import torch

    template = load(FAMILY)
    tokenizer = make_tokenizer(template)
    taught = list(batches(list(rows(template, tokenizer)), tokenizer.pad_token_id))
    with one_thread():
        model, loss = train(taught, len(tokenizer))
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.to(torch.float16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    lines = [f"{checksum}  {name}\n" for name, checksum in sums(folder).items()]
    (Path(folder) / SUMS).write_text("".join(lines), encoding="utf-8")
    return loss


if __name__ == "__main__":
    print(f"loss {make(sys.argv[1]):.4f}")
