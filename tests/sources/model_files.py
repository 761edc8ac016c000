"""The files of models, as tests make them."""

import json


def write_files(path, files):
    """Make files by name under `path`: text as it is, bytes as they are, anything else as JSON; the path."""
    path.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


#: A tokenizer of one word, so that transformers loads a folder.
TOKENIZER = {
    "tokenizer.json": {
        "version": "1.0",
        "added_tokens": [],
        "model": {"type": "WordLevel", "vocab": {"x": 0}, "unk_token": "x"},
    }
}
