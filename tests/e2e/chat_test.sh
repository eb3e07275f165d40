#!/usr/bin/env bash
# gamut run and gamut chat with a tiny language model.
#
#   chat_test.sh GAMUT MAKE_TINY_MODEL
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
gamut=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$2" llama LlamaForCausalLM
"$2" base
cp base/vocab.txt llama/vocab.txt
. "$here/checks.sh"

chat_template='{% for m in messages %}{{ {"system": "paris", "user": "the", "assistant": "a"}[m.role] }} {{ m.content }} . {% endfor %}{% if add_generation_prompt %}a{% endif %}'

# run with prompts, and chat through a pipe: each line a turn.
chat() {
  expect 1 chat llama --json </dev/null
  has out '"code":"unsupported"'
  has out 'has no chat template'
  expect 0 run llama 'the cat' --max-new-tokens 4
  cp out plain
  expect 0 generate llama --prompt 'the cat' --max-new-tokens 4
  same out plain
  expect 0 run llama 'the cat' --max-new-tokens 4 --json
  has out '[[{"finish_reason":"length","generated_text":"the cat'
  printf '%s' "$chat_template" >llama/chat_template.jinja
  expect 0 run llama 'the cat' --max-new-tokens 4 --plain
  same out plain
  expect 0 run llama cat --max-new-tokens 4 --json
  has out '"role":"assistant"'
  expect 0 run llama cat dog --max-new-tokens 4
  has out '> dog'
  expect 1 run llama cat --parameters '{"top_kk": 1}' --json
  error invalid_argument
  expect 0 generate llama --prompt cat --max-new-tokens 4 --temperature 2 --seed 3
  cp out drawn
  expect 0 run llama cat --plain --max-new-tokens 4 --temperature 2 --seed 3
  same out drawn
  expect 0 run llama cat --plain --json --parameters '{"max_new_tokens": 4, "do_sample": true, "temperature": 2, "seed": 3}'
  has out '"seed":3'
  has out "$(tr -d '\n' <drawn)"
  expect 0 run llama cat --plain --json --max-new-tokens 2 --num-beams 3 --num-return-sequences 2 --early-stopping never
  has out '"score":'
  expect 1 run llama cat --plain --parameters '{"num_return_sequences": "x"}' --json
  error invalid_argument
  echo '{"num_beams": 2, "num_return_sequences": 2}' >llama/generation_config.json
  expect 0 run llama cat --plain --max-new-tokens 2
  has out '> cat'
  expect 0 generate llama --prompt cat --max-new-tokens 2
  lines out 2
  rm llama/generation_config.json
  expect 1 run llama cat --plain --parameters '{"do_sample": true, "temperature": -1}' --json
  error invalid_argument
  has out 'temperature'
  expect 0 run llama cat --plain --max-new-tokens 2 --logit-bias 1:-inf --logprobs 2 --json
  has out '"logprobs":'
  expect 1 chat llama --num-beams 2 --json <<<cat
  has out 'num_beams is 2'
  expect 0 chat llama --max-new-tokens 3 --temperature 0.5 --seed 1 --json <<<cat
  printf 'cat\n/system city\n\ndog\n"""\nmat\ncity\n"""\n/undo\n/reset\n//cat\nno end' >turns
  expect 0 chat llama --max-new-tokens 4 --json <turns
  lines out 5
  has out '"finish_reason":"length","context_full":false,"prompt_tokens":4,"computed_tokens":4,"new_tokens":4,'
  empty err
  expect 0 chat llama --max-new-tokens 4 <turns
  has err ' tokens/s; 4 of 4 prompt tokens were new'
  printf 'cat\n/exit\ndog\n' >turns
  expect 0 chat llama --max-new-tokens 4 --json --system city <turns
  lines out 1
  has out '"prompt_tokens":7,'
  # An error ends one turn.
  { printf 'cat\n'; for _ in $(seq 300); do printf 'dog '; done; printf '\n/nothing\ncat\n'; } >turns
  expect 1 chat llama --max-new-tokens 4 --json <turns
  lines out 4
  has out '"code":"resource_limit","message":"the conversation has '
  has out '/nothing'
  expect 1 chat llama --json <&-
  has out 'standard input: cannot be read'
  expect 0 info llama --json
  has out '"context":256'
  has out '"chat":true,"state_bytes":{"per_token":128,"per_text":0}'
  expect 0 info llama
  has out 'limits        256 tokens, vocabulary of 29'
  has out 'tasks         text-generation, '
}

chat
report
