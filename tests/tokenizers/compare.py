#!/usr/bin/env python3
"""Compares `gamut tokenize` with the `tokenizers` package on generated strings. Exit status 1 on any difference.

    compare.py GAMUT MODEL_FOLDER [--count 100000] [--seed 1]

MODEL_FOLDER holds tokenizer.json, or vocab.txt as transformers' BertTokenizer reads it. Checked: ids, tokens, offsets,
type ids and masks of texts and pairs; truncation and padding in several combinations; decoding with and without
special tokens; a copy of the tokenizer with added tokens of every kind.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

from strings import Strings, all_prose
from tokenizers import AddedToken, Tokenizer

FIELDS = ("ids", "tokens", "offsets", "type_ids", "attention_mask", "special_tokens_mask")


def says_its_case(folder):
    path = os.path.join(folder, "tokenizer_config.json")
    return os.path.exists(path) and "do_lower_case" in json.load(open(path, encoding="utf-8"))


def has_capitals(folder):
    """Whether more than one line in a hundred has a capital (docs/decisions/vocab-txt.md)."""
    with open(os.path.join(folder, "vocab.txt"), encoding="utf-8", newline="\n") as file:
        lines = file.read().split("\n")
    capitals = sum(line[:1] not in "[<" and any("A" <= c <= "Z" for c in line) for line in lines if line)
    return capitals * 100 > len(lines)


def oracle(folder):
    path = os.path.join(folder, "tokenizer.json")
    if os.path.exists(path):
        tokenizer = Tokenizer.from_file(path)
    else:
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        from transformers import BertTokenizer

        options = {} if says_its_case(folder) else {"do_lower_case": not has_capitals(folder)}
        tokenizer = BertTokenizer.from_pretrained(folder, **options).backend_tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def pad_token(folder, tokenizer):
    """The token and id that `gamut tokenize` pads with: the one that the files name, else the defaults of the package."""
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        path = os.path.join(folder, name)
        token = json.load(open(path, encoding="utf-8")).get("pad_token") if os.path.exists(path) else None
        token = token["content"] if isinstance(token, dict) else token
        if token and tokenizer.token_to_id(token) is not None:
            return {"pad_token": token, "pad_id": tokenizer.token_to_id(token)}
    return {"pad_token": "[PAD]", "pad_id": tokenizer.token_to_id("[PAD]") or 0}


def as_dict(encoding, overflowing):
    out = {f: getattr(encoding, f) for f in FIELDS}
    out["offsets"] = [list(o) for o in out["offsets"]]
    if overflowing:
        out["overflowing"] = [as_dict(o, False) for o in encoding.overflowing]
    return out


TOKENS_LINE = json.JSONEncoder(ensure_ascii=False).encode


def as_line(encoding):
    """What gamut writes for an encoding. Comparing lines is several times as fast as comparing what they say, and a line that
    is written otherwise is still compared by what it says."""
    offsets = str(encoding.offsets).replace("(", "[").replace(")", "]")
    return '{"ids": %s, "tokens": %s, "offsets": %s, "type_ids": %s, "attention_mask": %s, "special_tokens_mask": %s}' % (
        encoding.ids, TOKENS_LINE(encoding.tokens), offsets, encoding.type_ids, encoding.attention_mask, encoding.special_tokens_mask)


class Comparison:
    def __init__(self, gamut, timeout=600):
        self.gamut, self.timeout = gamut, timeout
        self.compared = self.differences = self.shown = 0

    def lines(self, folder, inputs, *flags):
        lines = "".join(json.dumps(i, ensure_ascii=False) + "\n" for i in inputs)
        done = subprocess.run([self.gamut, "tokenize", folder, *flags], input=lines.encode(), stdout=subprocess.PIPE, timeout=self.timeout)
        if done.returncode:
            sys.exit("gamut failed (%d) with %s" % (done.returncode, flags))
        return done.stdout.decode().split("\n")[:-1]

    def run(self, folder, inputs, *flags):
        return [json.loads(line) for line in self.lines(folder, inputs, *flags)]

    def check(self, what, inputs, expected, got):
        self.compared += len(inputs)
        if len(got) != len(inputs):
            self.differences += 1
            print("%s: %d lines for %d inputs" % (what, len(got), len(inputs)))
        for i, e, g in zip(inputs, expected, got):
            if e != g:
                self.differences += 1
                self.shown += 1
                if self.shown <= 10:
                    keys = [k for k in e if e[k] != g.get(k)]
                    print("%s: %s" % (what, ascii(i)[:400]))
                    for k in keys[:3]:
                        print("  %s\n    expected %s\n    got      %s" % (k, ascii(e[k])[:400], ascii(g.get(k))[:400]))

    def encode(self, what, tokenizer, folder, inputs, *flags, special=True, overflowing=False):
        pairs = [i if isinstance(i, str) else (i["text"], i["pair"]) for i in inputs]
        for at in range(0, len(inputs), 10000):  # the oracle's encodings are large
            part = inputs[at : at + 10000]
            encodings = tokenizer.encode_batch(pairs[at : at + 10000], add_special_tokens=special)
            got = self.lines(folder, part, *flags)
            if len(got) == len(part) and not overflowing:
                odd = [i for i, (e, g) in enumerate(zip(encodings, got)) if as_line(e) != g]
                self.compared += len(part) - len(odd)
                part, encodings, got = [[of[i] for i in odd] for of in (part, encodings, got)]
            self.check(what, part, [as_dict(e, overflowing) for e in encodings], [json.loads(g) for g in got])

    def decode(self, tokenizer, folder, ids):
        for skip, flags in ((True, ()), (False, ("--keep-special",))):
            expected = [{"text": t} for t in tokenizer.decode_batch(ids, skip_special_tokens=skip)]
            self.check("decode skip=%s" % skip, ids, expected, self.run(folder, ids, "--decode", *flags))
            streamed = self.run(folder, ids, "--decode", "--stream", *flags)
            found = [{"text": "".join(g["pieces"]), "pieces": len(g["pieces"])} for g in streamed]
            of_each = [{**e, "pieces": len(i) + 1} for e, i in zip(expected, ids)]  # one for each id, and the rest
            self.check("stream skip=%s" % skip, ids, of_each, found)


def with_added_tokens(tokenizer, folder):
    """Adds tokens of every kind, saves the tokenizer and returns their contents in several spellings."""
    options = [dict(zip(("lstrip", "rstrip", "single_word", "normalized"), map(bool, (i & 1, i & 2, i & 4, i & 8))))
               for i in range(16)]
    names = ["Tok%dé" % i for i in range(16)] + ["<s%d>" % i for i in range(16)]
    tokenizer.add_tokens([AddedToken(n, **o) for n, o in zip(names[:16], options)])
    tokenizer.add_special_tokens([AddedToken(n, **o) for n, o in zip(names[16:], options)])
    tokenizer.add_tokens([AddedToken("Tok1", normalized=False), AddedToken("中文", normalized=True), AddedToken("the")])
    tokenizer.save(os.path.join(folder, "tokenizer.json"))
    return names + ["TOK3E", "tok5e\u0301", "Tok1", "中文", "the"] + [n.upper() for n in names]


TRUNCATIONS = [(8, 0, "longest_first", "right"), (16, 3, "longest_first", "left"), (9, 2, "longest_first", "right"),
               (4, 0, "longest_first", "left"), (3, 0, "longest_first", "right"), (2, 0, "longest_first", "right")]


def truncations(comparison, tokenizer, folder, texts, pairs):
    for length, stride, strategy, side in TRUNCATIONS:
        tokenizer.enable_truncation(length, stride=stride, strategy=strategy, direction=side)
        tokenizer.enable_padding(direction=side, length=12, **pad_token(folder, tokenizer))
        flags = ["--max-length", str(length), "--stride", str(stride), "--strategy", strategy, "--truncation-side", side,
                 "--padding-side", side, "--pad-to", "12"]
        name = "truncation %s" % ((length, stride, strategy, side),)
        usable = lambda i: stride == 0 or isinstance(i, str)  # a pair's share of the length may fall below the stride
        inputs = [i for i in texts + pairs if usable(i)]
        comparison.encode(name, tokenizer, folder, inputs, *flags, overflowing=True)
        comparison.encode(name, tokenizer, folder, [i for i in inputs if isinstance(i, str)], *flags, "--no-special",
                          special=False, overflowing=True)
    tokenizer.no_padding()
    for strategy, index in (("only_first", 0), ("only_second", 1)):
        tokenizer.no_truncation()
        enough = [p for p in pairs if len(tokenizer.encode(p[("text", "pair")[index]], add_special_tokens=False).ids) > 6]
        longest = 6 + max([len(tokenizer.encode(p[("pair", "text")[index]], add_special_tokens=False).ids) for p in enough] + [0])
        tokenizer.enable_truncation(longest, stride=1, strategy=strategy)
        comparison.encode(strategy, tokenizer, folder, enough, "--max-length", str(longest), "--stride", "1", "--strategy",
                          strategy, overflowing=True)
    tokenizer.no_truncation()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gamut")
    parser.add_argument("folder")
    parser.add_argument("--count", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    strings, comparison, tokenizer = Strings(args.seed), Comparison(args.gamut), oracle(args.folder)

    texts = [strings.text() for _ in range(args.count * 6 // 10)]
    every = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    texts += ["a" + "b".join(every[at : at + 64]) + "c" for at in range(0, len(every), 64)]
    pairs = [{"text": strings.text(), "pair": strings.text()} for _ in range(args.count // 10)]
    comparison.encode("text", tokenizer, args.folder, texts)
    comparison.encode("pair", tokenizer, args.folder, pairs)
    languages = all_prose(args.count // 50)
    for language, found in languages.items():
        comparison.encode("prose " + language, tokenizer, args.folder, found + ["\n".join(found[:200])])
    some, few = texts[: args.count // 20], pairs[: args.count // 100]
    comparison.encode("no special", tokenizer, args.folder, some + few, "--no-special", special=False)
    comparison.encode("long", tokenizer, args.folder, ["".join(texts[at : at + 500]) for at in range(0, 5000, 500)])
    truncations(comparison, tokenizer, args.folder, some[:1000], few[:300])
    size = tokenizer.get_vocab_size()
    ids = [[strings.random.randrange(size + 5) for _ in range(strings.random.randrange(20))] for _ in range(args.count // 20)]
    comparison.decode(tokenizer, args.folder, ids + [e.ids for e in tokenizer.encode_batch(some)])

    with tempfile.TemporaryDirectory() as folder:
        strings.added = with_added_tokens(tokenizer, folder)
        comparison.encode("added tokens", tokenizer, folder, [strings.text() for _ in range(args.count * 3 // 10)])
        comparison.decode(tokenizer, folder, [e.ids for e in tokenizer.encode_batch([strings.text() for _ in range(2000)])])
    print("%d strings compared, %d differences" % (comparison.compared, comparison.differences))
    return 1 if comparison.differences else 0


if __name__ == "__main__":
    sys.exit(main())
