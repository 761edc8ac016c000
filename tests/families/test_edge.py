"""Every file under edge/ holds a conversation and what the publisher's own template made of it."""

import json
from pathlib import Path

import pytest

from llm_templates import RaisedError, load

EDGE = Path(__file__).parent / "edge"
CASES = sorted(EDGE.glob("*/*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_renders_what_the_publishers_template_renders(path):
    """The text is equal byte for byte; where the publisher's template refuses, ours does with the same words."""
    case = json.loads(path.read_text(encoding="utf-8"))
    template = load(path.parent.name)
    if "refused" in case:
        with pytest.raises(RaisedError) as caught:
            template.render(case["messages"], **case["options"])
        assert caught.value.message == case["refused"]
    else:
        assert template.render(case["messages"], **case["options"]) == case["expected"]
