"""`diagnose` finds what a template does to a conversation that nobody meant, and `repaired` makes only those changes."""

import copy

import pytest

from llm_templates import ChatTemplate, InputError, load, repaired

PLAIN = "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}"
PARTS = "{% for m in messages %}<{{ m.role }}>{% for p in m.content %}{{ p.text }}{% endfor %}\n{% endfor %}"
CALLS = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}"
    "{% for c in m.tool_calls or [] %}{{ c.function.arguments | tojson }}{% endfor %}{% endfor %}"
)
KNOWN_ROLES = "{% for m in messages %}{% if m.role in ('user', 'assistant') %}{{ m.content }}{% endif %}{% endfor %}"


def parts(*texts):
    return [{"type": "text", "text": text} for text in texts]


def call(arguments):
    return {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}}


def rules(findings):
    return [(finding.rule, finding.index, finding.key) for finding in findings]


def test_a_conversation_that_fits_has_no_findings():
    assert load("chatml").diagnose([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]) == []


def test_parts_printed_as_python_are_found_and_joined():
    template = ChatTemplate.from_string(PLAIN)
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": parts("b", "c")}]

    findings = template.diagnose(messages)

    assert rules(findings) == [("parts", 1, "content")]
    assert template.render(repaired(messages, findings)) == "<user>a\n<assistant>b\nc\n"


def test_parts_a_template_fails_on_are_found():
    template = ChatTemplate.from_string("{% for m in messages %}{{ m.content + '!' }}{% endfor %}")
    messages = [{"role": "user", "content": parts("b")}]

    findings = template.diagnose(messages)

    assert rules(findings) == [("parts", 0, "content")]
    assert template.render(repaired(messages, findings)) == "b!"


def test_an_image_among_the_parts_is_found_and_left():
    template = ChatTemplate.from_string(PLAIN)
    messages = [{"role": "user", "content": [*parts("b"), {"type": "image", "image": "x.png"}]}]

    findings = template.diagnose(messages)

    assert rules(findings) == [("parts", 0, "content")]
    assert repaired(messages, findings) == messages


def test_text_where_the_template_wants_parts_is_found():
    template = ChatTemplate.from_string(PARTS)
    messages = [{"role": "user", "content": "Hello there"}]

    findings = template.diagnose(messages)

    assert rules(findings) == [("text", 0, "content")]
    assert template.render(repaired(messages, findings)) == "<user>Hello there"


def test_arguments_encoded_twice_are_found_and_decoded():
    template = ChatTemplate.from_string(CALLS)
    messages = [{"role": "assistant", "content": "", "tool_calls": [call('{"city": "Paris"}')]}]

    findings = template.diagnose(messages)

    assert rules(findings) == [("arguments", 0, "tool_calls")]
    assert template.render(repaired(messages, findings)) == '<assistant>{"city": "Paris"}'


def test_arguments_that_are_no_object_are_left():
    template = ChatTemplate.from_string(CALLS)
    messages = [{"role": "assistant", "content": "", "tool_calls": [call("[1"), call("[1]")]}]

    assert template.diagnose(messages) == []


def test_text_of_an_unknown_role_is_found_dropped():
    findings = ChatTemplate.from_string(KNOWN_ROLES).diagnose(
        [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    )

    assert rules(findings) == [("dropped", 0, "content")]
    assert "'developer'" in str(findings[0])


def test_a_refused_role_names_the_message_and_the_templates_words():
    findings = load("gemma").diagnose([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}])

    assert rules(findings)[0] == ("refused", 0, None)
    assert "System role not supported" in findings[0].message


def test_nothing_the_caller_passed_is_changed():
    messages = [{"role": "assistant", "content": parts("b"), "tool_calls": [call('{"x": 1}')]}]
    before = copy.deepcopy(messages)
    template = ChatTemplate.from_string(CALLS)

    repaired(messages, template.diagnose(messages))

    assert messages == before


def test_an_empty_conversation_is_an_error_as_in_render():
    with pytest.raises(InputError, match="empty"):
        load("chatml").diagnose([])
