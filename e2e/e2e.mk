# SPDX-License-Identifier: Apache-2.0
# End-to-end tests against a real API server: etcd from Debian, kube-apiserver built from Go modules (e2e/tools).
# Included by the top-level Makefile.

.PHONY: e2e-assets
e2e-assets: ## etcd and kube-apiserver for the tests (KUBE_ASSETS=DIR uses what is there)
	@vendor/deps.sh etcd-server
	@e2e/assets/build.sh >/dev/null

.PHONY: e2e-kube
e2e-kube: deps dataplane build e2e-assets ## only the end-to-end tests against a real API server
	@$(NODE) --test 'e2e/kube/**/*.test.ts'
