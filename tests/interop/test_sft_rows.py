"""`sft_rows`: rows of ids and masks that TRL's trainer takes as they are."""

import copy
import itertools
import warnings

import pytest

pytest.importorskip("transformers")

from llm_templates import InputError, RaisedError, load
from llm_templates.integrations.transformers import apply_chat_template, sft_rows
from llm_templates.masking import Training

TALK = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "<|im_end|>"},
    {"role": "assistant", "content": "Bye."},
]
TOOLS = [{"type": "function", "function": {"name": "now", "description": "The time.", "parameters": {}}}]


def trained(tokenizer, row):
    """The text that a row's mask covers."""
    return tokenizer.decode([i for i, one in zip(row["input_ids"], row["assistant_masks"], strict=True) if one])


def test_rows_are_those_of_the_call(tokenizer):
    """The ids that the tokenizer itself gives an honest conversation, and the mask of our call."""
    (row,) = sft_rows(load("chatml"), [TALK[:2]], tokenizer)
    call = apply_chat_template(load("chatml"), TALK[:2], tokenizer=tokenizer, return_assistant_tokens_mask=True)
    assert row == {key: call[key] for key in ("input_ids", "assistant_masks")}
    assert all(type(one) is int for values in row.values() for one in values)


def test_control_tokens_of_users_are_text(tokenizer):
    """Nobody's data can end a turn."""
    (row,) = sft_rows(load("chatml"), [TALK], tokenizer)
    assert row["input_ids"].count(tokenizer.convert_tokens_to_ids("<|im_end|>")) == 4
    assert trained(tokenizer, row).replace(" ", "") == "Hello.<|im_end|>Bye.<|im_end|>"


def test_columns(tokenizer):
    """Each says the same of a row; nothing else is in it, since the collator would drop or refuse it."""
    rows = {
        column: next(sft_rows(load("chatml"), [TALK], tokenizer, column=column))
        for column in ("assistant_masks", "completion_mask", "labels")
    }
    assert all(list(row) == ["input_ids", column] for column, row in rows.items())
    mask = rows["assistant_masks"]["assistant_masks"]
    assert rows["completion_mask"]["completion_mask"] == mask
    ids = rows["labels"]["input_ids"]
    assert rows["labels"]["labels"] == [i if one else -100 for i, one in zip(ids, mask, strict=True)]


def test_records(tokenizer):
    """Tools and variables of a record are rendered, also where a table keeps them as text; nothing is changed."""
    template = load("qwen3")
    records = [
        {"messages": TALK, "tools": TOOLS, "chat_template_kwargs": {"enable_thinking": False}, "source": "x"},
        {
            "messages": TALK,
            "tools": '[{"type": "function", "function": {"name": "now", "description": "The time.", "parameters": {}}}]',
        },
        {"messages": TALK, "tools": None},
    ]
    before = copy.deepcopy(records)
    with pytest.warns(UserWarning, match=r"in conversation 0, messages\[1\]: the turn is written without"):
        first, second, third = sft_rows(template, records, tokenizer)
    assert (
        first["input_ids"]
        == template.encode(TALK, tokenizer=tokenizer, tools=TOOLS, variables={"enable_thinking": False}).ids
    )
    assert second["input_ids"] == template.encode(TALK, tokenizer=tokenizer, tools=TOOLS).ids
    assert third["input_ids"] == template.encode(TALK, tokenizer=tokenizer).ids
    assert records == before


def test_training_and_truncation(tokenizer):
    """What counts, and what stays, are those of `encode`."""
    template = load("chatml")
    (row,) = sft_rows(template, [TALK], tokenizer, training=Training(turns="last", stop=False))
    assert trained(tokenizer, row).strip() == "Bye."
    whole = next(sft_rows(template, [TALK], tokenizer))
    for keep, part in (("start", slice(None, 25)), ("end", slice(-25, None))):
        (cut,) = sft_rows(template, [TALK], tokenizer, max_length=25, keep=keep, on_empty="keep")
        assert cut == {key: values[part] for key, values in whole.items()}


def test_empty_rows(tokenizer):
    """A row that trains nothing is an error, or left out, or kept, as asked."""
    talks = [TALK, TALK[:1], TALK[:2]]
    with pytest.raises(InputError, match="nothing of the row") as caught:
        list(sft_rows(load("chatml"), talks, tokenizer))
    assert caught.value.__notes__ == ["in conversation 1"]
    assert len(list(sft_rows(load("chatml"), talks, tokenizer, on_empty="skip"))) == 2
    assert [1 in row["assistant_masks"] for row in sft_rows(load("chatml"), talks, tokenizer, on_empty="keep")] == [
        True,
        False,
        True,
    ]


def test_weights(tokenizer):
    """0 leaves a message out; what a mask cannot say is refused."""
    silent = [TALK[0], {**TALK[1], "weight": 0}, *TALK[2:]]
    (row,) = sft_rows(load("chatml"), [silent], tokenizer)
    assert trained(tokenizer, row).replace(" ", "") == "Bye.<|im_end|>"
    half = [TALK[0], {**TALK[1], "weight": 0.5}]
    with pytest.raises(InputError, match="other than 0 and 1"):
        list(sft_rows(load("chatml"), [half], tokenizer))
    assert list(sft_rows(load("chatml"), [half], tokenizer, training=Training(weights=False)))


def test_rows_are_made_as_they_are_asked_for(tokenizer):
    """An endless data set is no difficulty."""
    rows = sft_rows(load("chatml"), itertools.repeat(TALK), tokenizer)
    assert len(list(itertools.islice(rows, 3))) == 3


REASONED = [
    TALK[0],
    {**TALK[1], "reasoning_content": "Easy."},
    TALK[0],
    {**TALK[3], "reasoning_content": "Hm."},
]


def test_findings_are_warnings(tokenizer):
    """Each kind is told once, with the first place, and again by another call; rows are as they would be."""
    talks = [TALK[:2], REASONED, [*TALK[:2], *REASONED], [TALK[0], REASONED[1]]]
    for _ in range(2):
        with pytest.warns(UserWarning, match="reasoning") as caught:
            rows = list(sft_rows(load("qwen3"), talks, tokenizer))
        assert [str(warning.message) for warning in caught] == [
            "in conversation 1, messages[1]: its reasoning is not in the prompt"
        ]
        assert all(warning.filename == __file__ for warning in caught)
    assert [row["input_ids"] for row in rows] == [load("qwen3").encode(talk, tokenizer=tokenizer).ids for talk in talks]
    with pytest.warns(UserWarning, match="has no generation blocks"):
        assert not list(sft_rows(load("chatml"), [TALK], tokenizer, training=Training(blocks=True), on_empty="skip"))


def test_empty_rows_are_not_told_of_twice(tokenizer):
    """What becomes of them is said by an option."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not list(sft_rows(load("chatml"), [TALK[:1], TALK], tokenizer, max_length=5, on_empty="skip"))
        assert len(list(sft_rows(load("chatml"), [TALK[:1], TALK], tokenizer, max_length=5, on_empty="keep"))) == 2


def test_one_conversation_is_no_list_of_them(tokenizer):
    """The error says what is likely meant."""
    with pytest.raises(InputError, match=r"pass \[messages\]"):
        list(sft_rows(load("chatml"), TALK, tokenizer))
    with pytest.raises(InputError, match=r"pass \[record\]"):
        sft_rows(load("chatml"), {"messages": TALK}, tokenizer)


def test_errors(tokenizer):
    """Options are looked at before any row; errors of a row say which it was."""
    with pytest.raises(InputError, match="'labels'"):
        sft_rows(load("chatml"), [], tokenizer, column="mask")
    with pytest.raises(InputError, match="'skip'"):
        sft_rows(load("chatml"), [], tokenizer, on_empty="drop")
    with pytest.raises(InputError, match="no 'messages'"):
        list(sft_rows(load("chatml"), [{"text": "Hi"}], tokenizer))
    with pytest.raises(InputError, match="not JSON"):
        list(sft_rows(load("chatml"), [{"messages": TALK, "tools": "["}], tokenizer))
    with pytest.raises(RaisedError) as caught:
        list(sft_rows(load("llama2"), [TALK, [TALK[1], TALK[1]]], tokenizer))
    assert caught.value.__notes__ == ["in conversation 1"]
