"""GGUF files: what their metadata says, and that a broken one costs nothing but an error."""

import random
import struct
import time
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_templates import SourceError, load
from llm_templates.sources import resolve
from llm_templates.sources.gguf import METADATA_LIMIT, read_gguf

TEMPLATE = "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}"
TOOLS = "{{ tools | tojson }}{{ messages[0].content }}"
VOCABULARY = ["<s>", "</s>", "<unk>", "<pad>", "<｜end▁of▁turn｜>", *(f"word{i}" for i in range(3000))]
MESSAGES = [{"role": "user", "content": "Hello!"}]

STRING, ARRAY, UINT32, FLOAT32, UINT64 = 8, 9, 4, 6, 10


@pytest.fixture
def gguf_file(tmp_path):
    """A function that writes a model's file with the `gguf` package."""
    gguf = pytest.importorskip("gguf")

    def write(template=TEMPLATE, *, big_endian=False, name="Tiny Model", tokens=None, file="model.gguf"):
        path = tmp_path / file
        order = gguf.GGUFEndian.BIG if big_endian else gguf.GGUFEndian.LITTLE
        writer = gguf.GGUFWriter(path, "llama", endianess=order)
        if name:
            writer.add_name(name)
        writer.add_block_count(1)
        writer.add_file_type(7)
        writer.add_tokenizer_model("llama")
        writer.add_token_list(VOCABULARY)
        writer.add_token_scores([0.5] * len(VOCABULARY))
        writer.add_token_types([1] * len(VOCABULARY))
        writer.add_token_merges([f"{a} {b}" for a, b in pairwise(VOCABULARY)])
        for kind, index in (tokens or {"bos": 0, "eos": 4, "unk": 2, "pad": 3, "sep": 3004}).items():
            getattr(writer, f"add_{kind}_token_id")(index)
        writer.add_add_bos_token(True)
        if template is not None:
            writer.add_chat_template(template)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    return write


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("big_endian", [False, True])
def test_a_model_file(gguf_file, big_endian, version):
    """Versions 2 and 3 in both byte orders give the template, the tokens and the model's name."""
    path = gguf_file(big_endian=big_endian)
    data = bytearray(path.read_bytes())
    data[4:8] = version.to_bytes(4, "big" if big_endian else "little")
    path.write_bytes(data)
    source = resolve(path)
    assert (source.text, source.name, source.origin) == (TEMPLATE, "Tiny Model", str(path))
    assert source.special_tokens == {
        "bos_token": "<s>",
        "eos_token": "<｜end▁of▁turn｜>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "sep_token": "word2999",
    }
    assert load(path).render(MESSAGES) == "<s>user: Hello!<｜end▁of▁turn｜>"


def test_named_templates(gguf_file):
    """A model's variants come by their names, and tools choose among them."""
    path = gguf_file([{"name": "default", "template": TEMPLATE}, {"name": "tool_use", "template": TOOLS}])
    assert resolve(path).templates == {"default": TEMPLATE, "tool_use": TOOLS}
    assert load(path).render(MESSAGES, tools=[]) == "[]Hello!"
    assert load(path, variant="tool_use").source == TOOLS


def test_a_file_without_a_template(gguf_file):
    """There is none, with a hint; the later files of a model in parts name the first."""
    assert resolve(gguf_file(None)).templates == {}
    assert "original model" in resolve(gguf_file(None)).hint
    assert "load the first one" in resolve(gguf_file(None, file="big-00002-of-00003.gguf")).hint
    assert "original model" in resolve(gguf_file(None, file="big-00001-of-00003.gguf")).hint
    assert resolve(gguf_file("  ")).templates == {}


def test_an_unnamed_model_is_called_by_its_file(gguf_file):
    """The name is the file's without its ending."""
    assert resolve(gguf_file(name=None, file="mine-Q4_K_M.gguf")).name == "mine-Q4_K_M"


def test_a_file_is_known_by_how_it_begins(gguf_file):
    """A model file under another name, as some programs store them, is one all the same."""
    assert resolve(gguf_file(file="sha256-1234")).text == TEMPLATE


def test_an_id_without_a_token_is_unset(gguf_file):
    """An id beyond the vocabulary means that there is no such token."""
    source = resolve(gguf_file(tokens={"bos": 0xFFFFFFFF, "eos": len(VOCABULARY), "pad": len(VOCABULARY) - 1}))
    assert source.special_tokens == {"pad_token": "word2999"}


@pytest.mark.parametrize("big_endian", [False, True])
def test_a_file_cut_short(gguf_file, big_endian):
    """Wherever it ends, it is an error that names the file; never a wrong template."""
    path = gguf_file(big_endian=big_endian)
    data = path.read_bytes()
    cuts = {*range(60), *random.Random(1).sample(range(len(data) - 40), 140), len(data) - 40}
    assert len(cuts) >= 200
    for cut in cuts:
        path.write_bytes(data[:cut])
        with pytest.raises(SourceError) as caught:
            resolve(path)
        assert str(path) in caught.value.message


def string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key, kind, value):
    return string(key) + struct.pack("<I", kind) + value


def header(*entries, count=None, version=3):
    keys = len(entries) if count is None else count
    return b"GGUF" + struct.pack("<IQQ", version, 0, keys) + b"".join(entries)


def texts(*values, count=None):
    return struct.pack("<IQ", STRING, len(values) if count is None else count) + b"".join(map(string, values))


LONG = struct.pack("<Q", 2**63)
TEMPLATE_ENTRY = entry("tokenizer.chat_template", STRING, string("{{ 1 }}"))

BROKEN = {
    "another file": (b"PK\3\4" + b"\0" * 100, "not a GGUF file"),
    "version 1": (header(version=1), "GGUF version 1"),
    "version 4": (header(version=4), "GGUF version 4"),
    "a million entries": (header(count=10**6), "1,000,000 metadata entries"),
    "2**63 entries": (header(count=2**63), "metadata entries"),
    "long key": (header(LONG, count=1), "a key of"),
    "longer key than allowed": (header(string("k" * 70_000), count=1), "a key of 70,000 bytes"),
    "key that is not text": (header(entry(b"\xff\xff", STRING, string("x"))), "a key is not UTF-8"),
    "long template": (header(entry("tokenizer.chat_template", STRING, LONG)), "ends within tokenizer.chat_template"),
    "long text": (header(entry("general.author", STRING, LONG)), "ends within general.author"),
    "template that is not text": (
        header(entry("tokenizer.chat_template", STRING, string(b"{{ \xff }}"))),
        "tokenizer.chat_template is not UTF-8",
    ),
    "number for a template": (
        header(entry("tokenizer.chat_template", UINT32, struct.pack("<I", 5))),
        "another type than text",
    ),
    "number for a vocabulary": (
        header(entry("tokenizer.ggml.tokens", UINT32, struct.pack("<I", 5))),
        "another type than texts",
    ),
    "numbers for a vocabulary": (
        header(entry("tokenizer.ggml.tokens", ARRAY, struct.pack("<IQI", UINT32, 1, 5))),
        "another type than texts",
    ),
    "text for an id": (
        header(entry("tokenizer.ggml.bos_token_id", STRING, string("<s>"))),
        "another type than id",
    ),
    "fraction for an id": (
        header(entry("tokenizer.ggml.bos_token_id", FLOAT32, struct.pack("<f", 1.0))),
        "another type than id",
    ),
    "unknown type": (header(entry("x", 99, b"")), "the unknown type 99"),
    "arrays in an array": (
        header(entry("x", ARRAY, struct.pack("<IQ", ARRAY, 1) + struct.pack("<IQ", ARRAY, 0))),
        "an array of type 9",
    ),
    "arrays 100,000 deep": (header(entry("x", ARRAY, struct.pack("<IQ", ARRAY, 1) * 10**5)), "an array of type 9"),
    "array of unknown type": (header(entry("x", ARRAY, struct.pack("<IQ", 77, 1))), "an array of type 77"),
    "2**63 texts": (header(entry("tokenizer.ggml.tokens", ARRAY, texts(count=2**63))), "ends within"),
    "2**63 numbers": (header(entry("x", ARRAY, struct.pack("<IQ", UINT64, 2**63))), "ends within x"),
    "more texts than there are": (
        header(entry("tokenizer.ggml.tokens", ARRAY, texts("a", "b", count=3) + b"\0" * 7)),
        "ends within a text",
    ),
    "a token beyond the end": (
        header(entry("tokenizer.ggml.tokens", ARRAY, struct.pack("<IQQ", STRING, 1, 2**40))),
        "ends within a text",
    ),
    "a token beyond any file": (
        header(entry("tokenizer.ggml.tokens", ARRAY, struct.pack("<IQQQ", STRING, 2, 2**64 - 1, 0))),
        "ends within a text",
    ),
    "a token that is not text": (
        header(
            entry("tokenizer.ggml.tokens", ARRAY, texts(b"\xff")),
            entry("tokenizer.ggml.bos_token_id", UINT32, struct.pack("<I", 0)),
        ),
        "tokenizer.ggml.tokens is not UTF-8",
    ),
    "two templates": (header(TEMPLATE_ENTRY, TEMPLATE_ENTRY), "is there twice"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_says_what_is_wrong(tmp_path, name):
    """Each fault is a SourceError with the file, the fault and a way out, at once and without memory."""
    data, words = BROKEN[name]
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(SourceError) as caught:
        resolve(path)
    assert time.perf_counter() - start < 1
    assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    tracemalloc.stop()
    assert words in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_a_broken_file_under_another_name_is_named(tmp_path):
    """Only the beginning tells what it is; the rest is checked as in any other."""
    (tmp_path / "blob").write_bytes(b"GGUF")
    with pytest.raises(SourceError, match="the file ends within a number, it has 4 bytes"):
        resolve(tmp_path / "blob")


@pytest.mark.parametrize("size", [METADATA_LIMIT - 4096, 2**28])
def test_large_metadata_stays_in_bounds(tmp_path, size):
    """At most 64 MiB are used, for metadata up to the limit as for a file that claims more."""
    path = tmp_path / "model.gguf"
    count = (size - 200) // 8
    with path.open("wb") as file:
        file.write(header(entry("x", ARRAY, struct.pack("<IQ", UINT64, count)), count=2))
        file.seek(8 * count, 1)
        file.write(TEMPLATE_ENTRY)
    tracemalloc.start()
    try:
        if size < METADATA_LIMIT:
            assert resolve(path).text == "{{ 1 }}"
        else:
            with pytest.raises(SourceError, match="metadata of more than 48 MiB"):
                resolve(path)
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_bytes_give_a_source_or_an_error(tmp_path_factory, data):
    """A file with bytes changed anywhere is read or refused; nothing else happens."""
    content = bytearray(
        header(
            entry("general.name", STRING, string("x")),
            entry("tokenizer.ggml.tokens", ARRAY, texts("<s>", "</s>")),
            entry("tokenizer.ggml.bos_token_id", UINT32, struct.pack("<I", 1)),
            TEMPLATE_ENTRY,
        )
    )
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "any.gguf"
    path.write_bytes(content)
    try:
        assert resolve(path).special_tokens.keys() <= {"bos_token", "eos_token", "pad_token", "unk_token"}
    except SourceError:
        pass


def test_it_is_read_much_faster_than_the_package_reads_it(gguf_file):
    """Nothing is made of the vocabulary: 20 times as fast is the least."""
    gguf = pytest.importorskip("gguf")
    path = str(gguf_file())

    def seconds(read):
        start = time.perf_counter()
        read(path)
        return time.perf_counter() - start

    ours = min(seconds(read_gguf) for _ in range(5))
    assert seconds(gguf.GGUFReader) > 20 * ours


def test_the_package_reads_the_same(gguf_file):
    """Template, name and tokens are those that the `gguf` package finds."""
    gguf = pytest.importorskip("gguf")
    path = gguf_file([{"name": "default", "template": TEMPLATE}, {"name": "rag", "template": TOOLS}])
    fields = gguf.GGUFReader(path).fields
    ours = resolve(path)
    assert ours.templates == {
        "default": fields["tokenizer.chat_template"].contents(),
        "rag": fields["tokenizer.chat_template.rag"].contents(),
    }
    assert ours.name == fields["general.name"].contents()
    index = fields["tokenizer.ggml.eos_token_id"].contents()
    assert ours.special_tokens["eos_token"] == fields["tokenizer.ggml.tokens"].contents(index)
