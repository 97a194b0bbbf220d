# Everything that is done to this project has a name here; CI does the same (`.ci/run`). `make` alone lists the names.
#
# make test takes, as `make test NAME=value`:
#   SWITCHBOARD_CASES          cases that each property sees (default: said by each)
#   SWITCHBOARD_KILL_CYCLES    kill -9 of a server under load
#   SWITCHBOARD_POWER_CYCLES   power cuts on a loop file system (needs root)
#   SWITCHBOARD_HISTORIES      random histories on which the keepers of the log are compared
#   SWITCHBOARD_DAMAGES        places of a log that are overwritten
#   SWITCHBOARD_DEMAND           a folder with outside data (outages-bc-2024h1.csv.gz); without it such tests say that they skip
#   SWITCHBOARD_LONG=1         the whole half year of outages imported twice, instead of a week
#   PROPTEST_RNG_SEED          repeats a property's run; every failure prints its seed
#   SWITCHBOARD_DAYS           days that each test of the dispatch simulation lives (tests/simulation); SEED=... lives one of them again
# make demo takes SEED (the city's seed) and STORM=1 (a storm on the day that is over, and while faults are played); make run and make
# demo take DATA (the folder).
# make bench takes SECONDS (of a slice), PAIRS (of slices) and DATA (a folder on the disk to be measured); ONLY names
# a part and leaves the rest out: engine, promises, dispatch, or a part of these; AGAINST names the binary of another version to
# measure beside (docs/benches.md has all names).
# make bench-peers takes PEERS, the opponents: postgres,umadb,raw-file by default; nats and restate on request (tests/peers/README.md).

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help build release check test run demo bench bench-peers check-calendars docs clean

SEED ?= 95598
LOG := target/test.log

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | while IFS=$$'\t' read -r name what; do printf '  make %-16s %s\n' "$$name" "$$what"; done

build: ## Build the switchboard binary (target/debug/switchboard)
	@.ci/setup build
	cargo build --locked -p switchboard-cli

release: ## Build the binary to ship (target/release/switchboard), stripped; its symbols lie beside it (switchboard.debug)
	@.ci/setup build
	cargo build --locked --release -p switchboard-cli
	cd target/release && objcopy --only-keep-debug switchboard switchboard.debug && objcopy --strip-all --add-gnu-debuglink=switchboard.debug switchboard switchboard.stripped && mv switchboard.stripped switchboard
	@ls -l target/release/switchboard target/release/switchboard.debug

check: ## Check form, lints and documentation
	@.ci/setup check
	cargo fmt --all -- --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps

test: ## Run every test, after setting up what they need
	@.ci/setup test
	cargo build --locked --workspace --all-targets
	@mkdir -p target
	.ci/tests 2>&1 | tee $(LOG)
	@.ci/summary $(LOG)

run: ## Serve tickets from the folder DATA (default: data)
	@.ci/setup build
	cargo run --locked -p switchboard-cli -- serve --data $(or $(DATA),data)

demo: ## Play a city's day through the API into DATA (default: demo-data), let crews work, and tell one ticket's story
	@.ci/setup build
	cargo build --locked -p switchboard-cli
	target/debug/switchboard demo --seed $(SEED) --data $(or $(DATA),demo-data) $(if $(STORM),--storm)
	@echo "or:                          make run DATA=$(or $(DATA),demo-data)"

bench: ## Measure this machine: commands through gRPC beside the disk's own limit
	@.ci/setup build
	cargo build --locked --release -p switchboard-cli -p switchboard-tests --bins
	target/release/bench

bench-peers: ## Measure other servers beside us on the same disk (PEERS=..., default: postgres,umadb,raw-file)
	@.ci/setup build
	tests/peers/setup.sh

check-calendars: ## Hold the shipped calendars, day by day, against a package of other people's (needs python3 and its package index)
	python3 -m venv target/calendars
	target/calendars/bin/pip install --quiet -r tests/python/calendars-requirements.txt
	target/calendars/bin/python -B tests/python/calendars.py

docs: ## Build the documentation of the code (target/doc)
	@.ci/setup build
	cargo doc --locked --workspace --no-deps
	@echo "Start reading at target/doc/switchboard_domain/index.html, or at docs/architecture.md."

clean: ## Remove everything that was built, and the demo's folder
	cargo clean
	rm -rf demo-data
