#!/usr/bin/env bash
# Gets OpenVINO (once) and prints the folder with its headers, CMake files and libraries.
#
# They come inside a Python package, so pip as it is configured here is enough; the package is unpacked, not installed, and no Python
# runs afterwards. The version is pinned: the libraries' names change with every release, and the tests name its kernels.
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

package=openvino==2026.4.1
target="$cache/openvino-${package##*==}"

unpack_wheel "$package" "60 MB" "$target"
printf '%s\n' "$target/openvino"
