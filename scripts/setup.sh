#!/usr/bin/env bash
# Installs what gamut is built with, where it is missing. The other scripts call it; it changes nothing the second time.
#
#   scripts/setup.sh             what building and testing needs
#   scripts/setup.sh --checks    and what the format, lint and fuzz checks need
#   scripts/setup.sh --coverage  and what the coverage report needs
#   scripts/setup.sh --fuzz      and what the fuzzers need
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

fuzzing=(clang-14 libclang-rt-14-dev)
packages=(g++ cmake ninja-build ccache nlohmann-json3-dev libcli11-dev libfmt-dev libgtest-dev)
for argument in "$@"; do
  case "$argument" in
    --checks) packages+=(clang-format-14 clang-tidy-14 "${fuzzing[@]}") ;;
    --coverage) packages+=(gcovr) ;;
    --fuzz) packages+=("${fuzzing[@]}") ;;
    *) die "unknown argument $argument; known are --checks, --coverage and --fuzz" ;;
  esac
done
has_venv || packages+=("${python_packages[@]}")
need_packages "${packages[@]}"
