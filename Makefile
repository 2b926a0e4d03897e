# Everything below needs Python 3.11, make and the package registries, and nothing else.
# Real Apache Kafka in the tests also needs Java 17 and Maven; those tests are skipped without.

PYTHON ?= python3.11
VENV := .venv
BENCH_VENV := .venv-bench
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH_STAMP := $(BENCH_VENV)/.installed
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

# make demo DURATION=30 SEED=7 ARGS="--merchants 500"
DURATION ?=
SEED ?=
ARGS ?=
# make fuzz SECONDS=600 RECORDS=1000000 WORKER_RECORDS=0 SEED=2
SECONDS ?= 60
RECORDS ?= 200000
WORKER_RECORDS ?= 20000
# make test TESTS="tests/features -k windows"; all of them run JOBS at a time
TESTS ?=
JOBS ?= 4
# make evaluate DATA=DIR SEEDS=101,102 QUICK=1
DATA ?=
SEEDS ?=
QUICK ?=
# make faults KILLS=50 FAULTS=kill9,zombie BROKER=both SEED=1
KILLS ?=
FAULTS ?=
BROKER ?=
# make soak MINUTES=10
MINUTES ?=

.DEFAULT_GOAL := help
.PHONY: help setup setup-bench demo test fuzz check docs evaluate coverage format bench verify faults soak lock clean

help: ## Show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv with the locked packages and shopwarden itself

$(STAMP): requirements-dev.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: $(PYTHON) was not found. Set PYTHON=/path/to/python3.11." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python $(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	$(BIN)/python $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

setup-bench: $(BENCH_STAMP) ## Make .venv-bench, the environment of the Quix Streams benchmark

$(BENCH_STAMP): benchmarks/requirements.lock
	@test -x $(BENCH_VENV)/bin/python || $(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python $(PIP_INSTALL) --require-hashes -r benchmarks/requirements.lock
	@touch $@

demo: $(STAMP) ## Run a simulated marketplace against the worker (DURATION=30, SEED=7, ARGS=...)
	$(BIN)/shopwarden demo $(if $(DURATION),--duration $(DURATION)) $(if $(SEED),--seed $(SEED)) $(ARGS)

test: $(STAMP) ## Run the tests (TESTS="tests/features -k windows")
	$(BIN)/python -m pytest $(if $(TESTS),$(TESTS),-n $(JOBS))

fuzz: $(STAMP) ## Feed mutated records and fuzz by coverage (SECONDS=60, SEED=1), and write build/fuzz.json
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) --records $(RECORDS) --worker-records $(WORKER_RECORDS) $(if $(SEED),--seed $(SEED))

check: $(STAMP) ## Lint, formatting, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMP) ## Write the documentation as a site, into build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

format: $(STAMP) ## Format the code and sort its imports
	$(BIN)/ruff check --fix-only --select I,UP,F401 .
	$(BIN)/ruff format .

bench: $(STAMP) $(BENCH_STAMP) ## Measure, and write build/bench.json (ARGS=...)
	$(BIN)/python -m benchmarks $(ARGS)

evaluate: $(STAMP) ## Measure how good the judgement is, into build/evaluation.* (DATA=DIR, SEEDS=101,102, QUICK=1)
	$(BIN)/python -m benchmarks.evaluation $(if $(DATA),--data $(DATA)) $(if $(SEEDS),--seeds $(SEEDS)) \
		$(if $(QUICK),--quick) $(ARGS)

coverage: $(STAMP) ## Measure how often the intervals of metrics hold the truth, into build/coverage.json (ARGS="--runs 50")
	$(BIN)/python -m benchmarks.coverage $(ARGS)

verify: $(STAMP) ## Compare live runs with replays of what they read, byte for byte, into build/verify.json
	$(BIN)/python -m benchmarks.verify_runs $(ARGS)

faults: $(STAMP) ## Break things (KILLS=50, FAULTS=kill9,zombie, BROKER=kafka|embedded|both, SEED=1, ARGS=--report)
	$(BIN)/python -m tests.faults $(if $(KILLS),--kills $(KILLS)) $(if $(FAULTS),--faults $(FAULTS)) \
		$(if $(BROKER),--broker $(BROKER)) $(if $(SEED),--seed $(SEED)) $(ARGS)

soak: $(STAMP) ## Watch memory under steady traffic (MINUTES=10)
	$(BIN)/python -m tests.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(ARGS)

# --universal: one lock for Linux and macOS. No index is named in the locks, so any mirror serves.
UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(UPGRADE)

lock: ## Write the lock files anew (UPGRADE=--upgrade for newer versions)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python $(PIP_INSTALL) uv
	@# With what traces need: the image is made of it, and a setting switches them on.
	$(UV_COMPILE) pyproject.toml --extra tracing -o requirements.lock
	$(UV_COMPILE) pyproject.toml --extra embedded --extra parquet --extra tracing --group dev -c requirements.lock -o requirements-dev.lock
	$(UV_COMPILE) --group build -c requirements-dev.lock -o requirements-build.lock
	$(UV_COMPILE) benchmarks/requirements.in -o benchmarks/requirements.lock

clean: ## Remove the environments and everything that was built
	rm -rf $(VENV) $(BENCH_VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find config features detectors streams tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
