# The course from a fresh machine: Python 3.11 or newer, pip, make and git.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# One thread a process: two processes share two cores, and numbers repeat.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
WORKERS ?= 2
export JUPYTER_PLATFORM_DIRS = 1
# nbgrader runs alembic from PATH.
export PATH := $(abspath $(BIN)):$(PATH)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(INSTALLED): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		-c constraints.txt -e '.[grade,site,dev]'
	@touch $@

.PHONY: install
install: $(INSTALLED) ## make .venv with everything that the course, the grader and the tests need

.PHONY: notebooks
notebooks: install ## rebuild every notebook from its source
	$(BIN)/python -m autograder.lessons build

.PHONY: figures
figures: install ## draw the static pictures
	$(BIN)/python -m figures.static

.PHONY: lab
lab: notebooks ## open JupyterLab on the course
	$(BIN)/jupyter lab course

.PHONY: site
site: install ## build the web site, all lessons run and solved; make site STUDENT=1: without solutions
	$(ONE_THREAD) $(BIN)/python -m website $(if $(STUDENT),--student)

.PHONY: check-site
check-site: tools ## open every page of the built site in Chromium: console, hosts, axe
	$(ONE_THREAD) $(BIN)/python -m tests.browser.site_check build/site/$(if $(STUDENT),student,html)

.PHONY: hosts
hosts: notebooks tools ## look at every lesson in JupyterLab, both themes; make hosts LESSON=05: one
	$(ONE_THREAD) $(BIN)/python -m pytest -n 0 -v tests/browser/hosts.py $(if $(LESSON),-k $(LESSON))

.PHONY: demo
demo: notebooks ## let a small class submit lesson 05, grade it, write feedback and the class page
	$(ONE_THREAD) $(BIN)/python -m tests.demo_class

.PHONY: tools
tools: install
	$(BIN)/python -m tests.tools

.PHONY: lint
lint: install ## ruff: lint and format; mypy: types, strict where trust is
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: test
test: lint tools ## install what is needed and pass the tests
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --durations 15

.PHONY: pythons
pythons: install ## the check half's tests on every declared Python (an environment of 6 GB each)
	$(ONE_THREAD) $(BIN)/python -m tests.pythons

.PHONY: colab
colab: install ## every student's notebook in an imitation of Colab: its Python, its packages (6 GB)
	$(ONE_THREAD) $(BIN)/python -m tests.colab

.PHONY: banks
banks: install ## wrong accepted, right refused, misconception named, blind rewarded
	$(ONE_THREAD) $(BIN)/python -m tests.banks.bank
	$(ONE_THREAD) $(BIN)/python -m tests.banks.blind

.PHONY: banks-draws
banks-draws: install ## banked answers whose verdict depends on the draw, at 25 seeds (hours)
	$(ONE_THREAD) $(BIN)/python -m tests.banks.draws

.PHONY: mutants
mutants: install ## mechanical mutants of the trusted code against its tests (up to an hour)
	$(ONE_THREAD) $(BIN)/python -m tests.mutants.grader --keep

.PHONY: mutants-checks
mutants-checks: install ## mechanical mutants of every solution against its check
	$(ONE_THREAD) $(BIN)/python -m tests.mutants.checks

.PHONY: bench
bench: notebooks ## run every benchmark and write benchmarks/README.md
	$(BIN)/python -m benchmarks

.PHONY: gpu
gpu: install ## what needs a CUDA card: likelihoods, steps, samples, lessons, text; a sentence without one
	$(BIN)/python -m benchmarks.gpu

.PHONY: bench-widgets
bench-widgets: tools ## a key pressed until the picture is painted, for every widget, beside interact
	$(ONE_THREAD) $(BIN)/python -m benchmarks widgets

.PHONY: bench-attacks
bench-attacks: notebooks ## the attack bank against this grader and against plain nbgrader
	$(ONE_THREAD) $(BIN)/python -m tests.banks.attacks.bench

.PHONY: clean
clean: ## remove what make made, but not class/ (it holds marks)
	rm -rf build .pytest_cache .ruff_cache .mypy_cache .hypothesis $(VENV)
