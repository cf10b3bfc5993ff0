# SPDX-License-Identifier: Apache-2.0
# The data plane: third-party C, our C, one static ELF. Included by the top-level Makefile; it also stands alone
# (make -f vendor/vendor.mk dataplane).

# Debian packages the build and Hitch's test suite need. EVENER_CC=aarch64-linux-gnu-gcc builds for arm64 and needs
# that compiler's package instead of gcc.
DATAPLANE_APT := gcc libc6-dev binutils make perl bison flex curl ca-certificates xz-utils util-linux
TEST_HITCH_APT := openssl lsof iproute2 procps

# In the order in which they are built.
DATAPLANE := musl mimalloc libev openssl hitch llhttp

.PHONY: dataplane dataplane-deps balance-upstream vendor-report test-hitch test-hitch-deps

##@ Data plane
dataplane: dataplane-deps ## fetch, verify, build and link dist/bin/hitch and dist/bin/balance
	@vendor/build.sh $(DATAPLANE)
	@vendor/link.sh

dataplane-deps:
	@vendor/deps.sh $(DATAPLANE_APT)

# Not part of the data plane, nor of an image: a separate GPL program for those who want it.
balance-upstream: ## Inlab Balance 3.57 as a program of its own: dist/bin/balance-upstream, with licence and source
	@vendor/deps.sh gcc libc6-dev binutils make curl ca-certificates util-linux
	@vendor/upstream.sh

vendor-report: ## third-party packages: versions, licences, hashes
	@vendor/report.sh

test-hitch-deps:
	@vendor/deps.sh $(TEST_HITCH_APT)

test-hitch: dataplane test-hitch-deps ## Hitch's own test suite against dist/bin/hitch
	@test/hitch/run.sh dist/bin/hitch
