"""Renders that other projects recorded with transformers come out byte for byte the same.

The cases and their templates are other people's texts and are not part of this project: the tests look for them in the
folders that LLM_TEMPLATES_CASES and LLM_TEMPLATES_CORPUS name.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llm_templates import ChatTemplate

CASES = os.environ.get("LLM_TEMPLATES_CASES")
CORPUS = os.environ.get("LLM_TEMPLATES_CORPUS")

pytestmark = pytest.mark.skipif(
    not CASES or not CORPUS, reason="LLM_TEMPLATES_CASES and LLM_TEMPLATES_CORPUS name no folders of cases"
)


def recorded():
    if not CASES:
        return []
    return json.loads((Path(CASES) / "render_hfchat.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", recorded(), ids=lambda case: case["name"])
def test_a_recorded_render_comes_out_the_same(case):
    source = (Path(CORPUS) / "templates" / f"{case['slug']}.jinja").read_bytes().decode("utf-8")
    clock = case["clock_unix_secs"]
    now = datetime.fromtimestamp(clock, UTC).replace(tzinfo=None) if clock is not None else None
    inputs = dict(case["inputs"])
    options = {name: inputs.pop(name) for name in ("tools", "documents", "add_generation_prompt") if name in inputs}
    messages = inputs.pop("messages")
    template = ChatTemplate.from_string(source, special_tokens=case["special_tokens"], now=now)

    assert template.render(messages, variables=inputs, **options) == case["expected"]
