#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# publish.sh: pushes the archives of dist/image to $REPO under $TAG, signs each by digest and attests its SBOM. What was pushed is
# written to dist/image/digests.txt. Needs skopeo, buildah and cosign; REGISTRY_USER and REGISTRY_TOKEN.
set -eu
PATH=${BIN_DIR:+$BIN_DIR:}$PATH
: "${REPO:?}" "${TAG:?}" "${REGISTRY_USER:?}" "${REGISTRY_TOKEN:?}"
repo=$(printf %s "$REPO" | tr '[:upper:]' '[:lower:]')
printf %s "$REGISTRY_TOKEN" | skopeo login --username "$REGISTRY_USER" --password-stdin "${repo%%/*}"
printf %s "$REGISTRY_TOKEN" | cosign login --username "$REGISTRY_USER" --password-stdin "${repo%%/*}"
sudo chown -R "$(id -u)" dist/image
: >dist/image/digests.txt

# push ARCHIVE TAG: prints the digest. The digest is what is signed, never the tag, which may move meanwhile.
push() {
	skopeo copy --preserve-digests --digestfile "$1.digest" "oci-archive:$1" "docker://$repo:$2" >&2
	digest=$(cat "$1.digest")
	echo "$digest $2" >>dist/image/digests.txt
	cosign sign --yes "$repo@$digest" >&2
	echo "$digest"
}

for arch in amd64 arm64; do
	digest=$(push "dist/image/evener-$arch.tar" "$TAG-$arch")
	cosign attest --yes --type spdxjson --predicate "dist/image/evener-$arch.spdx.json" "$repo@$digest"
	# Licences ask for it: the sources are pushed whenever the image is.
	push "dist/image/sources-$arch.tar" "$TAG-$arch-sources" >/dev/null
done

buildah manifest create evener-release
for arch in amd64 arm64; do buildah manifest add evener-release "docker://$repo:$TAG-$arch"; done
buildah manifest push --all --digestfile dist/image/list.digest evener-release "docker://$repo:$TAG"
cosign sign --yes "$repo@$(cat dist/image/list.digest)"
echo "$(cat dist/image/list.digest) $TAG" >>dist/image/digests.txt
