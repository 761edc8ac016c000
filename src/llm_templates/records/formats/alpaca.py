"""Records of instruction, input and output, with earlier turns in `history`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..evidence import Evidence, Look, by_fields
from ..example import Answer, Example, Message
from ..fields import as_object, beside, example, with_extras
from ..notes import Notes, wrong
from ..texts import check_tags, cut, tagged
from ..writing import leave_head, refuse_roles, words_only

KINDS = frozenset({"completion", "conversation", "unpaired", "preference"})

OWN = ("instruction", "input", "output", "system", "history", "chosen", "rejected", "kto_tag")
NAME = __name__.rpartition(".")[2]


def detect(look: Look) -> Evidence | None:
    """An instruction with an output, or with two to choose from."""
    if not isinstance(look.fields.get("instruction"), str):
        return None
    evidence = by_fields(look.fields, ("instruction", "input", "output", "chosen", "rejected"))
    return evidence if len(evidence.fields) > 1 else None


def read(record: Any, notes: Notes) -> Example:
    """Instruction and input as the user's message, the output as the answer to it."""
    record = as_object(record)
    messages: list[Message] = []
    if system := _text(record, "system"):
        messages.append({"role": "system", "content": system})
    for index, turn in enumerate(_history(record)):
        if not isinstance(turn, list) or len(turn) != 2 or not all(isinstance(text, str) for text in turn):
            raise wrong(f"history[{index}]", "a turn is a list of two texts, what was asked and what was answered")
        messages.append({"role": "user", "content": cut(turn[0], record)})
        messages.append({"role": "assistant", "content": turn[1]})
    instruction, given = _text(record, "instruction"), _text(record, "input")
    if instruction and given:
        notes.add("assumed", "input", "the input follows the instruction on a line of its own")
    asked = "\n".join(filter(None, (instruction, given)))
    messages.append({"role": "user", "content": cut(asked, record)})
    answers = _answers(record)
    around = beside(record, OWN, notes)
    if not answers or answers[0].label is not None:
        return example(messages, around, notes, answers=answers)
    # Earlier answers are trained on like the last: it is a conversation, not a prompt and its completion.
    return example(messages + answers[0].messages, around, notes)


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key, "")
    if not isinstance(value, str):
        raise wrong(key, f"it is text, not {type(value).__name__}")
    return value


def _history(record: Mapping[str, Any]) -> list[Any]:
    history = record.get("history", [])
    if not isinstance(history, list):
        raise wrong("history", f"it is a list of turns, not {type(history).__name__}")
    return history


def _answers(record: Mapping[str, Any]) -> tuple[Answer, ...]:
    compared = [key for key in ("chosen", "rejected") if key in record]
    if compared and "output" in record:
        raise wrong("output", "there are an output and two to choose from", "keep one of these")
    if len(compared) == 1:
        raise wrong(compared[0], "there is one of 'chosen' and 'rejected' without the other")
    label = record.get("kto_tag")
    if label is not None and "output" not in record:
        raise wrong("kto_tag", "there is no output that it could label")
    if compared:
        return tuple(Answer([_answer(record, key)], key == "chosen") for key in compared)
    if "output" not in record:
        return ()
    if label is not None and not isinstance(label, bool):
        raise wrong("kto_tag", "it is a boolean")
    return (Answer([_answer(record, "output")], label),)


def _answer(record: Mapping[str, Any], key: str) -> Message:
    return {"role": "assistant", "content": _text(record, key)}


def write(example: Example, notes: Notes) -> dict[str, Any]:
    """`instruction` is the user's last message, `output` what follows it, `history` what precedes it."""
    leave_head(example, NAME, notes)
    columns: dict[str, list[Any]] = {}
    messages = list(example.messages)
    answers = {}
    if example.kind == "preference":
        answers = {"chosen": example.chosen.messages, "rejected": example.rejected.messages}
    elif example.answers:
        answers["output"] = example.answers[0].messages
    elif messages and messages[-1]["role"] == "assistant":
        answers["output"] = [messages.pop()]
    if not messages or messages[-1]["role"] != "user":
        raise wrong("messages", "the last message before the answer is not the user's, and nothing else can instruct")
    record: dict[str, Any] = {
        "instruction": _said(messages.pop(), f"messages[{len(messages)}]", columns, notes),
        "input": "",
    }
    if messages and messages[0]["role"] == "system":
        record["system"] = _said(messages.pop(0), "messages[0]", columns, notes)
    for key, said in answers.items():
        if len(said) != 1:
            raise wrong(key, f"an answer is one message here, not {len(said)}")
        record[key] = _said(
            said[0], key if example.answers else f"messages[{len(example.messages) - 1}]", columns, notes
        )
    if example.kind == "unpaired":
        record["kto_tag"] = example.answers[0].label
    if messages:
        record["history"] = _pairs(messages, example.kind, columns, notes)
    check_tags(example.turns, columns)
    return with_extras({**record, **columns}, example, notes)


def _pairs(messages: list[Message], kind: str, columns: dict[str, list[Any]], notes: Notes) -> list[list[str]]:
    roles = [message["role"] for message in messages]
    if roles != ["user", "assistant"] * (len(roles) // 2):
        raise wrong("messages", f"history is what the user and the assistant said in turn, not {', '.join(roles)}")
    if kind == "completion":
        notes.add("assumed", "history", "earlier answers may be trained on: that is up to the trainer")
    said = [_said(message, f"messages[{index}]", columns, notes) for index, message in enumerate(messages)]
    return [said[index : index + 2] for index in range(0, len(said), 2)]


def _said(message: Message, at: str, columns: dict[str, list[Any]], notes: Notes) -> str:
    refuse_roles(message, at, ("system", "user", "assistant"), NAME)
    words_only(message, at, NAME, notes)
    return tagged(message.get("content"), f"{at}.content", columns, notes)
