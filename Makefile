# Everything runs in .venv, which is made on first use; PYTHON names the interpreter to make it with (3.11 or newer).
PYTHON ?= python3
BIN := .venv/bin
# Engines weigh gigabytes, and the library is to be tested without them first: they have an environment of their own.
ENGINES := .venv-engines/bin

.PHONY: run test engines lint bench clean

run: .venv/run.stamp  ## conversations for several models, and their answers
	$(BIN)/python examples/quickstart.py

test: lint  ## everything that must hold
	$(BIN)/python -m pytest
	$(MAKE) engines

engines: .venv-engines/stamp  ## the same with real engines: llama.cpp, transformers, datasets, Ray, Spark
	$(ENGINES)/python -m pytest tests/engines

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/bench.stamp  ## the measured comparison
	$(BIN)/python -m bench

clean:
	rm -rf .venv .venv-engines .mypy_cache .ruff_cache .pytest_cache

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

# What cannot be installed here is told, and its tests are left out, with that reason.
.venv-engines/stamp: pyproject.toml
	$(PYTHON) -m venv .venv-engines
	$(ENGINES)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(ENGINES)/python -m pip install --quiet --editable . --group engines
	for part in torch datasets ray spark; do \
	    $(ENGINES)/python -m pip install --quiet --group $$part || echo "no $$part here: it cannot be installed"; \
	done
	$(ENGINES)/python -m pip install --quiet --editable ".[e2e]" || echo "no xllamacpp here: it cannot be installed"
	touch $@
