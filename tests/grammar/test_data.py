"""Grammars as tables and as TOML: what is written reads back, and what is wrong is refused with its place."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_templates import InputError, families
from llm_templates.grammar.data import DIALECTS, from_toml, grammar_of, table_of, to_toml
from llm_templates.grammar.grammar import Block, CallForm, Grammar, Header, Keys, Route
from llm_templates.grammar.layout import escaped

CODER = Grammar(
    reasoning=(Block("<think>\n", "\n</think>\n\n"),),
    calls=(
        CallForm(
            "<tool_call>\n<function={name}>\n{arguments}</function>\n</tool_call>",
            between="\n",
            arguments="tagged",
            argument="<parameter={key}>\n{value}\n</parameter>\n",
        ),
    ),
    stops=("<|im_end|>",),
    opener="<|im_start|>assistant\n",
    evidence={"calls[0].call": "probe 'a call'"},
)
CODER_TOML = r"""opener = "<|im_start|>assistant\n"
stops = ["<|im_end|>"]

[[reasoning]]
open = "<think>\n"
close = "\n</think>\n\n"

[[calls]]
call = "<tool_call>\n<function={name}>\n{arguments}</function>\n</tool_call>"
between = "\n"
arguments = "tagged"
argument = "<parameter={key}>\n{value}\n</parameter>\n"

[evidence]
"calls[0].call" = "probe 'a call'"
"""
HARMONY = Grammar(
    header=Header(
        "<|start|>assistant",
        ("<|message|>",),
        ("<|end|>", "<|call|>"),
        (Route("to=functions.{name}", "arguments"), Route("<|channel|>final", "content")),
    )
)
HARMONY_TOML = r"""[header]
begin = "<|start|>assistant"
ends = ["<|message|>"]
closes = ["<|end|>", "<|call|>"]
routes = [
    { match = "to=functions.{name}", to = "arguments" },
    { match = "<|channel|>final", to = "content" },
]
"""

# Any grammar

TEXTS = st.text(max_size=12)
MARKS = st.text(min_size=1, max_size=12)
WORDS = st.text(string.ascii_letters + "<>|[]/", min_size=1, max_size=8)
BLOCKS = st.builds(Block, MARKS, TEXTS) | st.builds(Block, TEXTS, MARKS)
KEYS = st.builds(Keys, TEXTS, MARKS, TEXTS) | st.builds(Keys, st.just(""), TEXTS, TEXTS)
TYPES = st.dictionaries(TEXTS, st.sampled_from(["string", "json"]), min_size=1, max_size=3)


def layouts(*fields):
    """Layouts with these fields in this order, and literal text around each."""
    literals = st.lists(WORDS, min_size=len(fields) + 1, max_size=len(fields) + 1)
    return literals.map(
        lambda texts: "".join(escaped(text) + f"{{{field}}}" for text, field in zip(texts, fields, strict=False))
    )


@st.composite
def call_forms(draw):
    """Forms of calls in any dialect, each with what that needs."""
    dialect = draw(st.sampled_from(DIALECTS))
    is_json = dialect not in ("tagged", "nested") and draw(st.booleans())
    options = {"quote": draw(TEXTS)} if dialect == "loose" else {}
    if dialect in ("tagged", "nested"):
        is_typed = draw(st.booleans())
        options["argument"] = draw(layouts("key", "type", "value") if is_typed else layouts("key", "value"))
        options["types"] = draw(TYPES) if is_typed else {}
        options["quoted"] = dialect == "tagged" and draw(st.booleans())
    return CallForm(
        draw(layouts("json") if is_json else layouts("id", "name", "arguments")),
        *(draw(TEXTS), draw(TEXTS), draw(TEXTS), dialect),
        keys=draw(KEYS),
        **options,
    )


ROUTES = st.builds(Route, layouts("name"), st.sampled_from(["arguments", "calls"])) | st.builds(
    Route, MARKS.map(escaped), st.sampled_from(["reasoning", "content", "calls", "nothing"])
)
SOME = st.lists(MARKS, max_size=3).map(tuple)
HEADERS = st.builds(
    Header, TEXTS, st.lists(MARKS, min_size=1, max_size=3).map(tuple), SOME, st.lists(ROUTES, max_size=3).map(tuple)
)
GRAMMARS = st.builds(
    Grammar,
    reasoning=st.lists(BLOCKS, max_size=2).map(tuple),
    content=st.none() | BLOCKS,
    calls=st.lists(call_forms(), max_size=2).map(tuple),
    header=st.none() | HEADERS,
    stops=SOME,
    opener=TEXTS,
    prompt=TEXTS,
    ignored=SOME,
    evidence=st.dictionaries(TEXTS, TEXTS, max_size=3),
)


@given(GRAMMARS)
def test_every_grammar_reads_back_from_its_table(grammar):
    """A table says all of a grammar."""
    assert grammar_of(table_of(grammar)) == grammar


@given(GRAMMARS)
def test_every_grammar_reads_back_from_its_toml(grammar):
    """TOML says all of a grammar, whatever characters its texts have."""
    assert from_toml(to_toml(grammar)) == grammar


@pytest.mark.parametrize("name", [name for name in families.names() if families.get(name).response])
def test_the_tables_of_families_are_grammars(name):
    """What families say of outputs is understood, and nothing of it is lost."""
    table = {key: part for key, part in families.get(name).response.items() if key not in ("why", "markers", "like")}
    grammar = grammar_of(table)
    assert from_toml(to_toml(grammar)) == grammar
    assert {key for key, part in table.items() if part} == table_of(grammar).keys()


# What is written


@pytest.mark.parametrize(("grammar", "text"), [(CODER, CODER_TOML), (HARMONY, HARMONY_TOML)], ids=["calls", "header"])
def test_toml_is_written_as_one_would_write_it(grammar, text):
    """One layout a line, escapes in place of line breaks, and nothing that is the default."""
    assert to_toml(grammar) == text
    assert from_toml(text) == grammar


def test_a_table_has_no_defaults():
    """What is not said does not stand there, except a name that is itself the key."""
    assert table_of(Grammar()) == {}
    form = CallForm("{json}", keys=Keys(name=""))
    assert table_of(Grammar(calls=(form,))) == {"calls": [{"call": "{json}", "keys": {"name": ""}}]}


def test_marks_are_written_in_their_order():
    """The marks of a call stand as they follow each other in the output."""
    form = CallForm("<c>{json}</c>", begin="<cs>", end="</cs>", between=",")
    assert list(table_of(Grammar(calls=(form,)))["calls"][0]) == ["begin", "call", "between", "end"]


# What is wrong

CALL = {"call": "<f>{name}{arguments}</f>"}
TAGGED = {**CALL, "arguments": "tagged", "argument": "<{key}>{value}</>"}
HEADER = {"begin": "<|start|>", "ends": ["<|message|>"], "closes": [], "routes": []}
WRONG = [
    ({"call": []}, "call: there is no such key"),
    ({"calls": CALL}, "calls: expected a list, not dict"),
    ({"calls": ["{json}"]}, "calls[0]: expected a table, not str"),
    ({"calls": [{}]}, "calls[0].call is missing"),
    ({"calls": [{"call": 1}]}, "calls[0].call: expected text, not int"),
    ({"calls": [{"call": "<f>"}]}, "calls[0].call: it needs {json}"),
    ({"calls": [{"call": "{name}"}]}, "calls[0].call: it needs {json}"),
    ({"calls": [{"call": "{arguments}"}]}, "calls[0].call: it needs {json}"),
    ({"calls": [{"call": "{json}{"}]}, "calls[0].call: the layout '{json}{' has a brace that is no field"),
    ({"calls": [{"call": "{key}"}]}, "calls[0].call: there is no field {key} here"),
    ({"calls": [{"call": "{name}{id}{arguments}"}]}, "calls[0].call: nothing stands between the fields"),
    ({"calls": [{"call": "{name}<f>{json}"}]}, "calls[0].call: {json} is the whole call"),
    ({"calls": [{"call": "{name}({arguments}) {arguments}"}]}, "calls[0].call: {arguments} stands there twice"),
    ({"calls": [{**CALL, "arguments": "xml"}]}, "calls[0].arguments: 'xml' is none of json, tagged"),
    ({"calls": [{**CALL, "arguments": "tagged"}]}, "calls[0].argument is missing"),
    ({"calls": [{**TAGGED, "call": "{json}"}]}, "calls[0].call: {json} is the whole call"),
    ({"calls": [{**TAGGED, "argument": "<{key}>"}]}, "calls[0].argument: the field {value} is missing"),
    ({"calls": [{**TAGGED, "argument": "<{key}>{value}{name}"}]}, "calls[0].argument: nothing stands between"),
    ({"calls": [{**TAGGED, "argument": "<{key} {type}>{value}</>"}]}, "calls[0].types: they are said where"),
    ({"calls": [{**TAGGED, "types": {"true": "string"}}]}, "calls[0].types: they are said where"),
    ({"calls": [{**TAGGED, "types": {"true": "text"}}]}, "calls[0].types.true: 'text' is none of string, json"),
    (
        {"calls": [{**CALL, "argument": "<{key}>{value}"}]},
        "calls[0].argument: only arguments that are tagged or nested",
    ),
    ({"calls": [{**CALL, "quote": "'"}]}, "calls[0].quote: only arguments that are loose have it"),
    ({"calls": [{**CALL, "quoted": 1}]}, "calls[0].quoted: expected true or false, not int"),
    ({"calls": [CALL, {**CALL, "quoted": True}]}, "calls[1].quoted: only arguments that are tagged have it"),
    ({"calls": [{**CALL, "keys": {"names": "n"}}]}, "calls[0].keys.names: there is no such key"),
    ({"calls": [{**CALL, "keys": {"arguments": ""}}]}, "calls[0].keys.arguments: the text is empty"),
    ({"reasoning": [{}]}, "reasoning[0]: it neither opens nor closes"),
    ({"reasoning": [{"open": "<think>", "end": "</think>"}]}, "reasoning[0].end: there is no such key"),
    ({"content": "<answer>"}, "content: expected a table, not str"),
    ({"stops": ["a", ""]}, "stops[1]: the text is empty"),
    ({"ignored": "a"}, "ignored: expected a list, not str"),
    ({"opener": None}, "opener: expected text, not NoneType"),
    ({"evidence": {"calls": 1}}, "evidence.calls: expected text, not int"),
    ({"header": {}}, "header.ends: nothing ends the header"),
    ({"header": {**HEADER, "routes": [{"match": "all"}]}}, "header.routes[0].to is missing"),
    ({"header": {**HEADER, "routes": [{"match": "all", "to": "user"}]}}, "header.routes[0].to: 'user' is none of"),
    ({"header": {**HEADER, "routes": [{"match": "", "to": "content"}]}}, "header.routes[0].match: the text is empty"),
    (
        {"header": {**HEADER, "routes": [{"match": "{id}", "to": "content"}]}},
        "header.routes[0].match: there is no field {id}",
    ),
    (
        {"header": {**HEADER, "routes": [{"match": "f", "to": "arguments"}]}},
        "header.routes[0].match: arguments are those",
    ),
]


@pytest.mark.parametrize(("table", "said"), WRONG, ids=[said for _, said in WRONG])
def test_a_wrong_table_is_refused_with_its_place(table, said):
    """The error begins with the key, and goes on with what is wrong with it."""
    with pytest.raises(InputError) as caught:
        grammar_of(table)
    assert caught.value.message.startswith(said)


@pytest.mark.parametrize("text", ["calls = ", "[calls", "a = 1\na = 2", "calls = " + "[" * 5_000])
def test_text_that_is_no_toml_is_refused(text):
    """What is wrong with the text itself is an error of the same kind."""
    with pytest.raises(InputError, match="not TOML"):
        from_toml(text)
