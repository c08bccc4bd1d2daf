# Everything runs in .venv, which `make setup` builds; other targets do that by themselves.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
  if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
  then echo $$p; break; fi; done)
BIN := .venv/bin
WORKERS ?= 2

.PHONY: setup reproduce test test-all lint types examples docs bench figures clean

setup: .venv/installed

.venv/installed: pyproject.toml requirements.txt
	@test -n "$(PYTHON)" || { echo "lowrankflow needs Python 3.11 or newer: install it, \
	or name it with 'make PYTHON=/path/to/python'"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint requirements.txt --editable '.[dev]'
	touch $@

reproduce: setup
	$(BIN)/lowrankflow reproduce

test: setup
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

test-all: setup
	$(BIN)/python -m pytest -n $(WORKERS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/pyright

examples: setup
	$(BIN)/python tools/run_examples.py README.md docs

figures: setup
	$(BIN)/python docs/figures/readme.py

docs: setup
	$(BIN)/python -m sphinx -b html -E -W -n --keep-going -q -d build/doctrees docs build/docs

bench: setup
	$(BIN)/python benchmarks/flow.py
	$(BIN)/python benchmarks/nuclear_norm.py
	$(BIN)/python benchmarks/grid.py
	$(BIN)/python benchmarks/greedy_path.py speed

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis build dist
