"""Where a template reads its names."""

import os
from pathlib import Path

import pytest

from llm_templates import ChatTemplate, TemplateSyntaxError, families
from llm_templates.cli.variables import lines_of_names

CORPUS = os.environ.get("LLM_TEMPLATES_CORPUS")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{{ a }}\n{{ b.c[d] }}\n{{ a }}", {"a": [1, 3], "b": [2], "d": [2]}),
        (
            "{% for m in messages %}{{ m }}{{ loop.index }}{% else %}{{ e }}{% endfor %}{{ m }}",
            {"messages": 1, "e": 1, "m": 1},
        ),
        ("{% for a, (b, c) in x if b > y recursive %}{{ a }}{{ c }}{% endfor %}", {"x": 1, "y": 1}),
        ("{% macro f(a, b=c) %}{{ a }}{{ b }}{{ d }}{% endmacro %}\n{{ a }}", {"c": 1, "d": 1, "a": 2}),
        (
            "{% macro f(g) %}{{ caller(1) }}{% endmacro %}{% call(x) f(y) %}{{ x }}{{ z }}{% endcall %}",
            {"y": 1, "z": 1},
        ),
        ("{% if not a is defined %}\n{% set a = 1 %}\n{% endif %}{{ a }}", {"a": [1, 3]}),
        ("{% set b = 1 %}{% set ns = namespace(c=d) %}{% set ns.c = e %}", {"d": 1, "e": 1}),
        ("{% generation %}{{ a }}{% endgeneration %}{{ b | f(c) }}", {"a": 1, "b": 1, "c": 1}),
        ("{% raw %}{{ a }}{% endraw %}{# {{ b }} #}", {}),
        ("{{ a\n+ b }}", {"a": 1, "b": 2}),
    ],
)
def test_names_and_their_lines(text, names):
    """A name is listed with each line that reads it, unless it is the template's own there."""
    expected = {name: lines if isinstance(lines, list) else [lines] for name, lines in names.items()}
    ignored = ("f", "namespace", "ns", "caller")
    assert {name: lines for name, lines in lines_of_names(text).items() if name not in ignored} == expected


def texts():
    built_in = [(name, families.get(name).template) for name in families.names()]
    paths = sorted(Path(CORPUS, "templates").glob("*.jinja")) if CORPUS else []
    return [*built_in, *((path.stem, path.read_bytes().decode("utf-8")) for path in paths)]


@pytest.mark.parametrize(("name", "text"), texts())
def test_every_variable_of_a_template_has_a_line_that_names_it(name, text):
    """What the engine says a template takes from its context is found where its name stands, unless it is only set."""
    try:
        lines = lines_of_names(text)
    except TemplateSyntaxError:
        return
    source = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for variable in ChatTemplate.from_string(text).variables:
        assert variable in lines or f"set {variable} =" in text
        assert all(variable in source[line - 1] for line in lines.get(variable, []))
