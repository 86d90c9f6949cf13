# Wellhead: one command each. Needs make and Python 3.11, nothing else.
.DEFAULT_GOAL := help
.PHONY: help run venv venv-runtime test check lint types fmt sim soak bench bench-peers coverage lock freeze clean

SEED ?=
COMMANDS ?=
MINUTES ?= 30
TOTAL ?=
ARGS ?=

# A stamp is named after the lock and this folder: the same lock never installs twice.
key = $(shell (pwd; cat tools/venv.sh requirements/build.txt $(1)) | cksum | tr ' ' '-')
RUNTIME := .venv/.runtime-$(call key,requirements/runtime.txt)
DEV := .venv/.dev-$(call key,requirements/dev.txt)
PY := .venv/bin/python
PYTEST := $(PY) -m pytest

help:  ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

$(RUNTIME):
	@tools/venv.sh runtime $@

$(DEV):
	@tools/venv.sh dev $@

venv-runtime: $(RUNTIME)  ## Make .venv with the product's packages only
venv: $(RUNTIME) $(DEV)  ## Make .venv with the test and lint packages too

run: $(RUNTIME)  ## Start everything, with the demo market
	@.venv/bin/wellhead demo $(ARGS)

test: $(DEV)  ## Run the whole suite (ARGS="-k name" goes to pytest)
	@$(PYTEST) -n 2 tests $(ARGS)

check: lint types  ## Format, lint, types, tidy, unit, scenarios; under a minute
	@HYPOTHESIS_PROFILE=check $(PYTEST) -n 2 -q -m "not slow" $(wildcard tests/tidy tests/unit tests/scenarios) $(ARGS)

lint: $(DEV)  ## Format and lint, change nothing
	@$(PY) -m ruff format --check --quiet . && $(PY) -m ruff check --quiet .

types: $(DEV)  ## Check types
	@$(PY) -m mypy --no-error-summary

fmt: $(DEV)  ## Format, and mend what the linter can
	@$(PY) -m ruff format . && $(PY) -m ruff check --fix .

sim: $(DEV)  ## Simulate a market with faults: SEED=123 repeats a run, COMMANDS=n its length
	@$(PY) -m tests.sim $(if $(SEED),--seed $(SEED)) $(if $(COMMANDS),--commands $(COMMANDS)) $(ARGS)

soak: $(DEV)  ## Simulate with fresh seeds for MINUTES=30, or for TOTAL=50000000 commands
	@$(PY) -m tests.sim $(if $(TOTAL),--total $(TOTAL),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(ARGS)

bench: $(DEV)  ## Measure, and append one JSON line for this commit
	@$(PY) -m tools.bench $(ARGS)

bench-peers: $(DEV)  ## Measure other matching engines beside ours (ARGS="FEED --runs 7 --keep")
	@$(PY) -m tools.peers $(ARGS)

coverage: $(DEV)  ## Line and branch coverage, with the JIT off so that kernels count
	@$(PY) -m coverage erase
	@NUMBA_DISABLE_JIT=1 $(PY) -m coverage run -m pytest -q tests/unit tests/scenarios $(ARGS)
	@$(PY) -m coverage combine --quiet && $(PY) -m coverage report

lock: $(DEV)  ## Write requirements/*.txt anew from the *.in files
	@tools/lock.sh

freeze: $(DEV)  ## Append new reason codes to the frozen table
	@$(PY) -m tools.freeze_codes

clean:  ## Remove what was made here, .venv too
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis htmlcov
	find . -name __pycache__ -not -path './web/*' -prune -exec rm -rf {} +
