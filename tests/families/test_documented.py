"""Prompts that the models' documentation prints, typed from there by hand: `documented/<family>.json` says from where."""

import json
import os
import tomllib
from datetime import datetime
from pathlib import Path

import pytest

from llm_templates import ChatTemplate, families, load

HERE = Path(__file__).parent
FILES = sorted((HERE / "documented").glob("*.json"))
CASES = [
    pytest.param(path.stem, case, id=f"{path.stem}-{number}")
    for path in FILES
    for number, case in enumerate(json.loads(path.read_text(encoding="utf-8"))["cases"], start=1)
]
#: A folder with examples that others collected from documentation, if there is one.
COLLECTED = os.environ.get("LLM_TEMPLATES_CASES")


@pytest.mark.parametrize(("family", "case"), CASES)
def test_renders_as_documented(family, case):
    """The built-in template prints what the documentation of its models prints."""
    now = datetime.fromisoformat(case["now"]) if "now" in case else None
    template = load(family, now=now)
    assert template.render(case["messages"], **case.get("options", {})) == case["expected"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_says_where_the_example_stands(path):
    """An example is worth something only if one can look it up; where there is none, the source says so."""
    documented = json.loads(path.read_text(encoding="utf-8"))
    assert path.stem in families.names()
    assert documented.keys() == {"source", "cases"}
    assert len(documented["source"]) > 40
    assert documented["cases"]


def test_every_family_is_verified_somehow():
    """A family that no other template verifies has an example."""
    references = tomllib.loads((HERE / "references.toml").read_text(encoding="utf-8"))
    unverified = {stem for stem, files in references.items() if not files}
    assert unverified <= {path.stem for path in FILES}


@pytest.mark.skipif(not COLLECTED, reason="LLM_TEMPLATES_CASES names no folder of cases")
def test_collected_examples():
    """What transformers' documentation prints, built-in families and a template of the reader's own."""
    for case in json.loads((Path(COLLECTED) / "documented.json").read_text(encoding="utf-8"))["cases"]:
        messages, expected = case.get("messages"), case.get("expected")
        add_generation_prompt = case.get("add_generation_prompt", False)
        if "expected_layout" in case:
            record = {"instruction": "Identify the odd one out.", "input": "Twitter, Instagram, Telegram"}
            messages = [{"role": "user", "content": record["instruction"], "input": record["input"]}]
            expected, add_generation_prompt = case["expected_layout"].format(**record), True
        if "template" in case:
            tokens = {"bos_token": "<s>", "eos_token": "</s>"}
            template = ChatTemplate.from_string(case["template"], special_tokens=tokens)
        else:
            template = load(case["family"])
        assert template.render(messages, add_generation_prompt=add_generation_prompt) == expected, case["name"]
