"""What `derive` finds of output formats: in built-in templates, as a table, and in small templates of every kind."""

import json
from itertools import product
from pathlib import Path

import pytest

from llm_templates import ChatTemplate, RaisedError, load
from llm_templates.grammar.derive import derive
from llm_templates.grammar.grammar import Block, Grammar, Keys
from llm_templates.grammar.layout import layout
from llm_templates.grammar.stage import RENDERS

#: What is found of built-in templates alone, without what their families say beside it.
TABLE = Path(__file__).parent / "derived.txt"


def derived(template):
    """The grammar of a built-in family's template, or of a template, and nothing but what the template shows."""
    template = load(template) if isinstance(template, str) else template
    return derive(
        template.render,
        variables=template.variables,
        switch=template.reasoning_switch,
        stops=template.stop_strings,
        source=template.source,
    )


def told(grammar):
    """A grammar in lines: `⏎` for a line break, `…` between the markers around a text."""
    lines = [f"opener     {grammar.opener}"]
    lines += [f"reasoning  {block.open}…{block.close}" for block in grammar.reasoning]
    if grammar.content:
        lines.append(f"content    {grammar.content.open}…{grammar.content.close}")
    for form in grammar.calls:
        lines += [
            f"{part:<10} {getattr(form, part)}" for part in ("begin", "call", "between", "end") if getattr(form, part)
        ]
        if form.arguments != "json":
            lines.append(f"arguments  {' '.join(filter(None, (form.arguments, form.argument, form.quote)))}")
        if form.types:
            lines.append(f"types      {', '.join(f'{word}: {kind}' for word, kind in sorted(form.types.items()))}")
        if form.keys != Keys():
            lines.append(f"keys       {', '.join(key or '-' for key in form.keys)}")
    lines.append(f"stops      {' '.join(grammar.stops)}")
    return "\n".join(line.replace("\n", "⏎") for line in lines)


def table():
    """The families of the table, each with its lines."""
    entries = TABLE.read_text(encoding="utf-8").strip().split("\n\n")
    return {entry.partition("\n")[0].strip("[]"): entry.partition("\n")[2] for entry in entries}


@pytest.mark.parametrize("family", table())
def test_the_format_of_a_family_is_read_off_its_template(family):
    """Every line of the table is what the template of that family shows."""
    assert told(derived(family)) == table()[family]


# Small templates

TURNS = """
{%- for m in messages %}
{%- if m.role == 'assistant' %}<|a|>ASSISTANT<|e|>
{%- else %}<|u|>{{ m.content }}<|e|>{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|a|>{% endif %}"""


def small(assistant, text=TURNS, **tokens):
    """A template whose assistant turns are written so."""
    return ChatTemplate.from_string(text.replace("ASSISTANT", assistant), special_tokens=tokens)


def calling(call, between="", begin="", end="", content="{{ m.content }}"):
    """A template that writes calls so, `f` and `t` being the function and the call."""
    loop = "{% for t in m.tool_calls %}{% set f = t.function %}" + call + "{{ between if not loop.last }}{% endfor %}"
    text = f"{content}{{% if m.tool_calls %}}{begin}{loop}{end}{{% endif %}}"
    return small(text.replace("{{ between", f"{{{{ {json.dumps(between)}"))


TAGGED = "{% for k, v in f.arguments.items() %}OPEN{{ k }}BETWEEN{{ v if v is string else v | tojson }}CLOSE{% endfor %}{{ '' }}"


def tagged(begin, between, close):
    return TAGGED.replace("OPEN", begin).replace("BETWEEN", between).replace("CLOSE", close)


#: The ways in which the inside of a call is written: as a template, as a layout, the dialect and the layout of arguments.
INSIDES = {
    "all JSON": ("{{ f | tojson }}", "{json}", "json", ""),
    "JSON by hand": (
        '{"name": "{{ f.name }}", "arguments": {{ f.arguments | tojson }}}',
        "{json}",
        "json",
        "",
    ),
    "JSON after the name": ("{{ f.name }}<|args|>{{ f.arguments | tojson }}", "{name}<|args|>{arguments}", "json", ""),
    "JSON after name and id": (
        "{{ f.name }}[ID]{{ t.id }}[ARGS]{{ f.arguments | tojson }}",
        "{name}[ID]{id}[ARGS]{arguments}",
        "json",
        "",
    ),
    "JSON after id and name": (
        "{{ t.id }}[NAME]{{ f.name }}[ARGS]{{ f.arguments | tojson }}",
        "{id}[NAME]{name}[ARGS]{arguments}",
        "json",
        "",
    ),
    "tags": (
        "{{ f.name }}" + tagged("<key>", "</key><value>", "</value>"),
        "{name}{arguments}",
        "tagged",
        "<key>{key}</key><value>{value}</value>",
    ),
    "tags with lines": (
        '<f name="{{ f.name }}">\n' + tagged('<arg name="', '">\n', "\n</arg>\n") + "</f>",
        '<f name="{name}">\n{arguments}</f>',
        "tagged",
        '<arg name="{key}">\n{value}\n</arg>\n',
    ),
    "tags that keys are": (
        '<f name="{{ f.name }}">{% for k, v in f.arguments.items() %}<{{ k }}>{{ v }}</{{ k }}>{% endfor %}</f>',
        '<f name="{name}">{arguments}</f>',
        "nested",
        "<{key}>{value}</{key}>",
    ),
    "bare keys": (
        "call:{{ f.name }}{ {%- for k, v in f.arguments.items() %}{{ k }}:"
        "{{ '<q>' + v + '<q>' if v is string else v }}{{ ',' if not loop.last }}{% endfor %}}",
        "call:{name}{arguments}",
        "loose",
        "",
    ),
    "Python": (
        "{{ f.name }}({% for k, v in f.arguments.items() %}{{ k }}='{{ v }}'{{ ', ' if not loop.last }}{% endfor %})",
        "{name}({arguments})",
        "python",
        "",
    ),
}
#: Markers around each call, around all calls, and what stands between two calls.
AROUND = (("<call>\n", "\n</call>"), ("<|call|>", "<|/call|>"), ("[CALL]", "[/CALL]"))
SECTIONS = (("", ""), ("<calls>\n", "\n</calls>"), ("<|calls_begin|>", "<|calls_end|>"))


@pytest.mark.parametrize("inside", INSIDES)
@pytest.mark.parametrize(("around", "section", "between"), list(product(AROUND, SECTIONS, ("", "\n"))))
def test_every_form_is_found_between_any_markers(inside, around, section, between):
    """What is put together from markers is taken apart into the same ones, apart from white space between them."""
    written, call, arguments, argument = INSIDES[inside]
    template = calling(around[0] + written + around[1], between, *section)
    form = derived(template).calls[0]
    assert layout(form.call).text == around[0] + call + around[1]
    assert (form.begin.strip(), form.end.strip()) == (section[0].strip(), section[1].strip())
    assert form.between.strip() == ""
    assert (form.arguments, form.argument) == (arguments, argument)
    assert form.quote == ("<q>" if arguments == "loose" else "")


def test_an_array_holds_all_calls():
    """One JSON array of calls is read as a whole; its keys are called as the template calls them."""
    text = '{% if m.tool_calls %}[CALLS][{% for t in m.tool_calls %}{"tool": {"call_id": "{{ t.id }}", "tool_name": "{{ t.function.name }}", "parameters": {{ t.function.arguments | tojson }}}}{{ \', \' if not loop.last }}{% endfor %}]{% else %}{{ m.content }}{% endif %}'
    form = derived(small(text)).calls[0]
    assert (form.call, form.begin, form.end, form.between) == ("[CALLS]{json}", "", "", "")
    assert form.keys == Keys("tool_name", "parameters", "call_id")


def test_the_name_may_be_the_key():
    """In `{"f": {"a": 1}}` no key says what is the name."""
    form = derived(calling('<c>{"{{ f.name }}": {{ f.arguments | tojson }}}</c>')).calls[0]
    assert (form.call, form.keys) == ("<c>{json}</c>", Keys("", ""))


def test_calls_without_a_marker():
    """A call that no marker begins is found, too; what stands between two calls is not part of one."""
    template = calling(
        "{{ f.name }}({% for k, v in f.arguments.items() %}{{ k }}={{ v | tojson }}{{ ', ' if not loop.last }}{% endfor %})",
        ", ",
        "[",
        "]",
    )
    form = derived(template).calls[0]
    assert (form.begin, form.call, form.between, form.end) == ("[", "{name}({arguments})", ", ", "]")


def test_numbers_of_calls_and_ids_made_of_them_are_fields():
    """What counts the calls is no literal text; a name and a number make an id."""
    numbered = calling('<c tool="{{ f.name }}" index="{{ loop.index }}">{{ f.arguments | tojson }}</c>')
    made = calling("<|c|>functions.{{ f.name }}:{{ loop.index0 }}<|args|>{{ f.arguments | tojson }}<|/c|>")
    assert derived(numbered).calls[0].call == '<c tool="{name}" index="{index}">{arguments}</c>'
    assert derived(made).calls[0].call == "<|c|>{id}<|args|>{arguments}<|/c|>"


def test_types_on_the_wire():
    """A word that differs with the type of the value is a field, whose words are told from probes of all types."""
    kind = "{{ 'string' if v is string else 'boolean' if v is boolean else 'null' if v is none else 'number' if v is number else 'object' if v is mapping else 'array' }}"
    template = calling("<c>{{ f.name }}" + tagged('<arg key="', f'" type="{kind}">', "</arg>") + "</c>")
    form = derived(template).calls[0]
    assert form.argument == '<arg key="{key}" type="{type}">{value}</arg>'
    others = ("number", "boolean", "null", "object", "array")
    assert form.types == {"string": "string", **dict.fromkeys(others, "json")}


def test_quoted_values():
    """Tagged values that are all JSON are told from those that are text."""
    written = tagged("<k>", "</k><v>", "</v>").replace("v if v is string else ", "")
    form = derived(calling("<c>{{ f.name }}" + written + "</c>")).calls[0]
    assert (form.argument, form.quoted) == ("<k>{key}</k><v>{value}</v>", True)


@pytest.mark.parametrize(
    "wanted",
    [
        "{% if f.arguments is not string %}{{ raise_exception('text, please') }}{% endif %}",
        "{% if f.arguments is string %}{{ raise_exception('no text, please') }}{% endif %}",
        "{% if m.content %}{{ raise_exception('a call or an answer') }}{% endif %}",
        "{% if m.content is defined %}{{ raise_exception('no content') }}{% endif %}",
        "{% if m.tool_calls | length > 1 %}{{ raise_exception('one call') }}{% endif %}",
        "{% if tools %}{{ raise_exception('no tools') }}{% endif %}",
        "{% if messages[-1].role != 'tool' %}{{ raise_exception('a result, please') }}{% endif %}",
        "{% if t.id | length != 9 %}{{ raise_exception('nine characters') }}{% endif %}",
    ],
)
def test_templates_may_insist_on_a_shape(wanted):
    """Calls are given in the shapes that templates want until one is written."""
    arguments = "{{ f.arguments if f.arguments is string else f.arguments | tojson }}"
    template = calling(wanted + "<c>{{ f.name }}<|args|>" + arguments + "</c>", content="{{ m.content or '' }}")
    assert derived(template).calls[0].call == "<c>{name}<|args|>{arguments}</c>"


def test_calls_of_older_shapes():
    """Calls without `function`, and a message's `function_call`, are written by some templates only."""
    flat = small(
        "{{ m.content }}{% for t in m.tool_calls %}<c>{{ t.name }}<|args|>{{ t.arguments | tojson }}</c>{% endfor %}"
    )
    single = small(
        "{{ m.content }}{% set c = m.function_call %}{% if c %}<c>{{ c.name }}<|args|>{{ c.arguments | tojson }}</c>{% endif %}"
    )
    assert derived(flat).calls[0].call == "<c>{name}<|args|>{arguments}</c>"
    assert derived(single).calls[0].call == "<c>{name}<|args|>{arguments}</c>"


# Reasoning and answers

WITH = "{% if m.FIELD %}<think>\n{{ m.FIELD }}\n</think>\n\n{% endif %}{{ m.content }}"
THINK = Block("<think>\n", "\n</think>\n\n")


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_reasoning_in_any_field(field):
    """The field that the template writes is found, and named as what proved the markers."""
    grammar = derived(small(WITH.replace("FIELD", field)))
    assert grammar.reasoning == (THINK,)
    assert f"`{field}`" in grammar.evidence["reasoning[0].open"]


def test_reasoning_in_parts_of_content():
    """A part of type `thinking` counts, unless it is printed as the data it is."""
    text = "{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}{{ '[THINK]' + p.thinking + '[/THINK]' if p.type == 'thinking' else p.text }}{% endfor %}{% endif %}"
    assert derived(small(text)).reasoning == (Block("[THINK]", "[/THINK]"),)
    assert derived(small("{{ m.content }}")).reasoning == ()


def test_reasoning_that_only_calls_have():
    """Some templates write reasoning before calls alone."""
    call = "{% for t in m.tool_calls %}<c>{{ t.function | tojson }}</c>{% endfor %}"
    text = (
        "{% if m.tool_calls %}<|PLAN|>{{ m.reasoning_content }}<|/PLAN|>"
        + call
        + "{% else %}{{ m.content }}{% endif %}"
    )
    assert derived(small(text)).reasoning == (Block("<|PLAN|>", "<|/PLAN|>"),)


def test_reasoning_where_it_is_asked_for():
    """The switch for reasoning is on where probes have some."""
    text = WITH.replace("m.FIELD %}", "m.reasoning and enable_thinking %}").replace("FIELD", "reasoning")
    assert derived(small(text)).reasoning == (THINK,)


@pytest.mark.parametrize(
    "prompt",
    ["<think>\n", "<think>\n\n</think>\n\n", "{{ '<think>\n' if enable_thinking else '<think>\n\n</think>\n\n' }}"],
)
def test_a_prompt_may_open_or_close_reasoning(prompt):
    """What precedes reasoning in all turns is the opener, and not the marker that a prompt supplies."""
    grammar = derived(
        small(WITH.replace("FIELD", "reasoning"), TURNS.replace("%}<|a|>{% endif", f"%}}<|a|>{prompt}{{% endif"))
    )
    assert (grammar.opener, grammar.reasoning) == ("<|a|>", (THINK,))


@pytest.mark.parametrize(
    ("assistant", "prompt", "proof"),
    [
        ("{{ m.content }}", "{{ '<think>\n\n</think>\n\n' if not enable_thinking }}", "a question"),
        ("{{ m.content.split('</think>')[-1] }}", "<think>\n", "an answer with </think> in it"),
        ("{{ m.content.split('</think>')[-1] }}", "", "an answer with </think> in it"),
        ("{{ m.content }}", "<think>\n", "a slash closes"),
        ("{{ m.content }}", "{{ '</think>' if not enable_thinking }}", "a question"),
        ("<think></think>{{ m.content }}", "", "an answer"),
    ],
)
def test_a_template_that_writes_no_reasoning_may_show_its_markers(assistant, prompt, proof):
    """Prompts, empty blocks and what is cut off answers are evidence, in this order."""
    template = small(assistant, TURNS.replace("%}<|a|>{% endif", f"%}}<|a|>{prompt}{{% endif"))
    grammar = derived(template)
    assert [block.open.strip() for block in grammar.reasoning] == ["<think>"]
    assert [block.close.strip() for block in grammar.reasoning] == ["</think>"]
    assert proof in grammar.evidence["reasoning[0].close"]
    assert grammar.opener == "<|a|>"


def test_reasoning_between_words():
    """Words serve as markers where a template has no others."""
    text = "{{ m.reasoning + '\n[BEGIN FINAL RESPONSE]\n' if m.reasoning }}{{ m.content }}"
    grammar = derived(small(text, TURNS.replace("%}<|a|>{% endif", "%}<|a|>Here is what I think:\n{% endif")))
    assert grammar.reasoning == (Block("Here is what I think:\n", "\n[BEGIN FINAL RESPONSE]\n"),)
    assert grammar.evidence["reasoning[0].open"] == "probe 'a question'"


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("<answer>\n", "\n</answer>"),
        ("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
        ("<|open|>say<|sep|>", "<|close|>say<|sep|>"),
    ],
)
def test_what_wraps_an_answer(begin, end):
    """The answer's own markers are told from those of reasoning, and what closes it from what ends the turn."""
    text = "{% if m.reasoning %}<think>{{ m.reasoning }}</think>{% endif %}" + begin + "{{ m.content }}" + end
    grammar = derived(small(text, eos_token=end.strip()))
    assert grammar.reasoning == (Block("<think>", "</think>"),)
    assert grammar.content == Block(begin, end)
    assert grammar.stops == ("<|e|>",)


def test_empty_reasoning_wraps_no_answer():
    """A block of reasoning that a template writes where nobody reasoned is none of the answer's markers."""
    text = "<think>\n{{ m.reasoning if m.reasoning else '' }}\n</think>\n\n{{ m.content }}"
    grammar = derived(small(text))
    assert (grammar.reasoning, grammar.content, grammar.opener) == ((THINK,), None, "<|a|>")


def test_white_space_around_an_answer():
    """White space that the template writes beside an answer is the template's, and so it is before calls."""
    text = " {{ m.content }}{% for t in m.tool_calls %}{{ '\n' }}<c>{{ t.function | tojson }}</c>{% endfor %} "
    grammar = derived(small(text))
    assert grammar.content == Block(" ", " ")
    assert grammar.calls[0].call == "\n<c>{json}</c>"


# Where turns end


def test_another_end_after_calls():
    """A turn with calls may end otherwise than one with an answer; both end the output."""
    turn = "{{ m.content }}{% for t in m.tool_calls %}<c>{{ t.function | tojson }}</c>{% endfor %}{{ '<|call|>' if m.tool_calls else '<|stop|>' }}"
    grammar = derived(small(turn, TURNS.replace("ASSISTANT<|e|>", "ASSISTANT")))
    assert grammar.calls[0].call == "<c>{json}</c>"
    assert set(grammar.stops) == {"<|stop|>", "<|call|>"}


def test_turns_that_nothing_ends():
    """Where turns have no end, the markers that begin the next ones stop the output."""
    text = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% for t in m.tool_calls %}<c>{{ t.function | tojson }}</c>{% endfor %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
    grammar = derived(ChatTemplate.from_string(text))
    assert grammar.calls[0].call == "<c>{json}</c>"
    assert set(grammar.stops) == {"<|user|>", "<|tool|>"}


def test_a_template_that_always_writes_what_precedes_an_answer():
    """Without a generation prompt the marker after the question begins the turn."""
    text = "{% for m in messages %}{{ '[INST]' + m.content + '[/INST]' if m.role == 'user' else m.content + eos_token }}{% endfor %}"
    grammar = derived(ChatTemplate.from_string(text, special_tokens={"eos_token": "</s>"}))
    assert (grammar.opener, grammar.prompt, grammar.stops) == ("[/INST]", "", ("</s>",))


# What holds for all of them


@pytest.mark.parametrize("family", table())
def test_every_part_has_its_evidence(family):
    """Each part says by which probe it was found."""
    grammar = derived(family)
    parts = {"opener": grammar.opener, "prompt": grammar.prompt}
    for index, block in enumerate(grammar.reasoning):
        parts |= {f"reasoning[{index}].{part}": "given" for part in block._fields}
    parts |= {f"content.{part}": text for part, text in (grammar.content._asdict() if grammar.content else {}).items()}
    for index, form in enumerate(grammar.calls):
        named = ("call", "begin", "end", "between", "argument", "types")
        parts |= {f"calls[{index}].{part}": getattr(form, part) for part in named}
    for part, value in parts.items():
        assert bool(grammar.evidence.get(part)) == bool(value), part
    assert all("probe" in why or "template" in why or "tag" in why for why in grammar.evidence.values())


REFUSALS = {
    "everything": "{{ raise_exception('no') }}",
    "the assistant": "{% for m in messages %}{{ raise_exception('no') if m.role == 'assistant' }}{{ m.content }}{% endfor %}<a>",
    "calls": TURNS.replace("ASSISTANT", "{{ raise_exception('no') if m.tool_calls }}{{ m.content }}"),
    "reasoning": TURNS.replace("ASSISTANT", "{{ raise_exception('no') if m.reasoning }}{{ m.content }}"),
    "tools": "{{ raise_exception('no') if tools }}" + TURNS.replace("ASSISTANT", "{{ m.content }}"),
    "text": "{% for m in messages %}{{ m.content[0].text }}{% endfor %}",
    "short conversations": "{{ messages[7].content }}",
    "nothing, and writes nothing": "{% for m in messages %}{% endfor %}",
    "nothing, and writes the same": "Hello!",
    "nothing, and writes much": "{% for m in messages %}{{ m.content }}{{ '<x>' * 100000 }}{% endfor %}",
    "nothing, and never ends": "{% for a in range(10000) %}{% for b in range(10000) %}{{ a }}{% endfor %}{% endfor %}",
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_template_may_refuse_anything(what):
    """Nothing is raised, whatever a template refuses; what it shows is found, and it is not asked without end."""
    template = ChatTemplate.from_string(REFUSALS[what])
    count = 0

    def render(*arguments, **options):
        nonlocal count
        count += 1
        return template.render(*arguments, **options)

    grammar = derive(render, variables=template.variables, stops=("<|e|>",), source=template.source)
    assert grammar.calls == grammar.reasoning == ()
    assert count <= RENDERS
    if "TURNS" in what or what in ("calls", "reasoning", "tools"):
        assert (grammar.opener, grammar.stops) == ("<|a|>", ("<|e|>",))


def test_a_template_that_takes_too_long_is_asked_once():
    """A render that exceeds its budget is the last one."""
    template, count = ChatTemplate.from_string(REFUSALS["nothing, and never ends"]), []

    def render(*arguments, **options):
        count.append(options)
        return template.render(*arguments, **options)

    assert derive(render) == Grammar()
    assert len(count) == 1


@pytest.mark.parametrize("family", table())
def test_few_prompts_are_rendered(family):
    """A usual template is asked for some dozens of prompts at most."""
    template, count = load(family), []

    def render(*arguments, **options):
        count.append(options)
        return template.render(*arguments, **options)

    derive(
        render,
        variables=template.variables,
        switch=template.reasoning_switch,
        stops=template.stop_strings,
        source=template.source,
    )
    assert 0 < len(count) <= 45


def test_nothing_is_made_up():
    """What no probe shows is absent: no calls and no reasoning where the template writes none."""
    grammar = derived(small("{{ m.content }}"))
    assert grammar == Grammar(stops=("<|e|>",), opener="<|a|>", prompt="<|a|>", evidence=grammar.evidence)


def test_words_of_probes_are_never_taken_for_markers():
    """A template that writes a call in a way that is not understood gives no form rather than a wrong one."""
    doubled = calling("<c>{{ f.name }}{{ f.arguments | tojson }}{{ f.arguments | tojson }}</c>")
    scattered = calling("{{ f.arguments.keys() | list }} of {{ f.name }}")
    for template in (doubled, scattered):
        assert not any("qz" in str(form) for form in derived(template).calls)


def test_a_template_raises_its_own_words_elsewhere():
    """Probes leave the template as it is: what it refuses it refuses afterwards."""
    template = ChatTemplate.from_string(REFUSALS["calls"])
    derived(template)
    with pytest.raises(RaisedError, match="no"):
        template.render(
            [{"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}]
        )
