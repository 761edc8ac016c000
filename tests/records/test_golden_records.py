"""Every format in and out: each file in `golden` holds a record and what becomes of it, or why nothing does."""

import copy
import json
from pathlib import Path

import pytest

from llm_templates import InputError
from llm_templates.records import FORMATS, convert

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("*/*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_record_becomes_what_its_file_says(path):
    """The record, the format it was found to have, and the report are those of the file; the input stays as it was."""
    case = json.loads(path.read_text(encoding="utf-8"))
    given = copy.deepcopy(case["input"])
    options = case.get("options", {})
    if "error" in case:
        with pytest.raises(InputError) as failure:
            convert(given, to=case["to"], **options)
        assert str(failure.value).startswith(case["error"])
    else:
        conversion = convert(given, to=case["to"], **options)
        assert conversion.record == case["record"]
        assert conversion.source == case["source"]
        assert [str(remark) for remark in conversion.report] == case["report"]
    assert given == case["input"]


def test_every_format_is_read_and_written_by_a_file():
    """A format without a golden record, or one that nothing is converted to, is not done."""
    cases = [json.loads(path.read_text(encoding="utf-8")) for path in FILES]
    assert {case["source"] for case in cases if "source" in case} == set(FORMATS)
    assert {case["to"] for case in cases if "record" in case} == set(FORMATS)


def test_a_list_of_tuples_is_a_history_of_pairs():
    """Gradio's pairs come as tuples, which JSON does not have."""
    assert convert([("Hi", "Hello"), ("Bye", None)]).record["messages"][-1] == {"role": "user", "content": "Bye"}
    assert convert([(("cat.png",), "A cat.")]).source == "gradio-pairs"
