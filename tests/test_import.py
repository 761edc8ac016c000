"""What an import costs and what it gives."""

import subprocess
import sys

import llm_templates

HEAVY = {
    *("transformers", "torch", "numpy", "huggingface_hub", "pydantic", "tokenizers"),
    *("click", "minijinja", "importlib.metadata"),
}

PROGRAM = """
import sys
import llm_templates
llm_templates.load("zephyr").render([{"role": "user", "content": "Hello!"}], add_generation_prompt=True)
llm_templates.Formatter("zephyr").render(llm_templates.Conversation(messages=[{"role": "user", "content": "Hello!"}]))
print(*sorted(sys.modules))
"""


def test_nothing_heavy_is_imported():
    """Importing the package and rendering a built-in family needs Jinja and the standard library, and nothing else."""
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "llm_templates" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_the_public_names_are_sorted_and_complete():
    """`__all__` lists every public name once, each of them exists, and nothing public is missing from it."""
    names = llm_templates.__all__
    assert names == sorted(set(names), key=names.index)
    assert set(names) == {
        "BackendError",
        "BackendTimeoutError",
        "Batch",
        "BudgetError",
        "Chat",
        "ChatTemplate",
        "Content",
        "Conversation",
        "FallbackWarning",
        "Finding",
        "Formatter",
        "Grammar",
        "InputError",
        "MissingExtraError",
        "Parser",
        "RaisedError",
        "SecurityError",
        "Session",
        "SourceError",
        "TemplateRuntimeError",
        "TemplateSyntaxError",
        "TemplatesError",
        "Training",
        "Transcript",
        "UndefinedError",
        "VariableError",
        "convert",
        "fit",
        "format_chat_history",
        "load",
        "repaired",
        "tool_schema",
    }
    assert all(getattr(llm_templates, name).__doc__ for name in names)


def test_the_version_is_the_installed_one():
    """`__version__` is what the package's metadata says."""
    from importlib.metadata import version

    assert llm_templates.__version__ == version("llm-templates")
    assert not hasattr(llm_templates, "no_such_name")
