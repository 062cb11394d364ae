# `make run` and `make test` need Python 3.11 or newer and nothing else.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
BIN := .venv/bin

.PHONY: run test check unit browser bench soak lock clean

run: .venv/installed
	$(BIN)/shiny run --host $(HOST) --port $(PORT) app.py

test: check unit browser

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Four at a time, for most tests wait for something. Tests of a file share fixtures, so keep them
# together.
unit: .venv/installed-dev
	$(BIN)/python -m pytest -m "not browser" -n 4 --dist loadfile

# Apart from the rest: Playwright keeps an event loop running, which breaks async tests.
browser: .venv/installed-dev
	$(BIN)/python -m pytest -m browser -n 2 --dist loadfile

bench: .venv/installed-dev
	$(BIN)/python -m bench

# Crash tests, each planned from a seed: processes are killed while they send alerts.
# `make soak SEEDS=5000` takes hours.
soak: SEEDS ?= 500
soak: .venv/installed-dev
	SEEDS=$(SEEDS) $(BIN)/python -m pytest tests/crash/test_seeds.py tests/crash/test_postgres.py

lock: .venv/installed-dev
	$(BIN)/uv pip compile --universal --python-version 3.11 --no-header --no-annotate \
		pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --no-header --no-annotate \
		--group dev -c requirements.txt pyproject.toml -o requirements-dev.txt

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Callboard needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv

# An environment that was made by uv has no pip.
.venv/installed: requirements.txt | .venv/bin/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --default-pip >/dev/null
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
