# Everything happens in .venv; nothing else needs to be installed by hand.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
# Random tests of what must be survived: the same ones every time here, others with another seed.
export LGCKPT_TEST_SEED ?= 20261122

.PHONY: help build demo test test-python test-pure test-rust test-langgraph test-accelerated test-oldest lint format \
	bench figures docs fuzz clean

help:
	@echo "make demo      build, then run an agent on SQLite, kill it, resume it, count what it cost"
	@echo "make test      every test: Rust, Python compiled and pure, LangGraph's own suite"
	@echo "make test-accelerated   LangGraph's own suite and ours with a native step"
	@echo "make test-oldest   the contract and the serializer with the oldest releases that are admitted"
	@echo "make lint      formatting, lints, types, stubs"
	@echo "make bench     ours beside the official savers, as ratios (ARGS=--quick for a short run)"
	@echo "make docs      the documentation's site, in build/site"
	@echo "make figures   the same, then the README's table and the plots in docs/figures"
	@echo "make fuzz      run the fuzz targets for a minute each"

$(VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	touch $@

# An editable install is a release build too, and tests then read the sources as they are.
build: $(VENV)/ready
	$(BIN)/pip install --quiet --editable '.[lint]'

demo: $(VENV)/ready
	$(BIN)/pip install --quiet --editable '.[demo]'
	$(BIN)/python -m examples.demo

test: test-rust test-python test-pure test-langgraph test-accelerated

test-rust:
	cargo test --quiet --workspace --exclude lgckpt-py

test-python: build
	$(PYTEST) -n 2 --dist worksteal

# A backend with a server hands frames on and looks into few: with the pure core, a part of the
# contract shows that.
test-pure: build
	LGCKPT_PURE=1 $(PYTEST) -n 2 --dist worksteal \
		-k "not (postgres or redis) or test_round_trips or test_copy_thread or test_prune or test_damage" \
		tests/contract tests/compat tests/golden tests/serde tests/tree

test-langgraph: build
	$(BIN)/python -m tests.compat.langgraph_suite

# LangGraph's suite on files and in memory, and our own tests that run graphs, with a native step.
test-accelerated: build
	$(BIN)/python -m tests.compat.langgraph_suite --on accelerated
	LGCKPT_TEST_ACCELERATED=1 $(PYTEST) -n 2 --dist worksteal -k "not postgres and not redis" \
		$(patsubst %,tests/contract/test_%.py,aiosqlite copy_thread delta_prune delta_runs encryption event_loops prune_graphs) \
		tests/compat tests/channels tests/pregel

# In an environment of its own beside the other.
test-oldest: build
	$(PYTHON) -m venv --clear $(VENV)-oldest
	$(BIN)/python -m tests.oldest > $(VENV)-oldest/constraints.txt
	$(VENV)-oldest/bin/pip install --quiet --upgrade pip
	$(VENV)-oldest/bin/pip install --quiet --constraint $(VENV)-oldest/constraints.txt --editable '.[test]'
	$(VENV)-oldest/bin/python -m pytest -n 2 --dist worksteal -k "not postgres and not redis" tests/contract tests/golden tests/serde

lint: build
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets -- -D warnings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest lgckpt._core

format:
	cargo fmt --all
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/ready
	$(BIN)/pip install --quiet --editable '.[bench]'
	$(BIN)/python -m benchmarks $(ARGS)

figures: bench
	$(BIN)/python -m benchmarks.readme

# Needs no network once the extra is installed.
docs: $(BIN)/mkdocs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "build/site/index.html; with its search: python -m http.server --directory build/site"

$(BIN)/mkdocs:
	$(MAKE) $(VENV)/ready
	$(BIN)/pip install --quiet --editable '.[docs]'

fuzz: build
	$(BIN)/pip install --quiet atheris
	for target in fuzz/fuzz_*.py; do $(BIN)/python $$target -max_total_time=60 || exit 1; done

clean:
	rm -rf $(VENV) $(VENV)-oldest target lgckpt/*.so bench-results
