"""Value types: what raw text becomes under every kind of schema, and what schemas may look like."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_templates.grammar.value_types import Schema, ToolTypes, is_text, json_text, typed

QUICK = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])


def value(raw, node):
    """The value of raw text, as it comes out of JSON text."""
    return json.loads(json_text(raw, None if node is None else Schema(node, node)))


def check(raw, node, expected):
    """The same value, and of the same type: 1 is not True and not 1.0."""
    found = value(raw, node)
    assert found == expected
    assert type(found) is type(expected)


# -- one type --


@pytest.mark.parametrize(
    "node",
    [
        None,
        {"type": "string"},
        {"type": "STRING"},
        {"type": ["string"]},
        {"enum": ["a", "b"]},
        {"const": "a"},
        {"format": "date"},
        {"type": "string", "format": "date"},
        {"type": "string", "enum": ["1", "2"]},
        {"pattern": "^[0-9]+$"},
        {"anyOf": [{"type": "string"}, {"enum": ["x"]}]},
        {"allOf": [{"type": "string"}, {"minLength": 1}]},
    ],
)
def test_a_string_is_the_text_whatever_it_looks_like(node):
    assert is_text(None if node is None else Schema(node, node))
    for raw in (
        '"foo"',
        "007",
        "1.50",
        "null",
        "true",
        '{"a": 1}',
        "[1]",
        "  x\n",
        "",
        'a "b" \\ \n\t\x00 é',
        "2026-01-15",
    ):
        assert value(raw, node) == raw


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("7", 7),
        ("-14", -14),
        (" 7\n", 7),
        ("007", 7),
        ("+5", 5),
        ("3.0", 3),
        ("-3.000", -3),
        ("1_000", 1000),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("3.5", 3.5),
        ("seven", "seven"),
        (" seven ", " seven "),
        ("2026-01-15", "2026-01-15"),
        ("1,000", "1,000"),
        ('"7"', '"7"'),
        ("", ""),
        ("null", "null"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_integers(raw, expected):
    check(raw, {"type": "integer"}, expected)
    check(raw, {"type": "int"}, expected)


def test_numbers_keep_their_digits():
    for raw, told in {
        "1.50": "1.50",
        "5": "5",
        "+.5": "0.5",
        "5.": "5.0",
        "007.10": "7.10",
        "1e5": "1e5",
        "-0": "-0",
    }.items():
        assert json_text(raw, Schema({"type": "number"})) == told
    assert json_text("0.10000000000000000000001", Schema({"type": "number"})) == "0.10000000000000000000001"
    for raw in ("NaN", "inf", "1.2.3", "1 2", "12kg", ""):
        check(raw, {"type": "number"}, raw)


@pytest.mark.parametrize("raw", ["true", "True", "TRUE", " true "])
def test_booleans(raw):
    check(raw, {"type": "boolean"}, True)
    check(
        raw.replace("rue", "alse").replace("RUE", "ALSE").replace("t", "f").replace("T", "F"),
        {"type": "boolean"},
        False,
    )


def test_what_is_no_boolean_and_no_null_stays_text():
    for raw in ("1", "yes", "truee", '"true"', ""):
        check(raw, {"type": "boolean"}, raw)
    for raw in ("nil", "", "0"):
        check(raw, {"type": "null"}, raw)
    check("null", {"type": "null"}, None)
    check("None", {"type": "null"}, None)


def test_objects_and_arrays():
    check('{ "real": 3.14, "imaginary": 2.71 }', {"type": "object"}, {"real": 3.14, "imaginary": 2.71})
    check("{'a': True, 'b': None}", {"type": "object"}, {"a": True, "b": None})
    check('\n[1, "a"]\n', {"type": "array"}, [1, "a"])
    check("['a', 'b', ]", {"type": "array"}, ["a", "b"])
    check("(1, 2)", {"type": "array"}, [1, 2])
    # what keeps the text: another type, something behind it, or something that is neither JSON nor Python
    for raw in ("[1]", '{"a": 1} b', '{"a": 1', "a: 1", "", '"{}"'):
        check(raw, {"type": "object"}, raw)
    for raw in ("{}", "1, 2", "[1] [2]", "[see above]"):
        check(raw, {"type": "array"}, raw)


def test_objects_are_told_as_they_are_written():
    raw = '{"a":1.50,  "b": 12345678901234567890}'
    assert json_text(f" {raw} ", Schema({"type": "object"})) == raw


# -- several types --

NULL_OR_TEXT = {"type": ["string", "null"]}


@pytest.mark.parametrize(
    "node", [NULL_OR_TEXT, {"type": "string", "nullable": True}, {"anyOf": [{"type": "null"}, {"type": "string"}]}]
)
def test_null_or_text(node):
    assert not is_text(Schema(node))
    check("null", node, None)
    check("None", node, None)
    for raw in ("123 Main St", "nullable", "12", '"null"', " a ", ""):
        check(raw, node, raw)


@pytest.mark.parametrize(
    "node", [{"type": ["string", "integer"]}, {"oneOf": [{"type": "integer"}, {"type": "string"}]}]
)
def test_numbers_beside_text_count_only_as_json_writes_them(node):
    check("12", node, 12)
    check("-1", node, -1)
    for raw in ("1abc", "02134", "+33123456", "1_000", "3.0", "3.5", "0x1F", "9" * 5000):
        check(raw, node, raw)


def test_other_types_beside_text():
    check('{"a": 1}', {"anyOf": [{"type": "string"}, {"type": "object"}]}, {"a": 1})
    check("plain text", {"type": ["string", "object"]}, "plain text")
    check("True", {"type": ["string", "boolean"]}, True)
    check("1.50", {"type": ["string", "number"]}, 1.5)
    check("(1, 2)", {"type": ["string", "array"]}, "(1, 2)")
    check("['a']", {"type": ["string", "array"]}, ["a"])


def test_types_are_tried_in_a_fixed_order():
    every = ["string", "array", "object", "boolean", "number", "integer", "null"]
    for raw, expected in {"null": None, "1": 1, "1.0": 1.0, "true": True, "{}": {}, "[]": [], "x": "x"}.items():
        check(raw, {"type": every}, expected)
    check("1.0", {"type": ["number", "integer"]}, 1)
    check("7", {"oneOf": [{"type": "integer"}, {"type": "null"}]}, 7)
    check("x", {"oneOf": [{"type": "integer"}, {"type": "null"}]}, "x")


def test_listed_values_show_their_types():
    check("2", {"enum": [1, 2]}, 2)
    check("true", {"const": True}, True)
    check("null", {"enum": ["a", None]}, None)
    check("a", {"enum": ["a", None]}, "a")
    # The very text is listed.
    check("1", {"type": ["string", "integer"], "enum": ["1", 2]}, "1")
    check("2", {"type": ["string", "integer"], "enum": ["1", 2]}, 2)


@pytest.mark.parametrize(
    "node",
    [
        {},
        {"description": "anything"},
        {"type": "any"},
        {"anyOf": [{}]},
        {"$ref": "#/nowhere"},
        {"type": []},
        {"type": 5},
    ],
)
def test_without_a_type_complete_json_is_what_it_says(node):
    assert not is_text(Schema(node, node))
    for raw, expected in {"1.50": 1.5, '{"a": 1}': {"a": 1}, '"foo"': "foo", " true ": True, "null": None}.items():
        check(raw, node, expected)
    for raw in ("wake up", "True", "None", "{'a': 1}", "007", "NaN", '{"a": 1} b', '"a\nb"', ""):
        check(raw, node, raw)


@pytest.mark.parametrize(
    ("node", "raw", "expected"),
    [
        ({"properties": {}}, '{"a": 1}', {"a": 1}),
        ({"items": {}}, "[1]", [1]),
        ({"minimum": 0}, "1.5", 1.5),
        ({"type": "dict"}, "{}", {}),
        ({"type": "float"}, "1", 1),
        # What the schema itself says holds for all of its choices.
        ({"type": "object", "anyOf": [{"required": ["a"]}, {"type": "string"}]}, "x", "x"),
        ({"type": "integer", "anyOf": [{"type": "string"}]}, "007", 7),
    ],
)
def test_types_that_are_only_implied(node, raw, expected):
    check(raw, node, expected)


# -- tools --

PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"$ref": "#/$defs/city"},
        "when": {"allOf": [{"$ref": "#/definitions/a~1b"}, {"description": "x"}]},
        "loop": {"$ref": "#/$defs/loop"},
        "tree": {"$ref": "#/$defs/tree"},
        "yes": True,
        "no": False,
    },
    "$defs": {
        "city": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/id"}]},
        "id": {"type": "integer"},
        "loop": {"$ref": "#/$defs/loop"},
        "tree": {
            "type": "object",
            "properties": {"value": {"type": "integer"}, "children": {"items": {"$ref": "#/$defs/tree"}}},
        },
    },
    "definitions": {"a/b": {"type": "boolean"}},
    "additionalProperties": {"type": "number"},
}


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "function", "function": {"name": "f", "parameters": PARAMETERS}},
        {"name": "f", "parameters": PARAMETERS},
        {"name": "f", "input_schema": PARAMETERS},
        {"type": "function", "name": "f", "parameters": PARAMETERS},
    ],
)
def test_tools_of_every_shape(tool):
    types = ToolTypes([tool])
    assert types.names == ("f",)
    assert types.knows("f")
    assert not types.knows("g")
    assert types.schema("g", "city") is None
    assert json_text("12", types.schema("f", "city")) == "12"
    assert json_text("Oslo", types.schema("f", "city")) == '"Oslo"'
    assert json_text("True", types.schema("f", "when")) == "true"
    assert json_text("07", types.schema("f", "other")) == "7"
    assert json_text("1.50", types.schema("f", "yes")) == "1.50"
    assert types.schema("f", "no") is None


def test_references_that_lead_back_to_themselves_end():
    types = ToolTypes([{"name": "f", "parameters": PARAMETERS}])
    assert json_text("[1]", types.schema("f", "loop")) == "[1]"
    tree = {"value": "1", "children": [{"value": "2", "children": [{"value": "x"}]}]}
    expected = {"value": 1, "children": [{"value": 2, "children": [{"value": "x"}]}]}
    assert typed(tree, types.schema("f", "tree")) == expected


def test_what_says_nothing_of_an_argument():
    for parameters in (None, {}, {"type": "object"}, {"properties": {"a": {}}}, {"additionalProperties": True}):
        types = ToolTypes([{"name": "f", "parameters": parameters}])
        assert types.knows("f")
        assert types.schema("f", "b") is None
    assert ToolTypes(None).names == ()


def test_properties_of_choices_and_of_merged_parts():
    types = ToolTypes(
        [
            {
                "name": "f",
                "parameters": {
                    "allOf": [{"properties": {"a": {"type": "integer"}}}, {"properties": {"a": {"minimum": 0}}}],
                    "anyOf": [{"properties": {"b": {"type": "integer"}}}, {"properties": {"b": {"type": "null"}}}],
                },
            }
        ]
    )
    assert json_text("07", types.schema("f", "a")) == "7"
    assert json_text("null", types.schema("f", "b")) == "null"
    assert json_text("07", types.schema("f", "b")) == "7"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(["#", "#/$defs/a", "#/a/0", "object", "f"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("type", "function", "name", "parameters", "properties", "a", "$ref", "$defs", "allOf", "anyOf", "oneOf"),
                    *("items", "enum", "const", "nullable", "additionalProperties", "prefixItems", "format", "input_schema"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)  # fmt: skip


@QUICK
@given(JSON_VALUES, JSON_VALUES, st.text(max_size=8), JSON_VALUES)
def test_no_tools_make_it_fail(tools, parameters, raw, nested):
    for given_tools in (tools, [tools], [{"name": "f", "parameters": parameters}]):
        types = ToolTypes(given_tools)
        for name in ("f", "a"):
            schema = types.schema(name, "a")
            found = json.loads(json_text(raw, schema))
            assert found == raw or schema is not None
            typed(nested, schema)


def test_schemas_that_explode_are_bounded():
    wide = {"anyOf": [{"$ref": "#"} for _ in range(100_000)]}
    both = {"allOf": [{"$ref": "#"}, {"$ref": "#/allOf/1"}] * 50, "properties": {"a": {"$ref": "#"}}}
    for parameters in (wide, both):
        types = ToolTypes([{"name": "f", "parameters": {**parameters, "properties": {"a": parameters}}}])
        assert json_text("x", types.schema("f", "a")) == '"x"'


# -- nested values --


def test_nested_strings_are_typed():
    node = {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": ["integer", "string"]}},
            "pair": {"prefixItems": [{"type": "integer"}, {"type": "boolean"}]},
            "legacy": {"items": [{"type": "integer"}], "additionalItems": {"type": "null"}},
            "inner": {"additionalProperties": {"type": "boolean"}},
            "empty": {"type": "array"},
            "none": {"type": "object"},
            "text": {"type": "string"},
            "list": {"type": "object", "properties": {"item": {"type": "integer"}}},
        },
    }
    raw = {
        "id": "007",
        "tags": ["1", "a", "01"],
        "pair": ["1", "true", "x"],
        "legacy": ["1", "null"],
        "inner": {"a": "true", "b": "x"},
        "empty": "\n",
        "none": "",
        "text": "",
        "list": ["3"],
        "unknown": "1",
        "already": 1,
    }
    assert typed(raw, Schema(node, node)) == {
        "id": 7,
        "tags": [1, "a", "01"],
        "pair": [1, True, "x"],
        "legacy": [1, None],
        "inner": {"a": True, "b": "x"},
        "empty": [],
        "none": {},
        "text": "",
        "list": {"item": 3},
        "unknown": "1",
        "already": 1,
    }


def test_without_a_schema_nested_values_stay():
    assert typed({"a": ["1"]}, None) == {"a": ["1"]}


# -- laws --

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
TYPES = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


@QUICK
@given(VALUES, st.sampled_from([json.dumps, repr]), st.booleans())
def test_a_value_of_the_type_comes_back(given_value, write, beside_null):
    """However a template writes it: as JSON or as Python prints it, and strings as they are."""
    kind = TYPES[type(given_value)]
    raw = given_value if kind == "string" else write(given_value)
    check(raw, {"type": [kind, "null"]} if beside_null and kind != "string" else {"type": kind}, given_value)


@QUICK
@given(st.text(max_size=12), st.sampled_from(["null", "integer", "number", "boolean", "object", "array", "string"]))
def test_text_that_is_not_of_the_type_stays_as_it_is(raw, kind):
    found = value(raw, {"type": kind})
    assert found == raw or raw.strip() != ""
    if isinstance(found, str):
        assert found == raw
