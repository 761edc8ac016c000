"""Ids back to text: what is a control token is told, and a missing library by its extra's name."""

import sys

import pytest

from llm_templates import MissingExtraError, load


def test_a_parser_of_ids_names_the_extra_that_is_missing(monkeypatch):
    """Before anything of the library is imported by its own name."""
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingExtraError, match="tokenizers"):
        load("chatml").parser(tokenizer="a/tokenizer")
