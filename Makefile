# SPDX-License-Identifier: Apache-2.0
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# Node 24 comes with the npm packages, so the machine's own Node only has to run npm.
BIN := node_modules/.bin
NODE := $(BIN)/node

# COMMAND:DEBIAN-PACKAGE of what has to be on the machine; the included files may add to it.
NEEDS := node:nodejs npm:npm openssl:openssl curl:curl file:file gcc:gcc

-include vendor/vendor.mk
-include src/balance/balance.mk
-include docker/image.mk
-include e2e/e2e.mk
-include charts/chart.mk
-include .github/release.mk

# The HTTP parser's C is generated with an npm package.
dataplane: deps

##@ Use
.PHONY: help
help: ## show this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: deps dataplane build ## run examples/ here: two hosts over HTTPS, a rotation and an endpoint change live
	@$(NODE) examples/demo.ts

##@ Build
.PHONY: deps
deps: ## set up what building needs: system packages (as root) and npm packages
	@missing=; for need in $(NEEDS); do \
	  command -v "$${need%%:*}" >/dev/null || missing="$$missing $${need##*:}"; \
	done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "deps: installing$$missing"; \
	    apt-get update -qq; \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	  else \
	    echo "deps: please install these Debian packages (or their equivalents):$$missing" >&2; exit 1; \
	  fi; \
	fi
	@sum=$$(sha256sum <package-lock.json); \
	if [ "$$(cat node_modules/.lock-sha256 2>/dev/null || true)" != "$$sum" ]; then \
	  echo "deps: npm ci"; \
	  npm ci --loglevel=error; \
	  : npm 9 and older do not link the programs of optional packages; \
	  test -e $(NODE) || ln -s "../$$(cd node_modules && ls -d node-linux-*)/bin/node" $(NODE); \
	  echo "$$sum" >node_modules/.lock-sha256; \
	fi

.PHONY: build
build: deps ## bundle the controller: dist/bin/evener, dist/lib/
	@$(MAKE) --no-print-directory bundle

# Without set-up, for the image's build. No sources in the map there: it only has to give names and lines.
.PHONY: bundle
bundle:
	@mkdir -p dist/bin dist/lib
	@$(BIN)/esbuild src/cli/main.ts --bundle --platform=node --target=node24 --format=esm \
	  --outfile=dist/lib/evener.mjs --sourcemap $(BUNDLE_FLAGS) --legal-comments=linked --log-level=warning \
	  --banner:js='import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
	@rm -rf dist/lib/templates && cp -R templates dist/lib/templates
	@install -m 0755 src/cli/launcher.sh dist/bin/evener
	@install -m 0755 src/cli/kubectl-evener.sh dist/bin/kubectl-evener

.PHONY: generate
generate: deps ## write charts/evener/crds/ and the generated docs anew, from the tables in src
	@$(NODE) src/crd/generate.ts

##@ Verify
.PHONY: verify-generated
verify-generated: deps
	@$(NODE) src/crd/generate.ts --verify

.PHONY: check
check: deps verify-licences verify-generated ## lint, format and type check
	@$(BIN)/biome check --error-on-warnings
	@$(BIN)/tsc --noEmit
	@if grep -n '"resolved"' package-lock.json; then \
	  echo 'check: package-lock.json must name no registry; .npmrc has the option' >&2; exit 1; fi
	@$(NODE) docker/headers.ts

.PHONY: test
test: ## everything: set-up, data plane, Hitch's tests, build, checks, C unit tests, controller and end-to-end tests
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory dataplane
	@$(MAKE) --no-print-directory test-hitch
	@$(MAKE) --no-print-directory build
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory test-balance
	@$(MAKE) --no-print-directory e2e-assets
	-@$(MAKE) --no-print-directory e2e-chromium
	-@e2e/tools/actionlint/build.sh >/dev/null
	@$(MAKE) --no-print-directory chart
	@$(MAKE) --no-print-directory bench-guard
	@$(NODE) --test 'test/**/*.test.ts' 'e2e/**/*.test.ts'

# Part of what `make test` runs, hence cheap: a fresh directory, a network of its own, no cluster.
.PHONY: test-docs
test-docs: deps dataplane build ## run the commands in the documents, follow their links, compare the references
	@e2e/tools/helm/build.sh >/dev/null
	-@e2e/tools/actionlint/build.sh >/dev/null
	@$(NODE) --test 'test/docs/**/*.test.ts'

.PHONY: test-node
test-node: deps ## only the controller's tests
	@$(NODE) --test 'test/**/*.test.ts'

.PHONY: e2e
e2e: deps dataplane build e2e-assets ## only the end-to-end tests, with real processes
	@$(NODE) --test 'e2e/**/*.test.ts'

.PHONY: golden
golden: deps ## write test/golden/*/out anew; read the difference before you commit it
	@EVENER_GOLDEN=write $(NODE) --test test/golden/golden.test.ts

##@ Measure
.PHONY: bench bench-quick bench-deps
bench-deps: deps dataplane build
	@vendor/deps.sh wrk haproxy nginx-light libnginx-mod-stream caddy openssl

bench: bench-deps ## Evener beside haproxy, nginx and caddy; BENCH_FLAGS="--only ID" for one scenario, --write for docs/performance.md
	@$(NODE) bench/bench.ts $(BENCH_FLAGS)

.PHONY: bench-relay
bench-relay: deps dataplane ## memory per relayed connection and CPU per relayed MB beside haproxy (CONNECTIONS, MEGABYTES, ROUNDS)
	@vendor/deps.sh haproxy
	@$(NODE) bench/relay.ts

bench-quick: bench-deps ## a look, in under three minutes
	@$(NODE) bench/bench.ts --quick $(BENCH_FLAGS)

.PHONY: bench-feasibility
bench-feasibility: bench-deps ## what the parts, ways of joining them, and ways of building them cost (docs/feasibility.md); BENCH_FLAGS=--write
	@vendor/deps.sh $(DATAPLANE_APT)
	@$(NODE) bench/feasibility/main.ts $(BENCH_FLAGS)

.PHONY: bench-guard bench-baseline bench-guard-deps
bench-guard-deps:
	@vendor/deps.sh valgrind strace openssl

bench-guard: deps dataplane bench-guard-deps ## instructions and system calls per request, against the baseline: fails when they grow
	@$(NODE) bench/guard/main.ts

bench-baseline: deps dataplane bench-guard-deps ## write bench/guard/baseline.json anew
	@$(NODE) bench/guard/main.ts --write

##@ Tidy
.PHONY: clean
clean: ## remove build products (node_modules and the download cache stay)
	@rm -rf dist coverage
