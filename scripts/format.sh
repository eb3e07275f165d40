#!/usr/bin/env bash
# Formats the C++ files with clang-format 14, the version that CI uses.
#
#   scripts/format.sh [FILE…]            rewrites (all files when none are named)
#   scripts/format.sh --check [FILE…]    changes nothing, lists what deviates
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

mode=(-i)
if [[ "${1:-}" == --check ]]; then
  mode=(--dry-run --Werror)
  shift
fi
if (($# == 0)); then
  cd "$root"
  mapfile -t files < <(find include src apps bench tests fuzz -name '*.h' -o -name '*.cpp' | sort)
  set -- "${files[@]}"
fi
command -v clang-format-14 >/dev/null || "$root/scripts/setup.sh" --checks
printf '%s\0' "$@" | xargs -0 -n 16 -P "$(nproc)" clang-format-14 "${mode[@]}"
