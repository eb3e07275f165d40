#!/usr/bin/env python3
"""Compares `gamut template` with transformers on generated conversations. Exit status 1 on any difference.

    compare.py GAMUT TEMPLATE_FOLDER [--count 200] [--seed 1]

TEMPLATE_FOLDER holds *.jinja. Compared: the text, the spans of generation blocks, and the text of errors; then a list of
small templates, one per feature of the language.
"""
import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from transformers.utils import chat_template_utils as oracle

TEXTS = ["", "Hello", "  spaced  ", "line\nline\n", "émoji 👍🏽 — 日本語", "<think>\nhm\n</think>\n\nfine", "'quotes' \"here\" \\ back", "/no_think now",
         "x" * 3000, "{{ not a template }}", "<|im_end|>", "\n\n", "a\tb", "/system_override /think be brief"]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "Wétter", "parameters": {"type": "object", "properties": {
    "city": {"type": "string", "description": "where", "enum": ["a", "b"]}, "days": {"type": "integer", "description": "d", "default": 3},
    "deep": {"type": "array", "description": "l", "items": {"type": "object", "properties": {"x": {"type": ["number", "null"]}}}},
    "any": {"description": "u", "oneOf": [{"type": "string", "description": "s"}, {"type": "number", "default": 1.5}]}}, "required": ["city"]}}},
    {"type": "function", "function": {"name": "noop", "description": "nothing"}}]
FEATURES = r"""{{ 1 + 2 * 3 ** 2 // 4 - 5 % 3 }}|{{ 7 / 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7.5 // 2 }}|{{ 1e20 }} {{ 1.5e-7 }} {{ 0.1 + 0.2 }} {{ 100.0 }}
{{ 'a' ~ 1 ~ none ~ true ~ [1, 'x'] ~ {'a': (1,)} }}|{{ 'ab' * 3 }} {{ [1] * 2 }}|{{ 1 < 2 < 3 }} {{ 1 in [1] }} {{ 'a' not in 'abc' }}
{{ x }}|{{ x.y }}|{{ x + 1 }}|{{ {}.a }}|{{ {}.a.b }}|{{ [1][3] }}|{{ [1][3].x }}|{{ 'abc'[::-1] }} {{ 'abcdef'[1:4] }} {{ [1,2,3][-2:] }}
{% for i in range(3) %}{{ loop.index }}{{ loop.last }}{{ loop.revindex }},{% else %}none{% endfor %}|{% for i in [] %}{% else %}empty{% endfor %}
{% for i in [3, 1, 2] if i > 1 %}{{ loop.length }}{{ i }}{% endfor %}|{% for a, b in {'x': 1}.items() %}{{ a }}={{ b }}{% endfor %}|{% for k in {'x': 1} %}{{ k }}{% endfor %}
{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 5 %}{% break %}{% endif %}{{ i }}{% endfor %}
{% set ns = namespace(a=1) %}{% for i in [1, 2] %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}|{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}
{% macro m(a, b=2) %}{{ a }}-{{ b }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1) }} {{ m(1, 3, 4, c=5) }}|{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}
{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}in{% endcall %}|{% filter upper %}abc{% endfilter %}|{% set t %}block{% endset %}{{ t|length }}
{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}|{% raw %}{{ x }}{% endraw %}|{{ 'a' if false }}|{{ ('a' if false).b }}|{{ 'a' if true else 'b' }}
{{ [3,1,2]|sort }} {{ [1,2]|map('string')|list }} {{ [1,2,3]|select('odd')|list }} {{ [{'a':1},{'a':2}]|selectattr('a', 'equalto', 2)|list }}
{{ 'hello world'|title }} {{ 'x'|upper }} {{ 'a,b'.split(',') }} {{ ' a '|trim }} {{ [1,2]|join(', ') }} {{ 'abc'|replace('b', 'x') }} {{ 'abc'|first }} {{ [1,2]|last }}
{{ {'b': 1, 'a': [1.0, none, true, "é\n"]}|tojson }}|{{ {'b': 1, 'a': {}}|tojson(indent=2) }}|{{ {'b': 1, 'a': 2}|tojson(sort_keys=true, separators=(',', ':')) }}|{{ 'é'|tojson(ensure_ascii=true) }}
{{ '%s is %d and %.2f' % ('a', 3, 2.5) }}|{{ '{} {1} {a}'.format(1) }}|{{ '{} {}'.format(1, 'b') }}|{{ 'abc'.upper(1) }}|{{ 'a'.foo() }}|{{ [].append(1) }}|{{ ''.__class__ }}|{{ ''.__class__.x }}
{{ raise_exception('stop') }}|{{ 1 / 0 }}|{{ 'a' + 1 }}|{{ 1 + 'a' }}|{{ [1] < 'a' }}|{{ none.x }}|{{ none.x.y }}|{{ {} is mapping }} {{ 1 is number }} {{ x is defined }} {{ none is none }} {{ 'a' is string }} {{ 4 is divisibleby 2 }}
{{ x|default('d') }} {{ ''|default('d', true) }} {{ '5'|int + 1 }} {{ 'z'|int(7) }} {{ '1.5'|float }} {{ 2.567|round(1) }} {{ -3|abs }} {{ 'a b c'|wordcount }}
{% if %}|{% for %}|{{ 1 + }}|{% foo %}|{% if true %}|{{ (1 }}|{{ 'a }}|{% endfor %}|{{ a b }}|{% set 1 = 2 %}|{{ x|nofilter }}|{{ x is notest }}|{% if false %}{{ x|nofilter }}{% endif %}ok|{# open|{{ f(a=1, 2) }}
{{ 'line1\nline2'|indent(2) }}|{{ 'long text here that is long'|truncate(10) }}|{{ [1,2,3,4,5]|batch(2)|list }}|{{ {'b':1,'a':2}|dictsort }}|{{ [1,1,2]|unique|list }}|{{ [1,2,3]|sum }}|{{ ['b','A']|sort }} {{ [1,2]|max }}
{{ 'ß'.upper() }} {{ 'ΑΣ'.lower() }} {{ 'ǆ'.title() }} {{ "it's"|tojson }} {{ ["it's", 'a"b', 'x\ty'] }} {{ 'a\n b'.splitlines() }} {{ 'abab'.find('b') }} {{ 'ab'.startswith(('a','x')) }} {{ '  x'.lstrip() }}
a  {%- if true -%}  b  {%- endif -%}  c|x {% if true %} y {% endif %} z|{{ range(0, 10, 3)|list }} {{ range(200000) }}|{% include 'x' %}|{{ namespace(_a=1) }}|{{ cycler('a','b').next() }}"""


class Comparison:
    def __init__(self, gamut):
        self.gamut, self.compared, self.differences = gamut, 0, 0
        self.folder = tempfile.TemporaryDirectory()

    def expected(self, template, request):
        request = dict(request)
        messages = [{k: v for k, v in m.items() if v is not None} for m in request.pop("messages")]
        try:
            texts, spans = oracle.render_jinja_template([messages], chat_template=template, return_assistant_tokens_mask="generation" in template, **request)
            return texts[0], [list(s) for s in spans[0]] if spans else []
        except Exception as error:
            return "ERROR " + str(error)[:1900], []

    def actual(self, path, request):
        run = subprocess.run([self.gamut, "template", "-", "-", "--template", path, "--json"], input=json.dumps(request, ensure_ascii=False), capture_output=True, text=True)
        try:
            answer = json.loads(run.stdout)
        except ValueError:
            return "CRASH %d %s" % (run.returncode, run.stderr), []
        if "error" in answer:
            return "ERROR " + answer["error"]["message"][:1900], []
        return answer["text"], answer["generations"]

    def check(self, what, template, request):
        path = Path(self.folder.name, "template.jinja")
        path.write_bytes(template.encode())
        want, got = self.expected(template, request), self.actual(str(path), request)
        self.compared += 1
        if want != got:
            self.differences += 1
            if self.differences <= 20:
                print("%s\n  request  %s\n  expected %r\n  found    %r" % (what, json.dumps(request)[:300], want[0][-600:], got[0][-600:]))


def conversation(r):
    messages = []
    for _ in range(r.randrange(1, 8)):
        role = r.choice(("system", "user", "user", "assistant", "assistant", "tool", "developer", "alien"))
        message = {"role": role, "content": r.choice(TEXTS)}
        kind = r.random()
        if kind < 0.1:
            message["content"] = [{"type": "image", "url": "x"}, {"type": "text", "text": r.choice(TEXTS)}]
        elif kind < 0.15:
            message["content"] = None
        if role == "assistant" and r.random() < 0.4:
            call = {"name": "get_weather", "arguments": r.choice(({"city": "Kö", "n": 1.0, "l": [None, True]}, '{"city": "a"}', {}))}
            message["tool_calls"] = [call if r.random() < 0.5 else {"id": "1", "type": "function", "function": call}]
        if role == "assistant" and r.random() < 0.2:
            message[r.choice(("reasoning_content", "thinking", "reasoning"))] = r.choice(TEXTS)
        if r.random() < 0.05:
            message["channel"] = r.choice(("final", "analysis"))
        messages.append(message)
    if r.random() < 0.5:
        messages = [dict(m, role="user" if i % 2 == 0 else "assistant") for i, m in enumerate(messages)]
    request = {"messages": messages, "add_generation_prompt": r.random() < 0.5}
    if r.random() < 0.4:
        request["tools"] = TOOLS[: r.randrange(1, 3)]
    for name, value in (("enable_thinking", False), ("bos_token", "<s>"), ("eos_token", "</s>"), ("builtin_tools", ["browser", "python"]), ("reasoning_effort", "high")):
        if r.random() < 0.3:
            request[name] = value
    return request


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gamut")
    parser.add_argument("folder")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    comparison = Comparison(args.gamut)
    hello = {"messages": [{"role": "user", "content": "hi"}]}
    for template in (t for line in FEATURES.split("\n") for t in line.split("|{")):
        template = template if template.startswith(("{", "a ", "x ")) else "{" + template
        comparison.check("feature %r" % template, template, hello)
    for path in sorted(Path(args.folder).glob("*.jinja")):
        r, template = random.Random(args.seed), path.read_text(encoding="utf-8")
        for i in range(args.count):
            comparison.check("%s, conversation %d" % (path.name, i), template, conversation(r))
    print("%d renderings compared, %d differences" % (comparison.compared, comparison.differences))
    return 1 if comparison.differences else 0


if __name__ == "__main__":
    sys.exit(main())
