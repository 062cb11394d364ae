# `make run` and `make test` need Python 3.11 or newer and nothing else. They install with uv where
# it is there, because it is faster, else with pip.
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null)
HOST ?= 127.0.0.1
PORT ?= 8000
BIN := .venv/bin

.PHONY: run test test-all check unit browser bench soak lock clean manifest deploy deploy-callbacks

run: .venv/installed
	@$(BIN)/python -m cli.port $(HOST) $(PORT)
	$(BIN)/shiny run --host $(HOST) --port $(PORT) app.py

# The type check uses one core for a minute, so it runs beside the first tests.
test: .venv/installed-dev
	$(MAKE) --jobs=2 check unit
	$(MAKE) browser

# With the tests that take long: killed processes, real servers, pages in every look. CI runs this.
test-all:
	$(MAKE) test SLOW=yes

# Tests start many processes. Without bytecode on the disk each of them would compile the project.
unit browser: export PYTHONDONTWRITEBYTECODE =

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

NOT_SLOW = $(if $(SLOW),, and not slow)

# Four at a time, because most tests wait for something. Tests of a file share fixtures, so keep them
# together. Files run in the order of their names: the usual order, most tests first, would leave
# files with few and slow tests to the end, where nothing else runs beside them.
unit: .venv/installed-dev
	$(BIN)/python -m pytest -m "not browser$(NOT_SLOW)" -n 4 --dist loadfile --no-loadscope-reorder

# Apart from the rest, because Playwright keeps an event loop running, which breaks async tests. The
# folders are named because loading all tests, only to skip most, would take a good part of a minute.
# Not file by file, because one takes up to 40 s, and nothing would run beside the last. What a file
# shares may start once for each browser, so a third one isn't worth its start for a few tests.
browser: .venv/installed-dev
	$(BIN)/python -m pytest -m "browser$(NOT_SLOW)" -n $(if $(SLOW),3,2) \
		--dist load --maxschedchunk 1 tests/browser tests/docs

bench: .venv/installed-dev
	$(BIN)/python -m bench

# Crash tests, each planned from a seed: processes are killed while they send alerts.
# `make soak SEEDS=5000` takes hours.
soak: SEEDS ?= 500
soak: ALERTS ?= 200
soak: .venv/installed-dev
	SEEDS=$(SEEDS) ALERTS=$(ALERTS) $(BIN)/python -m pytest \
		tests/crash/test_seeds.py tests/crash/test_rules.py tests/crash/test_postgres.py \
		tests/crash/test_broadcasts.py

lock: .venv/installed-dev
	$(BIN)/uv pip compile --universal --python-version 3.11 --no-header --no-annotate \
		pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --no-header --no-annotate \
		--group dev -c requirements.txt pyproject.toml -o requirements-dev.txt

# Posit Connect, see docs/deploying_connect.md. Only what the app is made of is copied to a folder of
# its own and bundled from there: rsconnect itself would take .env, data and tests along.
#
#     make deploy NAME=mine VARS="TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN"
#
# NAME is what `rsconnect add --name` called the server. VARS are variables of this shell that the
# content gets; their values are never written to a file.
APP_FILES := access alerts cli dashboard database doctor monitoring people rules settings \
	simulator storage twilio_client twiml app.py callbacks_app.py webhooks.py sources.toml \
	requirements.txt pyproject.toml
RSCONNECT := build/rsconnect/bin/rsconnect
CONNECT_OPTIONS = --name "$(NAME)" $(addprefix -E ,$(VARS))

.PHONY: named
named:
	@: $(if $(NAME),,$(error Say which server: make deploy NAME=mine, after "$(RSCONNECT) add --name mine"))

manifest: build/dashboard.bundle $(RSCONNECT)
	$(RSCONNECT) write-manifest shiny --overwrite --entrypoint app:app build/dashboard
	cp build/dashboard/manifest.json manifest.json

deploy: named build/dashboard.bundle $(RSCONNECT)
	$(RSCONNECT) deploy shiny $(CONNECT_OPTIONS) --entrypoint app:app --title Callboard build/dashboard

deploy-callbacks: named build/callbacks.bundle $(RSCONNECT)
	$(RSCONNECT) deploy fastapi $(CONNECT_OPTIONS) --entrypoint callbacks_app:app \
		--title "Callboard's callbacks" build/callbacks

# Keep rsconnect's own notes there, by which it knows which content to deploy to again.
.PHONY: build/dashboard.bundle build/callbacks.bundle
build/dashboard.bundle build/callbacks.bundle: build/%.bundle:
	mkdir -p build/$*
	find build/$* -mindepth 1 -maxdepth 1 ! -name rsconnect-python -exec rm -rf {} +
	cp -R $(APP_FILES) build/$*/
	find build/$* '(' -name __pycache__ -o -name .env ')' -prune -exec rm -rf {} +

$(RSCONNECT):
	$(if $(UV),$(UV) venv --quiet --python $(PYTHON) build/rsconnect,$(PYTHON) -m venv build/rsconnect)
	$(if $(UV),$(UV) pip install --quiet --python build/rsconnect/bin/python,build/rsconnect/bin/python -m pip install --quiet) \
		rsconnect-python || { rm -rf build/rsconnect; exit 1; }

clean:
	rm -rf build .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Callboard needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	@# Half an environment would be taken for a whole one at the next try.
	$(if $(UV),$(UV) venv --quiet --python $(PYTHON) .venv,$(PYTHON) -m venv .venv) || { rm -rf .venv; exit 1; }

# Install a file of requirements, and say so, because it takes a while.
define install
	@echo "Installing what $(1) names into .venv, which is needed once and may take a minute ..."
	@$(if $(UV),$(UV) pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet --disable-pip-version-check) \
		-r $(1) || { echo "$$COULD_NOT_INSTALL" >&2; exit 1; }
endef
define COULD_NOT_INSTALL
The libraries can't be installed; the reason is above. On Linux on ARM, and on Alpine, libsass has to
be compiled, which needs a C++ compiler and Python's headers: "apt-get install g++ python3-dev", or
"apk add g++ python3-dev". Then try again.
endef
export COULD_NOT_INSTALL

.venv/installed: requirements.txt | .venv/bin/python
	@# An environment that was made by uv has no pip.
	@$(if $(UV),true,$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --default-pip >/dev/null)
	$(call install,requirements.txt)
	@touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	$(call install,requirements-dev.txt)
	@touch $@
