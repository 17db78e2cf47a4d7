# A newcomer needs two of these: `make run` and `make test`.

.PHONY: run test check bench bench-full soak fuzz load

# The switch with a demo floor, a simulated carrier beside it, and a page to log in to.
run:
	@tests/support/packages run
	@$(MAKE) --silent web/dist/index.html
	cargo build --workspace --bins
	@exec "$${CARGO_TARGET_DIR:-target}/debug/cordboard" serve --demo

test:
	@tests/support/all-tests

# What a change must pass before anybody reads it.
check: web/dist/index.html
	@tests/support/packages test
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	npm --prefix web run --silent check
	npm --prefix web run --silent faults
	cargo test -p cordboard --lib wire::
	node tests/support/ids.mjs --check
	tests/support/licences

# Costs of the hot paths, what people feel (answer to voice, hold to music), and the switch beside kamailio and rtpengine.
bench: web/dist/index.html
	@tests/support/packages bench
	cargo bench -p cordboard-core -p cordboard-sip -p cordboard-media --bench '*' -- --warm-up-time 0.5 --measurement-time 1.5 --nresamples 10000
	cargo build --workspace --bins
	node tests/browser/latency.mjs
	cargo build --release --workspace --bins
	target/release/loadtest bench

# The last part of it five times over, for the README.
bench-full: web/dist/index.html
	@tests/support/packages bench
	cargo build --release --workspace --bins
	target/release/loadtest bench --rounds 5 --write loadtest/results/latest.md

# Two hours of everything at once, at 70 % of a fast core: nothing may be lost, and memory and descriptors stay flat.
soak: web/dist/index.html
	cargo build --release --workspace --bins
	target/release/loadtest soak

# A thousand calls, a hundred at once, to a hundred WebRTC workstations.
load: web/dist/index.html
	@tests/support/packages test
	cargo build --workspace --bins
	node --test --test-timeout=600000 --test-reporter=spec tests/load/thousand_calls.mjs

# The model test with 100,000 orders of events instead of 5,000.
fuzz:
	CORDBOARD_MODEL_ORDERS=100000 cargo test -p cordboard-core --test model -- --nocapture

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	npm --prefix web ci --no-audit --no-fund
	@touch $@

# Rust embeds the built page, so it comes first.
web/dist/index.html: web/node_modules/.package-lock.json $(shell find web -name node_modules -prune -o -name dist -prune -o -type f -print 2>/dev/null)
	npm --prefix web run --silent build
	@touch $@
