"""Laws of every conversion: nothing of the caller's is changed or shared, a second one changes nothing, any can travel."""

import copy
import json
import pickle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_templates import InputError
from llm_templates.records import FORMATS, convert
from llm_templates.records.notes import Notes
from llm_templates.records.roles import SPEAKERS, has_words_alone

from .strategies import examples
from .test_broken_records import CASES
from .test_round_trips import CARRIED

FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
KINDS = [(name, kind) for name, (_, kinds) in CARRIED.items() for kind in kinds]


def containers(value):
    """Every list and object within a value, itself included."""
    if isinstance(value, dict | list):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from containers(item)


def conversions(record, **options):
    """What a record becomes in each format that has a form for it."""
    for target in FORMATS:
        try:
            yield target, convert(record, to=target, **options)
        except InputError as error:
            assert error.message


def assert_lawful(record, **options):
    """A record keeps its own, and what it becomes is new, stays what it is when it is converted again, and travels.

    The number of formats that it has been converted to.
    """
    before = copy.deepcopy(record)
    own = {id(part) for part in containers(record)}
    count = 0
    for target, conversion in conversions(record, **options):
        count += 1
        made = [id(part) for part in containers(conversion.record)]
        assert own.isdisjoint(made), target
        assert len(set(made)) == len(made), target
        assert convert(conversion.record, to=target).record == conversion.record, target
        assert convert(conversion.record, to=target, source=target).record == conversion.record, target
        assert pickle.loads(pickle.dumps(conversion)) == conversion
        assert json.loads(json.dumps(conversion.record)) == conversion.record
    assert record == before
    return count


@pytest.mark.parametrize(("name", "kind"), KINDS)
@FEW
@given(data=st.data())
def test_records_of_every_format(name, kind, data):
    """From each format to each other one."""
    example = data.draw(examples(CARRIED[name][0], kind))
    record = json.loads(json.dumps(FORMATS[name].write(example, Notes(strict=False))))
    assert assert_lawful(record, source=name, strict=data.draw(st.booleans()))


@pytest.mark.parametrize("index", range(len(CASES)))
def test_recorded_records(index):
    """The golden ones, with what they lose and without."""
    case = CASES[index]
    options = {name: value for name, value in case.get("options", {}).items() if name == "source"}
    counts = [assert_lawful(case["input"], strict=strict, **options) for strict in (True, False)]
    assert counts[0] <= counts[1]
    assert "record" not in case or counts[1]


@FEW
@given(st.lists(st.tuples(st.sampled_from(SPEAKERS), st.text()), min_size=1, max_size=5))
def test_messages_of_words_alone_are_what_they_become(said):
    """Role and text in a message, and nothing beside the messages: there is nothing to convert, and nothing to say."""
    record = {"messages": [{"role": role, "content": text} for role, text in said]}
    assert all(map(has_words_alone, record["messages"]))
    for target in ("openai", "trl"):
        conversion = convert(record, to=target)
        assert conversion == (record, "openai", ())
        assert conversion.record["messages"] is not record["messages"]
