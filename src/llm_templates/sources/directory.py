"""A reference that is a path: a model's folder as transformers saves it, or a single `.jinja` file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import SourceError
from .source import TemplateSource

#: The largest file that is read: a tokenizer_config.json with every added token has a few MiB.
FILE_LIMIT = 64 * 2**20

#: The special tokens every tokenizer may set.
SPECIAL_TOKENS = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")

#: Entries that name more of them, for models that see images or hear; a list there is of tokens without names.
MORE_TOKENS = ("extra_special_tokens", "model_specific_special_tokens")

TEMPLATE_FILE = "chat_template.jinja"
ADDITIONAL_FOLDER = "additional_chat_templates"
CONFIG_FILE = "tokenizer_config.json"
TOKENS_FILE = "special_tokens_map.json"
LEGACY_FILE = "chat_template.json"


def read(reference: str | os.PathLike[str]) -> TemplateSource | None:
    """The template of an existing folder or file; None for a path that does not exist."""
    path = os.fsdecode(reference)
    if os.path.isdir(path):
        return _read_folder(path)
    if os.path.isfile(path):
        return _read_file(path)
    return None


def _read_file(path: str) -> TemplateSource:
    if not path.endswith(".jinja"):
        raise SourceError(
            f"the file {path!r} is not a template", hint="give a file that ends in .jinja, or the model's folder"
        )
    return TemplateSource.of(_checked(_read_text(path), path), name=_stem(path), origin=path)


def _read_folder(folder: str) -> TemplateSource:
    config = _read_object(os.path.join(folder, CONFIG_FILE))
    text, origin = _find_template(folder, config)
    return TemplateSource.of(_checked(text, origin), _special_tokens(folder, config), _stem(folder), origin)


def _find_template(folder: str, config: Mapping[str, Any]) -> tuple[str, str]:
    """The folder's template and the path of the file it stands in.

    The order is transformers': template files replace the tokenizer's entry as a whole, and chat_template.json is what
    processors wrote before there was a template file.
    """
    path = os.path.join(folder, TEMPLATE_FILE)
    if os.path.isfile(path):
        return _read_text(path), path
    additional = sorted(_additional_names(folder))
    if additional:
        raise _no_default(os.path.join(folder, ADDITIONAL_FOLDER), additional)
    for file, content in _template_entries(folder, config):
        if content is not None:
            return _default(content, file), file
    files = f"{TEMPLATE_FILE}, {CONFIG_FILE} or {LEGACY_FILE}"
    raise SourceError(
        f"the folder {folder!r} has no chat template",
        hint=f"it is looked for in {files}; a base model has none: give the template itself, or a built-in name",
    )


def _template_entries(folder: str, config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield os.path.join(folder, CONFIG_FILE), config.get("chat_template")
    legacy = os.path.join(folder, LEGACY_FILE)
    yield legacy, _read_object(legacy).get("chat_template")


def _additional_names(folder: str) -> Iterator[str]:
    try:
        entries = os.listdir(os.path.join(folder, ADDITIONAL_FOLDER))
    except OSError:  # most models have no such folder
        return
    for entry in entries:
        if entry.endswith(".jinja"):
            yield entry.removesuffix(".jinja")


def _default(content: Any, path: str) -> str:
    """The template of an entry that is text, a list of named templates, or a mapping from name to template."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        if not all(isinstance(entry, dict) and {"name", "template"} <= entry.keys() for entry in content):
            raise SourceError(f"{path}: the entries of chat_template need a name and a template")
        content = {entry["name"]: entry["template"] for entry in content}
    if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
        raise SourceError(f"{path}: chat_template must be text, a list of named templates, or an object of them")
    if "default" not in content:
        raise _no_default(path, sorted(map(str, content)))
    return str(content["default"])


def _no_default(path: str, names: list[str]) -> SourceError:
    return SourceError(
        f"{path}: there is no template named 'default', only {', '.join(map(repr, names))}",
        hint="load the one you want by its own text or file",
    )


def _special_tokens(folder: str, config: Mapping[str, Any]) -> dict[str, str]:
    """The named special tokens that are set, as transformers reads them.

    special_tokens_map.json counts only for tokenizers saved before tokenizer_config.json listed the added tokens, and
    then it wins.
    """
    entries = dict(config)
    if "added_tokens_decoder" not in config:
        entries.update(_read_object(os.path.join(folder, TOKENS_FILE)))
    named = {name: entry for name, entry in entries.items() if _names_token(name, entry)}
    for more in MORE_TOKENS:
        if isinstance(entries.get(more), dict):
            named.update(entries[more])
    tokens = {}
    for name, entry in named.items():
        token = _token(entry)
        if token is None:
            raise SourceError(f"{folder}: {name} must be text or an object with a text 'content'")
        tokens[name] = token
    return tokens


def _names_token(name: str, entry: Any) -> bool:
    # `image_token` is a token by its name and its type; `add_bos_token` is a switch.
    return entry is not None and name.endswith("_token") and (name in SPECIAL_TOKENS or _token(entry) is not None)


def _token(entry: Any) -> str | None:
    """The text of a token written as text or as an object; None for anything else."""
    text = entry.get("content") if isinstance(entry, dict) else entry
    return text if isinstance(text, str) else None


def _checked(text: str, path: str) -> str:
    if not text.strip():
        raise SourceError(f"{path}: the chat template is empty", hint="every prompt would be empty, too")
    return text


def _read_object(path: str) -> dict[str, Any]:
    """The JSON object of a file; empty when there is no such file."""
    if not os.path.isfile(path):
        return {}
    text = _read_text(path)
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise SourceError(f"{path}: not valid JSON: {error}", hint="was the download cut short?") from None
    except (ValueError, RecursionError):  # a number of more than 4,300 digits; thousands of nested brackets
        raise SourceError(f"{path}: this JSON holds a number too long or is nested too deep to be read") from None
    if not isinstance(content, dict):
        raise SourceError(f"{path}: expected a JSON object, found {type(content).__name__}")
    return content


def _read_text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise SourceError(f"{path}: the file cannot be read: {error.strerror or error}") from None
    if len(data) > FILE_LIMIT:
        raise SourceError(f"{path}: the file has more than {FILE_LIMIT // 2**20} MiB")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: not UTF-8 text (byte {error.start})", hint="save the file as UTF-8") from None


def _stem(path: str) -> str:
    """The last part of a path without `.jinja`: what a model's folder or template file is called."""
    return os.path.basename(os.path.abspath(path)).removesuffix(".jinja")
