# portgauge: `make help` lists what there is. Each target does its own set-up.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
DIST_PACKAGES := debhelper dh-python dpkg-dev
PACKAGES := haproxy nginx-light postgresql sqlite3 iproute2 util-linux python3-venv prometheus systemd prometheus-alertmanager debootstrap lintian chromium \
	zsh fish man-db icinga2-bin openssh-server $(DIST_PACKAGES)
KERNELS ?= 6.1 6.12
KERNEL_PACKAGES := qemu-system-x86 busybox-static cpio kmod xz-utils
LISTEN ?= 127.0.0.1:8766
WORKERS ?= 2
N ?= 20
LOCK = $(BIN)/uv pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	--python-version 3.11 --quiet
CODE := agent collector shared migrations tests benchmarks tools

.PHONY: accuracy bench check clean configuration demo deps dist docs fleet format fuzz help imports install kernels lint lock openapi run screenshots test types

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: install ## Start a collector and an agent for this host; Ctrl-C stops both
	@$(BIN)/python -m tools.quickstart --listen $(LISTEN)

demo: install deps ## Replay the incident: a real HAProxy runs out of ports, portgauge tells before
	@$(BIN)/python -m tests.acceptance.incident

fleet: install deps ## Let a fleet of N load balancers on this machine meet six faults, and say how each was taken (N=20)
	@$(BIN)/python -m tests.fleet --hosts $(N) $(ARGS)

test: install deps ## Run the whole suite (as an ordinary user: in namespaces of your own)
	@tools/in-own-namespaces $(BIN)/python -m tools.suite --numprocesses $(WORKERS) --dist loadfile $(ARGS)

check: install lint types imports test ## Format, lint, types, import contracts, then the whole suite

lint: install
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)

types: install
	@$(BIN)/mypy

imports: install
	@$(BIN)/lint-imports

format: install ## Bring the code into form
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)

fuzz: install ## Send 100,000 damaged bodies and absurd questions to a collector (ARGS="--cases N --seed N")
	@$(BIN)/python -m tests.fuzz $(ARGS)

bench: install deps ## Measure sampling, accounts and connect(), and write docs/performance.md (BENCH=--million for all)
	@$(BIN)/python -m benchmarks.connect_latency --write
	@$(BIN)/python -m benchmarks.accounting --write
	@$(BIN)/python -m benchmarks.sampling --write $(BENCH)
	@$(BIN)/python -m benchmarks.history --write
	@$(BIN)/python -m benchmarks.queries --write
	@$(BIN)/python -m benchmarks.ingest --write
	@$(BIN)/python -m benchmarks.fleet --hosts 1000 5000 10000 --seconds 180 --write
	@$(BIN)/python -m benchmarks.fleet --hosts 10000 --seconds 930 --write
	@$(BIN)/python -m benchmarks.fleet --hosts 10000 --seconds 180 --postgresql --ingest 2 --write
	@$(BIN)/python -m benchmarks.crossing --write
	@$(BIN)/python -m benchmarks.alerting --write
	@$(BIN)/python -m benchmarks.told --write
	@$(BIN)/python -m benchmarks.evaluation --write
	@$(BIN)/python -m benchmarks.fleet_page --write
	@$(BIN)/python -m benchmarks.agent_budget --write
	@$(BIN)/python -m benchmarks.forecast --write
	@$(BIN)/python -m benchmarks.sizing --write

kernels: install ## Judge portgauge on Debian's kernels 6.1 and 6.12, in qemu (minutes each; skipped where there is none)
	@tools/deps $(PACKAGES) $(KERNEL_PACKAGES)
	@failed=; for series in $(KERNELS); do \
		echo "Linux $$series:"; \
		tests/kernels/on-kernel $$series '$(BIN)/python -m tests.oracle grade --in-process --least-exact 85' \
			|| test $$? = 77 || failed=yes; \
	done; test -z "$$failed"

accuracy: install ## Try every situation on this kernel, 6.12 and 6.1, and write docs/accuracy.md
	@tools/deps $(PACKAGES) $(KERNEL_PACKAGES)
	@$(BIN)/python -m tests.oracle table --write --kernel $(KERNELS)

dist: install ## Make all that is installed on hosts: wheel, single-file agent, Debian package, SBOMs, hashes
	@tools/deps $(DIST_PACKAGES)
	@$(BIN)/python -m tools.release

openapi: install ## Write docs/openapi.json anew from the collector's code
	@$(BIN)/python -m tools.openapi

configuration: install ## Write the tables of keys in docs/configuration.md anew from the code
	@$(BIN)/python -m tools.configuration

docs: install ## Build the documentation as a site into build/site, and check its links
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

screenshots: install deps ## Draw the page's pictures in docs/images anew
	@$(BIN)/python -m tools.screenshots

deps: ## Install the system packages that tests and demo use (root or sudo; says what is missing otherwise)
	@tools/deps $(PACKAGES)

install: .venv/.installed ## Make .venv with exactly what requirements/dev.lock names

.venv/.installed: requirements/dev.lock pyproject.toml
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || { tools/deps python3-venv && $(PYTHON) -m venv .venv; }
	@$(BIN)/pip --quiet --disable-pip-version-check install --require-hashes --requirement requirements/dev.lock
	@$(BIN)/pip --quiet --disable-pip-version-check install --no-deps --no-build-isolation --editable .
	@touch $@

lock: install ## Write requirements/*.lock anew from pyproject.toml: dev has all, the others what is installed on hosts
	@$(LOCK) --all-extras --output-file requirements/dev.lock --upgrade
	@$(LOCK) --constraint requirements/dev.lock --output-file requirements/agent.lock
	@$(LOCK) --constraint requirements/dev.lock --extra collector --output-file requirements/collector.lock

clean: ## Remove what the other targets made
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
