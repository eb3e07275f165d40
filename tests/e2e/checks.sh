# Sourced by the tests of the program: runs it and checks what it says. $gamut is the program.
failures=0
checks=0

fail() {
  failures=$((failures + 1))
  printf 'FAILED  %s\n' "$*"
}

# expect CODE COMMAND…: runs gamut with that command line (and the test's stdin); leaves stdout and stderr in files.
expect() {
  local wanted=$1 code=0
  shift
  checks=$((checks + 1))
  command_line="gamut $*"
  "$gamut" "$@" >out 2>err || code=$?
  ((code == wanted)) || fail "$command_line: exit code $code, expected $wanted: $(head -c 300 out err)"
}

# has FILE TEXT: the file holds the text.
has() {
  checks=$((checks + 1))
  grep -qF -- "$2" "$1" || fail "$command_line: $1 lacks '$2': $(head -c 300 "$1")"
}

lines() {
  checks=$((checks + 1))
  (($(wc -l <"$1") == $2)) || fail "$command_line: $1 has $(wc -l <"$1") lines, expected $2"
}

same() {
  checks=$((checks + 1))
  cmp -s "$1" "$2" || fail "$command_line: $1 and $2 differ"
}

empty() {
  checks=$((checks + 1))
  [[ ! -s $1 ]] || fail "$command_line: $1 is not empty: $(head -c 300 "$1")"
}

# error CODE: stdout is the JSON form of an error with that code, and nothing else.
error() {
  lines out 1
  has out "{\"error\":{\"code\":\"$1\",\"hint\":\""
  has out '"message":"'
  empty err
}

# Ends the test.
report() {
  if ((failures > 0)); then
    echo "$failures of $checks checks failed"
    exit 1
  fi
  echo "$checks checks passed"
}
