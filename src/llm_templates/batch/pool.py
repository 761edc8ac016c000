"""Workers: processes that make parts of chunks, or this one if one is enough."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, NamedTuple

from .parts import Task
from .reading import Chunk

KILLED = (
    "a worker was killed, for its memory perhaps, or could not start, as in a script without "
    "if __name__ == '__main__'; what is done is kept (--resume)"
)


class Done(NamedTuple):
    """What was done at once."""

    def result(self) -> None:
        """Nothing is left to wait for."""


class Promise(NamedTuple):
    """What a worker is at."""

    future: Future[None]

    def result(self) -> None:
        """Wait for it.

        Raises:
            OSError: a worker was killed.
        """
        try:
            self.future.result()
        except BrokenProcessPool:
            raise OSError(KILLED) from None


class Pool:
    """As many workers as asked for; they end with it, however it ends."""

    def __init__(self, task: Task, workers: int) -> None:
        self.workers = workers
        self._task = task
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, chunk: Chunk) -> Done | Promise:
        """Have a part made of a chunk.

        Raises:
            OSError: a worker was killed.
        """
        if self.workers == 1:
            self._task.make(chunk)
            return Done()
        if self._pool is None:
            # Nothing of this process is shared with them, so that no lock of a library's threads is inherited.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.workers, context, _begin, (pickle.dumps(self._task),))
        try:
            return Promise(self._pool.submit(_make, chunk))
        except BrokenProcessPool:
            raise OSError(KILLED) from None

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)


_task: Task


def _begin(task: bytes) -> None:
    """What a worker does first."""
    global _task
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    # An interruption from the keyboard reaches all; the one in charge ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _task = pickle.loads(task)
    # What is there stays; looking through it for cycles again and again is a twentieth of the time.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _end_with_parent() -> None:
    parent: Any = multiprocessing.parent_process()
    wait([parent.sentinel])
    os._exit(1)


def _make(chunk: Chunk) -> None:
    _task.make(chunk)
