"""The documents cannot drift: their examples run, and every name, error, family and command is in them."""

import doctest
import importlib
import pkgutil
import re
import runpy
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import llm_templates
from llm_templates import TemplatesError, families
from llm_templates.cli import main

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = sorted(module.name for module in pkgutil.walk_packages(llm_templates.__path__, "llm_templates."))


def blocks(path, language):
    """The code blocks of a language in a Markdown file."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


#: What runs with engines for data has its examples run beside them, in tests/engines.
ENGINES = {
    "llm_templates.integrations.datasets": "datasets",
    "llm_templates.integrations.ray": "ray",
    "llm_templates.integrations.spark": "pyspark",
}


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_examples_in_docstrings_run(name):
    """Every `>>>` in the code gives what it says."""
    if name in ENGINES:
        pytest.importorskip(ENGINES[name], reason=f"{ENGINES[name]} is with the engines: make engines")
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_examples_in_documents_run(path):
    """Every Python session in a document gives what it says, read from top to bottom."""
    session = doctest.DocTestParser().get_doctest("\n".join(blocks(path, "pycon")), {}, path.name, str(path), 0)
    assert doctest.DocTestRunner().run(session).failed == 0


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_documents_run(path):
    """Every command line in a document prints what it says."""
    sessions = [line for block in blocks(path, "console") for line in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    for session in sessions:
        line, _, expected = session.partition("\n")
        words = shlex.split(line)
        stdin = None
        if words[0] == "echo":
            stdin, words = words[1], words[3:]
        assert words[0] == "llm-templates"
        result = CliRunner().invoke(main, words[1:], input=stdin)
        assert result.stdout.rstrip("\n") == expected.rstrip("\n"), line


def test_the_readme_counts_the_families():
    """A figure in the README is the one that is true."""
    assert f"one of {len(families.names())} built-in names" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_public_name_is_in_the_readme():
    """The table of names has a row for each, and no row for anything else."""
    rows = re.findall(r"^\| `(\w+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(llm_templates.__all__)


def test_every_command_is_in_the_readme():
    """A command that is not documented is not found."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"llm-templates {name}" in text for name in main.commands)


def test_the_page_of_families_is_up_to_date():
    """It is written from the data files, by docs/write_families.py."""
    writer = runpy.run_path(str(ROOT / "docs" / "write_families.py"))
    assert (ROOT / "docs" / "families.md").read_text(encoding="utf-8") == writer["page"]()


def test_every_error_is_documented():
    """The tree and the table name every error there is."""
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    kinds = [TemplatesError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    rows = re.findall(r"^\| `(\w+Error)` \|", text, re.MULTILINE)
    assert sorted(rows) == sorted(kind.__name__ for kind in kinds[1:])
    assert all(f"─ {kind.__name__}\n" in text for kind in kinds[1:])


def test_links_in_documents_lead_somewhere():
    """A link to a file of the project names one."""
    for path in [*DOCUMENTS, ROOT / "CONTRIBUTING.md"]:
        prose = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", prose):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
