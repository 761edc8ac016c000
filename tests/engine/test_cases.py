"""The language by example: one file a case, `cases/<name>.txt`, with context, template and what it gives.

A file is three parts with a line `---` between them: the context as JSON, the template, and the text it gives, or
`!ErrorType: ` and how the error's text begins. What the reference renders is what is expected here; a first line
`# differs: <reason>` says that it is not. `# mutable` renders outside of chat, where values may change in place.
"""

import json
import re
from pathlib import Path

import jinja2.sandbox
import pytest

from fuzz import oracle
from llm_templates import TemplatesError
from llm_templates.engine import compile_template
from llm_templates.engine.filters import FILTERS
from llm_templates.engine.globals import GLOBALS
from llm_templates.engine.methods import ATTRIBUTES, METHODS
from llm_templates.engine.mutations import MUTATIONS
from llm_templates.engine.tests import TESTS
from llm_templates.engine.values import Loop

CASES = {path.stem: path for path in sorted((Path(__file__).parent / "cases").glob("*.txt"))}


class Case:
    """One file, read."""

    def __init__(self, path):
        text = path.read_bytes().decode("utf-8").removesuffix("\n")
        self.marks = re.match(r"(?:# .*\n)*", text)[0]
        self.context, self.template, self.expected = text[len(self.marks) :].split("\n---\n")
        self.differs = "# differs: " in self.marks
        self.mutable = "# mutable" in self.marks

    def values(self):
        return json.loads(self.context)


def reference_environment(mutable):
    """The reference's environment; for mutable values, the same over the sandbox that lets them change."""
    if not mutable:
        return oracle.ENVIRONMENT
    made = jinja2.sandbox.SandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[*oracle.ENVIRONMENT.extensions]
    )
    made.filters, made.globals = oracle.ENVIRONMENT.filters, oracle.ENVIRONMENT.globals
    return made


@pytest.mark.parametrize("name", CASES)
def test_gives_what_the_file_says(name):
    """The template gives the text of its file, or fails with the error that begins so."""
    case = Case(CASES[name])
    context = case.values()
    try:
        given = compile_template(case.template, mutable=case.mutable).render(context, now=oracle.NOW)
    except TemplatesError as error:
        given = f"!{type(error).__name__}: {error}"
        assert case.expected.startswith("!"), given
        given = given[: len(case.expected)]
    assert given == case.expected
    assert repr(context) == repr(case.values()), "the caller's data was changed"


@pytest.mark.parametrize("name", CASES)
def test_the_reference_says_the_same(name):
    """The reference gives the same text and refuses what is refused, unless the file says how it differs."""
    case = Case(CASES[name])
    try:
        given = reference_environment(case.mutable).from_string(case.template).render(**case.values())
    except Exception as error:
        given = error
    if case.expected.startswith("!"):
        assert isinstance(given, Exception) != case.differs, given
    else:
        assert (given == case.expected) != case.differs, given


def test_every_name_of_the_language_has_a_case():
    """No filter, test, method, global or attribute of `loop` without an example."""
    templates = "\n".join(Case(path).template for path in CASES.values())
    missing = [name for name in FILTERS if not re.search(rf"\| *{name}\b|map\('{name}'|^{{% filter {name}", templates)]
    missing += [name for name in TESTS if not re.search(rf" is (not )?{name}(?!\w)|'{name}'", templates)]
    methods = {name for kinds in (METHODS, MUTATIONS) for table in kinds.values() for name in table}
    attributes = {name for table in ATTRIBUTES.values() for name in table}
    missing += [name for name in methods | attributes if not re.search(rf"\.{name}\b", templates)]
    missing += [name for name in ATTRIBUTES[Loop] | METHODS[Loop] if not re.search(rf"\bloop\.{name}\b", templates)]
    missing += [name for name in GLOBALS if not re.search(rf"\b{name}\b", templates)]
    assert missing == []
