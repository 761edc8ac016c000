"""The tiny model: its files are those that were made, and its program makes one that has learned the same."""

import pytest

from llm_templates import load

from .chats import lessons
from .make_tiny import SUMS, make, one_thread, sums
from .wire import plain


def test_the_files(folder):
    """Nobody has changed them since, nor line ends in them."""
    recorded = [line.split("  ") for line in (folder / SUMS).read_text(encoding="utf-8").splitlines()]
    assert sums(folder) == {name: checksum for checksum, name in recorded}


def test_a_model_made_anew(tmp_path):
    """It answers all chats as they were learned: a wrong mask, or wrong ids, would teach it something else."""
    torch = pytest.importorskip("torch", reason="the tiny model is trained with torch, which is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    assert make(tmp_path) < 0.01
    template = load(tmp_path)
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    with one_thread():
        for (*messages, learned), tools in lessons().values():
            prompt = template.encode(messages, tokenizer=tokenizer, tools=tools, add_generation_prompt=True)
            ids = torch.tensor([prompt.ids])
            written = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=200)
            parser = template.parser(prompt=prompt.text, tools=tools, tokenizer=tokenizer)
            parser.feed(written[0, ids.shape[1] :].tolist())
            assert plain(parser.finish()) == plain(learned)
