"""Law: what we render is what transformers renders, for every built-in family and any conversation of plain text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_templates import families, load

AWKWARD = ["", " ", "\n", " \t\n", "</s>", "<|im_end|>", "{{ x }}", "{% if %}", "a\r\nb", "é😀\u200b", "<b>&amp;"]
TEXTS = st.text(max_size=20) | st.sampled_from(AWKWARD)

#: The usual order, which every family accepts, and any other.
ALTERNATING = st.integers(0, 3).map(lambda pairs: ["user", "assistant"] * pairs + ["user"])
ROLES = ALTERNATING | st.lists(st.sampled_from(["system", "user", "assistant", "tool", "developer"]), max_size=5)


@st.composite
def conversations(draw):
    """A conversation of at least one message, with a system message in half of the cases."""
    roles = draw(ROLES)
    if draw(st.booleans()) or not roles:
        roles = ["system", *roles]
    return [{"role": role, "content": draw(TEXTS)} for role in roles]


@pytest.mark.parametrize("name", families.names())
@settings(deadline=None)
@given(messages=conversations(), prompted=st.booleans())
def test_render_is_the_reference(name, ours, reference, messages, prompted):
    """The same text, or a refusal in the same words."""
    template = load(name)
    expected = reference(
        template.source, messages, special_tokens=template.special_tokens, add_generation_prompt=prompted
    )
    assert ours(template, messages, add_generation_prompt=prompted) == expected
