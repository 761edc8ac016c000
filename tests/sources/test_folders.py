"""Model folders as transformers and others save them: which templates count, and which special tokens they get."""

import copy

import pytest

from llm_templates import SourceError, load
from llm_templates.sources import content, resolve

TEMPLATE = "{{ bos_token }}{{ messages[0]['content'] }}"
OLD = "{{ 'old' }}"
RAG = "{{ 'rag' }}"
TOOLS = "{{ 'tools' }}"

#: What lies in a tokenizer's folder; the templates and the special tokens that count.
TOKENIZERS = {
    "template file": (
        {"chat_template.jinja": TEMPLATE, "tokenizer_config.json": {"bos_token": "<s>", "eos_token": "</s>"}},
        {"default": TEMPLATE},
        {"bos_token": "<s>", "eos_token": "</s>"},
    ),
    "template file and nothing else": ({"chat_template.jinja": TEMPLATE}, {"default": TEMPLATE}, {}),
    "template in the configuration": (
        {"tokenizer_config.json": {"chat_template": TEMPLATE, "bos_token": "<s>"}},
        {"default": TEMPLATE},
        {"bos_token": "<s>"},
    ),
    "the file wins over the configuration": (
        {"chat_template.jinja": TEMPLATE, "tokenizer_config.json": {"chat_template": OLD}},
        {"default": TEMPLATE},
        {},
    ),
    "named templates as a list": (
        {
            "tokenizer_config.json": {
                "chat_template": [
                    {"name": "tool_use", "template": TOOLS},
                    {"name": "default", "template": TEMPLATE},
                ]
            }
        },
        {"default": TEMPLATE, "tool_use": TOOLS},
        {},
    ),
    "named templates as an object": (
        {"tokenizer_config.json": {"chat_template": {"default": TEMPLATE, "rag": RAG}}},
        {"default": TEMPLATE, "rag": RAG},
        {},
    ),
    "additional templates beside the default": (
        {
            "chat_template.jinja": TEMPLATE,
            "additional_chat_templates/rag.jinja": RAG,
            "additional_chat_templates/tool_use.jinja": TOOLS,
            "additional_chat_templates/notes.txt": "not a template",
        },
        {"default": TEMPLATE, "rag": RAG, "tool_use": TOOLS},
        {},
    ),
    "additional templates replace the configuration's": (
        {
            "additional_chat_templates/default.jinja": TEMPLATE,
            "tokenizer_config.json": {"chat_template": {"default": OLD, "tool_use": TOOLS}},
        },
        {"default": TEMPLATE},
        {},
    ),
    "an additional template called default": (
        {"chat_template.jinja": OLD, "additional_chat_templates/default.jinja": TEMPLATE},
        {"default": TEMPLATE},
        {},
    ),
    "a legacy file is not a tokenizer's": (
        {"chat_template.json": {"chat_template": OLD}, "tokenizer_config.json": {"chat_template": TEMPLATE}},
        {"default": TEMPLATE},
        {},
    ),
    "tokens as objects": (
        {
            "chat_template.jinja": TEMPLATE,
            "tokenizer_config.json": {
                "bos_token": {"__type": "AddedToken", "content": "<s>", "lstrip": False},
                "eos_token": None,
                "image_token": {"__type": "AddedToken", "content": "<image>"},
                "video_token": {"content": "<video>"},
            },
        },
        {"default": TEMPLATE},
        {"bos_token": "<s>", "image_token": "<image>"},
    ),
    "tokens of one model": (
        {
            "chat_template.jinja": TEMPLATE,
            "tokenizer_config.json": {
                "add_bos_token": True,
                "image_token": "<image>",
                "extra_special_tokens": {"audio": "<audio>", "video_token": "<video>"},
            },
        },
        {"default": TEMPLATE},
        {"image_token": "<image>", "audio": "<audio>", "video_token": "<video>"},
    ),
    "tokens of one model under their old name": (
        {
            "chat_template.jinja": TEMPLATE,
            "tokenizer_config.json": {"model_specific_special_tokens": {"audio_token": "<audio>"}},
        },
        {"default": TEMPLATE},
        {"audio_token": "<audio>"},
    ),
    "extra tokens without names": (
        {"chat_template.jinja": TEMPLATE, "tokenizer_config.json": {"extra_special_tokens": ["<a>", "<b>"]}},
        {"default": TEMPLATE},
        {},
    ),
    "additional tokens without names": (
        {"chat_template.jinja": TEMPLATE, "tokenizer_config.json": {"additional_special_tokens": ["<a>", "<b>"]}},
        {"default": TEMPLATE},
        {},
    ),
    "the token map wins in old folders": (
        {
            "chat_template.jinja": TEMPLATE,
            "tokenizer_config.json": {"bos_token": "<old>", "pad_token": "<pad>", "sep_token": "<sep>"},
            "special_tokens_map.json": {
                "bos_token": {"content": "<s>"},
                "eos_token": "</s>",
                "sep_token": None,
                "image_token": {"content": "<image>"},
                "additional_special_tokens": ["<a>"],
            },
        },
        {"default": TEMPLATE},
        {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "image_token": "<image>"},
    ),
    "the token map names tokens of one model": (
        {
            "chat_template.jinja": TEMPLATE,
            "special_tokens_map.json": {"bos_token": "<s>", "extra_special_tokens": {"audio_token": "<audio>"}},
        },
        {"default": TEMPLATE},
        {"bos_token": "<s>", "audio_token": "<audio>"},
    ),
    "the token map is ignored in new folders": (
        {
            "chat_template.jinja": TEMPLATE,
            "tokenizer_config.json": {
                "bos_token": "<s>",
                "added_tokens_decoder": {"0": {"content": "<s>", "special": True}},
            },
            "special_tokens_map.json": {"bos_token": "<old>", "eos_token": "</s>"},
        },
        {"default": TEMPLATE},
        {"bos_token": "<s>"},
    ),
}

PROCESSOR = {
    "processor_config.json": {"processor_class": "TextProcessor"},
    "tokenizer_config.json": {"bos_token": "<s>"},
}
TOKENS = {"bos_token": "<s>"}

#: What lies in a processor's folder; the templates that count.
PROCESSORS = {
    "template file": ({**PROCESSOR, "chat_template.jinja": TEMPLATE}, {"default": TEMPLATE}),
    "legacy file": ({**PROCESSOR, "chat_template.json": {"chat_template": TEMPLATE}}, {"default": TEMPLATE}),
    "the legacy file wins over the template file": (
        {**PROCESSOR, "chat_template.json": {"chat_template": TEMPLATE}, "chat_template.jinja": OLD},
        {"default": TEMPLATE},
    ),
    "the processor's configuration wins over both": (
        {
            **PROCESSOR,
            "processor_config.json": {"processor_class": "TextProcessor", "chat_template": TEMPLATE},
            "chat_template.json": {"chat_template": OLD},
            "chat_template.jinja": OLD,
        },
        {"default": TEMPLATE},
    ),
    "named templates in the processor's configuration": (
        {
            **PROCESSOR,
            "processor_config.json": {"chat_template": {"default": TEMPLATE, "tool_use": TOOLS}},
        },
        {"default": TEMPLATE, "tool_use": TOOLS},
    ),
    "additional templates": (
        {**PROCESSOR, "chat_template.jinja": TEMPLATE, "additional_chat_templates/tool_use.jinja": TOOLS},
        {"default": TEMPLATE, "tool_use": TOOLS},
    ),
    "the template file wins over an additional default": (
        {**PROCESSOR, "chat_template.jinja": TEMPLATE, "additional_chat_templates/default.jinja": OLD},
        {"default": TEMPLATE},
    ),
    "the tokenizer's entry is not the processor's": (
        {
            **PROCESSOR,
            "chat_template.json": {"chat_template": TEMPLATE},
            "tokenizer_config.json": {"bos_token": "<s>", "chat_template": OLD},
        },
        {"default": TEMPLATE},
    ),
    "an older processor without its own configuration": (
        {
            "preprocessor_config.json": {},
            "tokenizer_config.json": {"bos_token": "<s>", "chat_template": OLD},
            "chat_template.json": {"chat_template": TEMPLATE},
        },
        {"default": TEMPLATE},
    ),
}

#: What transformers has no class for: the template and the special tokens we take.
OURS = {
    "a legacy file alone": ({"chat_template.json": {"chat_template": TEMPLATE}}, TEMPLATE, {}),
    "a legacy file beside a configuration without an entry": (
        {"chat_template.json": {"chat_template": TEMPLATE}, "tokenizer_config.json": {"chat_template": None}},
        TEMPLATE,
        {},
    ),
    "a processor without a template of its own": (
        {**PROCESSOR, "tokenizer_config.json": {"bos_token": "<s>", "chat_template": TEMPLATE}},
        TEMPLATE,
        TOKENS,
    ),
    "a processor with an empty legacy entry": (
        {
            "preprocessor_config.json": {},
            "chat_template.json": {"chat_template": None},
            "tokenizer_config.json": {"chat_template": TEMPLATE},
        },
        TEMPLATE,
        {},
    ),
    "a processor of videos": (
        {"video_preprocessor_config.json": {}, "chat_template.json": {"chat_template": TEMPLATE}},
        TEMPLATE,
        {},
    ),
}

MESSAGES = [{"role": "user", "content": "Hello!"}]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}


@pytest.fixture(params=TOKENIZERS)
def tokenizer_layout(request, model_folder):
    """A tokenizer's folder, its templates and its special tokens."""
    files, templates, tokens = TOKENIZERS[request.param]
    return model_folder(files), templates, tokens


@pytest.fixture(params=PROCESSORS)
def processor_layout(request, model_folder):
    """A processor's folder and its templates."""
    files, templates = PROCESSORS[request.param]
    config = {"tokenizer_class": "PreTrainedTokenizerFast", **files["tokenizer_config.json"]}
    return model_folder({**files, "tokenizer_config.json": config}), templates


def test_a_tokenizers_folder(tokenizer_layout):
    """Each layout gives its templates, its special tokens and its origin."""
    path, templates, tokens = tokenizer_layout
    source = resolve(path)
    assert (source.templates, source.special_tokens, source.name) == (templates, tokens, "model")
    assert not source.by_processor
    assert source.origin.startswith(str(path))


def test_transformers_tokenizer_reads_the_same(tokenizer_layout):
    """Templates, tokens and rendered text are those of transformers' own tokenizer of the same folder."""
    transformers = pytest.importorskip("transformers")
    path, _, _ = tokenizer_layout
    theirs = transformers.PreTrainedTokenizerFast.from_pretrained(path)
    named = theirs.chat_template if isinstance(theirs.chat_template, dict) else {"default": theirs.chat_template}
    assert resolve(path).templates == named
    ours = load(path)
    assert ours.special_tokens == theirs.special_tokens_map
    for tools in (None, [TOOL]):
        assert ours.render(MESSAGES, tools=tools) == theirs.apply_chat_template(MESSAGES, tools=tools, tokenize=False)


def test_a_processors_folder(processor_layout):
    """Each layout gives its templates and the tokenizer's special tokens; tools choose nothing."""
    path, templates = processor_layout
    source = resolve(path)
    assert (source.templates, source.special_tokens, source.name) == (templates, TOKENS, "model")
    assert source.by_processor


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_transformers_processor_reads_the_same(processor_layout, text_processor):
    """Templates and rendered text are those of transformers' own processor of the same folder."""
    path, _ = processor_layout
    theirs = text_processor.from_pretrained(path)
    named = theirs.chat_template if isinstance(theirs.chat_template, dict) else {"default": theirs.chat_template}
    assert resolve(path).templates == named
    ours = load(path)
    assert ours.special_tokens == theirs.tokenizer.special_tokens_map
    for tools in (None, [TOOL]):
        assert ours.render(MESSAGES, tools=tools) == theirs.apply_chat_template(MESSAGES, tools=tools)


#: A message's parts, as the field's APIs and processors write them, and messages that have none.
PARTS = [
    {"role": "system", "content": "Look closely."},
    {
        "role": "user",
        "content": [
            {"type": "image_url", "image_url": {"url": "https://example.org/cat.png", "detail": "low"}},
            {"type": "image_url", "image_url": "https://example.org/dog.png"},
            {"type": "image_url", "image_url": {"detail": "low"}},
            {"type": "image_url"},
            {"type": "image", "path": "cat.png"},
            {"type": "video", "url": "https://example.org/cat.mp4"},
            {"type": "audio", "audio": "meow.wav"},
            {"type": "text", "text": "Which animals?"},
        ],
    },
    {"role": "assistant", "content": None, "reasoning": "Hm."},
]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_a_processor_writes_image_urls_as_images(model_folder, text_processor):
    """A processor's template sees the same parts as with transformers; a tokenizer's sees them as they were given."""
    template = "{% for message in messages %}{{ message | tojson }}\n{% endfor %}"
    path = model_folder({**PROCESSOR, "chat_template.jinja": template})
    given = copy.deepcopy(PARTS)
    text = load(path).render(PARTS)
    assert text == text_processor.from_pretrained(path).apply_chat_template(PARTS)
    assert '{"type": "image", "url": "https://example.org/cat.png"}' in text
    assert given == PARTS
    assert '{"type": "image_url", "image_url"' in load(template).render(PARTS)


@pytest.mark.parametrize("layout", OURS)
def test_what_transformers_has_no_class_for(folder, layout):
    """Where neither a tokenizer nor a processor finds a template but one is there, it counts."""
    files, template, tokens = OURS[layout]
    source = resolve(folder(files))
    assert (source.text, source.special_tokens) == (template, tokens)


def test_what_a_processor_refuses_is_refused(folder, model_folder, text_processor):
    """A legacy file together with additional templates is an error, as it is for transformers."""
    files = {
        **PROCESSOR,
        "chat_template.json": {"chat_template": OLD},
        "additional_chat_templates/rag.jinja": RAG,
    }
    with pytest.raises(ValueError, match="conflicting files"):
        text_processor.from_pretrained(model_folder(files))
    with pytest.raises(SourceError, match="exclude each other") as caught:
        resolve(folder(files))
    assert "remove chat_template.json" in caught.value.hint


NO_TEMPLATE = {
    "base model": ({"tokenizer_config.json": {"bos_token": "<s>"}}, "looked for in chat_template.jinja"),
    "model without a tokenizer": ({"config.json": {}}, "looked for in chat_template.jinja"),
    "blank file": ({"chat_template.jinja": " \n"}, "chat_template.jinja is blank"),
    "blank entry": ({"tokenizer_config.json": {"chat_template": ""}}, "tokenizer_config.json is blank"),
}


@pytest.mark.parametrize("name", NO_TEMPLATE)
def test_a_model_without_a_template_has_none(folder, name):
    """Nothing is made up: there are no templates, with a hint where one was looked for."""
    files, words = NO_TEMPLATE[name]
    source = resolve(folder(files))
    assert source.templates == {}
    assert words in source.hint
    with pytest.raises(SourceError, match="has no chat template"):
        load(folder(files))
    assert load(folder(files), default="chatml").source == load("chatml").source


def test_line_endings_of_the_template_do_not_matter(folder):
    """A template saved with Windows line endings renders the same text."""
    text = "a\n{%- if true %}\nb\n{% endif %}\n{{ messages[0].content }}\n"
    messages = [{"role": "user", "content": "x\r\ny"}]
    unix = load(folder({"chat_template.jinja": text.encode()}, "unix"))
    windows = load(folder({"chat_template.jinja": text.replace("\n", "\r\n").encode()}, "windows"))
    assert windows.render(messages) == unix.render(messages)


BROKEN = {
    "empty folder": ({}, "holds no model"),
    "cut JSON": ({"tokenizer_config.json": '{"chat_template": "{{ x'}, "not valid JSON"),
    "JSON list": ({"tokenizer_config.json": []}, "expected a JSON object, found list"),
    "deep JSON": ({"tokenizer_config.json": '{"a":' * 100_000}, "nested too deep"),
    "long number": ({"tokenizer_config.json": '{"a": ' + "9" * 5000 + "}"}, "a number too long"),
    "many values": ({"tokenizer_config.json": '{"a": [' + "0," * 1_000_000 + "0]}"}, "more than 500,000 values"),
    "large and wide": ({"tokenizer_config.json": '{"a": "é' + "x" * 7 * 2**20 + '"}'}, "more than 7 MiB"),
    "not UTF-8": ({"chat_template.jinja": b"\xff\xfe{{ x }}"}, "not UTF-8 text (byte 0)"),
    "number for a template": ({"tokenizer_config.json": {"chat_template": 5}}, "chat_template must be text"),
    "list of texts": ({"tokenizer_config.json": {"chat_template": ["{{ x }}"]}}, "need a name and a template"),
    "number for a name": (
        {"tokenizer_config.json": {"chat_template": [{"name": 1, "template": "{{ x }}"}]}},
        "names in chat_template must be text",
    ),
    "object of numbers": ({"tokenizer_config.json": {"chat_template": {"default": 1}}}, "chat_template must be text"),
    "one of two blank": (
        {"chat_template.jinja": TEMPLATE, "additional_chat_templates/tool_use.jinja": ""},
        "the chat template 'tool_use' is empty",
    ),
    "legacy file of another kind": ({"chat_template.json": {"template": "{{ 1 }}"}}, "no entry 'chat_template'"),
    "token of another type": (
        {"chat_template.jinja": TEMPLATE, "tokenizer_config.json": {"bos_token": 5}},
        "bos_token must be text",
    ),
    "extra token of another type": (
        {"chat_template.jinja": TEMPLATE, "tokenizer_config.json": {"extra_special_tokens": {"audio": 5}}},
        "audio must be text",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_folder_says_what_is_wrong(folder, name):
    """Each fault is a SourceError that names the file or folder and the fault."""
    files, words = BROKEN[name]
    path = folder(files)
    with pytest.raises(SourceError) as caught:
        load(path)
    assert words in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("file", ["model.gguf", "mine.jinja", "snapshot/tokenizer_config.json"])
def test_a_folder_without_a_model_says_what_is_in_it(folder, file):
    """Who gave the folder above, or beside, is told the path that was meant."""
    path = folder({file: "{}"})
    with pytest.raises(SourceError, match="holds no model") as caught:
        load(path)
    assert f"did you mean '{path / file.removesuffix('/tokenizer_config.json')}'?" in caught.value.hint


def test_a_file_too_large_is_not_read(folder, monkeypatch):
    """The limit holds for every file of a folder."""
    monkeypatch.setattr(content, "FILE_LIMIT", 2**20)
    with pytest.raises(SourceError, match="more than 1 MiB"):
        load(folder({"chat_template.jinja": " " * (2**20 + 1)}))


def refuse_to_open(path, *arguments, **options):
    raise PermissionError(13, "Permission denied", path)


@pytest.mark.parametrize("file", ["chat_template.jinja", "model.gguf", "blob"])
def test_an_unreadable_file_is_named(folder, monkeypatch, file):
    """A file without permission is a SourceError with the system's reason."""
    path = folder({file: TEMPLATE}) / file
    monkeypatch.setattr("builtins.open", refuse_to_open)
    with pytest.raises(SourceError, match="cannot be read: Permission denied|is not a template") as caught:
        load(path)
    assert str(path) in caught.value.message


def test_an_unreadable_folder_is_no_model(folder, monkeypatch):
    """There is nothing to suggest, and that is no other error."""
    path = folder({"chat_template.jinja": TEMPLATE})
    monkeypatch.setattr("os.path.isfile", lambda path: False)
    monkeypatch.setattr("os.listdir", refuse_to_open)
    with pytest.raises(SourceError, match="holds no model"):
        load(path)
