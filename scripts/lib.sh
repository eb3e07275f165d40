# Sourced by the other scripts: where things are, how they speak, how packages are installed.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cache="${GAMUT_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/gamut}"
mkdir -p "$cache"

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }

die() {
  say "$@"
  exit 1
}

# quietly LOG COMMAND…: runs it with its output added to LOG; when it fails, shows the end of the output and exits.
quietly() {
  local log="$1"
  shift
  "$@" >>"$log" 2>&1 </dev/null || {
    tail -n 20 "$log" >&2
    die "failed: $1; the whole output is in $log"
  }
}

# missing_packages PACKAGE…: those of them that are not installed, one per line.
missing_packages() {
  local package
  for package in "$@"; do
    [[ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" == installed ]] || echo "$package"
  done
}

# need_packages PACKAGE…: installs what is missing of Debian's packages, and says so.
need_packages() {
  local log="$cache/apt.log" missing as_root=()
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "this is no Debian, so nothing is installed; what Debian calls $* has to be here"
    return
  fi
  mapfile -t missing < <(missing_packages "$@")
  if ((${#missing[@]} == 0)); then return; fi
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      die "these packages are missing and only root can install them: apt-get install ${missing[*]}"
    as_root=(sudo)
    sudo -v || die "these packages are missing and sudo was refused: apt-get install ${missing[*]}"
  fi
  say "installing with apt-get: ${missing[*]}"
  : >"$log"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600)
  quietly "$log" "${apt[@]}" update
  quietly "$log" "${apt[@]}" install --yes --no-install-recommends "${missing[@]}"
}

has_venv() { python3 -c 'import ensurepip, venv' >/dev/null 2>&1; }

python_packages=(python3 python3-venv ca-certificates)

# A python3 that can make virtual environments, whoever provides it.
need_venv() {
  if has_venv; then return; fi
  need_packages "${python_packages[@]}"
  has_venv || die "python3 ($(command -v python3)) cannot make virtual environments"
}

# pip_python LOG: a python with pip: the system's own, or else a small environment beside the cache's other files.
pip_python() {
  local log="$1"
  if python3 -m pip --version >/dev/null 2>&1; then
    echo python3
  else
    need_venv
    [[ -x "$cache/pip/bin/python" ]] || python3 -m venv "$cache/pip" >>"$log" 2>&1
    echo "$cache/pip/bin/python"
  fi
}

# unpack_wheel PACKAGE SIZE TARGET: gets a Python package (once; two at once: the second waits) and unpacks it to TARGET,
# installed nowhere. `check_unpacked FOLDER`, where the script has one, refuses a content that is not the expected.
unpack_wheel() {
  local package="$1" size="$2" target="$3" log="$3.log" unfinished="$3.unfinished" python
  if [[ -d "$target" ]]; then return; fi
  exec 9>"$target.lock"
  flock 9
  if [[ ! -d "$target" ]]; then
    : >"$log"
    rm -rf "$unfinished"
    mkdir -p "$unfinished/download"
    python="$(pip_python "$log")"
    say "downloading $package ($size)"
    "$python" -m pip download --no-deps --no-input --disable-pip-version-check --only-binary :all: --dest "$unfinished/download" "$package" \
      >>"$log" 2>&1 || { tail -n 20 "$log" >&2; rm -rf "$unfinished"; die "failed; the whole output is in $log"; }
    python3 -m zipfile -e "$unfinished"/download/*.whl "$unfinished"
    rm -rf "$unfinished/download"
    if declare -F check_unpacked >/dev/null && ! check_unpacked "$unfinished"; then
      rm -rf "$unfinished"
      die "$package does not hold the expected files (their sha256 differ)"
    fi
    mv "$unfinished" "$target"
  fi
  exec 9>&-
}
