#!/usr/bin/env bash
# Runs clang-tidy 14 with the checks of .clang-tidy, all of them errors.
#
#   scripts/lint.sh             every source but the tests
#   scripts/lint.sh --changed   those that differ from the main branch, or are not committed
#   scripts/lint.sh FILE…       these
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"
cd "$root"

# Without OpenVINO its headers are missing, and so is the backend that is made of them.
sources() {
  find src apps bench -name '*.cpp' ! -name '*_test.cpp' |
    { if grep -qs backend/openvino build/release/compile_commands.json; then cat; else grep -v backend/openvino/; fi; } | sort
}

changed() {
  local base
  base="$(git merge-base HEAD main 2>/dev/null || git rev-parse HEAD)"
  comm -12 <(sources) <({ git diff --name-only "$base"; git ls-files --others --exclude-standard; } | sort -u)
}

case "${1:-}" in
  "") mapfile -t files < <(sources) ;;
  --changed) mapfile -t files < <(changed) ;;
  *) files=("$@") ;;
esac
if ((${#files[@]} == 0)); then exit 0; fi

command -v clang-tidy-14 >/dev/null || scripts/setup.sh --checks
commands="build/release/compile_commands.json"
[[ -f "$commands" ]] || { scripts/setup.sh && cmake --preset release >/dev/null; }

# "N warnings generated" counts what the system's headers cause and nobody sees.
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy-14 --quiet -p "$(dirname "$commands")" \
  --extra-arg=-Wno-unknown-warning-option 2> >(grep -v -E '^[0-9]+ warnings? ' >&2)
