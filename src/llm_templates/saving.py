"""Writing templates where transformers finds them: into a model's folder, or into its repository on the hub.

The templates go into files of their own, and what would win over them or stand beside them is taken away: an older
entry in a configuration, the legacy `chat_template.json`, other additional templates. Nothing else of the model
changes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from .errors import InputError, SourceError
from .sources import DEFAULT, Access, hub
from .sources.content import parse_object, write_bytes
from .sources.model import (
    ADDITIONAL_FOLDER,
    CONFIG_FILE,
    LEGACY_FILE,
    PROCESSOR_FILE,
    TEMPLATE_FILE,
    TOKENS_FILE,
    Files,
)
from .sources.names import check_names
from .sources.path import Folder
from .sources.special_tokens import EXTRA

#: What is to become of files: their new content, or None to remove them.
Changes = dict[str, bytes | None]


def save_templates(
    folder: str | os.PathLike[str],
    templates: Mapping[str, str],
    special_tokens: Mapping[str, str] | None = None,
) -> list[str]:
    """Write templates into a model's folder, or a new one, and return the paths of the files that changed.

    Args:
        folder: where to; made if it is not there.
        templates: Jinja texts by name, one of them usually "default".
        special_tokens: the tokens that a new folder's configuration names. A model that is there keeps its own: they
            are part of its vocabulary.

    Raises:
        InputError: a template or its name cannot be written so that it is read back.
        SourceError: a file that is there is broken, or one cannot be written.
    """
    path = os.fspath(folder)
    if os.path.exists(path) and not os.path.isdir(path):
        raise InputError(f"{path!r} is a file, not a folder", hint="give the model's folder, or the name of a new one")
    place = Folder(path).place
    changes = _changes(Folder(path), templates, special_tokens or {})
    for file, data in changes.items():
        try:
            if data is None:
                os.remove(place(file))
            else:
                write_bytes(place(file), data)
        except OSError as error:
            raise SourceError(f"{place(file)}: cannot be written: {error.strerror or error}") from None
    return [place(file) for file in changes]


def push_templates(
    repository: str,
    templates: Mapping[str, str],
    special_tokens: Mapping[str, str] | None = None,
    *,
    revision: str | None = None,
    message: str = "Set the chat template",
    private: bool | None = None,
    create_pr: bool = False,
    token: str | bool | None = None,
    endpoint: str | None = None,
) -> str:
    """Write templates into a repository on the hub, as one commit, and return the commit's address.

    Args:
        repository: the model's id, `owner/name`; a repository that is not there is made.
        templates: Jinja texts by name, one of them usually "default".
        special_tokens: the tokens that a new repository's configuration names; a model that is there keeps its own.
        revision: the branch; main if not given.
        message: the commit's message.
        private: whether a new repository is private; the account's own setting if not given.
        create_pr: open a pull request with the commit.
        token: an account's token with the right to write; the one that is logged in if not given.
        endpoint: another hub's address.

    Raises:
        InputError: a template or its name cannot be written so that it is read back.
        SourceError: the hub refuses or cannot be reached, or a file that is there is broken.
    """
    model = hub.find(repository, Access(revision, False, token, endpoint))
    if model is None:
        raise InputError(f"{repository!r} is not the id of a model on the hub", hint="an id is owner/name")
    check_names(templates)
    snapshot = model.snapshot(private)
    changes = _changes(snapshot, templates, special_tokens or {})
    if not changes:
        return f"{model.repository.endpoint}/{model.repository.id}/commit/{snapshot.commit}"
    return model.commit(snapshot, changes, message, create_pr)


def _changes(files: Files, templates: Mapping[str, str], special_tokens: Mapping[str, str]) -> Changes:
    """What has to change so that a model has these templates: what is new before what is taken away."""
    check_names(templates)
    wanted = {_file(name): _encoded(name, template) for name, template in templates.items()}
    changes: Changes = dict(wanted)
    for file in (CONFIG_FILE, PROCESSOR_FILE):
        data = files.read(file)
        content = {} if data is None else parse_object(data, files.place(file))
        if content.pop("chat_template", None) is not None:
            changes[file] = _json(content)
    if special_tokens and files.read(CONFIG_FILE) is None and files.read(TOKENS_FILE) is None:
        changes[CONFIG_FILE] = _json(_configuration(special_tokens))
    stale = [LEGACY_FILE, TEMPLATE_FILE, *map(_additional_file, files.additional())]
    changes.update({file: None for file in stale if file not in wanted and files.read(file) is not None})
    return {file: data for file, data in changes.items() if data is None or data != files.read(file)}


def _file(name: str) -> str:
    return TEMPLATE_FILE if name == DEFAULT else _additional_file(name)


def _additional_file(name: str) -> str:
    return f"{ADDITIONAL_FOLDER}/{name}.jinja"


def _encoded(name: str, template: str) -> bytes:
    if not template.strip():
        raise InputError(f"the template {name!r} is empty", hint="every prompt would be empty, too")
    try:
        return template.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(f"the template {name!r} has half a character at {error.start}, which no file holds") from None


def _configuration(special_tokens: Mapping[str, str]) -> dict[str, Any]:
    """A tokenizer_config.json with nothing but these tokens."""
    entries: dict[str, Any] = {name: token for name, token in special_tokens.items() if name.endswith("_token")}
    extra = {name: token for name, token in special_tokens.items() if name not in entries}
    return {**entries, EXTRA: extra} if extra else entries


def _json(content: Mapping[str, Any]) -> bytes:
    """As transformers writes it; characters that UTF-8 does not have stay escaped."""
    try:
        return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
    except UnicodeEncodeError:
        return (json.dumps(content, indent=2) + "\n").encode("ascii")
