#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# extract.sh ARCHIVE PATH: one file of an image (OCI archive) on stdout.
set -euo pipefail
digests() { grep -o '"digest":"sha256:[0-9a-f]*' | sed 's/.*sha256:/sha256\//'; }
blob() { tar -xOf "$archive" "blobs/$1"; }
archive=$1
manifest=$(tar -xOf "$archive" index.json | digests | head -n 1)
# The first digest of a manifest is the configuration's.
blob "$manifest" | digests | tail -n +2 | tac | while read -r layer; do
	if blob "$layer" | tar -xzO "$2" 2>/dev/null; then exit; fi
done
