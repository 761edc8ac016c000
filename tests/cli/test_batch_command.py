"""`llm-templates batch`: a data set to rows, from the command line."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="tables need pyarrow")
pytest.importorskip("tokenizers", reason="tokens need tokenizers")

from click.testing import CliRunner
from pyarrow import parquet
from test_commands import PROGRAM, needs_terminal, terminal
from tokenizers import Tokenizer, models, pre_tokenizers

from llm_templates import load
from llm_templates.cli import main

TALK = [
    {"role": "user", "content": "One?"},
    {"role": "assistant", "content": "1.", "reasoning_content": "Easy."},
    {"role": "user", "content": "Two?"},
    {"role": "assistant", "content": "2."},
]


@pytest.fixture
def tokenizer(tmp_path):
    """The path of a tokenizer of single bytes."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    made.save(str(tmp_path / "tokenizer.json"))
    return str(tmp_path / "tokenizer.json")


@pytest.fixture
def data(tmp_path):
    """The path of a data set of two conversations and two that are none."""
    lines = [
        {"messages": TALK, "id": "a"},
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yes"}], "id": "b"},
        {"messages": TALK[:1], "id": "c"},
    ]
    path = tmp_path / "chats.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + "nothing\n")
    return str(path)


def run(*arguments):
    return CliRunner().invoke(main, ["batch", *arguments], catch_exceptions=False)


def test_tokens_with_a_mask(tmp_path, data, tokenizer):
    """The rows are those of `encode`; the summary says what became of all records."""
    output = tmp_path / "rows.parquet"
    result = run("chatml", data, "-o", str(output), "--tokenizer", tokenizer, "--mask", "--workers", "1")
    assert (result.exit_code, result.stderr) == (0, "")
    rows = parquet.read_table(output).to_pylist()
    tokens = load("chatml").encode(TALK, tokenizer=tokenizer)
    assert rows[0] == {"input_ids": tokens.ids, "labels": tokens.labels(), "mask": tokens.mask}
    assert len(rows) == 2
    assert result.stdout.startswith("4 records, 2 rows\n")
    assert "2 records rejected" in result.stdout
    assert "1  nothing of the record is trained on" in result.stdout
    reasons = [json.loads(line) for line in Path(f"{output}.rejects.jsonl").read_text().splitlines()]
    assert [one["line"] for one in reasons] == [3, 4]


def test_ids_alone_and_prompts_alone(tmp_path, data, tokenizer):
    """Without --mask there are ids, without --tokenizer texts; rows without a mask cannot be empty."""
    output = tmp_path / "rows.jsonl"
    summary = json.loads(run("chatml", data, "-o", str(output), "--tokenizer", tokenizer, "--json").stdout)
    assert (summary["rows"], summary["rejected"], summary["trained"]) == (3, 1, 0)
    assert {tuple(json.loads(line)) for line in output.read_text().splitlines()} == {("input_ids",)}
    assert run("chatml", data, "-o", str(output), "--generation-prompt", "--copy", "id").exit_code == 0
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert rows[2] == {"prompt": load("chatml").render(TALK[:1], add_generation_prompt=True), "id": "c"}


def test_every_option_reaches_the_rows(tmp_path, data, tokenizer):
    """Columns, lengths, packing, turns and variables."""
    output = tmp_path / "rows.jsonl"

    def rows(*options):
        result = run("qwen3", data, "-o", str(output), "--tokenizer", tokenizer, *options)
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in output.read_text().splitlines()]

    assert {tuple(row) for row in rows("--columns", "length, assistant_masks")} == {("length", "assistant_masks")}
    assert len(rows("--mask", "--rewritten", "turns")) == 3
    assert len(rows("--mask", "--rewritten", "raise")) == 1
    assert len(rows("--mask", "--on-empty", "keep")) == 3
    assert len(rows("--mask", "--on-empty", "skip")) == 2
    assert max(len(row["input_ids"]) for row in rows("--max-tokens", "30")) == 30
    (packed,) = rows("--pack", "500")
    assert list(packed) == ["input_ids", "position_ids", "seq_lengths"]
    assert len(packed["seq_lengths"]) == 3
    whole, last = (sum(sum(row["mask"]) for row in rows("--mask", "--train", which)) for which in ("all", "last"))
    assert last < whole
    plain, thinking = (
        rows("--columns", "prompt", "--generation-prompt", *more) for more in ((), ("--reasoning", "off"))
    )
    assert plain != thinking == rows("--columns", "prompt", "--generation-prompt", "--var", "enable_thinking=false")
    assert [row["length"] for row in rows("--columns", "length", "--source", "openai")] != []


def test_errors_have_their_statuses(tmp_path, data, tokenizer):
    """A wrong command line, a record that may not be wrong, a model or tokenizer that is not there, a full disk."""
    output = str(tmp_path / "rows.jsonl")
    assert run("chatml", data, "-o", output, "--mask").exit_code == 2
    assert run("chatml", str(tmp_path / "none.jsonl"), "-o", output).exit_code == 2
    assert run("chatml", data, "-o", output, "--columns", "ids").exit_code == 3
    raised = run("chatml", data, "-o", output, "--on-error", "raise")
    assert raised.exit_code == 3
    assert "chats.jsonl line 4: " in raised.stderr
    assert "interrupted run" in run("chatml", data, "-o", output).stderr
    assert run("chatml", data, "-o", output, "--resume").exit_code == 0
    assert run("chatml", data, "-o", output, "--tokenizer", "none.json").exit_code == 5
    assert run("chatml", data, "-o", str(tmp_path / "tokenizer.json" / "rows.jsonl")).exit_code == 74
    assert run("chatml", tokenizer, "-o", output).exit_code == 5


@needs_terminal
def test_a_terminal_is_shown_how_far_it_is(tmp_path, data, tokenizer):
    """Rows and tokens a second, on standard error."""
    shown = terminal(
        ["batch", "chatml", data, "-o", str(tmp_path / "rows.jsonl"), "--tokenizer", tokenizer, "--mask"]
    ).decode()
    assert "100%" in shown
    assert "rows/s" in shown
    assert "tokens/s" in shown
    assert "4 records, 2 rows" in shown


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
def test_an_interruption_ends_all_and_can_be_resumed(tmp_path, data, tokenizer):
    """Control-C reaches the workers, too; what is done is kept."""
    many = tmp_path / "many.jsonl"
    many.write_text((Path(data).read_text() + "\n") * 20_000)
    output = tmp_path / "rows.jsonl"
    command = [*PROGRAM, "batch", "qwen3", str(many), "-o", str(output), "--tokenizer", tokenizer, "--workers", "2"]
    # Where the tests run in the background of a shell, they pass on that interruptions are ignored.
    began = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    parts = Path(f"{output}.parts")
    while not list(parts.glob("part-*.arrow")):
        assert began.poll() is None
        time.sleep(0.05)
    os.killpg(began.pid, signal.SIGINT)
    _, told = began.communicate(timeout=60)
    assert began.returncode == 130, told
    assert "Traceback" not in told
    assert "--resume" in told
    assert not output.exists()
    again = subprocess.run([*command, "--resume", "--json"], capture_output=True, text=True, check=True)
    assert json.loads(again.stdout)["records"] == 80_000
    assert len(output.read_text().splitlines()) == 60_000
