# SPDX-License-Identifier: Apache-2.0
# What the workflows do beyond build and test. Included by the top-level Makefile.

.PHONY: sign-off release-check release-cosign release-publish release-draft

sign-off:
	@.github/sign-off.sh "$$BASE" "$$HEAD"

release-check:
	@for version in "$$(sed -n 's/^  "version": "\(.*\)",$$/\1/p' package.json)" \
	  "$$(sed -n 's/^appVersion: //p' charts/evener/Chart.yaml)"; do \
	  test "$${TAG:?}" = "v$$version" || { echo "release-check: the tag is $$TAG, the sources say $$version" >&2; exit 1; }; \
	done

# Go compares what it fetches with the public checksum database.
release-cosign:
	@GOBIN="$${BIN_DIR:?}" go install github.com/sigstore/cosign/v2/cmd/cosign@v2.4.1

release-publish:
	@.github/publish.sh

release-draft:
	@sudo chown -R "$$(id -u)" dist
	@gh release create "$${TAG:?}" --draft --title "$$TAG" --notes-file CHANGELOG.md \
	  dist/evener-linux-x64 dist/image/*.spdx.json dist/image/digests.txt
