# Two commands: `make run` (the app on the practice exchange) and `make test` (all checks, all tests).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
.DEFAULT_GOAL := help
.PHONY: help run test check format bench screens lock clean

help:
	@echo "make run     install what is needed and start the app on the practice exchange (ARGS=... is passed on)"
	@echo "make test    install what is needed, run all checks and all tests"
	@echo "make check   linter, formatter, types, import layers"
	@echo "make bench   the benchmarks, each beside its reference"
	@echo "make screens the screens of docs/screens, from a journey in tmux"
	@echo "make format  apply the formatter"
	@echo "make lock    make the lock files anew from pyproject.toml"
	@echo "make clean   remove the virtual environment and caches"

# The stamps say which lock file the environment was installed from; a changed lock installs anew.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "kalshi-tui needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-stamp: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev-stamp: requirements-dev.lock $(VENV)/.run-stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	@touch $@

run: $(VENV)/.run-stamp
	@exec $(BIN)/kalshi-tui $(ARGS)

check: $(VENV)/.dev-stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test: check
	$(BIN)/python -m pytest -n auto -m "not nightly" $(ARGS)

bench: $(VENV)/.dev-stamp
	$(BIN)/python -m benchmarks $(ARGS)

screens: $(VENV)/.dev-stamp
	$(BIN)/python -m tests.terminal.journeys

format: $(VENV)/.dev-stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Needs uv on the PATH; universal, so that one file serves every platform and Python.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 --extra build pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 --extra dev --constraint requirements.lock pyproject.toml --output-file requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
