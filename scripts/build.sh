#!/usr/bin/env bash
# Sets up and builds one preset of CMakePresets.json.
#
#   scripts/build.sh PRESET [TARGET…]    e.g. scripts/build.sh release gamut
#
# The output goes to build/PRESET/build.log; on a terminal one line shows the progress. GAMUT_JOBS: how many compilers at once.
# GAMUT_OPENVINO=off: without the OpenVINO backend, which release and dev otherwise have where its package can be had.
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

[[ $# -ge 1 ]] || die "which preset? release, dev, asan, tsan, coverage or fuzz"
preset="$1"
shift
"$root/scripts/setup.sh"

folder="$root/build/$preset"
log="$folder/build.log"
mkdir -p "$folder"
cd "$root"

# A compiler takes up to 0.5 GB here; a small machine with many cores must not run out of memory.
jobs_that_fit() {
  local cores gigabytes
  cores="$(nproc)"
  gigabytes="$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)"
  echo $((cores < gigabytes ? cores : (gigabytes > 0 ? gigabytes : 1)))
}

# Reads ninja's lines; nothing is said when there is nothing to build.
show_progress() {
  local line columns said=""
  columns="$(tput cols 2>/dev/null || echo 80)"
  while IFS= read -r line; do
    if [[ ! "$line" =~ ^\[[0-9]+/[0-9]+\]\ (Building|Linking) ]]; then continue; fi
    if [[ -z "$said" ]]; then say "building $preset (a first build takes minutes)"; fi
    said=yes
    if [[ -t 2 ]]; then printf '\r\033[K%.*s' "$columns" "$line" >&2; fi
  done
  if [[ -n "$said" && -t 2 ]]; then printf '\r\033[K' >&2; fi
}

failed() {
  if grep -q -E 'FAILED|[Ee]rror' "$log"; then
    { grep -E -A12 'FAILED|[Ee]rror' "$log" || true; } | head -n 60 >&2 || true
  else
    tail -n 40 "$log" >&2
  fi
  die "building $preset failed; the whole output is in $log"
}

# OpenVINO's folder, for the presets that people use: empty when it is not wanted or cannot be had.
openvino() {
  case "$preset" in release | dev) ;; *) return ;; esac
  if [[ "${GAMUT_OPENVINO:-}" == off ]]; then return; fi
  "$root/scripts/openvino.sh" || say "building without OpenVINO"
}

build=(cmake --build --preset "$preset" -j "${GAMUT_JOBS:-$(jobs_that_fit)}")
if (($# > 0)); then build+=(--target "$@"); fi

openvino_folder="$(openvino)"
cmake --preset "$preset" -DGAMUT_OPENVINO="$openvino_folder" >"$log" 2>&1 </dev/null || failed
"${build[@]}" 2>&1 </dev/null | tee -a "$log" | show_progress || failed
