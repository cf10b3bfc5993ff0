# SPDX-License-Identifier: Apache-2.0
# End-to-end tests against a real API server: etcd from Debian, kube-apiserver built from Go modules (e2e/tools).
# Included by the top-level Makefile.

.PHONY: e2e-assets
e2e-assets: ## etcd and kube-apiserver for the tests (KUBE_ASSETS=DIR uses what is there)
	@vendor/deps.sh etcd-server
	@e2e/assets/build.sh >/dev/null

.PHONY: e2e-chromium
e2e-chromium: ## a browser for the inspection page's tests; without one they are skipped
	@vendor/deps.sh chromium

.PHONY: e2e-kube
e2e-kube: deps dataplane build e2e-assets ## only the end-to-end tests against a real API server
	@$(NODE) --test 'e2e/kube/**/*.test.ts'

# One after the other, each with a node and a network of its own. CLUSTER_TESTS=FILE runs only that one.
# The network of the test is a namespace without any route; what is to be fetched has been before. The image is built
# anew where something changed; EVENER_IMAGE_ARCHIVE=FILE takes that one.
CLUSTER_TESTS ?= $(wildcard e2e/cluster/*.test.ts)

.PHONY: e2e-cluster
e2e-cluster: deps build dataplane e2e-assets ## the image and the chart on a real node: a throw-away cluster in namespaces of its own (as root)
	@vendor/deps.sh containerd runc containernetworking-plugins iptables iproute2 util-linux libc6-dev
	@e2e/assets/build.sh kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl >/dev/null
	@e2e/tools/helm/build.sh >/dev/null
	@test -n "$${EVENER_IMAGE_ARCHIVE:-}" || $(MAKE) --no-print-directory image
	@for test in $(CLUSTER_TESTS); do \
	  EVENER_TEST_CLUSTER=1 unshare --net sh -c 'ip link set lo up && exec "$$0" --test "$$1"' $(NODE) $$test; \
	done
