"""Made-up templates: equal text to Jinja's sandbox, and never a crash, a hang or an exception that is not ours.

`LLM_TEMPLATES_FUZZ` says how many (10,000 unless set).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2.defaults import DEFAULT_NAMESPACE
from jinja2.filters import FILTERS
from jinja2.tests import TESTS

from . import differences
from .differences import judge
from .expressions import grammar
from .generate import template
from .run import run
from .worker import Case, Outcome, Worker

COUNT = int(os.environ.get("LLM_TEMPLATES_FUZZ", "10000"))


@pytest.mark.parametrize("seed", [11, 12])
def test_equal_to_the_reference(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    tally = run(seed, COUNT // 2)
    with capsys.disabled():
        print(f"\nseed {seed}: {tally}")
    if tally.findings:
        pytest.fail("\n".join(map(str, tally.findings[:10])), pytrace=False)
    assert tally.verdicts[differences.EQUAL] > tally.total * 0.4, "too few templates render to tell anything"


def test_a_shallow_stack_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    root, package = Path(__file__).resolve().parent, __package__ or "fuzz"
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", f"{package}.shallow", str(min(COUNT, 400)), "13"],
        cwd=root.parents[package.count(".")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    with capsys.disabled():
        print(f"\n{done.stdout.splitlines()[0] if done.stdout else ''}")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_the_same_seed_gives_the_same_templates() -> None:
    assert [template(1, index) for index in range(50)] == [template(1, index) for index in range(50)]
    assert template(1, 0) != template(2, 0)


def test_the_grammar_knows_every_producer() -> None:
    known = "\n".join(line for lines in grammar().values() for line in lines)
    filters = [name for name in FILTERS if not re.search(rf"\|\s*{name}\b|'{name}'", known)]
    tests = [name for name in TESTS if not re.search(rf"\bis {re.escape(name)}\b|^{name}\b|'{name}'", known, re.M)]
    methods = [name for kind in (str, list, dict, int, float) for name in dir(kind) if name[0] != "_"]
    assert not filters
    assert not tests
    assert [name for name in methods if f".{name}" not in known] == []
    assert [name for name in DEFAULT_NAMESPACE if name not in known] == []


def test_a_difference_is_seen() -> None:
    text = Outcome("text", "a")
    refused = Outcome("refused", error="TypeError", message="no")
    assert judge("", text, text) == differences.EQUAL
    assert judge("", refused, refused) == differences.BOTH_REFUSE
    assert judge("", Outcome("text", "b"), text) in differences.FAILURES
    assert judge("", refused, text) in differences.FAILURES
    assert judge("", text, refused) in differences.FAILURES
    for status in ("untyped", "late", "died", "memory"):
        assert judge("", Outcome(status), text) in differences.FAILURES


def test_the_oracle_survives_what_it_cannot_render() -> None:
    spin = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}"
    with Worker("jinja") as oracle:
        outcomes = oracle.render([Case("{{ 'a' * 10 ** 10 }}", "plain"), Case(spin, "plain"), Case("{{ s }}", "plain")])
    assert [outcome.status for outcome in outcomes] == ["memory", "late", "text"]
    assert outcomes[2].text == "hello world"
