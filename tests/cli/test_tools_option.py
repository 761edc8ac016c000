"""`--tools`: files of definitions and functions of modules."""

import json
import sys

import pytest
from click.testing import CliRunner

from llm_templates.cli import main

TEMPLATE = "{{ messages[0].content }}{{ tools | tojson }}"
A, B = {"name": "a"}, {"name": "b"}

MODULE = '''
def add(x: int, y: int) -> int:
    """
    Add two numbers.

    Args:
        x: the first
        y: the second
    """
    return x + y


class Tools:
    @staticmethod
    def sub(x: int) -> int:
        """
        Negate.

        Args:
            x: the number
        """
        return -x


TOOLS = [add, {"name": "a"}]
NUMBER = 5
'''


def run(*tools, stdin=None, model=TEMPLATE):
    arguments = [word for tool in tools for word in ("--tools", tool)]
    return CliRunner().invoke(main, ["render", model, "-u", "x", *arguments], input=stdin, catch_exceptions=False)


def tools_of(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout.removeprefix("x"))


@pytest.fixture
def module(tmp_path, monkeypatch):
    """The name of a module in the current folder, which is not among what Python finds by itself."""
    (tmp_path / "toolbox.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "broken_toolbox.py").write_text("import no_such_package", encoding="utf-8")
    (tmp_path / "failing_toolbox.py").write_text("1 / 0", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != str(tmp_path)])
    yield "toolbox"
    sys.modules.pop("toolbox", None)


def written(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def test_a_file_holds_a_list(tmp_path):
    """Or an object that has one as `tools`; several files are one list."""
    first, second = written(tmp_path / "a.json", [A]), written(tmp_path / "b.json", {"tools": [B]})
    assert tools_of(run(first)) == [A]
    assert tools_of(run(first, second)) == [A, B]
    assert tools_of(run("-", stdin=json.dumps([B]))) == [B]


def test_functions_become_schemas(module):
    """A function of a module in the current folder is a tool, with the schema that the library makes of it."""
    from llm_templates.schema import tool_schema

    (tool,) = tools_of(run("toolbox:add"))
    assert tool == tool_schema(sys.modules["toolbox"].add)
    assert tool["function"]["name"] == "add"
    assert tools_of(run("toolbox:Tools.sub"))[0]["function"]["name"] == "sub"
    assert tools_of(run("toolbox:TOOLS")) == [tool, A]


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("toolbox:ad", "tools: 'toolbox' has no 'ad'\ndid you mean 'add'?"),
        ("toolbox:NUMBER", "tools: 'toolbox:NUMBER' is of type int\nname a function, or a list of functions"),
        (
            "no_such_toolbox:add",
            "tools: there is no module 'no_such_toolbox'\nmodules are looked for here and among what is installed",
        ),
        (
            "broken_toolbox:add",
            "tools: 'broken_toolbox' cannot be imported: there is no module 'no_such_package'\n"
            "modules are looked for here and among what is installed",
        ),
        ("failing_toolbox:add", "tools: 'failing_toolbox' cannot be imported: ZeroDivisionError: division by zero"),
        (
            "toolbox.json",
            "tools: there is no file 'toolbox.json'\nit is a JSON file with a list of tools, or module:function",
        ),
    ],
)
def test_what_is_wrong_with_a_reference_is_said(module, reference, text):
    """An input error names what was looked for, and the way out."""
    result = run(reference)
    assert (result.exit_code, result.stdout, result.stderr) == (3, "", f"Error: {text}\n")


def test_a_single_tool_is_not_a_list(tmp_path):
    """The most likely slip has its own hint."""
    result = run(written(tmp_path / "tool.json", A))
    assert result.exit_code == 3
    assert "expected a list of tools, found an object\nput [ and ] around the one tool" in result.stderr
