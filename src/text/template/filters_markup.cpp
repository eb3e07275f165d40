// Filters for HTML and addresses.
#include <algorithm>

#include "text/template/filter_call.h"
#include "text/template/html.h"
#include "text/template/operators.h"
#include "text/template/python_unicode.h"
#include "text/template/repr.h"

namespace gamut::jinja {

Value escape(Heap& heap, const Value& v) {
  if (v.is_string() && v.as<String>().is_markup()) return v;
  return heap.markup(escaped_html(to_text(v)));
}

namespace filter {

Value safe(FilterCall& c) {
  c.bind("do_mark_safe", {{"value", Value()}});
  return c.heap.markup(to_text(c.v));
}

Value escape(FilterCall& c) {
  c.bind("escape", {{"s", Value()}});
  return jinja::escape(c.heap, c.v);
}

Value forceescape(FilterCall& c) {
  c.bind("do_forceescape", {{"value", Value()}});
  return c.heap.markup(escaped_html(to_text(c.v)));
}

Value striptags(FilterCall& c) {
  c.bind("do_striptags", {{"value", Value()}});
  return c.heap.string(without_tags(to_text(c.v)));
}

namespace {

std::string url_encoded(std::string_view text, bool in_query) {
  std::string out;
  for (char ch : text) {
    const bool plain = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
                       std::string_view("_.-~").find(ch) != std::string_view::npos || (ch == '/' && !in_query);
    if (plain) out += ch;
    else if (ch == ' ' && in_query) out += '+';
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(ch));
  }
  return out;
}

}  // namespace

Value urlencode(FilterCall& c) {
  c.bind("do_urlencode", {{"value", Value()}});
  if (c.v.is_string() || !is_iterable(c.v)) return c.heap.string(url_encoded(to_text(c.v), false));
  const Value pairs = c.v.is(Type::kDict) ? c.heap.make_value<DictView>(0, c.v, DictView::Part::kItems) : c.v;
  std::string out;
  bool first = true;
  for (const Value& pair : to_vector(c.heap, pairs)) {
    if (!is_iterable(pair)) type_error("cannot unpack non-iterable {} object", type_name(pair));
    const std::vector<Value> both = to_vector(c.heap, pair);
    if (both.size() < 2) value_error("not enough values to unpack (expected 2, got {})", both.size());
    if (both.size() > 2) value_error("too many values to unpack (expected 2)");
    if (!std::exchange(first, false)) out += '&';
    out += url_encoded(to_text(both[0]), true) + "=" + url_encoded(to_text(both[1]), true);
    c.heap.budget().expect(out.size());
  }
  return c.heap.string(std::move(out));
}

Value xmlattr(FilterCall& c) {
  const auto p = c.bind("do_xmlattr", {{"d", Value()}, {"autospace", Value::boolean(true)}}, 1);
  if (p[0].is_undefined()) p[0].as<Undefined>().fail();
  if (!p[0].is(Type::kDict)) no_attribute(p[0], "items");
  std::string out;
  for (const Dict::Entry& entry : p[0].as<Dict>().entries()) {
    if (entry.value.is_none() || entry.value.is_undefined()) continue;
    if (!entry.key.is_string()) type_error("expected string or bytes-like object, got '{}'", type_name(entry.key));
    if (text_of(entry.key).find_first_of(" \t\n\r\f\v/>=") != std::string::npos)
      value_error("Invalid character in attribute name: {}", repr(entry.key));
    if (!out.empty()) out += ' ';
    out += text_of(jinja::escape(c.heap, entry.key)) + "=\"" + text_of(jinja::escape(c.heap, entry.value)) + "\"";
    c.heap.budget().expect(out.size());
  }
  if (truth(p[1]) && !out.empty()) out.insert(0, " ");
  return c.in.text_value(std::move(out));
}

namespace {

/// The words of a text, each once, in order.
std::vector<std::string> words_of(FilterCall& c, const Value& text) {
  std::vector<std::string> words;
  if (!truth(text)) return words;
  const Value split = c.in.call_method(text, "split", {});
  for (const Value& word : items_of(split)) words.push_back(text_of(word));
  return words;
}

}  // namespace

Value urlize(FilterCall& c) {
  const auto p = c.bind("do_urlize",
                        {{"value", Value()},
                         {"trim_url_limit", Value::none()},
                         {"nofollow", Value::boolean(false)},
                         {"target", Value::none()},
                         {"rel", Value::none()},
                         {"extra_schemes", Value::none()}},
                        1);
  std::vector<std::string> rel = words_of(c, p[4]);
  if (truth(p[2])) rel.emplace_back("nofollow");
  rel.emplace_back("noopener");
  std::ranges::sort(rel);
  rel.erase(std::unique(rel.begin(), rel.end()), rel.end());
  LinkStyle style;
  for (const std::string& word : rel) style.rel += (style.rel.empty() ? "" : " ") + word;
  if (!p[3].is_none()) style.target = to_text(p[3]);
  if (!p[1].is_none()) style.longest = index_of(p[1]);
  if (!p[5].is_none()) {
    for (const Value& scheme : to_vector(c.heap, p[5])) {
      if (!scheme.is_string()) type_error("expected string or bytes-like object, got '{}'", type_name(scheme));
      if (!is_uri_scheme(text_of(scheme)))
        raise(ExceptionType::kFilterArgumentError, "{} is not a valid URI scheme prefix.", repr(scheme));
      style.schemes.push_back(text_of(scheme));
    }
  }
  const std::string text = text_of(jinja::escape(c.heap, p[0]));
  c.heap.budget().step(text.size());
  std::string out = with_links(text, style);
  c.heap.budget().expect(out.size());
  return c.in.text_value(std::move(out));
}

}  // namespace filter
}  // namespace gamut::jinja
