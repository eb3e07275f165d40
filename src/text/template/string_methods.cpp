// Methods of str, with Python's ways of taking arguments.
#include <algorithm>

#include "base/error.h"
#include "text/template/format.h"
#include "text/template/interpreter.h"
#include "text/template/methods.h"
#include "text/template/operators.h"
#include "text/template/python_unicode.h"
#include "text/template/repr.h"
#include "text/template/string_parts.h"
#include "text/utf8.h"

namespace gamut::jinja {
namespace {

class StringMethod {
 public:
  StringMethod(Interpreter& interpreter, const Value& self, const std::string& name, const Arguments& given)
      : in_(interpreter), heap_(interpreter.heap()), text_(text_of(self)), self_(self), name_(name), given_(given) {
    heap_.budget().touch(text_.size());
  }

  Value run() {
    static constexpr std::pair<std::string_view, std::string (*)(std::string_view)> kCases[] = {
        {"upper", to_upper},           {"lower", to_lower},        {"title", to_title}, {"capitalize", to_capitalized},
        {"swapcase", to_swapped_case}, {"casefold", to_casefolded}};
    for (const auto& [name, change] : kCases) {
      if (name_ == name) return no_arguments(), give(change(text_));
    }
    if (name_.starts_with("is")) return no_arguments(), Value::boolean(is());
    using Run = Value (StringMethod::*)();
    static constexpr std::pair<std::string_view, Run> kMethods[] = {
        {"strip", &StringMethod::strip_method},
        {"lstrip", &StringMethod::strip_method},
        {"rstrip", &StringMethod::strip_method},
        {"split", &StringMethod::split},
        {"rsplit", &StringMethod::split},
        {"splitlines", &StringMethod::lines},
        {"startswith", &StringMethod::affix},
        {"endswith", &StringMethod::affix},
        {"find", &StringMethod::find},
        {"rfind", &StringMethod::find},
        {"index", &StringMethod::find},
        {"rindex", &StringMethod::find},
        {"count", &StringMethod::find},
        {"replace", &StringMethod::replace},
        {"join", &StringMethod::join},
        {"partition", &StringMethod::partition},
        {"rpartition", &StringMethod::partition},
        {"removeprefix", &StringMethod::remove},
        {"removesuffix", &StringMethod::remove},
        {"center", &StringMethod::pad},
        {"ljust", &StringMethod::pad},
        {"rjust", &StringMethod::pad},
        {"zfill", &StringMethod::fill_zeros},
        {"expandtabs", &StringMethod::expand_tabs},
        {"translate", &StringMethod::translate},
        {"maketrans", &StringMethod::make_table},
        {"format", &StringMethod::format},
        {"format_map", &StringMethod::format},
    };
    for (const auto& [name, method] : kMethods) {
      if (name_ == name) return (this->*method)();
    }
    fail(ErrorCode::kUnsupported, "chat template: str.{} is not supported", name_);
  }

 private:
  bool is_markup() const { return self_.as<String>().is_markup(); }
  Value give(std::string text) const {
    return is_markup() ? heap_.markup(std::move(text)) : heap_.string(std::move(text));
  }
  Value give(std::string_view text) const { return give(std::string(text)); }
  Value give(const char* text) const { return give(std::string(text)); }
  Value give_all(const std::vector<std::string_view>& parts) const {
    std::vector<Value> values;
    values.reserve(parts.size());
    heap_.budget().expect(parts.size() * sizeof(String));
    for (std::string_view part : parts) values.push_back(give(part));
    return heap_.list(std::move(values));
  }
  size_t count() const { return given_.positional.size(); }
  void no_keywords() const {
    if (!given_.named.empty()) type_error("str.{}() takes no keyword arguments", name_);
  }
  void no_arguments() const {
    no_keywords();
    if (count() > 0) type_error("str.{}() takes no arguments ({} given)", name_, count());
  }
  void one_argument() const {
    no_keywords();
    if (count() != 1) type_error("str.{}() takes exactly one argument ({} given)", name_, count());
  }
  /// As C functions count their arguments that cannot be named.
  void between(size_t least, size_t most) const {
    no_keywords();
    if (count() < least)
      type_error("{} expected at least {} argument{}, got {}", name_, least, least == 1 ? "" : "s", count());
    if (count() > most)
      type_error("{} expected at most {} argument{}, got {}", name_, most, most == 1 ? "" : "s", count());
  }
  /// As those do that parse a tuple.
  void between_of_tuple(size_t least, size_t most) const {
    no_keywords();
    if (count() < least)
      type_error("{}() takes at least {} argument{} ({} given)", name_, least, least == 1 ? "" : "s", count());
    if (count() > most) type_error("{}() takes at most {} arguments ({} given)", name_, most, count());
  }
  /// Arguments that may be named.
  std::vector<Value> named(std::initializer_list<const char*> names) const {
    const size_t got = count() + given_.named.size();
    if (got > names.size())
      type_error("{}() takes at most {} argument{} ({} given)", name_, names.size(), names.size() == 1 ? "" : "s", got);
    std::vector<Value> bound = given_.positional;
    bound.resize(names.size());
    for (const auto& [key, value] : given_.named) {
      const auto found = std::ranges::find_if(names, [&key = key](const char* name) { return key == name; });
      if (found == names.end()) type_error("'{}' is an invalid keyword argument for {}()", key, name_);
      Value& at = bound[static_cast<size_t>(found - names.begin())];
      if (!at.is_missing())
        type_error("argument for {}() given by name ('{}') and position ({})", name_, key, found - names.begin() + 1);
      at = value;
    }
    return bound;
  }
  const std::string& text_argument(size_t at) const {
    const Value& v = given_.positional[at];
    if (!v.is_string()) type_error("{}() argument {} must be str, not {}", name_, at + 1, type_name(v));
    return text_of(v);
  }

  bool is() const {
    if (name_ == "isalnum") return all_characters(text_, kAlphanumeric);
    if (name_ == "isalpha") return all_characters(text_, kAlpha);
    if (name_ == "isdecimal") return all_characters(text_, kDecimal);
    if (name_ == "isdigit") return all_characters(text_, kDigit);
    if (name_ == "isnumeric") return all_characters(text_, kNumeric);
    if (name_ == "isspace") return all_characters(text_, kSpace);
    if (name_ == "isprintable") return text_.empty() || all_characters(text_, kPrintable);
    if (name_ == "isascii") return self_.as<String>().is_ascii();
    if (name_ == "isidentifier") return is_identifier(text_);
    if (name_ == "islower") return is_cased(text_, kLower, kUpper | kTitleCase);
    if (name_ == "isupper") return is_cased(text_, kUpper, kLower | kTitleCase);
    return is_titled(text_);
  }
  Value strip_method() {
    between(0, 1);
    const StripSide side = name_ == "strip" ? kStripBoth : name_ == "lstrip" ? kStripLeft : kStripRight;
    if (count() == 0 || given_.positional[0].is_none()) return give(strip(text_, side));
    if (!given_.positional[0].is_string()) type_error("{} arg must be None or str", name_);
    return give(strip_characters(text_, text_of(given_.positional[0]), side));
  }

  Value split() {
    const std::vector<Value> p = named({"sep", "maxsplit"});
    const int64_t most = p[1].is_missing() ? -1 : index_of(p[1]);
    const int64_t left = most < 0 ? INT64_MAX : most;
    const bool backwards = name_ == "rsplit";
    if (p[0].is_missing() || p[0].is_none()) return give_all(split_at_space(text_, left, backwards));
    if (!p[0].is_string()) type_error("must be str or None, not {}", type_name(p[0]));
    if (text_of(p[0]).empty()) value_error("empty separator");
    return give_all(split_at(text_, text_of(p[0]), left, backwards));
  }
  Value lines() {
    const std::vector<Value> p = named({"keepends"});
    const bool keep = !p[0].is_missing() && index_of(p[0]) != 0;
    return give_all(split_lines(text_, keep));
  }

  /// The part of the text that optional start and stop arguments, from `at` on, leave; false where it starts behind the
  /// end.
  bool part(size_t at, std::string_view& within, int64_t& start) {
    Value bounds[3] = {Value::none(), Value::none(), Value::none()};
    for (size_t i = 0; i < 2; ++i) {
      if (at + i < count()) bounds[i] = given_.positional[at + i];
    }
    start = 0;
    within = text_;
    if (bounds[0].is_none() && bounds[1].is_none()) return true;
    part_ = slice(heap_, self_, bounds);
    within = text_of(part_);
    const auto length = static_cast<int64_t>(self_.as<String>().length());
    if (bounds[0].is_integral())
      start = std::max<int64_t>(0, bounds[0].as_int() < 0 ? bounds[0].as_int() + length : bounds[0].as_int());
    int64_t stop = length;
    if (bounds[1].is_integral())
      stop = bounds[1].as_int() < 0 ? std::max<int64_t>(0, bounds[1].as_int() + length)
                                    : std::min(length, bounds[1].as_int());
    return start <= stop;
  }
  Value affix() {
    between_of_tuple(1, 3);
    int64_t start = 0;
    std::string_view within;
    const bool possible = part(1, within, start);
    const Value& what = given_.positional[0];
    auto fits = [&](const Value& v) {
      if (!v.is_string()) type_error("tuple for {} must only contain str, not {}", name_, type_name(v));
      return possible && (name_ == "startswith" ? within.starts_with(text_of(v)) : within.ends_with(text_of(v)));
    };
    if (what.is(Type::kTuple)) return Value::boolean(std::ranges::any_of(items_of(what), fits));
    if (!what.is_string()) type_error("{} first arg must be str or a tuple of str, not {}", name_, type_name(what));
    return Value::boolean(fits(what));
  }
  Value find() {
    between_of_tuple(1, 3);
    if (!given_.positional[0].is_string()) type_error("must be str, not {}", type_name(given_.positional[0]));
    int64_t start = 0;
    std::string_view within;
    const bool possible = part(1, within, start);
    const std::string& what = text_of(given_.positional[0]);
    if (name_ == "count") return Value::integer(possible ? occurrences(within, what) : 0);
    const size_t at = name_[0] == 'r' ? within.rfind(what) : within.find(what);
    if (possible && at != std::string_view::npos)
      return Value::integer(start + static_cast<int64_t>(text::count_characters(within.substr(0, at))));
    if (name_.ends_with("index")) value_error("substring not found");
    return Value::integer(-1);
  }
  static int64_t occurrences(std::string_view within, const std::string& what) {
    if (what.empty()) return static_cast<int64_t>(text::count_characters(within)) + 1;
    int64_t count = 0;
    for (size_t at = 0; (at = within.find(what, at)) != std::string_view::npos; at += what.size()) ++count;
    return count;
  }

  Value replace() {
    between(2, 3);
    const std::string& from = text_argument(0);
    text_argument(1);
    const Value with = is_markup() ? escape(heap_, given_.positional[1]) : given_.positional[1];
    const std::string& to = text_of(with);
    const int64_t most = count() > 2 ? index_of(given_.positional[2]) : -1;
    int64_t left = most < 0 ? INT64_MAX : most;
    std::string out;
    std::string_view rest = text_;
    while (left-- > 0) {
      const size_t at = from.empty() ? 0 : rest.find(from);
      if (at == std::string_view::npos) break;
      out.append(rest.substr(0, at)).append(to);
      rest.remove_prefix(at + from.size());
      if (from.empty()) {
        if (rest.empty()) break;
        const char* p = rest.data();
        text::decode_utf8(p);
        out.append(rest.data(), p);
        rest.remove_prefix(static_cast<size_t>(p - rest.data()));
      }
      heap_.budget().expect(out.size());
    }
    return give(out.append(rest));
  }
  Value join() {
    one_argument();
    if (!is_iterable(given_.positional[0])) {
      if (is_markup()) type_error("'{}' object is not iterable", type_name(given_.positional[0]));
      type_error("can only join an iterable");
    }
    std::string out;
    const std::vector<Value> items = to_vector(heap_, given_.positional[0]);
    for (size_t i = 0; i < items.size(); ++i) {
      const Value item = is_markup() ? escape(heap_, items[i]) : items[i];
      if (!item.is_string()) type_error("sequence item {}: expected str instance, {} found", i, type_name(item));
      if (i > 0) out += text_;
      out += text_of(item);
      heap_.budget().expect(out.size());
    }
    return give(std::move(out));
  }
  Value partition() {
    one_argument();
    if (!given_.positional[0].is_string()) type_error("must be str, not {}", type_name(given_.positional[0]));
    const std::string& by = text_of(given_.positional[0]);
    if (by.empty()) value_error("empty separator");
    const bool backwards = name_[0] == 'r';
    const size_t at = backwards ? text_.rfind(by) : text_.find(by);
    if (at == std::string::npos)
      return backwards ? heap_.tuple({give(""), give(""), self_}) : heap_.tuple({self_, give(""), give("")});
    return heap_.tuple({give(text_.substr(0, at)), give(by), give(text_.substr(at + by.size()))});
  }
  Value remove() {
    one_argument();
    if (!given_.positional[0].is_string())
      type_error("{}() argument must be str, not {}", name_, type_name(given_.positional[0]));
    const std::string& what = text_of(given_.positional[0]);
    if (name_ == "removeprefix") return give(text_.starts_with(what) ? text_.substr(what.size()) : text_);
    return give(text_.ends_with(what) ? text_.substr(0, text_.size() - what.size()) : text_);
  }
  /// How many characters a text of that width lacks; none where it is long enough.
  int64_t lacking(int64_t width, size_t fill_bytes) const {
    const int64_t missing = width - static_cast<int64_t>(self_.as<String>().length());
    if (missing > 0) heap_.budget().expect(static_cast<size_t>(missing) * fill_bytes);
    return std::max<int64_t>(missing, 0);
  }
  Value pad() {
    between(1, 2);
    const int64_t width = index_of(given_.positional[0]);
    std::string fill = " ";
    if (count() > 1) {
      const Value& v = given_.positional[1];
      if (!v.is_string()) type_error("The fill character must be a unicode character, not {}", type_name(v));
      fill = text_of(is_markup() ? escape(heap_, v) : v);
      if (text::count_characters(fill) != 1) type_error("The fill character must be exactly one character long");
    }
    const int64_t missing = lacking(width, fill.size());
    if (missing == 0) return self_;
    const int64_t left = name_ == "ljust" ? 0 : name_ == "center" ? missing / 2 + (missing & width & 1) : missing;
    std::string out;
    for (int64_t i = 0; i < left; ++i) out += fill;
    out += text_;
    for (int64_t i = left; i < missing; ++i) out += fill;
    return give(std::move(out));
  }
  Value fill_zeros() {
    one_argument();
    const int64_t missing = lacking(index_of(given_.positional[0]), 1);
    const size_t sign = !text_.empty() && (text_[0] == '-' || text_[0] == '+') ? 1 : 0;
    return give(text_.substr(0, sign) + std::string(static_cast<size_t>(missing), '0') + text_.substr(sign));
  }
  Value expand_tabs() {
    const std::vector<Value> p = named({"tabsize"});
    const int64_t size = p[0].is_missing() ? 8 : index_of(p[0]);
    std::string out;
    int64_t column = 0;
    for (const char* at = text_.data(); at != text_.data() + text_.size();) {
      const char* start = at;
      const char32_t c = text::decode_utf8(at);
      if (c == '\t') {
        const int64_t spaces = size > 0 ? size - column % size : 0;
        heap_.budget().expect(out.size() + static_cast<size_t>(spaces));
        out.append(static_cast<size_t>(spaces), ' ');
        column += spaces;
        continue;
      }
      column = c == '\n' || c == '\r' ? 0 : column + 1;
      out.append(start, at);
    }
    return give(std::move(out));
  }
  Value translate() {
    one_argument();
    std::string out;
    for (const char* at = text_.data(); at != text_.data() + text_.size();) {
      const char* start = at;
      const Value to = translated(in_, given_.positional[0], text::decode_utf8(at));
      if (to.is_missing()) out.append(start, at);
      else if (!to.is_none()) out += text_of(to);
      heap_.budget().step();
      heap_.budget().expect(out.size());
    }
    return give(std::move(out));
  }
  Value make_table() {
    no_keywords();
    return translation_table(heap_, given_);
  }
  Value format() { return give(format_string(in_, self_, name_, given_)); }

  Interpreter& in_;
  Heap& heap_;
  const std::string& text_;
  const Value& self_;
  const std::string& name_;
  const Arguments& given_;
  Value part_;
};

}  // namespace

Value call_string_method(Interpreter& in, const Value& self, const std::string& name, const Arguments& given) {
  return StringMethod(in, self, name, given).run();
}

}  // namespace gamut::jinja
