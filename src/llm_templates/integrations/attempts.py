"""Pieces of an output with the errors of any engine made ours, and a new attempt where nothing had come yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

from ..errors import BackendError, BackendTimeoutError, TemplatesError

#: A piece of output, and why the output ends with it, if the engine says so.
Piece = tuple[str, str | None]

#: HTTP statuses of what may be over soon.
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
#: What the names of the HTTP clients' own errors say; they have no common base.
UNREACHED = ("ConnectError", "ConnectionError")
#: How long to wait before the second attempt; twice as long before each further one.
PAUSE = 0.5
LONGEST_PAUSE = 30.0


def attempted(call: Callable[[], Iterator[Piece]], retries: int, pause: float = PAUSE) -> Generator[Piece, None, None]:
    """The pieces that a call gives; it is made again if it fails in passing before the first of them.

    Args:
        call: asks the engine.
        retries: how many times more it may.
        pause: how many seconds to wait before the first of those.

    Raises:
        BackendError: it failed in another way, or too often, or after its first piece.
    """
    for attempt in range(max(0, retries) + 1):
        arrived: list[str] = []
        try:
            pieces = call()
            try:
                for text, reason in pieces:
                    arrived.append(text)
                    yield text, reason
                return
            finally:
                close = getattr(pieces, "close", None)
                if close is not None:
                    close()
        except Exception as error:
            # Every engine's library raises what it likes; all of it is told as one of ours.
            if isinstance(error, TemplatesError) and not isinstance(error, BackendError):
                raise
            if any(arrived) or attempt >= retries or not _is_passing(error):
                raise explained(error, "".join(arrived)) from (None if isinstance(error, BackendError) else error)
        time.sleep(min(pause * 2**attempt, LONGEST_PAUSE))


def explained(error: Exception, partial: str) -> BackendError:
    """An engine's error as one of ours, with what had arrived."""
    if isinstance(error, BackendError):
        error.partial = partial
        return error
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return BackendTimeoutError(f"the engine said nothing in time ({said})", partial=partial)
    return BackendError(f"the engine failed: {said}", partial=partial, status=_status(error))


def _is_passing(error: Exception) -> bool:
    if isinstance(error, TimeoutError):
        # It may be at work still: asking again would double the work.
        return False
    names = {kind.__name__ for kind in type(error).__mro__}
    cause = error.__cause__
    unreached = isinstance(error, ConnectionError) or isinstance(cause, ConnectionError)
    return unreached or not names.isdisjoint(UNREACHED) or _status(error) in PASSING


def _status(error: Exception) -> int | None:
    status: Any = getattr(error, "status", None)
    if status is None:
        status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None
