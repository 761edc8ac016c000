"""One switch for reasoning, and what ends a turn: the same words for every template."""

import pytest

from llm_templates import ChatTemplate, InputError, VariableError, families, load
from llm_templates.families.switches import usual_switch

QUESTION = [{"role": "user", "content": "Is 91 a prime?"}]
SWITCHED = [name for name in families.names() if families.get(name).reasoning]


def test_there_are_families_with_a_switch():
    assert len(SWITCHED) > 10


@pytest.mark.parametrize("name", SWITCHED)
def test_a_familys_switch_is_its_variables(name):
    """`reasoning=` renders what the variables themselves render, and most of all makes a difference."""
    template = load(name)
    prompts = set()
    for wish, variables in families.get(name).reasoning.settings.items():
        reasoning = {"on": True, "off": False}.get(wish, wish)
        prompt = template.render(QUESTION, add_generation_prompt=True, reasoning=reasoning)
        assert prompt == template.render(QUESTION, add_generation_prompt=True, variables=variables)
        prompts.add(prompt)
    assert len(prompts) > 1 or len(families.get(name).reasoning.settings) == 1


def test_templates_of_no_family_are_switched_by_the_usual_names():
    """What publishers call it is a table; on/off and levels may be two variables."""
    template = ChatTemplate.from_string("{{ enable_thinking }}{{ reasoning_effort }}")
    assert template.render(QUESTION, reasoning=False) == "False"
    assert template.render(QUESTION, reasoning="low") == "low"
    assert usual_switch(["messages"]) is None


def test_a_template_without_a_switch_says_so():
    """Nothing is passed over in silence."""
    with pytest.raises(InputError, match="the template has no switch for reasoning"):
        load("chatml").render(QUESTION, reasoning=True)


def test_a_wish_that_the_template_does_not_know():
    """The error tells what it takes."""
    template = ChatTemplate.from_string("{{ enable_thinking }}")
    with pytest.raises(InputError, match="reasoning='low' means nothing to this template") as caught:
        template.render(QUESTION, reasoning="low")
    assert caught.value.hint == "it takes True, False"
    with pytest.raises(InputError):
        template.render(QUESTION, reasoning=3)


def test_the_variable_beside_the_switch_is_refused():
    """Two ways to say one thing may say two things."""
    template = ChatTemplate.from_string("{{ enable_thinking }}")
    with pytest.raises(VariableError, match="reasoning= and the variable 'enable_thinking' say the same thing"):
        template.render(QUESTION, reasoning=True, variables={"enable_thinking": True})


@pytest.mark.parametrize("name", families.names())
def test_a_family_names_what_ends_its_turn(name):
    """A loaded template has the stop strings of its family."""
    assert load(name).stop_strings == families.get(name).stop_strings


@pytest.mark.parametrize(
    ("source", "tokens", "stops"),
    [
        ("{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>\n{% endfor %}", {}, ("<|end|>",)),
        (
            "{% for m in messages %}[{{ m.role }}] {{ m.content + eos_token }}{% endfor %}",
            {"eos_token": "</s>"},
            ("</s>",),
        ),
        ("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}", {}, ("\nuser:",)),
        (
            "{% for m in messages %}<turn>{{ m.role }}\n{{ m.content }}</turn>\n{% endfor %}",
            {"eos_token": "<eos>"},
            ("</turn>", "<eos>"),
        ),
        ("{% for m in messages %}{% for p in m.content %}{{ p.text }}{% endfor %}<|e|>{% endfor %}", {}, ("<|e|>",)),
        ("{{ messages[0].content }}", {}, ()),
    ],
)
def test_stop_strings_of_any_template(source, tokens, stops):
    """What follows an answer in the prompt, and the token that ends any text."""
    assert ChatTemplate.from_string(source, special_tokens=tokens).stop_strings == stops


def test_a_models_generation_configuration_counts(tmp_path):
    """Its stop tokens are ids; their texts are in the tokenizer's configuration."""
    (tmp_path / "chat_template.jinja").write_text("{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}")
    (tmp_path / "tokenizer_config.json").write_text(
        '{"eos_token": "<|im_end|>", "added_tokens_decoder": {"7": {"content": "<|endoftext|>"}, "8": {"content": "<|im_end|>"}}}'
    )
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [8, 7, 9]}')
    assert load(tmp_path).stop_strings == ("<|im_end|>", "<|endoftext|>")
    for broken in ('{"eos_token_id": "x"}', "[]", "{", '{"eos_token_id": null}'):
        (tmp_path / "generation_config.json").write_text(broken)
        assert load(tmp_path).stop_strings == ("<|im_end|>",)
