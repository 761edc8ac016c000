# Everything runs in .venv, which is made on first use; PYTHON names the interpreter to make it with (3.11 or newer).
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test lint bench clean

run: .venv/run.stamp  ## conversations for several models, and their answers
	$(BIN)/python examples/quickstart.py

test: lint  ## everything that must hold
	$(BIN)/python -m pytest

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/bench.stamp  ## the measured comparison
	$(BIN)/python -m bench

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache

.venv/run.stamp: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"  # the first that knows --group
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

# The reference (transformers without torch, minijinja) is what the tests compare with; the library needs neither.
.venv/test.stamp: .venv/run.stamp
	$(BIN)/python -m pip install --quiet --editable ".[reference]" --group test --group lint
	touch $@

.venv/bench.stamp: .venv/test.stamp
	$(BIN)/python -m pip install --quiet --group bench
	touch $@
