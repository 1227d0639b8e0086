# Every target installs what it needs from the lock files first; each is safe to repeat.
SHELL := bash
PYTHON := $(shell for p in python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
RUNTIME_VENV := .venv-runtime
CLIENTS := .venv-clients
BIN := $(VENV)/bin
AZURITE := local/azurite/node_modules/.package-lock.json
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate

# uv is many times faster; pip is what a machine with a package mirror of its own is set up for.
install = $(BIN)/uv pip install --quiet --python $(1)/bin/python --no-deps --require-hashes -r $(2) 2>/dev/null \
	|| $(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(2)

.PHONY: install demo up bench bench-peers test test-clients mutants mutation soak package check audit lock clean

install: $(VENV)/.installed $(RUNTIME_VENV)/.installed $(AZURITE)

$(VENV)/.installed: local/locks/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Tagback needs Python 3.11 or 3.12 on the PATH; found neither." >&2; exit 1; }
	@echo "installing Python packages into $(VENV) ..."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r local/locks/uv.txt
	@$(call install,$(VENV),local/locks/dev.txt)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Microsoft's own worker library, to compare our functions host with. Its metadata asks for a newer Python than it needs.
$(RUNTIME_VENV)/.installed: local/locks/runtime.txt | $(VENV)/.installed
	@echo "installing azure-functions-runtime into $(RUNTIME_VENV) ..."
	@$(RUNTIME_VENV)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(RUNTIME_VENV)
	@$(RUNTIME_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --ignore-requires-python --no-deps --require-hashes -r local/locks/runtime.txt
	@touch $@

$(AZURITE): local/azurite/package-lock.json
	@command -v node >/dev/null 2>&1 || { echo "Tagback's local stack needs Node 20 or newer (for Azurite); 'node' is not on the PATH." >&2; exit 1; }
	@node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' || { echo "Tagback's local stack needs Node 20 or newer; found $$(node --version)." >&2; exit 1; }
	@echo "installing Azurite ..."
	@cd local/azurite && npm ci --silent --no-fund --no-audit

demo: install
	@$(BIN)/python -m local.demo

up: install
	@$(BIN)/python -m local.up

# Figures beside Azure's bounds, into local/.run/bench.json; FIGURES="imports drain_1k" measures only those.
bench: install
	@$(BIN)/python -m local.bench

# What an az loop and Cloud Custodian cost for the same work, into the same file.
bench-peers: install $(CLIENTS)/az/.installed $(CLIENTS)/custodian/.installed
	@FIGURES=peers $(BIN)/python -m local.bench

# What is deployed, the same bytes each time: dist/tagback.zip with its hash, bill of materials and licences, and what
# a cold start of it costs. EXTRAS=telemetry puts OpenTelemetry in.
package: install
	@$(BIN)/python -m local.package $(addprefix --extra ,$(EXTRAS))

check: install
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/bandit --quiet --recursive --configfile pyproject.toml shared function_app.py

# Whether a vulnerability is known of any version that the locks name: asks osv.dev. Fails as well where it could not ask
# about one of them; `make test` asks the same, and says so where nobody answers.
LOCKED := requirements.txt local/locks/telemetry.txt local/locks/dev.txt
OSV := https://api.osv.dev/v1/query

audit: install $(CLIENTS)/audit/.installed
	@$(CLIENTS)/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
		--vulnerability-service osv --osv-url $(OSV) $(addprefix -r ,$(LOCKED))

$(CLIENTS)/audit/.installed: local/locks/audit.txt | $(VENV)/.installed
	@echo "installing pip-audit into $(CLIENTS)/audit ..."
	@$(CLIENTS)/audit/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(CLIENTS)/audit
	@$(call install,$(CLIENTS)/audit,local/locks/audit.txt)
	@touch $@

test: check $(CLIENTS)/checkov/.installed $(CLIENTS)/audit/.installed
	@$(BIN)/python -m pytest -n auto --dist worksteal

# az, Cloud Custodian and checkov pin different versions of the same packages: an environment each.
$(CLIENTS)/%/.installed: local/locks/clients-%.txt | $(VENV)/.installed
	@echo "installing $* into $(CLIENTS)/$* ..."
	@$(CLIENTS)/$*/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(CLIENTS)/$*
	@$(call install,$(CLIENTS)/$*,local/locks/clients-$*.txt)
	@touch $@

# They mostly wait: four at once.
test-clients: install $(CLIENTS)/az/.installed $(CLIENTS)/custodian/.installed
	@$(BIN)/python -m pytest tests/clients -n 4 --dist load --maxschedchunk 1

# Planted bugs: each patch in tests/mutants must turn a test red that it names.
mutants: install
	@$(BIN)/python -m tests.mutants

# What `make test` samples, at full count; SHARE=0.01 for a hundredth of it.
soak: install
	@$(BIN)/python -m tests.soak --share $(or $(SHARE),1) --write

# Small changes planted in shared/decide, each to be noticed by a test; MODULES="naming tags" judges only those,
# MOST=20 so many of each module.
mutation: install $(VENV)/.mutation
	@$(BIN)/python -m tests.mutation $(MODULES) $(if $(MOST),--most=$(MOST))

# Branches of shared/decide that no example reaches; what hypothesis draws does not count. Fails below 100 %.
DECISIONS := tests/decide tests/flows tests/cli tests/test_settings.py
ZONES_AND_DAYS := $(addprefix --deselect=tests/decide/,test_schedule_zones.py test_steady_days.py)

coverage: install
	@$(BIN)/coverage run --branch --source=shared/decide -m pytest -q -p no:xdist -m "not hypothesis" $(ZONES_AND_DAYS) $(DECISIONS)
	@$(BIN)/coverage report --fail-under=100

$(VENV)/.mutation: local/locks/mutation.txt $(VENV)/.installed
	@echo "installing mutmut into $(VENV) ..."
	@$(call install,$(VENV),local/locks/mutation.txt)
	@touch $@

# Resolve the direct dependencies of pyproject.toml anew and pin them with hashes.
lock: $(VENV)/.installed
	echo uv | $(UV_COMPILE) - -c local/locks/dev.txt -o local/locks/uv.txt
	$(UV_COMPILE) pyproject.toml -o requirements.txt
	$(UV_COMPILE) pyproject.toml --extra telemetry -c requirements.txt -o local/locks/telemetry.txt
	$(UV_COMPILE) pyproject.toml --extra cli --extra telemetry --group dev -c requirements.txt -c local/locks/telemetry.txt -o local/locks/dev.txt
	echo mutmut | $(UV_COMPILE) - -c local/locks/dev.txt -o local/locks/mutation.txt
	echo pip-audit | $(UV_COMPILE) - -c local/locks/dev.txt -o local/locks/audit.txt
	echo azure-cli | $(UV_COMPILE) - -o local/locks/clients-az.txt
	echo checkov | $(UV_COMPILE) - -o local/locks/clients-checkov.txt
	printf 'c7n\nc7n-azure\n' | $(UV_COMPILE) - -o local/locks/clients-custodian.txt

clean:
	rm -rf $(VENV) $(RUNTIME_VENV) $(CLIENTS) local/azurite/node_modules local/.run dist
