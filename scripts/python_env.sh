#!/usr/bin/env bash
# Makes (once) the Python environment of tests/requirements.txt and prints the path of its python.
#
#   python=$(scripts/python_env.sh) && "$python" tests/parity/make_cases.py check
#
# It lies in ${GAMUT_CACHE_DIR:-${XDG_CACHE_HOME:-~/.cache}/gamut}, named by the hash of the requirements, so a changed pin makes a new
# one. Use `python -m tool` in it: it is built under a temporary name, which the tools in bin/ remember.
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

requirements="$root/tests/requirements.txt"
environment="$cache/python-$(sha256sum <"$requirements" | cut -c1-12)"
log="$cache/python_env.log"

build() {
  local unfinished="$environment.unfinished"
  rm -rf "$unfinished"
  say "making $environment (torch and its peers are some gigabytes; output in $log)"
  { python3 -m venv "$unfinished" &&
    "$unfinished/bin/python" -m pip install --no-input --disable-pip-version-check -r "$requirements"; } >>"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; rm -rf "$unfinished"; say "failed; the whole output is in $log"; exit 1; }
  mv "$unfinished" "$environment"
}

if [[ ! -d "$environment" ]]; then
  exec 9>"$cache/python_env.lock"
  flock 9 # two at once: the second waits, and finds the work done
  if [[ ! -d "$environment" ]]; then
    : >"$log"
    need_venv
    build
  fi
  exec 9>&-
fi
printf '%s\n' "$environment/bin/python"
