"""The names by which data sets say what a message weighs in training, as one: `weight`."""

from __future__ import annotations

from typing import Any

from ..masking import WEIGHT_KEYS
from .notes import Notes, wrong

#: Marks on stretches of a message's text, which no single number can say.
DETAILED = ("train_detail", "training_detail")
#: Every name of a mark on a message.
NAMES = frozenset({*WEIGHT_KEYS, *DETAILED})
#: Lists of weights beside the messages, one for each.
LISTED = ("loss_mask", "loss_weights")


def take_weight(fields: dict[str, Any], place: str, notes: Notes) -> dict[str, Any]:
    """The fields with everything they say about their weight under `weight`, a number.

    Raises:
        InputError: what is said is no weight, or two fields disagree.

    >>> take_weight({"role": "assistant", "content": "Hi", "train": False}, "messages[1]", Notes())
    {'role': 'assistant', 'content': 'Hi', 'weight': 0}
    """
    if fields.keys().isdisjoint(NAMES):
        return fields
    for key in DETAILED:
        if key in fields:
            notes.add("kept", f"{place}.{key}", "weights of stretches of a text stay as they are")
    said = {key: _weight(fields[key], counts, f"{place}.{key}") for key, counts in WEIGHT_KEYS.items() if key in fields}
    if not said:
        return fields
    if len(set(said.values())) > 1:
        raise wrong(place, f"it says two things about its weight: {said}", "keep one of these keys")
    for key in said:
        if key != "weight":
            notes.add("renamed", f"{place}.{key}", f"{key!r} is 'weight'")
    rest = {key: value for key, value in fields.items() if key not in WEIGHT_KEYS}
    return {**rest, "weight": next(iter(said.values()))}


def _weight(value: Any, counts: bool, place: str) -> int | float:
    if isinstance(value, bool):
        return int(value is counts)
    if isinstance(value, int | float) and value == value:
        return value if counts else int(not value)
    raise wrong(place, f"{value!r} is no weight", "give a number or a boolean")


def spread(fields: dict[str, Any], items: list[Any], notes: Notes) -> tuple[dict[str, Any], list[Any]]:
    """The fields without a list of weights that stands beside the messages, and the messages with these.

    Raises:
        InputError: it has another length than the messages.
    """
    for key in LISTED:
        listed = fields.get(key)
        if not isinstance(listed, list):
            continue
        if len(listed) != len(items):
            raise wrong(
                key,
                f"{len(listed)} weights for {len(items)} messages",
                "give each message its own 'weight': a list beside them goes wrong where messages are merged or split",
            )
        notes.add("renamed", key, "a list of weights is a 'weight' in each message")
        weighed = zip(items, listed, strict=True)
        items = [item if weight is None else {**item, "loss_weight": weight} for item, weight in weighed]
        fields = {name: value for name, value in fields.items() if name != key}
    return fields, items
