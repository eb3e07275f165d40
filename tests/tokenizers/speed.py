#!/usr/bin/env python3
"""Measures gamut and the `tokenizers` package over the same text, interleaved, and prints the ratios.

    speed.py GAMUT MODEL_FOLDER… [--rounds 5] [--text FILE] [--threads 1]

The text is prose of this machine in many languages and English manuals (strings.py), one text per line. gamut's figure is
that of `gamut bench --text` with tokens and offsets; the package's that of encode_batch.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time


def make_text(path):
    from strings import all_prose, prose

    texts = [t for found in all_prose(300).values() for t in found] + prose("en", 4000)
    lines = [t.replace("\n", " ") for t in texts]
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(lines) + "\n")


def package_speed(tokenizer, lines, size):
    start = time.perf_counter()
    tokenizer.encode_batch(lines)
    return size / 1e6 / (time.perf_counter() - start)


def gamut_speed(gamut, folder, text, threads):
    out = subprocess.run([gamut, "bench", folder, "--text", text, "--runs", "3", "--threads", str(threads)], capture_output=True, check=True)
    return json.loads(out.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gamut")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--text")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false" if args.threads == 1 else "true"
    os.environ["RAYON_NUM_THREADS"] = str(args.threads)
    from tokenizers import Tokenizer

    with tempfile.TemporaryDirectory() as folder:
        text = args.text or os.path.join(folder, "text")
        if not args.text:
            make_text(text)
        with open(text, encoding="utf-8", newline="\n") as file:
            lines = file.read().split("\n")[:-1]
        size = os.path.getsize(text)
        for model in args.folders:
            tokenizer = Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
            tokenizer.no_truncation(), tokenizer.no_padding()
            package_speed(tokenizer, lines, size)
            ours, theirs = [], []
            for _ in range(args.rounds):
                line = gamut_speed(args.gamut, model, text, args.threads)
                ours.append(line["mb_per_s"])
                theirs.append(package_speed(tokenizer, lines, size))
            print("%-20s gamut %6.1f MB/s, %10.0f tokens/s; tokenizers %5.1f MB/s; ratio %5.2f (%d bytes, %d threads)" % (
                os.path.basename(model.rstrip("/")), statistics.median(ours), line["tokens_per_s"], statistics.median(theirs),
                statistics.median(ours) / statistics.median(theirs), size, args.threads), flush=True)


if __name__ == "__main__":
    sys.exit(main())
