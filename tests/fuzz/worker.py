"""A child process that renders templates, ours or the reference's, and a handle on it that survives its death.

The child reads batches, one JSON list a line, and answers one JSON object a line. It gives up on a template after some
time of its own work (not of the clock's, so that a busy machine changes nothing), and has a limit of memory.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .contexts import CONTEXTS

#: Seconds of work a template may take, per engine; wall seconds without an answer after which the child is ended.
LIMITS = {"ours": 1.0, "jinja": 0.5}
SILENCE = 20.0
MEMORY = 1 << 30
LONGEST = 20_000
READY = "ready\n"


@dataclass(frozen=True)
class Outcome:
    """What became of one template in one context.

    `status` is "text", "refused" (an exception the engine means to raise), "untyped" (any other), "late", "memory" or
    "died".
    """

    status: str
    text: str = ""
    error: str = ""
    message: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        return repr(self.text) if self.status == "text" else f"{self.status}: {self.error}: {self.message}"[:400]


@dataclass(frozen=True)
class Case:
    """A template and the name of the context it is rendered in."""

    source: str
    context: str


class Worker:
    """A child that renders for us."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.restarts = -1
        self._child: subprocess.Popen[str]
        self._start()

    def render(self, cases: list[Case]) -> list[Outcome]:
        """The outcome of each case, in order. A case that ends the child is reported; the rest go to a new one."""
        outcomes: list[Outcome] = []
        while len(outcomes) < len(cases):
            rest = cases[len(outcomes) :]
            try:
                self._write(rest)
                outcomes.extend(self._answers(len(rest)))
            except _GoneError as gone:
                outcomes.extend(gone.before)
                if len(outcomes) < len(cases):
                    outcomes.append(Outcome("died", error=gone.why))
                self.close()
                self._start()
        return outcomes

    def close(self) -> None:
        """End the child."""
        self._child.kill()
        self._child.communicate()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        self.restarts += 1
        package, folder = __package__ or "fuzz", Path(__file__).resolve().parent
        root = folder.parents[package.count(".")]
        path = os.pathsep.join(filter(None, [str(root), *map(os.path.abspath, filter(None, sys.path))]))
        self._child = subprocess.Popen(
            [
                sys.executable,
                "-W",
                "error::SyntaxWarning" if self.engine == "ours" else "ignore",
                "-m",
                f"{package}.worker",
                self.engine,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"},
            text=True,
            encoding="ascii",
        )
        assert self._child.stdout
        if self._child.stdout.readline() != READY:
            raise RuntimeError(f"the child for {self.engine!r} did not start: exit status {self._child.wait()}")

    def _write(self, cases: list[Case]) -> None:
        assert self._child.stdin
        try:
            self._child.stdin.write(json.dumps([[case.source, case.context] for case in cases]) + "\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            raise _GoneError([], "it did not read") from None

    def _answers(self, count: int) -> list[Outcome]:
        assert self._child.stdout
        got: list[Outcome] = []
        descriptor, rest = self._child.stdout.fileno(), b""
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while len(got) < count:
                if not selector.select(SILENCE):
                    raise _GoneError(got, "it hung")
                data = os.read(descriptor, 1 << 16)
                if not data:
                    raise _GoneError(got, f"exit status {self._child.wait()}")
                *lines, rest = (rest + data).split(b"\n")
                got += [Outcome(**json.loads(line)) for line in lines]
        return got


class _GoneError(Exception):
    def __init__(self, before: list[Outcome], why: str) -> None:
        super().__init__(why)
        self.before, self.why = before, why


class _LateError(BaseException):
    """Raised by the alarm inside a template. No engine catches it."""


def attempt(render: Callable[[str, dict[str, Any]], str], typed: type[Exception], case: Case, limit: float) -> Outcome:
    """Render in this process, within a limit of time."""
    context = CONTEXTS[case.context]()
    start = time.process_time()
    try:
        try:
            signal.setitimer(signal.ITIMER_PROF, limit, 0.05)
            text = render(case.source, context)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except _LateError:
        return Outcome("late", seconds=limit)
    except MemoryError:
        return Outcome("memory", error="MemoryError", seconds=time.process_time() - start)
    except Exception as error:
        status = "refused" if isinstance(error, typed) else "untyped"
        message = getattr(error, "message", None)
        told = str(error if message is None else message)[:2000]
        return Outcome(status, "", type(error).__name__, told, time.process_time() - start)
    seconds = time.process_time() - start
    if len(text) > LONGEST:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        text = f"{text[:2000]}… {len(text)} characters, {digest}"
    return Outcome("text", str(text), seconds=seconds)


def engine(name: str) -> tuple[Callable[[str, dict[str, Any]], str], type[Exception]]:
    """An engine's render, and the base of the exceptions it means to raise."""
    if name == "jinja":
        from .oracle import render

        return render, Exception
    from llm_templates import TemplatesError
    from llm_templates.engine import compile_template

    from .oracle import NOW

    # `mutable=False`, as for chat templates: the reference's sandbox refuses to change values in place.
    return (lambda source, context: compile_template(source, mutable=False).render(context, now=NOW)), TemplatesError


def _late(*_: object) -> None:
    raise _LateError


def _batches() -> Iterator[list[Case]]:
    for line in sys.stdin:
        yield [Case(*case) for case in json.loads(line)]


def main() -> None:
    """The child."""
    name = sys.argv[1]
    render, typed = engine(name)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGPROF, _late)
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # what a template might print goes elsewhere
    answers.write(READY)
    answers.flush()
    for batch in _batches():
        for case in batch:
            outcome = attempt(render, typed, case, LIMITS[name])
            answers.write(json.dumps(vars(outcome)) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
