"""Response calls: how a `response_template` says that calls are written, as forms of a grammar."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import InputError
from .grammar import CallForm, Keys
from .pattern_reading import Edge, Space, Way, layout_of, plain, ways

_PLACEHOLDER = re.compile(r"\{(\w+)((?:\.\w+)*)\}")
#: The beginning of a call as JSON, whose name is a group.
_JSON = re.compile(r"(?P<before>.*?)\{\{\s*\"(?P<name>\w+)\":\s*\"\{name\}\",\s*\"(?P<arguments>\w+)\":\s*", re.DOTALL)
#: A tag that a call opens.
_TAG = re.compile(r"<([A-Za-z][\w:.-]*)(?=[\s=>])")
#: What may stand around JSON in an array, and between two calls.
_PUNCTUATION = "[],; \n"

LAX = "a value that looks like JSON is text here where no tool says its type"
TWICE = "values of a key that comes twice are not collected"


class Unreadable(Exception):
    """What a field says cannot be said in a grammar."""


class CallReading(NamedTuple):
    """How the text of a call is read."""

    #: Whether the name stands outside of what is read, and whether that is an array of calls.
    by_name: bool
    is_array: bool
    dialect: str = "json"
    argument: str = ""
    quoted: bool = False
    quote: str = ""
    keys: Keys = Keys()
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> CallReading:
        """What the options of a field say.

        Raises:
            Unreadable: a grammar cannot say it.
        """
        content, arguments = options.get("content", "text"), options.get("content_args", {})
        by_name, keys = _transform(options.get("transform"))
        is_array = bool(options.get("transform_each"))
        if content == "json":
            quote = _quote(arguments.get("string_delims", []))
            dialect = "loose" if quote or arguments.get("unquoted_keys") else "json"
            return cls(by_name, is_array, dialect, quote=quote, keys=keys)
        if content != "xml-inline" or not by_name:
            raise Unreadable(f"what is read as {content} is no call")
        parser = arguments.get("value_parser") or {"name": "text"}
        parser_name, options = _entry(parser, "name", "text"), _entry(parser, "args", {})
        if parser_name not in ("json", "text"):
            raise Unreadable(f"the values of arguments are read as {parser_name}")
        is_json, is_lax = parser_name == "json", bool(_entry(options, "allow_non_json", False))
        said = ((LAX, is_json and is_lax), (TWICE, arguments.get("merge_duplicates")))
        remarks = tuple(remark for remark, holds in said if holds)
        argument = _argument(str(arguments.get("tag_pattern", "")))
        return cls(by_name, is_array, "tagged", argument, is_json and not is_lax, remarks=remarks)

    def form(self, before: str, after: str) -> CallForm:
        """A form with these marks around what is read."""
        call = "{arguments}" if self.by_name else "{json}"
        form = CallForm(before + call + _with_partners(before, after), arguments=self.dialect, keys=self.keys)
        return form._replace(argument=self.argument, quoted=self.quoted, quote=self.quote)


def call_forms(
    options: Mapping[str, Any], opens: Sequence[Way], closes: Sequence[Way], stops: Collection[str]
) -> tuple[list[CallForm], tuple[str, ...]]:
    """The forms of calls that a field describes, and remarks.

    Args:
        options: how the field is read.
        opens: what opens it.
        closes: what closes it.
        stops: what ends the output, and so is no mark of a call.

    Raises:
        Unreadable: a grammar cannot say it.
    """
    reading = CallReading.of(options)
    before = [layout_of(way).lstrip() for way in opens]
    after = [layout_of(way).strip() for way in closes]
    inside = [match for text in before if (match := _JSON.fullmatch(text))]
    if inside and reading.by_name:
        # The name is the first thing in a JSON object, and what closes that is part of what closes the call.
        reading = reading._replace(by_name=False, keys=Keys(inside[0]["name"], inside[0]["arguments"]))
        opens, before = [()] * len(inside), [match["before"] for match in inside]
        after = [text.removeprefix("}}") for text in after]
    if reading.by_name:
        return [_named_form(reading, before, _closing(after, stops))], reading.remarks
    # An array of calls may stand there, or the next one of it.
    heads = [text.strip().removesuffix("[").rstrip() for text in before if text.strip(_PUNCTUATION)]
    if any(all(isinstance(piece, Edge | Space) for piece in way) for way in opens):
        heads.insert(0, "")
    tails = _closing([text.removeprefix("]").lstrip() for text in after], stops)
    closing = _shortest(tails)
    forms = [reading.form(head, closing) for head in dict.fromkeys(heads)]
    return [form if reading.is_array else form._replace(between="\n") for form in forms], reading.remarks


def _named_form(reading: CallReading, before: Sequence[str], after: Sequence[str]) -> CallForm:
    """The form of calls whose name is a group of what opens them."""
    before = [text for text in before if "{name}" in text or "{id}" in text]
    if not before:
        raise Unreadable("what opens them has no group for the name")
    opening, leads = _common_end(before)
    closing = _shortest(after)
    ends = [rest for text in after if closing and text.startswith(closing) and (rest := text.removeprefix(closing))]
    form = reading.form(opening, closing)._replace(
        begin=plain(next((lead for lead in leads if lead.strip(_PUNCTUATION)), "")),
        between=next((f"{lead.strip()} " for lead in leads if not lead.strip(_PUNCTUATION)), ""),
        end=plain(ends[0]).strip() if ends else "",
    )
    if reading.argument == "{key}={value}" and opening.endswith("(") and closing.startswith(")"):
        return form._replace(arguments="python", argument="", quoted=False)
    return form


def _transform(transform: Any) -> tuple[bool, Keys]:
    """Whether the name of a call is a group of what opens it, or else the keys of its JSON."""
    function = transform.get("function") if isinstance(transform, Mapping) else None
    if function == "{content}":
        return False, Keys()
    if not isinstance(function, Mapping):
        raise Unreadable("the transform makes no call of what is read")
    texts = (function.get("name"), function.get("arguments"), transform.get("id"))
    name, arguments, identity = (_PLACEHOLDER.fullmatch(str(text)) for text in texts)
    if name is None or arguments is None:
        raise Unreadable("the transform takes no name, or no arguments, from what is read")
    if arguments[0] == "{content}":
        return True, Keys()
    found = [place[0].strip("{}").removeprefix("content.") for place in (name, arguments, identity) if place]
    if any("." in key for key in found):
        raise Unreadable("the name or the arguments stand deeper than one key in what is read")
    return False, Keys(*found)


def _entry(table: Any, key: str, default: Any) -> Any:
    if not isinstance(table, Mapping):
        raise Unreadable(f"there is no {key!r} in {table!r}")
    return table.get(key, default)


def _quote(pairs: Any) -> str:
    """The one kind of quotes that strings have beside the usual one."""
    if not pairs:
        return ""
    if not isinstance(pairs, list | tuple) or len(pairs) > 1 or not isinstance(pairs[0], list | tuple):
        raise Unreadable("strings have several kinds of quotes")
    if len(pairs[0]) != 2 or pairs[0][0] != pairs[0][1] or not isinstance(pairs[0][0], str):
        raise Unreadable("the quotes of a string differ")
    return pairs[0][0]


def _argument(pattern: str) -> str:
    """The layout of one argument."""
    try:
        found = ways(pattern)
    except InputError as error:
        raise Unreadable(error.message) from None
    text = layout_of(found[0], ("key", "value")).strip()
    if len(found) > 1 or "{key}" not in text or "{value}" not in text:
        raise Unreadable("the pattern of an argument is no tag with a key and a value")
    return text


# Texts


def _closing(texts: Iterable[str], stops: Collection[str]) -> list[str]:
    return [text for text in texts if plain(text) not in stops]


def _shortest(texts: Iterable[str]) -> str:
    return min(filter(None, texts), key=len, default="")


def _common_end(texts: Sequence[str]) -> tuple[str, list[str]]:
    """What opens every call, and what precedes it for some."""
    end = _shortest(texts)
    if not all(text.endswith(end) for text in texts):
        if len({text.split("{")[0] for text in texts}) == 1:
            # They begin alike, so that what is in between may be missing.
            return max(texts, key=len), []
        end = end[end.index("{") :]
    return end, [rest for text in texts if text.endswith(end) and (rest := text.removesuffix(end))]


def _with_partners(before: str, after: str) -> str:
    """What closes a call, with the ends of tags that are open there: a template need not name them."""
    ends = [f"</{tag}>" for tag in reversed(_TAG.findall(before)) if f"</{tag}" not in after]
    return "\n".join([*ends, after]) if "</" in after else after
