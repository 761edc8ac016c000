"""Twenty formats of output: how each writes reasoning, answer and calls, and what transformers needs to read it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .subjects import SENTENCES

Call = tuple[str, dict[str, Any]]

#: What precedes an output of the models that ChatML's markers surround.
CHATML = "<|im_start|>assistant\n"


@dataclass(frozen=True)
class Format:
    """How one family of models writes, and a `response_template` for it, as its publisher might write one."""

    family: str
    #: The end of the prompt.
    prompt: str
    write: Callable[[str, str, list[Call]], str]
    fields: dict[str, Any]

    @property
    def response_template(self) -> dict[str, Any]:
        """What transformers is given."""
        return {"defaults": {"role": "assistant"}, "start_anchor": self.prompt, "fields": self.fields}


def outputs(form: Format, count: int) -> list[str]:
    """`count` different outputs as long as those of agents: reasoning, an answer, a search, a file that is written."""
    return [form.write(*_said(random.Random(f"{form.family}/{number}"), number)) for number in range(count)]


def _said(choose: random.Random, number: int) -> tuple[str, str, list[Call]]:
    def text(least: int) -> str:
        parts: list[str] = []
        while sum(map(len, parts)) < least:
            parts.append(choose.choice(SENTENCES).strip())
        return " ".join(parts)

    calls = [
        ("search", {"query": text(40), "limit": choose.randint(1, 50)}),
        ("write_file", {"path": f"notes/{number}.md", "text": text(choose.randint(800, 4000))}),
    ]
    return text(choose.randint(800, 6000)), text(choose.randint(200, 2000)), calls


#: The tools of these calls.
TOOLS = [
    {"type": "function", "function": {"name": name, "description": "A tool.", "parameters": {
        "type": "object", "properties": {key: {"type": kind} for key, kind in kinds.items()}, "required": list(kinds),
    }}}
    for name, kinds in (
        ("search", {"query": "string", "limit": "integer"}),
        ("write_file", {"path": "string", "text": "string"}),
    )
]  # fmt: skip


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


# -- pieces of response templates --

_FUNCTION = {"type": "function", "function": "{content}"}
_NAMED = {"type": "function", "function": {"name": "{name}", "arguments": "{content}"}}


def _region(opens: str, closes: str) -> dict[str, Any]:
    return {"open": opens, "close": closes, "content": "text"}


def _answer(*closes: str) -> dict[str, Any]:
    # After a call, what is written between calls is taken for answer, too: it is joined.
    return {"close": list(closes), "content": "text", "repeats": True, "join": ""}


def _json_calls(opens: str, closes: str) -> dict[str, Any]:
    return {"open": opens, "close": closes, "repeats": True, "content": "json", "transform": _FUNCTION}


def _named_calls(pattern: str, closes: str, **more: Any) -> dict[str, Any]:
    return {
        "open_pattern": pattern, "close": closes, "repeats": True, "content": "json", "transform": _NAMED, **more,
    }  # fmt: skip


def _array_of_calls(opens: str, closes: str, name: str = "name", arguments: str = "arguments") -> dict[str, Any]:
    function = {"name": f"{{{name}}}", "arguments": f"{{{arguments}}}"}
    return {
        "open": opens, "close": closes, "content": "json", "transform_each": True,
        "transform": {"type": "function", "function": function},
    }  # fmt: skip


def _tagged_calls(pattern: str, closes: str, argument: str) -> dict[str, Any]:
    values = {"tag_pattern": argument, "value_parser": {"name": "json", "args": {"allow_non_json": True}}}
    return _named_calls(pattern, closes, content="xml-inline", content_args=values)


# -- how calls are written --


def _hermes(calls: list[Call], opens: str = "<tool_call>\n", closes: str = "\n</tool_call>") -> str:
    return "\n".join(f"{opens}{_json({'name': name, 'arguments': given})}{closes}" for name, given in calls)


def _array(calls: list[Call]) -> str:
    return _json([{"name": name, "arguments": given} for name, given in calls])


def _coder(calls: list[Call], tag: str = "tool_call", edge: str = "\n") -> str:
    return "\n".join(
        f"<{tag}>\n<function={name}>\n"
        + "".join(f"<parameter={key}>{edge}{_text(value)}{edge}</parameter>\n" for key, value in given.items())
        + f"</function>\n</{tag}>"
        for name, given in calls
    )


def _glm(calls: list[Call], edge: str = "\n") -> str:
    return edge.join(
        f"<tool_call>{name}{edge}"
        + "".join(f"<arg_key>{k}</arg_key>{edge}<arg_value>{_text(v)}</arg_value>{edge}" for k, v in given.items())
        + "</tool_call>"
        for name, given in calls
    )


def _gemma(calls: list[Call], opens: str, closes: str, quote: str) -> str:
    def value(given: Any) -> str:
        return f"{quote}{given}{quote}" if isinstance(given, str) else _json(given)

    return "".join(
        f"{opens}call:{name}{{{','.join(f'{key}:{value(item)}' for key, item in given.items())}}}{closes}"
        for name, given in calls
    )


def _harmony(reasoning: str, answer: str, calls: list[Call]) -> str:
    name, given = calls[-1]
    messages = (
        f"<|channel|>analysis<|message|>{reasoning}<|end|>",
        f"<|channel|>commentary<|message|>{answer}<|end|>",
        f"<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>{_json(given)}<|call|>",
    )
    return "<|start|>assistant".join(messages)


def _inkling(reasoning: str, answer: str, calls: list[Call]) -> str:
    blocks = [f"<|content_thinking|>{reasoning}", f"<|content_text|>{answer}"]
    blocks += [f"{n}<|content_invoke_tool_json|>{_json({'name': n, 'args': given})}" for n, given in calls]
    return "<|end_message|><|message_model|>".join(blocks) + "<|end_message|><|content_model_end_sampling|>"


def _cohere(reasoning: str, answer: str, calls: list[Call]) -> str:
    rows = [{"tool_call_id": str(i), "tool_name": name, "parameters": given} for i, (name, given) in enumerate(calls)]
    return (
        f"<|START_THINKING|>{reasoning}<|END_THINKING|><|START_ACTION|>[\n    "
        + ",\n    ".join(map(_json, rows))
        + "\n]<|END_ACTION|><|END_OF_TURN_TOKEN|>"
    )


def _mistral(calls: list[Call]) -> str:
    return "".join(f"[TOOL_CALLS]{name}[ARGS]{_json(given)}" for name, given in calls)


def _kimi(calls: list[Call]) -> str:
    rows = [
        f"<|tool_call_begin|>functions.{name}:{number}<|tool_call_argument_begin|>{_json(given)}<|tool_call_end|>"
        for number, (name, given) in enumerate(calls)
    ]
    return f"<|tool_calls_section_begin|>{''.join(rows)}<|tool_calls_section_end|>"


def _deepseek(calls: list[Call]) -> str:
    rows = [f"<｜tool▁call▁begin｜>{name}<｜tool▁sep｜>{_json(given)}<｜tool▁call▁end｜>" for name, given in calls]
    return f"<｜tool▁calls▁begin｜>{''.join(rows)}<｜tool▁calls▁end｜>"


def _minicpm(calls: list[Call]) -> str:
    return "\n".join(
        f'<function name="{name}">'
        + "".join(f'<param name="{key}">{_text(value)}</param>' for key, value in given.items())
        + "</function>"
        for name, given in calls
    )


_THINK = _region("<think>", "</think>")
_CODER_CALL = r"<tool_call>\s*<function=(?P<name>[^>]+)>"
_CODER_ARGUMENT = r"<parameter=(?P<key>\w+)>\n(?P<value>.*?)\n</parameter>"
_GLM_ARGUMENT = r"<arg_key>(?P<key>\w+)</arg_key>\s*<arg_value>(?P<value>.*?)</arg_value>"
_KIMI_CALL = r"<\|tool_call_begin\|>functions\.(?P<name>[^<]+):\d+<\|tool_call_argument_begin\|>"
_IM_END, _SENTENCE_END = "<|im_end|>", "<｜end▁of▁sentence｜>"

FORMATS = (
    Format(
        "qwen2.5", CHATML, lambda r, a, c: f"{a}\n{_hermes(c)}{_IM_END}",
        {"tool_calls": _json_calls("<tool_call>", "</tool_call>"), "content": _answer(_IM_END)},
    ),
    Format(
        "qwen3", CHATML, lambda r, a, c: f"<think>\n{r}\n</think>\n\n{a}\n{_hermes(c)}{_IM_END}",
        {"thinking": _THINK, "tool_calls": _json_calls("<tool_call>", "</tool_call>"), "content": _answer(_IM_END)},
    ),
    Format(
        "qwen3-coder", CHATML, lambda r, a, c: f"{a}\n\n{_coder(c)}{_IM_END}",
        {"tool_calls": _tagged_calls(_CODER_CALL, "</tool_call>", _CODER_ARGUMENT), "content": _answer(_IM_END)},
    ),
    Format(
        "minicpm5", CHATML, lambda r, a, c: f"<think>\n{r}\n</think>\n\n{a}\n{_minicpm(c)}{_IM_END}",
        {
            "thinking": _THINK,
            "tool_calls": _tagged_calls(
                r'<function name="(?P<name>[^"]+)">', "</function>",
                r'<param name="(?P<key>\w+)">(?P<value>.*?)</param>',
            ),
            "content": _answer(_IM_END),
        },
    ),
    Format(
        "smollm3", CHATML,
        lambda r, a, c: f"<think>\n{r}\n</think>\n\n{a}\n{_hermes(c, '<tool_call>', '</tool_call>')}{_IM_END}",
        {"thinking": _THINK, "tool_calls": _json_calls("<tool_call>", "</tool_call>"), "content": _answer(_IM_END)},
    ),
    Format(
        "hermes3", CHATML, lambda r, a, c: f"{a}\n{_hermes(c)}{_IM_END}",
        {"tool_calls": _json_calls("<tool_call>", "</tool_call>"), "content": _answer(_IM_END)},
    ),
    Format(
        "granite4.0", "<|start_of_role|>assistant<|end_of_role|>",
        lambda r, a, c: f"{a}\n{_hermes(c)}<|end_of_text|>",
        {"tool_calls": _json_calls("<tool_call>", "</tool_call>"), "content": _answer("<|end_of_text|>")},
    ),
    Format(
        "glm4.5", "<|assistant|>", lambda r, a, c: f"\n<think>{r}</think>\n{a}\n{_glm(c)}",
        {
            "thinking": _THINK,
            "tool_calls": _tagged_calls(r"<tool_call>(?P<name>[^<\s]+)", "</tool_call>", _GLM_ARGUMENT),
            "content": _answer("<|user|>", "<|observation|>"),
        },
    ),
    Format(
        "glm4.7", "<|assistant|>", lambda r, a, c: f"<think>{r}</think>{a}{_glm(c, '')}",
        {
            "thinking": _THINK,
            "tool_calls": _tagged_calls(r"<tool_call>(?P<name>[^<\s]+)", "</tool_call>", _GLM_ARGUMENT),
            "content": _answer("<|user|>", "<|observation|>"),
        },
    ),
    Format(
        "seed-oss", "<seed:bos>assistant\n",
        lambda r, a, c: f"<seed:think>{r}</seed:think>\n{a}\n\n{_coder(c, 'seed:tool_call', '')}<seed:eos>",
        {
            "thinking": _region("<seed:think>", "</seed:think>"),
            "tool_calls": _tagged_calls(
                r"<seed:tool_call>\s*<function=(?P<name>[^>]+)>", "</seed:tool_call>",
                r"<parameter=(?P<key>\w+)>(?P<value>.*?)</parameter>",
            ),
            "content": _answer("<seed:eos>"),
        },
    ),
    Format(
        "deepseek-v3.1", "<｜Assistant｜>", lambda r, a, c: f"<think>{r}</think>{a}{_deepseek(c)}{_SENTENCE_END}",
        {
            "thinking": _THINK,
            "tool_calls": _named_calls("<｜tool▁call▁begin｜>(?P<name>[^<]+)<｜tool▁sep｜>", "<｜tool▁call▁end｜>"),
            "content": _answer("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", _SENTENCE_END),
        },
    ),
    Format(
        "kimi-k2-thinking", "<|im_assistant|>assistant<|im_middle|>",
        lambda r, a, c: f"<think>{r}</think>{a}{_kimi(c)}{_IM_END}",
        {
            "thinking": _THINK,
            "tool_calls": _named_calls(_KIMI_CALL, "<|tool_call_end|>"),
            "content": _answer("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", _IM_END),
        },
    ),
    Format(
        "gemma4", "<|turn>model\n",
        lambda r, a, c: f"<|channel>thought\n{r}\n<channel|>{a}"
        + _gemma(c, "<|tool_call>", "<tool_call|>", '<|"|>') + "<turn|>",
        {
            "thinking": _region("<|channel>thought\n", "<channel|>"),
            "tool_calls": _named_calls(
                r"<\|tool_call>call:(?P<name>\w+)", "<tool_call|>",
                content_args={"unquoted_keys": True, "string_delims": [['<|"|>', '<|"|>']]},
            ),
            "content": _answer("<turn|>"),
        },
    ),
    Format(
        "functiongemma", "<start_of_turn>model\n",
        lambda r, a, c: a + _gemma(c, "<start_function_call>", "<end_function_call>", "<escape>") + "<end_of_turn>",
        {
            "tool_calls": _named_calls(
                r"<start_function_call>call:(?P<name>\w+)", "<end_function_call>",
                content_args={"unquoted_keys": True, "string_delims": [["<escape>", "<escape>"]]},
            ),
            "content": _answer("<end_of_turn>"),
        },
    ),
    Format(
        "gpt-oss", "<|start|>assistant", _harmony,
        {
            "thinking": _region("<|channel|>analysis<|message|>", "<|end|>"),
            "content": _region("<|channel|>commentary<|message|>", "<|end|>"),
            "tool_calls": _named_calls(
                r"<\|channel\|>commentary to=functions\.(?P<name>\w+)[^<]*<\|constrain\|>json<\|message\|>", "<|call|>"
            ),
        },
    ),
    Format(
        "magistral", "[/INST]", lambda r, a, c: f"[THINK]{r}[/THINK]{a}{_mistral(c)}</s>",
        {
            "thinking": _region("[THINK]", "[/THINK]"),
            "tool_calls": {
                "open_pattern": r"\[TOOL_CALLS\](?P<name>[^\[]+)\[ARGS\]", "close_pattern": r"(?=\[TOOL_CALLS\]|</s>)",
                "repeats": True, "content": "json", "transform": _NAMED,
            },
            "content": _answer("</s>"),
        },
    ),
    Format(
        "command-a", "<|CHATBOT_TOKEN|>", _cohere,
        {
            "thinking": _region("<|START_THINKING|>", "<|END_THINKING|>"),
            "content": _region("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
            "tool_calls": _array_of_calls("<|START_ACTION|>", "<|END_ACTION|>", "tool_name", "parameters"),
        },
    ),
    Format(
        "inkling", "<|message_model|>", _inkling,
        {
            "thinking": {
                "open_pattern": r"(?:<\|message_model\|>)?<\|content_thinking\|>", "close": "<|end_message|>",
                "content": "text",
            },
            "content": {
                "open_pattern": r"(?:<\|message_model\|>)?<\|content_text\|>", "close": "<|end_message|>",
                "content": "text",
            },
            "tool_calls": {
                "open_pattern": r"<\|message_model\|>[^<]*<\|content_invoke_tool_json\|>", "close": "<|end_message|>",
                "repeats": True, "content": "json",
                "transform": {
                    "type": "function", "function": {"name": "{content.name}", "arguments": "{content.args}"},
                },
            },
        },
    ),
    Format(
        "apriel1.5", "<|assistant|>\n", lambda r, a, c: f"{a}\n<tool_calls>{_array(c)}</tool_calls>\n<|end|>",
        {"tool_calls": _array_of_calls("<tool_calls>", "</tool_calls>"), "content": _answer("<|end|>")},
    ),
    Format(
        "nemotron-super1.5", "<|end_header_id|>\n\n",
        lambda r, a, c: f"{a}<TOOLCALL>{_array(c)}</TOOLCALL><|eot_id|>",
        {"tool_calls": _array_of_calls("<TOOLCALL>", "</TOOLCALL>"), "content": _answer("<|eot_id|>")},
    ),
)  # fmt: skip
