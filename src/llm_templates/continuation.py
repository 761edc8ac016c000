"""`continue_final_message`: a prompt that ends inside the last message, with the reference's results and refusals."""

from __future__ import annotations

from typing import Any

from .engine import Border
from .errors import InputError
from .lowering import REASONING_KEYS, normal_message

#: What the reference appends to the text it continues and looks for in the output. Its trailing blank tells whether the
#: template strips. Equal results need the same mark.
MARK = "CONTINUE_FINAL_MESSAGE_TAG "


class Continuation:
    """The last message with its text marked, and the cut of the rendered text at that mark."""

    __slots__ = ("_text", "message")

    def __init__(self, final: dict[Any, Any], field: bool | str, source: str) -> None:
        name = field if isinstance(field, str) else "content"
        message = normal_message(final)
        text = Border().lower(message.get(name))
        if text is None:
            raise InputError(
                f"continue_final_message is set but the final message has no {name!r} to continue",
                hint="the last message must be the beginning of the answer",
            )
        fields = [name]
        if name in REASONING_KEYS:
            fields = [key for key in REASONING_KEYS if message.get(key) == message[name]]
        if not any(key in source for key in fields):
            raise InputError(f"continue_final_message is set to {name!r}, which the template never reads")
        if isinstance(text, list | tuple):
            text, marked = _mark_part(text)
            message[name] = marked
        elif isinstance(text, str):
            for key in fields:
                message[key] = text + MARK
        else:
            raise InputError(f"the final message's {name!r} is a {type(text).__name__}, which has no text to continue")
        #: The final message to render.
        self.message = message
        self._text: str = text

    def cut(self, rendered: str) -> str:
        """`rendered` up to the end of the text to continue."""
        text, mark = self._text.strip(), MARK.strip()
        if text not in rendered or mark not in rendered:
            raise InputError(
                "continue_final_message is set but the final message does not appear in the prompt as it is",
                hint="the template drops or rewrites parts of the last message",
            )
        at = rendered.rindex(mark)
        if rendered.startswith(MARK, at):
            return rendered[:at]
        return rendered[:at].rstrip()


def _mark_part(parts: Any) -> tuple[str, Any]:
    """The last part's text, and the parts with it marked."""
    marked = list(parts)
    for index in reversed(range(len(marked))):
        part = Border().lower(marked[index])
        if isinstance(part, str) and "text" in part:
            raise InputError(f"part {index} of the final message is text, not a mapping with a 'text'")
        if isinstance(part, dict) and "text" in part:
            text = Border().lower(part["text"])
            if not isinstance(text, str):
                raise InputError(f"the 'text' of part {index} of the final message is a {type(text).__name__}")
            marked[index] = {**part, "text": text + MARK}
            return text, type(parts)(marked) if type(parts) is tuple else marked
    raise InputError("continue_final_message is set but the final message has no text part to continue")
