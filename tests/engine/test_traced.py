"""The traced dialect: the same text as the plain one, or the same refusal; and each character from where it came.

Every operation is rendered both ways on generated values, twice: with input as it is, found by its identity, and with
marked copies of it.
"""

import itertools
import sys
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_templates import ChatTemplate, TemplatesError
from llm_templates.attribution import Marker
from llm_templates.engine import Border, compile_template, run_type
from llm_templates.engine.budget import DEFAULT_LIMITS
from llm_templates.engine.filters import FILTERS, REFUSED_FILTERS
from llm_templates.engine.globals import GLOBALS
from llm_templates.engine.provenance import BUFFER, is_template, leaves, node_of
from llm_templates.engine.reading import METHODS
from llm_templates.engine.tests import TESTS
from llm_templates.engine.traced import TracedRun
from llm_templates.engine.values import Markup

sys.path.insert(0, str(Path(__file__).parent.parent))
from fuzz.contexts import CONTEXTS
from fuzz.generate import template as made_up

NOW = datetime(2026, 1, 2, 3, 4, 5)
#: Letters that only inputs have, and what case maps make of them.
PRIVATE = frozenset(map(chr, range(0x400, 0x470)))

# -- both dialects --


def plain(source, context):
    return compile_template(source, mutable=False).render(context, now=NOW)


def traced(source, context):
    """The text and the leaves of its mark."""
    engine = compile_template(source, mutable=False).traced(GLOBALS.keys() & context.keys())
    run = run_type(TracedRun, DEFAULT_LIMITS, NOW)()
    lower = run.border.lower
    text = engine.run(run, engine.values({name: lower(value) for name, value in context.items()}))
    for piece in run.output[::2]:
        assert node_of(piece)[0] == len(piece), (source, piece)
    return text, list(leaves((len(text), BUFFER, run.output, None)))


def outcome(render, *arguments):
    try:
        return "text", render(*arguments)
    except TemplatesError as error:
        return type(error).__name__, error.message


def check(source, context):
    """Both dialects agree, and no private letter is the template's; whether there is a text."""
    kind, expected = outcome(plain, source, context)
    for values in (context, Marker(Border()).variables(context)):
        found, result = outcome(traced, source, values)
        assert found == kind, (source, expected, result)
        if kind == "text":
            text, pieces = result
            assert (text, type(text)) == (expected, str), source
            place = 0
            for length, origin, _, _ in pieces:
                assert not is_template(origin) or PRIVATE.isdisjoint(text[place : place + length]), (source, text)
                place += length
            assert place == len(text), source
    return kind == "text"


LETTERS = st.text(st.sampled_from("ѐёѓѕЁa <&\"'\\\n\t{%é😀1"), max_size=8)
NUMBERS = st.integers(-3, 12) | st.sampled_from([2**70, 0.5, -1.25, 1e300])
VALUES = st.recursive(
    LETTERS | NUMBERS | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LETTERS | st.just("k"), inner, max_size=3),
    max_leaves=6,
)
CONTEXT = st.fixed_dictionaries(
    {
        "v": VALUES | LETTERS,
        "t": LETTERS,
        "a": LETTERS,
        "b": LETTERS,
        "n": st.integers(-2, 9),
        "w": st.lists(LETTERS, max_size=3),
        "d": st.dictionaries(st.sampled_from(["k", "ё", "j"]), VALUES, max_size=3),
        "rows": st.lists(st.fixed_dictionaries({"k": LETTERS, "n": st.integers(0, 2)}), max_size=3),
    }
)
#: One context in which most operations succeed.
USUAL = {
    "v": "ѐ ёb\nѓ<ѕ>",
    "t": "ёa ѐ",
    "a": "ё",
    "b": "xѓ",
    "n": 2,
    "w": ["ѐ", "ёa", "ѐ"],
    "d": {"k": "ѐ", "ё": [1, "ѓ"]},
    "rows": [{"k": "ё", "n": 1}, {"k": "ѐ", "n": 2}, {"k": "ё", "n": 0}],
}
ARGUMENTS = (
    "",
    "a",
    "n",
    "a, b",
    "n, a",
    "a, b, n",
    "w",
    "'k'",
    "attribute='k'",
    "attribute='n'",
    "'upper'",
    "'x', b",
    "0",
    "30, 'é'",
)
SUBJECTS = ("v", "t", "w", "d", "rows", "n", "2.5", "t|safe", "'aé <'", "rows[0]", "'a%sb{}'", "d.items()")


def rows_of_operations():
    """Templates that use one operation each, by the operation's name."""
    operations = {}
    for name in FILTERS.keys() - REFUSED_FILTERS.keys():
        calls = [f"|{name}" if not given else f"|{name}({given})" for given in ARGUMENTS]
        operations[f"|{name}"] = [f"{subject}{call}" for subject in SUBJECTS for call in calls]
    for kind, subjects in {
        str: ("v", "t", "'aé <'"),
        Markup: ("t|safe", "'aé <'|e"),
        list: ("w", "v"),
        dict: ("d", "rows[0]"),
    }.items():
        for name in METHODS[kind]:
            key = f"{kind.__name__}.{name}"
            operations[key] = [f"({subject}).{name}({given})" for subject in subjects for given in ARGUMENTS]
    for name in TESTS:
        calls = [f" is {name}" if not given else f" is {name}({given})" for given in ("", "a", "n", "w", "'upper'")]
        operations[f"is {name}"] = [f"{subject}{call}" for subject in SUBJECTS for call in calls]
    return operations


def shown(expressions):
    """Templates that print each of the expressions, whatever it is."""
    return [
        f"{{% set x = {expression} %}}{{{{ x if x is string else x|list if x is iterable else x }}}}<"
        for expression in expressions
    ]


OPERATIONS = {name: shown(expressions) for name, expressions in rows_of_operations().items()}
#: What Jinja's own syntax cannot call with names such as `==`.
SYMBOLS = {name for name in OPERATIONS if name.startswith("is ") and not name[3:].isidentifier()}


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - SYMBOLS))
def test_an_operation_is_the_same_in_both_dialects(name):
    """Each row of the tables of filters, methods and tests does something, and the same in both."""
    rendered = [check(source, USUAL) for source in OPERATIONS[name]]
    assert any(rendered)


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - SYMBOLS))
@settings(deadline=None, max_examples=8)
@given(context=CONTEXT, data=st.data())
def test_an_operation_is_the_same_on_any_values(name, context, data):
    """The same on generated values, some of the templates of the row at a time."""
    for source in data.draw(st.lists(st.sampled_from(OPERATIONS[name]), min_size=6, max_size=6)):
        check(source, context)


EXPRESSIONS = {
    "operators": [
        *("t + a", "t + 'x'", "'x' + t", "(t|safe) + a", "a + (t|e)", "t ~ a ~ n ~ v", "(t|safe) ~ a", "t * n", "n * t"),
        *("(t ~ a) * 1001", "('x' ~ a ~ '%%' ~ b) % ()", "('%' ~ '%' ~ a) % ()", "t.center(9, ('x' ~ a)[0])"),
        *("'<%s>' % t", "'%s %d' % (t, n)", "'<%s>'|safe % t", "'%5s|%-5s' % (t, a)", "'%%%s' % t", "t % a", "t % ()"),
        *("'%(k)s' % d", "'%r' % t", "t == a", "t in v", "a in t", "t < a", "n + 1", "n * 2.5", "-n", "n // 2", "w + w"),
        *("t is sameas t", "'a' is sameas 'a'", "t and a", "a or 'x'", "not t", "t if n > 2 else a", "(t ~ a)|length"),
    ],
    "slices": [
        *("t[0]", "t[-1]", "t[n]", "t[1:]", "t[:-1]", "t[::2]", "t[::-1]", "t[n:1:-1]", "t[1:3][0]", "(t ~ a)[1:4]"),
        *("(t|safe)[1:]", "(t|e)[-1]", "(t|safe)[n]", "('ab' ~ t ~ 'cd')[1:5]", "w[0]", "w[0][1:]", "w[::-1]", "t[100]", "(t + 'x')[-2:]"),
    ],
    "formats": [
        *("'{}'.format(t)", "'{} {}'.format(t, n)", "'{0}{1}{0}'.format(t, a)", "'{x}'.format(x=t)", "'{:>5}'.format(t)"),
        *("'{{}}{}'.format(t)", "'{!r}'.format(t)", "t.format(a)", "'<{}>'.format(t|safe)", "('<{}>'|safe).format(t)"),
        *("'%s-%s'|format(t, a)", "'%(x)s'|format(x=t)", "'<%s>'|safe|format(t)", "'%d'|format(n)", "t|format(a)"),
    ],
    "json": [
        *("v|tojson", "t|tojson", "d|tojson(indent=2)", "d|tojson(sort_keys=true)", "v|tojson(ensure_ascii=true)"),
        *("d|tojson(separators=(',', ':'))", "d|tojson(indent=t)", "v|tojson(indent='--')", "d|tojson(separators=(a, b))"),
        *("t|tojson(ensure_ascii=true, indent=0)", "rows|tojson(indent=1, sort_keys=true)", "{'x': t, t: n}|tojson"),
        *("[t ~ a, t[1:], n, 1, none, true]|tojson", "(t|safe)|tojson", "[t|e, a]|tojson", "'aé'|tojson(ensure_ascii=1)"),
    ],
    "notation": [
        *("[v]|string", "d|string", "rows|string", "[t, t|safe, n, 2.5, none]|string", "(t, a)|string", "{t: a}|string"),
        *("d.items()|string", "d.values()|string", "d.keys()|string", "namespace(x=t)|string", "[t ~ a, 'x']|string"),
        *("rows|groupby('k')|string", "[[[v]]]|string|upper", "[undefined, range(3)]|string", "v|pprint"),
    ],
    "sequences": [
        *("t|list", "t|map('upper')|join", "t|select('in', a)|join", "t|sort|join(b)", "t|unique|join", "t|batch(2)|list"),
        *("t|slice(2)|list", "t|min", "t|max", "rows|map(attribute='k')|join(a)", "rows|groupby('k')|map('first')|list"),
        *("rows|selectattr('k', 'equalto', 'ё')|list", "w|map('replace', 'ѐ', b)|list", "w|sort(reverse=true)|join"),
        *("w|join(t)", "[t|safe, a]|join", "[t, a|e, n]|join('<')", "t.join(w)", "(t|safe).join(w)", "t.join(a)"),
        *("t.split(a)", "t.split()", "t.rsplit(a, 1)", "t.split('a', 1)", "t.partition(a)", "t.splitlines(true)"),
        *("(t ~ 'x' ~ a ~ 'x').split('x')", "d|dictsort", "d|items|list", "w|first", "w|last", "t|reverse", "w|sum"),
    ],
    "markup": [
        *("t|e", "t|safe|e", "t|e|e", "(t|e) ~ a", "(t|safe) + a + t", "(t|e).upper()", "(t|e)|replace('a', '<')"),
        *("(t|safe).replace('a', b)", "(t|safe)|replace(a, '<')", "(t|safe)|trim", "(t|safe).split('a')", "t|forceescape"),
        *("[t|safe]|join(a)", "(t|safe)|indent", "t|striptags", "t|urlencode", "d|urlencode", "(t|e).unescape()"),
    ],
    "texts": [
        *("t|replace('', a)", "t|replace('a', '', 1)", "t.replace('', a, 2)", "t|indent(a)", "v|indent(2, true, true)"),
        *("t|truncate(3, true, '')", "(t ~ t)|truncate(4, false, '…', 0)", "t|wordwrap(3)", "t|center(9)", "t.center(9, 'é')"),
        *("t.zfill(9)", "n|string|center(5)", "t.title()", "t|title", "t.expandtabs(3)", "t.strip(a)", "t|trim(a)"),
        *("t.removeprefix('ё')", "t.removesuffix(a)", "'ŉ ß ﬁ' ~ t|upper", "('ß' ~ t)|upper", "(t ~ 'ŉ')|capitalize"),
        *("t|int", "'12'|int", "t|float", "n|float", "n|abs", "n|round", "n|filesizeformat", "t|length", "t|wordcount"),
    ],
}  # fmt: skip

STATEMENTS = (
    "{% macro m(x, y='é') %}[{{ x }}{{ y|upper }}{{ varargs }}{{ kwargs }}]{% endmacro %}{{ m(t) }}{{ m(a, t)|lower }}",
    "{% macro m(x) %}<{{ caller(x) }}>{% endmacro %}{% call(y) m(t) %}{{ y }}{{ a }}!{% endcall %}",
    "{% macro m(x) %}{{ x }}{{ m(x[1:]) if x }}{% endmacro %}{{ m(t) ~ m }}",
    "{% set x %}a{{ t }}b{{ n }}{% endset %}{{ x|trim }}{{ x[1:3] }}{{ x|upper }}{{ x ~ x }}",
    "{% set x|upper|replace('A', 'x') %}a{{ t }}{% endset %}{{ x }}{{ [x] }}",
    "{% filter upper|trim %} a{{ t }}<{% endfilter %}{% filter e %}{{ t }}<{% endfilter %}",
    "{% filter indent(2) %}a\n{{ t }}\n{{ v }}{% endfilter %}{% filter length %}{{ t }}{% endfilter %}",
    "{% for c in t %}{{ loop.index }}{{ c }}{{ loop.previtem }}{% else %}none{% endfor %}",
    "{% for c in t|reverse if c != 'a' %}{{ c|upper }}{{ loop.cycle('x', a) }}{% endfor %}",
    "{% for k, x in d.items() %}{{ k }}={{ x }};{% endfor %}{% for k, x in d|dictsort %}{{ k|upper }}{{ x }}{% endfor %}",
    "{% for k in d %}{{ k }}{{ d[k] }}{% endfor %}{% for x in d.values() %}{{ x }}{% endfor %}",
    "{% for g in rows|groupby('k') %}{{ g.grouper }}{{ g[0]|upper }}{{ g.list }}{% endfor %}",
    "{% for r in rows recursive %}{{ r.k }}{{ loop([r.k[1:]]) if r is mapping else r }}{% endfor %}",
    "{% set ns = namespace(x='') %}{% for c in w %}{% set ns.x = ns.x ~ c ~ ',' %}{% endfor %}{{ ns.x }}{{ ns.x[:-1] }}",
    "{% set ns = namespace(x=[]) %}{% for c in w %}{% set ns.x = ns.x + [c ~ a] %}{% endfor %}{{ ns.x }}{{ ns.x|join }}",
    "{% set x, y = t, a %}{{ y }}{{ x }}{% with z = x ~ y %}{{ z[::-1] }}{% endwith %}",
    "{{ dict(x=t, y=a) }}{{ dict(d)|length }}{{ cycler(t, a).next() }}{% set j = joiner(a) %}{{ j() }}{{ j() }}",
    "{{ strftime_now('%Y é') }}{{ t is string }}{{ t is defined }}{{ none }}{{ true }}{{ undefined }}",
    "{{ 'a' 'b' }}{{ t }}{{ 'x' ~ 1 ~ 2.5 ~ none }}{{ 3 }}{{ n }}{{ 2 ** 3 }}{{ [1, 2] }}{{ {'a': 1} }}",
    "{{ raise_exception('no ' ~ t) if n == 1 }}{{ range(n)|list }}{% if t %}{{ t }}{% elif a %}{{ a }}{% endif %}",
    "{% generation %}{{ t }}{% endgeneration %}{% raw %}{{ t }}{% endraw %}{# no #}{{ t|default(a, true) }}",
)
SOURCES = {name: shown(expressions) for name, expressions in EXPRESSIONS.items()} | {"statements": list(STATEMENTS)}


@pytest.mark.parametrize("name", SOURCES)
def test_a_template_is_the_same_in_both_dialects(name):
    """Operators, formats, blocks: with ordinary values, all of which render."""
    check_all = [source for source in SOURCES[name] if not check(source, USUAL)]
    # What refuses these values: text that is no format, a number out of range, and the like.
    assert len(check_all) <= len(SOURCES[name]) // 4, check_all


@pytest.mark.parametrize("name", SOURCES)
@settings(deadline=None, max_examples=40)
@given(context=CONTEXT, data=st.data())
def test_a_template_is_the_same_on_any_values(name, context, data):
    """The same on generated values."""
    for source in data.draw(st.lists(st.sampled_from(SOURCES[name]), min_size=6, max_size=6)):
        check(source, context)


def private(value):
    """The same tree with every letter of its texts a private one; keys stay, for templates read by them."""
    if isinstance(value, str):
        return "".join(chr(0x450 + ord(letter) % 32) if letter.isalnum() else letter for letter in value)
    if isinstance(value, dict):
        return {key: private(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(private, value))
    return value


@pytest.mark.parametrize("seed", [3, 4])
def test_made_up_templates_are_the_same_in_both_dialects(seed):
    """A thousand templates of the fuzzer: the same text or the same kind of refusal, private letters never template."""
    names = itertools.cycle(CONTEXTS)
    rendered = 0
    for index, name in zip(range(1000), names, strict=False):
        source = made_up(seed, index)
        context = CONTEXTS[name]()
        rendered += check(source, private(context) if index % 2 else context)
    assert rendered > 300


# -- where text came from --

#: A template, the variables it is given, and its prompt cut by origin: "=" for the template, else the variable's path
#: and where in it the text begins, "?" for what cannot be told apart. The same text or number in two places, too.
CASES = [
    ("a{{ x }}b", {"x": "é"}, [("a", "="), ("é", "x 0"), ("b", "=")]),
    ("{{ x|upper }}", {"x": "abc"}, [("ABC", "x 0")]),
    ("{{ x|trim }}|", {"x": "  abc "}, [("abc", "x 2"), ("|", "=")]),
    ("{{ x[1:3] }}{{ x[-1] }}", {"x": "abcde"}, [("bc", "x 1"), ("e", "x 4")]),
    ("{{ x[::-1] }}", {"x": "ab"}, [("b", "x 1"), ("a", "x 0")]),
    ("{{ 'p' + x + 'q' ~ y }}", {"x": "1", "y": "2"}, [("p", "="), ("1", "x 0"), ("q", "="), ("2", "y 0")]),
    ("{{ (x ~ '-' ~ y)[1:4] }}", {"x": "ab", "y": "cd"}, [("b", "x 1"), ("-", "="), ("c", "y 0")]),
    ("{{ x * 2 }}", {"x": "ab"}, [("ab", "x 0"), ("ab", "x 0")]),
    ("{{ '<%s>%d' % (x, y) }}", {"x": "ab", "y": 77}, [("<", "="), ("ab", "x 0"), (">", "="), ("77", "y 0")]),
    ("{{ '%5s' % x }}", {"x": "ab"}, [("   ab", "?")]),
    ("{{ '{}+{}'.format(x, y) }}", {"x": "a", "y": "b"}, [("a", "x 0"), ("+", "="), ("b", "y 0")]),
    ("{{ x|replace('b', y) }}", {"x": "abc", "y": "12"}, [("a", "x 0"), ("12", "y 0"), ("c", "x 2")]),
    ("{{ x.replace('b', '') }}", {"x": "abc"}, [("a", "x 0"), ("c", "x 2")]),
    ("{{ x.split(',')[1] }}{{ x.split()[0] }}", {"x": "a,b"}, [("b", "x 2"), ("a,b", "x 0")]),
    ("{{ x.rsplit('/', 1)|join('+') }}", {"x": "a/b/c"}, [("a/b", "x 0"), ("+", "="), ("c", "x 4")]),
    ("{{ x.partition(':')[2] }}", {"x": "k: v"}, [(" v", "x 2")]),
    ("{{ x.splitlines()[1] }}", {"x": "ab\ncd"}, [("cd", "x 3")]),
    ("{{ x|indent(1) }}", {"x": "a\nb"}, [("a", "x 0"), ("\n ", "="), ("b", "x 2")]),
    ("{{ x|join(y) }}", {"x": ["a", "b"], "y": "--"}, [("a", "x[0] 0"), ("--", "y 0"), ("b", "x[1] 0")]),
    ("{{ x|reverse }}{{ x|first }}", {"x": "ab"}, [("b", "x 1"), ("a", "x 0"), ("a", "x 0")]),
    ("{% for c in x %}{{ c }}.{% endfor %}", {"x": "ab"}, [("a", "x 0"), (".", "="), ("b", "x 1"), (".", "=")]),
    ("{{ x|map('upper')|join }}", {"x": "ab"}, [("A", "x 0"), ("B", "x 1")]),
    ("{{ x|e }}", {"x": "a<b"}, [("a", "x 0"), ("&lt;", "x 1"), ("b", "x 2")]),
    ("{{ ('<'|safe) + x }}", {"x": "<"}, [("<", "="), ("&lt;", "x 0")]),
    ("{{ ('a'|safe).replace('a', '<'|safe) ~ x }}", {"x": "é"}, [("<", "="), ("é", "x 0")]),
    ("{{ x|tojson }}", {"x": 'a"\n'}, [('"', "="), ("a", "x 0"), ('\\"', "x 1"), ("\\n", "x 2"), ('"', "=")]),
    ("{{ x|tojson }}", {"x": {"k": [True, "v"]}}, [('{"', "="), ("k", "key x.k 0"), ('": [', "="), ("true", "x.k[0] 0"), (', "', "="), ("v", "x.k[1] 0"), ('"]}', "=")]),
    ("{{ x|tojson(indent=1) }}", {"x": {"k": 1.5}}, [('{\n "', "="), ("k", "key x.k 0"), ('": ', "="), ("1.5", "x.k 0"), ("\n}", "=")]),
    ("{{ x|tojson(sort_keys=true, separators=(',', ':')) }}", {"x": {"b": "1", "a": "2"}},
     [('{"', "="), ("a", "key x.a 0"), ('":"', "="), ("2", "x.a 0"), ('","', "="), ("b", "key x.b 0"), ('":"', "="), ("1", "x.b 0"), ('"}', "=")]),
    ("{{ x|tojson(ensure_ascii=true) }}", {"x": "é!"}, [('"', "="), ("\\u00e9", "x 0"), ("!", "x 1"), ('"', "=")]),
    ("{{ x|tojson(indent=y) }}", {"x": {"k": 1}, "y": "ab"}, [('{\nab"k": 1\n}', "?")]),
    ("{{ x }}", {"x": {"k": "it's", "n": None}}, [("{'", "="), ("k", "key x.k 0"), ("': \"", "="), ("it's", "x.k 0"), ("\", '", "="), ("n", "key x.n 0"), ("': ", "="), ("None", "x.n 0"), ("}", "=")]),
    ("{{ [x, 'y', 1] }}", {"x": "a"}, [("['", "="), ("a", "x 0"), ("', 'y', 1]", "=")]),
    ("{% macro a() %}{% endmacro %}{{ [a, x] }}", {"x": "a"}, [("[<Macro 'a'>, '", "="), ("a", "x 0"), ("']", "=")]),
    ("{{ x }}{{ x|int }}{{ y|round|int }}{{ z|int }}", {"x": 41, "y": 6.2, "z": "73"}, [("41", "x 0"), ("41", "x 0"), ("6", "y 0"), ("73", "z 0")]),
    ("{{ x|length }}{{ x + 1 if x is number }}", {"x": "abc"}, [("3", "=")]),
    ("{% set s %}<{{ x }}>{% endset %}{{ s[1:] }}", {"x": "ab"}, [("ab", "x 0"), (">", "=")]),
    ("{% filter upper %}a{{ x }}{% endfilter %}", {"x": "b"}, [("A", "="), ("B", "x 0")]),
    ("{% macro m(v) %}[{{ v }}{{ caller() }}]{% endmacro %}{% call m(x) %}{{ y }}{% endcall %}", {"x": "1", "y": "2"},
     [("[", "="), ("1", "x 0"), ("2", "y 0"), ("]", "=")]),
    ("{% set ns = namespace(s='') %}{% for v in x %}{% set ns.s = ns.s + v + ';' %}{% endfor %}{{ ns.s }}", {"x": ["a", "b"]},
     [("a", "x[0] 0"), (";", "="), ("b", "x[1] 0"), (";", "=")]),
    ("{% for k, v in x.items() %}{{ k }}={{ v }} {% endfor %}", {"x": {"a b": "1"}}, [("a b", "key x['a b'] 0"), ("=", "="), ("1", "x['a b'] 0"), (" ", "=")]),
    ("{{ x|truncate(4, true, '..') }}", {"x": "abcdefghijkl"}, [("ab", "x 0"), ("..", "=")]),
    ("{{ x.center(4, '*') }}", {"x": "ab"}, [("*", "="), ("ab", "x 0"), ("*", "=")]),
    ("{{ x|title }}{{ x|capitalize }}", {"x": "ab cd"}, [("Ab Cd", "x 0"), ("Ab cd", "x 0")]),
    ("{{ 'ß' ~ x|upper }}", {"x": "ß"}, [("ß", "="), ("SS", "x 0")]),
    ("{{ x|wordwrap(2) }}{{ x|urlencode }}", {"x": "ab c"}, [("ab\nc", "x 0"), ("ab%20c", "x 0")]),
    ("{{ x }}{{ y }}", {"x": "twin", "y": "twin"}, [("twin", "x 0"), ("twin", "y 0")]),
    ("{{ y }}{{ x[1] }}", {"x": [7, 7], "y": 7}, [("7", "y 0"), ("7", "x[1] 0")]),
]  # fmt: skip


def place_of(origin):
    if origin.is_template:
        return "="
    return "?" if origin.kind == "derived" else f"{'key ' if origin.key else ''}{origin.path} {origin.start}"


@pytest.mark.parametrize(("source", "variables", "expected"), CASES, ids=[case[0] for case in CASES])
def test_where_text_came_from(source, variables, expected):
    """The prompt cut by origin, neighbours of the template in one."""
    prompt = ChatTemplate.from_string(source).trace([{"role": "user", "content": "-"}], variables=variables)
    found = []
    for segment in prompt.segments:
        place = place_of(segment.origin)
        if found and place == found[-1][1] and place in "=?":
            found[-1] = (found[-1][0] + segment.text, place)
        else:
            found.append((segment.text, place))
    assert found == expected
