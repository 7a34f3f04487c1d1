# The two commands that matter: `make run` and `make test`. Needs Python 3.11 and make, nothing else.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# Whole shops have a machine to themselves; all other tests share it, each process with engines of its own.
ALONE := tests/browser tests/e2e tests/faults
WITH_COMPANY := $(ALONE:%=--ignore=%)

.PHONY: run test faults check lint types imports pytest install lock clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: install  ## start everything and stay in the foreground (Ctrl-C stops it)
	exec $(BIN)/python manage.py up $(UP)

test: install lint imports types pytest  ## every check, on real engines

lint:  ## ruff: style and likely bugs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

imports:  ## the architecture's import rules
	$(BIN)/lint-imports

types:  ## mypy on the typed core
	$(BIN)/mypy

pytest:  ## tests on real engines (ARGS="-k name" to choose)
	$(BIN)/python -m pytest --durations=12 $(if $(ARGS),$(ARGS),--numprocesses 2 --dist loadfile $(WITH_COMPANY))
	$(if $(ARGS),,$(BIN)/python -m pytest --durations=12 $(ALONE))

faults: install  ## the long forms: 200 faults on a whole shop, outages, poison, mass retry
	ACME_FAULTS=long $(BIN)/python -m pytest tests/faults -s $(ARGS)

install: $(STAMP)  ## .venv with everything pinned

$(STAMP): requirements.txt requirements-engines.txt requirements-dev.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-engines.txt -r requirements-dev.txt
	touch $@

lock: install  ## pin requirements*.txt anew from the .in files
	$(BIN)/pip-compile --quiet --strip-extras --upgrade -o requirements.txt requirements.in
	$(BIN)/pip-compile --quiet --strip-extras --upgrade -o requirements-engines.txt requirements-engines.in
	$(BIN)/pip-compile --quiet --strip-extras --upgrade -o requirements-dev.txt requirements-dev.in

clean:  ## remove what tests and tools leave behind (keeps .acme and .venv)
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache staticfiles
