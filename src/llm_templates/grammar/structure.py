"""Structure: the calls of a grammar as a structural tag, with which engines let a model write valid calls only.

The form is that of xgrammar 0.2 (`docs/structural_tag/structural_tag.md` of mlc-ai/xgrammar), which vLLM, SGLang and
TensorRT-LLM take as the `response_format` of a request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from string import Formatter
from typing import Any

from ..arguments import mappings, tool_list
from ..errors import InputError
from .data import TAGGED
from .grammar import CallForm, Grammar, Header
from .layout import layout

Format = dict[str, Any]

#: Layouts of an argument that have a name in this format, without line breaks.
STYLES = {
    "<parameter={key}>{value}</parameter>": "qwen_xml",
    '<parameter name="{key}">{value}</parameter>': "minimax_xml",
    '<｜DSML｜parameter name="{key}" string="{type}">{value}</｜DSML｜parameter>': "deepseek_xml",
    "<arg_key>{key}</arg_key><arg_value>{value}</arg_value>": "glm_xml",
    '<|open|>argument key="{key}" type="{type}"<|sep|>{value}<|close|>argument<|sep|>': "kimi_k3_xml",
}
#: What ids and numbers of calls look like.
WORD = "[A-Za-z0-9_.:-]+"


def to_structural_tags(grammar: Grammar, tools: Sequence[Any]) -> Format:
    r"""The calls of some tools in the model's own form as a structural tag; other text, reasoning included, stays free.

    Args:
        grammar: what outputs look like.
        tools: schemas of tools, or functions.

    Raises:
        InputError: there is no tool or no form of calls, or the format cannot express the form, with the reason.

    >>> grammar = Grammar(calls=(CallForm("<call>{name}\n{arguments}</call>"),))
    >>> tags = to_structural_tags(grammar, [{"name": "get_time", "parameters": {"type": "object"}}])
    >>> tags["format"]["triggers"], tags["format"]["tags"][0]["begin"], tags["format"]["tags"][0]["end"]
    (['<call>'], '<call>get_time\n', '</call>')
    """
    schemas = {}
    for index, tool in enumerate(mappings("tools", tool_list(tools))):
        function = tool.get("function", tool)
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise InputError(f"tools[{index}] has no name")
        schemas[function["name"]] = function.get("parameters") or {"type": "object", "properties": {}}
    if not schemas:
        raise InputError("there are no tools whose calls a tag could describe")
    return {"type": "structural_tag", "format": _format(grammar, schemas)}


def _format(grammar: Grammar, schemas: Mapping[str, Any]) -> Format:
    header = grammar.header
    if header and any(route.to == "arguments" for route in header.routes):
        return _header_tags(header, schemas)
    if not grammar.calls:
        raise InputError("the grammar has no form of calls")
    form = grammar.calls[0]
    if header and form.call == "{json}":
        # What precedes the JSON stands in the header, and what follows it closes the message.
        match = next((_text(route.match) for route in header.routes if route.to == "calls"), "")
        tag = _tag(match, {"type": "json_schema", "json_schema": _calls_schema(form, schemas, False)}, header.closes)
        return _triggered([tag], match)
    if "{json}" not in form.call:
        return _named(form, schemas)
    if form.begin or form.call.split("{json}")[0].strip():
        return _json(form, schemas)
    return _bare(form, schemas)


def _triggered(tags: Sequence[Format], trigger: str) -> Format:
    return {"type": "triggered_tags", "triggers": [trigger.rstrip()], "tags": list(tags)}


def _tag(begin: str, content: Format, ends: Iterable[str]) -> Format:
    distinct = list(dict.fromkeys(ends)) or [""]
    return {"type": "tag", "begin": begin, "content": content, "end": distinct if len(distinct) > 1 else distinct[0]}


def _section(form: CallForm, tags: Sequence[Format]) -> Format:
    """Calls between the marks of a run, or each by itself."""
    if not form.begin:
        own = next(literal for literal, field, _, _ in Formatter().parse(form.call) if literal.strip() or field)
        return _triggered(tags, own.lstrip())
    run = {"type": "tags_with_separator", "tags": list(tags), "separator": form.between, "at_least_one": True}
    return _triggered([_tag(form.begin.lstrip(), run, [form.end])], form.begin.lstrip())


# Calls that are JSON


def _json(form: CallForm, schemas: Mapping[str, Any]) -> Format:
    """Calls that are one JSON object each, or an array."""
    before, after = form.call.split("{json}")
    # What stands between two calls shows that each is an object by itself.
    schema = _calls_schema(form, schemas, arrays=not (form.between or form.begin))
    content = {"type": "json_schema", "json_schema": schema}
    # Models leave the white space out that templates write before the closing mark.
    tag = _tag(before if form.begin else before.lstrip(), content, [after] if form.begin else [after, after.strip()])
    return _section(form, [tag])


def _calls_schema(form: CallForm, schemas: Mapping[str, Any], arrays: bool) -> dict[str, Any]:
    """The schema of one call, or of an array of them, too."""
    place = "#/$defs/call/anyOf" if arrays else "#/anyOf"
    # The id of a call comes first, or last.
    orders = [(name, is_first) for name in schemas for is_first in ((True, False) if form.keys.id else (False,))]
    calls = [
        _call_schema(form, name, schemas[name], f"{place}/{index}", is_first)
        for index, (name, is_first) in enumerate(orders)
    ]
    if not arrays:
        return {"anyOf": calls}
    call = {"$ref": "#/$defs/call"}
    return {"$defs": {"call": {"anyOf": calls}}, "anyOf": [{"type": "array", "items": call, "minItems": 1}, call]}


def _call_schema(form: CallForm, name: str, schema: Any, place: str, id_first: bool) -> dict[str, Any]:
    """The schema of a call of one tool, which stands at `place` of another."""
    keys = form.keys
    key = keys.arguments if keys.name else name
    identity = {keys.id: {"type": "string"}} if keys.id else {}
    properties: dict[str, Any] = dict(identity) if id_first else {}
    if keys.name:
        properties[keys.name] = {"const": name}
    properties[key] = _moved(schema, f"{place}/properties/{key.replace('~', '~0').replace('/', '~1')}")
    required = list(properties)
    return {
        "type": "object",
        "properties": {**properties, **identity},
        "required": required,
        "additionalProperties": False,
    }


def _moved(schema: Any, place: str) -> Any:
    """A schema whose references point into it where it stands at `place` of another."""
    if isinstance(schema, list):
        return [_moved(value, place) for value in schema]
    if not isinstance(schema, dict):
        return schema
    moved = {key: _moved(value, place) for key, value in schema.items()}
    reference = moved.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        moved["$ref"] = place + reference[1:]
    return moved


def _bare(form: CallForm, schemas: Mapping[str, Any]) -> Format:
    """Calls that are JSON without a mark: the beginning of that is what tells them."""
    keys = form.keys
    head = f"{{{json.dumps(keys.name)}: " if keys.name else "{"
    tags = []
    for name, schema in schemas.items():
        told = f"{json.dumps(name)}, {json.dumps(keys.arguments)}: " if keys.name else f"{json.dumps(name)}: "
        tags.append(_tag(head + told, {"type": "json_schema", "json_schema": schema}, ["}"]))
    return _triggered(tags, head)


# Calls whose name stands before the arguments


def _named(form: CallForm, schemas: Mapping[str, Any]) -> Format:
    style = _style(form)
    return _section(form, [_call_tag(form, name, schema, style) for name, schema in schemas.items()])


def _style(form: CallForm) -> dict[str, str]:
    """How arguments are written, in the words of the format."""
    if form.arguments == "json":
        return {}
    style = STYLES.get(re.sub(r"\s*\n\s*", "", form.argument)) if form.arguments == "tagged" else None
    if style is None:
        written = repr(form.argument) if form.arguments in TAGGED else f"as {form.arguments}"
        raise InputError(f"a structural tag cannot describe arguments that are written {written}")
    return {"style": style}


def _call_tag(form: CallForm, name: str, schema: Any, style: Mapping[str, str]) -> Format:
    """The tag of calls of one tool."""
    elements: list[Format] = []
    begin, is_open = "", True
    text = ""
    for literal, field, _, _ in Formatter().parse(form.call):
        text += literal
        if field == "name":
            text += name
        elif field == "id" and "{name}" not in form.call:
            text += f"functions.{name}:"
        if field in ("id", "index", "arguments"):
            if is_open:
                begin, text, is_open = text, "", False
            elif text:
                elements.append({"type": "const_string", "value": text})
                text = ""
        if field in ("id", "index"):
            pattern = r"\d+" if field == "index" or "{name}" not in form.call else WORD
            elements.append({"type": "regex", "pattern": pattern})
        elif field == "arguments":
            elements.append({"type": "json_schema", "json_schema": schema, **style})
    # The white space after the last argument is part of what closes the call, but a call may have none.
    space = form.argument[len(form.argument.rstrip()) :]
    content = elements[0] if len(elements) == 1 else {"type": "sequence", "elements": elements}
    return _tag(begin if form.begin else begin.lstrip(), content, [space + text, text])


# Headers


def _header_tags(header: Header, schemas: Mapping[str, Any]) -> Format:
    """Messages that are the arguments of a call, whose header names the tool."""
    route = next(route for route in header.routes if route.to == "arguments")
    before = layout(route.match).before("name")
    if not before.strip():
        raise InputError("a structural tag cannot describe calls whose name has no mark before it")
    tags = []
    for name, schema in schemas.items():
        rest = _tag("", {"type": "any_text"}, header.ends)
        arguments = {"type": "json_schema", "json_schema": schema}
        tags.append(_tag(before + name, {"type": "sequence", "elements": [rest, arguments]}, header.closes))
    return _triggered(tags, before)


def _text(match: str) -> str:
    """The literal text of a layout."""
    return "".join(literal for literal, _, _, _ in Formatter().parse(match))
