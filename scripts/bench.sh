#!/usr/bin/env bash
# Measures gamut beside OpenVINO, ONNX Runtime and PyTorch: sets up, builds, makes the Python environment, runs bench/bench.py.
#
#   scripts/bench.sh                                   all scenarios
#   scripts/bench.sh --scenarios minilm-1x16 --json    options go to bench/bench.py
#
# bench/README.md says what is measured, and how long it takes.
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

"$root/scripts/build.sh" release gamut benchmarks
python="$("$root/scripts/python_env.sh")"
"$root/scripts/minilm.sh" >/dev/null
exec "$python" "$root/bench/bench.py" "$@"
