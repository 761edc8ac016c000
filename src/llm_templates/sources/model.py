"""From the files of a model to its templates: which of them count, as transformers decides it.

A tokenizer takes the template files (`chat_template.jinja`, `additional_chat_templates/*.jinja`) as a whole, or else
the entry of `tokenizer_config.json`. A processor, for models that see or hear, takes the entry of
`processor_config.json`, or else `chat_template.json`, or else the template files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from ..errors import SourceError
from .content import decode, named_templates, parse_object, without_blank
from .source import DEFAULT, TemplateSource
from .special_tokens import COMPLETE, special_tokens

TEMPLATE_FILE = "chat_template.jinja"
ADDITIONAL_FOLDER = "additional_chat_templates"
CONFIG_FILE = "tokenizer_config.json"
TOKENS_FILE = "special_tokens_map.json"
LEGACY_FILE = "chat_template.json"
PROCESSOR_FILE = "processor_config.json"

#: Files that only models with a processor have. Their users render with it, not with the tokenizer inside.
PROCESSOR_FILES = (PROCESSOR_FILE, "preprocessor_config.json", "video_preprocessor_config.json")

#: Everything that is read, besides additional templates.
FILES = (TEMPLATE_FILE, CONFIG_FILE, TOKENS_FILE, LEGACY_FILE, *PROCESSOR_FILES)
#: What is read where it is at hand, and never asked for alone: it names the tokens that generation stops at.
GENERATION_FILE = "generation_config.json"


class Files(Protocol):
    """The files of one model: those of a folder, or those that were fetched from a repository."""

    def read(self, file: str) -> bytes | None:
        """The content of a file; None when the model has no such file."""

    def additional(self) -> Sequence[str]:
        """The names of the templates in `additional_chat_templates`."""

    def place(self, file: str) -> str:
        """Where a file lies, in words."""


class _Found(NamedTuple):
    templates: dict[str, str]
    place: str
    by_processor: bool = False


def read_model(files: Files, name: str) -> TemplateSource:
    """The templates and special tokens of a model; without templates when it has none.

    Raises:
        SourceError: a file that counts is broken.
    """
    config = _object(files, CONFIG_FILE) or {}
    found = _find(files, config)
    token_map = {} if COMPLETE in config else _object(files, TOKENS_FILE) or {}
    templates = without_blank(found.templates, found.place) if found else {}
    hint = f"it was looked for in {TEMPLATE_FILE}, {CONFIG_FILE} and {LEGACY_FILE}"
    if found and not templates:
        hint = f"{found.place} is blank"
    return TemplateSource(
        templates,
        special_tokens(config, token_map, files.place(CONFIG_FILE)),
        name,
        found.place if found else files.place(""),
        by_processor=bool(found and found.by_processor),
        stop_tokens=_stop_tokens(files, config),
        response_template=_response_template(config),
        hint=None if templates else hint,
    )


def _response_template(config: dict[str, Any]) -> dict[str, Any]:
    entry = config.get("response_template")
    return entry if isinstance(entry, dict) else {}


def _stop_tokens(files: Files, config: dict[str, Any]) -> tuple[str, ...]:
    """The texts of the tokens that generation stops at, as far as the tokenizer's configuration tells them.

    Nothing here is worth an error: a model renders without it.
    """
    try:
        ids = (_object(files, GENERATION_FILE) or {}).get("eos_token_id")
    except SourceError:
        return ()
    added = config.get(COMPLETE)
    if not isinstance(added, dict):
        return ()
    entries = [added.get(str(number)) for number in (ids if isinstance(ids, list) else [ids])]
    texts = [entry.get("content") for entry in entries if isinstance(entry, dict)]
    return tuple(text for text in texts if isinstance(text, str) and text)


def _find(files: Files, config: dict[str, Any]) -> _Found | None:
    if any(files.read(file) is not None for file in PROCESSOR_FILES):
        # A processor without a template refuses to render, so whoever renders with that model uses its tokenizer.
        return _of_processor(files) or _of_tokenizer(files, config)
    return _of_tokenizer(files, config) or _of_legacy_file(files)


def _of_tokenizer(files: Files, config: dict[str, Any]) -> _Found | None:
    templates = _template_file(files)
    # An additional template called "default" takes the place of chat_template.jinja here, not for a processor.
    templates.update(_additional_templates(files))
    if templates:
        return _Found(templates, _place_of(files, templates))
    place = files.place(CONFIG_FILE)
    entry = config.get("chat_template")
    return None if entry is None else _Found(named_templates(entry, place), place)


def _of_processor(files: Files) -> _Found | None:
    if files.read(LEGACY_FILE) is not None and files.additional():
        raise SourceError(
            f"{files.place(LEGACY_FILE)}: this legacy file and {ADDITIONAL_FOLDER} exclude each other",
            hint=f"a processor refuses both; remove {LEGACY_FILE}, or load {TEMPLATE_FILE} by its own path",
        )
    entry = (_object(files, PROCESSOR_FILE) or {}).get("chat_template")
    if entry is not None:
        place = files.place(PROCESSOR_FILE)
        return _Found(named_templates(entry, place), place, by_processor=True)
    if files.read(LEGACY_FILE) is not None:
        return _of_legacy_file(files)
    templates = _additional_templates(files)
    templates.update(_template_file(files))
    return _Found(templates, _place_of(files, templates), by_processor=True) if templates else None


def _of_legacy_file(files: Files) -> _Found | None:
    """What processors wrote before there were template files, and still read first."""
    content = _object(files, LEGACY_FILE)
    if content is None:
        return None
    place = files.place(LEGACY_FILE)
    if "chat_template" not in content:
        raise SourceError(f"{place}: there is no entry 'chat_template'", hint=f"put the template into {TEMPLATE_FILE}")
    entry = content["chat_template"]
    return None if entry is None else _Found(named_templates(entry, place), place, by_processor=True)


def _template_file(files: Files) -> dict[str, str]:
    data = files.read(TEMPLATE_FILE)
    return {} if data is None else {DEFAULT: decode(data, files.place(TEMPLATE_FILE))}


def _additional_templates(files: Files) -> dict[str, str]:
    templates = {}
    for name in files.additional():
        file = f"{ADDITIONAL_FOLDER}/{name}.jinja"
        data = files.read(file)
        if data is not None:
            templates[name] = decode(data, files.place(file))
    return templates


def _place_of(files: Files, templates: dict[str, str]) -> str:
    return files.place(TEMPLATE_FILE if DEFAULT in templates else ADDITIONAL_FOLDER)


def _object(files: Files, file: str) -> dict[str, Any] | None:
    data = files.read(file)
    return None if data is None else parse_object(data, files.place(file))
