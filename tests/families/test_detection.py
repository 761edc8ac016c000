"""Which family a template belongs to: told by the control texts it writes and by what it renders."""

import os
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

from llm_templates import ChatTemplate, TemplateSyntaxError, families, load

CORPUS = Path(os.environ.get("LLM_TEMPLATES_CORPUS", "/nonexistent"))
REFERENCES = tomllib.loads((Path(__file__).parent / "references.toml").read_text("utf-8"))

MINE = """{%- for message in messages %}
    {{- '<|im_start|>' ~ message.role ~ '\n' ~ message.content ~ '<|im_end|>' ~ '\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"""


@pytest.mark.parametrize("name", families.names())
def test_a_family_is_found_by_its_own_template(name):
    """The family itself, or one that renders the same prompts for every probe."""
    found = families.detect(load(name))
    assert found.exact or found.family is None, found
    if found.family is None:
        # Templates that render next to nothing without variables of their own.
        assert found.similarity == 0.0
        return
    if found.family != name:
        other = families.detect(families.get(found.family).template)
        assert other.exact


def test_the_same_prompts_from_another_text():
    """A template is known by what it writes, not by how it is written."""
    found = families.detect(MINE)
    assert (found.family, found.exact, found.similarity) == ("chatml", True, 1.0)
    assert "probe conversations become what the family chatml makes of them" in found.evidence[0]
    assert any("<|im_end|>" in sentence for sentence in found.evidence)


def test_a_variant_is_close_and_the_difference_is_shown():
    """An edited template still finds its family, with the markers that only one of them has, and their lines."""
    edited = load("qwen3").source.replace("<tool_response>", "<tool_answer>")
    found = families.detect(edited)
    assert (found.family, found.exact) == ("qwen3", False)
    assert 0.8 < found.similarity < 1
    assert any(
        "only this template has <tool_answer>" in sentence and "(line " in sentence for sentence in found.evidence
    )
    assert any("only the family has <tool_response>" in sentence for sentence in found.evidence)
    line = 1 + next(number for number, text in enumerate(edited.splitlines()) if "'\\n<tool_answer>\\n'" in text)
    assert f"what differs is written in line {line} of the template" in found.evidence


def test_markers_that_are_put_together_while_rendering():
    """No control text stands in the template, yet its prompts show the format."""
    built = MINE.replace("'<|im_start|>'", "open('start')").replace("'<|im_end|>'", "open('end')")
    built = built.replace("'<|im_start|>assistant\n'", "open('start') ~ 'assistant\n'")
    built = "{% macro open(word) %}{{ '<' ~ '|im_' ~ word ~ '|' ~ '>' }}{% endmacro %}" + built
    assert families.detect(built).family == "chatml"


def test_a_format_that_nobody_knows():
    """No family is better than a wrong one."""
    found = families.detect("{% for m in messages %}~~{{ m.role | upper }}~~ {{ m.content }} ++\n{% endfor %}")
    assert found.family is None
    assert not found.exact


def test_detection_changes_nothing():
    """It is a guess about a template; the text that is rendered is the template's own."""
    template = ChatTemplate.from_string(MINE)
    before = template.render([{"role": "user", "content": "Hi"}])
    assert template.family == "chatml"
    assert template.render([{"role": "user", "content": "Hi"}]) == before
    assert template.source == MINE


def test_what_is_no_template_is_an_error():
    """The text is looked at as a template, so a broken one is refused as ever."""
    with pytest.raises(TemplateSyntaxError):
        families.detect("{% for %}")


#: Files of the corpus that are not told apart, and why.
NOT_FOUND = {
    "ai-sage-gigachat-20b-a3b-instruct": "it fails without a token list that only its tokenizer has",
    "cohereforai-c4ai-command-r-v01-rag": "it fails without documents",
    "cohereforai-c4ai-command-r-v01-tool-use": "it fails on tools in the usual shape",
    "deepseek-ai-deepseek-v4-flash-0731": "its family and the one found render every probe the same",
    "gpt4all-substitution-olmoe-1b-7b-0125-instruct-q4-0.gguf-nomic-ai-gpt4all-3471": "a copy with other tokens",
    "huggingfaceh4-zephyr-7b-gemma-v0.1": "its family and the one found render every probe the same",
    "nousresearch-hermes-3-llama-3.1-8b-default": "its family and the one found render every probe the same",
}


@pytest.mark.skipif(not CORPUS.is_dir(), reason="LLM_TEMPLATES_CORPUS names no corpus")
def test_publishers_templates_are_found():
    """The template of a family's models leads to the family, whoever wrote it down."""
    owners = defaultdict(set)
    for stem, files in REFERENCES.items():
        name = max((n for n in families.names() if stem == n or stem.startswith(f"{n}.")), key=len)
        for file in files:
            owners[file].add(name)
    wrong = set()
    for file, right in owners.items():
        source = (CORPUS / "templates" / f"{file}.jinja").read_bytes().decode("utf-8")
        if families.detect(source).family not in right:
            wrong.add(file)
    assert wrong <= NOT_FOUND.keys(), sorted(wrong - NOT_FOUND.keys())
