"""A reference that is a model's id on the hub: `owner/name`, or `owner/name@revision`.

The cache comes first: a revision that is there with all files that count is not asked for again. Otherwise the hub is
asked for the list of files and for the few that count.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .. import families
from ..errors import FallbackWarning, SourceError
from . import builtin
from .hub_cache import Cache
from .hub_calls import Listing, Repository
from .hub_errors import not_cached
from .model import ADDITIONAL_FOLDER, FILES, GENERATION_FILE, read_model
from .names import is_file_name
from .source import Access, TemplateSource

#: The branch that is meant when none is named.
MAIN = "main"
#: How many additional templates a model may have.
ADDITIONAL_LIMIT = 100

_PART = r"\w(?:[\w.-]*\w)?"
_ID = re.compile(rf"(?P<id>{_PART}/{_PART})(?:@(?P<revision>[^\s@]+))?", re.ASCII)
#: What no branch or tag is called: a path to elsewhere, or control characters.
_NO_REVISION = re.compile(r"\.\.|^[/.-]|[/.]$|[\\\s\x00-\x1f\x7f~^:?*\[]")


def split_id(reference: str) -> tuple[str, str | None] | None:
    """The model's id and the revision of a reference; None when it is not a hub id.

    >>> split_id("HuggingFaceH4/zephyr-7b-beta"), split_id("owner/name@v1.0"), split_id("zephyr")
    (('HuggingFaceH4/zephyr-7b-beta', None), ('owner/name', 'v1.0'), None)
    """
    match = _ID.fullmatch(reference)
    if not match or len(match["id"]) > 96 or "--" in match["id"] or ".." in match["id"] or match["id"].endswith(".git"):
        return None
    return match["id"], match["revision"]


def read(reference: object, access: Access) -> TemplateSource | None:
    """The templates of a model of the hub; None for a reference that is not a hub id.

    Raises:
        SourceError: the hub does not have it, does not show it, or cannot be reached; or a file is broken.
    """
    model = find(reference, access)
    if model is None:
        return None
    commit = model.cache.commit_of(model.revision)
    if commit is not None and (model.offline or model.cache.is_complete(commit)):
        return model.cached(commit)
    if model.offline:
        return _built_in(model)
    try:
        # What is missing of a cached commit is fetched of that commit: the rest of the model is there at it, too.
        return model.fetch(commit or model.revision)
    except SourceError:
        source = None if commit is None else model.cached(commit)
        if source is None or not source.templates:
            raise
        return source


def _built_in(model: Model) -> TemplateSource:
    """The built-in family that a model which is not in the cache speaks, with a warning that says so."""
    name = model.repository.id
    family = families.find_by_id(name) if model.revision == MAIN else None
    if family is None:
        raise not_cached(name, model.revision)
    notice = f"{name} is not in the hub's cache on this machine: the built-in family {family.name} is used"
    warnings.warn(notice, FallbackWarning, stacklevel=6)
    source = builtin.source_of(family)
    return replace(source, name=name, origin=f"{source.origin}, in place of {name}, which is not in the hub's cache")


def fetch(reference: object, access: Access) -> TemplateSource:
    """The templates of a model of the hub as they are there now; afterwards they are in the cache.

    Raises:
        SourceError: as for `read`; or the reference is not a hub id.
    """
    model = find(reference, access)
    if model is None:
        raise SourceError(f"{reference!r} is not the id of a model on the hub", hint="an id is owner/name")
    model.check_online()
    return model.fetch(model.revision)


def find(reference: object, access: Access) -> Model | None:
    """The model that a reference names, without asking for it; None when it is not a hub id.

    Raises:
        SourceError: the revision is none.
    """
    parts = split_id(reference) if isinstance(reference, str) else None
    if parts is None:
        return None
    name, revision = parts
    if revision is not None and access.revision not in (None, revision):
        raise SourceError(f"{reference} and revision={access.revision!r} name two revisions", hint="give one of them")
    revision = revision or access.revision or MAIN
    if _NO_REVISION.search(revision):
        raise SourceError(f"{revision!r} cannot be a revision of {name}", hint="give a branch, a tag or a commit")
    from huggingface_hub import constants

    endpoint = (access.endpoint or constants.ENDPOINT).rstrip("/")
    cache = Cache(constants.HF_HUB_CACHE, name)
    return Model(Repository(name, endpoint, access.token), revision, cache, access.offline or constants.HF_HUB_OFFLINE)


@dataclass(frozen=True, slots=True)
class Model:
    """A model at a revision: on the hub and in the cache."""

    repository: Repository
    revision: str
    cache: Cache
    offline: bool

    def check_online(self) -> None:
        """Raises SourceError when the hub may not be asked."""
        if self.offline:
            raise SourceError(
                f"the hub cannot be asked for {self.repository.id}: the network is switched off",
                hint="unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE",
            )

    def cached(self, commit: str) -> TemplateSource:
        """Its templates, from the cache alone."""
        source = self._source(Snapshot(self.repository.id, commit, {}, self.cache))
        if source.templates or self.cache.is_complete(commit):
            return source
        return replace(source, hint="the hub's cache may hold only some of its files: load it once with a network")

    def fetch(self, revision: str) -> TemplateSource:
        """Its templates, from the hub as far as the cache does not have them."""
        listing = self.repository.listing(revision)
        commit = listing.commit
        missing = [file for file in self._wanted(listing) if not self.cache.has(commit, file)]
        contents: dict[str, bytes | None] = dict.fromkeys(file for file in FILES if file not in listing.files)
        contents.update(zip(missing, self.repository.files(commit, missing), strict=True))
        self.cache.keep(revision, commit, contents)
        source = self._source(Snapshot(self.repository.id, commit, contents, self.cache))
        return source if source.templates else replace(source, hint=_advice(listing))

    def snapshot(self, private: bool | None) -> Snapshot:
        """Its files that count as they are on the hub now; of a new repository when there is none."""
        self.check_online()
        listing = self.repository.find(self.revision)
        if listing is None:
            self.repository.create(private)
            listing = self.repository.listing(self.revision)
        files = self._wanted(listing)
        contents = dict(zip(files, self.repository.files(listing.commit, files), strict=True))
        return Snapshot(self.repository.id, listing.commit, contents)

    def commit(self, snapshot: Snapshot, changes: Mapping[str, bytes | None], message: str, create_pr: bool) -> str:
        """Change files of a snapshot on the hub; the commit's address."""
        commit, url = self.repository.commit(self.revision, snapshot.commit, changes, message, create_pr)
        if not create_pr and self.cache.commit_of(self.revision) is not None:
            # What is cached of this branch is older now.
            self.cache.keep(self.revision, commit, {**{file: snapshot.read(file) for file in FILES}, **changes})
        return url

    def _wanted(self, listing: Listing) -> list[str]:
        """The files that count, of those there are."""
        files = [file for file in sorted(listing.files) if file.rpartition("/")[0] == ADDITIONAL_FOLDER]
        templates = [file for file in files if file.endswith(".jinja")]
        if len(templates) > ADDITIONAL_LIMIT:
            raise SourceError(f"{self.repository.id} has more than {ADDITIONAL_LIMIT} additional templates")
        for file in templates:
            if not is_file_name(_template_name(file)):
                raise SourceError(f"{self.repository.id} has a template under a name that no file can have: {file!r}")
        return [file for file in (*FILES, GENERATION_FILE, *templates) if file in listing.files]

    def _source(self, snapshot: Snapshot) -> TemplateSource:
        return replace(read_model(snapshot, self.repository.id), commit=snapshot.commit)


class Snapshot:
    """The files of a model at a commit: those just fetched, and others from the cache."""

    def __init__(
        self, name: str, commit: str, contents: Mapping[str, bytes | None], cache: Cache | None = None
    ) -> None:
        self.commit = commit
        self._name = name
        self._cache = cache
        self._contents = dict(contents)

    def read(self, file: str) -> bytes | None:
        """The content of a file; None when there is no such file."""
        if file not in self._contents:
            self._contents[file] = None if self._cache is None else self._cache.read(self.commit, file)
        return self._contents[file]

    def additional(self) -> Sequence[str]:
        """The names of the additional templates."""
        fetched = (file for file in self._contents if file.startswith(f"{ADDITIONAL_FOLDER}/"))
        cached = [] if self._cache is None else self._cache.additional(self.commit)
        return sorted({*map(_template_name, fetched), *cached})

    def place(self, file: str) -> str:
        """The model, its commit and the file."""
        name = f"{self._name}@{self.commit[:12]}"
        return f"{name}/{file}" if file else name


def _template_name(file: str) -> str:
    return file.removeprefix(f"{ADDITIONAL_FOLDER}/").removesuffix(".jinja")


def _advice(listing: Listing) -> str:
    """Where else a template may be, for a repository without one."""
    if listing.base:
        return f"it was made from {listing.base}, which may have one: load that"
    if any(file.endswith(".gguf") for file in listing.files):
        return "it holds GGUF files, which have their own: download one and load it by its path"
    return f"it has no {FILES[0]} and no entry in its {FILES[1]}: it may not be a chat model"
