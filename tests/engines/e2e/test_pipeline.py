"""The tiny model in transformers: what it has learned, through a pipeline, and tensors as transformers makes them."""

import pytest

pytest.importorskip("torch", reason="transformers runs models with torch, which is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

from llm_templates import ChatTemplate, Training
from llm_templates.integrations.chat import Chat
from llm_templates.integrations.transformers import apply_chat_template, as_tokenizer_template

from .chats import LEARNED, UNSEEN, lessons
from .make_tiny import one_thread
from .wire import plain

#: A text prompt cannot say that what looks like a turn is none.
LESSONS = {name: lesson for name, lesson in lessons().items() if name != "control text"}
CHATS = {**LEARNED, **UNSEEN}


@pytest.fixture(scope="module")
def generator(folder):
    with one_thread():
        # The weights are halves; computed with as such, what comes next hangs on the kernel that is chosen.
        yield pipeline("text-generation", model=str(folder), device="cpu", dtype=torch.float32)


@pytest.fixture(scope="module")
def published(folder):
    """The tokenizer as transformers loads it."""
    return AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("name", LESSONS)
def test_the_answer(generator, template, name):
    """It is the one learned."""
    (*messages, learned), tools = LESSONS[name]
    assert plain(Chat(template, generator)(messages, tools or [])) == plain(learned)


def test_an_answer_that_is_begun_cut_off_or_stopped(generator, template):
    chat = Chat(template, generator)
    messages, _ = LEARNED["two turns"]
    assert plain(chat([*messages[:1], {"role": "assistant", "content": "The"}])) == plain(messages[1])
    messages, _ = LEARNED["code"]
    cut = chat(messages[:1], max_tokens=20)["content"]
    assert 0 < len(cut) < len(messages[1]["content"])
    assert messages[1]["content"].startswith(cut)
    assert chat(messages[:1], stop="range")["content"] == "```python\nfor i in "


@pytest.mark.parametrize("name", CHATS)
def test_ids(template, tokenizer, published, name):
    """transformers renders and encodes the same; where text looks like a control token, it is fooled."""
    messages, tools = CHATS[name]
    for prompted in (True, False):
        options = {"tools": tools, "add_generation_prompt": prompted}
        theirs = published.apply_chat_template(messages, **options)["input_ids"]
        tokens = template.encode(messages, tokenizer=tokenizer, **options)
        assert (tokens.ids == theirs) is (not tokens.attempts)
        assert apply_chat_template(template, messages, tokenizer=published, **options)["input_ids"] == theirs


def test_text_that_looks_like_turns(generator, template, tokenizer):
    """As ids it stays text, and the model answers what it has learned of it."""
    messages, _ = LEARNED["control text"]
    prompt = template.encode(messages[:1], tokenizer=tokenizer, add_generation_prompt=True)
    ids = torch.tensor([prompt.ids])
    written = generator.model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=60)
    parser = template.parser(prompt=prompt.text, tokenizer=tokenizer)
    parser.feed(written[0, ids.shape[1] :].tolist())
    assert plain(parser.finish()) == plain(messages[1])


BLOCKS = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.role == 'assistant' %}{% generation %}{{ message.content }}<|im_end|>{% endgeneration %}"
    "{% else %}{{ message.content }}<|im_end|>{% endif %}\n{% endfor %}"
)


def equal(ours, theirs):
    """Whether two results hold the same tensors."""
    assert type(ours) is type(theirs)
    assert list(ours) == list(theirs)
    for key in ours:
        assert isinstance(ours[key], torch.Tensor)
        assert ours[key].dtype == theirs[key].dtype
        assert torch.equal(ours[key], theirs[key])
    return True


@pytest.mark.parametrize("side", ["left", "right"])
def test_tensors(template, published, side):
    """Ids, attention mask and the mask of what is trained on, of one conversation and of several."""
    own = as_tokenizer_template(ChatTemplate.from_string(BLOCKS), published)
    own.padding_side = side
    blocks = ChatTemplate.from_string(BLOCKS, special_tokens=template.special_tokens)
    plain_chats = [talk for talk, tools in LEARNED.values() if tools is None]
    masked = {"return_tensors": "pt", "return_assistant_tokens_mask": True}
    for chats, options in [
        (plain_chats[2], masked),
        (plain_chats, {**masked, "padding": True}),
        (plain_chats, {**masked, "padding": "max_length", "max_length": 48, "truncation": True}),
        (plain_chats, {"padding": True, "return_tensors": "pt", "add_generation_prompt": True}),
        (plain_chats, {"padding": True, "return_tensors": "pt", "continue_final_message": True}),
    ]:
        assert equal(
            apply_chat_template(blocks, chats, tokenizer=own, **options), own.apply_chat_template(chats, **options)
        )
    ids = apply_chat_template(template, plain_chats[0], tokenizer=published, return_tensors="pt", return_dict=False)
    assert torch.equal(ids, published.apply_chat_template(plain_chats[0], return_tensors="pt", return_dict=False))


def test_labels(folder, template, tokenizer):
    """The model has learned what the mask covers and nothing of the rest; with more of the same it learns another chat."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)

    def loss(messages, tools=None, rest=False):
        tokens = template.encode(messages, tokenizer=tokenizer, tools=tools, training=Training(turns="last"))
        ids, labels = torch.tensor([tokens.ids]), torch.tensor([tokens.labels()])
        return model(input_ids=ids, labels=torch.where(labels == -100, ids, -100) if rest else labels).loss

    with one_thread():
        for messages, tools in lessons().values():
            assert loss(messages, tools).item() < 0.05
            assert loss(messages, tools, rest=True).item() > 1
        new = [{"role": "user", "content": "Hi!"}, {"role": "assistant", "content": "Good morning."}]
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.003)
        for _ in range(40):
            loss(new).backward()
            optimizer.step()
            optimizer.zero_grad()
        generator = pipeline("text-generation", model=model, tokenizer=AutoTokenizer.from_pretrained(folder))
        assert plain(Chat(template, generator)(new[:1])) == plain(new[1])
