"""A reference that is a GGUF file: the chat templates and special tokens in its metadata.

Only the metadata is read, and of it only what is asked for: the vocabulary is stepped over by its lengths. Every
length is checked against the size of the file before anything is read.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from ..errors import SourceError
from .content import without_blank
from .source import DEFAULT, TemplateSource

MAGIC = b"GGUF"
VERSIONS = (2, 3)

#: Where metadata ends at the latest; a vocabulary of 262,144 tokens with its merges has 20 MiB.
METADATA_LIMIT = 48 * 2**20
#: How many entries metadata may have; files in use have less than a hundred.
KEY_LIMIT = 65_536
#: How long a key may be, as the format says.
KEY_LENGTH = 65_535

TEMPLATE = "tokenizer.chat_template"
VOCABULARY = "tokenizer.ggml.tokens"
NAME = "general.name"

#: Entries with the id of a special token, and what templates call it. (The third one is written like that.)
TOKEN_IDS = {
    "tokenizer.ggml.bos_token_id": "bos_token",
    "tokenizer.ggml.eos_token_id": "eos_token",
    "tokenizer.ggml.seperator_token_id": "sep_token",
    "tokenizer.ggml.unknown_token_id": "unk_token",
    "tokenizer.ggml.padding_token_id": "pad_token",
    "tokenizer.ggml.cls_token_id": "cls_token",
    "tokenizer.ggml.mask_token_id": "mask_token",
}

#: Entries with the id of a token that ends a turn or a message, beside the end of the text.
STOP_IDS = ("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id")

#: The format's types of one size: number to struct code.
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_INTEGERS = frozenset("BbHhIiQq")
_STRING, _ARRAY = 8, 9

#: How much is read at a time.
_STEP = 2**20
#: Between how many tokens of the vocabulary a place is remembered.
_STRIDE = 1024

#: The name of one file of several.
_PART = re.compile(r"-(\d{5})-of-\d{5}\.gguf$")


@dataclass(frozen=True, slots=True)
class _Strings:
    """An array of texts that was stepped over: how many, and where each `_STRIDE`th begins."""

    count: int
    marks: list[int]


def is_gguf(path: str) -> bool:
    """Whether a file begins as a GGUF file does."""
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def read_gguf(path: str) -> TemplateSource:
    """The templates and special tokens of a GGUF file.

    Raises:
        SourceError: the file is broken, cut short, or of a version there is no reader for.
    """
    try:
        with open(path, "rb") as file:
            return _source(_Metadata(file, path), path)
    except OSError as error:
        raise SourceError(f"{path}: the file cannot be read: {error.strerror or error}") from None


def _source(metadata: _Metadata, path: str) -> TemplateSource:
    entries = metadata.read()
    templates = {}
    for key, value in entries.items():
        if key == TEMPLATE:
            templates[DEFAULT] = value
        elif key.startswith(f"{TEMPLATE}."):
            templates.setdefault(key.removeprefix(f"{TEMPLATE}."), value)
    templates = without_blank(templates, path)
    vocabulary = entries.get(VOCABULARY)
    named = {}
    for key in (*TOKEN_IDS, *STOP_IDS):
        # An id that no token has means that there is none, as the engines take it.
        if vocabulary is not None and 0 <= entries.get(key, -1) < vocabulary.count:
            named[key] = metadata.string_of(vocabulary, entries[key])
    tokens = {name: named[key] for key, name in TOKEN_IDS.items() if key in named}
    stops = tuple(dict.fromkeys(named[key] for key in STOP_IDS if key in named))
    part = _PART.search(path)
    if part and int(part[1]) > 1:
        hint = "this is a later part of a model in several files: load the first one, 00001-of-…"
    else:
        hint = f"the file's metadata has no {TEMPLATE}; the original model may have one: load it by its hub id"
    name = entries.get(NAME) or os.path.basename(path).removesuffix(".gguf")
    return TemplateSource(templates, tokens, name, path, stop_tokens=stops, hint=None if templates else hint)


class _Metadata:
    """The metadata of an open GGUF file, read from front to back."""

    def __init__(self, file: BinaryIO, path: str) -> None:
        self._file = file
        self._path = path
        self._size = os.fstat(file.fileno()).st_size
        #: What was read so far: the file's beginning.
        self._data = bytearray()
        self._at = 0
        self._order = "<"

    def read(self) -> dict[str, Any]:
        """The entries that are asked for; the vocabulary as `_Strings`."""
        if self._bytes(4, "the format's name") != MAGIC:
            raise SourceError(f"{self._path}: not a GGUF file", hint="was the download cut short, or another file?")
        version = self._scalar("I")
        if version & 0xFFFF == 0:
            self._order, version = ">", int.from_bytes(version.to_bytes(4, "little"), "big")
        if version not in VERSIONS:
            raise SourceError(
                f"{self._path}: GGUF version {version}, known are {' and '.join(map(str, VERSIONS))}",
                hint="convert the model again with a current converter",
            )
        self._scalar("Q")  # the number of tensors
        count = self._scalar("Q")
        if count > KEY_LIMIT:
            raise self._broken(f"{count:,} metadata entries, at most {KEY_LIMIT:,} are read")
        entries: dict[str, Any] = {}
        for _ in range(count):
            key = self._key()
            kind = self._scalar("I")
            wanted = _wanted(key)
            if wanted is None:
                self._skip(kind, key)
            elif key in entries:
                raise self._broken(f"the entry {key!r} is there twice")
            else:
                entries[key] = self._value(wanted, kind, key)
        return entries

    def string_of(self, strings: _Strings, index: int) -> str:
        """One of an array's texts, by its index."""
        self._at = strings.marks[index // _STRIDE]
        self._skip_strings(index % _STRIDE)
        return self._string(VOCABULARY)

    def _value(self, wanted: str, kind: int, key: str) -> Any:
        if wanted == "text" and kind == _STRING:
            return self._string(key)
        if wanted == "id" and _SCALARS.get(kind, "-") in _INTEGERS:
            return self._scalar(_SCALARS[kind])
        if wanted == "texts" and kind == _ARRAY:
            element, count = self._scalar("I"), self._scalar("Q")
            if element == _STRING:
                return self._skip_strings(count)
        raise self._broken(f"the entry {key!r} has another type than {wanted}")

    def _skip(self, kind: int, key: str) -> None:
        if kind in _SCALARS:
            self._jump(struct.calcsize(_SCALARS[kind]), key)
        elif kind == _STRING:
            self._jump(self._scalar("Q"), key)
        elif kind == _ARRAY:
            element, count = self._scalar("I"), self._scalar("Q")
            if element in _SCALARS:
                self._jump(count * struct.calcsize(_SCALARS[element]), key)
            elif element == _STRING:
                self._skip_strings(count)
            else:
                raise self._broken(f"the entry {key!r} is an array of type {element}, which is not read")
        else:
            raise self._broken(f"the entry {key!r} has the unknown type {kind}")

    def _skip_strings(self, count: int) -> _Strings:
        """Step over texts, each of them a length and that many bytes."""
        if count * 8 > self._size - self._at:
            raise self._cut(f"{count:,} texts")
        length_at = struct.Struct(f"{self._order}Q").unpack_from
        data, at = self._data, self._at
        marks = []
        for start in range(0, count, _STRIDE):
            marks.append(at)
            left = min(_STRIDE, count - start)
            while left:
                try:
                    for _ in range(left):
                        at += 8 + length_at(data, at)[0]
                        left -= 1
                except (struct.error, OverflowError):  # beyond what was read so far
                    self._load(at + 8, "a text")
        self._at = at
        self._check(at, "a text")
        return _Strings(count, marks)

    def _key(self) -> str:
        length = self._scalar("Q")
        if length > KEY_LENGTH:
            raise self._broken(f"a key of {length:,} bytes, at most {KEY_LENGTH:,} are allowed")
        return self._decoded(self._bytes(length, "a key"), "a key")

    def _string(self, key: str) -> str:
        return self._decoded(self._bytes(self._scalar("Q"), key), key)

    def _decoded(self, data: bytes, what: str) -> str:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise self._broken(f"{what} is not UTF-8 text") from None

    def _scalar(self, code: str) -> Any:
        return struct.unpack(self._order + code, self._bytes(struct.calcsize(code), "a number"))[0]

    def _bytes(self, length: int, what: str) -> bytes:
        start = self._at
        self._load(start + length, what)
        self._at = start + length
        return bytes(self._data[start : self._at])

    def _jump(self, length: int, what: str) -> None:
        self._check(self._at + length, what)
        self._at += length

    def _load(self, end: int, what: str) -> None:
        """Read the file up to `end`."""
        self._check(end, what)
        while len(self._data) < end:
            more = self._file.read(min(_STEP, METADATA_LIMIT - len(self._data)))
            if not more:
                raise self._cut(what)
            self._data += more

    def _check(self, end: int, what: str) -> None:
        if end > self._size:
            raise self._cut(what)
        if end > METADATA_LIMIT:
            raise self._broken(f"metadata of more than {METADATA_LIMIT // 2**20} MiB")

    def _cut(self, what: str) -> SourceError:
        return SourceError(
            f"{self._path}: the file ends within {what}, it has {self._size:,} bytes",
            hint="was the download cut short?",
        )

    def _broken(self, what: str) -> SourceError:
        return SourceError(f"{self._path}: broken GGUF metadata: {what}", hint="load the original model instead")


def _wanted(key: str) -> str | None:
    """What an entry must be to be taken, or None for one that is stepped over."""
    if key == VOCABULARY:
        return "texts"
    if key in TOKEN_IDS or key in STOP_IDS:
        return "id"
    return "text" if key in (TEMPLATE, NAME) or key.startswith(f"{TEMPLATE}.") else None
