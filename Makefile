# Everything is set up by the first target that needs it, in .venv and node_modules, and once only:
# a stamp file in .venv remembers each step, and a step runs again when what it was made from changes.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(BIN)/python
OUTSIDE_PATH := $(PATH)
# What is installed for this project is found before anything else of the same name.
export PATH := $(CURDIR)/$(BIN):$(PATH)

# A newer pip is no reason to talk, and the hashes leave it nothing to decide.
PIP := $(PYTHON) -m pip --quiet --quiet --no-input --disable-pip-version-check
# More processes than these gain nothing: the browser and PostgreSQL want their share.
PYTEST := $(PYTHON) -m pytest
PYTEST_ALL := $(PYTEST) --numprocesses=logical --maxprocesses=4 --dist=worksteal

ASSET_SOURCES := $(wildcard package.json package-lock.json .npmrc tools/build_assets.py) \
	$(shell find assets static -type f -not -path 'static/build/*' 2>/dev/null)

# Whoever deletes the compiled style sheet wants a new one.
ifeq ($(wildcard static/build),)
$(shell rm -f $(VENV)/.stamp-assets)
endif

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

# Running -------------------------------------------------------------------------------------------

.PHONY: demo
demo: $(VENV)/.stamp-project $(VENV)/.stamp-assets ## Start the demonstration at http://localhost:5000 (PORT=… for another port)
	@exec $(BIN)/nrm demo

.PHONY: demo-reset
demo-reset: $(VENV)/.stamp-project $(VENV)/.stamp-assets ## Throw the demonstration's data away and start it anew
	@exec $(BIN)/nrm demo --reset

# Proving -------------------------------------------------------------------------------------------

.PHONY: test
test: $(VENV)/.stamp-test $(VENV)/.stamp-project $(VENV)/.stamp-assets ## Check and test everything, or one part with T=path
ifeq ($(T),)
	@$(MAKE) check
	$(PYTEST_ALL)
else
	$(PYTEST) $(T)
endif

.PHONY: check
check: $(VENV)/.stamp-test $(VENV)/.stamp-project ## Check style, types, templates and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/djlint --lint templates
	$(BIN)/lint-imports

.PHONY: proof
proof: $(VENV)/.stamp-test $(VENV)/.stamp-project $(VENV)/.stamp-assets ## Run the tests with their full counts (slow)
	NRM_PROOF=1 $(PYTEST_ALL)

.PHONY: bench
bench: $(VENV)/.stamp-test $(VENV)/.stamp-project $(VENV)/.stamp-assets ## Measure, and print the tables
	$(PYTHON) -m bench

# Working -------------------------------------------------------------------------------------------

.PHONY: format
format: $(VENV)/.stamp-test ## Put the code into its usual form
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

.PHONY: docs
docs: $(VENV)/.stamp-project ## Draw the states, steps, grants and the map of files into docs/ again
	$(PYTHON) tools/draw_mechanism.py --write

.PHONY: assets
assets: $(VENV)/.stamp-python ## Build the style sheet again
	@rm -f $(VENV)/.stamp-assets
	@$(MAKE) $(VENV)/.stamp-assets

# The file names no address: whoever compiles or installs uses the index of their own machine.
.PHONY: requirements
requirements: $(VENV)/.stamp-python ## Pin the newest versions of the libraries
	@command -v uv >/dev/null || $(PIP) install uv
	@cd requirements && for name in app test node; do \
		uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-strip-extras \
			--no-emit-index-url --no-header $$name.in -o $$name.txt || exit 1; \
	done

.PHONY: clean
clean: ## Remove all that was installed or built, never data
	rm -rf $(VENV) node_modules static/build build dist *.egg-info tests/artefacts .coverage htmlcov
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Setting up ----------------------------------------------------------------------------------------

$(VENV)/.stamp-python:
	@echo "1/5 Making the virtual environment …"
	@PATH="$(OUTSIDE_PATH)"; python=$$(sh tools/find_python.sh) && "$$python" -m venv $(VENV)
	@touch $@

$(VENV)/.stamp-app: requirements/app.txt | $(VENV)/.stamp-python
	@echo "2/5 Installing the libraries …"
	@$(PIP) install --require-hashes -r requirements/app.txt
	@touch $@

$(VENV)/.stamp-project: pyproject.toml $(VENV)/.stamp-app
	@echo "3/5 Installing the program …"
	@$(PIP) install --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.stamp-assets: $(ASSET_SOURCES) $(VENV)/.stamp-node | $(VENV)/.stamp-python
	@echo "4/5 Building the style sheet …"
	@$(PYTHON) tools/build_assets.py
	@touch $@

$(VENV)/.stamp-node: requirements/node.txt | $(VENV)/.stamp-python
	@sh tools/has_node.sh || { \
		echo "    No Node 20.19 or newer with npm here: installing it into $(VENV) …"; \
		$(PIP) install --require-hashes -r requirements/node.txt; \
	}
	@touch $@

$(VENV)/.stamp-test: requirements/test.txt $(VENV)/.stamp-app
	@echo "5/5 Installing the test tools …"
	@$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@
