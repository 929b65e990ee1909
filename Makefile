# `make demo` and `make test` set up all they need in .venv; nothing else is typed first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
NPM := tests/conformance/npm
NPM_STAMP := $(NPM)/node_modules/.package-lock.json

# What the linters of pipelines read, as far as it is there
WORKFLOWS := $(wildcard .github/workflows/*.yml examples/github/*.yml)
ACTIONS := $(wildcard action.yml */action.yml)
AZURE_PIPELINES := $(wildcard azure-pipelines/*.yml)
DEPENDABOT := $(wildcard .github/dependabot.yml)

.PHONY: demo test pipeline-test lint lint-pipeline format fuzz bench lock clean

$(STAMP): pyproject.toml requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "confmig needs Python 3.11 or later: make PYTHON=…")'
	@# Debian ships Python without ensurepip; the package python3-venv brings it.
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(MAKE) --no-print-directory ensurepip
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/pip check
	touch $(STAMP)

.PHONY: ensurepip
ensurepip:
	@command -v apt-get > /dev/null || { echo "This Python has no ensurepip: install it, then run make again." >&2; exit 1; }
	@if [ "$$(id -u)" = 0 ]; then as_root=; else as_root=sudo; fi; \
		$$as_root apt-get update -qq && $$as_root apt-get install -y -qq --no-install-recommends python3-venv

demo: $(STAMP) # The main job, from the sandbox to production, on two emulators
	$(BIN)/python demo/demo.py

$(NPM_STAMP): $(NPM)/package.json $(NPM)/package-lock.json
	@command -v npm > /dev/null && command -v node > /dev/null || $(MAKE) --no-print-directory node
	@node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' || { echo "The npm client needs Node 18 or later." >&2; exit 1; }
	npm --prefix $(NPM) ci --silent --no-audit --no-fund
	touch $(NPM_STAMP)

.PHONY: node
node:
	@command -v apt-get > /dev/null || { echo "Install Node 18 or later with npm, then run make again." >&2; exit 1; }
	@if [ "$$(id -u)" = 0 ]; then as_root=; else as_root=sudo; fi; \
		$$as_root apt-get update -qq && $$as_root apt-get install -y -qq --no-install-recommends nodejs npm

test: $(STAMP) $(NPM_STAMP) # All tests; those over real packages need CONFMIG_CORPUS (default ../shared/corpus)
	$(BIN)/pytest

pipeline-test: $(STAMP) # The image, the actions and the workflows, run for real in a Docker engine of their own
	@PATH="$$PATH:/usr/sbin"; for program in dockerd iptables mmdebstrap git; do \
		command -v $$program > /dev/null || exec $(MAKE) --no-print-directory engine; \
	done
	$(BIN)/pytest tests/pipeline -n 0 --timeout=900

.PHONY: engine
engine:
	@command -v apt-get > /dev/null || { echo "Install dockerd, iptables, mmdebstrap and git, then run make again." >&2; exit 1; }
	@if [ "$$(id -u)" = 0 ]; then as_root=; else as_root=sudo; fi; \
		$$as_root apt-get update -qq && $$as_root apt-get install -y -qq --no-install-recommends \
			docker.io iptables mmdebstrap git

lint: $(STAMP) lint-pipeline # Format, rules, types, layers, the lock files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@! grep -nE '://|^ *-(-index|-extra-index|-find-links|-trusted|i |f )' requirements.txt requirements-dev.txt requirements-fuzz.txt $(NPM)/package-lock.json

lint-pipeline: $(STAMP) # The image, the actions, the workflows and the Azure Pipelines templates
	$(BIN)/hadolint Dockerfile
	$(if $(WORKFLOWS)$(ACTIONS),$(BIN)/zizmor --offline --no-progress --config .github/zizmor.yml $(WORKFLOWS) $(ACTIONS))
	$(if $(WORKFLOWS),$(BIN)/actionlint -shellcheck= -pyflakes= $(WORKFLOWS))
	$(if $(WORKFLOWS),$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS))
	$(if $(WORKFLOWS),$(BIN)/check-jsonschema --builtin-schema custom.github-workflows-require-timeout $(WORKFLOWS))
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions $(ACTIONS) tests/pipeline/actions/*/action.yml
	$(if $(DEPENDABOT),$(BIN)/check-jsonschema --builtin-schema vendor.dependabot $(DEPENDABOT))
	$(if $(AZURE_PIPELINES),$(BIN)/check-jsonschema --builtin-schema vendor.azure-pipelines --regex-variant nonunicode \
		--data-transform azure-pipelines $(AZURE_PIPELINES))

format: $(STAMP) # Format the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

FUZZ_RUNS ?= 200000

$(VENV)/.fuzz: $(STAMP) requirements-fuzz.txt
	@$(BIN)/python -c 'import sys; sys.exit(0 if sys.version_info < (3, 14) else "atheris needs Python 3.11 to 3.13: make fuzz PYTHON=…")'
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-fuzz.txt
	touch $@

fuzz: $(VENV)/.fuzz # Bytes that nobody thought of, for the readers of zips, schemas and rows; FUZZ_RUNS=200000 of each
	@for target in zip schema data; do $(BIN)/python -m tests.fuzz $$target $(FUZZ_RUNS) || exit 1; done

bench: $(STAMP) # Figures for the machine at hand
	$(BIN)/python benchmarks/emulator.py
	$(BIN)/python benchmarks/import_package.py
	$(BIN)/python benchmarks/packages.py

lock: # Lock the requirements again, with hashes and without host names; needs uv
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --extra emulator pyproject.toml -o requirements.txt > /dev/null
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --extra emulator --group dev pyproject.toml -o requirements-dev.txt > /dev/null
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group pyproject.toml:fuzz -o requirements-fuzz.txt > /dev/null

clean:
	rm -rf $(VENV) $(NPM)/node_modules .pipeline .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
