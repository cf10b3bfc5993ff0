# SPDX-License-Identifier: Apache-2.0
# The container image and the single-file executable. Included by the top-level Makefile.

ARCH ?= amd64
# Where neither docker nor podman is there, buildah is taken; without a registry the base is made with mmdebstrap.
IMAGE_APT := buildah runc mmdebstrap skopeo ca-certificates zstd
IMAGE_TEST_APT := runc curl iproute2 qemu-user-static

.PHONY: image image-deps image-repro image-report image-sources image-lock test-image notice verify-licences dist

##@ Image
image: image-deps ## container image: dist/image/evener-ARCH.tar (OCI archive); ARCH=arm64 for the other machine
	@docker/build.sh $(ARCH)

image-deps:
	@docker/build.sh tool >/dev/null 2>&1 || vendor/deps.sh $(IMAGE_APT)

image-repro: image-deps deps ## build it twice from nothing and compare the layers' digests
	@docker/repro.sh $(ARCH)

image-report: deps ## size of each part, as it is and compressed
	@vendor/deps.sh zstd
	@$(NODE) docker/report.ts dist/image/evener-$(ARCH).tar

image-sources: image-deps ## the image's companion: sources of what is under a copyleft licence
	@docker/build.sh $(ARCH) sources

image-lock: ## take the newest Debian packages into docker/debian.lock
	@docker/debs.sh lock >docker/debian.lock.new
	@mv docker/debian.lock.new docker/debian.lock
	@$(MAKE) --no-print-directory notice
	@git --no-pager diff --stat -- docker/debian.lock NOTICE

test-image: deps ## run the image: read-only, non-root, without capabilities; kill its processes; look for secrets in it
	@vendor/deps.sh $(IMAGE_TEST_APT)
	@test -f dist/image/evener-$(ARCH).tar || $(MAKE) --no-print-directory image
	@EVENER_TEST_IMAGE=1 $(NODE) --test --test-concurrency=1 'test/image/*.test.ts'

notice: deps ## write NOTICE anew; read the difference before you commit it
	@$(NODE) docker/notice.ts write

verify-licences: deps ## NOTICE says what is shipped, and everything shipped brings its licence
	@$(NODE) docker/notice.ts check

STANDALONE := dist/evener-linux-$(shell uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')

dist: deps dataplane build ## single-file executable for machines without containers: dist/evener-linux-x64
	@$(NODE) docker/standalone.ts $(STANDALONE)
	@$(NODE) --test 'test/standalone/*.test.ts'
