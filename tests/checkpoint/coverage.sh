#!/usr/bin/env bash
# Branch coverage of the readers of PyTorch's files by the tests of src/checkpoint: builds with gcov, runs them, prints one
# line for each file and the branches that no test takes.
#
#   tests/checkpoint/coverage.sh
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/scripts/lib.sh"

cd "$root"
scripts/setup.sh --coverage
scripts/build.sh coverage test_checkpoint
find build/coverage -name '*.gcda' -delete
build/coverage/test_checkpoint --gtest_brief=1 >/dev/null
# Branches of exceptions that any call may throw are no decision of ours.
# gcov leaves files where it runs when it is interrupted.
cd build/coverage
gcovr --root "$root" --filter "$root/src/checkpoint/pytorch/" --exclude '.*_test(ing)?\.(cpp|h)$' \
  --exclude-throw-branches --exclude-unreachable-branches \
  --branches {src/CMakeFiles/gamut_core.dir,CMakeFiles/test_checkpoint.dir/src}/checkpoint/pytorch
