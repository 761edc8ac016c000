"""Calls to the hub that end: each wait has a limit, and what breaks off is tried once again, at once.

They go through huggingface_hub's session, with its settings, tokens, offline switch and errors. Its download functions
are not used: without a network `hf_hub_download` tries again for 23 seconds, and it takes up a download that breaks off
five times, a second apart.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from ..errors import SourceError
from .content import FILE_LIMIT, check_size, parse_object
from .hub_cache import COMMIT
from .hub_errors import explain

if TYPE_CHECKING:
    from huggingface_hub import HfApi

#: How long to wait for a connection, and for each part of an answer, unless HF_HUB_ETAG_TIMEOUT says otherwise.
TIMEOUT = 2.5
#: How long a file may take altogether.
LONGEST = 60.0
#: How many files are asked for at the same time.
AT_ONCE = 8


class BrokenOff(Exception):
    """An answer that is shorter than it should be."""


class Listing(NamedTuple):
    """What the hub says of a model at a revision."""

    commit: str
    files: frozenset[str]
    #: The model it was made from, as its card says.
    base: str | None


class Repository(NamedTuple):
    """A model's repository, and how it is reached."""

    id: str
    endpoint: str
    #: A token of one's account; None for the one that is logged in, False for none.
    token: str | bool | None

    def listing(self, revision: str) -> Listing:
        """The commit a revision leads to, and its files.

        Raises:
            SourceError: the hub does not have it, does not show it, or cannot be reached.
        """
        with self._explained(revision):
            return self._listing(revision)

    def find(self, revision: str) -> Listing | None:
        """The same; None when there is no such repository, or none that is shown."""
        from huggingface_hub.errors import RepositoryNotFoundError

        with self._explained(revision):
            try:
                return self._listing(revision)
            except RepositoryNotFoundError:
                return None

    def files(self, commit: str, files: Sequence[str]) -> list[bytes]:
        """The contents of files.

        Raises:
            SourceError: one of them cannot be had.
        """
        with self._explained(commit):
            headers = self._headers()
            urls = [f"{self.endpoint}/{self.id}/resolve/{commit}/{quote(file)}" for file in files]
            calls = [partial(_get_again, url, headers) for url in urls]
            batches = [calls[start : start + AT_ONCE] for start in range(0, len(calls), AT_ONCE)]
            return [data for batch in batches for data in together(batch, LONGEST)]

    def create(self, private: bool | None) -> None:
        """Make the repository.

        Raises:
            SourceError: the hub does not let this account do it.
        """
        with self._explained("main"):
            self._api().create_repo(self.id, private=private, exist_ok=True)

    def commit(
        self, revision: str, parent: str, changes: Mapping[str, bytes | None], message: str, create_pr: bool
    ) -> tuple[str, str]:
        """Change files, or remove them (None), in one commit; its hash and address.

        Raises:
            SourceError: the hub does not let this account do it, or something was changed since `parent`.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        operations = [
            CommitOperationDelete(file) if data is None else CommitOperationAdd(file, data)
            for file, data in changes.items()
        ]
        with self._explained(revision):
            info = self._api().create_commit(
                self.id,
                operations,
                commit_message=message,
                revision=revision,
                parent_commit=parent,
                create_pr=create_pr,
            )
            return info.oid, info.commit_url

    def _listing(self, revision: str) -> Listing:
        url = f"{self.endpoint}/api/models/{self.id}/revision/{quote(revision, safe='')}"
        # The limit is for looking up the hub's address, which has no other.
        (data,) = together([partial(_get_again, url, self._headers())], 2 * timeout())
        return self._parse_listing(data)

    @contextmanager
    def _explained(self, revision: str) -> Iterator[None]:
        """What a call raises, as ours."""
        try:
            yield
        except SourceError:
            raise
        except Exception as error:  # noqa: BLE001  (the HTTP clients' errors have no common base)
            raise explain(error, self.id, revision, self.endpoint, timeout()) from None

    def _api(self) -> HfApi:
        from huggingface_hub import HfApi

        return HfApi(endpoint=self.endpoint, token=self.token, library_name="llm-templates")

    def _headers(self) -> dict[str, str]:
        from huggingface_hub import constants, get_token

        token = self.token
        if token is True or (token is None and not constants.HF_HUB_DISABLE_IMPLICIT_TOKEN):
            token = get_token()
        if self.token is True and token is None:
            raise SourceError("no token is set", hint="log in with `hf auth login`, or set HF_TOKEN")
        if isinstance(token, str) and not (token.isascii() and token.isprintable()):
            # The HTTP client would say the same, and show the token.
            raise SourceError("the token holds characters that no token has", hint="copy it again, without line breaks")
        # As it is, so that its length can be checked.
        headers = {"user-agent": "llm-templates", "accept-encoding": "identity"}
        return {**headers, "authorization": f"Bearer {token}"} if token else headers

    def _parse_listing(self, data: bytes) -> Listing:
        try:
            content = parse_object(data, self.endpoint)
            commit, siblings = content["sha"], content["siblings"]
            files = frozenset(sibling["rfilename"] for sibling in siblings)
            card = content.get("cardData") or {}
            bases = card.get("base_model")
            base = bases[0] if isinstance(bases, list) and bases else bases
            if not COMMIT.fullmatch(commit):
                raise ValueError
        except (SourceError, KeyError, TypeError, ValueError, AttributeError):
            raise SourceError(
                f"{self.endpoint} does not answer as a hub does",
                hint="is there a login page in between, or is HF_ENDPOINT wrong?",
            ) from None
        return Listing(commit, files, base if isinstance(base, str) else None)


def timeout() -> float:
    """How long to wait for a connection or a part of an answer, in seconds."""
    try:
        seconds = float(os.environ["HF_HUB_ETAG_TIMEOUT"])
    except (KeyError, ValueError):
        return TIMEOUT
    return seconds if seconds > 0 else TIMEOUT


def together(calls: Sequence[Callable[[], bytes]], limit: float) -> list[bytes]:
    """What the calls return, made at the same time; the first one's error, if any fails.

    A call that takes longer than `limit` seconds is left to itself, and is a TimeoutError.
    """
    outcomes: list[Any] = [TimeoutError("no answer in time")] * len(calls)

    def run(index: int) -> None:
        try:
            outcomes[index] = calls[index]()
        except Exception as error:  # noqa: BLE001  (raised again below, where it belongs)
            outcomes[index] = error

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    end = time.monotonic() + limit
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    for outcome in list(outcomes):
        if isinstance(outcome, Exception):
            raise outcome
    return outcomes


def _get_again(url: str, headers: dict[str, str]) -> bytes:
    """The content at an address, asked for twice if the answer breaks off."""
    try:
        return _get(url, headers)
    except Exception as error:
        answered = isinstance(error, SourceError) or getattr(error, "response", None) is not None
        if answered or "Timeout" in type(error).__name__:
            raise
    return _get(url, headers)


def _get(url: str, headers: dict[str, str]) -> bytes:
    from huggingface_hub import get_session
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined,unused-ignore]

    session: Any = get_session()
    if callable(getattr(session, "stream", None)):
        with session.stream("GET", url, headers=headers, timeout=timeout()) as response:
            hf_raise_for_status(response)
            return _collect(url, response.iter_bytes(), response.headers)
    with session.get(url, headers=headers, timeout=timeout(), stream=True) as response:  # before version 1
        hf_raise_for_status(response)
        return _collect(url, response.iter_content(2**16), response.headers)


def _collect(url: str, chunks: Iterable[bytes], headers: Any) -> bytes:
    data = bytearray()
    for chunk in chunks:
        data += chunk
        check_size(len(data), url, FILE_LIMIT)
    expected = headers.get("Content-Length")
    if expected is not None and "Content-Encoding" not in headers and len(data) != int(expected):
        raise BrokenOff(f"{len(data):,} of {int(expected):,} bytes came")
    return bytes(data)
