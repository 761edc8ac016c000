"""The budget: every limit is kept, work is charged before it is done, and honest conversations of any length render.

Nothing here reads the clock: what is measured is what a render charges, and what it allocates.
"""

import tracemalloc
from typing import NamedTuple

import pytest

from llm_templates import BudgetError, ChatTemplate
from llm_templates.engine import Limits, Run, compile_template, run_type
from llm_templates.lowering import ChatRun

KIB, MIB = 1 << 10, 1 << 20
DEFAULTS = Limits()
LOOSE = Limits(steps=10**12, created=10**12, value=10**12, output=10**12)


class Charged(NamedTuple):
    """What a render used up."""

    steps: int
    bytes: int


def charged(source, context=None, limits=LOOSE):
    """What rendering `source` charges."""
    run = run_type(Run, limits)()
    template = compile_template(source, mutable=False, limits=limits)
    template.run(run, template.values(context or {}))
    return Charged(limits.steps - run.steps_left, limits.created - run.bytes_left)


def charged_by(expression, **context):
    """What evaluating `expression` charges, besides what rendering any template does."""
    spent = charged("{% set x = (" + expression + ") %}", context)
    idle = charged("{% set x = 1 %}", context)
    return Charged(spent.steps - idle.steps, spent.bytes - idle.bytes)


def fits(source, context=None, /, **limits):
    """Whether a template stays within these limits, the others being as they are by default."""
    try:
        compile_template(source, mutable=False, limits=Limits(**limits)).render(context or {})
    except BudgetError:
        return False
    return True


def chat_fits(source, messages, /, **limits):
    """The same for a chat template."""
    try:
        ChatTemplate.from_string(source, limits=Limits(**limits)).render(messages)
    except BudgetError:
        return False
    return True


# -- every limit moves the outcome --


class Moves(NamedTuple):
    """A template that needs more than `scarce` of a limit, and no more than `enough`."""

    source: str
    scarce: int
    enough: int


FOR = "{% for a in [1] %}"
LIMITS = {
    "source": Moves("x" * 300, 299, 300),
    "tokens": Moves("{{ a }}" * 100, 250, 500),
    "nodes": Moves("{{ a }}" * 100, 100, 210),
    "depth": Moves("{{ a" + ".b" * 50 + " if false }}", 50, 60),
    "blocks": Moves("{% if 1 %}" * 10 + "{% endif %}" * 10, 9, 10),
    "loops": Moves(FOR * 10 + "{% endfor %}" * 10, 9, 10),
    "brackets": Moves("{{ " + "(" * 10 + "1" + ")" * 10 + " }}", 10, 11),
    "steps": Moves("{% for i in range(1000) %}{{ i }}{% endfor %}", 1_000, 8_000),
    "created": Moves("{% for i in range(100) %}{% set x = 'x' * 10000 %}{% endfor %}", 500_000, 1_100_000),
    "value": Moves("{% set x = 'x' * 10000 %}", 9_999, 10_000),
    "output": Moves("{% for i in range(100) %}" + "x" * 100 + "{% endfor %}", 9_999, 10_000),
    "value_depth": Moves("{{ " + "[" * 10 + "]" * 10 + " }}", 9, 10),
    "calls": Moves("{% macro m(n) %}{% if n %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(9) }}", 9, 10),
    "integer_bits": Moves("{% set x = 2 ** 99 %}{% set y = 2 ** 49 * 2 ** 49 %}", 98, 200),
    "range": Moves("{% set x = range(1000) %}", 999, 1_000),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_decides(name):
    """With less than it needs a template is refused, with as much as it needs it renders."""
    source, scarce, enough = LIMITS[name]
    assert not fits(source, **{name: scarce})
    assert fits(source, **{name: enough})


SPEAK = "{% for m in messages %}{% for n in messages %}{{ n.content | upper }}{% endfor %}{% endfor %}"
LONG = [{"role": "user", "content": "x" * 1000}] * 20
SCALED = {
    "steps_per_node": ({"steps": 100, "steps_per_pair": 0, "steps_per_byte": 0}, 10, 1_000),
    "steps_per_pair": ({"steps": 100, "steps_per_node": 0, "steps_per_byte": 0}, 10, 100),
    "steps_per_byte": ({"steps": 100, "steps_per_node": 0, "steps_per_pair": 0}, 0, 2),
    "created_per_byte": ({"created": 1_000, "created_per_byte_and_message": 0}, 10, 100),
    "created_per_byte_and_message": ({"created": 1_000, "created_per_byte": 0}, 0, 5),
    "value_per_byte": ({"value": 100}, 0, 1),
    "output_per_byte": ({"output": 100}, 10, 20),
}


@pytest.mark.parametrize("name", SCALED)
def test_a_limit_that_grows_with_the_input_decides(name):
    """The same for what every message, pair of messages or byte of input adds."""
    others, scarce, enough = SCALED[name]
    assert not chat_fits(SPEAK, LONG, **others, **{name: scarce})
    assert chat_fits(SPEAK, LONG, **others, **{name: enough})


def test_every_limit_has_a_test():
    """A limit that is added gets its row above."""
    assert set(Limits._fields) == LIMITS.keys() | SCALED.keys()


@pytest.mark.parametrize("name", ["loops", "blocks", "brackets", "calls", "value_depth"])
def test_limits_of_depth_count_what_is_nested_only(name):
    """What stands one after the other is not nested."""
    source, _, enough = LIMITS[name]
    assert fits(source * 5, **{name: enough})


# -- nothing large is made before it is charged --

#: Each asks for at least 100 MB at once, and must be refused before any of it is made.
AT_ONCE = {
    "times": "'x' * 1000000000",
    "times of wide text": "'😀' * 1000000000",
    "times of a list": "[1] * 1000000000",
    "times of a tuple": "(1, 2) * 1000000000",
    "times from the left": "1000000000 * 'x'",
    "center": "'x' | center(1000000000)",
    "the method center": "'x'.center(1000000000)",
    "ljust": "'x'.ljust(1000000000)",
    "rjust": "'x'.rjust(1000000000, '-')",
    "zfill": "'x'.zfill(1000000000)",
    "expandtabs": "'a\\tb'.expandtabs(1000000000)",
    "replace": "s | replace('a', s)",
    "the method replace": "s.replace('a', s)",
    "replace between all characters": "s.replace('', s)",
    "replace in markup": "(s | safe).replace('a', '<' * 10000)",
    "join": "s | join(s)",
    "the method join": "s.join(s)",
    "join of a list": "([s] * 100000) | join",
    "the method join of a list": "''.join([s] * 100000)",
    "join of markup": "('<' | safe).join(['<' * 10000] * 10000)",
    "indent": "'a\\nb' | indent(1000000000)",
    "indent with text": "lines | indent(s)",
    "indent of many lines": "lines | indent(100000, blank=true)",
    "batch": "[1] | batch(1000000000, 'x') | list",
    "slice": "([[]] * 100000) | map('slice', 100000) | map('list') | list",
    "% with a width": "'%1000000000d' % 1",
    "% with a precision": "'%.1000000000f' % 1.5",
    "% with a star": "'%*d' % (1000000000, 1)",
    "% with a star and a precision": "'%.*f' % (1000000000, 1.5)",
    "% with a negative star": "'%-*d' % (-1000000000, 1)",
    "% with a name": "'%(a)1000000000s' % {'a': 1}",
    "% many times": "('%s' * 1000) % ([s] * 1000)",
    "% with a name many times": "('%(a)s' * 100000) % {'a': s}",
    "the filter format": "'%1000000000d' | format(1)",
    "format with a width": "'{:1000000000}'.format(1)",
    "format with a nested width": "'{:{}}'.format(1, 1000000000)",
    "format with a nested precision": "'{:.{p}f}'.format(1.5, p=1000000000)",
    "format with a fill": "'{:x>1000000000}'.format('x')",
    "format many times": "('{0}' * 100000).format(s)",
    "format of markup": "(('{0}' * 1000) | safe).format('<' * 100000)",
    "tojson with an indent": "[1] | tojson(indent=1000000000)",
    "tojson with text to indent": "([[[[[[[[[[1]]]]]]]]]] * 1000) | tojson(indent=s)",
    "tojson with separators": "([1] * 10000) | tojson(separators=(s, s))",
    "tojson with a key separator": "dict.fromkeys(range(10000)) | tojson(separators=(',', s))",
    "wordwrap": "words | wordwrap(1, wrapstring=s)",
    "truncate": "(s * 10) | truncate(1000000000, end=s * 100000, leeway=0)",
    "a list of characters": "([s] * 100000) | map('list') | list",
    "split": "([words] * 100000) | map('urlencode') | list",
    "fromkeys": "([range(100000)] * 1000) | map('list') | list",
    "power": "9 ** (9 ** 9)",
    "power of a negative": "(-9) ** 999999999",
    "a clock": "strftime_now('%c' * 100000000)",
    "round": "1.5 | round(100000000)",
    "range": "range(10 ** 9) | list",
    "fields of a format": "('{{' * 500000).format()",
    "fields of %": "('%(a)s' * 200000) % {'a': ''}",
    "paths to sort by": "[1] | sort(attribute='a,' * 500000)",
    "parts of a path": "[1] | map(attribute='a.' * 500000) | list",
    "sum of lists": "([[1] * 10000] * 10000) | sum(start=[])",
    "tojson of a shared list": "([[0] * 100000] * 100000) | tojson",
    "text of a shared list": "([[0] * 100000] * 100000) | string",
    "pprint of a shared list": "([[0] * 100000] * 100000) | pprint",
}
CONTEXT = {"s": "a" * 100_000, "lines": "a\n" * 50_000, "words": "a b " * 25_000}
SMALL = Limits(value=MIB, created=3 * MIB, output=MIB, steps=2_000_000)


def peak(source, context, limits, chars_per_byte=1):
    """The most memory rendering takes, in bytes, and whether the budget ended it; the template is compiled before."""
    template = compile_template(source, mutable=False, limits=limits)
    tracemalloc.start()
    try:
        template.render(context)
        ended = False
    except BudgetError:
        ended = True
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return most, ended


@pytest.mark.parametrize("name", AT_ONCE)
def test_a_large_value_is_refused_before_it_is_made(name):
    """No more is allocated than a few times the limit of one value."""
    most, ended = peak("{% set x = " + AT_ONCE[name] + " %}", CONTEXT, SMALL)
    assert ended
    assert most < 4 * MIB


#: Each makes a little more at every turn.
GROWING = {
    "~": "{% set ns.s = ns.s ~ ns.s %}",
    "+": "{% set ns.s = ns.s + ns.s %}",
    "a set block": "{% set ns.s %}{{ ns.s }}{{ ns.s }}{% endset %}",
    "a macro": "{% set ns.s = double(ns.s) %}",
    "a call block": "{% set ns.s %}{% call twice() %}{{ ns.s }}{% endcall %}{% endset %}",
    "a filter block": "{% set ns.s %}{% filter upper %}{{ ns.s }}{{ ns.s }}{% endfilter %}{% endset %}",
    "a list": "{% set ns.l = ns.l + ns.l %}",
    "a list of texts": "{% set ns.l = ns.l + [ns.s ~ 'x' * 1000] %}",
    "slices": "{% set ns.l = ns.l + [long[1:]] %}",
    "splits": "{% set ns.l = ns.l + [long.split('b')] %}",
    "stripped texts": "{% set ns.l = ns.l + [(' ' ~ long).strip()] %}",
    "replaced texts": "{% set ns.l = ns.l + [long | replace('a', 'b')] %}",
    "case": "{% set ns.l = ns.l + [long | upper] %}",
    "dicts": "{% set ns.l = ns.l + [dict.fromkeys(range(1000), ns)] %}",
    "copies of a dict": "{% set ns.l = ns.l + [dict(table)] %}",
    "views": "{% set ns.l = ns.l + [table.items()] %}",
    "namespaces": "{% set ns.l = [ns.l, namespace(**table)] %}",
    "tuples": "{% set ns.l = ns.l + [(1, 2) * 1000] %}",
    "escapes": "{% set ns.s = (ns.s ~ '&') | forceescape %}",
    "quotes": "{% set ns.s = (ns.s ~ ns.s) | urlencode %}",
    "JSON": "{% set ns.s = (ns.s ~ '\"') | tojson %}",
    "JSON of a list": "{% set ns.s = [ns.s, ns.s] | tojson %}",
    "text of a list": "{% set ns.s = [ns.s, ns.s] | string %}",
    "a printed list": "{% set ns.s %}{{ [ns.s, '\\x00', ns.s] }}{% endset %}",
    "%": "{% set ns.s = '%s%s' % (ns.s, ns.s) %}",
    "format": "{% set ns.s = '{0}{0}'.format(ns.s) %}",
    "join": "{% set ns.s = [ns.s, ns.s] | join('-') %}",
    "the method join": "{% set ns.s = '-'.join([ns.s, ns.s]) %}",
    "replace": "{% set ns.s = (ns.s ~ 'x') | replace('x', 'xx') %}",
    "indent": "{% set ns.s = (ns.s ~ '\\n' ~ ns.s) | indent %}",
    "sums": "{% set ns.l = [ns.l, ns.l] | sum(start=[]) %}",
    "streams": "{% set ns.l = ns.l + [range(1000) | map('string') | list] %}",
    "batches": "{% set ns.l = ns.l + [range(1000) | batch(3) | list] %}",
    "groups": "{% set ns.l = ns.l + [([{'a': 1}] * 1000) | groupby('a')] %}",
    "sorted lists": "{% set ns.l = ns.l + [range(1000) | sort] %}",
    "unique lists": "{% set ns.l = ns.l + [range(1000) | unique | list] %}",
    "undefined values": "{% set ns.l = ns.l + [range(1000) | map(attribute='x') | list] %}",
    "undefined values of long names": "{% set ns.l = ns.l + [{}[long], long[long]] %}",
    "streams in lists": "{% set ns.l = ns.l + [([[]] * 1000) | map('map', 'string') | list] %}",
    "lists in lists": "{% set ns.l = ns.l + [range(1000) | batch(1) | list] %}",
    "ranges as lists": "{% set ns.l = ns.l + [range(1000, 9000) | list] %}",
    "numbers in lists": "{% set ns.l = ns.l + [range(1000) | map('float') | list] %}",
    "output": "{{ long }}",
}
MACROS = (
    "{% macro double(x) %}{{ x }}{{ x }}{% endmacro %}{% macro twice() %}{{ caller() }}{{ caller() }}{% endmacro %}"
    "{% set ns = namespace(s='xxxxxxxx', l=[1]) %}"
)


@pytest.mark.parametrize("wide", [False, True], ids=["narrow", "wide"])
@pytest.mark.parametrize("name", GROWING)
def test_what_grows_is_stopped(name, wide):
    """Values made one after the other end at the limit of all of them, whatever the width of their characters."""
    source = MACROS + "{% for i in range(3000) %}" + GROWING[name] + "{% endfor %}"
    if wide:
        source = source.replace("'xxxxxxxx'", "'😀xxxxxxx'").replace("'x'", "'😀'")
    context = {"long": ("😀" if wide else "a") * 20_000, "table": dict.fromkeys(map(str, range(1000)))}
    most, ended = peak(source, context, SMALL)
    assert ended
    assert most < 8 * MIB


def test_the_largest_values_by_default_are_small():
    """With default limits, no template makes more than some tens of megabytes, also of characters four bytes wide."""
    three = "".join(f"{{% set {name} = '😀' * (2 ** 23 - 1) %}}" for name in "abc")
    assert peak(three, {}, DEFAULTS)[0] < 64 * MIB


# -- work is charged in proportion --

#: With texts of a million characters each of these reads all of one: `same` and `equal` are equal, `other` ends otherwise.
READS_TEXT = [
    *("equal == same", "equal != same", "other == same", "other < same", "other > same", "other is eq(same)"),
    *("same in [other]", "[other] == [same]", "(other,) < (same,)", "[other].count(same)", "[equal].index(same)"),
    *("{'k': other} == {'k': same}", "{equal: 1}[same]", "{equal: 1}.get(same)", "same in {equal: 1}"),
    *("[other] | select('equalto', same) | list", "[{'k': other}] | selectattr('k', 'equalto', same) | list"),
    *("[{'k': other}] | rejectattr('k', 'equalto', same) | list", "[other, same] | sort", "[other, same] | max"),
    *("[equal, same] | unique | list", "[{'k': equal}, {'k': same}] | groupby('k')", "'b' in same", "'b' not in same"),
    *("same.find('b')", "same.rfind('b')", "same.count('b')", "same.index('a')", "same.rindex('a')"),
    *("same.startswith(other)", "same.startswith(equal)", "same.endswith(equal)", "same.isalnum()", "same.isspace()"),
    *("same.islower()", "same.isprintable()", "same is lower", "same is upper", "same.split('b')", "same.split()"),
    *(
        "same.rsplit('b')",
        "same.partition('b')",
        "same.rpartition('b')",
        "same.replace('b', 'c')",
        "same | replace('b', 'c')",
    ),
    *(
        "same.splitlines()",
        "same.expandtabs()",
        "same.removeprefix(equal)",
        "same.upper()",
        "same | lower",
        "same | title",
    ),
    *(
        "same.strip('a')",
        "blank | trim",
        "blank.strip()",
        "blank.rstrip(' ')",
        "same | trim | wordcount",
        "same | wordwrap(100000)",
        "same | tojson",
        "same | urlencode",
    ),
    *(
        "same | e",
        "same | striptags",
        "same | string | upper",
        "same | list",
        "same | reverse",
        "same[1:]",
        "same ~ '!'",
    ),
    *(
        "'%s' % same",
        "'{}'.format(same)",
        "'{:>5}'.format(same)",
        "[same] | join",
        "[same] | string",
        "same | center(10)",
    ),
    *("same | int", "same | float", "same | format", "same | indent", "same | safe | e | forceescape", "same | pprint"),
    *("('' ~ same) | truncate(999990)", "{same ~ '': 1}", "dict([[same ~ '', 1]])", "dict.fromkeys([same ~ ''])"),
]


@pytest.mark.parametrize("expression", READS_TEXT)
def test_reading_a_text_is_charged(expression):
    """An operation that may look at every character of a text charges a step for every 64, or bytes for a copy."""
    size = 1_000_000
    context = {
        "same": "a" * size,
        "equal": "a" * (size - 1) + "a",
        "other": "a" * (size - 1) + "b",
        "blank": " " * size,
    }
    assert context["same"] is not context["equal"]
    try:
        spent = charged_by(expression, **context)
    except BudgetError:
        return
    assert spent.steps >= size >> 6 or spent.bytes >= size


#: Each looks at all of a list of 10,000 items.
READS_LIST = [
    *("items == same", "items != same", "items < same", "99999 in items", "items.count(1)", "items.index(9999)"),
    *("items | list", "items | sum", "items | sort", "items | max", "items | min", "items | unique | list"),
    *("items | join", "items | string", "items | tojson", "items | pprint", "items | map('string') | list"),
    *("items | select('odd') | list", "items | reject | list", "items | reverse | list", "items | batch(3) | list"),
    *("items | slice(3) | list", "items + items", "items * 2", "items[1:]", "items[::-1]", "items | map('abs') | last"),
    *("items | groupby('real')", "items | selectattr('x') | list", "items | rejectattr('x', 'defined') | list"),
    *("items | map(attribute='x') | list", "dict.fromkeys(items)", "'%s' % items", "'{}'.format(items)", "items ~ ''"),
    *("[items] | first | string", "(items,) == (same,)", "{'a': items} == {'a': same}", "[same] | unique | list"),
    *("items in [same]", "items is in [same]", "items is eq(same)", "cycler(*items)", "items.copy()"),
]


@pytest.mark.parametrize("expression", READS_LIST)
def test_reading_a_list_is_charged(expression):
    """An operation that may look at every item of a list charges a step for every eight bytes of it."""
    size = 10_000
    context = {"items": list(range(size)), "same": list(range(size))}
    try:
        spent = charged_by(expression, **context)
    except BudgetError:
        return
    except Exception as error:
        assert "unhashable" in str(error) or "reversible" in str(error)
        return
    assert spent.steps >= size >> 3


FORWARDS = ["find", "index", "count", "split", "partition"]
BACKWARDS = ["rfind", "rindex", "rsplit", "rpartition"]


@pytest.mark.parametrize(
    ("method", "size"),
    [(method, 2_000) for method in FORWARDS] + [(method, size) for method in BACKWARDS for size in (2_000, 29_000)],
)
def test_searches_that_backtrack_are_charged(method, size):
    """Python searches backwards, and in short text forwards, in time of the product of both lengths."""
    text, part = "a" * size, "a" * (size // 4) + "b" + "a" * (size // 4)
    try:
        spent = charged_by(f"text.{method}(part)", text=text, part=part)
    except Exception as error:
        assert "not found" in str(error)
        spent = charged_by(f"text.{method.replace('index', 'find')}(part)", text=text, part=part)
    assert spent.steps >= len(text) * len(part) >> 10


COLLIDING = "(range(0, 4000 * (2 ** 61 - 1), 2 ** 61 - 1) | list)"


@pytest.mark.parametrize("expression", ["dict.fromkeys({0})", "{0} | unique | list", "dict({0} | batch(2) | list)"])
def test_keys_that_hash_alike_are_charged(expression):
    """Numbers that all have the same hash cost a dict or a set time of the square of their count."""
    with pytest.raises(BudgetError):
        compile_template("{% set x = " + expression.format(COLLIDING) + " %}", limits=Limits(steps=1_000_000)).render(
            {}
        )


# -- values with shared branches, deep values, values that hold themselves --

SHARED = (
    "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(40) %}"
    "{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}"
)
USES = [
    *("ns.a == ns.b", "ns.a != ns.b", "ns.a < ns.b", "ns.a in [ns.b]", "[ns.a] == [ns.b]", "ns.a is eq(ns.b)"),
    *("ns.a | tojson", "ns.a | tojson(indent=1)", "ns.a | string", "ns.a | pprint", "ns.a ~ ''", "'%s' % ns.a"),
    *("'%s' % (ns.a,)", "'%(x)s' % {'x': ns.a}", "'{}'.format(ns.a)", "'{!r}'.format(ns.a)", "[ns.a, ns.b] | sort"),
    *("[ns.a, ns.b] | unique | list", "[ns.a] | groupby(0)", "[ns.b].count(ns.a)", "[ns.b].index(ns.a)"),
    *("[ns.a] | join", "[ns.a, ns.b] | max", "[ns.a] | select('equalto', ns.b) | list", "{'x': ns.a} == {'x': ns.b}"),
    *("[{'x': ns.a}] | selectattr('x', 'equalto', ns.b) | list", "ns.a | e", "ns.a | upper", "ns.a | urlencode"),
    *("[ns.a] | map('string') | list", "dict(x=ns.a) | string", "ns | string", "namespace(x=ns.a) | string"),
]
TREES = {
    "lists": SHARED,
    "dicts": SHARED.replace("[ns.a, ns.a]", "{'l': ns.a, 'r': ns.a}").replace("[ns.b, ns.b]", "{'l': ns.b, 'r': ns.b}"),
    "tuples": SHARED.replace("[ns.a, ns.a]", "(ns.a, ns.a)").replace("[ns.b, ns.b]", "(ns.b, ns.b)"),
    "views": SHARED.replace("[ns.a, ns.a]", "{'l': ns.a, 'r': ns.a}.values()").replace(
        "[ns.b, ns.b]", "{'l': ns.b, 'r': ns.b}.values()"
    ),
    "namespaces": SHARED.replace("[ns.a, ns.a]", "namespace(l=ns.a, r=ns.a)").replace(
        "[ns.b, ns.b]", "namespace(l=ns.b, r=ns.b)"
    ),
}


@pytest.mark.parametrize("expression", USES)
@pytest.mark.parametrize("kind", TREES)
def test_a_tree_of_shared_branches_is_charged_by_its_leaves(kind, expression):
    """Forty lists that each hold the last twice have a thousand billion leaves; looking at them is refused, or not done."""
    source = TREES[kind] + "{% set x = " + expression + " %}{{ x }}"
    template = compile_template(source, mutable=False, limits=Limits(steps=100_000))
    tracemalloc.start()
    try:
        template.render({})
    except Exception as error:
        assert type(error) is BudgetError or (kind in ("views", "namespaces") and error.line), error
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 16 * MIB


@pytest.mark.parametrize("expression", USES)
@pytest.mark.parametrize("wrap", ["[ns.{0}]", "{{'k': ns.{0}}}", "(ns.{0},)", "namespace(k=ns.{0})"])
def test_a_value_as_deep_as_it_likes_is_refused_or_used(wrap, expression):
    """A value nested 5,000 deep by a namespace ends in a typed error or in text."""
    grow = "".join(f"{{% set ns.{name} = {wrap.format(name)} %}}" for name in "ab")
    source = "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(5000) %}" + grow + "{% endfor %}"
    with pytest.raises(Exception, match="nested deeper|stack|support|serializ|unpack") as caught:
        compile_template(source + "{{ " + expression + " }}", mutable=False).render({})
    assert caught.value.line


@pytest.mark.parametrize("expression", [use.replace("ns.b", "ns.a") for use in USES])
def test_a_namespace_that_holds_itself_is_refused(expression):
    """Whatever walks it ends."""
    source = "{% set ns = namespace() %}{% set ns.a = [ns] %}{% set x = " + expression + " %}done"
    try:
        assert compile_template(source, mutable=False).render({}) == "done"
    except Exception as error:
        assert error.line == 1


def test_a_list_that_holds_itself_is_refused():
    """Outside of chat a list can hold itself; printing it ends in an error."""
    template = compile_template("{% set l = [] %}{% set _ = l.append(l) %}{{ l }}")
    with pytest.raises(BudgetError, match="nested deeper"):
        template.render({})


def test_input_that_holds_itself_is_refused():
    """A caller's list that holds itself ends in an error where all of it is looked at."""
    loop = []
    loop.append(loop)
    for source in ("{{ x }}", "{{ x | tojson }}", "{{ x == [1] }}", "{{ [x] | unique | list }}"):
        with pytest.raises(BudgetError, match="nested deeper"):
            compile_template(source, mutable=False).render({"x": loop})


# -- steps grow with the input --

QUADRATIC = (
    "{% for m in messages %}{% set ns = namespace(users=0) %}"
    "{% for n in messages[:loop.index0] %}{% if n.role == 'user' %}{% set ns.users = ns.users + 1 %}{% endif %}"
    "{% endfor %}{{ m.role }} {{ ns.users }}: {{ m.content }}\n{% endfor %}"
)
CUBIC = (
    "{% for a in messages %}{% for b in messages %}{% for c in messages %}{% if a == b == c %}x{% endif %}"
    "{% endfor %}{% endfor %}{% endfor %}"
)


def conversation(length):
    roles = ("user", "assistant")
    return [
        {"role": roles[i % 2], "content": f"message {i} says this in about sixty characters."} for i in range(length)
    ]


def chat_steps(source, messages):
    """The steps a chat template takes, and those it may take."""
    template = compile_template(source, mutable=False, parameters=("messages",), limits=LOOSE)
    run = run_type(ChatRun, LOOSE)()
    run.inputs = (messages, None, None, None)
    template.run(run, template.values({}), messages)
    allowed = run_type(ChatRun, DEFAULTS)()
    allowed.inputs = run.inputs
    allowed.spend(DEFAULTS.steps + 1)
    return LOOSE.steps - run.steps_left, DEFAULTS.steps + 1 + allowed.steps_left


@pytest.mark.parametrize("length", [1_000, 4_000])
def test_an_honest_quadratic_template_renders_any_conversation(length):
    """A template that looks back from every message renders, with default limits and at most half of the steps."""
    messages = conversation(length)
    taken, allowed = chat_steps(QUADRATIC, messages)
    assert taken <= allowed // 2
    assert ChatTemplate.from_string(QUADRATIC).render(messages).count("\n") == length


@pytest.mark.parametrize("length", [100, 200])
def test_a_cubic_template_is_stopped(length):
    """What a hostile template may take stays in proportion to the pairs of messages."""
    with pytest.raises(BudgetError, match="steps"):
        ChatTemplate.from_string(CUBIC).render(conversation(length))


def test_a_long_message_renders():
    """The limits grow with the bytes of the input: 30 MB of text in one message are written and searched."""
    text = "word " * 6_000_000
    template = ChatTemplate.from_string(
        "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}{{ m.content.count('x') }}{% if 'y' in m.content %}y{% endif %}{% endfor %}"
    )
    assert len(template.render([{"role": "user", "content": text}])) == len(text) - 1 + 7


def test_the_same_render_is_charged_the_same():
    """What is charged depends on template and input alone."""
    assert len({chat_steps(QUADRATIC, conversation(50)) for _ in range(3)}) == 1


def test_a_refusal_says_what_to_do():
    """The error names the template line and the limit to raise."""
    with pytest.raises(BudgetError) as caught:
        compile_template("a\n{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}").render(
            {}
        )
    assert caught.value.line == 2
    assert "Limits(steps=" in str(caught.value)
