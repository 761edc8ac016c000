"""ShareGPT's records: turns `from` someone with a `value`; calls and results are turns, tools JSON text, media tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..calls import json_text, text_of_calls
from ..chat import read_messages
from ..evidence import Evidence, Look
from ..example import Answer, Example, Message
from ..fields import VARIABLES, beside, example, opened, with_extras
from ..notes import Notes, wrong
from ..ordering import in_order
from ..roles import is_call
from ..texts import check_tags, cut, tagged

KINDS = frozenset({"conversation", "unpaired", "preference"})

NAMES = {"user": "human", "assistant": "gpt", "tool": "observation", "system": "system", "developer": "developer"}
LABEL = "kto_tag"
ANSWERS = ("chosen", "rejected")


def detect(look: Look) -> Evidence | None:
    """Turns with `from` and `value`."""
    fits = look.messages and all("from" in item for item in look.messages)
    return Evidence((look.key,), ("from and value",)) if fits else None


def read(record: Any, notes: Notes) -> Example:
    """The conversation, with a system prompt that stands beside it; a label or two answers, if there are any."""
    _, place, given, fields = opened(record, notes)
    turns = [_with_parts(turn, fields) for turn in given]
    answers = tuple(
        Answer(read_messages([_with_parts(fields[name], fields)], name, notes), name == ANSWERS[0])
        for name in ANSWERS
        if isinstance(fields.get(name), dict)
    )
    taken = [LABEL, *(ANSWERS if answers else ())]
    if len(answers) == 1:
        raise wrong("", "there is one of 'chosen' and 'rejected' without the other")
    messages = read_messages(turns, place, notes)
    label = fields.get(LABEL)
    if label is not None:
        if not isinstance(label, bool) or answers or messages[-1]["role"] != "assistant":
            raise wrong(LABEL, "a boolean that belongs to the assistant's last turn")
        *messages, last = messages
        answers = (Answer([last], label),)
    return example(messages, beside(fields, taken, notes), notes, answers=answers)


def _with_parts(turn: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """The turn with parts in place of tags, where the record has the media."""
    value = turn.get("value")
    return {**turn, "value": cut(value, record)} if isinstance(value, str) and not is_call(turn) else dict(turn)


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`conversations`, with `system`, `tools` and the columns of media beside them."""
    columns: dict[str, list[Any]] = {}
    messages = list(example.messages if example.kind == "preference" else example.turns)
    record: dict[str, Any] = {}
    if messages and messages[0]["role"] == "system" and set(messages[0]) == {"role", "content"}:
        system = tagged(messages.pop(0)["content"], "messages[0].content", columns, notes)
        record["system"] = system
    record = {"conversations": _turns(messages, "messages", columns, notes, len(record)), **record}
    if example.kind == "preference":
        for name, answer in zip(ANSWERS, (example.chosen, example.rejected), strict=True):
            said = _turns(answer.messages, name, columns, notes)
            if len(said) != 1:
                raise wrong(name, f"sharegpt has room for one turn, not for {len(said)}")
            record[name] = said[0]
    if example.kind == "unpaired":
        record[LABEL] = example.answers[0].label
    if example.tools is not None:
        record["tools"] = json_text([tool.get("function", tool) for tool in example.tools], "tools")
    if example.variables:
        record[VARIABLES] = example.variables
    check_tags(example.turns, columns)
    return with_extras({**record, **columns}, example, notes)


def _turns(
    messages: list[Message], place: str, columns: dict[str, list[Any]], notes: Notes, first: int = 0
) -> list[dict[str, Any]]:
    turns = []
    for index, message in enumerate(in_order(messages, place, notes), first):
        at = f"{place}[{index}]"
        rest = {key: value for key, value in message.items() if key not in ("role", "content", "tool_calls")}
        if rest.pop("tool_call_id", None) is not None:
            notes.add("left out", at, "ids of calls: the order says which result answers which")
        for key in ("from", "value"):
            if rest.pop(key, None) is not None:
                notes.lose(f"{at}.{key}", f"{key!r} says something else in this format")
        calls = message.get("tool_calls")
        if not calls or message.get("content"):
            value = tagged(message.get("content"), f"{at}.content", columns, notes)
            turns.append({"from": NAMES[message["role"]], "value": value, **rest})
            rest = {key: value for key, value in rest.items() if key == "weight"}
        if calls:
            turns.append({"from": "function_call", "value": text_of_calls(calls, at, notes), **rest})
    return turns
