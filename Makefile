# The two commands that matter: `make run` and `make test`. Needs Python 3.11 and make, nothing else.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# Tests that look at the clock or at every process of a shop have a machine to themselves; all others share it, each
# process with engines of its own. Files keep their order: by number of tests the few long ones would come last.
ALONE := tests/browser tests/e2e/test_up.py tests/e2e/test_read_your_writes.py tests/faults
SHARED := --numprocesses 2 --dist loadfile --no-loadscope-reorder
WITH_COMPANY := $(ALONE:%=--ignore=%)

# Apache Kafka with its scripts, put together from Maven Central; what starts a Kafka takes the one on PATH. The last
# variable makes a test run fail that would have been on the embedded broker after all.
KAFKA := build/kafka
ON_KAFKA := env -u KAFKA_BOOTSTRAP_SERVERS PATH="$(CURDIR)/$(KAFKA)/bin:$$PATH" ACME_TESTS_KAFKA_FROM=$(KAFKA)
# Stream: every test that asks for a broker, itself or through its fixtures (tests/conftest.py marks them).
STREAM := tests/integration tests/contract -m kafka
# Whole shops: all faults; starts, kills, restarts; reads that wait for the stream. The other end-to-end tests (bad input,
# roles, reports, the tour) are about what lies on either side of it, and a broker is a broker to them.
SHOPS := tests/faults tests/e2e/test_up.py tests/e2e/test_read_your_writes.py
# In CI: where brokers differ most. Groups and topics (the bus), what a publisher makes of a Kafka that is
# killed, emptied or ahead, workers that lose their broker or each other, a rebuild that reads it, and one shop under faults
# drawn by chance.
WORKER := tests/integration/projections/test_worker.py::test_
SHORT := tests/faults/test_campaign.py::test_nothing_is_lost_counted_twice_or_different \
  tests/integration/bus tests/integration/outbox/test_faults.py tests/integration/projections/rebuilding/test_source.py \
  $(WORKER)a_broker_that_comes_back_empty $(WORKER)two_processes_share_and_hand_over

# Faults of one kind with a long form of their own; they look at the clock.
OUTAGES := tests/faults/test_mass_retry.py tests/faults/test_outage.py tests/faults/test_poison.py

# The store of the benchmarks: the wheel's is so slow that it would hide what is measured. Made by cargo, a quarter of an
# hour once.
SECANTUS := build/secantus/bin/secantusd-rs
SECANTUS_VERSION := 0.5.3-beta.193

# Tests start processes by the hundred: compiled once is enough, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test bench bench-report test-kafka test-kafka-short kafka faults faults-shop faults-model outages check lint types imports pytest install lock clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: install  ## start everything and stay in the foreground (Ctrl-C stops it)
	exec $(BIN)/python manage.py up $(UP)

test: install lint imports types pytest  ## every check, on real engines

lint:  ## ruff: style and likely bugs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

imports:  ## the architecture's import rules
	$(BIN)/lint-imports

types:  ## mypy on the typed core
	$(BIN)/mypy

pytest:  ## tests on real engines (ARGS="-k name" to choose)
	$(BIN)/python -m pytest --durations=12 $(if $(ARGS),$(ARGS),$(SHARED) $(WITH_COMPANY))
	$(if $(ARGS),,$(BIN)/python -m pytest --durations=12 $(ALONE))

faults: faults-model faults-shop  ## 200 faults on a whole shop, and the model, each time by another seed (an hour)

faults-shop: install  ## the first of the two (ACME_FAULT_SEED repeats, ACME_FAULT_COUNT and ACME_FAULT_KINDS choose)
	ACME_FAULTS=long $(BIN)/python -m pytest -x -s tests/faults/test_campaign.py $(ARGS)

faults-model: install  ## thousands of schedules in memory, and what each projection owes, by other examples each time
	ACME_FAULTS=long $(BIN)/python -m pytest --durations=5 --numprocesses 2 tests/model tests/contract/test_owes.py

outages: install  ## the long forms of other faults: an outage of a minute, poison among thousands, a retry of ten thousand
	ACME_FAULTS=long $(BIN)/python -m pytest -s $(OUTAGES) $(ARGS)

bench: install kafka $(SECANTUS)  ## ratios against peers and bare loops, one table and build/bench.json (ONLY=P1,P8 chooses)
	PATH="$(CURDIR)/$(KAFKA)/bin:$(CURDIR)/$(dir $(SECANTUS)):$$PATH" \
	  $(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY)) $(ARGS)

bench-report: install  ## the last `make bench` as a section of README.md and a chart in docs
	$(BIN)/python -m tests.bench.report

test-kafka: install kafka  ## stream, faults and whole shops on Apache Kafka (needs java 17 and mvn; ARGS="-k name" to choose)
	$(ON_KAFKA) $(BIN)/python -m pytest --durations=12 $(if $(ARGS),$(ARGS),$(SHARED) $(STREAM))
	$(if $(ARGS),,$(ON_KAFKA) $(BIN)/python -m pytest --durations=12 $(SHOPS))

test-kafka-short: install kafka  ## the part of it that CI runs
	$(ON_KAFKA) $(BIN)/python -m pytest --durations=6 $(SHARED) $(SHORT)

kafka: $(KAFKA)/.resolved  ## build/kafka: Apache Kafka itself, 44 MB from Maven Central

# It asks for its version in the end, so that a java that is too old is found here.
$(KAFKA)/.resolved: tests/kafka/pom.xml $(wildcard tests/kafka/bin/*)
	rm -rf $(KAFKA)
	timeout 180 mvn --batch-mode --quiet --strict-checksums --file tests/kafka/pom.xml package
	mkdir -p $(KAFKA)/bin
	install -m 755 tests/kafka/bin/* $(KAFKA)/bin
	$(KAFKA)/bin/kafka-server-start.sh --version
	touch $@

$(SECANTUS):
	cargo install secantus-mdb --version $(SECANTUS_VERSION) --locked --ignore-rust-version --root build/secantus

install: $(STAMP)  ## .venv with everything pinned

$(STAMP): requirements.txt requirements-engines.txt requirements-dev.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-engines.txt -r requirements-dev.txt
	touch $@

lock: install  ## pin requirements*.txt anew from the .in files
	$(BIN)/pip-compile --quiet --strip-extras --upgrade -o requirements.txt requirements.in
	$(BIN)/pip-compile --quiet --strip-extras --upgrade -o requirements-engines.txt requirements-engines.in
	$(BIN)/pip-compile --quiet --strip-extras --upgrade -o requirements-dev.txt requirements-dev.in

clean:  ## remove what tests and tools leave behind (keeps .acme and .venv)
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache staticfiles
