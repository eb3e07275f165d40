// The template engine by itself; tests/templates/compare.py compares it with Jinja on far more.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "gamut/chat_template.h"
#include "gamut/error.h"
#include "text/template/big_integer.h"

namespace gamut {
namespace {

std::string rendered(const std::string& source) {
  ChatRequest request;
  request.messages = R"([{"role": "user", "content": "hi é", "n": 123456789012345678901234567890}])";
  return ChatTemplate::parse(source).render(request).text;
}

/// The text of the error, with the name of the exception.
std::string error_of(const std::string& source) {
  try {
    return "no error: " + rendered(source);
  } catch (const Error& e) {
    return e.hint().substr(0, e.hint().find(',')) + ": " + e.message();
  }
}

struct Case {
  const char *source, *text;
};

void expect_all(std::initializer_list<Case> cases) {
  for (const Case& c : cases) EXPECT_EQ(rendered(c.source), c.text) << c.source;
}

TEST(Template, ScopesAreJinjas) {
  expect_all(
      {{"{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = 5 %}{{ x }}{% endfor %}{{ x }}", "15151"},
       {"{% if true %}{% set z = 1 %}{% endif %}{{ z }}", "1"},
       {"{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}", "2"},
       {"{% with a = 1 %}{{ a }}{% endwith %}[{{ a }}]", "1[]"},
       {"{% for i in [1] %}{% block b %}[{{ i }}]{% endblock %}{% endfor %}", "[]"},
       {"{% for i in [1] %}{% block b scoped %}[{{ i }}]{% endblock %}{% endfor %}", "[1]"},
       {"{% set ns = namespace(n=0) %}{% for i in [1, 2, 3] if ns.n < 2 %}{% set ns.n = i %}{{ i }}{% endfor %}", "12"},
       {"{% for i in [1, [2, [3]]] recursive %}{{ loop(i) if i is iterable else i ~ loop.depth }}{% endfor %}",
        "112233"},
       {"{% macro m(a, b=a) %}{{ a }}{{ b }}{{ caller() }}{% endmacro %}{% call m(1) %}x{% endcall %}", "11x"}});
}

// What a variable of a block leads back to is freed too: AddressSanitizer's builds look for leaks.
TEST(Template, ABlockMayHoldItself) {
  expect_all({{"{% set x = self.b %}{% block b %}[{{ 1 }}]{% endblock %}{% set y = self.none %}", "[1]"}});
}

TEST(Template, FiltersAndTests) {
  expect_all({{"{{ [3, 1, 2]|sort|join('-') }}", "1-2-3"},
              {"{{ [{'a': 1}, {'a': 2}]|map(attribute='a')|sum }}", "3"},
              {"{{ {'b': 1, 'a': [none]}|tojson(sort_keys=true) }}", R"({"a": [null], "b": 1})"},
              {"{{ 'the quick-brown fox'|wordwrap(6) }}", "the\nquick-\nbrown\nfox"},
              {"{{ 'see www.example.com.'|urlize }}",
               "see <a href=\"https://www.example.com\" rel=\"noopener\">www.example.com</a>."},
              {"{{ '<b>a</b>  &eacute;'|striptags }}", "a é"},
              {"{{ 13000|filesizeformat }}", "13.0 kB"},
              {"{{ {'b': 1, 'a': 'x'}|pprint }}", "{'a': 'x', 'b': 1}"},
              {"{{ {'a': '<'}|xmlattr }}", " a=\"&lt;\""},
              {"{{ 2.5|round }} {{ 1234.5|round(-2) }} {{ 42.7|int }}", "2.0 1200.0 42"},
              {"{{ 3 is odd }} {{ 'x' is string }} {{ [] is mapping }} {{ y is defined }} {{ 4 is divisibleby 2 }}",
               "True True False False True"},
              {"{{ [1]|random }}", "1"}});
}

TEST(Template, MethodsAndFormats) {
  expect_all({{"{{ 'a,b'.split(',') }} {{ 'ß'.upper() }} {{ 'ab'.translate({97: 'X', 98: none}) }}", "['a', 'b'] SS X"},
              {"{{ '{:>6,.1f}|{!r}|{a[0]}'.format(1234.56, 'x', a=[7]) }}", "1,234.6|'x'|7"},
              {"{{ '%-4s|%05.1f|%x' % ('é', -2.25, 255) }}", "é   |-02.2|ff"},
              {"{{ {'a': 1}.get('b', 2) }}{{ [1, 2].index(2) }}{{ 'abcdef'[-2:] }}{{ (1, 2)[::-1] }}", "21ef(2, 1)"},
              {"{{ 2 ** 100 }} {{ -(2 ** 70) // 7 }} {{ messages[0].n + 1 }}",
               "1267650600228229401496703205376 -168655945816773043347 123456789012345678901234567891"},
              {"{{ 0.1 + 0.2 }} {{ 1e16 }} {{ 7 // -2 }} {{ -7 % 3 }} {{ 1 / 3 }}",
               "0.30000000000000004 1e+16 -4 2 0.3333333333333333"}});
}

TEST(Template, ErrorsHavePythonsTexts) {
  EXPECT_EQ(error_of("{{ x.y }}"), "UndefinedError: 'x' is undefined");
  EXPECT_EQ(error_of("{{ 'a' + 1 }}"), "TypeError: can only concatenate str (not \"int\") to str");
  EXPECT_EQ(error_of("{{ [1].append(2) }}"), "SecurityError: access to attribute 'append' of 'list' object is unsafe.");
  EXPECT_EQ(error_of("{{ raise_exception('no') }}"), "TemplateError: no");
  EXPECT_EQ(error_of("{% for x in y %}"),
            "TemplateSyntaxError: Unexpected end of template. Jinja was looking for the following tags: 'endfor' or "
            "'else'. The innermost block that needs to be closed is 'for'.");
  EXPECT_EQ(error_of("{{ 1|nothing }}"), "TemplateAssertionError: No filter named 'nothing'.");
  EXPECT_EQ(error_of("{{ range(100001) }}"),
            "OverflowError: Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).");
}

TEST(Template, GenerationsAreInCharacters) {
  ChatRequest request;
  request.messages = R"([{"role": "assistant", "content": "hé"}])";
  const RenderedChat chat =
      ChatTemplate::parse("é{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}!")
          .render(request);
  EXPECT_EQ(chat.text, "éhé!");
  ASSERT_EQ(chat.generations.size(), 1U);
  EXPECT_EQ(chat.generations[0].begin, 1);
  EXPECT_EQ(chat.generations[0].end, 3);
}

TEST(Template, BombsEndSoonWithAClearError) {
  const std::string deep(300, '(');
  const std::string bombs[] = {
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
      "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
      "{% set ns = namespace(x='aaaaaaaaaaaaaaaa') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
      "{{ 'a' * 10 ** 12 }}",
      "{{ [0] * 10 ** 12 }}",
      "{{ '%1000000000d' % 1 }}",
      "{{ '{:>1000000000}'.format(1) }}",
      "{{ 'a'.center(10 ** 12) }}",
      "{{ 9 ** (9 ** 9) }}",
      "{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}",
      "{% block b %}{{ self.b() }}{% endblock %}",
      "{% for i in range(99999) %}{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' }}{% endfor %}",
      "{{ " + deep + "1" + std::string(300, ')') + " }}",
  };
  for (const std::string& bomb : bombs) {
    const auto start = std::chrono::steady_clock::now();
    try {
      rendered(bomb);
      ADD_FAILURE() << "no error: " << bomb.substr(0, 80);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kResourceLimit) << bomb.substr(0, 80) << ": " << e.message();
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5)) << bomb.substr(0, 80);
  }
}

TEST(Template, OpensWhatAFolderHolds) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "gamut_template_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder / "additional_chat_templates");
  auto write = [&](const char* name, const char* text) { std::ofstream(folder / name) << text; };
  ChatRequest request;
  request.messages = R"([{"role": "user", "content": "x"}])";
  EXPECT_THROW(ChatTemplate::open(folder), Error);
  write("chat_template.json", R"({"chat_template": "processor {{ eos_token }}"})");
  write("special_tokens_map.json", R"({"eos_token": {"content": "</s>"}})");
  EXPECT_EQ(ChatTemplate::open(folder).render(request).text, "processor </s>");
  write("tokenizer_config.json",
        R"({"bos_token": "<s>", "chat_template": [{"name": "default", "template": "{{ bos_token }}d"},
            {"name": "tool_use", "template": "tools"}]})");
  EXPECT_EQ(ChatTemplate::open(folder).render(request).text, "<s>d");
  request.tools = "[]";
  EXPECT_EQ(ChatTemplate::open(folder).render(request).text, "tools");
  write("chat_template.jinja", "file\n");
  write("additional_chat_templates/rag.jinja", "rag");
  request.template_name = "rag";
  EXPECT_EQ(ChatTemplate::open(folder).render(request).text, "rag");
  request.template_name = "";
  EXPECT_EQ(ChatTemplate::open(folder).render(request).text, "file");
  std::filesystem::remove_all(folder);
}

TEST(BigInteger, DividesLikePython) {
  using jinja::BigInteger;
  const BigInteger a = *BigInteger::parse("123456789012345678901234567890", 10), b(-987654321987LL);
  const auto [quotient, remainder] = BigInteger::divide(a, b);
  EXPECT_EQ(quotient.text(), "-124999998748520314");
  EXPECT_EQ((quotient * b + remainder).text(), a.text());
  EXPECT_TRUE(remainder.is_negative());
  EXPECT_EQ(BigInteger::from_real(0x1p80).text(16), "100000000000000000000");
  EXPECT_EQ(BigInteger(INT64_MIN).to_int64(), INT64_MIN);
}

}  // namespace
}  // namespace gamut
