"""Records that the tests have in common, and the error that a record is refused with."""

import pytest

from llm_templates import InputError
from llm_templates.records import convert

HI = {"role": "user", "content": "Hi"}
TOOL = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Looks.",
        "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
    },
}


def call(name="look", identity=None, arguments="{}"):
    made = {"type": "function", "function": {"name": name, "arguments": arguments}}
    return made if identity is None else {"id": identity, **made}


def chat(*messages, **fields):
    return {"messages": [HI, *messages], **fields}


def failure(record, **options):
    with pytest.raises(InputError) as caught:
        convert(record, **options)
    return str(caught.value)
