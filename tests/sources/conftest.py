"""What the tests of sources share: folders of files, and a stand-in hub with an empty cache."""

import time

import pytest
from hub_server import running_hub
from model_files import TOKENIZER, write_files


@pytest.fixture
def folder(tmp_path):
    """A function that makes a folder of files in the test's own place."""
    return lambda files, name="model": write_files(tmp_path / name, files)


@pytest.fixture
def model_folder(folder):
    """The same, with a tokenizer."""
    return lambda files, name="model": folder({**TOKENIZER, **files}, name)


@pytest.fixture(scope="session")
def text_processor():
    """A processor class of transformers that needs no images, hence no torch."""
    transformers = pytest.importorskip("transformers")

    class TextProcessor(transformers.ProcessorMixin):
        def __init__(self, tokenizer=None, chat_template=None):
            super().__init__(tokenizer, chat_template=chat_template)

    return TextProcessor


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A stand-in hub with nothing in it, as the hub that huggingface_hub knows, an empty cache, and no token."""
    constants = pytest.importorskip("huggingface_hub.constants")
    with running_hub() as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
        template = f"{hub.endpoint}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr("huggingface_hub.file_download.HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.setattr(constants, "AGENT_HARNESSES_PATH", str(tmp_path / "harnesses"), raising=False)
        for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_ETAG_TIMEOUT"):
            monkeypatch.delenv(name, raising=False)
        hub.cache = tmp_path / "hub"
        yield hub


@pytest.fixture
def within_three_seconds():
    """The test ends in time; nothing it does waits without a limit."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < 3
