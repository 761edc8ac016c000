"""The golden files: `golden/<family>.txt`, what each conversation of `conversations/` becomes, in sections that read well."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
#: What `strftime_now` tells.
NOW = datetime(2026, 1, 2, 15, 4, 5)
#: The reference's default is False; the keys of a conversation file beside its messages.
OPTIONS = ("tools", "add_generation_prompt")

_HEADER = re.compile(
    r"^════ (?P<name>[\w-]+) · (?P<by>[^·\n]+?)(?: · (?P<outcome>refused|fails))? ════\n", re.MULTILINE
)


class Golden(NamedTuple):
    """What transformers made of a conversation."""

    #: Whose template: "publisher's template", "engine's template", ..., or "this template" where there is no other.
    by: str
    #: "renders", "refused" (the template says why) or "fails" (it cannot take such a conversation).
    outcome: str
    #: The prompt, what the template said, or what went wrong.
    text: str


def conversations():
    """The conversations by name, with their options."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((HERE / "conversations").glob("*.json"))}


def options_of(conversation):
    return {key: conversation[key] for key in OPTIONS if key in conversation}


def golden_path(stem):
    return GOLDEN / f"{stem}.txt"


def read_golden(stem):
    """The sections of a family's file, by the conversation's name."""
    text = golden_path(stem).read_bytes().decode("utf-8")
    headers = list(_HEADER.finditer(text))
    ends = [header.start() - 1 for header in headers[1:]] + [len(text) - 1]
    return {
        header["name"]: Golden(header["by"], header["outcome"] or "renders", text[header.end() : end])
        for header, end in zip(headers, ends, strict=True)
    }


def write_golden(stem, sections):
    GOLDEN.mkdir(exist_ok=True)
    lines = [
        f"════ {name} · {golden.by}{'' if golden.outcome == 'renders' else f' · {golden.outcome}'} ════\n{golden.text}\n"
        for name, golden in sections.items()
    ]
    golden_path(stem).write_bytes("".join(lines).encode("utf-8"))
