"""What is printed of the engines runs on them: the page on data sets, and the examples in docstrings."""

import doctest
import re
import runpy
from pathlib import Path

import pytest

from llm_templates.integrations import datasets as on_datasets
from llm_templates.integrations import ray as on_ray
from llm_templates.integrations import spark as on_spark

from .records import tokenizer

PAGE = Path(__file__).parents[3] / "docs" / "datasets.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_the_examples_run_in_their_order(datasets, cluster, spark, folder, monkeypatch):
    """In a folder that is empty, with the tokenizer that the page has made before."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", folder / "cache")
    context = cluster.data.DataContext.get_current()
    script = folder / "page.py"
    script.write_text("\n".join(BLOCKS), encoding="utf-8")
    try:
        runpy.run_path(str(script), {"tokenizer": tokenizer()})
    finally:
        context.execution_options.preserve_order = False
    assert len(BLOCKS) == 3
    assert list(folder.glob("rows/*.parquet"))
    assert list(folder.glob("rows-of-spark/*.parquet"))


@pytest.mark.parametrize("module", [on_datasets, on_ray, on_spark], ids=lambda module: module.__name__)
def test_the_examples_in_docstrings_run(module, datasets, cluster, spark):
    """Each on its engine, which runs already."""
    result = doctest.testmod(module)
    assert result.attempted
    assert result.failed == 0
