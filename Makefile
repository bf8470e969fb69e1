# Needs Python >= 3.10, pip and make; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed
# The demo needs no tools, so it installs the example alone, unless all is installed already.
EXAMPLE := $(or $(wildcard $(STAMP)),$(VENV)/.example)
# PyPI's PyTorch for Linux brings CUDA; make peers CPU_TORCH= takes it all the same.
CPU_TORCH := --extra-index-url https://download.pytorch.org/whl/cpu
WITHOUT_DEPENDENCIES := xplique==2.0.2 grad-cam==1.5.7 quantus==0.6.0
SPHINX := $(VENV)/bin/python -m sphinx --quiet --fail-on-warning --nitpicky

.DEFAULT_GOAL := help
.PHONY: help test demo proofs fast format oldest peers hooks readme docs links clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: $(STAMP)  ## Run every check, as continuous integration does
	@scripts/check

demo: $(EXAMPLE)  ## Draw scenes, train on them, explain, serve, and report: 4 min 28 s on two cores
	@$(VENV)/bin/python -m scene_classification run --run runs/demo

proofs: $(STAMP)  ## Run the tests over their whole matrices, and those that take long
	@$(VENV)/bin/python -m pytest -q -n 2 --dist loadfile --proofs tests

fast: $(STAMP)  ## Run only the checks that need no TensorFlow: format, lint, types, arrows
	@scripts/check fast

format: $(STAMP)  ## Format the code and mend what the linter can mend
	@$(VENV)/bin/ruff check --fix --exit-zero
	@$(VENV)/bin/ruff format

oldest:  ## Run the library's tests with the oldest TensorFlow and Keras, in build/oldest
	@PYTHON=$(or $(filter-out python3,$(PYTHON)),python3.10) scripts/check_oldest

peers:  ## Compare with the other libraries, in build/peers, and write docs/benchmarks.md
	@test -x build/peers/bin/pip || $(PYTHON) -m venv build/peers
	@build/peers/bin/python -m pip install --quiet --disable-pip-version-check $(CPU_TORCH) --editable '.[bench]'
	@build/peers/bin/python -m pip install --quiet --disable-pip-version-check --no-deps $(WITHOUT_DEPENDENCIES)
	@build/peers/bin/python -m benchmarks.peers --write docs/benchmarks.md

hooks: $(STAMP)  ## Have git run `make fast` before every commit
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check 'pre-commit>=4'
	@$(VENV)/bin/pre-commit install

readme: $(STAMP)  ## Write the README's table of methods, links and picture again
	@$(VENV)/bin/python scripts/readme_methods.py --write
	@$(VENV)/bin/python scripts/project_urls.py --write
	@$(VENV)/bin/python scripts/readme_picture.py

docs: $(STAMP)  ## Build the documentation, without a network, and say where it is
	@$(SPHINX) -b html docs docs/_build/html
	@echo "file://$(CURDIR)/docs/_build/html/index.html"

links: $(STAMP)  ## Follow the documentation's links to other sites: needs the network
	@$(SPHINX) -b linkcheck -D nb_execution_mode=off docs docs/_build/links

clean:  ## Remove the virtual environment, caches and build outputs
	rm -rf $(VENV) build dist docs/_build docs/_generated docs/api .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src examples tests scripts docs -name __pycache__ -type d -prune -exec rm -rf {} +

# Installed once, and again only when pyproject.toml changes; pip tells what it downloads. Where a
# system Python comes without ensurepip (Debian's does), its own pip installs pip into the environment.
$(STAMP): EXTRA := dev
$(VENV)/.example: EXTRA := examples
$(STAMP) $(VENV)/.example: pyproject.toml
	@test -x $(VENV)/bin/pip \
	  || $(PYTHON) -m venv $(VENV) >/dev/null \
	  || { $(PYTHON) -m venv --without-pip $(VENV) \
	       && $(PYTHON) -m pip --python $(VENV)/bin/python install --quiet pip; }
	@echo "== install into $(VENV); TensorFlow makes it large"
	@$(VENV)/bin/python -m pip install --disable-pip-version-check --editable '.[$(EXTRA)]'
	@touch $@
