"""Law: a prompt read back is the conversation that it was rendered from, in every field that the prompt shows.

Where it is not, the conversation that was read gives the very same prompt, so that nobody could tell the two apart, or
it is told that something was lost. Over a corpus of templates and conversations, where LLM_TEMPLATES_CORPUS names its
folder: a third of the templates, or all of them with LLM_TEMPLATES_CORPUS_SHARE=1.
"""

import copy
import json
import os
import re
import zlib
from collections import Counter
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from llm_templates import ChatTemplate, TemplatesError, load

CORPUS = os.environ.get("LLM_TEMPLATES_CORPUS")
#: One template of how many is taken: all of them take two minutes.
SHARE = int(os.environ.get("LLM_TEMPLATES_CORPUS_SHARE", "3"))

#: What a reading may be; the first is what is wanted, the last never happens.
AS_IT_WAS, ALIKE, MARKED, TOLD, SILENT = (
    *("as it was", "gives the same prompt", "so do marks as words"),
    *("told as lost", "wrong in silence"),
)
#: Of how many of a hundred prompts marks may be read as somebody's words, though another reading has them as marks.
MARKED_AT_MOST = 0.5
#: How most templates write their marks.
MARK = re.compile(r"<\|[^|\s]+\|>|<｜[^｜]+｜>|\[/?[A-Z_]{3,}\]|</?s>|<(?:start|end)_of_turn>")

#: For each shape of conversation: how much of a hundred comes back as it was, and as it was or with the same prompt.
FLOORS = {
    "single_user": (100, 100),
    "system_user": (90, 100),
    "multi_turn": (90, 100),
    "multi_turn_no_system": (97, 100),
    "ends_with_assistant": (91, 100),
    "unicode": (90, 100),
    "jinja_syntax_in_text": (97, 100),
    "named_roles": (97, 100),
    "consecutive_users": (90, 100),
    "consecutive_assistants": (88, 100),
    "system_only": (96, 99),
    "late_system": (82, 99),
    "developer_role": (94, 100),
    "tools_defined": (90, 100),
    "tools_no_system": (100, 100),
    "tool_roundtrip": (89, 96),
    "tool_parallel": (82, 95),
    "tool_null_content": (85, 96),
    "tool_no_content_key": (85, 96),
    "tools_rich_schema": (87, 97),
    "reasoning": (96, 99),
    "reasoning_tools": (87, 97),
    # What contradicts a template, in part: markers in people's words, white space that it drops, arguments as text.
    "special_tokens_in_text": (75, 97),
    "whitespace_edges": (91, 98),
    "empty_content": (92, 97),
    "reasoning_inline_think": (93, 98),
    "tool_roundtrip_str_args": (86, 95),
}
#: Of these, the ones that contradict a template.
CONTRARY = tuple(FLOORS)[-5:]
#: Shapes that are not rendered here, and why.
LEFT_OUT = {
    "documents": "a prompt shows documents as the template's own words",
    "multimodal_av": "media are placeholders in a prompt",
    "multimodal_image": "media are placeholders in a prompt",
    "multimodal_openai": "media are placeholders in a prompt",
    "text_parts": "templates that take no parts print them as Python writes a list",
}

HTML = "writes the names of calls as HTML does, with &#34; for quotes"
BLANK = "leaves white space where it drops a message, which is not to be told from the turn before it"
#: Templates that do not give the same prompt again for ordinary conversations, and why.
EXCEPTIONS = {
    "dammianmiller-config-chat-template--universal-agent-protocol": "writes no line break between its header and a call",
    "deepseek-ai-deepseek-r1-distill-qwen-32b": "writes an answer beside calls as a turn of its own, after them",
    "google-gemma-3-vllm-tool": "writes no commas between arguments",
    "jamepeng-mtmd": BLANK,
    "jndiogo-llava-1.5": BLANK,
    "jndiogo-llava-1.6-hermes": BLANK,
    "jndiogo-llava-1.6-vicuna": BLANK,
    "jndiogo-moondream2": BLANK,
    "jndiogo-zephyr": BLANK,
    "kaito-tool-chat-gemma4": "writes an answer beside calls after the results of these",
    "meta-llama-llama-4-vllm-tool": "writes calls without any marker right after an answer",
    "mistralai-mistral-common-v2": HTML,
    "mistralai-mistral-common-v2-spm": HTML,
    "mistralai-mistral-common-v3": HTML,
    "mistralai-mistral-common-v3-image": HTML,
    "mistralai-mistral-common-v3-image-spm": HTML,
    "mistralai-mistral-common-v3-spm": HTML,
    "mistralai-mistral-common-v7": HTML,
    "mistralai-mistral-common-v7-audio": HTML,
    "mistralai-mistral-common-v7-image": HTML,
    "mistralai-mistral-common-v7-image-spm": HTML,
    "mistralai-mistral-common-v7-spm": HTML,
    "openai-gpt-oss-20b-v4": "writes an earlier answer in the channel of reasoning",
    "qwen-qwen3guard-gen-4b": "writes one task or another about the last message, and the model no answer of its own",
    "simpo-arenahard-mistral-base": "writes a backslash and an n where it means a line break",
    "tiiuae-falcon-180b-chat": BLANK,
    "tiiuae-falcon-7b-instruct--vllm": BLANK,
    "unsloth-gemma-4": "writes an answer beside calls after the results of these",
    "unsloth-gptoss": "writes an earlier answer in the channel of reasoning",
}


#: How a mistake begins that is a message too many.
UNSAID = "nobody said so:"


class Said(NamedTuple):
    """What a message says; None or nothing for what is not there, or not shown."""

    role: str
    content: str | None = None
    reasoning: str | None = None
    calls: tuple = ()


def words(content):
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content) or None
    return content or None


def calls_of(message):
    for call in message.get("tool_calls") or ():
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        yield name, json.loads(arguments) if isinstance(arguments, str) else arguments


def said(message):
    calls = tuple(calls_of(message))
    return Said(message["role"], words(message.get("content")), message.get("reasoning_content"), calls)


def texts_in(value):
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)
    elif isinstance(value, str):
        yield value


def shown(prompt, messages):
    """The messages of which a prompt shows something, without what it does not show whole."""
    text = str(prompt)
    dropped = {(origin.index, origin.path) for origin in prompt.dropped if origin.kind == "message"}
    for index, message in enumerate(messages):
        whole = said(message)
        is_cut = any(at == index and path.startswith("tool_calls") and ".function" in path for at, path in dropped)
        if is_cut or not all(is_shown(call, text) for call in whole.calls):
            whole = whole._replace(calls=())
        for name, field in (("content", "content"), ("reasoning", "reasoning_content")):
            if (index, field) in dropped or (getattr(whole, name) or "") not in text:
                whole = whole._replace(**{name: None})
        if any(whole[1:]):
            yield whole


def is_shown(call, text):
    name, arguments = call
    return name in text and all(one in text or json.dumps(one)[1:-1] in text for one in texts_in(arguments))


def comes_back(want, got):
    """Whether a message that was read says what one that is shown does."""
    same_role = got.role == want.role or (want.role, got.role) == ("developer", "system")
    same_reasoning = want.reasoning is None or (got.reasoning or "").strip() == want.reasoning.strip()
    return same_role and same_reasoning and want.content in (None, got.content) and want.calls in ((), got.calls)


def mistakes(prompt, messages, tools, found):
    """What of a conversation did not come back as it was, each in a few words."""
    got = [said(message) for message in found.messages]
    place = 0
    for want in shown(prompt, messages):
        fitting = [at for at in range(place, len(got)) if comes_back(want, got[at])]
        if not fitting:
            yield f"not there: {want}"
            break
        place = fitting[0] + 1
    given = [text for message in map(said, messages) for text in (message.content, message.reasoning) if text]
    for message in got:
        for text in filter(None, (message.content, message.reasoning)):
            if not any(text.strip() in one for one in given):
                yield f"{UNSAID} {message}"
    yield from wrong_tools(str(prompt), tools, found)


def wrong_tools(text, tools, found):
    are_shown = all(tool["function"][key] in text for tool in tools or () for key in ("name", "description"))
    told = found.tools is None and any("tools are not written as JSON" in one for one in found.lost)
    if are_shown and (found.tools or None) != (tools or None) and not told:
        yield f"other tools: {found.tools}"


def verdict(template, prompt, messages, tools, generation, found):
    """Which of the five it is, and why."""
    text = str(prompt)
    wrong = list(mistakes(prompt, messages, tools, found))
    if found.add_generation_prompt is not generation and written(template, messages, tools, not generation) != text:
        wrong.append("another generation prompt")
    again = written(template, found.messages, found.tools, found.add_generation_prompt, found.variables)
    assert again == text or not found.exact, "it is said to be exact, and gives another prompt"
    if not wrong:
        return AS_IT_WAS, wrong
    # Tools that are not written as JSON are not read; the rest is compared with them.
    options = found.add_generation_prompt, found.variables
    if found.exact or (found.tools is None and text == written(template, found.messages, tools, *options)):
        return MARKED if any(one.startswith(UNSAID) and MARK.search(one) for one in wrong) else ALIKE, wrong
    return TOLD if found.lost else SILENT, [*wrong, *found.lost]


def written(template, messages, tools, generation, variables=None):
    try:
        return template.render(
            copy.deepcopy(messages), tools=tools, add_generation_prompt=generation, variables=variables
        )
    except TemplatesError:
        return None


def readings(template, shapes):
    """For each shape that a template takes, with and without a generation prompt: the verdict on what is read of it."""
    for name, shape in shapes.items():
        before = None
        for generation in (False, True):
            options = {"tools": shape["tools"], "add_generation_prompt": generation}
            try:
                prompt = template.trace(copy.deepcopy(shape["messages"]), **options)
            except TemplatesError:
                continue
            if str(prompt) == before:
                continue
            before = str(prompt)
            found = template.read(before)
            yield name, verdict(template, prompt, shape["messages"], shape["tools"], generation, found)


@cache
def recorded():
    """The conversations of the corpus, by shape, and when they were rendered."""
    facts = json.loads((Path(CORPUS) / "conversations.json").read_text(encoding="utf-8"))
    return facts["shapes"], datetime.fromisoformat(facts["frozen_now"])


def templates():
    """The templates that are taken, by name."""
    index = json.loads((Path(CORPUS) / "index.json").read_text(encoding="utf-8"))
    for slug, facts in sorted(index.items()):
        if zlib.crc32(slug.encode()) % SHARE:
            continue
        source = (Path(CORPUS) / "templates" / f"{slug}.jinja").read_bytes().decode("utf-8")
        try:
            yield slug, ChatTemplate.from_string(source, special_tokens=facts["special_tokens"], now=recorded()[1])
        except TemplatesError:
            continue


@pytest.mark.skipif(not CORPUS, reason="LLM_TEMPLATES_CORPUS names no corpus")
def test_prompts_of_a_corpus_are_read_back():
    """Nothing is wrong in silence; and of each shape, as much comes back as its floor says."""
    shapes = {name: shape for name, shape in recorded()[0].items() if name in FLOORS}
    counts = {name: Counter() for name in shapes}
    silent, failing, taken = [], {}, set()
    for slug, template in templates():
        taken.add(slug)
        for name, (kind, why) in readings(template, shapes):
            counts[name][kind] += 1
            if kind == SILENT:
                silent.append((slug, name, why))
            if kind == TOLD and name not in CONTRARY:
                failing.setdefault(slug, {}).setdefault(name, why)
    kinds = (AS_IT_WAS, ALIKE, MARKED, TOLD)
    print("\n" + " " * 26, *(f"{kind:>21}" for kind in kinds))
    for name, count in {**counts, "all": sum(counts.values(), Counter())}.items():
        print(f"{name:26}", *(f"{count[kind]:21}" for kind in kinds))
    for slug in sorted(failing):
        print(f"{slug}: {EXCEPTIONS.get(slug, 'not listed')}")

    assert len(taken) > 100
    assert not silent, silent[:20]
    for name, (whole, kept) in FLOORS.items():
        count = counts[name]
        assert count.total() > 100, name
        assert 100 * count[AS_IT_WAS] >= whole * count.total(), (name, count)
        assert 100 * (count.total() - count[TOLD]) >= kept * count.total(), (name, count)
    ordinary = sum((count for name, count in counts.items() if name not in CONTRARY), Counter())
    assert 100 * ordinary[MARKED] <= MARKED_AT_MOST * ordinary.total(), ordinary
    unlisted = {slug: what for slug, what in failing.items() if slug not in EXCEPTIONS}
    assert not unlisted, json.dumps(unlisted, indent=1, ensure_ascii=False)[:20_000]
    needless = (EXCEPTIONS.keys() & taken) - failing.keys()
    assert not needless, f"these read back what they write now: {sorted(needless)}"


@pytest.mark.skipif(not CORPUS, reason="LLM_TEMPLATES_CORPUS names no corpus")
def test_every_shape_of_the_corpus_has_a_floor_or_a_reason():
    """A shape that is added to the corpus is not passed over."""
    assert set(recorded()[0]) <= FLOORS.keys() | LEFT_OUT.keys()


# -- the law itself: it holds for a right reading, and for none of these wrong ones --

CALL = {"id": "call00001", "type": "function", "function": {"name": "qzlook", "arguments": {"qzat": "Qzhere"}}}
TOOLS = [{"type": "function", "function": {"name": "qzlook", "description": "Qzlooks.", "parameters": {}}}]
TALK = [
    {"role": "system", "content": "Qzsystem"},
    {"role": "user", "content": "Qzquestion"},
    {"role": "assistant", "content": "", "reasoning_content": "Qzreasoning", "tool_calls": [CALL]},
    {"role": "tool", "content": "Qzresult", "tool_call_id": "call00001"},
]


def changed(index, **fields):
    return lambda messages: [{**one, **fields} if at == index else one for at, one in enumerate(messages)]


SPOILT = {
    "a message is missing": lambda messages: messages[1:],
    "two messages are exchanged": lambda messages: [messages[1], messages[0], *messages[2:]],
    "another role": changed(1, role="assistant"),
    "another text": changed(1, content="Qzquestion "),
    "other reasoning": changed(2, reasoning_content="Qzreason"),
    "reasoning as content": changed(2, reasoning_content=None, content="Qzreasoning"),
    "another argument": changed(2, tool_calls=[{**CALL, "function": {"name": "qzlook", "arguments": {"qzat": 1}}}]),
    "no call": changed(2, tool_calls=[]),
    "a message that nobody said": lambda messages: [*messages, {"role": "user", "content": "Qzmore"}],
}


@pytest.mark.parametrize("spoil", [pytest.param(spoil, id=name) for name, spoil in SPOILT.items()])
def test_the_law_sees_what_is_wrong(spoil):
    """A reading that is spoilt in one place is told; without a word of loss, it is wrong in silence."""
    template = load("qwen3")
    prompt = template.trace(TALK, tools=TOOLS)
    found = template.read(str(prompt))
    assert verdict(template, prompt, TALK, TOOLS, False, found) == (AS_IT_WAS, [])
    spoilt = found._replace(messages=spoil(found.messages), exact=False)
    assert verdict(template, prompt, TALK, TOOLS, False, spoilt)[0] == SILENT
    assert verdict(template, prompt, TALK, TOOLS, False, spoilt._replace(lost=("something",)))[0] == TOLD
    with pytest.raises(AssertionError, match="said to be exact"):
        verdict(template, prompt, TALK, TOOLS, False, spoilt._replace(exact=True))


def test_the_law_sees_other_tools_and_another_generation_prompt():
    """And not only messages."""
    template = load("qwen3")
    prompt = template.trace(TALK, tools=TOOLS)
    found = template.read(str(prompt))._replace(exact=False)
    for spoilt in (found._replace(tools=None), found._replace(add_generation_prompt=True)):
        assert verdict(template, prompt, TALK, TOOLS, False, spoilt)[0] in (ALIKE, SILENT)
        assert verdict(template, prompt, TALK, TOOLS, False, spoilt)[1]
    asked = template.trace(TALK, tools=TOOLS, add_generation_prompt=True)
    assert verdict(template, asked, TALK, TOOLS, True, found)[0] == SILENT


def test_a_prompt_that_two_conversations_give_is_alike():
    """Where a template writes a system message into the user's words, nobody can tell the two."""
    template = load("llama2")
    messages = [{"role": "user", "content": "<<SYS>>\nBe brief.\n<</SYS>>\n\nHi"}]
    prompt = template.trace(messages)
    kind, why = verdict(template, prompt, messages, None, False, template.read(str(prompt)))
    assert kind == ALIKE
    assert why[0].startswith("not there: Said(role='user'")


def test_marks_as_words_are_told_apart():
    """They give the same prompt, and are no better for it."""
    template = load("chatml")
    messages = [{"role": "user", "content": "Qzquestion"}, {"role": "assistant", "content": "Qzanswer"}]
    prompt = template.trace(messages)
    words = "Qzquestion<|im_end|>\n<|im_start|>assistant\nQzanswer"
    found = template.read(str(prompt))._replace(messages=[{"role": "user", "content": words}])
    assert verdict(template, prompt, messages, None, False, found)[0] == MARKED
