"""`run`: a data set on disk to rows on disk, in one pass over many workers, which can be interrupted and resumed.

Chunks of the input are made to parts beside the output, by whichever worker is free; the parts are put together in the
order of the input. What is there under the output's name is whole, or is what was there before.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from typing import Any

from ..errors import InputError
from .batch import Batch
from .columns import arrow
from .parts import FORMATS, Part, Task
from .pool import Pool
from .reading import CHUNK, REJECTS, SUMMARY, Chunk, Source, chunks, schema_of, sources
from .summary import Summary
from .writing import writer_of

#: What the folder of parts is called, after the output's name.
PARTS = ".parts"
#: How many chunks each worker may be ahead of the one that is waited for.
AHEAD = 4

#: Told after each chunk: bytes of the input that are done, of how many, and the figures so far.
Progress = Callable[[int, int, Summary], None]


def run(
    batch: Batch,
    data: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    workers: int | None = None,
    resume: bool = False,
    on_error: str = "reject",
    progress: Progress | None = None,
) -> Summary:
    """Make the rows of a data set and write them.

    Beside the output stand `<output>.summary.json` and, if records were rejected, `<output>.rejects.jsonl`: each with
    its place, the reason, and the record. While it runs, `<output>.parts` holds what is done.

    Args:
        batch: what is made of the records.
        data: a file of JSON lines or of Parquet, or a folder of such files, read in the order of their names.
        output: a `.parquet` or `.jsonl` file. It is replaced when all rows are there, and not before.
        workers: how many there are; as many as there are cores if None. They decide about nothing but the time. They
            are processes of their own, so that a script calls this below `if __name__ == "__main__":`.
        resume: go on where a run with the same data and options was interrupted, if there was one.
        on_error: what becomes of a record that cannot be rendered: it goes to the rejects ("reject"), or ends the run
            ("raise").
        progress: told how far it is.

    Raises:
        SourceError: the data is not there, or not what its name says.
        InputError: an option cannot be used; or an interrupted run is there, and is not to be resumed or was another.
        TemplatesError: a record cannot be rendered, with `on_error="raise"`.
        OSError: the output cannot be written.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "chats.jsonl").write_text('{"messages": [{"role": "user", "content": "Hi"}]}')
    >>> run(Batch("chatml"), folder / "chats.jsonl", folder / "rows.jsonl", workers=1).rows
    1
    >>> (folder / "rows.jsonl").read_text()
    '{"prompt": "<|im_start|>user\\\\nHi<|im_end|>\\\\n"}\\n'
    """
    output = os.fspath(output)
    form = next((ending for ending in FORMATS if output.lower().endswith(ending)), None)
    if form is None:
        raise InputError(f"{output}: rows are written as one of {', '.join(FORMATS)}")
    if on_error not in ("reject", "raise"):
        raise InputError(f"on_error={on_error!r} is neither 'reject' nor 'raise'")
    if batch.on_error == "column":
        raise InputError("on_error='column' is for tables in memory", hint="files have their rejects in a file")
    if os.path.isdir(output):
        raise InputError(f"{output} is a folder", hint="rows are written to one file")
    count = _count(workers)
    files = _others(sources(os.fspath(data)), output)
    schema = _schema(batch, schema_of(files, batch.copy), form)
    folder = output + PARTS
    with _alone(folder):
        batch, settings = _opened(folder, batch, files, resume)
        total = sum(source.size for source in files)
        task = Task(batch, folder, form, on_error == "raise")
        # A worker takes longer to start than to make a part.
        with Pool(task, min(count, 1 + total // CHUNK)) as pool:
            summary = _merged(pool, task, chunks(files), schema, total, progress)
        _publish(output, folder, summary, settings)
    return summary


@contextmanager
def _alone(folder: str) -> Iterator[None]:
    """Nobody else at the folder of parts, which is made if it is not there; a run that was killed holds nothing.

    Raises:
        InputError: another run is at it.
    """
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "wb") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # there are no such locks
            pass
        except OSError:
            raise InputError(f"another run is writing {folder.removesuffix(PARTS)}", hint="wait for it") from None
        yield


def _others(files: list[Source], output: str) -> list[Source]:
    """The files without those that an earlier run wrote among them.

    Raises:
        InputError: nothing else is there.
    """
    own = {os.path.realpath(output + ending) for ending in ("", REJECTS)}
    kept = [source for source in files if os.path.realpath(source.path) not in own]
    if not kept:
        raise InputError(f"{output} is the data itself", hint="give the output another name")
    return kept


def _opened(folder: str, batch: Batch, files: Sequence[Source], resume: bool) -> tuple[Batch, dict[str, Any]]:
    """The folder of parts made, or found as an interrupted run left it; with the batch, as it was then."""
    path = os.path.join(folder, "run.json")
    state = _state(path) if resume else None
    if state is not None and batch.template.reads_clock:
        batch = batch.at(datetime.fromisoformat(state["now"]))
    settings = {
        "version": version("llm-templates"),
        "batch": batch.fingerprint,
        "now": batch.now.isoformat() if batch.template.reads_clock else None,
        "files": [[source.name, source.size, source.changed] for source in files],
    }
    if state is not None:
        differing = [name for name in ("version", "batch", "files") if state.get(name) != settings[name]]
        if differing:
            what = {"version": "the version of llm-templates", "batch": "template, tokenizer or options"}
            told = ", ".join(what.get(name, "the data") for name in differing)
            raise InputError(f"{folder} was begun with others: {told}", hint="delete that folder to begin anew")
        return batch, settings
    if os.path.isdir(folder) and os.path.exists(path):
        raise InputError(
            f"{folder} is what an interrupted run left", hint="go on with it (--resume, resume=True), or delete it"
        )
    # Parts without a word of what they were made of are nobody's.
    for name in os.listdir(folder):
        if name != "lock":
            os.remove(os.path.join(folder, name))
    unfinished = f"{path}.{os.getpid()}"
    with open(unfinished, "w", encoding="utf-8") as file:
        json.dump(settings, file)
    os.replace(unfinished, path)
    return batch, settings


def _state(path: str) -> dict[str, Any] | None:
    try:
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) else None


def _count(workers: int | None) -> int:
    if workers is None:
        workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if workers < 1:
        raise InputError(f"workers={workers}", hint="give 1 or more")
    return workers


def _schema(batch: Batch, given: Any, form: str) -> Any:
    """The columns of the output; None for lines, which have none."""
    if given is None and batch.copy:
        pa = arrow()
        given = pa.schema([(name, pa.string()) for name in batch.copy])
    schema = batch.schema(given)
    return None if form == ".jsonl" else schema


def _merged(
    pool: Pool, task: Task, pieces: Iterator[Chunk], schema: Any, total: int, progress: Progress | None
) -> Summary:
    """All parts put together, in order, in the folder of parts."""
    summary, done = Summary(), 0
    waiting: deque[tuple[Chunk, Any]] = deque()
    with (
        writer_of(os.path.join(task.folder, "rows"), schema) as writer,
        open(os.path.join(task.folder, "rejects"), "wb") as rejects,
    ):

        def take() -> None:
            nonlocal done
            chunk, promise = waiting.popleft()
            part = _part(task, chunk, promise)
            writer.write(part.table)
            rejects.write(part.rejects)
            summary.add(part.summary)
            done += chunk.size
            if progress is not None:
                progress(done, total, summary)

        for chunk in pieces:
            made = task.read(chunk.number)
            is_done = made is not None and not (task.raises and made.rejects)
            waiting.append((chunk, None if is_done else pool.submit(chunk)))
            while len(waiting) > pool.workers * AHEAD:
                take()
        while waiting:
            take()
    return summary


def _part(task: Task, chunk: Chunk, promise: Any) -> Part:
    if promise is not None:
        promise.result()
    part = task.read(chunk.number)
    if part is None:
        raise OSError(f"{task.path(chunk.number)} is gone, or was not written as a whole")
    return part


def _publish(output: str, folder: str, summary: Summary, settings: dict[str, Any]) -> None:
    """Give the files their names, the rows last, and remove the parts."""
    rejects = output + REJECTS
    if summary.rejected:
        os.replace(os.path.join(folder, "rejects"), rejects)
    elif os.path.exists(rejects):
        os.remove(rejects)
    figures = os.path.join(folder, "summary")
    with open(figures, "w", encoding="utf-8") as file:
        json.dump({**summary.to_json(), "run": settings}, file, indent=1)
    os.replace(figures, output + SUMMARY)
    os.replace(os.path.join(folder, "rows"), output)
    shutil.rmtree(folder)
