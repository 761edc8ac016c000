"""Overrides: what families say of outputs takes the place of what was derived, and finds the templates it is for."""

import copy

import pytest

from llm_templates import InputError, families
from llm_templates.grammar import overrides
from llm_templates.grammar.data import grammar_of
from llm_templates.grammar.grammar import Block, CallForm, Grammar, Header, Route
from llm_templates.grammar.overrides import find_table, with_overrides

WHY = "The template does not show it."
THINK, ANSWER = Block("<think>", "</think>"), Block("<answer>", "</answer>")
JSON, TAGS = CallForm("<call>{json}</call>"), CallForm("<call>{name}({arguments})</call>")
DERIVED = Grammar(
    reasoning=(THINK,),
    content=ANSWER,
    calls=(JSON, TAGS),
    stops=("</s>",),
    opener="Model:",
    ignored=("<pad>",),
    evidence={
        "reasoning[0].open": "a probe",
        "content": "a probe",
        "calls[0].call": "probe 'a call'",
        "calls[1].call": "probe 'two calls'",
        "stops": "a probe",
    },
)


def overridden(**table):
    return with_overrides(DERIVED, {"why": WHY, **table})


# What takes whose place


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("reasoning", [{"open": "[THINK]", "close": "[/THINK]"}]),
        ("content", {"open": "<response>", "close": "</response>"}),
        ("ignored", ["<|python_start|>"]),
    ],
)
def test_a_part_takes_the_place_of_the_derived_one(part, value):
    """A table's part is the grammar's, its reason the evidence, and everything else stays."""
    grammar = overridden(**{part: value})
    assert getattr(grammar, part) == getattr(grammar_of({part: value}), part)
    assert grammar.evidence[part] == f"override: {WHY}"
    assert not any(place.startswith(f"{part}[") for place in grammar.evidence)
    assert {key for key in Grammar._fields if getattr(grammar, key) != getattr(DERIVED, key)} == {part, "evidence"}


def test_an_empty_part_takes_the_derived_one_away():
    """A template that shows reasoning which no model writes has a table that says so."""
    grammar = overridden(reasoning=[])
    assert grammar.reasoning == ()
    assert not any("reasoning" in place for place in grammar.evidence)


def test_forms_of_calls_go_before_the_derived_ones():
    """The model's own form comes first, the history's stays accepted; evidence moves with its form."""
    grammar = overridden(calls=[{"call": "[CALL]{json}"}])
    assert grammar.calls == (CallForm("[CALL]{json}"), JSON, TAGS)
    assert grammar.evidence["calls[0]"] == f"override: {WHY}"
    assert grammar.evidence["calls[1].call"] == "probe 'a call'"
    assert grammar.evidence["calls[2].call"] == "probe 'two calls'"
    assert "calls[0].call" not in grammar.evidence


def test_a_form_that_was_derived_too_stands_once():
    """The same form twice would be tried twice."""
    grammar = overridden(calls=[{"call": TAGS.call}])
    assert grammar.calls == (TAGS, JSON)
    assert grammar.evidence["calls[0]"] == f"override: {WHY}"
    assert grammar.evidence["calls[1].call"] == "probe 'a call'"
    assert "calls[0].call" not in grammar.evidence


def test_a_header_takes_the_place_of_all_marks():
    """To probes, messages with headers look like wrapped text, so nothing stays of that."""
    header = {
        "begin": "<start>",
        "ends": ["<message>"],
        "closes": ["<end>"],
        "routes": [{"match": "a", "to": "reasoning"}],
    }
    grammar = overridden(header=header)
    assert grammar.header == Header("<start>", ("<message>",), ("<end>",), (Route("a", "reasoning"),))
    assert (grammar.reasoning, grammar.content, grammar.calls) == ((), None, ())
    assert grammar.evidence == {"header": f"override: {WHY}", "stops": "a probe"}
    assert overridden(header=header, calls=[{"call": JSON.call}]).calls == (JSON,)


def test_a_derived_grammar_is_never_changed():
    """Grammars are shared, so that an override makes a new one."""
    before = copy.deepcopy(DERIVED)
    overridden(reasoning=[], ignored=["a"], calls=[{"call": "{json}"}])
    assert before == DERIVED


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"stops": ["</s>"]}, "stops: there is no such key"),
        ({"markers": ["a"], "reason": "b"}, "reason: there is no such key"),
        ({"calls": [{"call": "{name}"}]}, "calls\\[0\\].call: it needs"),
        ({"like": "zefyr"}, "like: there is no family 'zefyr' with a table"),
        ({"like": "zephyr"}, "like: there is no family 'zephyr' with a table"),
        ({"like": 1}, "like: there is no family 1 with a table"),
    ],
)
def test_a_wrong_table_is_refused(table, said):
    """What a table cannot say, and whom it cannot follow, is an error."""
    with pytest.raises(InputError, match=said):
        with_overrides(DERIVED, table)


# Families that follow others


FOLLOWERS = [name for name in families.names() if "like" in families.get(name).response]
TABLES = [name for name in families.names() if families.get(name).response]


@pytest.mark.parametrize("name", FOLLOWERS)
def test_like_takes_the_table_of_another_family(name):
    """A family that is like another has its forms, with a reason of its own."""
    table = families.get(name).response
    other = families.get(table["like"]).response
    mine, theirs = with_overrides(Grammar(), table), with_overrides(Grammar(), other)
    same = [key for key in ("reasoning", "content", "calls", "header", "ignored") if key not in table]
    assert same
    assert all(getattr(mine, key) == getattr(theirs, key) for key in same)
    assert set(mine.evidence.values()) == {f"override: {table['why']}"}


def test_like_is_one_step_only():
    """Whoever follows a family that follows another is told which one to name."""
    with pytest.raises(InputError) as caught:
        with_overrides(Grammar(), {"like": FOLLOWERS[0]})
    assert caught.value.hint == f"name {families.get(FOLLOWERS[0]).response['like']}"


def test_what_a_table_says_goes_before_the_other_family():
    """A family may be like another but for one thing."""
    name = next(
        name
        for name in TABLES
        if "reasoning" in families.get(name).response and "like" not in families.get(name).response
    )
    grammar = with_overrides(Grammar(), {"why": WHY, "like": name, "reasoning": [{"open": "<a>", "close": "</a>"}]})
    assert grammar.reasoning == (Block("<a>", "</a>"),)
    assert grammar.calls == with_overrides(Grammar(), families.get(name).response).calls


# Whose table it is


@pytest.mark.parametrize("name", TABLES)
def test_a_family_has_its_own_table(name):
    """A template that is known to be a family's takes that one's, whatever markers it has."""
    assert find_table(name, "") is families.get(name).response


@pytest.mark.parametrize("name", [name for name in TABLES if families.get(name).response.get("markers")])
def test_markers_tell_templates_of_the_family(name):
    """The family's own templates have the markers by which variants of them are told, and find what they say."""
    family = families.get(name)
    sources = [family.template, *family.variants.values()]
    marked = [text for text in sources if all(marker in text for marker in family.response["markers"])]
    assert marked
    for text in marked:
        table = find_table(None, text)
        assert with_overrides(Grammar(), table).calls == with_overrides(Grammar(), family.response).calls


def test_a_template_without_markers_has_no_table():
    """Most formats show all there is to them."""
    assert find_table(None, "{% for m in messages %}{{ m.content }}{% endfor %}") is None
    assert find_table("zephyr", families.get("zephyr").template) is None
    assert find_table("no-such-family", "") is None


def shelve(monkeypatch, **shelf):
    """Have other families: for each name its template and its table."""
    monkeypatch.setattr(overrides, "_marked", lambda: tuple((name, table) for name, (_, table) in shelf.items()))
    monkeypatch.setattr(overrides, "_family_texts", lambda name: overrides._control_texts(shelf[name][0]))


def test_the_most_markers_win(monkeypatch):
    """A table for something special goes before the one for the general format, then longer markers before shorter."""
    general, special, longer = {"markers": ["<a>"]}, {"markers": ["<a>", "<b>"]}, {"markers": ["<a>", "<bb>"]}
    shelve(monkeypatch, one=("", general), two=("", special), three=("", longer))
    assert find_table(None, "<a>") is general
    assert find_table(None, "<a> <b>") is special
    assert find_table(None, "<a> <b> <bb>") is longer


def test_a_tie_goes_to_the_family_with_the_same_control_texts(monkeypatch):
    """Two formats with the same markers are told apart by everything else they write."""
    one, two = {"markers": ["[CALL]"], "why": "1"}, {"markers": ["[CALL]"], "why": "2"}
    shelve(monkeypatch, one=("<|user|>[CALL]", one), two=("[INST][/INST][CALL]", two))
    assert find_table(None, "{{ '[INST]' + x + '[/INST]' + '[CALL]' }}") is two
    assert find_table(None, "{{ '<|user|>' + '[CALL]' }}") is one
    assert find_table(None, "[CALL]") is one
