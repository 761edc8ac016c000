"""The hub's cache on this machine: which files of a model it holds, in the layout that all of the hub's tools share.

- `models--OWNER--NAME/refs/REVISION`: the commit that a branch or tag led to.
- `models--OWNER--NAME/snapshots/COMMIT/FILE`: a file of that commit.
- `models--OWNER--NAME/.no_exist/COMMIT/FILE`: the commit has no such file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from .content import read_bytes, write_bytes
from .model import ADDITIONAL_FOLDER, FILES

COMMIT = re.compile(r"[0-9a-f]{40}")


class Cache:
    """What is cached of one repository."""

    def __init__(self, root: str, repository: str) -> None:
        self._folder = os.path.join(root, "--".join(["models", *repository.split("/")]))

    def commit_of(self, revision: str) -> str | None:
        """The commit a revision led to when it was last asked for; None when nothing is cached of it."""
        commit = revision
        if not COMMIT.fullmatch(revision):
            try:
                with open(self._path("refs", revision), encoding="ascii") as file:
                    commit = file.read(64).strip()
            except (OSError, UnicodeDecodeError):
                return None
        is_cached = COMMIT.fullmatch(commit) and os.path.isdir(self._path("snapshots", commit))
        return commit if is_cached else None

    def is_complete(self, commit: str) -> bool:
        """Whether of every file that counts it is known what it holds, or that there is none.

        Who asked for all of them has asked for the additional templates, too.
        """
        return all(self.has(commit, file) or self.lacks(commit, file) for file in FILES)

    def has(self, commit: str, file: str) -> bool:
        """Whether a file is there."""
        return os.path.isfile(self.path(commit, file))

    def lacks(self, commit: str, file: str) -> bool:
        """Whether it is known that there is no such file."""
        return os.path.isfile(self._path(".no_exist", commit, file))

    def path(self, commit: str, file: str = "") -> str:
        """Where a file lies, if it is there."""
        return self._path("snapshots", commit, file)

    def read(self, commit: str, file: str) -> bytes | None:
        """The content of a file; None when it is not there."""
        return read_bytes(self.path(commit, file))

    def additional(self, commit: str) -> Sequence[str]:
        """The names of the additional templates that are there."""
        try:
            entries = os.listdir(self.path(commit, ADDITIONAL_FOLDER))
        except OSError:
            return []
        return sorted(entry.removesuffix(".jinja") for entry in entries if entry.endswith(".jinja"))

    def keep(self, revision: str, commit: str, contents: Mapping[str, bytes | None]) -> None:
        """Remember files, and (None) that there are none, and where the revision led to.

        A cache that cannot be written to is left as it is: it is a convenience.
        """
        try:
            os.makedirs(self.path(commit), exist_ok=True)
            for file, data in contents.items():
                if data is not None:
                    write_bytes(self.path(commit, file), data)
                elif not self.lacks(commit, file):
                    write_bytes(self._path(".no_exist", commit, file), b"")
            if revision != commit:
                write_bytes(self._path("refs", revision), commit.encode())
        except OSError:
            return

    def _path(self, *parts: str) -> str:
        return os.path.join(self._folder, *(piece for part in parts for piece in part.split("/") if piece))
