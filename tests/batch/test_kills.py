"""Killed at any point and resumed, a run ends with the very bytes of one that was left alone."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

#: How many runs are killed.
KILLS = 50


def command(data, output, tokenizer_file):
    return [
        *(sys.executable, "-m", "llm_templates", "batch", "qwen3", str(data), "-o", str(output)),
        *("--tokenizer", tokenizer_file, "--mask", "--rewritten", "turns", "--copy", "id"),
        *("--workers", "2", "--resume"),
    ]


def test_fifty_kills_leave_no_trace(tmp_path, records, tokenizer_file):
    """The output is whole or not there; what is resumed has every row once, and the rejects and figures, too."""
    data, output, wanted = tmp_path / "in.jsonl", tmp_path / "out.parquet", tmp_path / "wanted" / "out.parquet"
    lines = [json.dumps(record) for record in records(600)]
    lines[50::120] = ["{broken"] * 5
    # Long enough for a dozen chunks, most of it blanks.
    data.write_text("".join(line + " " * 20_000 + "\n" for line in lines))
    began = time.monotonic()
    subprocess.run(command(data, wanted, tokenizer_file), check=True, capture_output=True)
    seconds = time.monotonic() - began
    names = ("", ".rejects.jsonl", ".summary.json")
    whole = {name: Path(f"{wanted}{name}").read_bytes() for name in names}
    assert whole[".rejects.jsonl"].count(b"\n") == 5

    def is_whole():
        return {name: Path(f"{output}{name}").read_bytes() for name in names} == whole

    chance = random.Random(2026)
    kills = ends = 0
    while kills < KILLS:
        run = subprocess.Popen(
            command(data, output, tokenizer_file),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            _, told = run.communicate(timeout=chance.uniform(0.2, 1.0) * seconds)
            assert run.returncode == 0, told.decode()
            ends += 1
        except subprocess.TimeoutExpired:
            # Only the one in charge: its workers have to notice.
            run.send_signal(signal.SIGKILL)
            run.communicate()
            kills += 1
        assert not output.exists() or output.read_bytes() == whole[""]
        if output.exists() and not Path(f"{output}.parts").exists():
            assert is_whole()
            for name in names:
                os.remove(f"{output}{name}")
    subprocess.run(command(data, output, tokenizer_file), check=True, capture_output=True)
    assert is_whole()
    assert not Path(f"{output}.parts").exists()
    assert ends > 0
