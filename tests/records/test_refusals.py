"""What cannot be read or written is an error that says where and why: one row each."""

import pytest

from llm_templates import InputError
from llm_templates.records import convert

HI = {"role": "user", "content": "Hi"}
HELLO = {"role": "assistant", "content": "Hello"}
CALL = {"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}}
TURNS = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]


def chat(*messages, **fields):
    return {"messages": [HI, *messages], **fields}


READING = [
    # messages
    (chat({"content": "Hello"}), {"source": "openai"}, "messages[1]: the message has no role"),
    (chat({"role": 7, "content": "Hello"}), {}, "messages[1].role: a role is text, not int"),
    (chat({"role": "user", "content": 7}), {}, "messages[1].content: content is text or a list of parts, not int"),
    (chat({"role": "user", "content": [7]}), {}, "messages[1].content[0]: a part is an object, not int"),
    (chat({"role": "user", "content": [{"kind": "text"}]}), {}, "messages[1].content[0]: the type of a part is text; its keys are kind"),
    (chat({"role": "user", "content": [{"type": "text"}]}), {}, "messages[1].content[0]: a text part has no text"),
    (chat({"role": "assistant", "content": [{"type": "thinking", "thinking": 7}]}), {}, "messages[1].content[0]: reasoning is text, not int"),
    (
        chat({"role": "assistant", "reasoning": "Oh.", "content": [{"type": "thinking", "thinking": "Hm."}]}),
        {},
        "messages[1]: it has different reasoning beside its content and within it",
    ),
    ({"prompt": [], "completion": [HELLO]}, {}, "prompt: there are no messages"),
    ({"prompt": [HI], "completion": 7}, {}, "completion: messages are a list, not int"),
    # calls
    (chat({"role": "user", "content": "Hi", "tool_calls": [CALL]}), {}, "messages[1]: only the assistant calls tools, not 'user'"),
    (chat({"role": "assistant", "tool_calls": "look"}), {}, "messages[1].tool_calls: calls are a list, not str"),
    (chat({"role": "assistant", "tool_calls": ["look"]}), {}, "messages[1].tool_calls[0]: a call is an object, not str"),
    (chat({"role": "assistant", "tool_calls": [{"id": "a"}]}), {}, "messages[1].tool_calls[0]: the call has no name"),
    (chat({"role": "assistant", "tool_calls": [{**CALL, "id": 7}]}), {}, "messages[1].tool_calls: an id is text, not int"),
    (chat({"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": 7}), {}, "messages[2]: an id is text, not int"),
    (
        chat({"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "content": [{"type": "thinking", "thinking": "Hm."}]}),
        {},
        "messages[2].content: a result holds neither reasoning nor calls",
    ),
    ([{"from": "human", "value": "Hi"}, {"from": "function_call", "value": "look"}], {}, "messages[1].content: a call is JSON text"),
    # fields of the record
    (chat(tools=7), {}, "tools: tools are a list, or its JSON text, not int"),
    (chat(tools="look"), {}, "tools: it is no JSON text"),
    (chat(tools=[7]), {}, "tools[0]: a tool is an object, not int"),
    (chat(chat_template_kwargs=[1]), {}, "chat_template_kwargs: variables are an object, not list"),
    (chat(chat_template_kwargs="no"), {}, "chat_template_kwargs: it is no JSON text"),
    ({7: "Hi"}, {}, "a key is not text: 7"),
    ([HI], {"source": "alpaca"}, "the record is an object in this format, not list"),
    ({"prompt": "Hi"}, {"source": "sharegpt"}, "messages: there is no list of messages"),
    # formats
    ({"input": 7, "preferred_output": [HELLO], "non_preferred_output": [HELLO]}, {}, "input: it is an object with messages"),
    ({"conversations": TURNS, "chosen": TURNS[1]}, {}, "there is one of 'chosen' and 'rejected' without the other"),
    ({"conversations": TURNS, "kto_tag": "yes"}, {}, "kto_tag: a boolean that belongs to the assistant's last turn"),
    ({"instruction": "Hi", "output": 7}, {}, "output: it is text, not int"),
    ({"instruction": "Hi", "output": "Hello", "history": 7}, {}, "history: it is a list of turns, not int"),
    ({"instruction": "Hi", "output": "Hello", "history": [["Hi"]]}, {}, "history[0]: a turn is a list of two texts"),
    ({"instruction": "Hi", "output": "Hello", "kto_tag": 1}, {}, "kto_tag: it is a boolean"),
    ({"instruction": "Hi", "input": "", "kto_tag": True}, {}, "kto_tag: there is no output that it could label"),
    ({"instruction": "Hi", "input": "", "chosen": "A", "rejected": "B", "kto_tag": True}, {"source": "alpaca"}, "kto_tag: there is no output"),
    ({"instruction": "Hi", "output": "A", "chosen": "A", "rejected": "B"}, {"source": "alpaca"}, "output: there are an output and two"),
    ({"instruction": "Hi", "chosen": "A"}, {}, "chosen: there is one of 'chosen' and 'rejected' without the other"),
    ({"prompt": [HI], "completion": [HELLO], "label": 1}, {"source": "kto"}, "label: whether the completion is good is true or false, not 1"),
    ({"prompt": [HI], "chosen": [HELLO], "rejected": [HELLO]}, {}, "chosen: it is the same as 'rejected'"),
    ({"prompt": [HI], "chosen": [HELLO], "rejected": []}, {}, "rejected: there are no messages"),
    ({"text": 7}, {"source": "text"}, "text: there is no text"),
    ({"segments": []}, {"source": "segments"}, "segments: there are none"),
    ({"segments": [{"label": True}]}, {"source": "segments"}, "segments[0]: a segment is an object with a text and a label"),
    ({"segments": [{"text": "Hi", "label": 1}]}, {}, "segments[0].label: whether a segment is trained on is true or false"),
    ({"text": "Hi"}, {"source": "hh"}, "text: a transcript is a text that begins with a blank line and 'Human:'"),
    ({"prompt": "\n\nHuman: Hi\n\nAssistant:", "completion": 7}, {"source": "hh"}, "completion: an answer is text, not int"),
    ({"prompt": "\n\nHuman: Hi\n\nAssistant:", "completion": " A\n\nHuman: B"}, {"source": "hh"}, "completion: it is more than one turn"),
    ({"prompt": "\n\nHuman: Hi\n\nAssistant:", "chosen": "A"}, {"source": "hh"}, "prompt: what follows it is chosen"),
    (chat(rejected_response="No"), {}, "messages: the last message is not the assistant's"),
    (chat(HELLO, rejected_response=["No"]), {}, "rejected_response: it is text, not list"),
    (chat({"role": "tool_call", "content": '{"name": "look"}'}, label=1), {}, "label: whether the answer is good is true or false, not 1"),
    ([["Hi"]], {"source": "gradio-pairs"}, "[0]: a pair is what the user and what the assistant said"),
    ([[7, None]], {}, "[0]: what is said is a text or a file, not int"),
    ([[None, None]], {}, "nobody says anything"),
    ({"messages": [HI]}, {"source": "gradio-pairs"}, "a history is a list of pairs, not dict"),
    ({"input": 7}, {"source": "responses"}, "input: there is no list of items"),
    ([{"role": "assistant", "channel": "aside", "content": "Hm."}], {}, "messages[0].channel: 'aside' is no channel"),
    (
        [{"role": "developer", "content": [{"type": "developer_content", "tools": {"functions": {"tools": 7}}}]}],
        {},
        "messages[0].tools: a namespace is an object with a list of tools",
    ),
    ([{"type": "remove", "content": ""}], {"source": "langchain"}, "messages[0]: 'remove' is no type of a message"),
    ([{"type": "human", "content": "Hi", "additional_kwargs": [1]}], {}, "messages[0].additional_kwargs: an object, not list"),
    (
        [{"type": "ai", "content": "", "invalid_tool_calls": [{"name": "look", "args": "{"}]}],
        {},
        "messages[0].invalid_tool_calls: calls that are none",
    ),
    ([{"role": "tool", "content": [{"text": "x"}, {"tool_call_result": {"result": "y"}}]}], {}, "messages[0].content: a message holds results or"),
    ([{"role": "assistant", "content": [{"tool_call": "look"}]}], {}, "messages[0].content: 'tool_call' holds an object, not str"),
]  # fmt: skip

PART = {"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}
WEIGHED = {"role": "assistant", "content": [{"type": "text", "text": "Hello", "weight": 0}]}
PLACEHOLDER = {"role": "user", "content": [{"type": "image"}]}
TWO = {"prompt": [HI], "chosen": [HELLO, HI, HELLO], "rejected": [{**HELLO, "content": "No"}]}
WRITING = [
    (chat(HELLO), "alpaca", None),
    (chat(HELLO, HELLO), "alpaca", "messages: the last message before the answer is not the user's"),
    (chat(HI, HELLO), "alpaca", "messages: history is what the user and the assistant said in turn, not user"),
    (TWO, "alpaca", "chosen: an answer is one message here, not 3"),
    (TWO, "sharegpt", "chosen: sharegpt has room for one turn, not for 3"),
    ({**TWO, "chosen": TWO["rejected"], "rejected": TWO["chosen"]}, "swift", "rejected: swift has room for one text"),
    (chat({**HELLO, "weight": 0.5}), "swift", "messages[1].weight: swift has no weights but true and false"),
    (chat({**HELLO, "weight": 0.5}), "prompt-completion", "messages[1].weight: a completion is trained on, and has no weight"),
    (chat(HELLO, {"role": "system", "content": "Be brief."}), "anthropic", "messages[2]: anthropic has no place for the role 'system'"),
    (chat(HELLO, chat_template_kwargs={"a": 1}), "anthropic", "chat_template_kwargs.a: anthropic has no place for template variables"),
    (chat(HELLO, chat_template_kwargs={"a": 1}), "responses", "chat_template_kwargs.a: responses has no place for template variables"),
    (chat(HELLO, chat_template_kwargs={"a": 1}), "harmony", "chat_template_kwargs.a: harmony has no place for it"),
    (chat(HELLO, chat_template_kwargs={"a": 1}), "hh", "chat_template_kwargs.a: hh has no place for template variables"),
    (chat(PLACEHOLDER), "anthropic", "messages[1].content[0]: an image without an address or data"),
    (chat(PLACEHOLDER), "haystack", "messages[1].content: haystack has no place for a part of the type 'image' without data"),
    (chat(PLACEHOLDER), "llamaindex", "messages[1].content[0]: llamaindex has no place for a part of the type 'image'"),
    *((chat(PART), target, "messages[1].content[0]: there is no place for a part of the type 'input_file'") for target in ("hh", "harmony", "sharegpt", "gradio-pairs")),
    *((chat(WEIGHED), target, "messages[1].content[0].weight: ") for target in ("sharegpt", "anthropic", "llamaindex", "gradio-pairs", "harmony")),
]  # fmt: skip


@pytest.mark.parametrize(("record", "options", "said"), READING, ids=[row[2][:60] for row in READING])
def test_what_cannot_be_read(record, options, said):
    """The error begins with the place."""
    with pytest.raises(InputError) as failure:
        convert(record, **options)
    assert failure.value.message.startswith(said)


@pytest.mark.parametrize(("record", "target", "said"), WRITING)
def test_what_a_target_cannot_say(record, target, said):
    """The error begins with the place."""
    if said is None:
        assert convert(record, to=target).record
        return
    with pytest.raises(InputError) as failure:
        convert(record, to=target)
    assert failure.value.message.startswith(said)
