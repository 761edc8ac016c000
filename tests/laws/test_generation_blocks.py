"""`{% generation %}` blocks: the stretches that transformers records for them, over every template of the corpus that has some."""

import gzip
import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from llm_templates import ChatTemplate

CORPUS = Path(os.environ.get("LLM_TEMPLATES_CORPUS", "/nonexistent"))
BLOCK = "{% generation %}{{ m.content }}{% endgeneration %}"


def blocks(source, messages=({"role": "user", "content": "One"}, {"role": "assistant", "content": "Two"})):
    prompt = ChatTemplate.from_string(source).trace(list(messages))
    return [str(prompt)[start:end] for start, end in prompt.generation_blocks]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% for m in messages %}<" + BLOCK + ">{% endfor %}", ["One", "Two"]),
        # Where transformers' own counting errs: in a macro and in a set block.
        (
            "{% macro say(m) %}<" + BLOCK + ">{% endmacro %}{% for m in messages %}{{ say(m) }}{% endfor %}",
            ["One", "Two"],
        ),
        ("{% for m in messages %}{% set t %}<" + BLOCK + ">{% endset %}[{{ t }}]{% endfor %}", ["One", "Two"]),
        ("{% for m in messages %}{% generation %}{% endgeneration %}{{ m.content }}{% endfor %}", []),
        ("{{ messages[0].content }}", []),
    ],
)
def test_blocks_are_found_where_they_stand(source, expected):
    """Also where the text is gathered before it is written."""
    assert blocks(source) == expected


@pytest.mark.skipif(not CORPUS.is_dir(), reason="LLM_TEMPLATES_CORPUS names no corpus")
def test_recorded_blocks():
    """Every recorded row is equal."""
    index = json.loads((CORPUS / "index.json").read_text("utf-8"))
    conversations = json.loads((CORPUS / "conversations.json").read_text("utf-8"))
    now = datetime.fromisoformat(conversations["frozen_now"])
    equal, different = 0, []
    with gzip.open(CORPUS / "reference.jsonl.gz", "rt", encoding="utf-8", errors="surrogatepass") as rows:
        for row in map(json.loads, rows):
            variables = dict(row["flags"])
            if not variables.pop("return_assistant_tokens_mask", False) or row["status"] != "ok":
                continue
            shape, entry = conversations["shapes"][row["shape"]], index[row["slug"]]
            named = ("add_generation_prompt", "continue_final_message")
            options = {name: variables.pop(name) for name in named if name in variables}
            source = (CORPUS / "templates" / f"{row['slug']}.jinja").read_bytes().decode("utf-8")
            template = ChatTemplate.from_string(source, special_tokens=entry["special_tokens"], now=now)
            given = {"tools": shape["tools"], "documents": shape["documents"], "variables": variables, "strict": False}
            found = template.trace(shape["messages"], **given, **options).generation_blocks
            if found == [tuple(span) for span in row["gen_spans"] if span[1] > span[0]]:
                equal += 1
            else:
                different.append((row["slug"], row["shape"]))
    assert not different, different[:5]
    assert equal >= 661
