# Two commands: `make run` (the app on the practice exchange) and `make test` (all checks, the tests).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
# Much of what the tests do is waiting for processes and screens: more workers than cores pay.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))')
AUDIT_VENV ?= .venv-audit
AUDITED ?= requirements.lock requirements-dev.lock requirements-audit.lock benchmarks/requirements-nautilus.lock
NAUTILUS_VENV ?= .venv-nautilus
.DEFAULT_GOAL := help
.PHONY: help run test test-all check format bench bench-check bench-nautilus screens lock audit audit-figures clean

help:
	@echo "make run     install what is needed and start the app on the practice exchange (ARGS=... is passed on)"
	@echo "make test    install what is needed, run all checks and the tests, in a few minutes"
	@echo "make test-all   the same with the slow tests and the full budgets of the randomized ones"
	@echo "make check   linter, formatter, types, import layers"
	@echo "make bench   the benchmarks, each beside its reference; bench-check says which has become worse"
	@echo "make bench-nautilus   the same frames into nautilus_trader's book, in an environment of its own"
	@echo "make screens the screens of docs/screens, from a journey in tmux"
	@echo "make format  apply the formatter"
	@echo "make lock    rebuild the lock files from pyproject.toml"
	@echo "make audit   look for known weaknesses in what the lock files name; asks the package index"
	@echo "make audit-figures   every figure of the desk and of the commands beside an independent computation"
	@echo "make clean   remove the virtual environment and caches"

# The stamps say which lock file the environment was installed from; a changed lock installs again.
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
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow and not nightly" $(ARGS)

test-all: check
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not nightly" --hypothesis-profile=whole $(ARGS)

bench-check: $(VENV)/.dev-stamp
	$(BIN)/python -m benchmarks --check $(ARGS)

bench: $(VENV)/.dev-stamp
	$(BIN)/python -m benchmarks $(ARGS)

# nautilus_trader and what it needs are several times as large as all of ours: an environment apart.
$(NAUTILUS_VENV)/.stamp: benchmarks/requirements-nautilus.lock
	$(PYTHON) -m venv $(NAUTILUS_VENV)
	$(NAUTILUS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

bench-nautilus: $(NAUTILUS_VENV)/.stamp
	$(NAUTILUS_VENV)/bin/python -m benchmarks nautilus $(ARGS)

screens: $(VENV)/.dev-stamp
	$(BIN)/python -m tests.support.journeys

audit-figures: $(VENV)/.dev-stamp
	$(BIN)/python -m tests.audit $(ARGS)

format: $(VENV)/.dev-stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Needs uv on the PATH; universal, so that one file serves every platform and Python.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 --extra build pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 --extra dev --constraint requirements.lock pyproject.toml --output-file requirements-dev.lock
	echo 'pip-audit>=2.9' | uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 - --output-file requirements-audit.lock
	echo 'nautilus_trader>=1.221' | uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 - --output-file benchmarks/requirements-nautilus.lock

# pip-audit has dependencies of its own, which are none of ours: an environment apart.
$(AUDIT_VENV)/.stamp: requirements-audit.lock
	$(PYTHON) -m venv $(AUDIT_VENV)
	$(AUDIT_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-audit.lock
	@touch $@

# Strict: what the index does not know has not been looked at, and that must not pass for good news.
audit: $(AUDIT_VENV)/.stamp
	@bad=0; for file in $(AUDITED); do \
		echo "$$file:"; \
		$(AUDIT_VENV)/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off --requirement $$file || bad=1; \
	done; exit $$bad

clean:
	rm -rf $(VENV) $(AUDIT_VENV) $(NAUTILUS_VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
