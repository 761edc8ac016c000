"""Chat templates for code that is written for transformers and TRL: their calls, their results, their rows."""

from __future__ import annotations

import copy
import json
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..errors import InputError, MissingExtraError, SourceError, TemplatesError
from ..masking import EMPTY, PLACE, Training
from ..prompt import Prompt
from ..template import ChatTemplate

if TYPE_CHECKING:
    from ..tokens import Tokens

#: How the reference finds that a template has blocks that say what is trained on.
BLOCK = re.compile(r"\{%-?\s*generation\s*-?%\}")
#: The kinds of tensors, and the library that each needs.
TENSORS = {"np": "numpy", "pt": "torch", "mlx": "mlx"}
#: What else the padding of ids can be told.
PADDING_OPTIONS = frozenset({"pad_to_multiple_of", "padding_side", "return_attention_mask", "verbose"})
#: The columns by which TRL's collator knows what is trained on.
COLUMNS = ("assistant_masks", "completion_mask", "labels")


def apply_chat_template(
    template: ChatTemplate,
    conversation: Any,
    tools: Sequence[Any] | None = None,
    documents: Sequence[Any] | None = None,
    chat_template: ChatTemplate | str | None = None,
    add_generation_prompt: bool = False,
    continue_final_message: bool | str = False,
    tokenize: bool = True,
    sanitize_control_tokens: bool = False,
    padding: Any = False,
    truncation: Any = False,
    max_length: int | None = None,
    return_tensors: Any = None,
    return_dict: bool = True,
    return_assistant_tokens_mask: bool = False,
    tokenizer_kwargs: Mapping[str, Any] | None = None,
    *,
    tokenizer: Any = None,
    **variables: Any,
) -> Any:
    """What `tokenizer.apply_chat_template` returns, with the same arguments in the same order.

    A text or a list of texts without `tokenize`; else a `BatchEncoding`, or its ids without `return_dict`. The special
    tokens are those of the template, and control tokens in messages count, as there, unless they are sanitized.

    Args:
        template: what renders, in place of the tokenizer's own template.
        conversation: a list of messages, or a list of conversations.
        tools: as for `ChatTemplate.render`.
        documents: as for `ChatTemplate.render`.
        chat_template: another template for this call: one, its text, or the name of another one of the same model.
        add_generation_prompt: as for `ChatTemplate.render`.
        continue_final_message: as for `ChatTemplate.render`.
        tokenize: ids rather than text.
        sanitize_control_tokens: encode as text what looks like a control token and is not the template's.
        padding: False, True or "longest", "max_length".
        truncation: whether to cut at `max_length`, or at what the tokenizer says is the model's.
        max_length: a number of tokens.
        return_tensors: "np" for NumPy's arrays, "pt" for PyTorch's tensors, of rows.
        return_dict: a `BatchEncoding` rather than the ids alone.
        return_assistant_tokens_mask: add `assistant_masks`: what stands in the template's `{% generation %}` blocks; of
            a template that has none, what the model itself would write.
        tokenizer_kwargs: what else the tokenizer is called with.
        tokenizer: a tokenizer of transformers, a processor that has one, a model's folder or its hub id.
        variables: what else the template may read; names that it never reads are passed over.

    Raises:
        InputError: the conversation or an option cannot be used, or the tokenizer refuses it.
        MissingExtraError: transformers, NumPy or PyTorch is needed and not installed.
        TemplatesError: whatever `ChatTemplate.render` raises.

    >>> from llm_templates import load
    >>> apply_chat_template(load("chatml"), [{"role": "user", "content": "Hi"}], tokenize=False)
    '<|im_start|>user\\nHi<|im_end|>\\n'
    """
    conversations, batched = _conversations(conversation)
    if return_assistant_tokens_mask and not (tokenize and return_dict):
        raise InputError("return_assistant_tokens_mask needs tokenize and return_dict")
    if return_assistant_tokens_mask and continue_final_message:
        raise InputError("return_assistant_tokens_mask and continue_final_message exclude each other")
    if return_assistant_tokens_mask and (tokenizer_kwargs or {}).get("return_overflowing_tokens"):
        raise InputError("return_assistant_tokens_mask and return_overflowing_tokens exclude each other")
    if sanitize_control_tokens and not tokenize:
        raise InputError("sanitize_control_tokens needs tokenize: a text cannot say what is a token")
    used = _template(template, chat_template)
    options: dict[str, Any] = {
        "tools": tools,
        "documents": documents,
        "add_generation_prompt": add_generation_prompt,
        "continue_final_message": continue_final_message,
        "variables": variables or None,
        "strict": False,
    }
    if not tokenize:
        texts = [used.render(messages, **options) for messages in conversations]
        return texts if batched else texts[0]
    tokenizer = _tokenizer(tokenizer)
    kind = _tensors(return_tensors)
    calls: dict[str, Any] = {**(tokenizer_kwargs or {}), "padding": padding, "max_length": max_length}
    exact: list[Tokens] = []
    if return_assistant_tokens_mask or sanitize_control_tokens:
        training = Training(blocks=_has_blocks(used, tools)) if return_assistant_tokens_mask else None
        prompts = [used.trace(messages, **options) for messages in conversations]
        exact = [_encoded(prompt, tokenizer, training, sanitize_control_tokens) for prompt in prompts]
    if sanitize_control_tokens:
        limit = _limit(tokenizer, truncation, max_length)
        exact = [tokens if limit is None else _cut(tokens, limit, tokenizer) for tokens in exact]
        out = _padded(tokenizer, [tokens.ids for tokens in exact], batched or kind is not None, kind, calls)
    else:
        texts = [tokens.text for tokens in exact] or [used.render(messages, **options) for messages in conversations]
        calls.update(truncation=truncation, return_tensors=kind, add_special_tokens=False)
        out = _called(tokenizer, texts if batched else texts[0], calls)
    if return_assistant_tokens_mask:
        nested = batched or kind is not None
        if sanitize_control_tokens:
            side = calls.get("padding_side") or tokenizer.padding_side
            rows = out["input_ids"] if nested else [out["input_ids"]]
            masks = [_beside(tokens.mask, len(row), side) for tokens, row in zip(exact, rows, strict=True)]
        else:
            masks = [_mask(tokens, found, tokenizer) for tokens, found in zip(exact, out.encodings, strict=True)]
        out["assistant_masks"] = masks if nested else masks[0]
        if kind is not None:
            out.convert_to_tensors(tensor_type=kind)
    return out if return_dict else out["input_ids"]


def as_tokenizer_template(template: ChatTemplate, tokenizer: Any) -> Any:
    """A copy of a tokenizer whose own `apply_chat_template` renders as the template does.

    Nothing but its `chat_template` is new, so the special tokens that the template reads must be the tokenizer's.

    Args:
        template: the template, which brings along the one that takes over when tools are given.
        tokenizer: a tokenizer of transformers.

    Raises:
        InputError: it is none, or a special token that the template reads is another one there, or unset.

    >>> from tokenizers import Tokenizer, models
    >>> from transformers import PreTrainedTokenizerFast
    >>> from llm_templates import load
    >>> tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()))
    >>> own = as_tokenizer_template(load("chatml"), tokenizer)
    >>> own.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False)
    '<|im_start|>user\\nHi<|im_end|>\\n'
    >>> tokenizer.chat_template is None
    True
    """
    if not isinstance(getattr(tokenizer, "special_tokens_map", None), Mapping):
        raise InputError(f"a {type(tokenizer).__name__} is not a tokenizer of transformers")
    theirs = {name: str(token) for name, token in tokenizer.special_tokens_map.items()}
    ours = template.special_tokens
    reads = template._reads | (template._with_tools._reads if template._with_tools is not None else frozenset())
    differing = sorted(name for name in reads & (ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name))
    if differing:
        told = "; ".join(
            f"{name} is {ours.get(name)!r} for the template and {theirs.get(name)!r} for the tokenizer"
            for name in differing
        )
        raise InputError(told, hint="set it on the tokenizer, or load the template with the tokenizer's special_tokens")
    new = copy.deepcopy(tokenizer)
    templates = template._templates()
    new.chat_template = templates if len(templates) > 1 else template.source
    return new


def sft_rows(
    template: ChatTemplate,
    conversations: Iterable[Any],
    tokenizer: Any,
    *,
    training: Training = Training(),  # noqa: B008  (a tuple cannot be changed)
    column: str = "assistant_masks",
    max_length: int | None = None,
    keep: str = "start",
    on_empty: str = "raise",
    **options: Any,
) -> Iterator[dict[str, list[int]]]:
    """Rows that TRL's `SFTTrainer` takes as they are: `input_ids`, and the column that says what is trained on.

    What is worth knowing of a row's mask, the `findings` of `encode`, is a warning; each kind is told once.

    Args:
        template: what renders.
        conversations: lists of messages, or records with `messages` and, if they have any, `tools`, `documents` and
            `chat_template_kwargs`. They are read one by one, as rows are asked for.
        tokenizer: what `ChatTemplate.encode` takes.
        training: what is trained on; what the model itself would write, by default.
        column: "assistant_masks", "completion_mask", which TRL looks at with `completion_only_loss=True`, or "labels".
        max_length: how many tokens a row has at most.
        keep: what stays of a longer one: its "start", its "end", or its last "turns".
        on_empty: what becomes of a row of which nothing is trained on: "raise" an error, "skip" it or "keep" it.
        options: what else `ChatTemplate.encode` takes, for all rows: `tools`, `variables`, `trust`, ...

    Raises:
        InputError: an option cannot be used. Then, with the rows: one is empty, or weighs what no mask can say. Errors
            of rows carry a note of which it was.

    >>> from tokenizers import Tokenizer, models
    >>> from llm_templates import load
    >>> tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    >>> _ = tokenizer.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    >>> talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]
    >>> list(sft_rows(load("chatml"), [talk], tokenizer))
    [{'input_ids': [1, 0, 2, 0, 1, 0, 2, 0], 'assistant_masks': [0, 0, 0, 0, 0, 1, 1, 0]}]
    """
    if column not in COLUMNS:
        raise InputError(f"column={column!r} is none of {', '.join(map(repr, COLUMNS))}")
    if on_empty not in ("raise", "skip", "keep"):
        raise InputError(f"on_empty={on_empty!r} is none of 'raise', 'skip', 'keep'")
    if isinstance(conversations, Mapping):
        raise InputError(
            f"conversations is a {type(conversations).__name__}, not a list of conversations",
            hint="pass [record] for one record, or one of the splits of a data set",
        )

    def rows() -> Iterator[dict[str, list[int]]]:
        told: set[str] = set()
        for index, record in enumerate(conversations):
            try:
                tokens = _row(template, record, tokenizer, training, options)
                if max_length is not None:
                    tokens = tokens.truncate(max_length, keep=keep)
                for finding in tokens.findings:
                    kind = PLACE.sub("", finding)
                    # Of empty rows `on_empty` decides.
                    if kind not in told and kind != EMPTY:
                        told.add(kind)
                        warnings.warn(f"in conversation {index}, {finding}", stacklevel=2)
                if any(weight not in (0.0, 1.0) for weight in tokens.weights):
                    raise InputError(
                        "a message has a weight other than 0 and 1, which no mask can say",
                        hint="take the weights of template.encode(...), or Training(weights=False)",
                    )
                if on_empty != "keep" and 1 not in tokens.mask:
                    if on_empty == "skip":
                        continue
                    raise InputError("nothing of the row is trained on", hint="on_empty='skip' leaves such rows out")
            except TemplatesError as error:
                error.add_note(f"in conversation {index}")
                raise
            yield {"input_ids": tokens.ids, column: tokens.labels() if column == "labels" else tokens.mask}

    return rows()


def _row(template: ChatTemplate, record: Any, tokenizer: Any, training: Training, options: Mapping[str, Any]) -> Tokens:
    """The tokens of a conversation, or of a record that holds one with what else it is rendered with."""
    given = dict(options)
    if isinstance(record, Mapping):
        if "messages" not in record and "role" in record:
            raise InputError(
                "conversations holds a message where a conversation should be",
                hint="pass [messages], a list of conversations, also for one",
            )
        if "messages" not in record:
            raise InputError("the record has no 'messages'", hint="llm_templates.convert makes such records")
        for name in ("tools", "documents"):
            value = record.get(name)
            if value is not None:
                given[name] = _listed(name, value)
        own = record.get("chat_template_kwargs")
        if own:
            given["variables"] = {**(given.get("variables") or {}), **own}
        record = record["messages"]
    return template.encode(record, tokenizer=tokenizer, training=training, **given)


def _listed(name: str, value: Any) -> Any:
    # Tables keep schemas that have nothing in common as JSON.
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the {name} of the record are a text that is not JSON: {error}") from None


def _conversations(conversation: Any) -> tuple[Sequence[Any], bool]:
    """The conversations, and whether several were given."""
    if isinstance(conversation, list | tuple):
        if not conversation:
            raise InputError("the conversation is empty", hint="pass at least one message")
        if isinstance(conversation[0], list | tuple) or hasattr(conversation[0], "messages"):
            return conversation, True
    return [conversation], False


def _template(template: ChatTemplate, other: ChatTemplate | str | None) -> ChatTemplate:
    if other is None or isinstance(other, ChatTemplate):
        return template if other is None else other
    source = template.model.templates.get(other, other)
    if "{{" not in source and "{%" not in source:
        names = ", ".join(map(repr, sorted(template.model.templates)))
        raise InputError(f"chat_template={other!r} is no template, and none of the model's: {names}")
    return ChatTemplate.from_string(source, special_tokens=template.special_tokens, now=template._clock)


def _has_blocks(template: ChatTemplate, tools: Any) -> bool:
    taken = template if tools is None or template._with_tools is None else template._with_tools
    return BLOCK.search(taken.source) is not None


def _tokenizer(reference: Any) -> Any:
    """A tokenizer of transformers, from what a caller names it by."""
    if reference is None:
        raise InputError("ids need a tokenizer", hint="give tokenizer=..., or ask for the text: tokenize=False")
    if isinstance(reference, str | os.PathLike):
        try:
            from transformers import AutoTokenizer
        except ImportError:
            raise MissingExtraError(
                "loading a tokenizer needs the library transformers", hint="pip install 'llm-templates[transformers]'"
            ) from None
        name = os.fsdecode(reference)
        try:
            return AutoTokenizer.from_pretrained(name)
        except Exception as error:
            # Whatever a broken file or the network makes it raise.
            reason = str(error).strip().partition("\n")[0]
            raise SourceError(f"the tokenizer {name!r} cannot be had: {reason}") from error
    held = getattr(reference, "tokenizer", reference)
    if not callable(held) or not hasattr(held, "special_tokens_map"):
        raise InputError(
            f"a {type(reference).__name__} is not a tokenizer of transformers",
            hint="transformers.PreTrainedTokenizerFast(tokenizer_object=...) makes one of a tokenizers.Tokenizer",
        )
    return held


def _tensors(wanted: Any) -> str | None:
    """The kind of tensors, whose library is there."""
    if wanted is None:
        return None
    kind = getattr(wanted, "value", wanted)
    if kind not in TENSORS:
        raise InputError(f"return_tensors={wanted!r} is none of {', '.join(map(repr, TENSORS))}")
    library = TENSORS[kind]
    if find_spec(library) is None:
        extra = "'llm-templates[numpy]'" if kind == "np" else library
        raise MissingExtraError(f"return_tensors={kind!r} needs {library}", hint=f"pip install {extra}")
    return str(kind)


def _encoded(prompt: Prompt, tokenizer: Any, training: Training | None, sanitized: bool) -> Tokens:
    """The tokens of a prompt with the mask that is asked for; control tokens count in any text unless sanitized."""
    from ..tokens import encode
    from ..tokens.loading import load_tokenizer

    spans = () if training is None else prompt.mask(training).spans
    added = load_tokenizer(tokenizer).get_added_tokens_decoder()
    ordinary = () if sanitized else tuple(token.content for token in added.values())
    return encode(prompt, tokenizer, ordinary=ordinary, sampled=spans)


def _limit(tokenizer: Any, truncation: Any, max_length: int | None) -> int | None:
    """How many tokens a row may have; None for any number."""
    if not truncation or getattr(truncation, "value", truncation) == "do_not_truncate":
        return None
    return int(tokenizer.model_max_length) if max_length is None else max_length


def _cut(tokens: Tokens, limit: int, tokenizer: Any) -> Tokens:
    return tokens.truncate(limit, keep="start" if tokenizer.truncation_side == "right" else "end")


def _padded(tokenizer: Any, rows: list[list[int]], nested: bool, kind: str | None, calls: Mapping[str, Any]) -> Any:
    """Rows of ids as the tokenizer itself would return them."""
    strangers = calls.keys() - PADDING_OPTIONS - {"padding", "max_length"}
    if strangers:
        raise InputError(f"sanitize_control_tokens goes without {', '.join(sorted(strangers))} in tokenizer_kwargs")
    ids = rows if nested else rows[0]
    try:
        return tokenizer.pad({"input_ids": ids}, return_tensors=kind, **calls)
    except ValueError as error:
        raise InputError(str(error)) from error


def _called(tokenizer: Any, texts: str | list[str], calls: Mapping[str, Any]) -> Any:
    try:
        return tokenizer(texts, **calls)
    except ValueError as error:
        raise InputError(str(error)) from error


def _beside(mask: list[int], size: int, side: str) -> list[int]:
    """A mask with zeros for the padding."""
    rest = [0] * (size - len(mask))
    return rest + mask if side == "left" else mask + rest


def _mask(tokens: Tokens, encoding: Any, tokenizer: Any) -> list[int]:
    """The mask of a row as the tokenizer cut and padded it."""
    count = sum(encoding.attention_mask)
    kept = _cut(tokens, count, tokenizer)
    start = encoding.attention_mask.index(1) if count else 0
    if encoding.ids[start : start + count] != kept.ids:
        raise InputError(
            "the tokenizer was called in a way that gives other ids than its vocabulary does",
            hint="a mask goes without options such as split_special_tokens",
        )
    before = [0] * start
    return before + kept.mask + [0] * (len(encoding.ids) - start - count)
