# One command each; every one installs what it needs into .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test lint oracles wheel clean

run: .venv/installed
	$(BIN)/onc-conformance run

test: .venv/developer
	$(BIN)/pytest

lint: .venv/developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

oracles: .venv/developer
	$(BIN)/pytest tests/oracles

wheel: .venv/developer
	rm -rf dist
	$(BIN)/python -m build --outdir dist

clean:
	rm -rf .venv dist reports/2* reports/latest reports/latest.txt

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/developer: .venv/installed pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	touch $@
