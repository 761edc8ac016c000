"""The shape of the code: who may import whom, how long a module may be, and what may not be written in one."""

import ast
import re
from pathlib import Path

import pytest

import llm_templates
from llm_templates import families

ROOT = Path(llm_templates.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

#: Lower layers first; a module imports from layers below its own, and from its own package.
LAYERS = (
    {"errors"},
    {"conversation", "schema", "engine"},
    {"families", "lowering"},
    {"sources", "continuation", "diagnosis", "stops", "attribution", "sampling", "arguments"},
    {"saving", "masking"},
    {"prompt"},
    {"grammar", "tokens", "tracing"},
    {"probed"},
    {"template"},
    {"loading"},
    {"formatter", "history", "fitting", "comparison", "records", "checks"},
    {"batch"},
    {"integrations"},
    {"cli", "playground"},
    {"__init__", "__main__"},
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}

LONGEST = 500
BANNED_MODULES = {"utils", "helpers", "common", "base", "core", "misc"}
BANNED_VERBS = re.compile(r"_?(process|handle|manage|do)_")


def module_id(path):
    return str(path.relative_to(ROOT))


def part(path):
    """The package or module directly under the root that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_parts(path):
    """What a file imports from our package, at any depth of its code, as names directly under the root."""
    package = ("llm_templates", *path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            stem = list(package[: len(package) - node.level + 1]) if node.level else []
            stem += node.module.split(".") if node.module else []
            names = [[*stem, alias.name] for alias in node.names]
        else:
            continue
        for name in names:
            if name[0] == "llm_templates" and len(name) > 1:
                yield name[1]


@pytest.mark.parametrize("path", MODULES, ids=module_id)
def test_imports_point_one_way(path):
    """A module imports only from layers below its own; so there are no cycles and every layer can be read alone."""
    own = part(path)
    assert own in RANK, f"{own} has no layer"
    for name in imported_parts(path):
        if name in RANK and name != own:
            assert RANK[name] < RANK[own], f"{own} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=module_id)
def test_modules_are_small_and_say_what_they_are(path):
    """Every module has a docstring that opens with one sentence, and fits in one reading."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring, "no module docstring"
    assert docstring.splitlines()[0].endswith((".", ":", ";"))


@pytest.mark.parametrize("path", MODULES, ids=module_id)
def test_no_family_is_named_in_code(path):
    """A family is data: its name stands in docstrings and comments at most, never where it could decide anything."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                documentation.add(first.value)
    every = {name for family in families.names() for name in (family, *families.get(family).aliases)}
    # A name that is a word of the language, such as "plain", counts where it is all of a text.
    telling = [name for name in every if any(character.isdigit() for character in name) and len(name) > 3]
    inside = re.compile(rf"(?<![a-z0-9])({'|'.join(map(re.escape, telling))})(?![a-z0-9])", re.IGNORECASE)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documentation:
            written = node.value
        else:
            written = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "name", None)
        if isinstance(written, str):
            assert not inside.search(written), f"line {node.lineno}: {written!r}"
            assert not isinstance(node, ast.Constant) or written.lower() not in every, (
                f"line {node.lineno}: {written!r}"
            )


@pytest.mark.parametrize("path", MODULES, ids=module_id)
def test_names_say_what_things_do(path):
    """No drawers for odds and ends, and no function that `handles` something."""
    assert path.stem not in BANNED_MODULES
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            assert not BANNED_VERBS.match(node.name), f"line {node.lineno}: {node.name}"


def test_the_package_is_typed():
    """Type checkers use our annotations only when this file is there."""
    assert (ROOT / "py.typed").is_file()
