# The verbs of the project. Python 3.11 to 3.13 and make are all that is needed beforehand.
#
#   DEMO_ARGS, PYTEST_ARGS, BENCH_ARGS   go on to the command behind the verb
#   ROLE                                 what `make setup` installs: dev (default), core, recorder, server, learning

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format locks clean

ROLE ?= dev
BIN := .venv/bin

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { sub("%", "NAME", $$1); printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv from the hash-pinned lock file; instant when nothing changed
	@bash scripts/bootstrap.sh $(ROLE)

demo: setup ## run the main job end to end on embedded defaults (DEMO_ARGS=--no-serve to stop at the end)
	@$(BIN)/understudy demo $(DEMO_ARGS)

test: setup ## run the tests
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: setup ## check style, types and import directions
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy src tests $(wildcard bench)
	$(BIN)/lint-imports

format: setup ## rewrite the sources in the house format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench-%: setup ## run one benchmark, bench/NAME.py
	@test -f bench/$*.py || { echo "understudy: error: there is no benchmark bench/$*.py" >&2; exit 2; }
	@$(BIN)/python -m bench.$* $(BENCH_ARGS)

locks: ## resolve the lock files anew; maintainers only, needs uv (UPGRADE=1 takes newer versions)
	@bash scripts/locks.sh $(if $(UPGRADE),--upgrade)

clean: ## remove what the verbs made, except .venv
	rm -rf build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
