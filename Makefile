# The two commands are `make serve` and `make test`. Each does all its own set-up.

HOST ?= 127.0.0.1
PORT ?= 8000
JOBS ?= 2
VENV := .venv
BIN  := $(VENV)/bin
# The first Python that is new enough; PYTHON=... overrides it.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	&& echo $$p && break; done)

.PHONY: help serve test check format lint types build browser lighthouse clean
.DEFAULT_GOAL := help

help:
	@echo 'make serve [HOST=127.0.0.1] [PORT=8000]   set up, check, build, serve'
	@echo 'make test                                 set up, run the whole suite'
	@echo 'make check | format | build               judge | rewrite | release the graph'
	@echo 'make lint | types                         judge the code'
	@echo 'make lighthouse                           what Lighthouse says of every screen (needs npx)'
	@echo 'make clean                                remove what the others made'

# A new file means a finished installation; a half-made one is made again.
$(VENV)/installed: pyproject.toml hatch_build.py
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer is needed (PYTHON=/path/to/python3)'; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo 'this Python cannot make virtual environments: on Debian, apt-get install python3-venv'; exit 2; }
	@echo 'installing into $(VENV) ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

serve: $(VENV)/installed
	@exec $(BIN)/neuromodkg serve --host '$(HOST)' --port '$(PORT)'

test: $(VENV)/installed browser
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

# The browser tests take any Chromium on the machine, else the one that Playwright can fetch; where
# there is neither, they are skipped and say so.
browser: $(VENV)/installed
	@command -v chromium chromium-browser google-chrome >/dev/null \
		|| $(BIN)/playwright install chromium >/dev/null 2>&1 \
		|| echo 'no Chromium found and none to be had: the browser tests will be skipped'

check: $(VENV)/installed
	@$(BIN)/neuromodkg check

format: $(VENV)/installed
	@$(BIN)/neuromodkg format
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

build: $(VENV)/installed
	@$(BIN)/neuromodkg build

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed
	$(BIN)/mypy

# Not part of `make test`: it takes half an hour and fetches Lighthouse from npm. SCREENS='home map'
# looks at these alone, DEVICE=--desktop at a desk alone.
lighthouse: $(VENV)/installed
	@$(BIN)/python benchmarks/lighthouse.py $(DEVICE) $(SCREENS)

clean:
	rm -rf $(VENV) releases build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
