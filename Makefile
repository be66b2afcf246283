# Everything there is to do here, one command each. `make` lists them.

PYTHON ?= python3
TESTS ?=
# A worker waits for a browser, a database or a server a third of its time, and takes ten seconds of a core to begin:
# three workers keep two cores busy.
JOBS ?= $(shell echo $$(( ($$(nproc 2>/dev/null || echo 2) * 3 + 1) / 2 )))
FULL ?=
KILLS ?= 50
BENCHMARKS ?= rendering signing importing planning delivery leaving memory auditing

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

# Packages go into .venv and nowhere else, whatever the caller has activated or configured.
unexport VIRTUAL_ENV CONDA_PREFIX PYTHONHOME PYTHONPATH UV_SYSTEM_PYTHON UV_TARGET UV_PREFIX
# Everything starts the program many times: what Python has compiled is kept, whatever the caller's environment says.
unexport PYTHONDONTWRITEBYTECODE
export PIP_USER := 0
export PIP_REQUIRE_VIRTUALENV := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
export UV_PYTHON_DOWNLOADS := never

# uv trusts what the system trusts, where the system says what that is: some networks have a certificate of their own.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS ?= 1
endif

# A home that is missing or cannot be written to has no room for a cache of wheels: it is kept here then.
ifneq ($(shell test -d "$$HOME" && test -w "$$HOME" && echo yes),yes)
export UV_CACHE_DIR ?= $(CURDIR)/.tool/cache
endif

SET_UP := .tool/.ready
RUN_TIME := .venv/.run-time
EVERYTHING := .venv/.everything
CHROMIUM := $(shell command -v chromium 2>/dev/null)
DOVECOT := $(shell PATH="$$PATH:/usr/sbin" command -v dovecot 2>/dev/null)

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: $(RUN_TIME) ## Send two campaigns of an invented studio to servers on this machine, and audit them
	@.venv/bin/dispatcher demo

.PHONY: test
test: $(EVERYTHING) ## Run every test (TESTS="tests/rules -k budget" runs some)
	@.venv/bin/pytest -q -n $(JOBS) --maxprocesses 8 --dist worksteal --ignore=tests/arrive $(TESTS)
ifeq ($(CHROMIUM),)
	@echo "The browser tests were skipped: there is no Chromium here. To run them too: make browser"
endif
ifeq ($(DOVECOT),)
	@echo "The tests of the inbox by IMAP were skipped: there is no Dovecot here. To run them too: make imap"
endif

.PHONY: faults
faults: $(EVERYTHING) ## Kill a sender fifty times on each database, and hold it through every other fault (KILLS=500: more)
	@.venv/bin/pytest -q -n $(JOBS) --maxprocesses 8 --dist worksteal --kills=$(KILLS) tests/faults $(TESTS)

.PHONY: check
check: $(EVERYTHING) ## Check format, lint, types and the import contract; changes nothing
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

.PHONY: format
format: $(EVERYTHING) ## Format the code and mend what ruff can mend
	@.venv/bin/ruff check --fix-only .
	@.venv/bin/ruff format .

.PHONY: bench
bench: $(EVERYTHING) ## Measure speed and memory in a few minutes (FULL=--full: long)
	@for name in $(BENCHMARKS); do \
		echo "== $$name"; .venv/bin/python -m benchmarks.$$name $(FULL) || exit 1; \
	done

# Installs packages of Debian's, as root or by sudo: $(call from-debian,WHAT,PACKAGES).
define from-debian
command -v apt-get >/dev/null || { echo "There is no apt-get here: install $(1) your system's way."; exit 1; }; \
	if [ "$$(id -u)" = 0 ]; then as_root=; \
	elif command -v sudo >/dev/null; then as_root=sudo; \
	else echo "Installing $(1) takes root and there is no sudo: run \`make $@\` as root."; exit 1; fi; \
	$$as_root apt-get update -q && \
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $(2)
endef

.PHONY: browser
browser: ## Install Debian's Chromium, which the browser tests drive
	@if command -v chromium >/dev/null; then echo "Chromium is here: $$(command -v chromium)"; exit 0; fi; \
	$(call from-debian,Chromium (so that \`chromium\` is on the PATH),chromium fonts-dejavu-core)

.PHONY: words
words: ## Install Debian's Voikko, which knows the words of Finnish
	@if ls /usr/lib/*/libvoikko.so.1 /usr/lib/voikko/*/mor-standard >/dev/null 2>&1; then echo "Voikko is here."; exit 0; fi; \
	$(call from-debian,Voikko,libvoikko1 voikko-fi)

.PHONY: imap
imap: ## Install Debian's Dovecot, whose inbox the tests read (root)
	@tests/arrive/install dovecot

.PHONY: arrive
arrive: $(EVERYTHING) ## Send mail through Postfix, OpenDKIM and SpamAssassin, installed for it from Debian (root)
	@tests/arrive/install
	@.venv/bin/pytest -q tests/arrive

.PHONY: lock
lock: $(SET_UP) ## Renew both locks from pyproject.toml (UPGRADE=--upgrade takes the newest versions)
	@test -x .tool/bin/uv || { echo "Locking takes uv, which could not be installed: run \`make clean\`, then \`make lock\` with a network."; exit 1; }
	@.tool/bin/uv pip compile pyproject.toml --group build --generate-hashes --universal -q -o requirements.lock $(UPGRADE)
	@.tool/bin/uv pip compile pyproject.toml --group dev --extra postgres --extra pdf --generate-hashes --universal -q -o requirements-dev.lock $(UPGRADE)
	@if grep -nE '://|^-|@ |(^| )[./~][^ ]*/' requirements.lock requirements-dev.lock; then \
		echo "A lock names a URL or a path (above): it holds only on the machine that made it."; exit 1; \
	fi

.PHONY: wheel
wheel: $(EVERYTHING) ## Build the wheel into dist/
	@.venv/bin/python -m hatchling build -t wheel -d dist

.PHONY: clean
clean: ## Remove what these commands made: environments, caches, dist/, demo-output/
	@rm -rf .venv .tool dist demo-output .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	@find dispatcher tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# uv installs a lock in seconds; where it cannot be had, pip installs the same lock.
$(SET_UP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is not. Name another one: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make environments: run \`apt-get install python3-venv\` as root, then try again."; exit 1; }
	@echo "Setting up (once): an environment in .venv, its installer in .tool"
	@$(PYTHON) -m venv --clear .tool
	@.tool/bin/python -m pip install -q --no-cache-dir uv || echo "uv could not be installed: pip takes its place."
	@touch $@

# Makes .venv hold exactly what $$lock names, and the project linked in, so that edits count at once.
define install
test -x .venv/bin/python || $(PYTHON) -m venv --clear --without-pip .venv || exit 1; \
	if test -x .tool/bin/uv && .tool/bin/uv pip sync -q --python .venv/bin/python --require-hashes $$lock; then \
		.tool/bin/uv pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e . ; \
	else \
		echo "Installing $$lock with pip, which takes a minute or two."; \
		.tool/bin/python -m pip --python .venv/bin/python install -q --require-hashes -r $$lock && \
		.tool/bin/python -m pip --python .venv/bin/python install -q --no-deps --no-build-isolation -e . ; \
	fi
endef

# Where everything is installed already it is brought up to date whole: the demo takes nothing away from the tests.
$(RUN_TIME): requirements.lock pyproject.toml $(SET_UP)
	@lock=requirements.lock; test ! -e $(EVERYTHING) || lock=requirements-dev.lock; $(install)
	@test ! -e $(EVERYTHING) || touch $(EVERYTHING)
	@touch $@

$(EVERYTHING): requirements-dev.lock requirements.lock pyproject.toml $(SET_UP)
	@lock=requirements-dev.lock; $(install)
	@touch $@ $(RUN_TIME)
