"""Wherever transformers' get_json_schema gives a schema of a function, ours is the same to the byte."""

import json

import pytest
import schema_functions
import schema_postponed

from llm_templates.schema import tool_schema, tool_schemas

CASES = schema_functions.ACCEPTED + schema_postponed.ACCEPTED


@pytest.fixture(scope="module")
def get_json_schema():
    """The reference."""
    return pytest.importorskip("transformers.utils.chat_template_utils").get_json_schema


@pytest.mark.parametrize("function", CASES, ids=[f"{at}-{getattr(f, '__name__', '')}" for at, f in enumerate(CASES)])
def test_a_schema_is_the_reference_s(function, get_json_schema):
    """The same keys in the same order with the same values, twice, since nothing of a schema is shared."""
    expected = json.dumps(get_json_schema(function))
    first = tool_schema(function)
    assert json.dumps(first) == expected
    first["function"]["parameters"]["properties"].clear()
    assert json.dumps(tool_schemas([function])[0]) == expected


def test_enough_functions_are_compared(get_json_schema):
    """Both sides give a schema for each case, and there are many."""
    theirs = [get_json_schema(function) for function in CASES]
    ours = tool_schemas(CASES)
    assert len(theirs) == len(ours) == len(CASES) >= 150
    assert len({json.dumps(schema) for schema in ours}) > 100


def test_pictures_and_sounds_are_what_they_are_to_the_reference(monkeypatch):
    """The image and tensor classes are recognised where their modules are loaded, without loading them."""
    import sys
    from types import SimpleNamespace

    image, tensor = type("Image", (), {}), type("Tensor", (), {})
    monkeypatch.setitem(sys.modules, "PIL.Image", SimpleNamespace(Image=image))
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(Tensor=tensor))
    assert [
        tool_schema(schema_functions.of_type(hint))["function"]["parameters"]["properties"]["x"]
        for hint in (image, tensor, list[image])
    ] == [
        {"type": "image", "description": "The value"},
        {"type": "audio", "description": "The value"},
        {"type": "array", "items": {"type": "image"}, "description": "The value"},
    ]
