# These commands do all the set-up on a machine that has only Python (3.11 or newer) and make:
#   make demo        the main job, with the embedded store
#   make test        the tests, but for those that take long
#   make test-fast   those that need no server and no process of their own, in less than a minute
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

# Where it is set, each of the tests' processes would compile the program anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-fast test-long check lint format typecheck imports bench kill-test test-providers clean

demo: $(VENV)/.runtime
	@$(BIN)/tokentail demo

# A process more than there are processors, since tests also wait, and five at most: each starts servers of its own. One file is
# always tested by one process. The order in which files are given out is that of tests/support/selection.py.
WORKERS = $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 4 ? n + 1 : 5)))
SHARED = --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

test: $(VENV)/.dev
	$(BIN)/pytest -q -m "not long" $(SHARED)

test-fast: $(VENV)/.dev
	$(BIN)/pytest -q -rfE --fast $(SHARED)

# What make test leaves out, because it takes long: searches, many cases of one kind, installations, and real servers that are driven.
# Those want TOKENTAIL_TEST_KEYCLOAK and TOKENTAIL_TEST_OIDC_PROVIDER: docs/testing.md.
test-long: $(VENV)/.dev
	$(BIN)/pytest -q -m long $(SHARED)

# Everything that .ci/run does.
check:
	.ci/run

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

typecheck: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

# Longer runs, not part of the gate.
kill-test: $(VENV)/.dev
	$(BIN)/python tests/kill/kill_rounds.py --rounds 200
	$(BIN)/python tests/kill/kill_rounds.py --rounds 200 --store influxdb1
	$(BIN)/python tests/kill/kill_rounds.py --rounds 200 --store influxdb1 --kill-store
	$(BIN)/python tests/kill/replay_rounds.py --kills 50

# Wants TOKENTAIL_TEST_KEYCLOAK and TOKENTAIL_TEST_OIDC_PROVIDER: docs/testing.md.
test-providers: $(VENV)/.dev
	$(BIN)/python tests/providers/provider_rounds.py --requests 100000 --kills 50

bench: $(VENV)/.dev
	$(BIN)/python -m bench.parse
	$(BIN)/python -m bench.ingest
	$(BIN)/python -m bench.store
	$(BIN)/python -m bench.answers $(VENV)/answers.db

# Made only when pip is there, which comes last: what broke off half-way is made anew.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) must be Python 3.11 or newer; name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); echo "No Python environment could be made in $(VENV).\
	  On Debian and Ubuntu the package python3-venv is missing: apt install python3-venv" >&2; exit 1; }

$(VENV)/.runtime: pyproject.toml | $(BIN)/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.runtime

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
