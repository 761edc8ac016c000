"""The tiny model, as a folder, as a file, and served."""

from pathlib import Path

import pytest

from llm_templates import load

from .make_gguf import write_gguf
from .served import served


@pytest.fixture(scope="session")
def folder():
    """The folder of the tiny model."""
    return Path(__file__).parent / "tiny"


@pytest.fixture(scope="session")
def gguf_file(folder, tmp_path_factory):
    """The same model in one file."""
    pytest.importorskip("gguf", reason="the file of llama.cpp is written with gguf, which is not installed")
    file = tmp_path_factory.mktemp("model") / "tiny.gguf"
    write_gguf(folder, file)
    return file


@pytest.fixture(scope="session")
def server(gguf_file):
    """A server of llama.cpp with the tiny model."""
    with served(gguf_file) as running:
        yield running


@pytest.fixture(scope="session")
def template(folder):
    """The chat template of the tiny model."""
    return load(folder)


@pytest.fixture(scope="session")
def tokenizer(folder):
    """The tokenizer of the tiny model."""
    tokenizers = pytest.importorskip("tokenizers", reason="ids need tokenizers, which is not installed")
    return tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
