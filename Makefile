# `make help` lists what there is. Each target builds the virtual environment that it
# needs, from requirements-dev.lock, and again when the lock or pyproject.toml changes.

# The lock is for Python 3.11; any later one may do: `make test PYTHON=python3.13`.
PYTHON ?= $(or $(shell command -v python3.11 || command -v python3),python3)
VENV ?= .venv
ARGS ?=

# Environments and caches of the person who calls make must not decide what is tested,
# nor that each process that a test starts compiles all modules again.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV PYTHONDONTWRITEBYTECODE

bin := $(VENV)/bin
ready := $(VENV)/.ready
site := $(VENV)-docs/.ready
frameworks := $(VENV)-frameworks
fpip := $(frameworks)/bin/python -m pip --quiet --disable-pip-version-check
pip := $(bin)/python -m pip --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run test lint types tests mutants stress fuzz platforms pictures docs \
    format bench lock clean test-frameworks

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

run: $(ready) ## start gradstep; ARGS="play xor" passes arguments on
	@$(bin)/gradstep $(ARGS)

test: lint types tests ## lint, format, types and tests: what has to pass

lint: $(ready)
	$(bin)/ruff check .
	$(bin)/ruff format --check .

types: $(ready)
	$(bin)/pyright --pythonpath $(bin)/python

tests: $(ready) ## the tests alone; ARGS="-k xor" passes arguments on
	$(bin)/pytest -q --numprocesses=auto --maxprocesses=4 --dist=worksteal $(ARGS)

# torch is no dependency: these tests have an environment of their own. A build for
# graphics cards is too large to be fetched for them.
test-frameworks: $(ready) ## run the tests that need PyTorch
	@test -e $(frameworks)/bin/python || $(PYTHON) -m venv $(frameworks)
	@$(fpip) install --requirement requirements-dev.lock
	@$(fpip) install --no-deps --no-build-isolation --editable .
	@if $(fpip) install torch==2.13.0+cpu 2> $(frameworks)/why; then \
	    $(frameworks)/bin/python -m pytest -q tests/frameworks $(ARGS); \
	else tail -n 1 $(frameworks)/why; echo "no CPU build of torch here: not run"; fi

mutants: $(ready) ## change the code a little: do tests notice? ARGS="--all why"
	@$(bin)/python tests/mutants.py $(ARGS)

stress: $(ready) ## run all tests on a busy machine, those with a clock ten times
	@$(bin)/python tests/stress.py $(ARGS)

fuzz: $(ready) ## change texts at random for ten minutes: do the readers bear them?
	@$(bin)/python tests/fuzz.py $(ARGS)

platforms: $(ready) ## run the tests on each Python, with lowest and highest versions
	@$(bin)/python tests/platforms.py $(ARGS)

docs: $(ready) $(site) ## build the documentation into build/site
	@$(bin)/python tests/reference.py
	@NO_MKDOCS_2_WARNING=1 $(VENV)-docs/bin/mkdocs build --quiet --clean

pictures: $(ready) ## make the pictures of README and docs anew
	@$(bin)/python tests/pictures.py

format: $(ready) ## put the code in form
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

# Products on several threads wait for whatever else the machine does.
bench: $(ready) ## print how fast gradstep is beside its peers
	OPENBLAS_NUM_THREADS=1 $(bin)/python benchmarks/bench.py $(ARGS)

# $(call locked,GROUP,WHAT ELSE TO INSTALL,FLAGS OF FREEZE). The pip that comes with
# Python 3.11 cannot read dependency groups yet.
define locked
	$(PYTHON) -m venv --clear build/lock
	build/lock/bin/pip install --quiet --upgrade pip
	build/lock/bin/pip install --quiet --group $(1) $(2)
	echo '# Exact versions for development: edit pyproject.toml, then `make lock`.' \
	    > build/lock.txt
	build/lock/bin/pip freeze $(3) --exclude pip --exclude gradstep >> build/lock.txt
	mv build/lock.txt requirements-$(1).lock
endef

lock: ## write the locks anew, with the latest versions allowed
	$(call locked,dev,.,--all)
	$(call locked,docs)
	rm -rf build

clean: ## remove what the targets above have made
	rm -rf $(VENV) $(VENV)-docs $(frameworks) build dist gradstep.egg-info .hypothesis .pytest_cache .ruff_cache
	find core tui scenarios tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

$(ready): pyproject.toml requirements-dev.lock
	$(PYTHON) -m venv $(VENV)
	$(pip) install --requirement requirements-dev.lock
	$(pip) install --no-deps --no-build-isolation --editable .
	@touch $@

$(site): requirements-docs.lock
	$(PYTHON) -m venv $(VENV)-docs
	$(VENV)-docs/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@
