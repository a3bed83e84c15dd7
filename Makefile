# What people do with this checkout. Every target sets up by itself what it needs.
PY := .venv/bin/python
.DEFAULT_GOAL := help
# What Python has compiled is kept, whatever the environment says: a stack is dozens of processes, the
# tests are hundreds, and one that compiles all of its imports takes twice the time to start.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help setup run stop status check lint types layers unit test compiled test-compiled
.PHONY: demo wiki bench clean
# What is tested once more in compiled form: everything whose code is compiled, and one story. Of the
# splits of a message tests/conftest.py leaves one out; of the comparison it is what does the work.
HOT_TESTS := $(addprefix tests/unit/proxy/,wire routing upstream serving test_outcome.py \
  test_compiled.py) $(patsubst %,tests/unit/shadow_compare/test_%.py,canonical capture compare \
  corresponding headers json_proof json_value near noise pairing rules same tolerance translate) \
  tests/conformance tests/acceptance/test_signs_of_life.py

help: ## this list
	@echo 'make TARGET, where TARGET is one of:'
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):[^#]*## /  \1|/' \
	  | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

setup: ## install what is missing (every other target does this first)
	@deploy/setup.sh

run: setup ## start everything in the background, and say what runs where
	@$(PY) -m deploy.stack up

stop: ## stop everything that `make run` has started
	@test ! -x $(PY) || $(PY) -m deploy.stack down

status: setup ## what runs where, and whether it is healthy
	@$(PY) -m deploy.stack status || true

demo: setup ## the guided tour on the running stack
	@$(PY) -m deploy.demo

wiki: setup ## two wikis of Debian compared behind the proxy, and one word changed in one of them
	@$(PY) -m deploy.wiki

lint: setup
	@echo '== format and lint' && $(PY) -m ruff format --check . && $(PY) -m ruff check .

types: setup
	@echo '== types' && $(PY) -m mypy

layers: setup
	@echo '== import layers' && .venv/bin/lint-imports

unit: setup
	@echo '== unit tests' && $(PY) -m pytest -q tests/unit

check: lint types layers unit ## format, lint, types, layers, unit tests: under a minute

test: lint types layers ## everything: the checks, then all tests on real servers
	@MAKE="$(MAKE)" $(PY) -m deploy.suite
	@echo 'make test: format, lint, types, import layers and all tests passed'

compiled: setup ## compile the hot path to C; `cutover serve` uses it while the source is the same
	@$(PY) -m deploy.compile

test-compiled: compiled ## the tests of the hot path once more, in compiled form
	@echo '== compiled' && CUTOVER_COMPILED=1 timeout -k 30 900 $(PY) -m pytest -q $(HOT_TESTS)

bench: ## measure against the peers: make bench NAME=proxy OPTIONS="--all"
	@deploy/setup.sh --bench
	@$(PY) -m bench $(NAME) $(OPTIONS)

clean: stop ## stop everything, and remove data, environments and caches
	rm -rf .run .venv .tools node_modules proxy/admin/console/static/vendor
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
