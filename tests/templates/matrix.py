"""Small templates, one per feature of the language and combination of values: what compare.py tries beside a corpus."""
import itertools
import random

VALUES = ["none", "true", "false", "0", "1", "-7", "3.5", "-0.0", "1e20", "2**53+1", "10**30", "''", "'abc'", "'5'", "' 12_3 '", "'1.5e3'", "'Hello  World-foo bar'", "'a\\nb\\r\\nc'",
          "'éß ǆΣ日本'", "'<a href=\"x\">&amp;'", "[]", "[3, 1, 2]", "['b', 'A', 'a']", "[[1, 2], [0]]", "[{'a': 1, 'b': 'x'}, {'a': 2}]", "[1, 'a']", "(1,)", "(1, 2)", "{}", "{'b': 1, 'a': [2]}",
          "nothing", "nothing.x", "{}.x", "range(4)", "'<i>'|e", "namespace(a=1)", "{'a': 1}.items()", "[1, none, 1.0, true]"]
ARGUMENTS = {
    "abs": ["", "(1)"], "attr": ["('a')", "('upper')", "('__class__')", "(1)", ""], "batch": ["(2)", "(2, 'x')", "(0)", "('a')", ""], "capitalize": ["", "(1)"], "center": ["", "(9)", "('x')"],
    "default": ["", "('d')", "('d', true)", "(default_value=1, boolean=true)"], "d": ["('x', true)"], "dictsort": ["", "(true)", "(by='value')", "(reverse=true)", "(by='x')"],
    "e": [""], "escape": [""], "filesizeformat": ["", "(true)"], "first": [""], "float": ["", "(7)"], "forceescape": [""], "format": ["", "(1)", "('a', 'b')", "(a=1)"],
    "groupby": ["('a')|list", "(0)|list", "('a', default=9)|list", ""], "indent": ["", "(2)", "('>', true)", "(3, blank=true)", "(first=true)", "(1.5)"], "int": ["", "(9)", "(base=16)", "(0, 0)", "(3, 'x')"],
    "items": ["|list"], "join": ["", "(', ')", "('-', 'a')", "(attribute='b')", "(1)"], "last": [""], "length": ["", "(1)"], "count": [""], "list": [""], "lower": [""],
    "map": ["('upper')|list", "('string')|list", "(attribute='a')|list", "(attribute='a', default='z')|list", "('nofilter')|list", "()|list", "('default', 'x')|list", "(nothing)|list", "(attribute='a', x=1)|list", "('join', ',')|list"],
    "max": ["", "(attribute='a')", "(true)"], "min": ["", "(attribute='a')", "(true)"], "pprint": [""], "reject": ["|list", "('none')|list", "('eq', 1)|list"],
    "rejectattr": ["('a')|list", "('a', 'eq', 1)|list", "|list"], "replace": ["('a', 'b')", "('', '-')", "('a', 'b', 1)", "(1, 2)", "('a')"], "reverse": ["|list", "|join"],
    "round": ["", "(1)", "(-1)", "(1, 'ceil')", "(0, 'floor')", "(method='x')", "('a')", "(2.5)"], "safe": ["", "~'<'"], "select": ["|list", "('string')|list", "('gt', 1)|list", "('notest')|list"],
    "selectattr": ["('a')|list", "('a', 'defined')|list", "('a', 'gt', 1)|list", "('b.c')|list"], "slice": ["(2)|list", "(2, 'x')|list", "(0)|list", "('a')|list"],
    "sort": ["", "(true)", "(case_sensitive=true)", "(attribute='a')", "(attribute='a,b')", "(reverse=true, attribute='0')"], "string": [""], "striptags": [""], "sum": ["", "('a')", "(start=10)", "(start=[])", "(attribute='a')"],
    "title": [""], "tojson": ["", "(indent=2)", "(indent='\\t')", "(sort_keys=true)", "(separators=(',', ':'))", "(ensure_ascii=true)", "(indent=0)", "(indent=1.5)", "(separators=1)", "(true, 1)", "(foo=1)"],
    "trim": ["", "('a')", "(1)"], "truncate": ["", "(5)", "(5, true)", "(5, false, '..', 0)", "(1)", "(leeway=-1)", "('a')"], "unique": ["|list", "(true)|list", "(attribute='a')|list"], "upper": [""],
    "urlencode": [""], "urlize": ["", "(5)", "(nofollow=true, target='_blank')"], "wordcount": [""], "wordwrap": ["", "(4)", "(4, false)", "(5, wrapstring='|')", "(3, break_on_hyphens=false)", "(0)"], "xmlattr": ["", "(false)"],
    "nofilter": [""],
}
TESTS = ["odd", "even", "divisibleby 2", "divisibleby(0)", "defined", "undefined", "filter", "test", "none", "boolean", "false", "true", "integer", "float", "lower", "upper", "string", "mapping", "number",
         "sequence", "iterable", "callable", "sameas none", "sameas true", "escaped", "in [1, 'abc']", "in 'abc'", "eq 1", "equalto 'abc'", "ne 1", "gt 1", "lt 'b'", "ge none", "le 2", "==(1)", "notest", "eq", "not defined", "defined(1)"]
BINARY = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", "in", "not in", "and", "or"]
STRINGS = ["''", "'abcabc'", "' a b\\t c '", "'éÉßǆ'", "'-7'", "'a,b,,c'", "'x\\ny\\r\\nz\\n'", "'{} {0} {a}'", "'a\\tb'", "'Hello World'", "'<b>'|e"]
METHODS = {
    "capitalize": [""], "casefold": [""], "center": ["8", "9, '*'", "", "'x'", "5, 'ab'"], "count": ["'a'", "'b', 1", "'', 1, 3", "1", ""], "endswith": ["'c'", "('c', 'z')", "'b', 0, 2", "1", "(1,)"],
    "expandtabs": ["", "4", "tabsize=2", "0"], "find": ["'b'", "'b', 2", "'b', -3, -1", "'', 9", "1", ""], "format": ["", "1", "1, a=2", "a='x'"], "format_map": ["{'a': 1}", "1", ""],
    "index": ["'b'", "'zz'"], "isalnum": [""], "isalpha": [""], "isascii": [""], "isdecimal": [""], "isdigit": [""], "isidentifier": [""], "islower": [""], "isnumeric": [""], "isprintable": [""], "isspace": [""],
    "istitle": [""], "isupper": [""], "join": ["['x', 'y']", "'ab'", "[1]", "1", "{'k': 1}", ""], "ljust": ["6", "6, '.'"], "lower": ["", "1", "a=1"], "lstrip": ["", "'a'", "none", "1"], "partition": ["','", "'zz'", "''", "1"],
    "removeprefix": ["'a'", "1", ""], "removesuffix": ["'c'"], "replace": ["'a', 'X'", "'a', 'X', 1", "'', '-'", "'', '-', 2", "'a'", "1, 2"], "rfind": ["'b'", "'b', 0, 3"], "rindex": ["'zz'"], "rjust": ["6"],
    "rpartition": ["','", "'zz'"], "rsplit": ["", "','", "',', 1", "none, 1", "maxsplit=1"], "rstrip": ["", "'c'"], "split": ["", "','", "',', 1", "sep=none, maxsplit=1", "''", "1", "x=1", "1, 2, 3"], "splitlines": ["", "true", "keepends=true", "'a'"],
    "startswith": ["'a'", "('z', 'a')", "'b', 1", "'', 9", "[]"], "strip": ["", "'ac'", "'a', 'b'", "chars='a'"], "swapcase": [""], "title": [""], "translate": ["{97: 'X', 98: none}", "{}", "'abc'", "1"], "maketrans": ["'a', 'b'", "'a', 'bc'", "{'a': 1}", ""],
    "upper": [""], "zfill": ["5", "'x'", ""], "foo": [""], "__class__": [""], "encode": [],
}
OTHERS = """[1, 2, 1].count(1)|[1, 2].index(2)|[1].index(5)|[1, 2].copy()|[1].append(2)|[1].pop()|[3, 1].sort()|(1, 2).index(2)|(1, 2).count(2)|(1,).index(7)|{'a': 1}.get('a')|{'a': 1}.get('b')|{'a': 1}.get('b', 2)|{}.get()|{}.get(1, 2, 3)
{'a': 1}.keys()|{'a': 1}.values()|{'a': 1}.items()|{'a': 1}.items(1)|{'a': 1}.copy()|{'a': 1}.pop('a')|{'a': 1}.update({})|{'a': 1}.setdefault('b', 1)|{'a': 1}.clear()|{'keys': 1}.keys|{'items': 5}['items']|{'a': 1}.fromkeys([1, 2])|dict.fromkeys('ab', 1)
[5]|random|''|random|5|random|dict(a=1, b=2)|dict([('a', 1)])|dict({'a': 1}, b=2)|dict(1)|dict([1])|dict(1, 2)|range(3)|range(1, 9, 3)|list|range(-3)|list|range(5)[2]|range(5)[-1]|range(5)[7]|range(9)[1:7:2]|range('a')|range(1, 2, 0)|range(100001)|range()|range(3).start|range(3) == range(0, 3)|2 in range(3)|range(1.5)
(5).bit_length()|true.real|(1.5).is_integer()|(2.0).is_integer()|(5).foo|(5).numerator|none.x|none()|'a'()|[]()|1()|{}()|(nothing)()|nothing()|namespace(a=1)|namespace(a=1).a|namespace({'a': 1}).a|namespace(_a=1)|namespace(a=1).b|namespace()._x|namespace(1)
cycler(1, 2).next()|cycler().next()|cycler(1, 2).current|joiner()()|joiner('x')() ~ 'y'|joiner(1, 2)|raise_exception('no')|raise_exception()|raise_exception(1)|raise_exception(nothing)|raise_exception(message='m')|strftime_now('%Y') is string|strftime_now('')|strftime_now(1)|strftime_now('%%')
'abc'[0]|'abc'[-1]|'abc'[5]|'abc'['x']|'abc'[1:]|'abc'[::-1]|'abc'[::2]|'abc'[::0]|'éàü'[1:2]|'éàü'[-1]|[1, 2, 3][1:]|[1, 2, 3][-9:9]|[1, 2, 3][5:]|(1, 2, 3)[:2]|[1, 2][0, 1]|[1]['a']|[1][none]|{}[[]]|{1: 2}[1]|{1: 2}[1.0]|{1: 2}[true]|{'a': 1}[0]|{}['a']['b']|5[0]|none[0]|nothing[0]|'abc'[1.0]|[1, 2].0|'ab'.1|[[1, 2]].0.1
1 if true|1 if false|(1 if false).x|(1 if false) + 1|1 if false else 2 if false else 3|not 1|not ''|not not 1|-'a'|+none|-nothing|-true|+true|- -3|-2 ** 2|2 ** -1|2 ** 3 ** 2|7 // 2 * 3|1 < 2 < 3|1 < 3 < 2|3 > 2 > 1 == 1|1 == 1.0|1 == true|'a' == 1|none == none|nothing == nothing|nothing == none|[1] == (1,)|[1, [2]] == [1, [2]]|{'a': 1} == {'a': 1.0}|1 is none|nothing is defined and nothing.x.y
'a' 'b' "c"|'a\\x41\\u00e9\\101\\n'|'\\q'|'\\'|1_000|0x1F|0b101|0o17|1e3|1.5e-3|1_0.5|.5|1.|007|00|1__0|0x|1e|0.1 + 0.2|1/3|100.0|1e16|123456789012345680.0|1e-5|0.0001|5e-324|1.7976931348623157e308|1e400|-1e400|1e308 * 10|2 ** 0.5|10 ** 20|2 ** 64 - 1|-(2 ** 63)|2 ** 63|(2 ** 64) // 3|(2 ** 64) % 1000|-(2 ** 70) // 7|-(2 ** 70) % 7|(2 ** 70) / 3|10 ** 400|10 ** 5000|(10 ** 400) / 2|(10 ** 400) * 1.0|2 ** 64 > 2 ** 63|2 ** 64 == 18446744073709551616.0|(2 ** 64)|float|2 ** 100 ~ ''|(2 ** 100)|tojson|99999999999999999999|9007199254740993 == 9007199254740992.0|1 / 0|1 // 0|1 % 0|1.0 // 0|1.0 % 0|0 ** -1|0.0 ** -1|-7 // 2|-7 % 3|7 % -3|-7.5 // 2|7.5 % -2|-0.0|0.0 // -1|1e300 ** 2|(-8) ** 0.5|true + true|'5' * 3|3 * '5'|'a' * -1|[1] * 2|'a' * 1.5|[1] + (2,)|(1,) + (2,)|[1] + [2]|{} + {}|'a' + none|none + 'a'|1 + 'a'|'a' + 1|'a' - 'b'|[1] - [1]|'a' * 'b'|'%s' % 'x'|'%d%%' % 5
(1,)|()|(1)|[1,]|{'a': 1,}|{1: 'a', 'b': none, 1.5: true, none: 0}|{[]: 1}|{(1, [2]): 1}|[none, true, 1.0, 'x', "it's", 'say "hi"', 'both \\' and "']|{'a': {'b': [1, (2,)]}}|'tab\\t nul\\x00 del\\x7f nbsp\\xa0 zwj\\u200d emoji\\U0001f600'|['\\x00\\x1b\\xad\\u2028\\U0001f600\\ue000']|nothing ~ nothing|[nothing]|{'a': nothing}|nothing is sameas nothing|{'a': nothing}|tojson|[1, range(2)]|tojson|{1: 2, none: 3, true: 4, 1.5: 5}|tojson|{(1, 2): 3}|tojson|'</script>\\u2028é"\\\\/'|tojson|[1e400, -1e400]|tojson|{'b': 1, 1: 2}|tojson(sort_keys=true)"""
STATEMENTS = r"""{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = 5 %}{{ x }}{% endfor %}{{ x }}
{% for i in [1, 2] %}{% if i == 1 %}{% set y = i %}{% endif %}{{ y }},{% endfor %}{{ y }}
{% if true %}{% set z = 1 %}{% endif %}{{ z }}|{% if false %}{% set z = 1 %}{% endif %}{{ z }}
{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% set x = 2 %}{{ m() }}
{% macro m() %}{{ x }}{% endmacro %}{% set x = 3 %}{{ m() }}|{% macro m() %}{% set q = 1 %}{{ q }}{% endmacro %}{{ m() }}{{ q }}
{% for x in [1, 2] %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}|{{ m }}
{% with %}{% set a = 1 %}{{ a }}{% endwith %}{{ a }}|{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}|{% set a = 5 %}{% with a = a + 1, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}
{% block b %}{% set x = 1 %}{{ x }}{% endblock %}{{ x }}|{% set x = 2 %}{% block b %}{{ x }}{% set x = 3 %}{{ x }}{% endblock %}{{ x }}
{% for i in [1, 2] %}{% block b %}{{ i }}{% endblock %}{% endfor %}|{% for i in [1, 2] %}{% block b scoped %}{{ i }}{{ loop.index }}{% endblock %}{% endfor %}
{% block b %}x{{ self.b is defined }}{% endblock %}{{ self.b() }}|{{ self.c() }}|{% block b %}{{ super() }}{% endblock %}|{% block b required %} {% endblock %}|{% block b required %}x{% endblock %}|{% block b %}{% endblock %}{% block b %}{% endblock %}
{% block a-b %}{% endblock %}|{% block a %}{% endblock a %}|{% block a %}{% endblock b %}|{% block x %}{% set y = 1 %}{% if true %}{% set y = 2 %}{% endif %}{{ y }}{% endblock %}
{% set x %}a{{ 1 }}b{% endset %}{{ x }}|{% set x | upper %}abc{% endset %}{{ x }}|{% set x | replace('b', 'c') | upper %}abc{% endset %}{{ x }}|{% set x | indent(n) %}abc{% endset %}{{ x }}
{% set ns = namespace() %}{% set ns.x %}abc{% endset %}{{ ns.x }}|{% set d = {} %}{% set d.x %}abc{% endset %}{{ d }}|{% set l = [] %}{% set l.x %}a{% endset %}|{% set q.x %}a{% endset %}|{% set q.x, %}a{% endset %}|{% set ns = namespace() %}{% set ns.x, y %}ab{% endset %}{{ ns.x }}{{ y }}|{% set ns.x = 1 %}|{% set d = {} %}{% set d.x = 1 %}
{% set a, b = 1, 2 %}{{ a }}{{ b }}|{% set a, b = 1 %}|{% set a, b = [1] %}|{% set a, b = [1, 2, 3] %}|{% set a, (b, c) = 1, (2, 3) %}{{ b }}{{ c }}|{% set a = 1, 2 %}{{ a }}|{% set a, b = 'xy' %}{{ a }}|{% set a, b = {'k': 1, 'l': 2} %}{{ a }}{{ b }}|{% set a, b = none %}|{% set a, b = nothing %}
{% set ns = namespace(a=1) %}{% set ns.a, ns.b = 2, 3 %}{{ ns }}|{% set ns = namespace(a=1) %}{% set ns._x = 1 %}|{% set true = 1 %}|{% set 'a' = 1 %}|{% set a.b.c = 1 %}|{% set a() = 1 %}|{% set loop = 1 %}{{ loop }}|{% for i in [1] %}{% set loop = 1 %}{% endfor %}|{% for loop in [1] %}{% endfor %}
{% for i in range(5) %}{% if i == 1 %}{% continue %}{% elif i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}|{% for i in [1] %}{% break %}{% else %}e{% endfor %}|{% for i in [] %}{% else %}e{{ loop }}{% endfor %}|{% break %}|{% continue %}|{% for i in [1, 2] %}{% set x %}{% break %}{% endset %}{% endfor %}{{ x }}ok|{% for i in [1] %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}
{% for i in [1, 2, 3] %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }}{{ loop.cycle('a', 'b') }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.changed(i // 2) }};{% endfor %}
{% for i in [1, 2, 3] if i != 2 %}{{ loop.index }}/{{ loop.length }}{{ loop.last }};{% endfor %}|{% for i in [1, 2, 3] if loop.index %}{% endfor %}|{% for i in nothing %}x{% endfor %}|{% for i in none %}x{% endfor %}|{% for i in 5 %}x{% endfor %}|{% for c in 'héy' %}{{ c }}.{% endfor %}|{% for k in {'a': 1, 'b': 2} %}{{ k }}{% endfor %}
{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}{{ v }}{% endfor %}|{% for a, b in [1] %}{% endfor %}|{% for a, b in [[1, 2], [3]] %}{{ a }}{% endfor %}|{% for a, (b, c) in [[1, [2, 3]]] %}{{ c }}{% endfor %}|{% for i in [1, 2] %}{% for j in [3] %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}
{% set ns = namespace(n=0) %}{% for i in [1, 2, 3] if ns.n < 2 %}{% set ns.n = ns.n + 1 %}{{ i }}{% endfor %}|{% for i in [1, 2, 3] if i > x %}{{ i }}{% endfor %}|{% for a, b in [(1, 2), [3, 4]] if b > 2 %}{{ a }}{{ loop.length }}{% endfor %}
{% for i in [1, [2, [3]]] recursive %}{% if i is iterable %}<{{ loop(i) }}>{% else %}{{ i }}{{ loop.depth }}{% endif %}{% endfor %}|{% for i in [[1], []] recursive %}{{ loop(i) if i is iterable else i }}{% else %}E{% endfor %}|{% for i in [1] %}{{ loop(i) }}{% endfor %}|{% for i in [1] recursive %}{{ loop() }}{% endfor %}|{% for i in [1, 2] recursive %}{% set x = i %}{{ x }}{% endfor %}{{ x }}
{% macro m(a, b=2, *c) %}{% endmacro %}|{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m() }}|{% macro m(a=b, b=1) %}{{ a }}{{ b }}{% endmacro %}{{ m() }}|{% macro m(a, b) %}{{ a }}{{ b is defined }}{% endmacro %}{{ m(1) }}|{{ m.name }}|{% macro m(a, b=1) %}{{ varargs }}{{ kwargs }}{{ caller is defined }}{% endmacro %}{{ m(1, 2, 3, x=4) }}{{ m.arguments }}{{ m.name }}{{ m.catch_kwargs }}{{ m.caller }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}|{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=1) }}|{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}|{% macro m(a) %}{{ a }}{% endmacro %}{{ m(*[1]) }}{{ m(**{'a': 2}) }}|{% macro m(a=1, b) %}{% endmacro %}|{% macro m(caller) %}{{ caller }}{% endmacro %}|{% macro m(caller=1) %}{{ caller }}{% endmacro %}{{ m() }}|{% macro m(varargs) %}{{ varargs }}{% endmacro %}{{ m(1) }}|{% macro m(n) %}{{ n }}{% if n > 0 %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(3) }}
{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}x{% endcall %}|{% macro m() %}{{ caller(1, b=2) }}{% endmacro %}{% call(a, b) m() %}{{ a }}{{ b }}{% endcall %}|{% macro m() %}x{% endmacro %}{% call m() %}{% endcall %}|{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}|{% call 1 %}{% endcall %}|{% macro m() %}{{ caller() }}{% endmacro %}{% set x = 1 %}{% call m() %}{{ x }}{% set x = 2 %}{{ x }}{% endcall %}{{ x }}|{% macro m(x) %}{{ caller(x) }}{% endmacro %}{% for i in [1, 2] %}{% call(y) m(i) %}{{ y }}{{ i }}{{ loop.index }}{% endcall %}{% endfor %}
{% filter upper %}a{{ 'b' }}{% set x = 1 %}{{ x }}{% endfilter %}{{ x }}|{% filter replace('a', 'b') | upper %}aa{% endfilter %}|{% filter nofilter %}{% endfilter %}|{% filter indent(x) %}a
b{% endfilter %}
{% autoescape true %}{{ '<' }}{{ '<'|safe }}{{ '<' ~ '>' }}{% set x %}<{% endset %}{{ x }}{{ ['<', '>']|join('&') }}{% endautoescape %}{{ '<' }}|{% autoescape false %}{{ '<'|e }}{% endautoescape %}|{% autoescape true %}{% macro m() %}<b>{{ '<' }}{% endmacro %}{{ m() }}{% endautoescape %}
{{ '<'|e + '<' }}|{{ ('<'|e) ~ '<' }}|{{ '%s' % '<' }}|{{ ('%s'|safe) % '<' }}|{{ ('{}'|safe).format('<') }}|{{ ('<'|e).join(['&', 'a']) }}|{{ ('a<'|safe).replace('a', '<') }}|{{ ['<'|e, '<']|join }}|{{ '<'|e|e }}|{{ ('<'|safe)|upper|e }}|{{ ('a'|safe) * 2 }}|{{ '<'|safe is escaped }}
{% include 'x' %}|{% include 'x' ignore missing %}|{% include nothing %}|{% include ['a', 'b'] %}|{% import 'x' as y %}|{% import 'x' %}|{% from 'x' import a %}|{% from 'x' import a as b, c with context %}|{% from 'x' import _a %}|{% extends 'x' %}|{% if true %}{% extends 'x' %}{% endif %}|{% for i in [1] %}{% extends 'x' %}{% endfor %}|{% if false %}{% import 'x' as y %}{% endif %}{{ y }}
{% raw %}{{ x }}{% raw %}{% endraw %}|{% raw -%} x {%- endraw %}|{% raw %}|{#- c -#} a|a {#- c -#} b|{# a #}{# b|{{ '{{' }}|{{ '}}' }}|{{ "{%" }}|{{|{%|{{ }}|{% %}|{{ 1 }|{{ (1 }}|{{ [1 }}|{{ 1) }}|{{ 'a }}|{{ a b }}|{{ a.1.2 }}|{{ a. }}|{{ a[ }}|{{ a[] }}|{{ a[1:2, 3] }}|{{ f(a=1, 2) }}|{{ f(*a, *b) }}|{{ f(**a, b=1) }}|{{ f(**a, *b) }}|{{ 1 is }}|{{ 1 is a is b }}|{{ 1 | }}|{{ $ }}|{{ ? }}|{{ a ! b }}|{{ a & b }}|{{ é }}|{{ 1a }}|{% if %}{% endif %}|{% if 1 %}|{% for x in %}{% endfor %}|{% for in x %}{% endfor %}|{% endif %}|{% if 1 %}{% endfor %}|{% if 1 %}{% else %}{% elif 2 %}{% endif %}|{% foo %}|{% for i in [1] %}{% if 1 %}{% endfor %}|{% macro %}{% endmacro %}|{% macro m( %}{% endmacro %}|{% macro m(1) %}{% endmacro %}|{% set %}|{% set x %}|{% with a %}{% endwith %}|{% do 1 %}|{% print 1, 'a' %}|{% trans %}{% endtrans %}|{% call %}{% endcall %}|{% if x = 1 %}{% endif %}|{{ x = 1 }}|{{ not }}|{{ 1 in }}|{{ 1 not }}|{{ 1 not in [2] }}|{{ a if }}|{{ lambda }}|{{ 1; }}|{{ a, b }}|{{ (a, b) }}|{{ * }}|{{ ** }}|{{ {1} }}|{{ {1:} }}|{{ {:1} }}|{{ [,] }}
a  {%- if true -%}  b  {%- endif -%}  c|a {% if true %} b {% endif %} c|  {% if true %}  x  {% endif %}  y|x  {{- 1 -}}  y|x {{+ 1 +}} y|  {%+ if true %}x{% endif %}|{% if true +%}
x{% endif %}|{% if true %}
x
{% endif %}
y|  {# c #}
x|  {% set x = 1 %}
{{ x }}|	{% if true %}	
x	{% endif %}	|x{% raw %}
 y {% endraw %}
z|a
{%- set x = 1 %}
b|{{ 1 }}
|{{ 1 }}

{% generation %}abc{{ 1 }}{% endgeneration %}|x{% for m in messages %}é{% generation %}{{ m.content }}{% set z = 1 %}{% endgeneration %}{{ z }}{% endfor %}|{% macro m() %}a{% generation %}b{% endgeneration %}{% endmacro %}x{{ m() }}|{% set q %}a{% generation %}b{% endgeneration %}{% endset %}{{ q }}|{% for i in [1, 2] %}{% generation %}{{ loop.index }}{% endgeneration %}{% endfor %}|{% generation %}{% break %}{% endgeneration %}|{%- generation -%} a {%- endgeneration -%}|{% block b %}x{% generation %}y{% endgeneration %}{% endblock %}
{{ messages }}|{{ messages[0].content }}|{{ messages[0]['role'] }}|{{ tools }}|{{ documents }}|{{ add_generation_prompt }}|{{ bos_token }}|{{ messages|length }}|{{ messages|tojson }}|{{ messages[0].keys()|list }}|{{ messages[0].update({}) }}|{{ messages.append(1) }}|{{ messages[0].__class__ }}|{{ messages.__len__() }}|{{ ''.__class__.__mro__ }}|{{ {}['__class__'] }}|{{ {'__class__': 1}.__class__ }}|{{ nothing.__class__ }}|{{ nothing['__x__'] }}|{{ ()|attr('__class__') }}|{{ range.__call__ }}|{{ 'a'._x }}|{{ {'_x': 1}._x }}|{{ loop }}|{{ self }}"""
NUMBERS = ["0", "5", "-3", "255", "123456789", "true", "1.5", "-0.0", "3.14159", "1e10", "12345.678", "0.00001", "2.5", "1e22", "10**25", "'ab'", "'é'", "none", "[1]", "''"]
PERCENTS = [flags + width + precision + kind for flags in ("", "-", "0", "+", " ", "#") for width in ("", "7") for precision in ("", ".0", ".3") for kind in "sdixXoeEfFgGcra"] + ["", "q", "(a)s", "ld", "*d", "5", "%"]
SPECIFICATIONS = [a + s + h + z + w + g + p + t for a in ("", "<", "*^", "=") for s in ("", "+") for h in ("", "#") for z in ("", "0") for w in ("", "9") for g in ("", ",", "_") for p in ("", ".2") for t in ("", "d", "x", "f", "g", "e", "s", "%", "c", "q")]


class Programs:
    """Random templates over few names: who sees which value of what."""

    NAMES = ("a", "b", "c", "x")

    def __init__(self, r):
        self.r, self.blocks = r, 0

    def expression(self):
        r = self.r
        return r.choice([r.choice(self.NAMES), r.choice(self.NAMES), str(r.randrange(9)), "loop.index", "m()", "m(%s)" % r.choice(self.NAMES), "ns.v", "%s|default('-')" % r.choice(self.NAMES), "loop is defined"])

    def body(self, depth):
        return "".join(self.statement(depth) for _ in range(self.r.randrange(1, 4)))

    def statement(self, depth):
        r = self.r
        if depth <= 0 or r.random() < 0.35:
            return "{{ %s }}," % self.expression()
        name, inner = r.choice(self.NAMES), lambda: self.body(depth - 1)
        kind = r.randrange(15)
        if kind < 4:
            return "{%% set %s = %s %%}" % (name, self.expression())
        if kind == 4:
            return "{%% if %s %%}%s{%% elif %s %%}%s{%% else %%}%s{%% endif %%}" % (self.expression(), inner(), self.expression(), inner(), inner())
        if kind in (5, 6):
            test = " if %s != 2" % name if r.random() < 0.3 else ""
            orelse = "{% else %}" + inner() if r.random() < 0.3 else ""
            return "{%% for %s in [1, 2, 3]%s%s %%}%s%s{%% endfor %%}" % (name, test, r.choice(("", "", " recursive")), inner(), orelse)
        if kind == 7:
            return "{%% with %s = %s %%}%s{%% endwith %%}" % (name, self.expression(), inner())
        if kind == 8:
            return "{%% macro m(%s) %%}%s{%% endmacro %%}" % (r.choice(("", "a", "a=b", "x=1")), inner().replace("m(", "str("))
        if kind == 9:
            return "{%% call(%s) m() %%}%s{%% endcall %%}" % (r.choice(("", "a")), inner())
        if kind == 10:
            return "{%% set %s %%}%s{%% endset %%}" % (name, inner())
        if kind == 11:
            return "{%% filter upper %%}%s{%% endfilter %%}" % inner()
        if kind == 12:
            return "{%% set ns.v = %s %%}" % self.expression()
        if kind == 13:
            self.blocks += 1
            return "{%% block b%d %s %%}%s{%% endblock %%}" % (self.blocks, r.choice(("", "scoped")), inner())
        return "{%% if %s %%}{%% %s %%}{%% endif %%}" % (self.expression(), r.choice(("break", "continue"))) if r.random() < 0.3 else "{% generation %}" + inner() + "{% endgeneration %}"

    def template(self):
        self.blocks = 0
        return "{% set ns = namespace(v=0) %}{% macro m(a) %}<{{ a }}{{ b }}{{ x }}>{% endmacro %}" + self.body(4)


def split_lines(text):
    """The templates of lines that hold several, parted by bars outside of tags."""
    for line in text.split("\n"):
        depth, start = 0, 0
        for i, pair in enumerate(zip(line, line[1:] + " ")):
            depth += 1 if "".join(pair) in ("{{", "{%", "{#") else -1 if "".join(pair) in ("}}", "%}", "#}") else 0
            if pair[0] == "|" and depth <= 0:
                yield line[start:i]
                start, depth = i + 1, 0
        yield line[start:]


def templates(r, share):
    """All of them; of the large products only a share."""
    def some(items):
        return items if share >= 1 else [item for item in items if r.random() < share]
    yield from split_lines(STATEMENTS)
    yield from STATEMENTS.split("\n")
    for line in OTHERS.split("\n"):
        yield from ("{{ %s }}" % e for e in line.split("|"))
        yield from ("{{ %s|%s }}" % pair for pair in zip(line.split("|"), line.split("|")[1:]))
    products = ["{{ (%s)|%s%s }}" % (v, f, a) for f, arguments in ARGUMENTS.items() for a in arguments for v in VALUES]
    products += ["{{ (%s) is %s }}" % pair for pair in itertools.product(VALUES, TESTS)]
    products += ["{{ (%s) %s (%s) }}" % (a, op, b) for a in VALUES for op in BINARY for b in VALUES
                 if op != "**" or b not in ("2**53+1", "10**30")]  # Python would compute for ever
    products += ["{{ (%s).%s(%s) }}" % (s, m, a) for s in STRINGS for m, arguments in METHODS.items() for a in arguments
                 # Markup's methods are Python's own, with other texts for wrong arguments.
                 if "|e" not in s or (a or arguments == [""]) and a not in ("1", "a=1", "x=1", "1, 2, 3", "'a', 'b'", "chars='a'") and (m, a) != ("replace", "'a'")]
    products += ["{{ '[%%%s]' %% (%s) }}" % (p, n) for p in PERCENTS for n in NUMBERS]
    products += ["{{ '%%s %%s' %% %s }}" % v for v in ("(1, 2)", "(1,)", "(1, 2, 3)", "[1, 2]")]
    products += ["{{ '[{:%s}]'.format(%s) }}" % (s, n) for s in SPECIFICATIONS for n in NUMBERS]
    products += ["{{ '%s'.format(%s) }}" % pair for pair in itertools.product(
        ["{", "}", "{0", "{0!}", "{0!z}", "{0!r:>5}", "{0!rr}", "{0[}", "{0[0]x}", "{0.}", "{0[]}", "{:{}}", "{0:{1:{2}}}", "{{}}", "a{b", "{!r}", "{0:{}", "{a.b[c]}", "{0:>{w}}", "{0!s:}", "{0:x}}", "{0!r", "{0!", "{ 0}", "{-1}", "{}{0}", "{0}{}",
         "{a}", "{0.real}", "{0[0]}", "{a[x]}", "{!a}", "{0.__class__}", "{[0]}", "{.real}", "{0[-1]}"], ["", "1", "1, 5", "a=1", "'xy'", "a={'x': 'é'}", "1, 5, 6", "'x', w=4"])]
    yield from some(products)
    programs = Programs(r)
    for _ in range(int(6000 * min(share, 1))):
        yield programs.template()
