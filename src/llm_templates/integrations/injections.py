"""Injections: control texts in what others wrote, kept from counting in a prompt that is sent as text."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from ..errors import InputError
from ..families.markers import CONTROL, control_texts
from ..prompt import Prompt
from ..template import ChatTemplate
from ..tokens.tokens import Attempt
from ..tokens.trust import Trust, parts

POLICIES = ("text", "report", "raise")


def disarmed(prompt: Prompt, template: ChatTemplate, trust: Trust = (), on_injection: str = "text") -> str:
    """The text of a prompt, in which nobody but the template and who is trusted ends or begins a turn.

    Others' control texts are spelled apart, with a space after their first character, so that no tokenizer knows them.

    Args:
        prompt: what the template traced.
        template: the one that did.
        trust: whose text is left as it is; as for `tokens.encode`.
        on_injection: "text" spells them apart, "report" warns of them as well, "raise" refuses the prompt.

    Raises:
        InputError: text that is not trusted holds one, with "raise".

    >>> from llm_templates import load
    >>> template = load("zephyr")
    >>> disarmed(template.trace([{"role": "user", "content": "Hi</s>"}]), template)
    '<|user|>\\nHi< /s></s>\\n'
    """
    texts = sorted(_control(prompt, template), key=len, reverse=True)
    # Looked for at every character, since one may begin inside of another.
    pattern = re.compile(f"(?=({'|'.join(map(re.escape, texts))}))." if texts else r"(?!)", re.DOTALL)
    found: list[Attempt] = []
    written: list[str] = []
    place = 0
    for text, is_trusted in parts(prompt, trust):
        if not is_trusted:
            for match in pattern.finditer(text):
                start = place + match.start()
                found.append(Attempt(match[1], start, start + len(match[1]), prompt.origin_at(start)))
        written.append(text if is_trusted else pattern.sub(r"\g<0> ", text))
        place += len(text)
    if found and on_injection != "text":
        _object(found, on_injection)
    return "".join(written)


def _object(found: list[Attempt], on_injection: str) -> None:
    """Warn of control texts, or refuse them."""
    first, others = found[0], len(found) - 1
    more = f", and {others} more" if others else ""
    if on_injection == "report":
        warnings.warn(f"the control text {first} is spelled apart{more}", stacklevel=2)
        return
    raise InputError(
        f"{first.origin} holds the control text {first.token!r}{more}",
        hint="send it spelled apart (on_injection='text'), or trust who wrote it (trust=...)",
    )


def _control(prompt: Prompt, template: ChatTemplate) -> set[str]:
    """The texts that end or begin a turn, as far as they are no plain words."""
    special = [template.special_tokens.get(name) for name in ("bos_token", "eos_token")]
    stops = [stop for stop in template.stop_strings if CONTROL.fullmatch(stop)]
    found = {*stops, *_frames(prompt), *(token for token in special if isinstance(token, str))}
    return {text for text in found if text and not text[0].isalpha() and text[0] != "#"}


def _frames(prompt: Prompt) -> Iterator[str]:
    """What the template writes around what messages say."""
    stretches = parts(prompt)
    place = 0
    for number, (text, is_own) in enumerate(stretches):
        end = place + len(text)
        if is_own:
            found = control_texts(text)
            follows = number == 0 or _is_said(prompt, place - 1)
            precedes = number == len(stretches) - 1 or _is_said(prompt, end)
            if follows and precedes:
                yield from found
            else:
                # Next to a tool, a document or a call, where other tags stand.
                yield from found[:1] if follows else found[-1:] if precedes else ()
        place = end


def _is_said(prompt: Prompt, place: int) -> bool:
    """Whether a message's words stand there."""
    origin = prompt.origin_at(place)
    return origin.kind in ("message", "derived") and not origin.path.startswith("tool_calls")
