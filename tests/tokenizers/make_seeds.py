#!/usr/bin/env python3
"""Writes a seed for the fuzzer of tokenizer.json for each component of cases.py, over a model of a few tokens.

    make_seeds.py [FOLDER]     default: fuzz/corpus/tokenizer_json
"""
import json
import os
import re
import sys

from cases import GROUPS
from refusals import BASE, REFUSED

FIELDS = {"normalizer": "normalizer", "pre_tokenizer": "pre_tokenizer", "decoder": "decoder"}
BPE = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "Ġ": 3, "<0xC3>": 4, "##b": 5, "b</w>": 6, "<unk>": 7, "▁": 8, "Ã": 9}, "merges": [["a", "b"]]}
MODELS = {
    "bpe": BPE,
    "bpe_unknown": {**BPE, "unk_token": "<unk>", "fuse_unk": True},
    "bpe_fallback": {**BPE, "unk_token": "<unk>", "byte_fallback": True},
    "bpe_affixes": {**BPE, "unk_token": "<unk>", "continuing_subword_prefix": "##", "end_of_word_suffix": "</w>", "merges": ["a ##b"]},
    "bpe_ignore_merges": {**BPE, "ignore_merges": True},
    "unigram": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0], ["ab", -1.5], ["▁", -2.0]]},
    "unigram_fallback": {"type": "Unigram", "unk_id": 0, "byte_fallback": True, "vocab": [["<unk>", 0.0], ["a", -1.0], ["<0xC3>", -3.0]]},
    "word_level": {"type": "WordLevel", "unk_token": "<unk>", "vocab": {"<unk>": 0, "a": 1}},
    "word_piece": {"type": "WordPiece", "unk_token": "<unk>", "continuing_subword_prefix": "##", "max_input_chars_per_word": 9, "vocab": {"<unk>": 0, "a": 1, "##b": 2}},
}


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../../fuzz/corpus/tokenizer_json")

    def write(name, file):
        with open(os.path.join(folder, re.sub(r"\W+", "_", name).strip("_")[:48]), "w", encoding="utf-8") as out:
            json.dump(file, out, ensure_ascii=False, separators=(",", ":"))

    for name, model in MODELS.items():
        write(name, {**BASE, "model": model})
    for group, field in FIELDS.items():
        for name, make in GROUPS[group]():
            if "removed" in name or re.search(r"BertNormalizer ([1-9]|1[0-5])$", name):
                continue  # differs from a neighbour in one word
            part = json.loads(make().to_str())[field]
            write("%s_%s" % (group, name), {**BASE, "model": BPE, field: part})
    for i, (change, _) in enumerate(REFUSED):
        if len(json.dumps(change)) < 2000:
            write("refused_%02d" % i, {**BASE, **change})


if __name__ == "__main__":
    main()
