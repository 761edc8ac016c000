"""Write the pictures of trace.md: what `llm-templates trace` shows on a terminal, as SVG.

usage: python docs/write_screenshots.py
"""

import re
import unicodedata
from html import escape
from pathlib import Path
from typing import Any

from llm_templates import load
from llm_templates.cli.view import view

FOLDER = Path(__file__).parent / "images"
COLUMNS = 100
CELL, LINE, MARGIN = 8.4, 19, 16
FONT = "ui-monospace, Menlo, Consolas, monospace"

PAPER, INK, DIM = "#16181d", "#e6e6e6", "#7c828d"
COLOURS = {
    "31": "#ff7b72",
    "32": "#7ee787",
    "33": "#e3b341",
    "34": "#79c0ff",
    "35": "#d2a8ff",
    "36": "#56d4dd",
    "93": "#f2cc60",
    "94": "#a5d6ff",
    "95": "#f0a6ff",
}

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALL = {"type": "function", "function": {"name": "weather", "arguments": {"city": "Bern"}}}
QUESTION = {"role": "user", "content": "What is the weather in Bern?"}

#: Name of the picture: the model, the messages, and what else is passed on.
PICTURES: dict[str, tuple[str, list[dict[str, Any]], dict[str, Any]]] = {
    "chat": (
        "llama3",
        [
            {"role": "system", "content": "Be brief.\nAnswer in English."},
            {"role": "user", "content": "When do I prune roses?"},
            {"role": "assistant", "content": "In late winter."},
            {"role": "user", "content": "And tulips? "},
        ],
        {"add_generation_prompt": True},
    ),
    "reasoning": (
        "qwen3",
        [
            {"role": "user", "content": "Is 91 a prime?"},
            {"role": "assistant", "content": "No.", "reasoning_content": "91 is 7 times 13."},
            {"role": "user", "content": "And 97?"},
            {"role": "assistant", "content": "Yes.", "reasoning_content": "Nothing up to 9 divides it."},
        ],
        {},
    ),
    "tools": (
        "hermes3",
        [
            QUESTION,
            {"role": "assistant", "content": "", "tool_calls": [CALL]},
            {"role": "tool", "name": "weather", "content": '{"sky": "rain"}'},
            {"role": "assistant", "content": "It is raining."},
        ],
        {"tools": [TOOL]},
    ),
}


def picture(name: str) -> str:
    """The SVG of one picture."""
    model, messages, options = PICTURES[name]
    prompt = load(model).trace(messages, **options)
    command = f"$ llm-templates trace {model} {name}.json"
    return svg([command, *view(prompt, messages, coloured=True, width=COLUMNS)], command)


def svg(lines: list[str], title: str) -> str:
    """Lines with ANSI colours as a picture."""
    width, height = round(COLUMNS * CELL + 2 * MARGIN), len(lines) * LINE + 2 * MARGIN
    rows = [row(line, MARGIN + LINE * number + 14) for number, line in enumerate(lines)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            f"<title>{escape(title[2:])}</title>",
            f'<rect width="{width}" height="{height}" rx="8" fill="{PAPER}"/>',
            f'<g font-family="{FONT}" font-size="14" fill="{INK}" xml:space="preserve">',
            *filter(None, rows),
            "</g>",
            "</svg>\n",
        ]
    )


def row(line: str, y: int) -> str:
    """One line: a `tspan` for each stretch of one style, at its column."""
    spans, column, codes = [], 0, set()
    for code, text in re.findall(r"\x1b\[([\d;]*)m|([^\x1b]+)", line):
        if not text:
            codes = set() if code in ("", "0") else codes | set(code.split(";"))
            continue
        length = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
        if text.strip():
            x, size = f"{MARGIN + column * CELL:.1f}", f"{length * CELL:.1f}"
            spans.append(f'<tspan x="{x}" textLength="{size}"{style(codes)}>{escape(text)}</tspan>')
        column += length
    return f'<text y="{y}">{"".join(spans)}</text>' if spans else ""


def style(codes: set[str]) -> str:
    """The attributes of the codes that are on."""
    colour = next((COLOURS[code] for code in codes if code in COLOURS), DIM if "2" in codes else None)
    fill = f' fill="{colour}"' if colour else ""
    bold = ' font-weight="bold"' if "1" in codes else ""
    line = ' text-decoration="underline"' if "4" in codes else ""
    return f"{fill}{bold}{line}"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in PICTURES:
        (FOLDER / f"trace-{name}.svg").write_text(picture(name), encoding="utf-8")
