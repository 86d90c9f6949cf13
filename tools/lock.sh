#!/bin/sh
# Write the hashed locks from requirements/*.in; `tools/lock.sh --upgrade` takes newer versions.
# The locks hold names, versions and hashes only: no host, no path.
set -eu
cd "$(dirname "$0")/.."
for kind in build runtime dev; do
    .venv/bin/uv pip compile --quiet --generate-hashes --no-header --universal \
        --python-version 3.11 --no-emit-index-url --no-emit-find-links "$@" \
        -o "requirements/$kind.txt" "requirements/$kind.in" >/dev/null
done
