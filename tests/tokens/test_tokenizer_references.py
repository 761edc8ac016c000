"""What a tokenizer may be named by."""

import pytest

from llm_templates import InputError, SourceError, load
from llm_templates.tokens import encode
from llm_templates.tokens.loading import load_tokenizer


@pytest.fixture
def folder(tmp_path, tokenizer_of):
    tokenizer_of("gpt2", ("<|im_start|>", "<|im_end|>")).save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_files_folders_and_objects_give_the_same(folder, tokenizer_of):
    """A tokenizer, its file, its folder: text or path."""
    prompt = load("chatml").trace([{"role": "user", "content": "Hi<|im_end|>"}])
    own = encode(prompt, tokenizer_of("gpt2", ("<|im_start|>", "<|im_end|>")))
    for reference in (folder, str(folder), folder / "tokenizer.json", str(folder / "tokenizer.json")):
        assert encode(prompt, reference).ids == own.ids


def test_a_file_is_read_once_until_it_changes(folder, tokenizer_of):
    """Loading is not paid for each prompt; a new file is seen."""
    first = load_tokenizer(folder)
    assert load_tokenizer(str(folder)) is first
    tokenizer_of("llama3", ("<|eot_id|>",)).save(str(folder / "tokenizer.json"))
    assert load_tokenizer(folder).token_to_id("<|eot_id|>") is not None


def test_fast_tokenizers_of_transformers(tokenizer_of):
    """Their backend is used, whatever their own settings are."""
    transformers = pytest.importorskip("transformers")
    tokenizer = tokenizer_of("gpt2", ("<|im_start|>", "<|im_end|>"))
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer)
    prompt = load("chatml").trace([{"role": "user", "content": "Hi<|im_end|>"}])
    fast("some other text", truncation=True, max_length=2)
    assert encode(prompt, fast).ids == encode(prompt, tokenizer).ids


@pytest.mark.parametrize(
    ("reference", "error"),
    [
        (3, InputError),
        (object(), InputError),
        ("no-such-tokenizer", SourceError),
        ("/no/such/folder/tokenizer.json", SourceError),
    ],
)
def test_other_references_are_refused(reference, error):
    """The error says what a tokenizer may be."""
    with pytest.raises(error) as caught:
        load_tokenizer(reference)
    assert "a tokenizer is" in caught.value.hint


def test_broken_files(tmp_path):
    """A folder without a tokenizer, and a file that is none."""
    with pytest.raises(SourceError, match="has no tokenizer.json"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(SourceError, match="not a tokenizer.json"):
        load_tokenizer(tmp_path)


def test_a_hub_id_is_looked_up_in_the_hub(monkeypatch, folder):
    """`owner/name@revision` is asked of the hub once."""
    import huggingface_hub

    asked = []

    def download(name, file, revision=None):
        asked.append((name, file, revision))
        return str(folder / file)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    for _ in range(2):
        assert load_tokenizer("some-owner/some-name@v1").token_to_id("<|im_end|>") is not None
    assert asked == [("some-owner/some-name", "tokenizer.json", "v1")]

    def fail(*arguments, **options):
        raise OSError("no network\nmore")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    with pytest.raises(SourceError, match=r"the tokenizer\.json of some-owner/other cannot be had: no network\n"):
        load_tokenizer("some-owner/other")


def test_without_the_library(monkeypatch):
    """The error names the extra."""
    import sys

    from llm_templates import MissingExtraError

    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingExtraError) as error:
        load_tokenizer("x/y")
    assert "llm-templates[tokenizers]" in error.value.hint


def test_pipelines_of_older_versions_of_the_library_are_kept(monkeypatch, tokenizer_of):
    """Where a tokenizer cannot be referred to weakly, the last few pipelines stay."""
    from tokenizers import Tokenizer

    from llm_templates.tokens import pipeline

    class Refusing(dict):
        def get(self, key):
            raise TypeError

        def __setitem__(self, key, value):
            raise TypeError

    monkeypatch.setattr(pipeline, "_pipelines", Refusing())
    monkeypatch.setattr(pipeline, "_kept", {})
    model = tokenizer_of("gpt2").model
    tokenizers = [Tokenizer(model) for _ in range(pipeline.KEPT + 1)]
    made = [pipeline.pipeline_of(tokenizer) for tokenizer in tokenizers]
    assert pipeline.pipeline_of(tokenizers[-1]) is made[-1]
    assert len(pipeline._kept) == pipeline.KEPT
    assert pipeline.pipeline_of(tokenizers[0]) is not made[0]
