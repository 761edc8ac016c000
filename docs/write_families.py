"""Write families.md from the data files of the built-in families.

usage: python docs/write_families.py
"""

from pathlib import Path

from llm_templates import families

PAGE = Path(__file__).parent / "families.md"

INTRODUCTION = """# Built-in families

Each family is a template written from the format's facts, and a file with what else is known of it. `llm-templates
list` names them, `llm-templates show NAME` tells about one, and `load("NAME")` loads it with its special tokens. A
model's id finds its family where the model itself cannot be reached: `load("Qwen/Qwen3-8B", offline=True)` renders
with the family if the hub's cache does not have the model, and warns that it does.

```pycon
>>> from llm_templates import families, load
>>> families.get("llama3").stop_strings
('<|eot_id|>', '<|end_of_text|>')
>>> families.find_by_id("Qwen/Qwen3-8B-AWQ").name
'qwen3'

```

`families.detect(template)` tells which family a template belongs to, by the control texts it writes and by what it
renders, with the evidence; `template.family` is its name. What is rendered never depends on it.

```pycon
>>> text = "{% for m in messages %}<|im_start|>{{ m.role }}\\n{{ m.content }}<|im_end|>\\n{% endfor %}"
>>> found = families.detect(text)
>>> found.family, found.exact
('chatml', False)
>>> found.evidence[1]
'both write <|im_start|>, <|im_end|>'

```

Where a template can be told whether or how much to reason, `reasoning=` says it in the same words for all of them:

```pycon
>>> question = [{"role": "user", "content": "Is 91 a prime?"}]
>>> load("qwen3").render(question, add_generation_prompt=True, reasoning=False)[-29:]
'assistant\\n<think>\\n\\n</think>\\n\\n'

```

A family is two files in `src/llm_templates/families`: `NAME.jinja` and `NAME.toml`. Its text is compared with the
template that the models' publisher ships wherever one is at hand; `origin` says which text that was.
"""


def page() -> str:
    """The whole page."""
    return INTRODUCTION + "".join(_section(families.get(name)) for name in families.names())


def _section(family: families.Family) -> str:
    lines = [f"\n## {family.name}\n", f"{family.title}: {family.description}\n"]
    facts = {
        "also": _code(family.aliases),
        "templates": _code(("default", *family.variants)) if family.variants else "",
        "models": _code((*family.models, *family.patterns)),
        "roles": ", ".join(family.roles),
        "content": family.content,
        "context": family.context,
        "stops at": _code(stop.replace("\n", "\\n") for stop in family.stop_strings),
        "reasoning": "; ".join(
            f"{ {'on': 'True', 'off': 'False'}.get(wish, repr(wish)) }: "
            + ", ".join(f"`{name} = {value!r}`" for name, value in variables.items())
            for wish, variables in (family.reasoning.settings.items() if family.reasoning else ())
        ),
        "origin": f"{family.origin.text} ({family.origin.licence})",
    }
    lines += [f"- {name}: {fact}" for name, fact in facts.items() if fact]
    lines += [
        f"- variable `{name}` ({variable.type}): {variable.meaning}" for name, variable in family.variables.items()
    ]
    lines += [f"- {quirk.what} {quirk.why}" for quirk in family.quirks]
    return "\n".join(lines) + "\n"


def _code(texts) -> str:
    return ", ".join(f"`{text}`" for text in texts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
