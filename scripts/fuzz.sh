#!/usr/bin/env bash
# Builds the fuzzers of fuzz/ with Clang and runs them under AddressSanitizer and UndefinedBehaviorSanitizer.
#
#   scripts/fuzz.sh TARGET [EXECUTIONS]   one fuzzer, e.g. scripts/fuzz.sh config 1000000
#   scripts/fuzz.sh all [EXECUTIONS]      each of them in turn
#   scripts/fuzz.sh --short               each for a few seconds, as CI does
#
# Seeds are in fuzz/corpus/TARGET; what a run learns goes to build/fuzz/corpus/TARGET and helps the next one. An input that is
# a finding goes to build/fuzz/findings/. GAMUT_FUZZ_SECONDS: the most seconds a fuzzer may run.
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

folder="$root/build/fuzz"
default_executions=1000000
short_seconds=6

# The longest input that a target gets: long enough for all that the format can say, short enough to be fast.
longest_input() {
  case "$1" in
    text) echo 256 ;;
    shard_index) echo 512 ;;
    config | vocab_txt) echo 1024 ;;
    torch_tar) echo 12288 ;;
    *) echo 2048 ;;
  esac
}

# Whether libFuzzer prefers inputs with rare features; for text the bookkeeping takes longer than the executions.
prefers_rare() {
  case "$1" in
    text) echo 0 ;;
    *) echo 1 ;;
  esac
}

targets() {
  find "$root/fuzz" -maxdepth 1 -name '*.cpp' -printf '%f\n' | sed 's/\.cpp$//' | sort
}

# fuzz TARGET OPTION…: fails when there is a finding.
fuzz() {
  local target="$1" log="$folder/$1.log" started=$SECONDS
  shift
  mkdir -p "$folder/corpus/$target" "$folder/findings"
  if "$folder/fuzz/fuzz_$target" -max_len="$(longest_input "$target")" -entropic="$(prefers_rare "$target")" -rss_limit_mb=2048 -timeout=120 -print_final_stats=1 \
    -dict="$root/fuzz/dictionaries/$target.dict" -artifact_prefix="$folder/findings/$target-" "$@" \
    "$folder/corpus/$target" "$root/fuzz/corpus/$target" >"$log" 2>&1 </dev/null; then
    printf '%-16s %12s executions in %d s\n' "$target" "$(awk '/number_of_executed_units/ { print $2 }' "$log")" \
      $((SECONDS - started))
  else
    tail -n 60 "$log" >&2
    say "$target: a finding; the whole output is in $log"
    return 1
  fi
}

build() {
  "$root/scripts/setup.sh" --fuzz
  "$root/scripts/build.sh" fuzz fuzzers
}

# A leak is a finding too. Short stacks of allocations and a small quarantine double the speed; a use after return is what
# the asan preset's tests look for, since it would cost a third here.
fast=malloc_context_size=2:quarantine_size_mb=8:detect_stack_use_after_return=0
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1:$fast}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

case "${1:-}" in
  "") die "which fuzzer? one of: $(targets | xargs), all, --short" ;;
  --short)
    build
    limits=(-max_total_time="$short_seconds")
    mapfile -t chosen < <(targets)
    ;;
  all)
    build
    limits=(-runs="${2:-$default_executions}" -max_total_time="${GAMUT_FUZZ_SECONDS:-0}")
    mapfile -t chosen < <(targets)
    ;;
  *)
    [[ -f "$root/fuzz/$1.cpp" ]] || die "no fuzzer $1; there are: $(targets | xargs)"
    build
    limits=(-runs="${2:-$default_executions}" -max_total_time="${GAMUT_FUZZ_SECONDS:-0}")
    chosen=("$1")
    ;;
esac
failed=()
for target in "${chosen[@]}"; do
  fuzz "$target" "${limits[@]}" || failed+=("$target")
done
((${#failed[@]} == 0)) || die "findings in: ${failed[*]}"
