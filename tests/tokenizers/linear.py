#!/usr/bin/env python3
"""Checks that a text of one character again and again takes time as it grows: 2 MiB at most 2.2 times 1 MiB.

    linear.py GAMUT MODEL_FOLDER… [--bytes 1048576]

Exit status 1 when a tokenizer takes longer for a character of some class.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

CHARACTERS = "a A1 .'é中\u0301\u200d\t▁😀\u0e01가\u00a0#<"


def seconds(gamut, folder, character, size):
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "text")
        with open(path, "w", encoding="utf-8") as file:
            file.write(character * (size // len(character.encode())) + "\n")
        out = subprocess.run([gamut, "bench", folder, "--text", path, "--runs", "3", "--threads", "1"], capture_output=True, timeout=600)
        if out.returncode:
            return out.stderr.decode().strip()
        line = json.loads(out.stdout.splitlines()[-1])
        return line["bytes"] / line["mb_per_s"] / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gamut")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--bytes", type=int, default=1 << 20)
    args = parser.parse_args()
    failed = 0
    for folder in args.folders:
        worst = (0, "", 0)
        for character in CHARACTERS:
            one, two = (seconds(args.gamut, folder, character, size) for size in (args.bytes, 2 * args.bytes))
            if isinstance(one, str) or isinstance(two, str):
                failed += 1
                print("%s, %s: %s" % (folder, ascii(character), one if isinstance(one, str) else two))
                continue
            worst = max(worst, (two / one, ascii(character), two))
            if two / one > 2.2:
                failed += 1
                print("%s, %s: %.3f s, twice as much %.3f s" % (folder, ascii(character), one, two))
        print("%s: at most x%.2f (%s, %.3f s for twice %d bytes)" % (folder, worst[0], worst[1], worst[2], args.bytes), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
