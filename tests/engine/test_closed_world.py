"""The closed world: no name leads out of it, nothing a caller passed is called or changed, no address is printed."""

import ast
import builtins
import copy
import dataclasses
import enum
import keyword
import re
import sys
from collections import OrderedDict, UserDict, defaultdict, namedtuple
from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from fuzz import oracle
from llm_templates import BudgetError, SecurityError, TemplatesError, UndefinedError
from llm_templates.engine import compile_template
from llm_templates.engine.compiler import DIALECT
from llm_templates.engine.globals import GLOBALS
from llm_templates.engine.methods import ATTRIBUTES, METHODS
from llm_templates.engine.mutations import MUTATIONS
from llm_templates.engine.reading import INTERNAL_NAMES, REFUSED_METHODS
from llm_templates.engine.values import (
    Cycler,
    Function,
    Group,
    Joiner,
    Loop,
    Macro,
    Markup,
    Method,
    Namespace,
    Stream,
    Undefined,
    View,
)

# -- every kind of value, every name Python knows, every form of access --

#: An expression for each kind of value there is, with the type that the engine keeps it in.
KINDS = {
    "text": ("'text'", str),
    "markup": ("('text' | safe)", Markup),
    "integer": ("5", int),
    "float": ("5.5", float),
    "bool": ("true", bool),
    "none": ("none", type(None)),
    "list": ("[1, 2]", list),
    "tuple": ("(1, 2)", tuple),
    "dict": ("{'k': 1}", dict),
    "range": ("range(3)", range),
    "undefined": ("missing", Undefined),
    "namespace": ("namespace(k=1)", Namespace),
    "function": ("range", Function),
    "dict function": ("dict", Function),
    "macro": ("macro", Macro),
    "view": ("{'k': 1}.items()", View),
    "keys": ("{'k': 1}.keys()", View),
    "stream": ("([1] | map('string'))", Stream),
    "group": ("([{'k': 1}] | groupby('k') | first)", Group),
    "cycler": ("cycler(1, 2)", Cycler),
    "joiner": ("joiner(', ')", Joiner),
    "loop": ("loop", Loop),
    "method": ("{'k': 1}.items", Method),
    "self": ("self", Function),
}
#: Every attribute Python has on any object a template's values might be made of, and some it has on others.
NAMES = sorted(
    {
        name
        for kind in (
            str,
            int,
            float,
            bool,
            list,
            tuple,
            dict,
            range,
            type(None),
            set,
            bytes,
            type,
            object,
            BaseException,
        )
        for name in dir(kind)
    }
    | {
        name
        for kind in (Markup, Undefined, Namespace, Macro, Function, Stream, Loop, Cycler, View)
        for name in dir(kind)
    }
    | {
        name
        for thing in (lambda: 0, (x for x in ()), sys, builtins, re.compile(""), sys._getframe())
        for name in dir(thing)
    }
    | INTERNAL_NAMES
    | {
        name
        for tables in (METHODS, MUTATIONS, ATTRIBUTES, REFUSED_METHODS)
        for table in tables.values()
        for name in table
    }
)
#: What looks a name up. The first group takes it as it is written, the second by way of a variable.
WRITTEN = {"a dot": "V.N", "brackets": "V['N']"}
LOOKS_UP = {
    "brackets": "V[name]",
    "attr": "V | attr(name)",
    "map": "[V] | map(attribute=name) | first",
    "a path": "[[V]] | map(attribute='0.' ~ name) | first",
    "groupby": "([V] | groupby(name) | first).grouper",
}
#: The same, where what is found shows in the result only.
USES_NAME = {
    "selectattr": "[V] | selectattr(name) | list | length",
    "rejectattr": "[V] | rejectattr(name) | list | length",
    "sort": "[V, V] | sort(attribute=name) | length",
    "sum": "[V] | sum(attribute=name, start=0)",
    "join": "[V] | join(attribute=name)",
    "max": "[[V]] | max(attribute='0.' ~ name) | length",
    "unique": "[V] | unique(attribute=name) | list | length",
    "format": "('{0.' ~ name ~ '}').format(V)",
    "format with brackets": "('{0[' ~ name ~ ']}').format(V)",
    "a method": "V[name]()",
}
FRAME = (
    "{% macro macro() %}{{ caller is defined }}{% endmacro %}{% for x in [1] %}{% set outer = loop %}"
    "{% set result = EXPRESSION %}{{ result }}{% endfor %}"
)


def template_of(expression, value):
    """A template that prints an expression over a value of some kind."""
    return compile_template(FRAME.replace("EXPRESSION", expression.replace("V", value)), mutable=False)


def allowed(kind):
    """The names that values of a kind answer to."""
    names = set(ATTRIBUTES.get(kind, ())) | set(METHODS.get(kind, ()))
    if kind is Function:
        names |= GLOBALS["dict"].attributes.keys()
    if kind in (dict, Namespace):
        names |= {"k"}
    if kind is dict:
        # Python's other methods of dicts are there to be tested for, as in the reference; calling one is refused.
        names |= MUTATIONS[dict].keys() | {"popitem"}
    return names


def finds(template, name):
    """Whether it finds anything at all under a name."""
    try:
        return template.render({"name": name}) == "True"
    except TemplatesError:
        return False


@pytest.mark.parametrize("kind", KINDS)
def test_only_names_of_the_tables_are_found(kind):
    """Whatever looks a name up finds what the tables of the type hold, and nothing else."""
    value, python_type = KINDS[kind]
    for form, expression in LOOKS_UP.items():
        template = template_of(f"({expression}) is defined", value)
        found = {name for name in NAMES if finds(template, name)}
        assert found <= allowed(python_type), form
        if form == "brackets":
            assert found >= {*METHODS.get(python_type, ()), *ATTRIBUTES.get(python_type, ())} - {"previtem", "nextitem"}


@pytest.mark.parametrize("kind", KINDS)
def test_only_names_of_the_tables_can_be_written(kind):
    """The same for names that the template writes out, of all that Python has for such a value."""
    value, python_type = KINDS[kind]
    names = {
        *dir(python_type),
        *INTERNAL_NAMES,
        "__globals__",
        "__code__",
        "__self__",
        "__func__",
        "__wrapped__",
        "__dict__",
    }
    for name in sorted(names):
        for form, expression in WRITTEN.items():
            if finds(template_of(f"({expression.replace('N', name)}) is defined", value), name):
                assert name in allowed(python_type), f"{form}: {name}"


@pytest.mark.parametrize("kind", KINDS)
def test_pythons_own_names_have_no_effect(kind):
    """A filter that reads a name by itself (a sort, a sum, a format) does as with a name that does not exist, or refuses."""
    value, _ = KINDS[kind]
    inner = [name for name in NAMES if name.startswith("_") or name in INTERNAL_NAMES]
    for form, expression in USES_NAME.items():
        template = template_of(expression, value)
        try:
            expected = template.render({"name": "surely_not_there"})
        except TemplatesError:
            expected = None
        for name in inner:
            try:
                text = template.render({"name": name})
            except TemplatesError:
                continue
            assert text == expected, f"{form}: {name}"


def test_names_that_are_refused_say_so():
    """A method that is refused is a SecurityError with its reason when it is called."""
    for kind, methods in ((kind, REFUSED_METHODS[kind]) for _, kind in KINDS.values() if kind in REFUSED_METHODS):
        value = next(code for code, python_type in KINDS.values() if python_type is kind)
        for name, reason in methods.items():
            with pytest.raises(SecurityError) as caught:
                compile_template("{{ " + f"({value}).{name}(1)" + " }}", mutable=False).render({})
            assert reason in caught.value.message


def test_a_method_is_a_row_of_a_table():
    """No method changes its owner where nothing may change, and none of them is a bound method of Python."""
    for kind, methods in METHODS.items():
        assert not methods.keys() & MUTATIONS.get(kind, {}).keys()
        assert not methods.keys() & REFUSED_METHODS.get(kind, {}).keys()
        assert not any(name.startswith("_") for name in methods)
        assert all(callable(method) and getattr(method, "__self__", None) is None for method in methods.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_names_of_the_language_are_keys_too(name):
    """A key called like anything of Python's is a key: `message['__class__']` is what the caller put there."""
    data = {"d": {name: "value"}, "name": name}
    for source in (
        "{{ d[name] }}",
        "{{ d.get(name) }}",
        "{% for k in d %}{{ d[k] }}{% endfor %}",
        "{{ d.values() | first }}",
    ):
        assert compile_template(source, mutable=False).render(data) == "value"
    if keyword.iskeyword(name) or (hasattr(dict, name) and (name.startswith("_") or name == "fromkeys")):
        return  # no attribute of the language, and no name of the reference's
    source = "{{ d['" + name + "'] }}{{ d." + name + " is defined }}"
    assert compile_template(source, mutable=False).render(data) == oracle.ENVIRONMENT.from_string(source).render(data)


# -- hostile values from the caller --


class CallbackError(Exception):
    """Something of the caller's was called."""


def called(*_, **__):
    raise CallbackError


#: Every special method a template could reach by accident.
TRAPS = dict.fromkeys(
    re.findall(
        r"\w+",
        """
    __getattr__ __getitem__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __bool__ __len__ __iter__ __next__ __contains__ __str__
    __repr__ __format__ __html__ __call__ __int__ __float__ __index__ __add__ __radd__ __mul__ __mod__ __rmod__ __reversed__
    __missing__ __html_format__ __unicode__ __enter__ __await__ __dir__ __reduce_ex__ __copy__ __deepcopy__
    upper items keys values get strip split join append content role name value
    """,
    ),
    called,
)
HASHED = {**TRAPS, "__hash__": object.__hash__}


class Plain:
    """An object that only has attributes."""

    def __init__(self):
        self.secret = "secret"

    def __repr__(self):
        raise CallbackError


Opaque = type("Opaque", (), {key: trap for key, trap in HASHED.items() if key not in ("__getattr__",)})
Text = type(
    "Text",
    (str,),
    {key: trap for key, trap in TRAPS.items() if key not in ("__str__", "__reduce_ex__")} | {"__hash__": str.__hash__},
)
Whole = type(
    "Whole", (int,), {key: trap for key, trap in TRAPS.items() if key not in ("__int__",)} | {"__hash__": int.__hash__}
)
Real = type(
    "Real",
    (float,),
    {key: trap for key, trap in TRAPS.items() if key not in ("__float__",)} | {"__hash__": float.__hash__},
)


class Role(enum.Enum):
    USER = "user"


class Speaker(str, enum.Enum):
    USER = "user"


class Level(enum.IntEnum):
    HIGH = 3


class Flag(enum.Flag):
    ON = 1


@dataclasses.dataclass
class Point:
    x: int
    label: str
    inner: object = None

    def __getitem__(self, key):
        raise CallbackError

    def total(self):
        raise CallbackError


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: int = 1


class Modelled:
    """What pydantic's models look like."""

    def __init__(self, **fields):
        self.fields = fields

    def model_dump(self):
        return dict(self.fields)

    def __iter__(self):
        raise CallbackError


class Listed(list):
    def __getitem__(self, key):
        raise CallbackError

    def __len__(self):
        raise CallbackError

    def append(self, item):
        raise CallbackError


class Keyed(dict):
    def __getitem__(self, key):
        raise CallbackError

    def __missing__(self, key):
        raise CallbackError

    def get(self, key, default=None):
        raise CallbackError

    def secret(self):
        raise CallbackError


class Computed(Mapping):
    """A mapping that is no dict."""

    def __getitem__(self, key):
        return {"a": 1, "b": "two"}[key]

    def __iter__(self):
        return iter(["a", "b"])

    def __len__(self):
        return 2


class Html:
    def __html__(self):
        raise CallbackError


def generator():
    yield from called()


Pair = namedtuple("Pair", ["left", "right"])


def numpy_values():
    numpy = pytest.importorskip("numpy")
    return [
        numpy.int64(5),
        numpy.float32(0.5),
        numpy.bool_(False),
        numpy.str_("text"),
        numpy.array([1, 2]),
        numpy.datetime64("2020"),
    ]


#: What a caller might pass, and what the reference makes of it.
HOSTILE = {
    "an object": lambda: Plain(),
    "an object that is hostile": lambda: Opaque(),
    "an object with __html__": lambda: Html(),
    "a text subclass": lambda: Text("text"),
    "an integer subclass": lambda: Whole(7),
    "a float subclass": lambda: Real(1.5),
    "an enum": lambda: Role.USER,
    "an enum of texts": lambda: Speaker.USER,
    "an enum of integers": lambda: Level.HIGH,
    "a flag": lambda: Flag.ON,
    "a dataclass": lambda: Point(1, "two", Point(3, Speaker.USER)),
    "a frozen dataclass": lambda: Frozen(),
    "a dataclass itself": lambda: Point,
    "a model": lambda: Modelled(role=Speaker.USER, content=None, parts=[Modelled(x=1)]),
    "a list subclass": lambda: [Listed([1, Speaker.USER])],
    "a dict subclass": lambda: [Keyed(a=1, b=Speaker.USER)],
    "a mapping": lambda: Computed(),
    "an ordered dict": lambda: OrderedDict(b=1, a=2),
    "a defaultdict": lambda: defaultdict(called, a=1),
    "a user dict": lambda: UserDict(a=1),
    "a named tuple": lambda: Pair(1, Speaker.USER),
    "a set": lambda: {1},
    "a frozenset": lambda: frozenset([1]),
    "bytes": lambda: b"bytes",
    "a bytearray": lambda: bytearray(b"x"),
    "a complex number": lambda: 1j,
    "a generator": generator,
    "an iterator": lambda: iter([1]),
    "a function": lambda: called,
    "a lambda": lambda: lambda: called(),
    "a builtin": lambda: len,
    "a type": lambda: str,
    "a module": lambda: sys,
    "an exception": lambda: ValueError("secret"),
    "a namespace": lambda: SimpleNamespace(a=1),
    "a slice": lambda: slice(1),
    "ellipsis": lambda: ...,
    "not implemented": lambda: NotImplemented,
    "a bound method": lambda: [].append,
    "keys of an enum": lambda: {Speaker.USER: 1, Level.HIGH: 2, None: 3, (1, 2): 4},
    "tuples": lambda: (1, (Speaker.USER, [Role.USER]), {"a": (Plain(),)}),
    "markup": lambda: oracle.jinja2.utils.markupsafe.Markup("<b>"),
}
USES = [
    "{{ x }}",
    "{{ x | string }}{{ x ~ '' }}{{ '%s' % [x] }}{{ '{}'.format(x) }}",
    "{{ x | tojson }}",
    "{{ [x] }}{{ {'k': x} }}{{ (x,) | list }}",
    "{{ x is defined }}{{ x is none }}{{ x is string }}{{ x is mapping }}{{ x is number }}{{ x is iterable }}"
    "{{ x is sequence }}{{ x is callable }}{{ x is boolean }}{{ x is integer }}{{ x is float }}{{ x is true }}",
    "{{ x == x }}{{ x != 'user' }}{{ x == 'user' }}{{ x in ['user', 3] }}{{ [x] == [x] }}{{ x is eq 'two' }}",
    "{{ 'yes' if x else 'no' }}{{ x or 'o' }}{{ x and 'a' }}{{ not x }}",
    "{{ x | length }}",
    "{% for y in x %}{{ y }},{{ loop.index }}{{ y is string }};{% endfor %}",
    "{% for k, v in x.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in x | items %}{{ k }}={{ v }};{% endfor %}",
    "{{ x.a }}{{ x['b'] }}{{ x.x }}{{ x.label }}{{ x.role }}{{ x.inner.x }}{{ x.inner.label }}{{ x.secret }}{{ x.fields }}",
    "{{ x[0] }}{{ x[1] }}{{ x.left }}{{ x.right }}{{ x[:1] }}",
    "{{ x[0].a }}{{ x[0][1] }}{{ x[0]['b'] }}{{ x[1][0] }}{{ x.parts[0].x }}",
    "{{ x.get('a', 'd') }}{{ x.keys() | list }}{{ x.values() | list }}",
    "{{ x + 1 }}",
    "{{ x + 'z' }}{{ 'z' + x }}",
    "{{ x * 2 }}{{ x - 1 }}",
    "{{ x < 9 }}",
    "{{ x | upper }}{{ x | e }}{{ x | trim }}",
    "{{ x | sort }}",
    "{{ [x, x] | unique | list | length }}",
    "{{ [x] | map('string') | list }}{{ [x] | map(attribute='a') | list }}",
    "{{ [x] | selectattr('a', 'defined') | list }}{{ [x] | groupby('a') }}",
    "{{ x | dictsort }}",
    "{{ x | join(',') }}{{ x | first }}{{ x | list }}",
    "{{ {'user': 1, 3: 2}[x] }}",
    "{{ x.upper() }}{{ x.startswith('t') }}",
    "{{ x | int }}{{ x | float }}{{ x | default('d', true) }}{{ x | tojson(indent=1) }}",
    "{{ x in x }}",
    "{{ x() }}",
    "{{ x.total() }}{{ x.append(1) }}",
    "{{ namespace(a=x).a }}{{ dict(a=x).a }}{% set y = x %}{{ y }}{% macro m(a) %}{{ a }}{% endmacro %}{{ m(x) }}",
]


def lowered_by_the_reference(value):
    lower = pytest.importorskip("transformers.utils.chat_template_utils")._plain_template_data
    return lower(value)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_caller_passes_is_lowered_as_the_reference_does(name):
    """Each value acts in every use as its plain copy does in the reference, and none of its own methods runs."""
    for source in USES:
        plain = {"x": lowered_by_the_reference(HOSTILE[name]())}
        try:
            expected = oracle.ENVIRONMENT.from_string(source).render(**plain)
        except Exception:
            expected = None
        given_value = HOSTILE[name]()
        try:
            text = compile_template(source, mutable=False).render({"x": given_value})
        except TemplatesError as error:
            assert "CallbackError" not in str(error)
            text = None
        assert text == expected, source


def test_values_of_numpy_are_lowered_as_the_reference_does():
    """Scalars become plain numbers; arrays the name of their type."""
    for value in numpy_values():
        for source in USES[:8]:
            try:
                expected = oracle.ENVIRONMENT.from_string(source).render(x=lowered_by_the_reference(value))
            except Exception:
                expected = None
            try:
                text = compile_template(source, mutable=False).render({"x": value})
            except TemplatesError:
                text = None
            assert text == expected, (value, source)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_value_inside_others_is_lowered_too(name):
    """The same, one level down in a list, a dict and a tuple: containers are lowered as they are read."""
    sources = [
        "{{ x }}", "{{ x | tojson }}", "{{ x.k }}", "{{ x.k is string }}{{ x.k is mapping }}", "{{ x.l[0] }}{{ x.l | first }}",
        "{{ x.l | last }}{{ x.t[0] }}{{ x.t | last }}", "{% for y in x.l %}{{ y }}{{ y is string }}{% endfor %}",
        "{% for y in x.t %}{{ y is mapping }}{{ loop.nextitem is string }}{{ loop.previtem is mapping }}{% endfor %}",
        "{% for k, v in x.items() %}{{ k }}{{ v is string }}{{ v is mapping }}{% endfor %}", "{{ x.values() | list }}",
        "{{ x.get('k') }}{{ x.get('k', 1) is string }}{{ x['k'] is mapping }}", "{{ x.l + x.l }}{{ x.l[:1] }}{{ x.l[::-1][0] is string }}",
        "{% set ns = namespace(v=x.k) %}{{ ns.v is string }}{{ ns.v }}", "{{ x | dictsort | length }}{{ x.l | sort | length }}",
        "{{ x.l == x.l }}{{ x == {'k': 1} }}{{ x.k == 'user' }}{{ 'user' in x.l }}{{ x.k in ['user'] }}{{ x.k in x.l }}",
        "{{ x.l | map('string') | list }}{{ [x] | map(attribute='k') | list }}{{ [x] | map(attribute='l.0') | list }}",
        "{{ [x] | selectattr('k', 'equalto', 'user') | list | length }}{{ [x] | selectattr('k', 'string') | list | length }}",
        "{{ x.l | unique | list | length }}{{ x.l | reverse | list }}{{ x.l | batch(1) | list }}{{ x.l | join(';') }}",
        "{{ '%s' % x.l }}{{ '%(k)s' % x }}{{ '{0[k]}{0[l][0]}'.format(x) }}", "{{ x.l | length }}{{ x.l.count('user') }}",
        "{% for a in x.l recursive %}{{ a }}{{ loop.index }}{% endfor %}", "{% for a in x.l if a is string %}{{ a }}{{ loop.index }}{% endfor %}",
        "{% macro m(a, b='') %}{{ a }}{{ b }}{% endmacro %}{{ m(*x.l) }}{{ m(a=x.k) }}", "{{ dict(x).k }}{{ dict(x, z=1).l }}",
        "{{ x.l.index(x.k) }}", "{{ cycler(*x.l).next() }}{{ x.l | max }}", "{{ [x.k, x.k] | groupby('a') }}", "{{ x.t + x.t }}{{ x.t * 2 }}",
    ]  # fmt: skip
    for source in sources:
        plain = {
            "x": lowered_by_the_reference(
                {"k": HOSTILE[name](), "l": [HOSTILE[name](), "end"], "t": (HOSTILE[name](), "end")}
            )
        }
        try:
            expected = oracle.ENVIRONMENT.from_string(source).render(**plain)
        except Exception:
            expected = None
        given_value = {"k": HOSTILE[name](), "l": [HOSTILE[name](), "end"], "t": (HOSTILE[name](), "end")}
        try:
            text = compile_template(source, mutable=False).render({"x": given_value})
        except TemplatesError as error:
            assert "CallbackError" not in str(error)
            text = None
        assert text == expected, source


def test_a_range_of_the_callers_is_a_sequence():
    """One of the engine's own types, so it is not replaced by its name as in the reference; it is bounded like any other."""
    assert compile_template("{{ x[1] }}{{ x | list }}").render({"x": range(3)}) == "1[0, 1, 2]"
    with pytest.raises(BudgetError):
        compile_template("{% for i in x %}{{ i }}{% endfor %}", mutable=False).render({"x": range(10**12)})
    with pytest.raises(TemplatesError):
        compile_template("{% for i in x %}{{ i }}{% endfor %}", mutable=False).render({"x": range(10**30)})


def snapshot(value):
    """A picture of a value by identity of its parts, which tells any change of it or below it."""
    if isinstance(value, dict):
        return id(value), [(id(key), snapshot(item)) for key, item in dict.items(value)]
    if isinstance(value, list | tuple):
        return id(value), [snapshot(item) for item in value]
    return id(value)


DATA = {
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "a"}], "x": None, "reasoning": "r"},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": {"a": [1]}}}]},
    ],
    "l": [3, 1, 2, [1], {"k": None}],
    "d": {"b": 1, "a": {"c": [1]}, "n": None},
}


@pytest.mark.parametrize("mutable", [False, True])
def test_the_callers_data_is_never_changed(mutable):
    """Sorting, updating, popping, appending: whatever a template does, the caller's lists and dicts stay as they are."""
    attempts = [
        *("l | sort", "l | reverse | list", "l.append(1)", "l.clear()", "l.pop()", "l.extend([1])", "l.insert(0, 1)"),
        *(
            "l.remove(1)",
            "l.reverse()",
            "l.sort()",
            "d.update({'z': 1})",
            "d.pop('b')",
            "d.clear()",
            "d.setdefault('q', 1)",
        ),
        *("d.popitem()", "messages.append(1)", "messages[0].update({'role': 'x'})", "messages[0].pop('role')"),
        *(
            "messages[0].content.append(1)",
            "messages[1].tool_calls[0].function.arguments.update(z=1)",
            "d.a.c.append(2)",
        ),
        *(
            "l[3].append(2)",
            "l[4].update({'k': 1})",
            "(l + l)[3].append(1)",
            "dict(d).a.update(z=1)",
            "d.copy().a.clear()",
        ),
        *("l.copy()[3].clear()", "[l][0].append(1)", "namespace(x=l).x.append(1)", "(d.items() | list)[1][1].clear()"),
        *(
            "(d.values() | list)[1].clear()",
            "(l | list)[3].clear()",
            "(l | batch(9) | first)[3].clear()",
            "l[:4][3].clear()",
        ),
        *(
            "(l | map('default') | list)[3].clear()",
            "d.get('a').clear()",
            "d['a'].clear()",
            "messages | tojson",
            "messages",
        ),
        *(
            "messages | map(attribute='content') | list",
            "messages[0] | dictsort",
            "messages[0].items() | list",
            "d | tojson",
        ),
    ]
    data = copy.deepcopy(DATA)
    before, identities = copy.deepcopy(data), snapshot(data)
    for attempt in attempts:
        for source in ("{{ " + attempt + " }}", "{% for i in [1, 2] %}{% set x = " + attempt + " %}{% endfor %}"):
            try:
                compile_template(source, mutable=mutable).render(data)
            except TemplatesError:
                pass
            assert data == before
            assert snapshot(data) == identities


# -- what is printed --

PRINTED = [
    *("V", "[V]", "{'k': V}", "(V,)", "namespace(k=V)", "V ~ ''", "'%s' % [V]", "'{}'.format([V])", "[V] | tojson"),
    *(
        "V | string",
        "[V] | string",
        "[V] | pprint",
        "[V] | join",
        "[V] | map('string') | list",
        "{'k': V}.items()",
        "V | e",
    ),
    *("[V, V] | unique | list", "[[V]] | first", "{'k': V}.values()", "[V] | batch(1) | list", "V | default('x')"),
    *(
        "'%r' % [V]",
        "'{!r}'.format(V)",
        "'{!s}'.format(V)",
        "dict(k=V)",
        "[V] | groupby('k')",
        "[V] | sort",
        "V | upper",
    ),
    *("cycler(V).next()", "cycler(V).current", "joiner(V)() ~ joiner(V)()", "V.name", "V.items", "raise_exception(V)"),
    *(
        "raise_exception([V])",
        "V | urlencode",
        "V | wordcount",
        "V | trim",
        "V | replace('a', 'b')",
        "V | indent",
        "V + 1",
    ),
    *("V()", "V | length", "V[0]", "V | first", "V | nosuch if false else V", "V < V", "V | attr('name')", "1 / V"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_no_address_is_printed(kind):
    """No text and no error text holds the address of an object, and both are the same in every process."""
    for form in PRINTED:
        source = FRAME.replace("EXPRESSION", form.replace("V", KINDS[kind][0]))
        try:
            text = compile_template(source, mutable=False).render({})
        except TemplatesError as error:
            text = str(error)
        assert " at 0x" not in text, form
        assert not re.search(
            r"<(object|function|generator|class|bound|built-in|module|llm_templates|builtins)", text
        ), form
        assert not re.search(r"0x[0-9a-f]{6,}", text), form


# -- what is generated --

#: Names and texts that would do harm, or at least show up, if they got into the generated source.
ODD = [
    *keyword.kwlist,
    *keyword.softkwlist,
    *(
        "run",
        "context",
        "values",
        "root",
        "o1",
        "v1",
        "t1",
        "c1",
        "f1",
        "len",
        "str",
        "type",
        "dict",
        "list",
        "isinstance",
    ),
    *(
        "MISSING",
        "CLOSED",
        "Undefined",
        "Loop",
        "Macro",
        "Namespace",
        "fail",
        "text",
        "join",
        "add",
        "attribute",
        "item",
    ),
    *(
        "__import__",
        "__builtins__",
        "exec",
        "eval",
        "os",
        "system",
        "globals",
        "print",
        "self",
        "cls",
        "l_0_x",
        "µ",
        "ﬁ",
    ),
]
IDENTIFIERS = st.sampled_from(
    [name for name in ODD if name not in ("None", "True", "False", "in", "is", "not", "and", "or", "if", "else")]
) | (st.from_regex(r"[^\W\d]\w{0,12}", fullmatch=True).filter(str.isidentifier))
LITERALS = st.text(max_size=12) | st.sampled_from(
    [
        "'",
        '"',
        "\\",
        "\n",
        "'''",
        '"""',
        "{run}",
        "%s",
        "#",
        "\\N{DIGIT ONE}",
        "\u2028",
        "\ud800",
        "');import os;('",
        "{0}",
        "\x00",
    ]
)
MARK = "zqxj"


def program(name, other, literal, number):
    """The code generated for a template that uses two names, a text and a number wherever one can stand."""
    quoted = literal.replace("\\", "\\\\").replace("'", "\\'")
    source = """
        {% macro NAME(OTHER, xNAME='TEXT', OTHERx=OTHER) %}{{ OTHER.NAME }}{{ caller() }}{{ xNAME }}{% endmacro %}
        {% call(NAME) NAME(OTHER=NUMBER) %}MARK{% endcall %}
        {% for NAME, OTHER in OTHER.NAME.items() if NAME %}{{ NAME['TEXT'] }}{{ loop.index }}{{ loop.previtem.NAME }}{% endfor %}
        {% set NAME = namespace(OTHER=NUMBER) %}{% set NAME.OTHER = 'TEXT' ~ NAME.OTHER %}
        {{ dict(NAME=NUMBER, OTHER='TEXT') }}{{ OTHER | map(attribute='NAME') | list }}{{ {'TEXT': NUMBER, 'OTHER': [NAME]} }}
        {{ 'TEXT' in NAME }}{{ NAME == 'TEXT' }}{{ OTHER.NAME('TEXT') }}{{ NUMBER + OTHER }}{{ NAME + 'TEXT' + OTHER }}
        {% if NAME.OTHER.NAME is defined and NAME['OTHER'] is not none %}MARK{% elif OTHER %}TEXT{% endif %}{# MARK TEXT #}
        {% set OTHER %}MARK{{ NAME }}{% endset %}{{ OTHER[NUMBER] }}{{ OTHER[:NUMBER] }}{{ OTHER | replace('TEXT', 'OTHER') }}
        {% with NAME = OTHER %}{{ NAME | default('TEXT') }}{% endwith %}{{ MARK }}{% generation %}{{ OTHER.TEXT_ }}{% endgeneration %}
    """
    text = f"{quoted}?" if not re.search("[{}#%]", quoted) else "text"
    source = source.replace("'TEXT'", f"'{quoted}'").replace("TEXT_", "x").replace("TEXT", text)
    source = source.replace("NAME", name).replace("OTHER", other).replace("NUMBER", str(number)).replace("MARK", MARK)
    return compile_template(source, mutable=False).generated


PLAIN_PROGRAM = program("first", "second", "a text", 12345)


@settings(deadline=None, max_examples=100)
@example(name="import", other="exec", literal="');import os;('", number=10**15)
@example(name="µ", other="ﬁ", literal="\ud800", number=77)
@example(name="run", other="t1", literal='"""', number=77)
@given(name=IDENTIFIERS, other=IDENTIFIERS, literal=LITERALS, number=st.integers(10, 2**55))
def test_generated_source_holds_nothing_of_the_template(name, other, literal, number):
    """Names are numbered and constants live in a table: with other names, texts and numbers, the code is the same."""
    assume(not other.startswith("_"))  # a namespace refuses such a name, by way of other code
    generated = program(f"{MARK}a{name}", f"{other}b{MARK}", f"{literal}!", number)
    assert MARK not in generated
    assert generated == PLAIN_PROGRAM


def test_generated_code_is_made_of_the_dialect():
    """Its identifiers are a letter and a number, keywords, and names of the dialect; what it reads of objects is ours."""
    tree = ast.parse(PLAIN_PROGRAM)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    named = {name for name in names if not re.fullmatch(r"[a-z]\d+", name)}
    assert named <= {*DIALECT, *DIALECT["__builtins__"], "run", "values"}
    assert not any(isinstance(node, ast.Import | ast.ImportFrom | ast.Global) for node in ast.walk(tree))
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not any(name.startswith("_") for name in attributes)


def test_generated_code_reaches_no_builtins():
    """What generated code can name is the dialect and a dozen harmless builtins."""
    assert "__import__" not in DIALECT["__builtins__"]
    assert (
        not {"open", "exec", "eval", "getattr", "setattr", "compile", "globals", "vars", "object"}
        & DIALECT["__builtins__"].keys()
    )


def test_undefined_is_an_error_where_it_is_used():
    """An undefined value has no attributes, no items and no methods of its own."""
    for expression in ("x.y", "x['y']", "x.__class__", "x()", "x + 1", "-x", "x < 1", "x.message", "x.error", "x.fail"):
        with pytest.raises((UndefinedError, SecurityError)):
            compile_template("{{ " + expression + " }}", mutable=False).render({})


def test_a_name_that_only_the_filter_of_a_set_block_reads():
    """Jinja2 fails on it without a word about the template; here it is an error of the template."""
    with pytest.raises(TemplatesError, match="unknown to the frame"):
        compile_template("{% set x|replace('A', a) %}A{% endset %}{{ x }}")
