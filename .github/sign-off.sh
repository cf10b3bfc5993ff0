#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sign-off.sh BASE HEAD: every commit between them is signed off by its author.
set -eu
bad=0
for commit in $(git rev-list --no-merges "$1..$2"); do
	author=$(git show --no-patch --format='%an <%ae>' "$commit")
	if ! git show --no-patch --format='%(trailers:key=Signed-off-by,valueonly)' "$commit" | grep -qxF "$author"; then
		echo "$(git show --no-patch --format='%h %s' "$commit"): no Signed-off-by of $author" >&2
		bad=1
	fi
done
exit $bad
