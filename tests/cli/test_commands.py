"""The group of commands, and the commands as the processes that people run."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from llm_templates import families
from llm_templates.cli import main

PROGRAM = [sys.executable, "-m", "llm_templates"]


def test_list_names_every_family():
    """One line a family: its name, then its title."""
    lines = CliRunner().invoke(main, ["list"]).stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(families.names())
    assert all(families.get(name).title in line for name, line in zip(families.names(), lines, strict=True))


def test_every_command_has_help():
    """The group and each command say what they do, and every option says what it is for."""
    assert "Exit status" in CliRunner().invoke(main, ["--help"]).stdout
    for name, command in main.commands.items():
        assert command.help, name
        for parameter in command.params:
            assert parameter.param_type_name == "argument" or parameter.help, (name, parameter.name)


def test_without_arguments_the_help_is_shown():
    """The bare name of the program is a question."""
    assert "Usage:" in CliRunner().invoke(main, []).output
    assert "Usage:" in CliRunner().invoke(main, ["render"]).output


def test_the_version():
    """The version is the installed one."""
    from importlib.metadata import version

    assert CliRunner().invoke(main, ["--version"]).stdout.strip() == version("llm-templates")


def test_the_output_is_utf_8_whatever_the_locale():
    """Neither the locale nor PYTHONIOENCODING changes a byte."""
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    run = subprocess.run([*PROGRAM, "render", "zephyr", "-u", "é😀"], capture_output=True, env=environment, check=True)
    assert run.stdout == "<|user|>\né😀</s>\n<|assistant|>\n".encode()
    run = subprocess.run([*PROGRAM, "render", "é😀", "-u", "x"], capture_output=True, env=environment, check=False)
    assert run.returncode == 5
    assert "é😀" in run.stderr.decode()


@pytest.mark.parametrize("unbuffered", [False, True])
def test_a_long_prompt_arrives_whole_and_a_closed_pipe_is_no_fault(tmp_path, unbuffered):
    """A pipe takes less than a prompt at once; when its reader goes away, the program ends without a word."""
    path = tmp_path / "long.json"
    path.write_text(json.dumps([{"role": "user", "content": "x" * 1_000_000}]), encoding="utf-8")
    environment = {**os.environ, "PYTHONUNBUFFERED": "1" if unbuffered else ""}
    command = [*PROGRAM, "render", "mistral", str(path)]
    whole = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert whole.stdout == b"<s>[INST] " + b"x" * 1_000_000 + b" [/INST]"
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    assert process.stdout.read(9) == b"<s>[INST]"
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait()


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
def test_a_terminal_gets_a_line_break():
    """Only where a person looks at it, a prompt that does not end with a line break is given one."""
    import pty

    ours, theirs = pty.openpty()
    subprocess.run([*PROGRAM, "render", "mistral", "-u", "x"], stdout=theirs, check=True)
    os.close(theirs)
    assert os.read(ours, 1000) == b"<s>[INST] x [/INST]\r\n"
    os.close(ours)
