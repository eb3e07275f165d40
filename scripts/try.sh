#!/usr/bin/env bash
# The first thing to run: sets up, builds, gets the published all-MiniLM-L6-v2 checkpoint and ranks sentences with it.
#
#   scripts/try.sh                              sentences of our own
#   scripts/try.sh QUERY SENTENCE [SENTENCE…]   yours: the others are printed by their similarity to the first
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

if (($# == 1)); then die "one sentence has nothing to be compared with: give a query and at least one more, or none"; fi
if (($# == 0)); then
  set -- "How do I reset my password?" \
    "I forgot my login and cannot get into my account." \
    "Change the passphrase in the security settings." \
    "The store opens at nine on Saturdays." \
    "Wie setze ich mein Kennwort zurück?" \
    "A cat sleeps on the warm windowsill."
fi

"$root/scripts/build.sh" release gamut
model="$("$root/scripts/minilm.sh")"
exec "$root/build/release/gamut" run "$model" --task sentence-similarity -- "$@"
