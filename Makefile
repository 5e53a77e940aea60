# What people do with this project. Everything but `make` itself is Python: see tools/.

PYTHON ?= python3
VENV = .venv/bin/python
# One more than two cores: tests wait for PostgreSQL, servers and browsers.
PYTEST_ARGUMENTS ?= -n 3 --dist worksteal

.PHONY: help setup dev run test unit lint sweep bench lock clean

help:
	@echo "make run    set up, start a demo on first use, serve it; prints its address and accounts"
	@echo "make test   set up, lint, run all tests"
	@echo "make sweep  long tests that make test leaves out: kills at every step, fuzz, soak"
	@echo "make setup  install what running needs; nothing happens when nothing changed"
	@echo "make lint   style, types and import rules"
	@echo "make bench  CPU for each operation against the raw floor; definitions: loading, checking, a worker"
	@echo "make lock   after a change of requirements*.in or package.json: new lock files"
	@echo "make clean  remove what set-up and tests made; var/ with its data stays"

setup:
	@$(PYTHON) tools/setup.py

dev:
	@$(PYTHON) tools/setup.py --dev

run: setup
	@$(VENV) tools/run.py

test: lint unit

unit: dev
	@$(VENV) -m pytest $(PYTEST_ARGUMENTS)

lint: dev
	@$(VENV) -m ruff check .
	@$(VENV) -m mypy
	@$(VENV) -c "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"

sweep: dev
	@$(VENV) -m pytest tests/sweep --durations=12

bench: dev
	@$(VENV) -m bench --contacts 1000000
	@$(VENV) -m bench.transfer --rows 100000
	@$(VENV) -m bench.promotion --rows 1000000
	@$(VENV) -m bench.definitions
	@$(VENV) -m bench.expressions

lock: dev
	@$(VENV) tools/lock.py

clean:
	rm -rf .venv node_modules core/web/static/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
