#!/usr/bin/env bash
# Sets up, builds and runs all tests. Arguments go to ctest: scripts/test.sh -R tokenizer
#
# The output of failing tests and the summary are shown; everything is in build/release/ctest.log.
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

"$root/scripts/build.sh" release
cd "$root"
ctest --preset release --parallel "$(nproc)" --no-tests=error --output-log build/release/ctest.log "$@" </dev/null
