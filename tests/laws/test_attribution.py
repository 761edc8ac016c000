"""Law: every character of the input that is in a prompt has its true origin, and the template's own is never input.

Always over the built-in families; over a corpus of templates, too, where LLM_TEMPLATES_CORPUS names its folder.
"""

import json
import os
import re
from pathlib import Path

import pytest
from canaries import KINDS, PRIVATE, Shape, canaries, plain_numbers

from llm_templates import ChatTemplate, TemplatesError, families, load

CORPUS = os.environ.get("LLM_TEMPLATES_CORPUS")
LETTERS = "bcdfghjklmnpqrstvwxz"

#: What a JSON escape of a private character looks like, where a template asks for ASCII.
ESCAPED = re.compile(r"(\\u04[0-6][0-9a-f])+", re.IGNORECASE)
#: Fields that hold a word of the format rather than the caller's own text.
WORDS = {"system", "user", "assistant", "tool", "function", "text", "string", "integer", "object"}


def recorded():
    if not CORPUS:
        return []
    return sorted(json.loads((Path(CORPUS) / "index.json").read_text(encoding="utf-8")).items())


BUILT_IN = [(name, variant) for name in families.names() for variant in (None, *families.get(name).variants)]


@pytest.fixture(params=BUILT_IN, ids=lambda pair: ".".join(filter(None, pair)))
def built_in(request):
    name, variant = request.param
    return load(name, variant=variant)


@pytest.fixture(params=recorded() or [None], ids=lambda entry: entry[0] if entry else "none")
def published(request):
    if request.param is None:
        pytest.skip("LLM_TEMPLATES_CORPUS names no corpus")
    slug, facts = request.param
    source = (Path(CORPUS) / "templates" / f"{slug}.jinja").read_bytes().decode("utf-8")
    try:
        return ChatTemplate.from_string(source, special_tokens=facts["special_tokens"])
    except TemplatesError as error:
        pytest.skip(f"not a template: {error.message}")


def prompts(template, text, number, attributed):
    """Each shape of conversation that the template takes, with its prompt."""
    attributed["templates"] += 1
    for kind in KINDS:
        shape = Shape(kind, text, number)
        if kind == "variables":
            shape.fill_variables(template.variables)
        try:
            prompt = template.trace(shape.messages, **shape.options)
        except TemplatesError:
            attributed["refused"] += 1
            continue
        assert str(prompt) == template.render(shape.messages, **shape.options)
        assert str(prompt) == "".join(segment.text for segment in prompt.segments)
        attributed.update(
            renders=1,
            characters=len(str(prompt)),
            derived=sum(len(segment.text) for segment in prompt.segments if segment.origin.kind == "derived"),
        )
        yield shape, prompt


def check_canaries(template, attributed):
    """Wherever a canary stands in a prompt, its characters come from a place where it stood, one by one."""
    text, number = canaries(LETTERS, "Qz"), plain_numbers()
    for shape, prompt in prompts(template, text, number, attributed):
        rendered = str(prompt)
        stood = {}
        for place, value in shape.places().items():
            if str(value) not in WORDS and (not isinstance(value, str) or value.startswith("Qz")):
                stood.setdefault(str(value), set()).add(place)
        for canary, places in stood.items():
            for found in re.finditer(re.escape(canary), rendered):
                origins = [prompt.origin_at(place) for place in range(*found.span())]
                context = (shape.kind, rendered[max(0, found.start() - 40) : found.end() + 10])
                assert {(o.kind, o.index, o.path, o.key) for o in origins} <= places, context
                if canary.startswith("Qz"):
                    assert [o.start for o in origins] == list(range(len(canary))), context
                attributed["canaries"] += 1


def check_private(template, attributed):
    """Where the caller writes in letters of their own, these are never the template's, and nothing else is theirs."""
    text = canaries(PRIVATE)
    private = set(PRIVATE) | set(PRIVATE.upper())
    for shape, prompt in prompts(template, text, None, attributed):
        stood = shape.places()
        for written, origin, *_ in prompt.segments:
            if origin.is_template:
                assert private.isdisjoint(written), (shape.kind, written, origin)
            elif origin.kind != "derived" and not private.issuperset(written):
                source = stood[origin.kind, origin.index, origin.path, origin.key]
                as_a_key = origin.key and written == source
                as_a_word = not origin.key and source in WORDS and written.lower() in source
                assert as_a_key or as_a_word or ESCAPED.fullmatch(written), (shape.kind, written, origin)


def test_input_is_found_where_it_stood(built_in, attributed):
    """For every built-in template."""
    check_canaries(built_in, attributed)


def test_template_text_is_never_input(built_in, attributed):
    """For every built-in template."""
    check_private(built_in, attributed)


def test_input_is_found_where_it_stood_in_published_templates(published, attributed):
    """For every template of the corpus."""
    check_canaries(published, attributed)


def test_template_text_is_never_input_in_published_templates(published, attributed):
    """For every template of the corpus."""
    check_private(published, attributed)
