"""A reference that is a path: a model's folder, or a single file of one of several kinds."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..errors import SourceError
from . import gguf
from .content import decode, named_templates, parse_object, read_bytes, without_blank
from .model import ADDITIONAL_FOLDER, FILES, TEMPLATE_FILE, read_model
from .source import Access, TemplateSource
from .special_tokens import special_tokens

#: What a file may end in to be taken for Jinja text.
TEMPLATE_ENDINGS = (".jinja", ".jinja2", ".j2")


class Folder:
    """The files of a model's folder."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._contents: dict[str, bytes | None] = {}

    def read(self, file: str) -> bytes | None:
        """The content of a file, read once; None when there is no such file."""
        if file not in self._contents:
            self._contents[file] = read_bytes(self.place(file))
        return self._contents[file]

    def additional(self) -> Sequence[str]:
        """The names of the templates in `additional_chat_templates`, sorted."""
        try:
            entries = os.listdir(os.path.join(self.path, ADDITIONAL_FOLDER))
        except OSError:  # most models have no such folder
            return []
        return sorted(filter(None, (entry.removesuffix(".jinja") for entry in entries if entry.endswith(".jinja"))))

    def place(self, file: str) -> str:
        """The path of a file."""
        return os.path.join(self.path, *file.split("/")) if file else self.path


def read(reference: object, access: Access) -> TemplateSource | None:
    """The templates of an existing folder or file; None for a path that does not exist."""
    if not isinstance(reference, str | os.PathLike):
        return None
    path = os.fsdecode(reference)
    if os.path.isdir(path):
        return _read_folder(path)
    if os.path.isfile(path):
        return _read_file(path)
    return None


def _read_folder(path: str) -> TemplateSource:
    folder = Folder(path)
    source = read_model(folder, _stem(path))
    if not source.templates and not any(folder.read(file) is not None for file in (*FILES, "config.json")):
        raise SourceError(f"the folder {path!r} holds no model", hint=_beside(path))
    return source


def _beside(path: str) -> str:
    """What else of use lies in a folder without a model."""
    try:
        entries = sorted(os.listdir(path))
    except OSError:
        entries = []
    for entry in entries:
        if entry.endswith((".gguf", *TEMPLATE_ENDINGS)) or os.path.isfile(os.path.join(path, entry, FILES[1])):
            return f"did you mean {os.path.join(path, entry)!r}?"
    return f"a model's folder has a {' or a '.join(FILES[:2])}"


def _read_file(path: str) -> TemplateSource:
    if path.endswith(TEMPLATE_ENDINGS):
        data = read_bytes(path) or b""
        templates = without_blank({"default": decode(data, path)}, path)
        return TemplateSource(templates, {}, _stem(path), path, hint=None if templates else f"{path} is blank")
    if path.endswith(".json"):
        return _read_configuration(path)
    if path.endswith(".gguf") or gguf.is_gguf(path):
        return gguf.read_gguf(path)
    raise SourceError(
        f"the file {path!r} is not a template",
        hint="give a .jinja, .gguf or tokenizer_config.json file, or the model's folder",
    )


def _read_configuration(path: str) -> TemplateSource:
    """A tokenizer_config.json, or another file with an entry `chat_template`, by itself."""
    content = parse_object(read_bytes(path) or b"", path)
    tokens = special_tokens(content, {}, path)
    entry = content.get("chat_template")
    if entry is None and not tokens and "tokenizer_class" not in content:
        raise SourceError(
            f"{path}: there is no entry 'chat_template'",
            hint="give the model's folder, its tokenizer_config.json or its .jinja file",
        )
    folder = os.path.dirname(os.path.abspath(path))
    templates = {} if entry is None else without_blank(named_templates(entry, path), path)
    hint = f"{path} has none"
    if os.path.isfile(os.path.join(folder, TEMPLATE_FILE)):
        hint = f"it is in {TEMPLATE_FILE} beside that file: give the folder"
    return TemplateSource(templates, tokens, _stem(folder), path, hint=None if templates else hint)


def _stem(path: str) -> str:
    """The last part of a path without its ending: what a model's folder or template file is called."""
    name = os.path.basename(os.path.abspath(path))
    for ending in TEMPLATE_ENDINGS:
        name = name.removesuffix(ending)
    return name
