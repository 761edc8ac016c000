"""Each family against the templates of its models, on everything recorded in the corpus LLM_TEMPLATES_CORPUS names."""

import copy
import gzip
import hashlib
import json
import os
import tomllib
from collections import defaultdict
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest

from llm_templates import ChatTemplate, FallbackWarning, RaisedError, TemplatesError, families, load

CORPUS = Path(os.environ.get("LLM_TEMPLATES_CORPUS", "/nonexistent"))
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="LLM_TEMPLATES_CORPUS names no corpus")

REFERENCES = tomllib.loads((Path(__file__).parent / "references.toml").read_text("utf-8"))
PAIRS = [(stem, file) for stem, files in REFERENCES.items() for file in files]


@cache
def index():
    return json.loads((CORPUS / "index.json").read_text("utf-8"))


@cache
def conversations():
    return json.loads((CORPUS / "conversations.json").read_text("utf-8"))


@cache
def recorded():
    """What transformers made of each template and conversation: text by its hash, a refusal, or a failure."""
    cases = defaultdict(list)
    with gzip.open(CORPUS / "reference.jsonl.gz", "rt", encoding="utf-8", errors="surrogatepass") as lines:
        for line in lines:
            case = json.loads(line)
            if "return_assistant_tokens_mask" not in case["flags"]:
                cases[case["slug"]].append(case)
    return cases


def text_of(stem):
    for name in families.names():
        family = families.get(name)
        if stem == name:
            return family.template
        if stem.startswith(f"{name}.") and stem[len(name) + 1 :] in family.variants:
            return family.variants[stem[len(name) + 1 :]]
    raise AssertionError(f"references.toml names {stem}, which is no family")


def is_equal(source, case, tokens):
    shape, variables = copy.deepcopy(conversations()["shapes"][case["shape"]]), dict(case["flags"])
    options = {k: variables.pop(k) for k in ("add_generation_prompt", "continue_final_message") if k in variables}
    now = datetime.fromisoformat(conversations()["frozen_now"])
    template = ChatTemplate.from_string(source, special_tokens=tokens, now=now)
    given = {"tools": shape["tools"], "documents": shape["documents"], "variables": variables, "strict": False}
    try:
        text = template.render(shape["messages"], **given, **options)
    except RaisedError as refusal:
        return case["status"] == "raised" and refusal.message[:200] == case["message"][:200]
    except TemplatesError:
        return False
    return (
        case["status"] == "ok" and hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() == case["sha256"]
    )


@pytest.mark.parametrize(("stem", "file"), PAIRS)
def test_renders_as_the_models_own_template(stem, file, verified):
    """Equal text and equal refusals in all recorded cases; where their template fails by accident, ours may not."""
    cases = [case for case in recorded()[file] if case["status"] in ("ok", "raised")]
    assert cases
    different = [case for case in cases if not is_equal(text_of(stem), case, index()[file]["special_tokens"])]
    assert not different, [(case["shape"], case["flags"]) for case in different]
    verified.append((stem, file, len(cases)))


def test_every_family_is_verified():
    """By a template of its models, or else by what their documentation prints (see test_documented)."""
    documented = {path.stem for path in (Path(__file__).parent / "documented").glob("*.json")}
    assert set(families.names()) == {name for name in families.names() if REFERENCES.get(name) or name in documented}


def test_ids_find_their_family(tmp_path, monkeypatch):
    """Each publisher's model whose template verifies a family is found by its id; no id leads to another family."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    owners = defaultdict(set)
    for stem, file in PAIRS:
        name = next(
            n
            for n in families.names()
            if text_of(stem) in (t := families.get(n)).variants.values() or text_of(stem) == t.template
        )
        owners[file].add(name)
    ids = {entry["model"] for entry in index().values() if is_id(entry["model"])}
    for model in ids:
        found = families.find_by_id(model)
        files = [f for f, e in index().items() if e["model"] == model and e["provenance"] == "publisher"]
        right = set().union(*(owners[file] for file in files)) if files else set()
        if right:
            assert found is not None, f"{model} should be {right}"
            assert found.name in right, f"{model} is {right}, not {found.name}"
            with pytest.warns(FallbackWarning):
                assert load(model, offline=True).source == found.template


def is_id(model):
    owner, _, name = model.partition("/")
    return bool(owner and name) and " " not in model and "/" not in name
