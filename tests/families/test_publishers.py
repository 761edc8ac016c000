"""Each family against its publisher's template, on every conversation of the corpus that LLM_TEMPLATES_CORPUS names."""

import json
import os
from pathlib import Path

import pytest

from llm_templates import families, load

CORPUS = Path(os.environ.get("LLM_TEMPLATES_CORPUS", "/nonexistent"))
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="LLM_TEMPLATES_CORPUS names no corpus")

#: The file of the corpus that holds the publisher's template; the other families have goldens only.
PUBLISHERS = {
    "chatml": "teknium-openhermes-2.5-mistral-7b",
    "gemma": "google-gemma-2-9b-it",  # Gemma 1.1 shipped the same text
    "zephyr": "huggingfaceh4-zephyr-7b-beta",
}


@pytest.mark.parametrize("name", PUBLISHERS)
def test_renders_what_the_publishers_template_renders(name, ours, reference):
    """Equal text; refused in the same words; and where the publisher's template fails, ours fails too."""
    source = (CORPUS / "templates" / f"{PUBLISHERS[name]}.jinja").read_text(encoding="utf-8")
    template, tokens = load(name), families.get(name).special_tokens
    shapes = json.loads((CORPUS / "conversations.json").read_text(encoding="utf-8"))["shapes"]
    assert shapes
    for shape, given in shapes.items():
        for prompted in (False, True):
            options = {"tools": given["tools"], "documents": given["documents"], "add_generation_prompt": prompted}
            expected = reference(source, given["messages"], special_tokens=tokens, **options)
            assert ours(template, given["messages"], **options) == expected, (shape, prompted)
