"""One conversation, rendered for several models: what `make run` shows."""

from llm_templates import RaisedError, load

MESSAGES = [
    {"role": "system", "content": "You are a terse assistant."},
    {"role": "user", "content": "What is the tallest mountain on Earth?"},
    {"role": "assistant", "content": "Mount Everest, 8,849 m."},
    {"role": "user", "content": "And the second?"},
]

for model in ("chatml", "zephyr", "llama2", "mistral", "gemma"):
    template = load(model)
    print(f"--- {model}")
    try:
        print(template.render(MESSAGES, add_generation_prompt=True))
    except RaisedError as refusal:
        # Some models were trained without a system message, and their templates say so.
        print(f"(refused: {refusal.message})")
        print(template.render(MESSAGES[1:], add_generation_prompt=True))
    print()
