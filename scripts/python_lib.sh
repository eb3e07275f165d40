# Sourced by the scripts that need the system's Python: where the cache is, and a python3 that can make virtual environments.

cache="${GAMUT_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/gamut}"
mkdir -p "$cache"

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }

has_venv() { python3 -c 'import ensurepip, venv' >/dev/null 2>&1; }

# Installs python3-venv where that is possible and missing; $1: a file for apt's output.
need_venv() {
  if has_venv; then return; fi
  if [[ $EUID -ne 0 ]] || ! command -v apt-get >/dev/null; then
    say "python3 cannot make virtual environments; install python3 and python3-venv with the system's package manager"
    exit 1
  fi
  say "installing python3-venv with apt-get"
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y python3 python3-venv; } >>"$1" 2>&1 ||
    { tail -n 20 "$1" >&2; say "apt-get failed; its output is in $1"; exit 1; }
  has_venv || { say "python3 ($(command -v python3)) still cannot make virtual environments"; exit 1; }
}
