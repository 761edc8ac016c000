"""Examples as records say them, made by hypothesis from what a format has a place for."""

import json

from hypothesis import strategies as st

from llm_templates.records.example import Answer, Example

WORDS = st.text(max_size=20)
SAID = st.text(min_size=1, max_size=20)
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
VALUES = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | WORDS
)
ARGUMENTS = st.dictionaries(WORDS, VALUES | st.lists(VALUES, max_size=2), max_size=3).map(
    lambda given: json.dumps(given, ensure_ascii=False)
)


@st.composite
def conversations(draw, features, ends=("assistant", "user", "tool")):
    """Messages of the roles and fields in `features`, the last of them by one of `ends`."""
    messages = []
    for role in ("system", "developer"):
        if role in features and draw(st.booleans()):
            messages.append({"role": role, "content": draw(SAID)})
    number = 0
    for _ in range(draw(st.integers(1, 3))):
        messages.append({"role": "user", "content": draw(WORDS)})
        for _ in range(draw(st.integers(0, 2)) if "calls" in features else 0):
            names = draw(st.lists(st.sampled_from(("look", "find", "add")), min_size=1, max_size=3))
            message = draw(turns(features, with_calls=True))
            message["tool_calls"] = []
            results = []
            for name in names:
                number += 1
                identity = f"call{number:05d}"
                function = {"name": name, "arguments": draw(ARGUMENTS)}
                message["tool_calls"].append({"id": identity, "type": "function", "function": function})
                result = {"role": "tool", "content": draw(WORDS), "tool_call_id": identity}
                results.append({**result, "name": name} if "names" in features else result)
            messages += [message, *results]
        messages.append(draw(turns(features)))
    while messages[-1]["role"] not in ends:
        messages.pop()
    return messages


@st.composite
def turns(draw, features, with_calls=False):
    """One message of the assistant; beside calls, its content is said or not there at all."""
    message = {"role": "assistant"}
    if not with_calls or draw(st.booleans()):
        message["content"] = draw(SAID if with_calls else WORDS)
    if "reasoning" in features and draw(st.booleans()):
        message["reasoning_content"] = draw(SAID)
    if "weights" in features and draw(st.booleans()):
        message["weight"] = draw(st.sampled_from((0, 1)))
    return message


@st.composite
def examples(draw, features, kind):
    """An example of a kind."""
    tools = draw(st.sampled_from((None, [TOOL]))) if "tools" in features else None
    extras = draw(st.sampled_from(({}, {"row": 7, "by": {"whom": None}}))) if "extras" in features else {}
    variables = draw(st.sampled_from(({}, {"reasoning_effort": "low"}))) if "variables" in features else {}
    around = {"tools": tools, "extras": extras, "variables": variables}
    if kind == "conversation":
        ends = ("assistant", "user") if "open" in features else ("assistant",)
        return Example(draw(conversations(features, ends)), **around)
    prompt = draw(conversations(features - {"weights"}, ("user",)))
    text, other = draw(st.lists(WORDS, min_size=2, max_size=2, unique=True))
    labels = {"completion": (None,), "unpaired": (draw(st.booleans()),), "preference": (True, False)}[kind]
    said = [[{"role": "assistant", "content": words}] for words in (text, other)]
    return Example(prompt, tuple(Answer(one, label) for one, label in zip(said, labels, strict=False)), **around)
