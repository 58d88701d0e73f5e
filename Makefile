# make setup        set up .venv; DEV= leaves the tools of the tests out
# make bench        set up .venv, run the default suite on what this machine has, write record and report
# make test         set up .venv and run the tests (minutes; no GPU, no network)
# make test-slow    the rest: runs on emulated cards, full size, real browser (apt-get install -y chromium),
#                   transformers 4.57.1 (needs about 16 GB of memory)
# make test-light   the installation without torch: its size, its commands (.venv-light); those of the Containerfile
# make fuzz         any options and any files, thousands (FUZZ_SEED= for others each time); make test has some hundred
# make test-servers the receiver on a real PostgreSQL (tools/install-postgresql), its pages in Chromium
# make load         10,000 submissions by 50 clients to a receiver that is killed twice, on SQLite and PostgreSQL
# make test-gpu     what only a real NVIDIA card can show; nothing is downloaded
# make benchmarks   what the harness itself costs, measured in alternation
# make lint types   ruff, the workflow checks, mypy
# make generated    the JSON Schemas, the tables in docs/ that are made from the code, and the hostile records of
#                   the tests
# make plots        build the script that draws a page's plots again, from npm's Vega and Vega-Lite (needs node)
# make predictions  trace what the shipped table of predictions lacks, in two processes (hours; goes on after a break)
# make derived      predict seven cards on Linux and Windows again: records, reports, tables of the docs (minutes)
# make picture      the picture of the README, from the page of a card in a headless Chromium
#
# TORCH=cpu (default) | cu130 | cu128   version and index of torch together, such as: make bench TORCH=cu130;
#                                       it stays chosen
# ARGS=...                              options for bench run, such as: make bench ARGS='--gpu rtx-4070'

ARGS ?=
PYTHON ?= python3
VENV ?= .venv
# What was chosen last stays chosen.
TORCH ?= $(or $(shell cat $(VENV)/.torch 2>/dev/null),cpu)
BIN = $(VENV)/bin
# Tests start hundreds of processes: each would compile bench again.
export PYTHONDONTWRITEBYTECODE =

# The local part matters: 2.13.0 alone is satisfied by whichever build is there already.
torch_pin_cpu   = torch==2.13.0
torch_pin_cu130 = torch==2.13.0+cu130
torch_pin_cu128 = torch==2.9.1+cu128
torch_pin = $(or $(torch_pin_$(TORCH)),$(error TORCH=$(TORCH) is unknown: use cpu, cu130 or cu128))
torch_index = https://download.pytorch.org/whl/$(TORCH)

# The set-up is done again when one of these changes, or another TORCH is asked for.
STAMP = $(VENV)/.installed-$(TORCH)
PIP = -m pip install --quiet --disable-pip-version-check

# The official stack; everything else as in constraints.txt. huggingface-hub follows from it.
# DEV= leaves the tools of the tests out.
DEV = --group dev

COMPAT_VENV = .venv-compat
COMPAT_STAMP = $(COMPAT_VENV)/.installed
COMPAT_PINS = torch==2.13.0 transformers==4.57.1

LIGHT_VENV = .venv-light

# What plots are built from and the accessibility engine, as pinned.
PLOTS_STAMP = tools/plots/node_modules/.installed

.PHONY: help setup bench predictions derived picture test test-slow test-emulated test-full-size test-browser test-compat test-light test-servers test-gpu fuzz load benchmarks lint types generated plots clean
help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	sed 's/^torch==.*/$(torch_pin)/' constraints.txt > $(VENV)/constraints.txt
	$(BIN)/python $(PIP) --upgrade 'pip>=25.1'
	$(BIN)/python $(PIP) --constraint $(VENV)/constraints.txt --retries 1 --extra-index-url $(torch_index) torch
	$(BIN)/python $(PIP) --constraint $(VENV)/constraints.txt --editable '.[run,site,serve]' $(DEV)
	rm -f $(VENV)/.installed-* && touch $@ && echo $(TORCH) > $(VENV)/.torch

$(COMPAT_STAMP): pyproject.toml
	test -x $(COMPAT_VENV)/bin/python || $(PYTHON) -m venv $(COMPAT_VENV)
	$(COMPAT_VENV)/bin/python $(PIP) --upgrade 'pip>=25.1'
	$(COMPAT_VENV)/bin/python $(PIP) --retries 1 --extra-index-url https://download.pytorch.org/whl/cpu torch==2.13.0
	$(COMPAT_VENV)/bin/python $(PIP) $(COMPAT_PINS) --editable '.[run]' pytest pytest-benchmark pytest-timeout hypothesis
	touch $@

$(PLOTS_STAMP): tools/plots/package.json tools/plots/package-lock.json
	npm ci --no-audit --no-fund --prefix tools/plots
	touch $@

setup: $(STAMP)

bench: $(STAMP)
	@$(BIN)/bench run $(ARGS)

predictions: $(STAMP)
	$(BIN)/python -m tools.predictions

derived: $(STAMP)
	$(BIN)/python -m tools.derived
	$(BIN)/bench report results --format json,md
	$(BIN)/python -m tools.generated

picture: $(STAMP)
	command -v chromium >/dev/null || tools/install-chromium
	$(BIN)/python -m tools.picture

test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 -m 'not full_size and not browser and not gpu and not emulated and not light and not servers'

test-slow: test-emulated test-full-size test-browser test-compat test-servers

test-emulated: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 -m emulated

test-full-size: $(STAMP)
	$(BIN)/python -m pytest -m full_size --timeout 1200

test-browser: $(STAMP) $(PLOTS_STAMP)
	command -v chromium >/dev/null || tools/install-chromium
	$(BIN)/python -m pytest -m browser

# Not part of test-slow: it needs a card, and skips everything without one.
test-gpu: $(STAMP)
	$(BIN)/python -m pytest tests/gpu -m gpu -rs

test-servers: $(STAMP)
	command -v chromium >/dev/null || tools/install-chromium
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || tools/install-postgresql
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/receiver tests/cli -n auto --maxprocesses 4 -m servers

# Before 1.0 huggingface_hub is built on requests: other errors, other variables, another transfer.
COMPAT_HUB = $(addprefix tests/weights/test_hub_,errors.py settings.py fallback.py) tests/submit/test_dataset.py
test-compat: $(COMPAT_STAMP)
	$(COMPAT_VENV)/bin/python -m pytest tests/moss_audio tests/engines tests/arithmetic tests/predict $(COMPAT_HUB) -m 'not full_size and not gpu'

# pip installs a folder anew each time, so that the code is that of now.
test-light: $(STAMP)
	test -x $(LIGHT_VENV)/bin/python || $(PYTHON) -m venv $(LIGHT_VENV)
	$(LIGHT_VENV)/bin/python $(PIP) --upgrade 'pip>=25.1'
	$(LIGHT_VENV)/bin/python $(PIP) --constraint constraints.txt .
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/test_light.py tests/test_container.py -n auto --maxprocesses 4 -m light

# FUZZ_SEED= another one, or none: other inputs each time.
FUZZ_EXAMPLES = 250
FUZZ_SEED = 1
fuzz: $(STAMP)
	FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/fuzz -n auto --maxprocesses 4 --timeout 1200 $(FUZZ_SEED:%=--hypothesis-seed=%)

load: $(STAMP)
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || tools/install-postgresql
	LOAD_SUBMISSIONS=10000 $(BIN)/python -m pytest tests/receiver/test_load.py -m servers -s

benchmarks: $(STAMP)
	$(BIN)/python -m pytest tests/benchmarks --benchmark-enable --benchmark-only --timeout 3600 -s

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml
	$(BIN)/zizmor --quiet --offline --persona pedantic .github action.yml

types: $(STAMP)
	$(BIN)/mypy

plots: $(PLOTS_STAMP)
	node tools/plots/build.mjs

generated: $(STAMP)
	$(BIN)/python -m tools.generated
	$(BIN)/python -m tools.hostile

clean:
	rm -rf $(VENV) $(COMPAT_VENV) $(LIGHT_VENV) build dist tools/plots/node_modules
