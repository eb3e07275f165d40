#!/usr/bin/env python3
"""Compares `gamut template` with transformers on generated conversations. Exit status 1 on any difference.

    compare.py GAMUT [TEMPLATE_FOLDER] [--count 200] [--seed 1] [--share 1]

TEMPLATE_FOLDER holds *.jinja: each renders `count` conversations. Then come the templates of matrix.py; of its large
products a share is enough for a short run. Compared: the text, the spans of generation blocks and the text of errors.
What differs by nature is left out: addresses of objects, and the lines of a program that Jinja makes of a template. What
gamut says it does not support (complex numbers, bytes) or refuses (its budget) is counted by itself.
"""
import argparse
import json
import random
import re
import subprocess
import sys
from pathlib import Path

import matrix
from transformers.utils import chat_template_utils as oracle

TEXTS = ["", "Hello", "  spaced  ", "line\nline\n", "émoji 👍🏽 — 日本語", "<think>\nhm\n</think>\n\nfine", "'quotes' \"here\" \\ back", "/no_think now",
         "x" * 3000, "{{ not a template }}", "<|im_end|>", "\n\n", "a\tb", "/system_override /think be brief"]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "Wétter", "parameters": {"type": "object", "properties": {
    "city": {"type": "string", "description": "where", "enum": ["a", "b"]}, "days": {"type": "integer", "description": "d", "default": 3},
    "deep": {"type": "array", "description": "l", "items": {"type": "object", "properties": {"x": {"type": ["number", "null"]}}}},
    "any": {"description": "u", "oneOf": [{"type": "string", "description": "s"}, {"type": "number", "default": 1.5}]}}, "required": ["city"]}}},
    {"type": "function", "function": {"name": "noop", "description": "nothing"}}]
CHUNK = 1000


def shortened(message):
    """A message as gamut shortens it: the beginning and the end of a long one."""
    raw = message.encode()
    if len(raw) <= 1900:
        return message
    head, tail = 1400, len(raw) - 500
    while raw[head] & 0xC0 == 0x80:
        head -= 1
    while raw[tail] & 0xC0 == 0x80:
        tail += 1
    return (raw[:head] + " … ".encode() + raw[tail:]).decode()


class Comparison:
    def __init__(self, gamut, shown):
        self.gamut, self.shown, self.compared, self.differences, self.refused = gamut, shown, 0, 0, 0
        self.waiting = []

    @staticmethod
    def expected(template, request):
        request = dict(request)
        messages = [{k: v for k, v in m.items() if v is not None} if isinstance(m, dict) else m for m in request.pop("messages")]
        try:
            mask = bool(re.search(r"\{%-?\s*generation", template)) and not request.get("continue_final_message")
            texts, spans = oracle.render_jinja_template([messages], chat_template=template, return_assistant_tokens_mask=mask, **request)
            return texts[0], [list(s) for s in spans[0]] if spans else []
        except Exception as error:
            return "ERROR " + str(error), []

    @staticmethod
    def comparable(text):
        """A text without what differs by nature, or None for one that has an address."""
        if " at 0x" in text or "<bound method" in text:
            return None
        if text.startswith("ERROR "):
            text = re.sub(r" \((<unknown>|<template>|<string>), line \d+\)$", "", text)
            return "ERROR " + shortened(text[6:] or "the template raised an exception without a message")
        return text

    def check(self, what, template, request):
        self.waiting.append((what, template if "{" in template else template + "{##}", request))
        if len(self.waiting) >= CHUNK:
            self.flush()

    def flush(self):
        lines = "".join(json.dumps({**request, "chat_template": template}) + "\n" for _, template, request in self.waiting)
        run = subprocess.run([self.gamut, "template", "-", "-", "--lines"], input=lines, capture_output=True, text=True)
        answers = run.stdout.split("\n")
        for case, line in zip(self.waiting, answers):
            self.compare(case, json.loads(line) if line else {"error": {"code": "crash", "message": "%d %s" % (run.returncode, run.stderr[-500:])}})
            if not line:
                break
        self.waiting = []

    def compare(self, case, answer):
        what, template, request = case
        text, spans = self.expected(template, request)
        want = (self.comparable(text), spans)
        got = ("ERROR " + answer["error"]["message"], []) if "error" in answer else (answer["text"], [] if request.get("continue_final_message") else answer["generations"])
        self.compared += 1
        if want[0] is None or want == got:
            return
        if answer.get("error", {}).get("code") in ("unsupported", "resource_limit"):
            self.refused += 1
            return
        self.differences += 1
        if self.differences <= self.shown:
            print("%s\n  request  %s\n  expected %r %s\n  found    %r %s" % (what, json.dumps(request)[:200], want[0][-400:], want[1], got[0][-400:], got[1]))


def message(r):
    role = r.choice(("system", "user", "user", "assistant", "assistant", "tool", "developer", "alien"))
    made = {"role": role, "content": r.choice(TEXTS)}
    kind = r.random()
    if kind < 0.1:
        made["content"] = [{"type": "image", "url": "x"}, {"type": "text", "text": r.choice(TEXTS)}]
    elif kind < 0.15:
        made["content"] = None
    if role == "assistant" and r.random() < 0.4:
        call = {"name": "get_weather", "arguments": r.choice(({"city": "Kö", "n": 1.0, "l": [None, True]}, '{"city": "a"}', {}))}
        made["tool_calls"] = [call if r.random() < 0.5 else {"id": "1", "type": "function", "function": call}]
    if role == "assistant" and r.random() < 0.2:
        made[r.choice(("reasoning_content", "thinking", "reasoning"))] = r.choice(TEXTS)
    if r.random() < 0.05:
        made["channel"] = r.choice(("final", "analysis"))
    return made


def conversation(r):
    messages = [message(r) for _ in range(r.randrange(1, 8))]
    if r.random() < 0.5:
        messages = [dict(m, role="user" if i % 2 == 0 else "assistant") for i, m in enumerate(messages)]
    request = {"messages": messages}
    if r.random() < 0.5:
        request["add_generation_prompt"] = True
    elif r.random() < 0.3:
        request["continue_final_message"] = r.choice((True, True, "content", "reasoning_content", "thinking", "nothing"))
    if r.random() < 0.4:
        request["tools"] = TOOLS[: r.randrange(1, 3)]
    if r.random() < 0.15:
        request["documents"] = [{"title": "T", "text": r.choice(TEXTS)}, {"doc_id": 1}]
    for name, value in (("enable_thinking", False), ("bos_token", "<s>"), ("eos_token", "</s>"), ("builtin_tools", ["browser", "python"]), ("reasoning_effort", "high")):
        if r.random() < 0.3:
            request[name] = value
    return request


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gamut")
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=1)
    parser.add_argument("--shown", type=int, default=20)
    args = parser.parse_args()
    comparison = Comparison(args.gamut, args.shown)
    for path in sorted(Path(args.folder).glob("*.jinja")) if args.folder else []:
        r, template = random.Random(args.seed), path.read_text(encoding="utf-8")
        for i in range(args.count):
            comparison.check("%s, conversation %d" % (path.name, i), template, conversation(r))
    comparison.flush()
    corpus = comparison.compared
    hello = {"messages": [{"role": "user", "content": "hi é"}, {"role": "assistant", "content": "ho"}]}
    for template in matrix.templates(random.Random(args.seed), args.share):
        comparison.check(repr(template), template, hello)
    comparison.flush()
    print("%d renderings of the corpus and %d small templates compared: %d differences, %d refused" %
          (corpus, comparison.compared - corpus, comparison.differences, comparison.refused))
    return 1 if comparison.differences or not comparison.compared else 0


if __name__ == "__main__":
    sys.exit(main())
