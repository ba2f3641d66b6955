# `make demo`, `make test` and `make docs` set up all they need in .venv; a second run goes straight to work.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LIGHT := $(VENV)/.light
FULL := $(VENV)/.full
DOCS := $(VENV)/.docs
ARGS ?=

.PHONY: help demo test lint docs clean

help:
	@echo "make demo    draw a street scene, track it, score the tracks (ARGS=\"--output FOLDER\")"
	@echo "make test    ruff, mypy and pytest with doctests"
	@echo "make lint    ruff and mypy only"
	@echo "make docs    the documents and the reference of the API as HTML, site/index.html"
	@echo "make clean   remove .venv, site and caches"

demo: $(or $(wildcard $(FULL)),$(LIGHT))
	@$(BIN)/centertrack demo $(ARGS)

test: lint
	$(BIN)/python -m pytest $(ARGS)

lint: $(FULL)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(or $(wildcard $(FULL)),$(DOCS))
	@rm -rf site
	@$(BIN)/python tools/build_docs.py $(ARGS)

$(LIGHT): EXTRAS :=
$(LIGHT): COST := 0.7 GB, less than a minute
$(FULL): EXTRAS := [test]
$(FULL): COST := about 5 GB with PyTorch, a few minutes the first time
$(DOCS): EXTRAS := [docs]
$(DOCS): COST := about 5 GB with PyTorch, whose parts the reference tells too; a few minutes the first time
$(LIGHT) $(FULL) $(DOCS): pyproject.toml centertrack/version.py
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) not found; install Python 3.10 or later, or say make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "error: centertrack needs Python 3.10 or later, $(PYTHON) is $$($(PYTHON) -V 2>&1); say make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "error: $(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "installing into $(VENV): $(COST)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e ".$(EXTRAS)"
	@touch $@

clean:
	rm -rf $(VENV) site .pytest_cache .mypy_cache .ruff_cache
