# One command each; every one installs what it needs into .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run report test lint oracles fuzz bench boundaries wheel clean

run: .venv/installed
	$(BIN)/onc-conformance run

# the newest run as one offline Allure page, where there is Node; the dossier is the report where there is none
report: .venv/installed
	$(BIN)/python -m onc_conformance.report.offline

# spread over the cores; each file stays with one process
test: .venv/developer
	$(BIN)/pytest -n auto --dist loadfile

lint: .venv/developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

oracles: .venv/developer
	$(BIN)/pytest tests/oracles

fuzz: .venv/developer
	ONC_FUZZ_SECONDS=$(or $(SECONDS),600) $(BIN)/pytest -s tests/fuzz

# our judges beside others on the same documents: make bench DOCS=folder SCH=official.sch VOC=voc.xml NODE=1
bench: .venv/developer
	$(BIN)/python tools/bench $(if $(DOCS),--docs "$(DOCS)") $(if $(SCH),--sch "$(SCH)") $(if $(VOC),--voc "$(VOC)") \
	  $(if $(XSD),--xsd "$(XSD)") $(if $(NODE),--node) $(if $(SAMPLE),--sample $(SAMPLE))
	$(BIN)/python tools/bench/bulk.py --plot docs/bulk.svg
	$(BIN)/python tools/bench/runs.py

# what the reference EHR answers at the edge of every fact, and what the judges say of it
boundaries: .venv/installed
	$(BIN)/python tools/boundaries.py

wheel: .venv/developer
	rm -rf dist
	$(BIN)/python -m build --outdir dist

clean:
	rm -rf .venv dist tools/allure/node_modules reports/2* reports/latest reports/latest.txt

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/developer: .venv/installed pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	touch $@
