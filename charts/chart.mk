# SPDX-License-Identifier: Apache-2.0
# The Helm chart. Included by the top-level Makefile; helm itself is built from Go modules (e2e/tools/helm) at the first use.

CHART := charts/evener

##@ Chart
.PHONY: chart
chart: deps e2e-assets ## the Helm chart: generated files, lint, unit tests, dry-run of every object against a real API server
	@$(NODE) charts/tools/generate.ts --verify
	@helm=$$(e2e/tools/helm/build.sh) && "$$helm" lint --strict --quiet $(CHART)
	@$(NODE) --test 'charts/test/**/*.test.ts'

.PHONY: chart-generate
chart-generate: deps ## write the chart's README, schema, dashboard and list of flags anew
	@$(NODE) charts/tools/generate.ts

.PHONY: chart-golden
chart-golden: deps ## write charts/test/golden/ anew; read the difference before you commit it
	@EVENER_GOLDEN=write $(NODE) --test charts/test/golden.test.ts
