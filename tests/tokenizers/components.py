#!/usr/bin/env python3
"""Compares `gamut tokenize` with the `tokenizers` package, one tokenizer for each component and option (cases.py).

    components.py GAMUT [--count 100000] [--seed 1] [--only TEXT] [--jobs N]

Each tokenizer sees the same `--count` generated strings, pairs among them, and prose; ids, tokens, offsets, type ids, masks and decoded
text must be equal; a class of characters is tried on every code point (on some thousand with few strings); and where the package raises an error gamut must end with one; where it panics gamut may do better. Exit
status 1 on any difference.
"""
import argparse
import concurrent.futures
import functools
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time

from cases import GROUPS
from compare import Comparison, with_added_tokens
from refusals import check_refusals
from strings import Strings, all_prose
from tokenizers import Tokenizer

STRIDES = ((5, 0), (9, 2), (12, 4), (3, 1), (2, 0), (1, 0), (0, 0))


@functools.lru_cache(1)
def shared_inputs(seed, count):
    """Texts and pairs; making them takes longer than comparing them."""
    strings = Strings(seed)
    return ([strings.short() for _ in range(count * 8 // 10)],
            [{"text": strings.short(), "pair": strings.short()} for _ in range(count // 10)])


@functools.lru_cache(1)
def code_points(count):
    """Texts of all code points; with few strings the first 12,288 and a share of the others."""
    every = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    texts = ["".join(every[at : at + 512]) for at in range(0, len(every), 512)]
    return texts if count >= 2000 else texts[:24] + texts[24 :: 40]


@functools.lru_cache(1)
def some_prose(count):
    return [t for found in all_prose(max(1, count // 1000)).values() for t in found] if count >= 1000 else []


class Case:
    """One tokenizer, saved to a folder of its own, and the strings that it sees."""

    def __init__(self, gamut, group, name, make, count, seed, folder):
        self.what, self.group, self.folder, self.count = "%s %s" % (group, name), group, folder, count
        self.comparison = Comparison(gamut, 20 + count // 50)
        self.strings, self.seed = Strings("%d %s" % (seed, self.what)), seed
        made = make()
        text = made if isinstance(made, str) else made.to_str()
        with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as file:
            file.write(text)
        self.oracle = Tokenizer.from_str(text)

    def inputs(self):
        if self.group != "added":
            return shared_inputs(self.seed, self.count)
        self.strings.added = with_added_tokens(self.oracle, self.folder)
        texts = [self.strings.short() for _ in range(self.count * 8 // 10)]
        return texts, [{"text": self.strings.short(), "pair": self.strings.short()} for _ in range(self.count // 10)]

    def run(self):
        if self.group == "class":
            self.encode(code_points(self.count))
        elif self.group == "decoder":
            self.decode(self.count)
        elif self.group == "truncation":
            self.truncate()
        else:
            texts, pairs = self.inputs()
            texts = texts + some_prose(self.count)
            self.encode(texts)
            self.encode(pairs)
            few = (texts + pairs)[:: max(1, self.count // 100)]
            self.encode(few, "--no-special", special=False)
            self.decode(self.count // 10, texts[: self.count // 100 + 20])
        return self.comparison

    def usable(self, inputs, special):
        """The inputs on which the package raises no error; gamut has to refuse some of the others."""
        pair = lambda i: i if isinstance(i, str) else (i["text"], i["pair"])
        good, bad = [], []
        for i in inputs:
            try:
                if isinstance(i, str):
                    self.oracle.encode(i, add_special_tokens=special)
                else:
                    self.oracle.encode(*pair(i), add_special_tokens=special)
                good.append(i)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # a panic of the package is no Exception
                bad.append((i, not isinstance(error, Exception)))
        return good, bad

    def encode(self, inputs, *flags, special=True, overflowing=False, may_fail=False):
        bad = []
        if may_fail:
            inputs, bad = self.usable(inputs, special)
        try:
            self.comparison.encode(self.what, self.oracle, self.folder, inputs, *flags, special=special, overflowing=overflowing)
        except (KeyboardInterrupt, SystemExit, subprocess.TimeoutExpired):
            raise
        except BaseException:
            if may_fail:
                raise
            return self.encode(inputs, *flags, special=special, overflowing=overflowing, may_fail=True)
        for i, panics in bad[:3]:
            line = json.dumps(i, ensure_ascii=False).encode()
            done = subprocess.run([self.comparison.gamut, "tokenize", self.folder, *flags], input=line, capture_output=True)
            self.comparison.compared += 1
            refuses = done.returncode == 1 and done.stderr.startswith(b"gamut: ")
            if not refuses and not (panics and done.returncode == 0):
                self.comparison.differences += 1
                print("%s: the package refuses %s, gamut ends with %d" % (self.what, ascii(i)[:200], done.returncode))

    def decode(self, count, texts=()):
        size, r = self.oracle.get_vocab_size(), self.strings.random
        ids = [[r.randrange(size + 2) for _ in range(r.randrange(9))] for _ in range(count)]
        ids += [self.oracle.encode(t).ids for t in (self.usable(texts, True)[0] if texts else [])]
        self.comparison.decode(self.oracle, self.folder, [i for i in ids if self.decodes(i)])

    def decodes(self, ids):
        """Whether the package decodes these without a panic."""
        try:
            self.oracle.decode(ids, skip_special_tokens=True)
            self.oracle.decode(ids, skip_special_tokens=False)
            return True
        except KeyboardInterrupt:
            raise
        except BaseException:
            return False

    def truncate(self):
        """Every strategy, side, padding side and window, with and without special tokens."""
        combinations = list(itertools.product(STRIDES, ("longest_first", "only_first", "only_second"), ("left", "right"), (None, "left", "right"), (True, False)))
        each = max(4, self.count // len(combinations))
        for (length, stride), strategy, side, padding, special in combinations:
            inputs = [self.strings.short() for _ in range(each // 2)] + [{"text": self.strings.short(), "pair": self.strings.short()} for _ in range(each // 2)]
            try:
                self.oracle.enable_truncation(length, stride=stride, strategy=strategy, direction=side)
            except BaseException:
                continue  # this stride fits no window of this length
            flags = ["--max-length", str(length), "--stride", str(stride), "--strategy", strategy, "--truncation-side", side]
            self.oracle.no_padding()
            if padding:
                self.oracle.enable_padding(direction=padding, length=7)
                flags += ["--pad-to", "7", "--padding-side", padding]
            if not special:
                flags.append("--no-special")
            self.encode(inputs, *flags, special=special, overflowing=True, may_fail=True)
        self.oracle.no_truncation()
        for multiple, length in ((8, None), (1, None), (5, 12), (3, 3)):
            self.oracle.enable_padding(length=length, pad_to_multiple_of=multiple)
            inputs = [self.strings.short() for _ in range(each)]
            flags = ["--pad-multiple", str(multiple)] + (["--pad-to", str(length)] if length else [])
            for i in inputs:
                self.comparison.encode(self.what, self.oracle, self.folder, [i], *flags)
        self.oracle.no_padding()


def silence():
    """A panic of the package prints a page to the standard error and arrives as an exception besides."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def run_case(gamut, group, name, count, seed):
    make = dict(GROUPS[group]())[name]
    start = time.time()
    with tempfile.TemporaryDirectory() as folder:
        comparison = Case(gamut, group, name, make, count, seed, folder).run()
    return group, name, comparison.compared, comparison.differences, time.time() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gamut")
    parser.add_argument("--count", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="cases whose name has this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    cases = [(group, name) for group, make in GROUPS.items() for name, _ in make() if args.only in "%s %s" % (group, name)]
    compared = differences = 0
    with concurrent.futures.ProcessPoolExecutor(args.jobs, initializer=silence) as pool:
        done = [pool.submit(run_case, args.gamut, group, name, args.count, args.seed) for group, name in cases]
        for (group, name), future in zip(cases, done):
            try:
                group, name, some, wrong, seconds = future.result()
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                print("%s %s: %s" % (group, name, str(error)[:300]))
                some, wrong, seconds = 0, 1, 0
            compared, differences = compared + some, differences + wrong
            if wrong or args.verbose:
                print("%s %s: %d differences in %d strings, %.1f s" % (group, name, wrong, some, seconds), flush=True)
    refused, wrong = check_refusals(args.gamut, args.only)
    differences += wrong
    print("%d tokenizers, %d strings compared, %d refusals checked, %d differences" % (len(cases), compared, refused, differences))
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
