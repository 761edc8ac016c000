"""Records of ms-swift: messages with calls and results as turns of their own, a rejected response beside them."""

from __future__ import annotations

from typing import Any

from ..calls import text_of_calls
from ..chat import read_messages
from ..evidence import Evidence, Look, by_messages
from ..example import Answer, Example, Message
from ..fields import VARIABLES, beside, example, opened, with_extras
from ..notes import Notes, wrong
from ..ordering import in_order
from ..roles import is_call
from ..texts import check_tags, cut, tagged

KINDS = frozenset({"conversation", "unpaired", "preference"})

REJECTED = "rejected_response"
ROLES = {"tool": "tool_response"}
SIGNS = {"tool_call": lambda item: item.get("role") in ("tool_call", "tool_response")}


def detect(look: Look) -> Evidence | None:
    """A rejected response, or turns of tools by the names that are used here."""
    if not look.key or not all("role" in item for item in look.messages):
        return None
    if REJECTED in look.fields:
        return Evidence((look.key, REJECTED), (REJECTED,))
    return by_messages(look, SIGNS)


def read(record: Any, notes: Notes) -> Example:
    """The conversation; with a rejected response, its last turn is the chosen one."""
    _, place, given, fields = opened(record, notes)
    turns = [
        {**turn, "content": cut(turn["content"], fields)}
        if isinstance(turn.get("content"), str) and not is_call(turn)
        else turn
        for turn in given
    ]
    messages = read_messages(turns, place, notes)
    rejected = fields.get(REJECTED)
    label = fields.get("label") if rejected is None else None
    around = beside(fields, (REJECTED, *(("label",) if label is not None else ())), notes)
    if rejected is None and label is None:
        return example(messages, around, notes)
    if messages[-1]["role"] != "assistant":
        raise wrong(place, "the last message is not the assistant's, and so there is no answer to compare")
    *prompt, last = messages
    if rejected is None:
        if not isinstance(label, bool):
            raise wrong("label", f"whether the answer is good is true or false, not {label!r}")
        return example(prompt, around, notes, answers=(Answer([last], label),))
    if not isinstance(rejected, str):
        raise wrong(REJECTED, f"it is text, not {type(rejected).__name__}")
    other: Message = {"role": "assistant", "content": rejected}
    return example(prompt, around, notes, answers=(Answer([last], True), Answer([other], False)))


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`messages`, with `rejected_response` or `label` beside them."""
    columns: dict[str, list[Any]] = {}
    said = [*example.messages, *example.chosen.messages] if example.kind == "preference" else example.turns
    record: dict[str, Any] = {"messages": _turns(said, columns, notes)}
    if example.kind == "preference":
        rejected = example.rejected.messages
        if len(rejected) != 1 or not isinstance(rejected[0].get("content"), str) or "tool_calls" in rejected[0]:
            raise wrong("rejected", "swift has room for one text, and nothing else")
        record[REJECTED] = rejected[0]["content"]
    if example.kind == "unpaired":
        record["label"] = example.answers[0].label
    if example.tools is not None:
        record["tools"] = example.tools
    if example.variables:
        record[VARIABLES] = example.variables
    check_tags(example.turns, columns)
    return with_extras({**record, **columns}, example, notes)


def _turns(messages: list[Message], columns: dict[str, list[Any]], notes: Notes) -> list[Message]:
    turns = []
    for index, message in enumerate(in_order(messages, "messages", notes)):
        at = f"messages[{index}]"
        rest = {key: value for key, value in message.items() if key not in ("role", "content", "tool_calls")}
        if rest.pop("tool_call_id", None) is not None:
            notes.add("left out", at, "ids of calls: the order says which result answers which")
        if "weight" in rest:
            rest["loss"] = bool(rest["weight"])
            if rest["loss"] != rest.pop("weight"):
                notes.lose(f"{at}.weight", "swift has no weights but true and false")
        calls = message.get("tool_calls", [])
        if message.get("content") or not calls:
            text = tagged(message.get("content"), f"{at}.content", columns, notes)
            turns.append({"role": ROLES.get(message["role"], message["role"]), "content": text, **rest})
            rest = {key: value for key, value in rest.items() if key == "loss"}
        for one in calls:
            turns.append({"role": "tool_call", "content": text_of_calls([one], at, notes), **rest})
            rest = {key: value for key, value in rest.items() if key == "loss"}
    return turns
