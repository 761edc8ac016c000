"""Deep templates and deep values: text or a typed error, with whatever stack Python has left.

Each construct is tried at growing depth in this process, and in children with little recursion and with a thread of little
stack, where an error that is not ours, or a crash, ends the child.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llm_templates import TemplatesError
from llm_templates.engine import Limits, compile_template


def nested(opening, closing="", inner="1"):
    return lambda n: opening * n + inner + closing * n


def printed(make):
    return lambda n: "{{ " + make(n) + " }}"


def chained(first, link):
    return printed(lambda n: first + link * n)


def blocks(opening, closing):
    return nested(opening, closing, "x")


def deep_value(wrap, use):
    """A value nested by a namespace, one level a turn, and what is done with it."""
    return lambda n: (
        "{% set ns = namespace(v=1, w=1) %}{% for i in range("
        + str(n)
        + ") %}{% set ns.v = "
        + wrap.format("ns.v")
        + " %}"
        "{% set ns.w = " + wrap.format("ns.w") + " %}{% endfor %}" + use
    )


TREE = "{% set ns = namespace(t=[]) %}{% for i in range(LENGTH) %}{% set ns.t = [{'c': ns.t}] %}{% endfor %}"

#: What nests, as a function of the depth.
CONSTRUCTS = {
    "parentheses": printed(nested("(", ")")),
    "lists": printed(nested("[", "]")),
    "tuples": printed(nested("(", ",)")),
    "dicts": printed(nested("{'a': ", "}")),
    "indexes": printed(nested("x[", "]", "0")),
    "not": printed(nested("not ")),
    "minus": printed(nested("-")),
    "plus": printed(nested("+")),
    "minus in brackets": printed(nested("-(", ")")),
    "calls": printed(nested("range(", ")")),
    "calls of calls": chained("x", "()"),
    "arguments": printed(nested("dict(a=", ")")),
    "filters of arguments": printed(nested("'' | default(", ")", "''")),
    "attributes": chained("x", ".b"),
    "attributes of undefined": chained("x.y", ".b"),
    "items": chained("x", "[0]"),
    "slices": chained("'x'", "[0:]"),
    "methods": chained("'x'", ".strip()"),
    "filters": chained("'x'", " | trim"),
    "lazy filters": chained("'x'", " | map('upper')"),
    "tests": printed(nested("(", " is defined)")),
    "ternaries": printed(nested("1 if x else ")),
    "ternaries in conditions": printed(nested("1 if (", ") else 2")),
    "sums": chained("1", " + 1"),
    "sums of texts": chained("'a'", " + 'a'"),
    "sums of values": chained("x", " + x"),
    "sums to the right": printed(nested("1 + (", ")")),
    "products": chained("1", " * 1"),
    "powers": chained("1", " ** 1"),
    "concatenations": chained("'a'", " ~ x"),
    "concatenations in brackets": printed(nested("'a' ~ (", ")")),
    "and": chained("x", " and x"),
    "or": chained("x", " or x"),
    "and in or": printed(nested("x and (x or ", ")")),
    "comparisons": chained("1", " < 1"),
    "comparisons in brackets": printed(nested("(1 == ", ")")),
    "membership": chained("1", " in [1]"),
    "texts side by side": chained("'a'", " 'a'"),
    "output": lambda n: "{{ x }}" * n,
    "sets": lambda n: "{% set x = 1 %}" * n,
    "elif": lambda n: "{% if x %}a" + "{% elif x %}b" * n + "{% else %}c{% endif %}",
    "elif with reads": lambda n: "{% if x.a %}a" + "{% elif x.b.c == x.d[0] %}b" * n + "{% endif %}",
    "ifs": blocks("{% if 1 %}", "{% endif %}"),
    "elses": blocks("{% if x %}{% else %}", "{% endif %}"),
    "loops": blocks("{% for i in [1] %}", "{% endfor %}"),
    "loops with else": blocks("{% for i in [] %}{% else %}", "{% endfor %}"),
    "loops that use loop": blocks("{% for i in [1] %}{{ loop.index }}", "{% endfor %}"),
    "set blocks": blocks("{% set x %}", "{% endset %}"),
    "filter blocks": blocks("{% filter upper %}", "{% endfilter %}"),
    "with blocks": blocks("{% with x = 1 %}", "{% endwith %}"),
    "macros": blocks("{% macro m() %}", "{% endmacro %}"),
    "call blocks": lambda n: (
        "{% macro m() %}{{ caller() }}{% endmacro %}" + blocks("{% call m() %}", "{% endcall %}")(n)
    ),
    "generation blocks": blocks("{% generation %}", "{% endgeneration %}"),
    "blocks of all kinds": blocks(
        "{% if 1 %}{% for i in [1] %}{% with x = 1 %}{% set y %}", "{% endset %}{% endwith %}{% endfor %}{% endif %}"
    ),
    "macros side by side": lambda n: "{% macro m() %}{% endmacro %}" * n,
    "parameters": lambda n: "{% macro m(" + ", ".join(f"a{i}" for i in range(n)) + ") %}{% endmacro %}{{ m() }}",
    "targets": lambda n: "{% for " + "(" * n + "a" + ",)" * n + " in [] %}{% endfor %}",
    "names": lambda n: "{% set " + ", ".join(f"a{i}" for i in range(n)) + " = range(2) %}",
    "keywords": lambda n: "{{ dict(" + ", ".join(f"a{i}=1" for i in range(n)) + ") | length }}",
    "comments": nested("{# ", " #}"),
    "raw": nested("{% raw %}{{ ", "{% endraw %}"),
    "braces": nested("{", "}", ""),
    "recursion of a macro": lambda n: (
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(" + str(n) + ") }}"
    ),
    "recursion of two macros": lambda n: (
        "{% macro a(n) %}{% if n %}{{ b(n - 1) }}{% endif %}{% endmacro %}"
        "{% macro b(n) %}{% if n %}{{ a(n - 1) }}{% endif %}{% endmacro %}{{ a(" + str(n) + ") }}"
    ),
    "recursion through call blocks": lambda n: (
        "{% macro m(n) %}{% if n %}{% call m(n - 1) %}{% endcall %}{% endif %}{{ caller() if caller }}{% endmacro %}"
        "{{ m(" + str(n) + ") }}"
    ),
    "recursion through callers": lambda n: (
        "{% macro m(n) %}{% if n %}{% call m(n - 1) %}{{ caller() }}{% endcall %}{% else %}{{ caller() }}{% endif %}{% endmacro %}"
        "{% call m(" + str(n) + ") %}x{% endcall %}"
    ),
    "recursion through filters": lambda n: (
        "{% macro m(n) %}{% if n %}{{ [n - 1] | map('string') | map('int') | map('abs') | join | trim }}"
        "{% filter upper %}{{ m(n - 1) }}{% endfilter %}{% endif %}{% endmacro %}{{ m(" + str(n) + ") }}"
    ),
    "a recursive loop": lambda n: (
        TREE.replace("LENGTH", str(n)) + "{% for x in ns.t recursive %}{{ loop(x.c) }}.{% endfor %}"
    ),
    "a recursive loop without end": lambda n: "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "values printed": deep_value("[{}]", "{{ ns.v }}"),
    "values as JSON": deep_value("{{'k': {}}}", "{{ ns.v | tojson }}"),
    "values as JSON with an indent": deep_value("[{}]", "{{ ns.v | tojson(indent=1) }}"),
    "values compared": deep_value("[{}]", "{{ ns.v == ns.w }}"),
    "values in order": deep_value("({},)", "{{ ns.v < ns.w }}{{ [ns.v, ns.w] | sort }}"),
    "values as keys": deep_value("({},)", "{{ {ns.v: 1}[ns.w] }}{{ [ns.v] | unique | list | length }}"),
    "values searched": deep_value("[{}]", "{{ ns.v in [ns.w] }}"),
    "values of namespaces": deep_value("namespace(v={})", "{{ ns.v }}"),
    "values of lazy filters": deep_value("({} | map('list'))", "{{ ns.v | list }}"),
    "values never looked at": deep_value("[{}]", "{{ ns.v is defined }}"),
    "values pretty": deep_value("[{}]", "{{ ns.v | pprint }}"),
    "values in formats": deep_value("[{}]", "{{ '%s' % ns.v }}{{ '{}'.format(ns.v) }}{{ ns.v ~ '' }}"),
    "format fields": lambda n: "{{ '" + "{:" * n + "}" * n + "'.format(1, 2, 3) }}",
    "format paths": lambda n: "{{ '{0" + "[0]" * n + "}'.format([]) }}",
    "paths": lambda n: "{{ [{}] | map(attribute='" + "a." * n + "a') | list }}",
}
DEPTHS = [10**power for power in range(1, 6)]


def outcome(source, **options):
    """What becomes of a template: its text, or the type of the error, which is one of ours."""
    try:
        return compile_template(source, mutable=False, **options).render({})
    except TemplatesError as error:
        return type(error)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", CONSTRUCTS)
def test_ends_in_text_or_in_a_typed_error(name, depth):
    """No depth of any construct ends in Python's own errors."""
    outcome(CONSTRUCTS[name](depth))


#: What every construct is certain to be good for: honest templates nest less.
HONEST = 8


@pytest.mark.parametrize("name", [name for name in CONSTRUCTS if "without end" not in name])
def test_honest_depths_do_not_meet_a_limit(name):
    """Nesting that a person would write is never refused for its depth."""
    try:
        compile_template(CONSTRUCTS[name](HONEST), mutable=False).render({})
    except TemplatesError as error:
        assert type(error).__name__ != "BudgetError", error


def test_depths_within_the_limits_render_with_the_stack_python_has():
    """What the limits allow does render: the deepest accepted nesting of every construct gives no error of the stack."""
    for name, make in CONSTRUCTS.items():
        for depth in (*range(1, 30), 50, 59, 99):
            try:
                compile_template(make(depth), mutable=False).render({})
            except TemplatesError as error:
                assert "stack" not in str(error), (name, depth)


#: Limits of depth that somebody raised beyond reason.
RAISED = Limits(
    **dict.fromkeys(
        ("source", "tokens", "nodes", "depth", "blocks", "loops", "brackets", "value_depth", "calls"), 10_000_000
    )
)


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_without_limits_of_depth_python_stops_it_typed(name):
    """Where our limits are raised beyond what Python can do, its own refusals come out as ours."""
    for depth in (50, 300, 3_000):
        outcome(CONSTRUCTS[name](depth), limits=RAISED)


CHILD = """
import sys, threading
sys.path[:0] = {path!r}
from test_stack import CONSTRUCTS, outcome
from llm_templates.engine import compile_template

compile_template("{{% for x in [1] %}}{{{{ x | tojson }}}}{{{{ x | string | e | title }}}}{{% endfor %}}").render({{}})
texts = {{name: outcome(make(3)) for name, make in CONSTRUCTS.items()}}
refused = []

def work():
    {prepare}
    for name, make in CONSTRUCTS.items():
        for depth in (3, 10, 30, 60, 100, 1_000, 10_000, 100_000):
            found = outcome(make(depth) + {mark!r})
            if depth == 3 and isinstance(texts[name], str) and found != texts[name] + {mark!r}:
                refused.append(name)

threading.stack_size({stack})
thread = threading.Thread(target=work)
failed = []
threading.excepthook = lambda args: failed.append(repr(args.exc_value)[:500])
thread.start()
thread.join()
print(failed, refused)
sys.exit(bool(failed or refused))
"""


@pytest.mark.parametrize(
    ("stack", "prepare"),
    [
        pytest.param(256 * 1024, "pass", id="256 KiB of stack"),
        pytest.param(0, "sys.setrecursionlimit(200)", id="200 frames"),
        pytest.param(256 * 1024, "sys.setrecursionlimit(200)", id="both"),
    ],
)
def test_a_small_stack_is_enough(stack, prepare):
    """The same with a thread of 256 KiB, and with a limit of 200 frames: no crash, and shallow templates render."""
    path = [str(Path(__file__).parent), *filter(None, sys.path)]
    code = CHILD.format(path=path, prepare=prepare, stack=stack, mark=".")
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", code],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_an_exhausted_stack_is_a_typed_error():
    """A template that is rendered when Python's stack is nearly used up ends in a BudgetError or in its text."""
    template = compile_template(
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{% endif %}{{ [n] | tojson }}{% endmacro %}{{ m(20) }}"
    )
    seen = set()

    def deeper():
        try:
            seen.add(template.render({})[:3])
        except TemplatesError as error:
            seen.add(type(error).__name__)
        deeper()

    with pytest.raises(RecursionError):
        deeper()
    assert seen <= {"[0]", "BudgetError"}
