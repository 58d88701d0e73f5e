# make bench   set up .venv, run the default suite on what this machine has, write record and report
# make test    set up .venv and run the tests
# TORCH=cpu (default) | cu130 | cu128   version and index of torch together

TORCH ?= cpu
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

torch_pin_cpu   = torch==2.13.0
torch_pin_cu130 = torch==2.13.0
torch_pin_cu128 = torch==2.9.1
torch_pin = $(or $(torch_pin_$(TORCH)),$(error TORCH=$(TORCH) is unknown: use cpu, cu130 or cu128))
torch_index = https://download.pytorch.org/whl/$(TORCH)

STAMP = $(VENV)/.installed-$(TORCH)
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(VENV)/constraints.txt

.PHONY: bench test lint types help clean
help:
	@sed -n 's/^# //p' Makefile

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	sed 's/^torch==.*/$(torch_pin)/' constraints.txt > $(VENV)/constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(PIP) --retries 1 --extra-index-url $(torch_index) torch
	$(PIP) --editable . --group dev
	rm -f $(VENV)/.installed-* && touch $@

bench: $(STAMP)
	@$(BIN)/bench run

test: $(STAMP)
	$(BIN)/python -m pytest -m 'not full_size and not browser and not gpu'

lint: $(STAMP)
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

clean:
	rm -rf $(VENV) .venv-compat build dist
