#!/usr/bin/env python3
"""Times `gamut template --lines` against Jinja as transformers sets it up, on the templates of a folder.

    bench.py GAMUT TEMPLATE_FOLDER [--count 2000]

For each template: microseconds for a rendering alone, and with the parsing of the template. gamut's include reading the
request and writing the answer as JSON, which Jinja's do not.
"""
import argparse
import json
import random
import subprocess
import tempfile
import time
from pathlib import Path

from compare import conversation
from transformers.utils import chat_template_utils as oracle


def renderable(template, r):
    """Requests that render."""
    found = []
    while len(found) < 20:
        request = {k: v for k, v in conversation(r).items() if k != "continue_final_message"}
        messages = [{k: v for k, v in m.items() if v is not None} for m in request["messages"]]
        try:
            oracle.render_jinja_template([messages], chat_template=template, **{k: v for k, v in request.items() if k != "messages"})
        except Exception:
            continue
        found.append({**request, "messages": messages})
    return found


def jinja_seconds(template, requests, count, compiles):
    compiled = oracle._compile_jinja_template(template)
    start = time.perf_counter()
    for i in range(count):
        if compiles:
            compiled = oracle._cached_compile_jinja_template(template)
        request = {"tools": None, "documents": None, "add_generation_prompt": False, **requests[i % len(requests)]}
        compiled.render(**request)
    return (time.perf_counter() - start) / count


def gamut_seconds(gamut, path, template, requests, count, compiles):
    extra = {"chat_template": template} if compiles else {}
    def run(n):
        lines = "".join(json.dumps({**requests[i % len(requests)], **extra}, ensure_ascii=False) + "\n" for i in range(n))
        start = time.perf_counter()
        subprocess.run([gamut, "template", "-", "-", "--template", path, "--lines"], input=lines, capture_output=True, text=True, check=True)
        return time.perf_counter() - start
    run(1)
    return max(run(count) - run(1), 1e-9) / (count - 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gamut")
    parser.add_argument("folder")
    parser.add_argument("--count", type=int, default=2000)
    args = parser.parse_args()
    for path in sorted(Path(args.folder).glob("*.jinja")):
        template = path.read_text(encoding="utf-8")
        requests = renderable(template, random.Random(1))
        line = path.stem
        for compiles, count in ((False, args.count), (True, max(args.count // 40, 20))):
            theirs = jinja_seconds(template, requests, count, compiles)
            ours = gamut_seconds(args.gamut, str(path), template, requests, args.count if not compiles else args.count // 4, compiles)
            line += "  %s: jinja %.0f us, gamut %.0f us, %.1fx" % ("with parsing" if compiles else "rendering", theirs * 1e6, ours * 1e6, theirs / ours)
        print(line)


if __name__ == "__main__":
    main()
