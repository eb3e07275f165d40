#!/usr/bin/env bash
# Gets OpenVINO (once) and prints the folder with its headers, CMake files and libraries.
#
# They come inside a Python package, so pip as it is configured here is enough; the package is unpacked, not installed, and no Python
# runs afterwards. The version is pinned: the libraries' names change with every release, and the tests name its kernels.
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

package=openvino==2026.4.1
target="$cache/openvino-${package##*==}"
log="$cache/openvino.log"

fetch() {
  local unfinished="$target.unfinished" python
  rm -rf "$unfinished"
  mkdir -p "$unfinished/download"
  python="$(pip_python "$log")"
  say "downloading $package (60 MB)"
  "$python" -m pip download --no-deps --no-input --disable-pip-version-check --only-binary :all: --dest "$unfinished/download" "$package" \
    >>"$log" 2>&1 || { tail -n 20 "$log" >&2; rm -rf "$unfinished"; die "failed; the whole output is in $log"; }
  python3 -m zipfile -e "$unfinished"/download/*.whl "$unfinished"
  rm -rf "$unfinished/download"
  mv "$unfinished" "$target"
}

if [[ ! -d "$target" ]]; then
  exec 9>"$cache/openvino.lock"
  flock 9
  if [[ ! -d "$target" ]]; then
    : >"$log"
    fetch
  fi
  exec 9>&-
fi
printf '%s\n' "$target/openvino"
