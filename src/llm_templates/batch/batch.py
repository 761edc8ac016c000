"""`Batch`: records to rows of prompts or tokens, as a callable that any engine for data can run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..arguments import check_variables, mappings, tool_list
from ..errors import InputError, TemplatesError
from ..loading import load
from ..masking import EMPTY, Mask, Training
from ..records.detection import format_named
from ..template import ChatTemplate
from ..tokens.encoding import POLICIES
from ..tokens.pipeline import half_character
from .columns import COLUMNS, MASKED, arrays, arrow, checked_columns, schema_of, table_of
from .packing import packed
from .record import Given, forms_of, given
from .rows import Rejected, Row, rewritten_turns
from .tables import records_of

if TYPE_CHECKING:
    import pyarrow

    from ..prompt import Prompt
    from ..tokens.bytewise import Encoded

KEEP = ("start", "end", "turns")
REWRITTEN = ("row", "turns", "raise")
ON_EMPTY = ("raise", "skip", "keep")
ON_ERROR = ("raise", "column")
#: What else `ChatTemplate.encode` takes, for all rows.
OPTIONS = (
    *("tools", "documents", "add_generation_prompt", "reasoning", "variables", "strict", "trust", "on_injection"),
)
#: The mask of rows that have none.
NOTHING = Mask((), ())
#: Those of them that belong to tokens rather than to the prompt.
OF_TOKENS = ("trust", "on_injection")


class Batch:
    """Records in, rows out: rendered, encoded, masked, cut and packed in one pass.

    Called with an Arrow record batch or table it returns one of the same kind. It pickles whole, with template and
    tokenizer, so that the workers of any engine can have it, and gives the same rows whichever runs it.

    Args:
        template: a `ChatTemplate`, or what `load` takes.
        tokenizer: what `ChatTemplate.encode` takes; None for prompts as text.
        columns: which columns the rows have, of `prompt`, `input_ids`, `attention_mask`, `labels`, `mask`,
            `assistant_masks`, `completion_mask`, `weights`, `length`, `record`, `position_ids` and `seq_lengths`. The
            prompt without a tokenizer, by default, and ids, labels and mask with one; and what tells packed rows apart.
        source: the format of the records, by its name in `convert`; None to find it out record by record.
        training: what is trained on.
        max_tokens: how many tokens a row has at most.
        keep: what stays of a longer one: its "start", its "end", or its last "turns".
        pack: put rows together, as many as fit into this number of tokens, within each batch.
        rewritten: what becomes of a record whose earlier turns the template writes otherwise than the model wrote them:
            one "row" all the same, one row for each turn of the model ("turns"), or an error ("raise").
        on_empty: what becomes of a row of which nothing is trained on: an error ("raise"), no row ("skip"), or a row
            all the same ("keep").
        on_error: what becomes of a record that cannot be rendered: the error is raised, or stands in the column `error`
            ("column"), beside nulls.
        copy: columns of the records that go along with their rows.
        now: the time that templates are told; the time of this call if None.
        options: `tools`, `documents`, `add_generation_prompt`, `reasoning`, `variables`, `strict`, `trust` and
            `on_injection`, as `ChatTemplate.encode` takes them, for all rows; what a record says goes before.

    Raises:
        InputError: an option cannot be used.
        MissingExtraError: a tokenizer is given, and the library `tokenizers` is not installed.

    >>> import pyarrow
    >>> talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]
    >>> Batch("chatml")(pyarrow.RecordBatch.from_pylist([{"messages": talk}])).to_pylist()
    [{'prompt': '<|im_start|>user\\nHi<|im_end|>\\n<|im_start|>assistant\\nYes<|im_end|>\\n'}]
    """

    def __init__(
        self,
        template: Any,
        tokenizer: Any = None,
        *,
        columns: Sequence[str] | None = None,
        source: str | None = None,
        training: Training = Training(),  # noqa: B008  (a tuple cannot be changed)
        max_tokens: int | None = None,
        keep: str = "start",
        pack: int | None = None,
        rewritten: str = "row",
        on_empty: str = "raise",
        on_error: str = "raise",
        copy: Sequence[str] = (),
        now: datetime | None = None,
        **options: Any,
    ) -> None:
        for name, value, known in (
            ("keep", keep, KEEP),
            ("rewritten", rewritten, REWRITTEN),
            ("on_empty", on_empty, ON_EMPTY),
            ("on_error", on_error, ON_ERROR),
        ):
            if value not in known:
                raise InputError(f"{name}={value!r} is none of {', '.join(map(repr, known))}")
        self.columns = checked_columns(columns, tokenizer is not None, pack is not None)
        self.copy = _names(copy)
        if pack is not None:
            if max_tokens is None:
                max_tokens = pack
            if not 0 < max_tokens <= pack:
                raise InputError(f"max_tokens={max_tokens} do not fit into a row of pack={pack}")
            if self.copy or on_error == "column":
                raise InputError("a packed row has no one record", hint="leave out pack, or copy and on_error='column'")
        if max_tokens is not None and (tokenizer is None or max_tokens < 1):
            raise InputError(f"max_tokens={max_tokens}: tokens are counted with a tokenizer, from 1 on")
        if rewritten == "turns" and training.blocks:
            raise InputError("Training(blocks=True) marks all turns at once, so there is no row of one turn")
        unknown = options.keys() - set(OPTIONS)
        if unknown:
            raise InputError(f"{', '.join(sorted(unknown))}: no such option", hint=f"there are {', '.join(OPTIONS)}")
        template = template if isinstance(template, ChatTemplate) else load(template)
        self.now = now or datetime.now().astimezone()
        self.template = template.at(self.now)
        self.tokenizer = _tokenizer(tokenizer)
        self.source = None if source is None else format_named(source, "source")[0]
        self.training = training
        self.max_tokens, self.keep, self.pack = max_tokens, keep, pack
        self.rewritten, self.on_empty, self.on_error = rewritten, on_empty, on_error
        self.options = _checked(options, self.template)
        self._forms = forms_of(self.template)
        self._is_masked = not MASKED.isdisjoint(self.columns)

    def __call__(self, data: Any, first: int = 0) -> Any:
        """The rows of a `pyarrow.RecordBatch`, a `pyarrow.Table` or a dict of lists, as one of these.

        Args:
            data: the records.
            first: the number of the first one.

        Raises:
            TemplatesError: a record cannot be rendered, with `on_error="raise"`.
            InputError: `data` is none of these.
        """
        pa = arrow()
        if isinstance(data, Mapping):
            records: list[Any] = [dict(zip(data, row, strict=True)) for row in zip(*data.values(), strict=True)]
            copied: Any = pa.table({name: data[name] for name in self.copy if name in data})
        elif isinstance(data, pa.Table | pa.RecordBatch):
            records, copied = records_of(data), data
        else:
            raise InputError(
                f"a {type(data).__name__} is no batch of records",
                hint="pyarrow.Table.from_pylist makes a table of a list of records",
            )
        rows, rejected = self.rows(enumerate(records, first))
        if rejected and self.on_error == "raise":
            raise rejected[0].error
        table = self.table(rows, copied, rejected, first)
        if isinstance(data, Mapping):
            return table.to_pydict()
        if isinstance(data, pa.Table):
            return table
        return pa.RecordBatch.from_arrays([_whole(column) for column in table.columns], schema=table.schema)

    def rows(self, records: Iterable[tuple[int, Any]]) -> tuple[list[Row], list[Rejected]]:
        """The rows of records, in their order, and the records of which there are none.

        Args:
            records: records, of any format that `convert` knows, each with its number.
        """
        rows: list[Row] = []
        rejected: list[Rejected] = []
        for number, record in records:
            try:
                rows += self._rows_of(number, record)
            except TemplatesError as error:
                failure = error
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001  (whatever a stranger's record is, it must not end a run of hours)
                failure = InputError(f"the record cannot be rendered: {type(error).__name__}: {error}")
            else:
                continue
            failure.add_note(f"in record {number}")
            rejected.append(Rejected(number, failure))
        return rows, rejected

    def table(
        self, rows: Sequence[Row], data: Any = None, rejected: Sequence[Rejected] = (), first: int = 0
    ) -> pyarrow.Table:
        """Rows as a table.

        Args:
            rows: what `rows` gave.
            data: the records they were made of, for the columns that are copied.
            rejected: the records without rows, which stand in the table with `on_error="column"`.
            first: the number of the first of `data`.
        """
        if self.pack is not None:
            groups = [[rows[place] for place in places] for places in packed([len(row.ids) for row in rows], self.pack)]
        else:
            groups = [[row] for row in rows]
        errors = rejected if self.on_error == "column" else ()
        return table_of(groups, self.columns, errors, self.on_error == "column", data, self.copy, first)

    def schema(self, given: Any = None) -> pyarrow.Schema:
        """The columns of the rows and their types.

        Args:
            given: the schema of the records, for the columns that are copied.
        """
        return schema_of(self.columns, self.on_error == "column", given, self.copy)

    @property
    def fingerprint(self) -> str:
        """What decides about the rows, as one text: equal if and only if template, tokenizer and options are."""
        template = self.template
        state = {
            "template": [(name, source) for name, source in sorted(template._templates().items())],
            "variant": template.variant,
            "by_processor": template.model.by_processor,
            "special_tokens": template.special_tokens,
            "now": self.now.isoformat() if template.reads_clock else None,
            "tokenizer": None if self.tokenizer is None else _digest(self.tokenizer.to_str()),
            "columns": self.columns,
            "copy": self.copy,
            "source": self.source,
            "training": {name: _plain(value) for name, value in self.training._asdict().items()},
            "choices": [self.max_tokens, self.keep, self.pack, self.rewritten, self.on_empty, self.on_error],
            "options": self.options,
        }
        # The order of keys counts: templates write objects in it.
        return _digest(json.dumps(state, default=_plain))

    def at(self, now: datetime) -> Batch:
        """The same, with another time for templates to be told."""
        rebuilt, (template, tokenizer, options) = self.__reduce__()
        made: Batch = rebuilt(template, tokenizer, {**options, "now": now})
        return made

    def _rows_of(self, number: int, record: Any) -> list[Row]:
        """The rows of one record."""
        found = given(record, self.source, self._forms)
        options = self._options(found)
        if self.tokenizer is None:
            text: str = self.template.render(found.messages, **options)
            if not text.isascii() and (broken := half_character(text)):
                raise broken
            return [Row(number, text)]
        prompt = self.template.trace(found.messages, **options)
        if not self._is_masked:
            return [self._row(number, prompt, None)]
        messages = found.messages

        def render(part: Sequence[Any]) -> str:
            text: str = self.template.render(part, **{**options, "add_generation_prompt": False})
            return text

        rewritten = rewritten_turns(prompt, messages, render)
        if rewritten and self.rewritten == "raise":
            places = ", ".join(f"messages[{turn.message}]" for turn in rewritten)
            raise InputError(
                f"the template writes {places} otherwise than the model wrote it, because of what follows",
                hint="rewritten='turns' makes a row of each turn",
            )
        if rewritten and self.rewritten == "turns":
            rows = self._rows_of_turns(number, prompt, messages, options)
        else:
            rows = [self._row(number, prompt, self.training)]
        kept = [row for row in rows if row.mask.any()]
        if not kept and self.on_empty == "raise":
            why = [finding for row in rows for finding in row.findings if finding != EMPTY]
            raise InputError(
                f"nothing of the record is trained on{''.join(f': {finding}' for finding in why[:1])}",
                hint="on_empty='skip' leaves such records out",
            )
        rows = kept or (rows[-1:] if self.on_empty == "keep" else [])
        for row in rows:
            row.is_rewritten = bool(rewritten)
        return rows

    def _rows_of_turns(self, number: int, prompt: Prompt, messages: list[Any], options: dict[str, Any]) -> list[Row]:
        """A row for each turn of the model, which ends with it."""
        rows = []
        turns = sorted({turn.message for turn in prompt.turns})
        for message in turns[-1:] if self.training.turns == "last" else turns:
            if self.training.messages is None or message in self.training.messages:
                part = self.template.trace(messages[: message + 1], **{**options, "add_generation_prompt": False})
                rows.append(self._row(number, part, self.training._replace(messages=(message,))))
        return rows

    def _row(self, number: int, prompt: Prompt, training: Training | None) -> Row:
        mask = NOTHING if training is None else prompt.mask(training)
        made = self._fast(prompt, mask)
        if made is None:
            return self._exact(number, prompt, mask)
        size = len(made.ids)
        if self.max_tokens is not None and size > self.max_tokens:
            if self.keep == "turns":
                return self._exact(number, prompt, mask)
            kept = slice(self.max_tokens) if self.keep == "start" else slice(-self.max_tokens, None)
            made = type(made)(*(values[kept] for values in made))
        return Row(number, str(prompt), *made, size - len(made.ids), False, mask.findings)

    def _fast(self, prompt: Prompt, mask: Mask) -> Encoded | None:
        """The tokens, if the tokenizer is one that can do without asking where each of them stands."""
        from ..tokens.bytewise import bytewise_of
        from ..tokens.pipeline import pipeline_of

        bytewise = bytewise_of(pipeline_of(self.tokenizer))
        return None if bytewise is None else bytewise.encode(prompt, mask.spans, self.options.get("trust", ()))

    def _exact(self, number: int, prompt: Prompt, mask: Mask) -> Row:
        """The row as `encode` gives it."""
        from ..tokens import encode

        policies = {name: self.options[name] for name in OF_TOKENS if name in self.options}
        tokens = encode(prompt, self.tokenizer, sampled=mask.spans, **policies)
        size, attempts = len(tokens), len(tokens.attempts)
        if self.max_tokens is not None:
            tokens = tokens.truncate(self.max_tokens, keep=self.keep)
        cut = size - len(tokens)
        return Row(number, tokens.text, *arrays(tokens), cut, False, mask.findings, attempts)

    def _options(self, found: Given) -> dict[str, Any]:
        """What is rendered with a record's messages."""
        options = {name: value for name, value in self.options.items() if name not in OF_TOKENS}
        if found.tools is not None:
            options["tools"] = found.tools
        if found.documents is not None:
            options["documents"] = found.documents
        if found.variables is not None:
            options["variables"] = {**(options.get("variables") or {}), **found.variables}
        return options

    def __reduce__(self) -> tuple[Any, ...]:
        choices = {
            name: getattr(self, name)
            for name in (
                *("columns", "source", "training", "max_tokens", "keep", "pack", "rewritten", "on_empty", "on_error"),
                *("copy", "now"),
            )
        }
        tokenizer = None if self.tokenizer is None else self.tokenizer.to_str()
        return _rebuilt, (self.template, tokenizer, {**choices, **self.options})

    def __repr__(self) -> str:
        return f"<Batch {self.template.name or 'from text'}: {', '.join(self.columns)}>"


def _whole(column: Any) -> Any:
    return column.combine_chunks() if hasattr(column, "combine_chunks") else column


def _names(copy: Sequence[str]) -> tuple[str, ...]:
    if isinstance(copy, str):
        raise InputError(f"copy={copy!r} is a text", hint=f"give a tuple: copy=({copy!r},)")
    taken = sorted(set(copy) & {*COLUMNS, "error"})
    if taken:
        raise InputError(f"{', '.join(taken)} would stand twice in a row", hint="rename the column of the records")
    return tuple(copy)


def _checked(options: Mapping[str, Any], template: ChatTemplate) -> dict[str, Any]:
    """The options as plain data, those that say nothing left out."""
    kept = {name: value for name, value in options.items() if value is not None}
    if "tools" in kept:
        kept["tools"] = tool_list(kept["tools"])
    if kept.get("on_injection", "text") not in POLICIES:
        raise InputError(f"on_injection={kept['on_injection']!r} is none of {', '.join(map(repr, POLICIES))}")
    if isinstance(kept.get("trust"), str):
        raise InputError(f"trust={kept['trust']!r} is a text", hint=f"give a tuple: trust=({kept['trust']!r},)")
    if "trust" in kept:
        kept["trust"] = tuple(kept["trust"])
    if "documents" in kept:
        kept["documents"] = mappings("documents", kept["documents"])
    if kept.get("variables") and kept.get("strict", True):
        known = template.variables
        check_variables(kept["variables"], frozenset(known), known)
    return kept


def _tokenizer(reference: Any) -> Any:
    if reference is None:
        return None
    from ..tokens.loading import load_tokenizer

    return load_tokenizer(reference)


@lru_cache(4)
def _from_text(text: str) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_str(text)


def _rebuilt(template: ChatTemplate, tokenizer: str | None, options: dict[str, Any]) -> Batch:
    return Batch(template, None if tokenizer is None else _from_text(tokenizer), **options)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    """What JSON has no form for: sets in order, anything else as Python writes it."""
    return sorted(value, key=repr) if isinstance(value, set | frozenset) else value if _is_json(value) else repr(value)


def _is_json(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | list | tuple | dict)
