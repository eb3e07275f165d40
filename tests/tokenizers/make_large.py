#!/usr/bin/env python3
"""Writes tokenizers with large vocabularies, put together from the words of this machine's prose, to measure how long they
take to open and how fast they are.

    make_large.py FOLDER [--tokens 200000]     writes FOLDER/{o200k,unigram}/tokenizer.json
"""
import argparse
import json
import os

from cases import BYTES, O200K
from strings import all_prose
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers


def words():
    split = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(O200K), "isolated"), pre_tokenizers.ByteLevel(False, True, False)])
    counts = {}
    for texts in all_prose(4000).values():
        for text in texts:
            for word, _ in split.pre_tokenize_str(text):
                counts[word] = counts.get(word, 0) + 1
    return split, sorted(counts, key=lambda w: (-counts[w], w))


def byte_level(found, split, size):
    """Each frequent word as a chain of merges, halves first as a trained vocabulary has them."""
    vocab, merges = {c: i for i, c in enumerate(BYTES)}, []

    def add(piece):
        if piece in vocab:
            return
        left, right = piece[: (len(piece) + 1) // 2], piece[(len(piece) + 1) // 2 :]
        add(left)
        add(right)
        vocab[piece] = len(vocab)
        merges.append((left, right))

    for word in found:
        if len(vocab) >= size - 40:
            break
        if len(word) < 24:
            add(word)
    tokenizer = Tokenizer(models.BPE(vocab, merges, ignore_merges=True))
    tokenizer.pre_tokenizer, tokenizer.decoder = split, decoders.ByteLevel()
    return tokenizer


def unigram(found, size):
    plain = decoders.ByteLevel()
    pieces = {"<unk>": 0.0}
    for word in found:
        word = "▁" + plain.decode([word]).strip()
        for end in range(1, len(word) + 1):
            pieces.setdefault(word[:end], -5.0 - len(pieces) / 20000 - end / 7)
        if len(pieces) >= size:
            break
    tokenizer = Tokenizer(models.Unigram(list(pieces.items())[:size], unk_id=0))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    return tokenizer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--tokens", type=int, default=200000)
    args = parser.parse_args()
    split, found = words()
    for name, tokenizer in (("o200k", byte_level(found, split, args.tokens)), ("unigram", unigram(found, args.tokens))):
        folder = os.path.join(args.folder, name)
        os.makedirs(folder, exist_ok=True)
        tokenizer.save(os.path.join(folder, "tokenizer.json"), pretty=False)
        size = os.path.getsize(os.path.join(folder, "tokenizer.json"))
        print("%s: %d tokens, %d bytes" % (folder, tokenizer.get_vocab_size(), size))


if __name__ == "__main__":
    main()
