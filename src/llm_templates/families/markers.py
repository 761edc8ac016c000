"""Control texts: what in a template or a prompt looks like a marker rather than like words."""

from __future__ import annotations

import re

#: The shapes that markers have, over all formats in use: tags of any kind, `[INST]`, `<<SYS>>`, `### Response:`, and a
#: role's name before a colon at the beginning of a line. No part of it can match in more than one way.
CONTROL = re.compile(
    r"<\|[^<>|\n]{1,40}\|>"  # <|im_start|>, <|start_header_id|>
    r"|<\|[^<>|\n\s]{1,40}>|<[^<>|\n\s]{1,40}\|>"  # <|turn>, <turn|>
    r"|<｜[^<>｜\n]{1,40}｜>"  # DeepSeek's wide bars
    r"|<<[^<>\n]{1,20}>>"  # <<SYS>>
    r"|</?[A-Za-z][^<>\n\s'\"{}()]{0,40}>"  # <think>, </tool_call>, <minimax:tool_call>
    r"|\[/?[A-Z_]{2,30}\]"  # [INST], [/TOOL_RESULTS]
    r"|\[\|[^\[\]|\n]{1,40}\|\]"  # [|endofturn|]
    r"|\][~!]?[a-z]\[|\[e~\["  # MiniMax
    r"|###? ?[A-Z][A-Za-z]{1,20}:?"  # ### Response:
    r"|(?m:^[A-Z][A-Za-z ]{1,20}:)"  # User:
)


def control_texts(text: str) -> list[str]:
    """The control texts in `text`, in their order.

    >>> control_texts("<|im_start|>user\\nHi<|im_end|>\\n")
    ['<|im_start|>', '<|im_end|>']
    """
    return [match[0] for match in CONTROL.finditer(text)]
