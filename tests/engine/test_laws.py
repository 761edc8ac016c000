"""Laws of the engine over random templates' inputs: deterministic, picklable, shared by threads, equal to the reference."""

import copy
import enum
import json
import os
import pickle
import subprocess
import sys
import threading
from collections import OrderedDict
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from fuzz import oracle
from fuzz.contexts import CONTEXTS
from llm_templates import ChatTemplate, RaisedError, TemplatesError
from llm_templates.engine import compile_template

SLOW = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

# -- the same text in every process --

TOUCHES_EVERYTHING = """
{% macro show(x, y='d') %}[{{ x }}{{ y }}{{ varargs }}{{ kwargs }}]{% endmacro %}
{% set ns = namespace(n=0, seen=[]) %}
{% for m in messages %}
{{ loop.index }} {{ m.role }} {{ m.content | string | upper | e }} {{ m | tojson }} {{ m }} {{ show(m.role, 1, 2, z=3, a=4) }}
{% for key, value in m.items() %}{{ key }}={{ value | tojson(indent=1) }};{% endfor %}
{% for key, value in m | dictsort %}{{ key }}:{{ value is string }}{% endfor %}
{% set ns.n = ns.n + m.content | length %}{% set ns.seen = ns.seen + [m.role] %}
{% endfor %}
{{ ns.n }} {{ ns.seen | unique | list }} {{ ns.seen | sort }} {{ messages | groupby('role') | map('first') | list }}
{{ messages | map(attribute='role') | join(',') }} {{ messages | selectattr('role', 'equalto', 'user') | list | length }}
{{ dict(z=1, a=2, **{'m': 3}) }} {{ {'b': 1, 'a': [2, {'c': 3}]} | tojson(sort_keys=true) }} {{ ns }} {{ show }} {{ loop is defined }}
{{ words | sort(case_sensitive=true) }} {{ words | unique | list }} {{ words | map('title') | list }} {{ strftime_now('%Y-%m-%d') }}
{{ 'abc' | list | reverse | list }} {{ '%s %r' % (words, data) }} {{ '{0} {1!r}'.format(words, data) }} {{ dict.fromkeys(words, 0) }}
"""
CHILD = """
import sys
sys.path[:0] = {path!r}
from fuzz.contexts import plain
from fuzz.oracle import NOW
from llm_templates import TemplatesError
from llm_templates.engine import compile_template
template = compile_template({source!r}, mutable=False)
sys.stdout.buffer.write(template.render(plain(), now=NOW).encode() + template.generated.encode())
try:
    compile_template("{{{{ [1, none, 'a'] | sort }}}}").render({{}})
except TemplatesError as error:
    sys.stdout.buffer.write(str(error).encode())
"""


def test_every_process_gives_the_same_text():
    """Neither the text, nor the generated code, nor an error's text depends on the seed of Python's hashes."""
    code = CHILD.format(path=[path for path in sys.path if path], source=TOUCHES_EVERYTHING)
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(outputs) == 1
    (output,) = outputs
    assert b"HELLO THERE" in output
    assert b"not supported between" in output


def test_a_template_renders_the_same_after_pickling():
    """A template goes through pickle as its source and options; what comes out renders and fails equally."""
    template = compile_template(TOUCHES_EVERYTHING, trim_blocks=False, mutable=False)
    again = pickle.loads(pickle.dumps(template))
    context = CONTEXTS["plain"]()
    assert again.render(context, now=oracle.NOW) == template.render(context, now=oracle.NOW)
    chat = ChatTemplate.from_string(
        "{{ bos_token }}{{ messages[0].content }}{{ x }}", special_tokens={"bos_token": "<s>"}, name="n"
    )
    copied = pickle.loads(pickle.dumps(chat))
    arguments = {"messages": [{"role": "user", "content": "Hi"}], "variables": {"x": 1}}
    assert copied.render(**arguments) == chat.render(**arguments) == "<s>Hi1"
    assert (copied.name, copied.special_tokens, copied.source) == (chat.name, chat.special_tokens, chat.source)


@pytest.mark.parametrize(
    "source", ["{{ x.y.z }}", "a\n{{ 1 / 0 }}", "{{ raise_exception('no') }}", "{{ 'x' * 10 ** 9 }}", "{% if %}"]
)
def test_an_error_is_the_same_after_pickling(source):
    """Errors travel between processes with all they say."""
    with pytest.raises(TemplatesError) as caught:
        compile_template(source).render({"x": {}})
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is type(caught.value)
    assert (str(again), again.message, again.line, again.excerpt, again.hint) == (
        str(caught.value),
        *(getattr(caught.value, name) for name in ("message", "line", "excerpt", "hint")),
    )


def test_threads_share_a_template():
    """Renders of one template at the same time do not disturb each other, also where they fail."""
    template = compile_template(TOUCHES_EVERYTHING, mutable=False)
    chat = ChatTemplate.from_string(
        "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{{ m | tojson }}{{ loop.cycle('a', 'b') }}"
        "{% endfor %}{{ ns.n }}{{ messages[-1].missing.x if ns.n is odd }}"
    )
    contexts = [CONTEXTS[name]() for name in ("plain", "calls")]
    expected = [template.render(context, now=oracle.NOW) for context in contexts]
    failures = []

    def work(number):
        for turn in range(60):
            index = (number + turn) % len(contexts)
            if template.render(contexts[index], now=oracle.NOW) != expected[index]:
                failures.append("engine")
            messages = [{"role": "user", "content": str(number), "thinking": "t", "x": None}] * (1 + (turn % 4))
            try:
                text = chat.render(messages)
            except TemplatesError:
                text = None
            if (text is None) != (len(messages) % 2 == 1) or (text and not text.endswith(str(len(messages)))):
                failures.append("chat")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


# -- operations on text equal Python's --

ODD_TEXTS = [
    "",
    " ",
    "\n",
    "\r\n",
    "\u2028",
    "\x1c",
    "ß",
    "ŉ",
    "İ",
    "ǆ",
    "ﬁ",
    "e\u0301",
    "😀",
    "\ud83d",
    "\u00a0",
    "\u200b",
    "&amp;",
    "<b>",
    "'\"",
    "\\",
    "%",
    "{}",
    "\x00",
    "a" * 70,
]
TEXTS = st.text(max_size=12) | st.lists(
    st.sampled_from([*ODD_TEXTS, "a", "b", " ", "A", "1", "-", "_", "."]), max_size=8
).map("".join)
SHORT = st.text(max_size=3) | st.sampled_from(["", " ", "a", "b", "\n", "ab"])
SMALL = st.integers(-3, 20)
ARGUMENTS = {
    **dict.fromkeys(("capitalize", "casefold", "lower", "swapcase", "title", "upper"), ()),
    **dict.fromkeys(("isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower"), ()),
    **dict.fromkeys(("isnumeric", "isprintable", "isspace", "istitle", "isupper"), ()),
    **dict.fromkeys(("strip", "lstrip", "rstrip"), (SHORT | st.none(),)),
    **dict.fromkeys(("removeprefix", "removesuffix"), (SHORT,)),
    **dict.fromkeys(("count", "find", "rfind", "index", "rindex", "startswith", "endswith"), (SHORT, SMALL, SMALL)),
    **dict.fromkeys(("split", "rsplit"), (SHORT | st.none(), SMALL)),
    **dict.fromkeys(("partition", "rpartition"), (SHORT,)),
    **dict.fromkeys(("center", "ljust", "rjust"), (SMALL, SHORT)),
    "zfill": (SMALL,),
    "expandtabs": (SMALL,),
    "replace": (SHORT, SHORT, SMALL),
    "join": (st.lists(SHORT, max_size=4),),
    "splitlines": (st.booleans(),),
}


@pytest.mark.parametrize("method", ARGUMENTS)
@SLOW
@given(data=st.data())
def test_a_method_of_text_is_pythons(method, data):
    """With any arguments, a method gives what Python's does, or fails where that fails."""
    value = data.draw(TEXTS)
    arguments = [data.draw(strategy) for strategy in ARGUMENTS[method]]
    arguments = arguments[: data.draw(st.integers(0, len(arguments)))]
    names = "abc"[: len(arguments)]
    template = compile_template("{% set r = v." + method + "(" + ", ".join(names) + ") %}{{ [r] }}", mutable=False)
    try:
        expected = repr([getattr(value, method)(*arguments)])
    except (TypeError, ValueError):
        expected = None
    try:
        text = template.render({"v": value, **dict(zip(names, arguments, strict=True))})
    except TemplatesError:
        text = None
    assert text == expected


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(TEXTS | st.integers() | st.none(), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)
NUMBERS = st.booleans() | st.integers(-1000, 1000) | st.floats(-1e6, 1e6) | st.integers(-(2**70), 2**70) | st.floats()
LISTS = st.one_of(
    st.lists(st.integers(-5, 5), max_size=5),
    st.lists(SHORT, max_size=5),
    st.lists(st.tuples(SHORT, st.integers(0, 3)), max_size=4),
    st.lists(st.fixed_dictionaries({"a": st.integers(0, 3) | SHORT}, optional={"b": st.none()}), max_size=4),
)
MAPS = st.dictionaries(SHORT | st.sampled_from(["a", "b", "B"]), st.integers(0, 3) | SHORT | st.none(), max_size=4)


def mostly(strategy):
    """Values of one kind, and in one of five cases any others."""
    return st.integers(0, 4).flatmap(lambda number: strategy if number else VALUES)


#: Operations over `v`, `w` and a small number `n`, by the kinds of value that `v` and `w` mostly are.
OPERATIONS = {
    "numbers": (mostly(NUMBERS), mostly(NUMBERS), [
        *("v | abs", "v | float", "v | float(w)", "v | int", "v | int(w, 16)", "v | round | string", "v | filesizeformat", "v | filesizeformat(true)"),
        *("v + w", "v * n", "n * v", "v - n", "v - w", "v // n", "v % n", "v ** n", "v / n", "v / w", "v % w", "v // w", "-v", "+v", "v < w", "v >= w", "v == w"),
        *("v is odd", "v is even", "v is divisibleby n", "v is number", "v is integer", "'%d' % v", "'%.2f' % v", "'%x' % v", "'%5.1e|%g' % (v, w)", "'%*d' % (n, v)"),
        *("'%c' % v", "'{:.2f}'.format(v)", "'{:05d}'.format(v)", "'{:,}'.format(v)", "'{:{}}'.format(v, n)", "'{:>8}{:+}'.format(v, w)", "v.real", "v.is_integer()"),
        *("range(n) | list", "range(v) | list", "range(n, v, w) | list", "v in range(n)", "v | string | int", "v | tojson", "[v, w] | sum", "[v, w] | max", "[v, w] | sort"),
    ]),
    "rounding": (NUMBERS, NUMBERS, ["v | round(n, 'ceil')", "v | round(1, 'floor')", "v | round(-n)", "v | round(n)"]),
    "texts": (mostly(TEXTS), mostly(SHORT), [
        *("v | capitalize", "v | center(n)", "v | e", "v | forceescape", "v | indent(n)", "v | indent(n, true, true)", "v | indent(w, blank=true)", "v | lower", "v | upper"),
        *("v | replace(w, 'x')", "v | replace('a', w, n)", "v | reverse", "v | safe", "v | striptags", "v | title", "v | trim", "v | trim(w)", "v | truncate(n, true, '')"),
        *("v | truncate(n, false, '', 0)", "v | truncate(n, leeway=0)", "v | urlencode", "v | wordcount", "v | wordwrap(n)", "v | wordwrap(n, false, '|', false)", "v | int", "v | float"),
        *("v | list", "v | first", "v | last", "v | length", "v | join(w)", "v | tojson", "v | tojson(true)", "v | pprint", "('%s' ~ v) | format(w)", "v | unique | list", "v | sort", "v | max"),
        *("v ~ w", "v + w", "v * n", "v % w", "v < w", "w in v", "v[n]", "v[n:]", "v[:n]", "v[::n]", "'%s' % v", "'%5s|%-5s' % (v, w)", "'%r' % [v]", "'{}'.format(v)", "'{:>5}'.format(v)"),
        *("'{0!r}{0!s}'.format(v)", "v.format(w, n)", "(v | safe) + w", "v + (w | e)", "(v | e) ~ w", "(v | safe) % w", "(v | safe).format(w)", "[v | safe, w] | join", "(w | e) is escaped"),
        *("(v | safe).join([w, 'x'])", "(v | e | title) + w", "(v | safe).split(w)", "(v | safe).unescape()", "(v | safe).striptags()", "(v | safe | replace('a', w))", "[v | e]", "v is lower"),
    ]),
    "lists": (mostly(LISTS), mostly(LISTS | NUMBERS | SHORT), [
        *("v | batch(n) | list", "v | batch(n, w) | list", "v | first", "v | last", "v | groupby('a') | list", "v | groupby(0) | list", "v | groupby('a', default=n) | map('list') | list"),
        *("v | join", "v | join(w)", "v | join(',', 'a')", "v | length", "v | list", "v | max", "v | min(attribute='a')", "v | map('string') | list", "v | map(attribute='a') | list"),
        *("v | map(attribute='a', default='z') | list", "v | map(attribute=0) | list", "v | map('first') | list", "v | select | list", "v | reject('string') | list", "v | selectattr('a') | list"),
        *("v | selectattr('a', 'eq', n) | list", "v | rejectattr('b', 'none') | list", "v | reverse | list", "v | slice(n) | list", "v | slice(3, w) | list", "v | sort", "v | sort(true, true)"),
        *("v | sort(attribute='a')", "v | sum", "v | sum('a', n)", "v | sum(start=w)", "v | unique | list", "v | unique(attribute='a') | list", "v | tojson", "v | tojson(indent=n)", "v | pprint"),
        *("v | string", "v | urlencode", "v | dictsort", "v + w", "v * n", "v == w", "v < w", "w in v", "v in [w, v]", "v[n]", "v[n:]", "v[::n]", "v.count(w)", "v.index(v | first)", "v.copy()", "dict(v)"),
        *("dict.fromkeys(v, w)", "[v, w] | sort", "[v] | map('length') | list", "'%s' % [v]", "'%s-%s' % v", "'{0[0]}'.format(v)", "(v, w) | tojson", "','.join(v)", "v is iterable", "cycler(*v).next()"),
    ]),
    "maps": (mostly(MAPS), mostly(SHORT), [
        *("v | dictsort", "v | dictsort(true, 'value')", "v | dictsort(reverse=true)", "v | items | list", "v | length", "v | list", "v | first", "v | last", "v | join(w)", "v | sort"),
        *("v | tojson", "v | tojson(sort_keys=true, separators=(',', ':'))", "v | tojson(indent=n)", "v | string", "v | urlencode", "v | pprint", "v | map('upper') | list", "v.a", "v[w]"),
        *("v.get(w, n)", "v.get('a')", "v.items() | list", "v.keys()", "v.values()", "v.copy()", "w in v", "v == {'a': n}", "dict(v)", "dict(v, a=w)", "dict(**v)", "'%(a)s' % v", "'{0[a]}'.format(v)"),
        *("'{a}'.format(**v)", "v is mapping", "[v, v] | unique | list", "{'k': v}.k", "v | attr('a')", "v | default(w)", "namespace(**v).a", "v | reverse | list", "v | batch(2) | list", "v | max"),
    ]),
    "anything": (VALUES, VALUES, [
        *("v | default(w)", "v | default(w, true)", "v | string | length", "v ~ w", "v and w", "v or w", "not v", "v == w", "v != w", "v in [w]", "v is iterable", "v is sequence", "v is mapping"),
        *("v is sameas v", "v is eq w", "v is in w", "[v, w]", "{'k': v, w: 1}", "(v, w)", "{'k': v} == {'k': w}", "[v] < [w]", "[v, w] | map('string') | list", "[v] | tojson", "'%s' % (v,)"),
    ]),
}  # fmt: skip
ROWS = [(kind, expression) for kind, (_, _, expressions) in OPERATIONS.items() for expression in expressions]


@pytest.mark.parametrize(("kind", "expression"), ROWS)
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), n=SMALL)
def test_an_operation_is_the_references(kind, expression, data, n):
    """Over any values, the text of a filter or an operator is the reference's; where that fails, we fail."""
    v, w = data.draw(OPERATIONS[kind][0], "v"), data.draw(OPERATIONS[kind][1], "w")
    source = "{% set r = " + expression + " %}{{ r }}|{{ r is string }}{{ r is escaped }}{{ r is defined }}"
    try:
        expected = oracle.render(source, {"v": copy.deepcopy(v), "w": copy.deepcopy(w), "n": n})
    except Exception:
        expected = None
    try:
        text = compile_template(source, mutable=False).render({"v": v, "w": w, "n": n})
    except TemplatesError as error:
        if type(error).__name__ in ("BudgetError", "SecurityError"):
            return
        text = None
    assert text == expected


# -- a conversation is what the reference makes of it --


class Role(str, enum.Enum):
    USER = "user"
    ASSISTANT = "assistant"


class Kind(enum.Enum):
    TEXT = "text"


CALL = st.fixed_dictionaries(
    {
        "function": st.fixed_dictionaries(
            {"name": SHORT, "arguments": st.none() | SHORT | st.dictionaries(SHORT, VALUES, max_size=3)}
        )
    },
    optional={"id": st.none() | SHORT, "type": st.just("function")},
)
PART = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image", Kind.TEXT])}, optional={"text": st.none() | TEXTS, "x": st.none()}
)
CONTENT = (
    st.none()
    | TEXTS
    | st.lists(PART, max_size=3)
    | st.lists(PART, max_size=2).map(tuple)
    | st.sampled_from([Role.USER, 5, {}, {"a": None}])
)
REASONING = st.none() | TEXTS | st.lists(TEXTS, max_size=2)
KEYS = {
    "role": st.sampled_from(["user", "assistant", "system", "tool", Role.USER, Role.ASSISTANT]),
    "content": CONTENT,
    "reasoning": REASONING,
    "reasoning_content": REASONING,
    "thinking": REASONING,
    "tool_calls": st.none() | st.lists(CALL, max_size=2) | st.lists(CALL, max_size=2).map(tuple),
    "name": st.none() | SHORT,
    "extra": VALUES,
    "items": SHORT,
    "get": st.none() | SHORT,
}


@st.composite
def messages(draw):
    """A message with any of the keys in any order; in one of four it is another kind of mapping."""
    names = draw(st.lists(st.sampled_from(list(KEYS)), unique=True, max_size=7))
    names = names if draw(st.booleans()) else ["role", *(name for name in names if name != "role")]
    message = {name: draw(KEYS[name]) for name in names}
    return draw(st.sampled_from([dict, dict, dict, OrderedDict]))(message)


#: Small templates that look at messages whole, in part, and by way of everything that may ask what a message holds.
CHATS = {
    "JSON": "{{ messages | tojson }}",
    "JSON of each": "{% for m in messages %}{{ m | tojson }}\n{{ m | tojson(indent=1) }}{% endfor %}",
    "printed": "{{ messages }}{% for m in messages %}{{ m }}{{ [m] }}{{ {'k': m} }}{{ m | string | length }}{{ m ~ '' }}{% endfor %}",
    "items": "{% for m in messages %}{% for k, v in m.items() %}{{ k }}={{ v }};{% endfor %}{{ m.items() }}{{ m.keys() | list }}{{ m.values() | list }}{% endfor %}",
    "loops over keys": "{% for m in messages %}{% for k in m %}{{ k }}={{ m[k] }};{{ loop.length }}{% endfor %}{% for k, v in m | items %}{{ k }}{% endfor %}{{ m | list }}{% endfor %}",
    "length": "{% for m in messages %}{{ m | length }}{{ m | count }}{{ m.copy() | length }}{{ dict(m) | length }}{% endfor %}{{ messages | map('length') | list }}",
    "in": "{% for m in messages %}{% for k in ['role', 'content', 'thinking', 'reasoning', 'reasoning_content', 'extra', 'name', 'items'] %}{{ k in m }}{{ k not in m }}{{ m[k] is defined }}{{ m.get(k) is none }}{{ m.get(k, 'd') }}{% endfor %}{% endfor %}",
    "in, written out": "{% for m in messages %}{{ 'role' in m }}{{ 'content' in m }}{{ 'thinking' in m }}{{ 'reasoning' not in m }}{{ 'reasoning_content' in m and m.reasoning_content }}{{ m.content is defined }}{{ m.content is none }}{{ m.thinking is defined }}{{ m['thinking'] is string }}{{ m.reasoning is defined }}{% endfor %}",
    "reads": "{% for m in messages %}{{ m.role }}|{{ m['content'] }}|{{ m.content }}|{{ m.thinking }}|{{ m.reasoning }}|{{ m['reasoning_content'] }}|{{ m.extra }}|{{ m.get('content') }}|{{ m.get('thinking', 'none') }}|{{ m.name or 'anon' }}{{ m.get is defined }}{{ m['get'] if 'get' in m }}{% endfor %}",
    "defaults": "{% for m in messages %}{{ m.content | default('no content') }}{{ m.thinking | default('no thinking') }}{{ m.reasoning_content | default('', true) }}{{ (m.content or 'empty') | string }}{{ m.tool_calls | default([]) | length }}{% endfor %}",
    "equality": "{% for m in messages %}{{ m == messages[0] }}{{ m != messages[-1] }}{{ m in messages[:1] }}{{ m == m | items | list }}{{ m == dict(m) }}{{ messages.index(m) }}{{ messages.count(m) }}{{ m == {'role': 'user'} }}{% endfor %}{{ messages == messages[:] }}",
    "order": "{% for m in messages %}{{ m | dictsort | map('first') | list }}{{ m | dictsort(reverse=true) | map('first') | list }}{{ m.keys() | sort }}{% endfor %}",
    "parts": "{% for m in messages %}{% if m.content is string %}{{ m.content | trim }}{% elif m.content is mapping %}map{% elif m.content is iterable %}{% for p in m.content %}{{ p.type }}{{ p.text }}{{ p['x'] is none }}{{ p | tojson if p.type == 'image' }}{{ p == {'type': 'text', 'text': ''} }}{{ loop.previtem.type }}{% endfor %}{% else %}{{ m.content is defined }}{% endif %}{% endfor %}",
    "calls": "{% for m in messages %}{% for c in m.tool_calls or [] %}{{ c.function.name }}{{ c.function.arguments | tojson }}{{ c.id is defined }}{{ c.id is none }}{{ c }}{% for k, v in (c.function.arguments if c.function.arguments is mapping else {}).items() %}{{ k }}:{{ v | tojson }}{{ v is string }}{% endfor %}{% endfor %}{% endfor %}",
    "selections": "{{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ messages | selectattr('thinking', 'defined') | list | length }}{{ messages | selectattr('content') | list | length }}{{ messages | rejectattr('role', 'eq', 'user') | list }}{{ messages | map(attribute='thinking', default='') | list }}{{ messages | map(attribute='content', default='-') | list }}{{ messages | map(attribute='reasoning') | select | list }}{{ messages | groupby('role') | map(attribute='grouper') | list }}",
    "copies": "{% set ns = namespace(all=[], m=messages[0]) %}{% for m in messages %}{% set ns.all = ns.all + [m] %}{% set x = m %}{{ x.content is defined }}{{ dict(m, z=1) }}{{ dict(**m) if 'self' not in m }}{% endfor %}{{ ns.all | tojson }}{{ ns.m }}{{ ns.all[::-1] | first }}{{ (messages + [{'role': 'x', 'content': none}]) | tojson }}{{ messages[:1] | tojson }}{{ messages | reverse | list | tojson }}",
    "macros": "{% macro show(m, k='content') %}{{ m[k] }}{{ m }}{{ caller(m) if caller }}{% endmacro %}{% for m in messages %}{{ show(m) }}{{ show(m=m, k='thinking') }}{% call(n) show(m) %}{{ n | tojson }}{{ n.reasoning }}{% endcall %}{% endfor %}",
    "neighbours": "{% for m in messages %}{{ loop.previtem | tojson if loop.previtem }}{{ loop.nextitem.role if loop.nextitem }}{{ loop.nextitem == m }}{{ loop.changed(m) }}{{ messages[loop.index0] == m }}{{ messages[-1].thinking }}{% endfor %}{{ messages | first | tojson }}{{ (messages | last).content }}{{ messages | length }}",
    "formats": "{% for m in messages %}{{ '%s' % m }}{{ '%(role)s' % m if m.role }}{{ '{0[role]}'.format(m) if m.role }}{{ '{}'.format(m) }}{{ m | pprint }}{{ [m, m] | join('+') }}{% endfor %}",
    "others": "{{ tools | tojson }}{{ documents }}{{ tools is none }}{% for t in tools or [] %}{{ t | tojson(indent=2) }}{% for k, v in t.items() %}{{ k }}{{ v }}{% endfor %}{{ t == tools[0] }}{% endfor %}{{ given }}{{ given | tojson }}{{ given.a }}{{ add_generation_prompt }}",
}  # fmt: skip
DICTS = st.dictionaries(
    SHORT | st.sampled_from(["role", "thinking", "content", "type"]), VALUES | st.none(), max_size=3
)


def reference(source, conversation, tools, documents, prompted, variables):
    """What `tokenizer.apply_chat_template` gives: keys without a value dropped, then transformers' own render."""
    render = pytest.importorskip("transformers.utils.chat_template_utils").render_jinja_template
    kept = [{key: value for key, value in message.items() if value is not None} for message in conversation]
    try:
        (text,), _ = render(
            [kept], chat_template=source, tools=tools, documents=documents, add_generation_prompt=prompted, **variables
        )
    except Exception:
        return None
    return text


@pytest.mark.parametrize("name", CHATS)
@SLOW
@given(
    conversation=st.lists(messages(), min_size=1, max_size=4),
    tools=st.none() | st.lists(DICTS, max_size=2),
    documents=st.none() | st.lists(DICTS, max_size=2),
    prompted=st.booleans(),
    given_value=VALUES | DICTS | st.just(Role.USER),
)
@example(
    conversation=[{"reasoning": "r", "content": None, "role": "user"}],
    tools=None,
    documents=None,
    prompted=False,
    given_value=None,
)
@example(
    conversation=[{"thinking": None, "reasoning_content": "c", "reasoning": "r"}] * 2,
    tools=[],
    documents=[],
    prompted=True,
    given_value={},
)
def test_a_conversation_is_read_as_the_reference_reads_it(name, conversation, tools, documents, prompted, given_value):
    """Keys are looked up where a template reads them; the text is as if the conversation had been normalised before."""
    assume(all(any(value is not None for value in message.values()) for message in conversation))
    source = CHATS[name]
    before = copy.deepcopy((conversation, tools, documents, given_value))
    expected = reference(source, conversation, tools, documents, prompted, {"given": given_value})
    try:
        text = ChatTemplate.from_string(source).render(
            conversation,
            tools=tools,
            documents=documents,
            add_generation_prompt=prompted,
            variables={"given": given_value},
            strict=False,
        )
    except RaisedError:
        raise
    except TemplatesError:
        text = None
    assert text == expected
    assert repr((conversation, tools, documents, given_value)) == repr(before)


def test_what_differs_from_the_reference_is_what_is_documented():
    """A message that is also elsewhere is normalised there too, and one without any value is not empty until it is read."""
    quoted = {"role": "user", "content": None, "reasoning": "r"}
    conversation = [quoted, {"role": "assistant", "content": "x", "quote": quoted}]
    template = ChatTemplate.from_string(
        "{{ messages[0] == messages[1].quote }}{{ messages[1].quote | length }}{{ given.thinking }}"
    )
    assert template.render(conversation, variables={"given": quoted}) == "True4r"
    other = [{**conversation[1], "quote": dict(quoted)}]
    assert reference("{{ messages[0].quote | tojson }}", other, None, None, False, {}) == json.dumps(quoted)
    assert ChatTemplate.from_string("{{ messages[0].quote | tojson }}").render(other) == json.dumps(quoted)
    empty = ChatTemplate.from_string(
        "{{ 'true' if messages[0] else 'false' }}{{ messages[0] | length }}{{ messages[0] }}"
    )
    assert empty.render([{"content": None}]) == "true0{}"


def test_a_conversation_object_is_its_messages():
    """An object with `.messages` is rendered as the list it holds."""
    conversation = SimpleNamespace(messages=[{"role": "user", "content": "Hi"}])
    assert ChatTemplate.from_string("{{ messages | tojson }}").render(conversation) == json.dumps(conversation.messages)
