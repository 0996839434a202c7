# Everything one does here, each with one word. Needs make and Python 3.11 or later.
.DEFAULT_GOAL := help
BIN := .venv/bin
FAST := tests/architecture tests/docs tests/golden tests/property tests/unit
# A file stays together: it shares what it set up. Each worker has its own servers. Tests with servers
# wait for half of their time, so four workers keep two cores busy.
SIDE_BY_SIDE := --dist loadfile --no-loadscope-reorder
WORKERS := -n 2
WORKERS_WITH_SERVERS := -n 4
GATE = $(BIN)/python -m tests.gate -q $(WORKERS_WITH_SERVERS) $(SIDE_BY_SIDE) $(addprefix --ignore=,$(FAST)) \
	$(if $(DURATIONS),--write-durations)
# The halves of `make test`: each alone with PART=rooms or PART=desks.
PART := rooms desks
# The tests start some hundred processes: each would compile all our modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## show this list
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  \1\t/' | expand -t 14

.PHONY: setup
setup: ## install what uv.lock names into .venv
	@scripts/setup.sh

.PHONY: up
up: setup ## run the desk here until Ctrl-C: PostgreSQL, NATS, four services
	@exec $(BIN)/python -m services up

.PHONY: demo
demo: setup ## play a day at a service desk, Monday 30 June 2025, and assert it; KEEP=1 stays up
	@exec $(BIN)/python -m services demo $(if $(KEEP),--keep)

.PHONY: down
down: setup ## stop the desk that runs here
	@exec $(BIN)/python -m services down

.PHONY: doctor
doctor: setup ## say what is well on this machine, what is not, and what to do
	@exec $(BIN)/python -m services doctor

.PHONY: check
check: setup ## the fast part of `test`: style, types, words, layers, tests without servers
# The rules for words are in Vale's format, and tests/docs/test_words.py checks them: the package
# `vale` on PyPI fetches its program from outside the registries when it first runs.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@scripts/types.sh
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q $(WORKERS) $(SIDE_BY_SIDE) $(wildcard $(FAST))

.PHONY: test
test: $(if $(filter rooms,$(PART)),check,setup) ## all tests; PART=rooms: those that start no service, PART=desks: the others
	@if [ -n "$(filter-out rooms desks,$(PART))" ] || [ -z "$(PART)" ]; then \
		echo "PART is rooms or desks, not '$(PART)'" >&2; exit 2; fi
	$(if $(filter rooms,$(PART)),@$(GATE) -m "smoke or not desks")
	$(if $(filter desks,$(PART)),@$(GATE) -m "desks and not smoke")

.PHONY: steady
steady: setup ## run TEST=… N=50 times beside a program on each core, and count how often it failed
	@$(BIN)/python -m tests.gate.steady --times $(or $(N),50) $(TEST)

.PHONY: faults
faults: setup ## the long form of the fault tests: kills, wipes and freezes under load
	@FAULTS=long $(BIN)/pytest -s tests/faults

.PHONY: explore
explore: setup ## the fast tests in another order with new examples each time; `make explore SEED=…` repeats one
	@$(BIN)/pytest -q $(WORKERS) $(SIDE_BY_SIDE) --hypothesis-profile=explore --randomly-seed=$(if $(SEED),$(SEED),default) $(if $(SEED),--hypothesis-seed=$(SEED)) $(wildcard $(FAST))

.PHONY: fuzz
fuzz: setup ## fifteen minutes of requests of every kind that the OpenAPI documents describe
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-900} $(BIN)/pytest -s tests/e2e/test_any_request.py

.PHONY: bench
bench: setup ## measure, each figure beside its bound
	@$(BIN)/python -m bench

.PHONY: audit
audit: setup ## list all parts (SBOM), and ask osv.dev for their known weaknesses
	@scripts/audit.sh

.PHONY: clean
clean: ## stop the desk and delete its data (.permanence) and all caches
	@if [ -n "$$PERMANENCE_HOME" ]; then \
		echo "make clean deletes .permanence, but PERMANENCE_HOME names $$PERMANENCE_HOME:" \
			"unset it, or stop that desk with make down and delete its folder yourself" >&2; exit 2; fi
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m services down; fi
	@rm -rf "$$(readlink -f .permanence)" .permanence sbom.cdx.json .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

.PHONY: docs
docs: setup ## write the pages of the reference that follow from the code
	@$(BIN)/python -m docs.generate

.PHONY: screenshots
screenshots: setup ## play the day of the demo, and take the pictures of the pages
	@$(BIN)/python -m docs.generate.screenshots

.PHONY: catalogs
catalogs: setup ## write the texts to translate into shared/i18n/languages; ADD=nl adds a language
	@$(BIN)/python -m docs.generate.catalogs $(ADD)
