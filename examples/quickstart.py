"""Conversations rendered for several models, and answers in their formats read as messages: what `make run` shows."""

import json

from llm_templates import RaisedError, load

TALK = [
    {"role": "system", "content": "You are a terse assistant."},
    {"role": "user", "content": "What is the tallest mountain on Earth?"},
    {"role": "assistant", "content": "Mount Everest, 8,849 m."},
    {"role": "user", "content": "And the second?"},
]
QUESTION = [{"role": "user", "content": "What is the weather in Bern, in Celsius?"}]


def get_weather(city: str, unit: str = "celsius", days: int = 1):
    """Tell the weather of the next days.

    Args:
        city: The name of a place.
        unit: Of the temperature: celsius or fahrenheit.
        days: How many days.
    """


#: A conversation and an answer to it for each model, as the model writes it.
ANSWERS = {
    "zephyr": (TALK, "K2, 8,611 m.</s>"),
    "gemma": (TALK, "K2, at 8,611 m.<end_of_turn>"),
    "qwen3": (
        QUESTION,
        "<think>\nThe user wants the weather in Bern. A tool knows.\n</think>\n\n"
        '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Bern", "unit": "celsius"}}\n'
        "</tool_call><|im_end|>",
    ),
    "qwen3-coder": (
        QUESTION,
        "<tool_call>\n<function=get_weather>\n<parameter=city>\nBern\n</parameter>\n"
        "<parameter=days>\n1\n</parameter>\n</function>\n</tool_call><|im_end|>",
    ),
    "llama3.1": (QUESTION, '{"name": "get_weather", "parameters": {"city": "Bern", "unit": "celsius"}}<|eom_id|>'),
    "deepseek-v3.1": (
        QUESTION,
        "Let me check.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>"
        '{"city": "Bern"}<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>',
    ),
    "gpt-oss": (
        QUESTION,
        "<|channel|>analysis<|message|>We need to call get_weather.<|end|><|start|>assistant<|channel|>commentary "
        'to=functions.get_weather <|constrain|>json<|message|>{"city": "Bern", "unit": "celsius"}<|call|>',
    ),
}
#: How many lines of a prompt are shown.
SHOWN = 8

for model, (messages, answer) in ANSWERS.items():
    template = load(model)
    tools = [get_weather] if messages is QUESTION else None
    print(f"--- {model}")
    try:
        prompt = template.render(messages, tools=tools, add_generation_prompt=True)
    except RaisedError as refusal:
        # Some models were trained without a system message, and their templates say so.
        print(f"(refused: {refusal.message})")
        prompt = template.render(messages[1:], tools=tools, add_generation_prompt=True)
    lines = prompt.split("\n")
    print("\n".join(["(...)", *lines[-SHOWN:]] if len(lines) > SHOWN else lines))
    print("\nThe model writes:", *answer.split("\n"), sep="\n  | ")
    print("\nThat is:")
    message = template.parse(answer, prompt=prompt, tools=tools)
    for field in ("reasoning_content", "content"):
        if message.get(field):
            print(f"  {field}: {message[field]}")
    for call in message.get("tool_calls", []):
        function = call["function"]
        print(f"  tool call: {function['name']} {json.dumps(function['arguments'])}")
    print()
