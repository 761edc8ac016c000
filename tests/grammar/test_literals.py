"""Literal values: what they are as JSON, however the text is cut; what is broken, what is cut short, and what costs nothing."""

import json

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from llm_templates.grammar import spelling
from llm_templates.grammar.cursor import Broken, Cursor, Cut
from llm_templates.grammar.literals import (
    JSON,
    PYTHON,
    Style,
    loose,
    read_keywords,
    read_object,
    read_value,
    whole_text,
    whole_value,
)

GEMMA = loose('<|"|>')
WORDS = Style(python=True, bare_words=True)
STYLES = {"json": JSON, "python": PYTHON, "gemma": GEMMA, "words": WORDS}

QUICK = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])


def read(reader, chunks, *options):
    """What a reader tells of chunks of text: JSON text, what became of it, and where it ended."""
    cursor = Cursor()
    pieces = []
    reading = reader(cursor, pieces.append, *options)
    try:
        next(reading)
        for chunk in chunks:
            cursor.add(chunk)
            next(reading)
        cursor.final = True
        next(reading)
        raise AssertionError("asks for more than there is")
    except StopIteration:
        outcome = "read"
        # What has not been fed yet was not needed.
        return "".join(pieces), outcome, cursor.place
    except Broken as error:
        return "".join(pieces), type(error).__name__, None


def value_of(reader, text, *options):
    told, outcome, _ = read(reader, [text], *options)
    assert outcome == "read", told
    return json.loads(told)


def cuttings(text, sizes):
    """`text` cut into pieces of these sizes, over and over."""
    place, index = 0, 0
    while place < len(text):
        yield text[place : place + sizes[index % len(sizes)]]
        place += sizes[index % len(sizes)]
        index += 1


# -- what values are --


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', {"a": 1}),
        ('{"a": [1, -2.50, 1e5, true, false, null], "b": {}}', {"a": [1, -2.5, 1e5, True, False, None], "b": {}}),
        ('"\\u00e9\\ud83d\\ude00\\n"', "é😀\n"),
        # what JSON forgives
        ("{'a': 'b', 'c': True, 'd': False, 'e': None}", {"a": "b", "c": True, "d": False, "e": None}),
        ("{'a': 'it's \"so\"'}", {"a": 'it\'s "so"'}),
        ('{"a": "two\nlines\tand \x01"}', {"a": "two\nlines\tand \x01"}),
        (r'{"a": "it\'s \d+ \u12 \x41"}', {"a": r"it's \d+ \u12 \x41"}),
        (r"{'a': '\x41\'\n'}", {"a": "A'\n"}),
    ],
)
def test_json(text, expected):
    assert whole_value(text) == (expected, len(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{'a': (1, 2), 'b': (), 'c': (1,), 'd': [1, 2,], }", {"a": [1, 2], "b": [], "c": [1], "d": [1, 2]}),
        ("[True, False, None, true, false, null]", [True, False, None, True, False, None]),
        ("[07, 00, -05, +3, 1_000, .5, 2., 1e3, 0x1F, -0b11, 0o17]", [7, 0, -5, 3, 1000, 0.5, 2.0, 1e3, 31, -3, 15]),
        (r"'\'\"\\\n\t\r\a\b\f\v'", "'\"\\\n\t\r\a\b\f\v"),
        (r"'\x41\u00e9\U0001F600\0\033\101'", "Aé😀\0\033A"),
        (r"'\d\/\x4\u12\U00110000\8'", r"\d\/\x4\u12\U00110000\8"),
        ("'one \\\ntwo\nthree'", "one two\nthree"),
        ("'''it's\n\"here\" ''now'''", "it's\n\"here\" ''now"),
        ('"""say "hi"""" ', 'say "hi"'),
        (r"[r'\d\'+', r'\n']", [r"\d\'+", r"\n"]),
        ("['', \"\", '''''']", ["", "", ""]),
        ("{1: 'a', None: 'b', 'c': 'd'}", {"1": "a", "null": "b", "c": "d"}),
    ],
)
def test_python(text, expected):
    value, end = whole_value(text, style=PYTHON)
    assert value == expected
    assert end == len(text.rstrip())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("['sed -n '360,450p' f', 2]", ["sed -n '360,450p' f", 2]),
        ("{'code': 'print('hi')', 'x': 'd['a']['b']'}", {"code": "print('hi')", "x": "d['a']['b']"}),
        ("['Martha's Vineyard'   \n , 'x']", ["Martha's Vineyard", "x"]),
        ('{\'a\': "say "hi" there"}', {"a": 'say "hi" there'}),
        # More white space than is looked over closes: text that is written right is always read right.
        ("['a'" + " " * 200 + ", 'b']", ["a", "b"]),
    ],
)
def test_quotes_that_models_forgot_to_escape(text, expected):
    assert whole_value(text, style=PYTHON)[0] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '{flag:true,list:[<|"|>foo<|"|>,<|"|>b"a\\r<|"|>],none:null,n:-1.5,inner:{foo:<|"|>{x}\n<|"|>}}',
            {"flag": True, "list": ["foo", 'b"a\\r'], "none": None, "n": -1.5, "inner": {"foo": "{x}\n"}},
        ),
        ('{<|"|>a b<|"|>:1, "c" : "d\\n", \'e\':\'f\'}', {"a b": 1, "c": "d\n", "e": "f"}),
        ("{a: New York , zip:02134, url:http://x.y/?z=1,\n b-c.d: it's}", {"a": "New York", "zip": "02134", "url": "http://x.y/?z=1", "b-c.d": "it's"}),
        ("{n:None,t:True}", {"n": None, "t": True}),
        ("{}", {}),
    ],
)  # fmt: skip
def test_loose_objects(text, expected):
    assert whole_value(text, style=GEMMA) == (expected, len(text))


def test_loose_objects_with_another_quote():
    style = loose("<escape>")
    assert whole_value("{a:<escape>it's <b>\\n<escape>,b:1}", style=style)[0] == {"a": "it's <b>\\n", "b": 1}
    assert whole_value('{a:"x"}', style=loose())[0] == {"a": "x"}


# -- keyword arguments --

KEYWORDS = {
    "a=1, b='x')": '{"a": 1, "b": "x"}',
    ")": "{}",
    " \n)": "{}",
    "a = 1,)": '{"a": 1}',
    "month=07, day=05)": '{"month": 7, "day": 5}',
    'config={"enabled": true, "note": null})': '{"config": {"enabled": true, "note": null}}',
    "role=null, ok=true, names=['J', \"K\"])": '{"role": null, "ok": true, "names": ["J", "K"]}',
    "city='Martha\\'s Vineyard', metric='\\\"cool\\\"')": '{"city": "Martha\'s Vineyard", "metric": "\\"cool\\""}',
    "command='sed -n '360,450p' /testbed/x.py')": '{"command": "sed -n \'360,450p\' /testbed/x.py"}',
    "user-id=1, größe.x=2)": '{"user-id": 1, "größe.x": 2}',
    '{"a": 1} )': '{"a": 1}',
    "{})": "{}",
}


@pytest.mark.parametrize("text", KEYWORDS)
def test_keywords(text):
    assert read(read_keywords, [text + ", g()"]) == (KEYWORDS[text], "read", len(text))


@pytest.mark.parametrize(
    "text",
    ["1)", "'x')", "a=1, 2)", "a=1 b=2)", "a)", "a=b)", "**{'a': 1})", "a=(1))", "{'a': 1}, b=2)", "2a=1)", "a==1)"],
)
def test_what_is_no_keyword_argument_is_broken(text):
    assert read(read_keywords, [text])[1] == "Broken"


def test_keywords_in_other_styles_and_between_other_marks():
    assert read(read_keywords, ["city=New York, n=1)"], WORDS)[0] == '{"city": "New York", "n": 1}'
    assert read(read_keywords, ["a=1]"], PYTHON, "]") == ('{"a": 1}', "read", 4)
    assert read(read_keywords, ["a='x]', b=1]"], PYTHON, "]")[0] == '{"a": "x]", "b": 1}'


# -- objects --


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (' {"a": 1} ', '{"a": 1}'),
        (r'"{\"a\": \"\\ud83d\\ude00\"}"', r'{"a": "\ud83d\ude00"}'),
        (r'"{\"a\": \"é \ud83d\ude00\"}"', r'{"a": "é \ud83d\ude00"}'),
        (r'" {\"a\": [\"x\\n\"]}\n "', r'{"a": ["x\n"]}'),
        ('\'{"a": "it\'s"}\'', '{"a": "it\'s"}'),
        ("null", "{}"),
        ("None", "{}"),
        ('""', "{}"),
        ('"  "', "{}"),
    ],
)
def test_objects(text, told):
    for chunks in ([text], list(text)):
        assert read(read_object, chunks) == (told, "read", len(text.rstrip()))
    json.loads(told)


@pytest.mark.parametrize(
    "text", ["[1]", "1", '"x"', "true", '"{} 1"', r'"{\"a\": 1"', r'"\"{}\""', '"null"', "nulls ", "<"]
)
def test_what_is_no_object_is_broken(text):
    assert read(read_object, [text])[1] == "Broken"


@pytest.mark.parametrize("text", ["", " ", "nul", "{", '"', '"{', r'"{\"a\": 1'])
def test_objects_that_end_early_are_cut(text):
    assert read(read_object, [text])[1] == "Cut"


# -- what is broken --


@pytest.mark.parametrize(
    "text",
    [
        *('{"a": 1 "b": 2}', '{"a" 1}', "[1 2]", "[1,]", "[,1]", '{"a": 1,}', "{,}", "{1: 2}", "{a: 1}", "[1}", "(1, 2)"),
        *("NaN,", "[Infinity]", "[-Infinity]", "[007]", "[+5]", "[.5]", "[5.]", "[1e]", "[--1]", "[undefined]", "<", "[\xa01]"),
        *('{"a": "x" + "y"}', '["a"b]', "[1 // one\n]", "]", '{"a": {]}', "[1\f]"),
    ],
)  # fmt: skip
def test_json_that_is_broken(text):
    assert read(read_value, [text])[1] == "Broken"


@pytest.mark.parametrize(
    "text",
    ["(1)", "nan,", "[inf]", "{1, 2}", "[,]", "(,)", "[1,,]", "{a: 1}", "f(1)", "b'x'", "f'x'", "[1__0]", "[1j]"],
)
def test_python_that_is_broken(text):
    assert read(read_value, [text], PYTHON)[1] == "Broken"


@pytest.mark.parametrize("text", ["{a:}", "{:1}", "{a b}", "{a:1,}", "{a:x<y}", "{a:" + "x" * 1025 + "}"])
def test_loose_objects_that_are_broken(text):
    assert read(read_object, [text], GEMMA)[1] == "Broken"


@pytest.mark.parametrize("style", [JSON, PYTHON, GEMMA])
def test_depth_is_bounded(style):
    deepest = "[" * 100 + "]" * 100
    assert whole_text(deepest, style=style)[0] == deepest
    for text in ("[" * 101 + "]" * 101, "[" * 100_000, '{"a":' * 100_000):
        with pytest.raises(Broken, match="deeper"):
            whole_text(text, style=style)


def test_numbers_are_exact_and_bounded():
    digits = "1234567890" * 400
    assert whole_value(digits)[0] == int(digits)
    assert (
        whole_text("[0.1000000000000000055511151231257827, 1.50]")[0] == "[0.1000000000000000055511151231257827, 1.50]"
    )
    for style in (JSON, PYTHON, GEMMA):
        for chunks in ([digits + "1 "], list(digits + "1 ")):
            assert read(read_value, chunks, style)[1] == "Broken"


def test_numbers_in_other_bases_are_bounded():
    for base in ("0x" + "f" * 1000, "0o" + "7" * 1000, "0b" + "1" * 1000):
        assert whole_value(base, style=PYTHON)[0] == int(base, 0)
        assert read(read_value, [base + "1 "], PYTHON)[1] == "Broken"


# -- laws --

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12)
)
AWKWARD = st.text(st.sampled_from("'\"\\,:]})({[ nu\n\t\x00é😀<|>"), max_size=12)
VALUES = st.recursive(
    SCALARS | AWKWARD,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(AWKWARD | st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(AWKWARD | st.text(max_size=6), VALUES, max_size=4)
SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=6)
SEPARATORS = st.sampled_from([(", ", ": "), (",", ":"), (" ,\n", "\t:  "), ("\r\n,", " : ")])


def bare(value):
    """A value as the loose dialect writes it."""
    if isinstance(value, str):
        return f'<|"|>{value}<|"|>'
    if isinstance(value, dict):
        return "{" + ",".join(f"{bare(key)}:{bare(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(bare, value)) + "]"
    return json.dumps(value)


@QUICK
@given(VALUES, SEPARATORS, st.sampled_from([None, 0, 1, 4]), st.booleans(), SIZES)
def test_valid_json_comes_back_as_it_is(value, separators, indent, ascii_only, sizes):
    text = json.dumps(value, separators=separators, indent=indent, ensure_ascii=ascii_only)
    for chunks in ([text], list(text), cuttings(text, sizes)):
        assert read(read_value, chunks) == (text, "read", len(text))


@QUICK
@given(VALUES, SIZES)
@example(["a\"b'c", {"d'": 'e"'}], [1])
def test_what_python_prints_is_the_value(value, sizes):
    text = repr(value)
    for chunks in ([text], list(text), cuttings(text, sizes)):
        told, outcome, place = read(read_value, chunks, PYTHON)
        assert (json.loads(told), outcome, place) == (value, "read", len(text))


@QUICK
@given(st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True), VALUES, max_size=4), SIZES)
def test_keyword_arguments_are_the_values(arguments, sizes):
    text = ", ".join(f"{name}={value!r}" for name, value in arguments.items()) + ")"
    for chunks in ([text], cuttings(text, sizes)):
        told, outcome, place = read(read_keywords, chunks)
        assert (json.loads(told), outcome, place) == (arguments, "read", len(text))


@QUICK
@given(OBJECTS, SIZES)
def test_loose_objects_are_the_values(value, sizes):
    text = bare(value)
    assume('<|"|' not in "".join(text.split('<|"|>')))
    for chunks in ([text], cuttings(text, sizes)):
        told, outcome, place = read(read_object, chunks, GEMMA)
        assert (json.loads(told), outcome, place) == (value, "read", len(text))


@QUICK
@given(OBJECTS, SIZES)
def test_an_object_in_a_string_is_the_object(value, sizes):
    text = json.dumps(json.dumps(value))
    for chunks in ([text], cuttings(text, sizes)):
        told, outcome, place = read(read_object, chunks)
        assert (json.loads(told), outcome, place) == (value, "read", len(text))


@QUICK
@given(OBJECTS, st.sampled_from([(json.dumps, JSON), (repr, PYTHON), (bare, GEMMA), (json.dumps, GEMMA)]), st.data())
def test_what_ends_early_is_cut_and_never_broken(value, written, data):
    write, style = written
    text = write(value)
    assume(style is not GEMMA or '<|"|' not in "".join(text.split('<|"|>')))
    place = data.draw(st.integers(0, len(text) - 1))
    told, outcome, _ = read(read_object, [text[:place]], style)
    assert outcome == "Cut"
    whole, _, _ = read(read_object, [text], style)
    # Only a quote that the end of the output closes, and part of one, may be more than there would have been.
    parts = ("", '"', "<", "<|", '<|\\"', '<|\\"|')
    assert whole.startswith(tuple(told.removesuffix(part) for part in parts))


TOKENS = [
    *'{}[](),:=\'"\\',
    *(" ", "\n", "\t", "\x00", "\ud800", "a", "b", "r'", "'''", '"""', "1", "-", ".5", "07", "1e5", "0x1F", "e", "_"),
    *("true", "None", "nul", "NaN", '{"', '":', '",', "': ", "',", "\\u", "12", "\\n", "\\x4", '<|"|>', '<|"', "é", "😀", " " * 70),
]  # fmt: skip
READERS = {
    "value": (read_value, ()),
    "object": (read_object, ()),
    "python": (read_value, (PYTHON,)),
    "python object": (read_object, (PYTHON,)),
    "loose": (read_object, (GEMMA,)),
    "keywords": (read_keywords, ()),
    "words": (read_keywords, (WORDS,)),
}


def can_end_well(told):
    """Whether JSON text can go on to be valid: with one of a few endings, and brackets closed."""
    closers, in_string, skip = [], False, False
    for character in told:
        if in_string:
            if skip or character == "\\":
                skip = not skip
            elif character == '"':
                in_string = False
        elif character in "{[":
            closers.append("}" if character == "{" else "]")
        elif character in "}]":
            closers.pop()
        elif character == '"':
            in_string = True
    for ending in ("", '"', '":0', ":0", "0", '"":0'):
        try:
            json.loads(told + ending + "".join(reversed(closers)))
        except ValueError:
            continue
        return True
    return False


@settings(deadline=None, max_examples=3_000, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(READERS)),
    st.sampled_from(["", "{", '{"a": ', "{'a': '", '{a:<|"|>', "a='", "a=", "["]),
    st.lists(st.sampled_from(TOKENS), max_size=14).map("".join),
    SIZES,
)
def test_any_text_is_read_the_same_however_it_is_cut(name, start, rest, sizes):
    """And ends as a value, broken or cut; what has been told always is a beginning of valid JSON."""
    reader, options = READERS[name]
    text = start + rest
    told, outcome, place = read(reader, [text], *options)
    assert read(reader, list(text), *options) == (told, outcome, place)
    assert read(reader, cuttings(text, sizes), *options) == (told, outcome, place)
    if outcome == "read":
        json.loads(told)
    else:
        assert can_end_well(told), told


# -- as it comes --


@pytest.mark.parametrize(
    ("reader", "options", "text", "told"),
    [
        (read_value, (), '{"a": "some words', '{"a": "some words'),
        (read_value, (), '{"a": "some words\\', '{"a": "some words'),
        (read_value, (), '{"a": "some words\\u00', '{"a": "some words'),
        (read_value, (), '{"a": "x", "b": [1, 2', '{"a": "x", "b": [1,'),
        (read_value, (PYTHON,), "{'a': 'some words", '{"a": "some words'),
        (read_value, (PYTHON,), "{'a': 'some words'", '{"a": "some words'),
        (read_value, (PYTHON,), "{'a': 'some words',", '{"a": "some words"'),
        (read_value, (PYTHON,), "{'a': 'it's", '{"a": "it\'s'),
        (read_keywords, (), "code='print(1)\n", '{"code": "print(1)\\n'),
        (read_object, (GEMMA,), '{a:<|"|>some words<|"', '{"a":"some words'),
        (read_object, (), '"{\\"a\\": \\"some wor', '{"a": "some wor'),
    ],
)
def test_text_is_told_as_soon_as_it_is_certain(reader, options, text, told):
    cursor, pieces = Cursor(), []
    reading = reader(cursor, pieces.append, *options)
    next(reading)
    for character in text:
        cursor.add(character)
        next(reading)
    assert "".join(pieces) == told
    assert len(cursor.text) - cursor.at <= 8


def test_nothing_but_the_value_is_read():
    assert read(read_value, [' {"a": 1} , more'])[2] == 9
    assert read(read_value, ['"a"b'])[2] == 3
    assert read(read_value, ["12<end>"])[2] == 2
    assert whole_value('x = {"a": 1}{"b": 2}', 4) == ({"a": 1}, 12)


def test_errors_say_where_and_what_was_expected():
    with pytest.raises(Broken, match="a value was expected at character 6, not '}'"):
        whole_value('{"a": }')
    with pytest.raises(Cut, match="the output ended where ',' or '}' was expected"):
        whole_value('{"a": "b"')


@pytest.mark.parametrize(
    "text", ["", "-", "+", ".", "e5", "1.2.3", "1e", "0x", "0o8", "0b2", "_1", "1_", "1__0", "½", "٣"]
)
def test_what_is_no_number(text):
    assert spelling.number_text(text) is None
