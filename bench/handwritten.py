"""Two formats as a good engineer would write them by hand, and as templates: the least any engine can cost."""

from __future__ import annotations

from .subjects import Message

#: ChatML as its many users write it.
CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

#: Llama 3 in the shape of the published template.
LLAMA3 = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}"
    "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
    "+ message['content'] | trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)

LLAMA3_TOKENS = {"bos_token": "<|begin_of_text|>"}


def chatml(messages: list[Message], add_generation_prompt: bool = True) -> str:
    """What `CHATML` renders."""
    text = "".join([f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages])
    return text + "<|im_start|>assistant\n" if add_generation_prompt else text


def llama3(messages: list[Message], add_generation_prompt: bool = True) -> str:
    """What `LLAMA3` renders."""
    text = "<|begin_of_text|>" + "".join(
        [f"<|start_header_id|>{m['role']}<|end_header_id|>\n\n{m['content'].strip()}<|eot_id|>" for m in messages]
    )
    return text + "<|start_header_id|>assistant<|end_header_id|>\n\n" if add_generation_prompt else text
