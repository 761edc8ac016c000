"""Conversations to train on, made up from a seed: `python -m bench.conversations N OUT.jsonl` (or OUT.parquet).

The English prose and the code are Python's own documentation and standard library. Rare words among them, names and
other languages are invented, as many and as frequent as words are in real text: eight million of them are about two
hundred thousand different ones, and the ten thousand most frequent make up 92 %.
"""

from __future__ import annotations

import ast
import json
import pathlib
import random
import re
import sys
import sysconfig
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

Row = dict[str, Any]

#: Lines of prose that are markup rather than words.
MARKUP = re.compile(r"^\s*(\.\.|>>>|\.\.\.|\||\+-|==|--|:\w)|::$", re.MULTILINE)
#: Packages of the standard library that are read as well as its single modules.
PACKAGES = ("asyncio", "email", "http", "importlib", "logging", "multiprocessing", "tkinter", "unittest", "urllib")
SYLLABLES = (
    *("ka", "lo", "mi", "ra", "ven", "tor", "su", "bel", "an", "dri", "eth", "os", "qui", "nar", "zel", "fi"),
    *("gro", "ma", "ul", "pe", "sha", "wen", "ix", "ory"),
)

#: For each language: what its words are made of, of how many at most, and what stands between words and between clauses
#: and ends a sentence. They are no words that anybody knows, but as many as there are, as frequent and as rare.
LANGUAGES = {
    "de": ("ge ver be ent un auf haus bau licht schrei ber wer ten ung keit lich ät über straße zwei en ß", 4, " ,."),
    "fr": ("dé ré cou ler mai son ment tion eux aître é è lou vre gen ê ci ça qu’il l’a jour pe ti te ux", 4, " ,."),
    "es": ("ca sa ción mien to pue blo ñ año rá pi da mente el gui tar ra cor rer í que de so bre lla ó", 4, " ,."),
    "ru": ("по при ста ро ван ние ость го род ский за ча ль ка мо ре ё ты вы де ло щий ся ной ть", 4, " ,."),
    "ar": ("ال كت اب مد رس ة بي ت سا فر ون ين عل م ها جد يد قد يم وق في من", 3, " ،."),
    "hi": ("का की में है और नहीं घर पा नी स्कू ल लो ग का म दे श भा षा प्र या ग", 2, " ,।"),
    "ko": ("은 는 이 가 학 교 사 람 도 서 관 에 서 입 니 다 했 습 오 늘 날 씨", 4, " ,."),
    "zh": (
        "的 一 是 不 了 人 在 有 我 他 这 中 大 来 上 国 个 到 说 们 为 子 和 你 地 出 道 也 时 年 得 就 那 要 下"
        " 以 生 会 自 着 去 之 过 家 学 对 可 她 里 后 小 么 心 多 天"
        " 而 能 好 都 然 没 日 于 起 还 发 成 事 只 作 当 想 看 文 无 开 手 十 用 主",
        3,
        "，。",
    ),
    "ja": (
        "の に は を た が で て と し れ さ あ い る も な か ら だ こ っ ま す よ う く 日 本 人 大 年 会 社 東"
        " 京 時 間 学 校 新 聞 語 電 車 ア イ ス ト ラ ン ル ク リ ッ テ レ ビ",
        4,
        "、。",
    ),
}
#: How many words a language has, and how many rare ones stand in English prose.
WORDS, RARE = 200_000, 0.03
ASKS = (
    "Can you explain this to me in a few sentences? {text}",
    "I am trying to understand the following, and I am stuck:\n\n{text}\n\nWhat does it mean for {name}?",
    "Rewrite this for somebody who has never seen it: {text}",
    "What would you change about this, {name}?\n\n{text}",
    "hi, quick question about {name}. {text} is that still true??",
    "Please summarize:\n\n{text}",
    "Thanks! And how does that fit with what {name} wrote, namely that {text}",
    "Give me three examples for {name}.",
    "Why?",
    "Are you sure? I read at {address} that it is {number} %.",
    "Write a function `{identifier}` that does this, with a docstring and without any third-party package. {text}",
)
OPENINGS = (
    "Sure! ",
    "",
    "",
    "Of course. ",
    "Good question. ",
    "In short: yes. ",
    "No, not quite. ",
    "You're right, {name}. ",
)
SYSTEMS = (
    "You are a helpful assistant.",
    "You are {name}, an assistant for customers of {address}. Be brief and friendly, never promise a refund. {text}",
    "You are an expert in {identifier} and answer in the language of the question.\n\nRules:\n{items}",
)
#: How many messages a conversation has at most.
LONGEST = 60
#: Names of tools, and the types of their parameters.
TOOLS = {
    "get_weather": {"city": "string", "unit": "string", "days": "integer"},
    "search_documents": {"query": "string", "top_k": "integer", "language": "string"},
    "run_sql": {"statement": "string", "database": "string"},
    "create_event": {"title": "string", "start": "string", "minutes": "integer", "guests": "array"},
    "convert_currency": {"amount": "number", "source": "string", "target": "string"},
    "read_file": {"path": "string", "first_line": "integer", "last_line": "integer"},
}


class Texts:
    """What conversations are made of, chosen by a generator of random numbers."""

    def __init__(self, choose: random.Random) -> None:
        self.choose = choose

    def name(self) -> str:
        """A name that nobody has."""
        return "".join(self.choose.choices(SYLLABLES, k=self.choose.randint(2, 4))).capitalize()

    def filled(self, frame: str) -> str:
        """A text with its places filled in."""
        return frame.format_map(self)

    def __getitem__(self, place: str) -> str:
        """What fills a place of a frame."""
        if place == "address":
            return f"https://www.{self.name().lower()}.org/{self.name().lower()}/{self.choose.randint(1, 999_999)}"
        if place == "number":
            return f"{self.choose.random() * 100:.2f}"
        return str(getattr(self, place)())

    def text(self) -> str:
        """A paragraph of English."""
        return self.prose(1)

    def identifier(self) -> str:
        """A name in code."""
        return f"{self.name()}_{self.name()}".lower()

    def prose(self, paragraphs: int) -> str:
        """English, of a few sentences each, with a rare word here and there."""
        return "\n\n".join(map(self._varied, self.choose.choices(sources()[0], k=paragraphs)))

    def _varied(self, paragraph: str) -> str:
        words, chance = paragraph.split(" "), self.choose.random
        for _ in range(int(len(words) * RARE + chance())):
            words[int(chance() * len(words))] = word("en", int(WORDS ** chance()))
        return " ".join(words)

    def code(self) -> str:
        """A function in a block of code, under a new name."""
        source = self.choose.choice(sources()[1])
        return f"```python\n{re.sub(r'(?<=def )[a-z_]+', self.identifier(), source, count=1)}\n```"

    def items(self) -> str:
        """A list, numbered or not, with something in bold."""
        numbered = self.choose.random() < 0.4
        lines = []
        for number in range(1, self.choose.randint(3, 8)):
            text, mark = self.text().split(". ")[0].rstrip(".:"), f"{number}." if numbered else "-"
            lines.append(f"{mark} **{self.name()}**: {text} ({self.choose.randint(1, 9999)})")
        return "\n".join(lines)

    def foreign(self, language: str) -> str:
        """A few sentences in another language."""
        *gap, comma, stop = LANGUAGES[language][2]
        space, chance, pick = "".join(gap), self.choose.random, self.choose.randint
        sentences = []
        for _ in range(pick(3, 8)):
            clauses = [
                space.join(word(language, int(WORDS ** chance())) for _ in range(pick(4, 8))) for _ in range(pick(1, 3))
            ]
            sentence = f"{comma}{space}".join(clauses).capitalize()
            sentences.append(f"{sentence} ({pick(1700, 2030)}){stop}" if chance() < 0.2 else sentence + stop)
        return space.join(sentences)

    def answer(self, language: str | None) -> str:
        """What an assistant says."""
        if language and self.choose.random() < 0.9:
            return "\n\n".join(self.foreign(language) for _ in range(self.choose.randint(1, 2)))
        kind = self.choose.random()
        parts = [self.filled(self.choose.choice(OPENINGS)) + self.prose(1)]
        if kind < 0.3:
            parts.append(self.code())
        elif kind < 0.5:
            parts.append(self.items())
        if kind > 0.2:
            parts.append(self.prose(self.choose.randint(1, 2)))
        return "\n\n".join(parts)

    def question(self, language: str | None) -> str:
        """What somebody asks."""
        if language and self.choose.random() < 0.9:
            return self.foreign(language)
        asked = self.filled(self.choose.choice(ASKS))
        return f"{asked}\n\n{self.code()}" if self.choose.random() < 0.08 else asked

    def value(self, kind: str) -> Any:
        """An argument of a call."""
        if kind == "integer":
            return self.choose.randint(1, 500)
        if kind == "number":
            return round(self.choose.random() * 1e4, 2)
        return [self.name(), self.name()] if kind == "array" else f"{self.name()} {self.name().lower()}"


def conversation(seed: int, row: int) -> Row:
    """One row: `id`, `messages`, and `tools` as JSON text, or None. It ends with the assistant's message.

    Arguments of calls are JSON text too, as the servers of models write them.
    """
    choose = random.Random(f"{seed}/{row}")
    texts = Texts(choose)
    turns = max(1, int(choose.lognormvariate(0.62, 0.85)))
    language = choose.choice(list(LANGUAGES)) if choose.random() < 0.12 else None
    tools = choose.sample(list(TOOLS), choose.randint(1, 4)) if choose.random() < 0.12 else []
    thinks = choose.random() < 0.15
    messages: list[Row] = []
    if choose.random() < 0.4:
        messages.append({"role": "system", "content": texts.filled(choose.choice(SYSTEMS))})
    for _ in range(turns):
        if len(messages) > LONGEST - 5:
            break
        messages.append({"role": "user", "content": texts.question(language)})
        if tools and choose.random() < 0.6:
            messages += _calls(texts, choose.choices(tools, k=choose.choice((1, 1, 2))))
        message = {"role": "assistant", "content": texts.answer(language)}
        if thinks:
            message["reasoning_content"] = texts.prose(choose.randint(1, 2))
        messages.append(message)
    declared = json.dumps([_declared(name) for name in tools]) if tools else None
    return {"id": f"{seed}-{row}", "messages": messages, "tools": declared}


def _calls(texts: Texts, names: list[str]) -> Iterator[Row]:
    """A message that calls tools, and what they give."""
    calls = []
    for name in names:
        arguments = {key: texts.value(kind) for key, kind in TOOLS[name].items()}
        calls.append({"type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}})
    yield {"role": "assistant", "content": "", "tool_calls": calls}
    for _ in names:
        result = {"status": "ok", "value": texts.value("number"), "source": texts.name(), "note": texts.prose(1)}
        yield {"role": "tool", "content": json.dumps(result, ensure_ascii=False)}


def _declared(name: str) -> Row:
    properties = {
        key: {"type": kind, "description": f"The {key.replace('_', ' ')} to use."} for key, kind in TOOLS[name].items()
    }
    parameters = {"type": "object", "properties": properties, "required": list(properties)[:1]}
    described = f"{name.replace('_', ' ').capitalize()} and return the result."
    return {"type": "function", "function": {"name": name, "description": described, "parameters": parameters}}


@cache
def word(language: str, rank: int) -> str:
    """The word of a language that so many others are more frequent than."""
    parts, most = LANGUAGES[language][:2] if language in LANGUAGES else (" ".join(SYLLABLES), 4)
    choose = random.Random(f"{language}/{rank}")
    return "".join(choose.choices(parts.split(), k=choose.randint(1 + (rank > 100), most)))


@cache
def sources() -> tuple[list[str], list[str]]:
    """Paragraphs of English, and functions, of this Python's documentation and standard library."""
    from pydoc_data.topics import topics

    prose = list(_paragraphs("\n\n".join(topics[name] for name in sorted(topics))))
    functions: list[str] = []
    for text in library():
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                prose += _paragraphs(ast.get_docstring(node) or "")
            if isinstance(node, ast.FunctionDef) and not node.col_offset and 4 < node.end_lineno - node.lineno < 30:
                functions.append(ast.get_source_segment(text, node) or "")
    return prose, functions


@cache
def library() -> tuple[str, ...]:
    """The sources of the standard library: single modules, and a few packages."""
    folder = pathlib.Path(sysconfig.get_paths()["stdlib"])
    paths = [path for name in ("", *PACKAGES) for path in sorted((folder / name).glob("*.py"))]
    return tuple(path.read_text(encoding="utf-8") for path in paths)


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        if 90 < len(paragraph) < 900 and not MARKUP.search(paragraph):
            yield " ".join(paragraph.split())


def conversations(count: int, seed: int = 0) -> Iterator[Row]:
    """The first `count` rows of a seed. With more of them the first ones stay the same, on the same Python."""
    return (conversation(seed, row) for row in range(count))


def write_jsonl(rows: Iterator[Row], path: pathlib.Path) -> None:
    """One row a line."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_parquet(rows: Iterator[Row], path: pathlib.Path) -> None:
    """The same as columns: messages are a list of structs, and what a message does not have is null."""
    import pyarrow
    from pyarrow import parquet

    text = pyarrow.string()
    function = pyarrow.struct({"name": text, "arguments": text})
    call = pyarrow.struct({"type": text, "function": function})
    message = pyarrow.struct(
        {"role": text, "content": text, "reasoning_content": text, "tool_calls": pyarrow.list_(call)}
    )
    schema = pyarrow.schema({"id": text, "messages": pyarrow.list_(message), "tools": text})
    with parquet.ParquetWriter(path, schema) as writer:
        batch: list[Row] = []
        for row in rows:
            batch.append(row)
            if len(batch) == 1000:
                writer.write_table(pyarrow.Table.from_pylist(batch, schema))
                batch = []
        if batch:
            writer.write_table(pyarrow.Table.from_pylist(batch, schema))


WRITERS: dict[str, Callable[[Iterator[Row], pathlib.Path], None]] = {".jsonl": write_jsonl, ".parquet": write_parquet}


def main() -> int:
    """Write a file."""
    if len(sys.argv) < 3 or not sys.argv[1].isdecimal() or pathlib.Path(sys.argv[2]).suffix not in WRITERS:
        print("usage: python -m bench.conversations N OUT.jsonl|OUT.parquet [SEED]", file=sys.stderr)
        return 2
    path = pathlib.Path(sys.argv[2])
    WRITERS[path.suffix](conversations(int(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else 0), path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
