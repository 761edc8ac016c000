"""The group of commands, and the commands as the processes that people run."""

import json
import os
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from llm_templates import MissingExtraError, families
from llm_templates.cli import main

PROGRAM = [sys.executable, "-m", "llm_templates"]


def test_list_names_every_family():
    """A header, and one line a family that begins with its name."""
    header, *lines = CliRunner().invoke(main, ["list"]).stdout.splitlines()
    assert header.split()[:3] == ["family", "tools", "reasoning"]
    assert [line.split()[0] for line in lines] == list(families.names())


def test_list_finds_by_words():
    """Words that all stand in a name, a title or a model's id, whatever their case."""
    lines = CliRunner().invoke(main, ["list", "ZEPHYR", "7b"]).stdout.splitlines()
    assert [line.split()[0] for line in lines[1:] if "zephyr " in line] == ["zephyr"]
    assert len(CliRunner().invoke(main, ["list", "nothing has these words"]).stdout.splitlines()) == 1


def test_two_templates_are_compared():
    """What differs is marked at its first character, and the exit status says whether anything does."""
    same = CliRunner().invoke(main, ["diff", "zephyr", "zephyr", "--all"])
    assert same.exit_code == 0
    assert all(line.startswith("= ") for line in same.stdout.splitlines()[:-1])
    different = CliRunner().invoke(main, ["diff", "zephyr", "chatml"])
    assert different.exit_code == 1
    assert "  zephyr  <|»u«ser|>\\nQzone?" in different.stdout
    assert "  chatml  <|»i«m_start|>user" in different.stdout
    document = json.loads(CliRunner().invoke(main, ["diff", "zephyr", "chatml", "--json"]).stdout)
    assert document[0]["left"].startswith("<|user|>\nQzone?</s>\n")
    assert not document[0]["equal"]


def test_list_as_a_document():
    """Everything a program may ask about a family, in one array."""
    document = json.loads(CliRunner().invoke(main, ["list", "--json"]).stdout)
    assert [entry["name"] for entry in document] == list(families.names())
    zephyr = families.get("zephyr")
    entry = next(entry for entry in document if entry["name"] == "zephyr")
    assert entry["models"] == list(zephyr.models)
    assert entry["stop"] == {"tokens": ["</s>"], "strings": ["<|system|>", "<|user|>", "<|assistant|>"]}
    assert entry["quirks"][0] == zephyr.quirks[0]._asdict()


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
    assert process.wait() == 141


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full disk to write to")
@pytest.mark.parametrize("arguments", [["list"], ["render", "zephyr", "-u", "x"], ["show", "zephyr"]])
def test_a_full_disk_is_said(arguments):
    """Output that is lost is an error with a status of its own."""
    with open("/dev/full", "wb") as full:
        run = subprocess.run([*PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, check=False)
    assert run.returncode == 74
    assert run.stderr == b"Error: the output cannot be written: No space left on device\n"


def terminal(arguments, **environment):
    """What a command shows on a terminal."""
    import pty

    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [*PROGRAM, *arguments],
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", **environment},
    )
    os.close(theirs)
    text = b""
    # A terminal takes a few thousand bytes before somebody has to read them.
    while True:
        try:
            piece = os.read(ours, 65_536)
        except OSError:  # what the end of a terminal gives
            piece = b""
        if not piece:
            break
        text += piece
    child.wait(timeout=60)
    os.close(ours)
    return text


needs_terminal = pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")


@needs_terminal
@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_fits_a_terminal(columns):
    """A line that is too long for the screen ends in an ellipsis; in a file it is whole."""
    whole = subprocess.run([*PROGRAM, "list"], capture_output=True, check=True).stdout.decode().splitlines()
    shown = terminal(["list"], COLUMNS=str(columns), NO_COLOR="1").decode().splitlines()
    assert max(map(len, shown)) <= columns
    assert len(shown) == len(whole) == len(families.names()) + 1
    assert all(long.startswith(short.rstrip("…").rstrip()) for short, long in zip(shown, whole, strict=True))


@needs_terminal
def test_a_terminal_gets_a_line_break():
    """Only where a person looks at it, a prompt that does not end with a line break is given one."""
    assert terminal(["render", "mistral", "-u", "x"]) == b"<s>[INST] x [/INST]\r\n"


@needs_terminal
def test_a_terminal_is_not_driven_by_a_template():
    """Control characters are shown there as escapes; elsewhere they are written as they are."""
    arguments = ["render", "{{ messages[0].content }}", "-u", "\x1b[2Jx\x9b1my"]
    assert terminal(arguments) == b"\\x1b[2Jx\\x9b1my\r\n"
    assert CliRunner().invoke(main, arguments).stdout == "\x1b[2Jx\x9b1my"


@needs_terminal
def test_colours_are_for_terminals_that_want_them():
    """NO_COLOR and a dumb terminal are honoured; a file or a pipe never gets any."""
    for arguments in (["list"], ["render", "zephir", "-u", "x"]):
        assert b"\x1b[" in terminal(arguments, NO_COLOR="")
        assert b"\x1b[" not in terminal(arguments, NO_COLOR="1")
        assert b"\x1b[" not in terminal(arguments, TERM="dumb")
        assert "\x1b[" not in CliRunner().invoke(main, arguments).output


def failure(*arguments):
    result = CliRunner().invoke(main, list(arguments))
    assert result.stdout == ""
    (error,) = json.loads(result.stderr).values()
    assert error["status"] == result.exit_code
    return error


def test_errors_as_documents():
    """With --json, an error is one too: on standard error, with the same keys for every kind."""
    assert failure("render", "gemma", "-s", "x", "-u", "y", "--json") == {
        "kind": "RaisedError",
        "status": 4,
        "message": "System role not supported",
        "line": 4,
        "excerpt": "  4 |     {{- raise_exception('System role not supported') }}\n    |     ^",
        "hint": "messages[0] is a system message; its text can begin the first user message instead",
    }
    error = failure("render", "zephyr", "--json")
    assert (error["kind"], error["status"]) == ("UsageError", 2)
    assert failure("show", "--json", "zephir")["kind"] == "SourceError"
    assert failure("list", "--json", "--nonsense")["kind"] == "UsageError"


def test_a_long_message_is_cut():
    """A template may say anything, of any length."""
    error = failure("render", "{{ raise_exception('x' * 100000) }}", "-u", "x", "--json")
    assert len(error["message"]) == 4096


def test_a_fault_of_ours_says_so(monkeypatch):
    """What nobody thought of ends with its traceback, a word that it is our fault, and a status of its own."""
    monkeypatch.setattr(families, "names", lambda: 1 / 0)
    result = CliRunner().invoke(main, ["list"])
    assert result.exit_code == 70
    assert "Traceback" in result.stderr
    assert "this is a fault of llm-templates: ZeroDivisionError: division by zero\nplease report it" in result.stderr
    assert failure("list", "--json")["kind"] == "ZeroDivisionError"


def test_an_interrupted_command_says_nothing(monkeypatch):
    """The shell knows."""

    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(families, "names", interrupt)
    result = CliRunner().invoke(main, ["list"])
    assert (result.exit_code, result.output) == (130, "")


def test_a_missing_extra_has_its_status(monkeypatch):
    """It is told apart from a model that is not there."""

    def miss():
        raise MissingExtraError("the hub needs huggingface_hub")

    monkeypatch.setattr(families, "names", miss)
    assert CliRunner().invoke(main, ["list"]).exit_code == 7


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell):
    """The script asks this program, by its own name."""
    script = CliRunner().invoke(main, ["completion", shell]).stdout
    assert "_LLM_TEMPLATES_COMPLETE" in script
    assert "llm-templates" in script


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        (
            "",
            {
                *(
                    "batch",
                    "completion",
                    "diff",
                    "fetch",
                    "grammar",
                    "list",
                    "parse",
                    "read",
                    "render",
                    "show",
                    "stability",
                ),
                "trace",
            },
        ),
        ("render zephyr", {name for name in families.names() if name.startswith("zephyr")}),
        ("render ./", {"./"}),
        ("show own", {"owner/name"}),
        ("show zephyr --te", {"--template"}),
    ],
)
def test_completion_answers(words, answers, tmp_path, monkeypatch):
    """Commands, options, built-in names, cached models, and the word itself for the shell to complete as a file."""
    monkeypatch.setattr(pytest.importorskip("huggingface_hub.constants"), "HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "hub" / "models--owner--name").mkdir(parents=True)
    (tmp_path / "hub" / "datasets--owner--rows").mkdir()
    given, incomplete = words.split()[:-1], [*words.split(), ""][len(words.split()) - 1 if words else 0]
    items = ShellComplete(main, {}, "llm-templates", "_LLM_TEMPLATES_COMPLETE").get_completions(given, incomplete)
    assert {item.value for item in items} == answers
