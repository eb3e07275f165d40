#!/usr/bin/env bash
# Every command of the gamut program on a tiny model: results, both forms, exit codes, errors.
#
#   cli_test.sh GAMUT MAKE_TINY_MODEL WRONG_BACKEND
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
gamut=$1
make_model=$2
wrong_backend=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$make_model" base
"$make_model" masked BertForMaskedLM
"$make_model" labels BertForTokenClassification
"$make_model" llama LlamaForCausalLM
. "$here/checks.sh"

wrong_usage() {
  expect 0 --help
  has out embed
  expect 0 embed --help
  has out MODEL
  expect 2
  empty out
  has err 'gamut: '
  expect 2 dance
  expect 2 embed
  expect 2 embed base --no-such-option
  expect 2 embed base a --threads -1
  expect 2 bench base --runs 0
  expect 2 forward base
  expect 2 dance --json
  error bad_usage
  expect 2 embed --json
  error bad_usage
}

embed() {
  printf 'the cat\r\n\r\nparis is a city\n' >texts.txt
  expect 0 embed base 'the cat' '' 'paris is a city' --json
  lines out 3
  empty err
  has out '{"embedding": ['
  cp out wanted
  expect 0 embed base --json --file texts.txt
  same out wanted
  expect 0 embed base --json <texts.txt
  same out wanted
  expect 0 embed base --json --backend reference 'the cat'
  lines out 1
  expect 0 embed base <texts.txt
  lines out 3
  expect 0 embed base </dev/null
  empty out
  printf 'no newline at the end' >texts_open.txt
  expect 0 embed base <texts_open.txt
  lines out 1
}

errors() {
  expect 1 embed nowhere text
  empty out
  has err 'gamut: nowhere: no such model folder'
  expect 1 embed nowhere text --json
  error not_found
  expect 1 embed base --file nowhere.txt --json
  error not_found
  expect 1 embed base --file . --json
  error io
  expect 1 embed base text --backend abacus --json
  error unsupported
  expect 1 embed base text --precision int3 --json
  error unsupported
  expect 1 embed base text --instruction-set mmx --json
  error invalid_argument
  mkdir -p broken
  cp base/config.json base/vocab.txt broken
  head -c 1000 base/model.safetensors >broken/model.safetensors
  expect 1 embed broken text --json
  error invalid_file
  expect 1 info labels --head BertForDancing --json
  error unsupported
}

# The program alone: everything else works, and that the module is missing is said with what to do.
without_openvino() {
  local real=$gamut
  mkdir -p alone
  cp "$real" alone/gamut
  gamut=$work/alone/gamut
  expect 1 embed base text --backend openvino --json
  error unsupported
  has out 'backend openvino cannot be used here'
  has out 'scripts/openvino.sh'
  expect 0 embed base text --json
  lines out 1
  expect 0 doctor
  has out 'works on cpu, reference'
  has out 'scripts/openvino.sh'
  expect 0 doctor --json
  has out '{"name":"openvino","available":false,"version":null,"devices":[],"self_test":"not run: '
  has out '"install":"scripts/openvino.sh'
  gamut=$real
}

openvino() {
  without_openvino
  if [[ ! -f $(dirname "$gamut")/gamut_openvino.so ]]; then return; fi
  expect 0 embed base --json --backend openvino --cache-folder compiled 'the cat'
  lines out 1
  cp out first
  checks=$((checks + 1))
  (($(find compiled -name '*.ovmodel' | wc -l) == 1)) || fail "the compiled model was not kept: $(ls compiled)"
  expect 0 embed base --json --backend openvino --cache-folder compiled 'the cat'
  same out first
  expect 0 embed base --json --backend openvino --cache-folder '' --device AUTO 'the cat'
  lines out 1
  expect 0 generate llama --ids 3,1,4 --max-new-tokens 5 --backend openvino --precision f32 --cache-folder ''
  cp out openvino_ids
  expect 0 generate llama --ids 3,1,4 --max-new-tokens 5
  cmp -s out openvino_ids || fail 'openvino generates other tokens'
  expect 1 embed base text --backend openvino --device GPU.7 --json
  error unsupported
  has out 'device \"GPU.7\" is not one that OpenVINO finds here'
  expect 1 embed base text --device GPU --json
  error unsupported
  has out 'device \"GPU\" is not one of the backend cpu'
  expect 1 embed base text --backend openvino --instruction-set avx2 --json
  error unsupported
}

run() {
  expect 0 run masked 'the [MASK] sat'
  lines out 6
  expect 0 run masked 'the [MASK] sat' 'a [MASK] , a [MASK]' --json
  lines out 1
  has out '"token_str":'
  expect 0 run masked 'the [MASK]' --json --parameters '{"top_k": 1, "targets": ["cat"]}'
  has out '"token_str":"cat"'
  expect 1 run masked 'no mask' --json
  error invalid_argument
  expect 1 run masked '[MASK]' --parameters '{"topk": 1}' --json
  error invalid_argument
  expect 1 run masked '[MASK]' --parameters nonsense --json
  error invalid_argument
  expect 1 run labels 'the cat' --json
  error unsupported
  expect 0 run labels 'the cat' --task feature-extraction
  expect 1 run base 'the cat' --task juggling --json
  error unsupported
  expect 0 run base --task sentence-similarity 'the cat' 'the cat' 'a dog'
  lines out 2
  has out '  the cat'
  expect 0 run base 'the cat'
  has out '4 tokens of  16 numbers:'
  expect 0 run base texts.txt --json
  cp out wanted
  expect 0 run base --file texts.txt --out result.json
  empty out
  same result.json wanted
  expect 1 run base 'the cat' --out nowhere/result.json --json
  error io
  expect 0 run base --json </dev/null
  printf '[]\n' >wanted
  same out wanted
}

forward() {
  expect 0 forward base --inputs base/inputs.safetensors --outputs got.safetensors
  has out 'last_hidden_state F32[2,4,16]'
  has out 'pooler_output F32[2,16]'
  expect 0 forward base --inputs base/inputs.safetensors --outputs again.safetensors --json --scalars '{"return_dict": true}'
  has out '{"head":"BertModel","outputs":{"last_hidden_state":{"dtype":"F32","shape":[2,4,16]}'
  same got.safetensors again.safetensors
  expect 0 forward masked --inputs base/inputs.safetensors --outputs other.safetensors --head BertForMaskedLM
  has out 'logits F32[2,4,22]'
  expect 1 forward base --inputs nowhere.safetensors --outputs x.safetensors --json
  error not_found
  expect 1 forward base --inputs base/config.json --outputs x.safetensors --json
  error invalid_file
  expect 1 forward base --inputs base/model.safetensors --outputs x.safetensors --json
  error invalid_argument
  expect 1 forward base --inputs base/inputs.safetensors --outputs nowhere/x.safetensors --json
  error io
  expect 1 forward base --inputs base/inputs.safetensors --outputs x.safetensors --scalars '{"beam": 3}' --json
  error unsupported
  [[ ! -e x.safetensors ]] || fail 'a failed forward left its output behind'
}

generate() {
  expect 0 generate llama --ids 3,1,4 --max-new-tokens 5 --json
  lines out 1
  has out '"finish_reason":"length","prompt_tokens":3}'
  expect 0 generate llama --inputs llama/inputs.safetensors --outputs rows.safetensors --max-new-tokens 3 --greedy
  has out 'logits F32[2,3,29]'
  has out 'sequences I64[2,7]'
  expect 1 generate llama --ids 3,29 --json
  has out '29 at 1 is outside [0, 29)'
  expect 1 generate llama --prompt text --json
  error not_found
  expect 1 generate llama --ids 3 --stop end --json
  error invalid_argument
  expect 1 generate masked --ids 3 --json
  error unsupported
  expect 1 generate llama --ids 3 --max-new-tokens 1 --min-new-tokens 2 --json
  error invalid_argument
  expect 0 generate llama --ids 3,1,4 --max-new-tokens 9 --temperature 1.5 --seed 7 --logprobs 2 --json
  has out '"seed":7,"logprobs":[{"id":'
  cp out drawn
  expect 0 generate llama --ids 3,1,4 --max-new-tokens 9 --temperature 1.5 --seed 7 --logprobs 2 --json --threads 1
  cmp -s out drawn || fail 'a seed gives other tokens'
  expect 0 generate llama --ids 3,1,4 --max-new-tokens 5 --num-beams 4 --num-return-sequences 2 --json
  lines out 2
  has out '"score":'
  expect 1 generate llama --ids 3 --temperature 0 --json
  has out 'temperature: 0 is not a finite number above 0'
  expect 1 generate llama --ids 3 --logit-bias 29:1 --json
  has out 'sequence_bias: 29 is outside [0, 29)'
  expect 0 info llama
  has out 'LlamaForCausalLM'
  expect 0 info llama --graph
  has out 'state=layer.1'
  expect 0 forward llama --inputs llama/inputs.safetensors --outputs logits.safetensors
  has out 'logits F32[2,4,29]'
  expect 0 bench llama --tokens 4 --runs 1
  # With a tokenizer: lines of standard input are prompts, one that is empty has an error of its own.
  cp base/vocab.txt llama/vocab.txt
  expect 0 run llama 'the cat' --task feature-extraction --head LlamaModel --json
  expect 0 generate llama --prompt 'the cat' --max-new-tokens 4
  lines out 1
  printf 'the cat\nparis\n' >prompts
  expect 0 generate llama --max-new-tokens 4 --json <prompts
  lines out 2
}

tokenize() {
  printf '"the cats"\n{"text": "a cat", "pair": "a dog"}\n\n""\r\n' >lines.json
  expect 0 tokenize base <lines.json
  lines out 3
  has out '"tokens": ["[CLS]", "the", "cat", "##s", "[SEP]"]'
  has out '"offsets": [[0, 0], [0, 3], [4, 7], [7, 8], [0, 0]]'
  has out '"type_ids": [0, 0, 0, 0, 1, 1, 1]'
  printf '[2, 7, 13, 15, 3]\n' >ids.json
  expect 0 tokenize base --decode <ids.json
  has out '{"text": "the cats"}'
  expect 0 tokenize base --decode --keep-special <ids.json
  has out '{"text": "[CLS] the cats [SEP]"}'
  printf 'not json\n' >bad.json
  expect 1 tokenize base --json <bad.json
  error invalid_argument
  expect 1 tokenize nowhere --json <lines.json
  error not_found
}

describe() {
  expect 0 info base
  has out 'model type    bert'
  expect 0 info base --json
  lines out 1
  has out '{"model_type":"bert","architecture":"BertModel"'
  has out '"unused_tensors":[]'
  expect 0 info base --graph
  has out 'graph encode {'
  expect 0 info base --graph --json
  has out '{"graph":"graph encode {'
  expect 1 info nowhere --json
  error not_found
  expect 0 models
  has out BertForMaskedLM
  expect 0 models --json
  lines out 1
  has out '{"models":[{"model_type":"'
}

convert() {
  expect 0 embed base 'the cat' --json
  cp out wanted
  expect 0 convert base --out converted --json
  has out '{"files":["model.safetensors"],"copied":['
  expect 0 embed converted 'the cat' --json
  same out wanted
  expect 1 convert base --out converted --json
  error invalid_argument
  expect 0 convert base --out converted --force
  expect 1 convert nowhere --out nothing
}

bench() {
  expect 0 bench base --tokens 8 --batch 2 --runs 1 --threads 1 --json
  lines out 3
  has out '{"what":"load","ms":'
  has out '{"what":"forward","batch":2,"tokens":8,"ms_min":'
  has out '"runs":1,'
  has out '{"what":"peak_memory","bytes":'
  expect 0 bench base --text texts.txt --runs 1
  has out '{"what":"tokenize",'
  expect 1 bench base --text nowhere.txt --json
  error not_found
  expect 1 bench base --tokens 33 --runs 1
  has err 'the model takes at most 32'
  expect 1 bench base --decode 5 --json
  has out '"code":"unsupported"'
}

doctor() {
  expect 0 doctor
  has out 'gamut 0'
  has out ' works on cpu'
  has out 'instruction set '
  has out 'self-test: error '
  empty err
  GAMUT_CACHE_DIR=$work/cache/deep expect 0 doctor --json
  lines out 1
  empty err
  has out '{"healthy":true,"failures":[],'
  has out '"backends":[{"name":"cpu","available":true,"version":"'
  has out '"devices":["CPU"],"self_test":"ok","device_tests":[{"device":"CPU",'
  has out '{"name":"reference","available":true,'
  has out '"dependencies":[{"name":"OpenVINO","available":'
  has out "\"cache\":{\"folder\":\"$work/cache/deep\",\"exists\":false,\"writable\":true,"
  GAMUT_CACHE_DIR=/dev/null/deep expect 0 doctor
  has out 'cache folder /dev/null/deep cannot be written'
  expect 2 doctor base
  bad_modules
}

# The program beside a module that cannot be opened: absent. Beside one that computes wrongly: a failure.
bad_modules() {
  local real=$gamut
  mkdir -p wrong
  cp "$real" wrong/gamut
  gamut=$work/wrong/gamut
  echo 'no module' >wrong/gamut_openvino.so
  expect 0 doctor --json
  has out '{"name":"openvino","available":false,"version":null,"devices":[],"self_test":"not run: '
  has out '"install":"scripts/openvino.sh'
  cp "$wrong_backend" wrong/gamut_openvino.so
  expect 1 doctor
  has out 'FAILS on openvino, works on cpu, reference'
  has out 'FAILURE       backend openvino fails its self-test on GPU: '
  empty err
  expect 1 doctor --json
  lines out 1
  has out '{"healthy":false,"failures":[{"message":"backend openvino fails its self-test on CPU: '
  has out '"self_test":"CPU: '
  gamut=$real
}

full_device() {
  [[ -w /dev/full ]] || return 0
  local code=0
  for arguments in models 'embed base text' 'info base' 'info base --graph' 'run base text --json' 'bench base --tokens 4 --runs 1' doctor 'run llama cat --max-new-tokens 2'; do
    checks=$((checks + 1))
    code=0
    # shellcheck disable=SC2086
    "$gamut" $arguments >/dev/full 2>err || code=$?
    ((code == 1)) || fail "gamut $arguments to a full device: exit code $code, expected 1"
  done
}

for part in wrong_usage embed errors run forward generate tokenize describe convert bench doctor full_device; do "$part"; done
report
