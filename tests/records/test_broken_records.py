"""Golden records with something broken in them: an InputError at most, and what comes of them can be read again."""

import copy
import json
import random
from pathlib import Path

import pytest

from llm_templates import InputError
from llm_templates.records import FORMATS, convert

CASES = [
    json.loads(path.read_text(encoding="utf-8")) for path in sorted((Path(__file__).parent / "golden").glob("*/*.json"))
]
ODD = (
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "x",
    "{}",
    "[]",
    "user",
    "tool",
    "tool_call",
    [],
    {},
    [1],
    ["a"],
    [None],
    [{}],
    [[]],
    "null",
)
KEYS = (
    "role",
    "content",
    "type",
    "text",
    "weight",
    "id",
    "value",
    "tool_calls",
    "name",
    "images",
    "label",
    "system",
    "source",
)


def paths(value, path=()):
    """Where everything within a value is."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from paths(item, (*path, key))


def broken(record, chance):
    """The record with one thing removed, doubled, added or replaced."""
    made = copy.deepcopy(record)
    *above, key = chance.choice(list(paths(made))[1:] or [("",)])
    holder = made
    for step in above:
        holder = holder[step]
    way = chance.choice(("remove", "double", "add", "replace", "replace"))
    if not isinstance(holder, list | dict):
        return copy.deepcopy(chance.choice(ODD))
    if way == "remove":
        del holder[key]
    elif way == "double" and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    elif way == "add" and isinstance(holder, dict):
        holder[chance.choice(KEYS)] = copy.deepcopy(chance.choice(ODD))
    else:
        holder[key] = copy.deepcopy(chance.choice(ODD))
    return made


def text(record):
    """A record as text, in which NaN is like NaN, and the order of keys is one."""
    return json.dumps(record, sort_keys=True)


@pytest.mark.parametrize("seed", range(4))
def test_a_broken_record_is_an_input_error_at_most(seed):
    """To any format, with its format named or not; what was given stays as it was."""
    chance = random.Random(seed)
    for _ in range(500):
        case = chance.choice(CASES)
        record = broken(case["input"], chance)
        before = repr(record)
        source = chance.choice((None, case.get("source")))
        try:
            convert(record, to=chance.choice(list(FORMATS)), source=source, strict=chance.random() < 0.5)
        except InputError as error:
            assert error.message
        assert repr(record) == before


@pytest.mark.parametrize("seed", range(2))
def test_what_comes_of_a_broken_record_is_a_record(seed):
    """A record that could be read becomes one that is read again without an error, and as the same."""
    chance = random.Random(seed)
    for _ in range(500):
        try:
            made = convert(broken(chance.choice(CASES)["input"], chance)).record
        except InputError:
            continue
        assert text(convert(made, source="openai").record) == text(made)
