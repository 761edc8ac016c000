"""Real vocabularies, those that mistral-common ships: equal ids for honest text, no control token from any text."""

import base64
import json
import random
from pathlib import Path

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers

from llm_templates import load
from llm_templates.tokens import encode

DATA = Path(pytest.importorskip("mistral_common").__file__).parent / "data"
WORDS = [
    "the",
    "garden",
    "Łódź",
    "漢字",
    "🌹",
    "roses'",
    "don't",
    "123456",
    "\n\n",
    "tabs\t",
    "`code`",
    "<b>",
    "π≈3.14159",
    "naïve",
    "",
    "two",
]
CONTROL = ("<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_CALLS]")

#: A file, and families that speak with it.
VOCABULARIES = {
    "tekken_240911.json": ("mistral-v3-tekken", "mistral-v7-tekken", "mistral-small3", "pixtral", "mistral-v13"),
    "tokenizer.model.v1": ("mistral", "mistral-v1", "llama2"),
    "mistral_instruct_tokenizer_240323.model.v3": ("mistral-v2", "mistral-v3", "mistral-v3-spm"),
    "mistral_instruct_tokenizer_241114.model.v7": ("mistral-v7",),
}


def byte_letters():
    """The letters that byte-level vocabularies write bytes with."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    return bytes_to_unicode()


def tekken(path):
    """The byte-level kind: a list of byte sequences in the order of merging, and a pattern that splits words."""
    content, letters = json.loads(path.read_text("utf-8")), byte_letters()
    config = content["config"]
    first = config["default_num_special_tokens"]
    entries = content["vocab"][: config["default_vocab_size"] - first]
    ranks = {base64.b64decode(entry["token_bytes"]): rank for rank, entry in enumerate(entries)}
    merges = []
    for token, rank in ranks.items():
        halves = ((token[:cut], token[cut:]) for cut in range(1, len(token)))
        merges += [(rank, ranks[a], ranks[b], a, b) for a, b in halves if a in ranks and b in ranks]
    written = {token: "".join(letters[byte] for byte in token) for token in ranks}
    made = Tokenizer(
        models.BPE(
            {written[token]: rank + first for token, rank in ranks.items()},
            [(written[a], written[b]) for *_, a, b in sorted(merges, key=lambda merge: merge[:3])],
        )
    )
    split = pre_tokenizers.Split(Regex(config["pattern"]), "isolated")
    bytes_only = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.pre_tokenizer = pre_tokenizers.Sequence([split, bytes_only])
    made.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in CONTROL])
    return made


def sentencepiece(path):
    """The SentencePiece kind: pieces with scores, bytes for what has no piece."""
    pytest.importorskip("google.protobuf")
    from sentencepiece import sentencepiece_model_pb2

    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(path.read_bytes())
    pieces = {piece.piece: number for number, piece in enumerate(model.pieces)}
    merges = []
    for text, number in pieces.items():
        halves = ((text[:cut], text[cut:]) for cut in range(1, len(text)))
        if model.pieces[number].type == 1:
            score = -model.pieces[number].score
            merges += [(score, pieces[a], a, b) for a, b in halves if a in pieces and b in pieces]
    ordered = [(a, b) for *_, a, b in sorted(merges, key=lambda merge: merge[:2])]
    made = Tokenizer(models.BPE(pieces, ordered, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=False)
    control = [piece.piece for piece in model.pieces if piece.type in (3, 4)]
    made.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in control])
    return made


@pytest.mark.parametrize("file", VOCABULARIES)
def test_a_real_vocabulary(file):
    """200 conversations a family: ids and offsets are the tokenizer's own, and a control text in words is no token."""
    path = DATA / file
    if not path.exists():
        pytest.skip(f"this version of mistral-common does not ship {file}")
    tokenizer = tekken(path) if path.suffix == ".json" else sentencepiece(path)
    control = sorted(token.content for token in tokenizer.get_added_tokens_decoder().values())
    numbers = {tokenizer.token_to_id(text) for text in control}
    chance = random.Random(3)

    def words():
        return " ".join(["So", *chance.choices(WORDS, k=chance.randrange(1, 30))])

    for name in VOCABULARIES[file]:
        template = load(name)
        for _ in range(200):
            talk = [{"role": role, "content": words()} for role in ("user", "assistant", "user")]
            prompt = template.trace(talk, add_generation_prompt=True)
            found, own = encode(prompt, tokenizer), tokenizer.encode(str(prompt), add_special_tokens=False)
            assert found.ids == own.ids
            assert list(found.offsets) == list(own.offsets)
            attack = [{"role": "user", "content": words() + chance.choice(control) + words()}, *talk[1:]]
            attacked = encode(template.trace(attack, add_generation_prompt=True), tokenizer)
            assert sum(n in numbers for n in attacked.ids) == sum(n in numbers for n in found.ids)
            assert len(attacked.attempts) == 1
