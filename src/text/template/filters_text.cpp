// Filters that change texts.
#include <algorithm>

#include "text/template/filter_call.h"
#include "text/template/operators.h"
#include "text/template/python_unicode.h"
#include "text/template/repr.h"
#include "text/template/text_wrap.h"
#include "text/utf8.h"

namespace gamut::jinja::filter {

Value trim(FilterCall& c) {
  return c.text_method("strip", {c.bind("do_trim", {{"value", Value()}, {"chars", Value::none()}})[1]});
}

Value upper(FilterCall& c) { return c.bind("do_upper", {{"s", Value()}}), c.text_method("upper"); }
Value lower(FilterCall& c) { return c.bind("do_lower", {{"s", Value()}}), c.text_method("lower"); }
Value capitalize(FilterCall& c) { return c.bind("do_capitalize", {{"s", Value()}}), c.text_method("capitalize"); }

Value title(FilterCall& c) {
  c.bind("do_title", {{"s", Value()}});
  const std::string text = to_text(c.v);
  std::string out, word;
  auto flush = [&] {
    const char* p = word.data();
    if (!word.empty()) text::decode_utf8(p);
    const auto first = static_cast<size_t>(p - word.data());
    out += to_upper(std::string_view(word).substr(0, first)) + to_lower(std::string_view(word).substr(first));
    word.clear();
  };
  for (const char* p = text.data(); p != text.data() + text.size();) {
    const char* start = p;
    const char32_t ch = text::decode_utf8(p);
    const bool breaks = has_property(ch, kSpace) ||
                        (ch < 0x80 && std::string_view("-({[<").find(static_cast<char>(ch)) != std::string_view::npos);
    if (breaks) flush();
    (breaks ? out : word).append(start, p);
  }
  flush();
  return c.heap.string(std::move(out));
}

Value center(FilterCall& c) {
  return c.text_method("center", {c.bind("do_center", {{"value", Value()}, {"width", Value::integer(80)}})[1]});
}

Value replace(FilterCall& c) {
  const auto p =
      c.bind("do_replace", {{"s", Value()}, {"old", Value()}, {"new", Value()}, {"count", Value::none()}}, 1);
  const Value count = p[3].is_none() ? Value::integer(-1) : p[3];
  if (!c.in.autoescapes()) {
    const Value text = p[0].is_string() && !p[0].as<String>().is_markup() ? p[0] : c.heap.string(to_text(p[0]));
    return c.in.call_method(text, "replace", {{c.heap.string(to_text(p[1])), c.heap.string(to_text(p[2])), count}, {}});
  }
  auto is_markup = [](const Value& v) { return v.is_string() && v.as<String>().is_markup(); };
  auto soft = [&](const Value& v) { return v.is_string() ? v : c.heap.string(to_text(v)); };
  const Value text =
      is_markup(p[1]) || (is_markup(p[2]) && !is_markup(p[0])) ? jinja::escape(c.heap, p[0]) : soft(p[0]);
  return c.in.call_method(text, "replace", {{soft(p[1]), soft(p[2]), count}, {}});
}

Value format(FilterCall& c) {
  if (!c.given.positional.empty() && !c.given.named.empty())
    raise(ExceptionType::kFilterArgumentError, "can't handle positional and keyword arguments at the same time");
  const Value text = c.v.is_string() ? c.v : c.heap.string(to_text(c.v));
  if (c.given.named.empty()) return format_percent(c.heap, text, c.heap.tuple(c.given.positional));
  const Value named = c.heap.make_value<Dict>(0);
  for (const auto& [key, value] : c.given.named) named.as<Dict>().set(c.heap.string(key), value);
  return format_percent(c.heap, text, named);
}

Value wordcount(FilterCall& c) {
  c.bind("do_wordcount", {{"s", Value()}});
  int64_t count = 0;
  bool inside = false;
  const std::string text = to_text(c.v);
  for (const char* p = text.data(); p != text.data() + text.size();) {
    const char32_t ch = text::decode_utf8(p);
    const bool is_word = ch == '_' || has_property(ch, kAlphanumeric);
    count += is_word && !inside ? 1 : 0;
    inside = is_word;
  }
  return Value::integer(count);
}

Value indent(FilterCall& c) {
  const auto p = c.bind("do_indent", {{"s", Value()},
                                      {"width", Value::integer(4)},
                                      {"first", Value::boolean(false)},
                                      {"blank", Value::boolean(false)}});
  Value indention = p[1];
  if (!indention.is_string()) indention = binary(c.heap, Operator::kMultiply, c.heap.string(" "), p[1]);
  const bool is_markup = p[0].is_string() && p[0].as<String>().is_markup();
  if (is_markup) indention = c.heap.markup(text_of(indention));
  if (p[0].is(Type::kList)) no_attribute(p[0], "splitlines");
  if (!p[0].is_string() && !p[0].is_undefined() && !p[0].is(Type::kTuple))
    type_error("unsupported operand type(s) for +=: '{}' and '{}'", type_name(p[0]), "str");
  const Value text = binary(c.heap, Operator::kAdd, p[0], c.heap.string("\n"));
  const Value lines = c.in.call_method(text, "splitlines", {});
  const bool blank = truth(p[3]);
  std::string out;
  if (truth(p[2])) out = text_of(indention);
  for (size_t i = 0; i < items_of(lines).size(); ++i) {
    const std::string& line = text_of(items_of(lines)[i]);
    if (i > 0) out += '\n';
    if (i > 0 && (blank || !line.empty())) out += text_of(indention);
    out += line;
    c.heap.budget().expect(out.size());
  }
  return is_markup ? c.heap.markup(std::move(out)) : c.heap.string(std::move(out));
}

Value truncate(FilterCall& c) {
  const auto p = c.bind("do_truncate",
                        {{"s", Value()},
                         {"length", Value::integer(255)},
                         {"killwords", Value::boolean(false)},
                         {"end", c.heap.string("...")},
                         {"leeway", Value::none()}},
                        1);
  const Value leeway = p[4].is_none() ? Value::integer(5) : p[4], end = Value::integer(length_of(p[3]));
  if (!ordered(Operator::kGreaterEqual, p[1], end))
    raise(ExceptionType::kAssertionError, "expected length >= {}, got {}", end.as_int(), to_text(p[1]));
  if (!ordered(Operator::kGreaterEqual, leeway, Value::integer(0)))
    raise(ExceptionType::kAssertionError, "expected leeway >= 0, got {}", to_text(leeway));
  const Value longest = binary(c.heap, Operator::kAdd, p[1], leeway);
  if (ordered(Operator::kLessEqual, Value::integer(length_of(p[0])), longest)) return p[0];
  const Value bounds[3] = {Value::none(), binary(c.heap, Operator::kSubtract, p[1], end), Value::none()};
  Value cut = jinja::slice(c.heap, p[0], bounds);
  if (!truth(p[2])) {
    if (!cut.is_string()) no_attribute(cut, "rsplit");
    const std::string& text = text_of(cut);
    std::string kept = text.substr(0, std::min(text.rfind(' '), text.size()));
    cut = cut.as<String>().is_markup() ? c.heap.markup(std::move(kept)) : c.heap.string(std::move(kept));
  }
  return binary(c.heap, Operator::kAdd, cut, p[3]);
}

Value wordwrap(FilterCall& c) {
  const auto p = c.bind("do_wordwrap",
                        {{"s", Value()},
                         {"width", Value::integer(79)},
                         {"break_long_words", Value::boolean(true)},
                         {"wrapstring", Value::none()},
                         {"break_on_hyphens", Value::boolean(true)}},
                        1);
  if (p[0].is_undefined()) p[0].as<Undefined>().fail();
  if (!p[0].is_string()) no_attribute(p[0], "splitlines");
  const WrapStyle style{index_of(p[1]), truth(p[2]), truth(p[4])};
  const std::string between = p[3].is_none() ? "\n" : to_text(p[3]);
  const Value lines = c.in.call_method(p[0], "splitlines", {});
  std::string out;
  for (const Value& line : items_of(lines)) {
    if (&line != items_of(lines).data()) out += between;
    c.heap.budget().step(text_of(line).size());
    const std::vector<std::string> parts = wrapped_lines(text_of(line), style);
    for (const std::string& part : parts) {
      if (&part != parts.data()) out += between;
      out += part;
    }
    c.heap.budget().expect(out.size());
  }
  return c.heap.string(std::move(out));
}

}  // namespace gamut::jinja::filter
