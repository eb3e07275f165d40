// Methods of str, list, tuple, dict and Jinja's own objects.
#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>

#include "base/error.h"
#include "text/template/interpreter.h"
#include "text/template/operators.h"
#include "text/template/python_unicode.h"
#include "text/template/repr.h"
#include "text/utf8.h"

namespace gamut::jinja {
namespace {

bool all_characters(std::string_view text, uint16_t property) {
  for (const char* p = text.data(); p != text.data() + text.size();) {
    if (!has_property(text::decode_utf8(p), property)) return false;
  }
  return !text.empty();
}

bool is_cased(std::string_view text, uint16_t wanted, uint16_t refused) {
  bool found = false;
  for (const char* p = text.data(); p != text.data() + text.size();) {
    const uint16_t properties = properties_of(text::decode_utf8(p));
    if (properties & refused) return false;
    found = found || (properties & wanted);
  }
  return found;
}

std::string_view strip_characters(std::string_view text, std::string_view set, StripSide side) {
  auto in_set = [&](std::string_view character) { return set.find(character) != std::string_view::npos; };
  while ((side & kStripLeft) && !text.empty()) {
    const char* p = text.data();
    text::decode_utf8(p);
    const auto length = static_cast<size_t>(p - text.data());
    if (!in_set(text.substr(0, length))) break;
    text.remove_prefix(length);
  }
  while ((side & kStripRight) && !text.empty()) {
    size_t at = text.size() - 1;
    while (at > 0 && text::is_utf8_tail(text[at])) --at;
    if (!in_set(text.substr(at))) break;
    text = text.substr(0, at);
  }
  return text;
}

/// A str method with what it was called on.
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
      if (name_ == name) return no_arguments(), heap_.string(change(text_));
    }
    if (name_.starts_with("is")) return no_arguments(), Value::boolean(is());
    if (name_ == "strip" || name_ == "lstrip" || name_ == "rstrip") return strip_method();
    if (name_ == "split" || name_ == "rsplit") return split();
    if (name_ == "splitlines") return lines();
    if (name_ == "startswith" || name_ == "endswith") return affix();
    if (name_ == "find" || name_ == "rfind" || name_ == "index" || name_ == "rindex" || name_ == "count") return find();
    if (name_ == "replace") return replace();
    if (name_ == "join") return join();
    if (name_ == "partition" || name_ == "rpartition") return partition();
    if (name_ == "removeprefix" || name_ == "removesuffix") return remove();
    if (name_ == "center" || name_ == "ljust" || name_ == "rjust" || name_ == "zfill") return pad();
    if (name_ == "format") return format();
    fail(ErrorCode::kUnsupported, "chat template: str.{} is not supported", name_);
  }

 private:
  void no_arguments() const {
    if (!given_.positional.empty() || !given_.named.empty())
      type_error("str.{}() takes no arguments ({} given)", name_, given_.positional.size() + given_.named.size());
  }
  Value argument(size_t at, const char* name = "") const {
    if (at < given_.positional.size()) return given_.positional[at];
    for (const auto& [key, value] : given_.named) {
      if (key == name) return value;
    }
    return Value();
  }
  const std::string& text_argument(size_t at) const {
    const Value& v = given_.positional[at];
    if (!v.is_string()) type_error("{}() argument {} must be str, not {}", name_, at + 1, type_name(v));
    return text_of(v);
  }
  void at_least(size_t count) const {
    if (given_.positional.size() < count)
      type_error("{} expected at least {} argument{}, got {}", name_, count, count == 1 ? "" : "s",
                 given_.positional.size());
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
    return !text_.empty() && to_title(text_) == text_ && is_cased(text_, kCased, 0);  // istitle
  }
  Value strip_method() {
    const StripSide side = name_ == "strip" ? kStripBoth : name_ == "lstrip" ? kStripLeft : kStripRight;
    const Value set = argument(0);
    if (set.is_missing() || set.is_none()) return heap_.string(std::string(strip(text_, side)));
    if (!set.is_string()) type_error("{} arg must be None or str", name_);
    return heap_.string(std::string(strip_characters(text_, text_of(set), side)));
  }
  Value split() {
    const Value separator = argument(0, "sep"), most = argument(1, "maxsplit");
    if (!most.is_missing() && !most.is_integral())
      type_error("'{}' object cannot be interpreted as an integer", type_name(most));
    int64_t left = most.is_missing() || most.as_int() < 0 ? INT64_MAX : most.as_int();
    const bool backwards = name_ == "rsplit";
    std::vector<Value> parts;
    auto add = [&](std::string_view part) { parts.push_back(heap_.string(std::string(part))); };
    std::string_view rest = text_;
    if (separator.is_missing() || separator.is_none()) {
      const StripSide near = backwards ? kStripRight : kStripLeft, far = backwards ? kStripLeft : kStripRight;
      while (!(rest = strip(rest, near)).empty()) {
        if (left-- == 0) {
          add(strip(rest, far));
          break;
        }
        const std::string_view word = word_of(rest, backwards);
        add(word);
        rest = backwards ? rest.substr(0, rest.size() - word.size()) : rest.substr(word.size());
      }
    } else {
      if (!separator.is_string()) type_error("must be str or None, not {}", type_name(separator));
      const std::string& by = text_of(separator);
      if (by.empty()) value_error("empty separator");
      while (left-- > 0) {
        const size_t at = backwards ? rest.rfind(by) : rest.find(by);
        if (at == std::string_view::npos) break;
        add(backwards ? rest.substr(at + by.size()) : rest.substr(0, at));
        rest = backwards ? rest.substr(0, at) : rest.substr(at + by.size());
      }
      add(rest);
    }
    if (backwards) std::reverse(parts.begin(), parts.end());
    return heap_.list(std::move(parts));
  }
  static std::string_view word_of(std::string_view text, bool backwards) {
    if (!backwards) {
      const char* p = text.data();
      const char* end = p;
      while (end != text.data() + text.size() && (end = p, !has_property(text::decode_utf8(p), kSpace))) end = p;
      return text.substr(0, static_cast<size_t>(end - text.data()));
    }
    size_t start = text.size();
    while (start > 0) {
      size_t at = start - 1;
      while (at > 0 && text::is_utf8_tail(text[at])) --at;
      const char* p = text.data() + at;
      if (has_property(text::decode_utf8(p), kSpace)) break;
      start = at;
    }
    return text.substr(start);
  }
  Value lines() {
    const Value keep = argument(0, "keepends");
    std::vector<Value> parts;
    const char *start = text_.data(), *end = start + text_.size();
    for (const char* p = start; p != end;) {
      const char* before = p;
      const char32_t c = text::decode_utf8(p);
      if (!((c >= 10 && c <= 13) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029)) continue;
      if (c == '\r' && p != end && *p == '\n') ++p;
      parts.push_back(heap_.string(std::string(start, truth(keep) ? p : before)));
      start = p;
    }
    if (start != end) parts.push_back(heap_.string(std::string(start, end)));
    return heap_.list(std::move(parts));
  }
  /// The part of the text that optional start and stop arguments, from `at` on, leave.
  std::string_view part(size_t at, int64_t& start) {
    Value bounds[3] = {argument(at), argument(at + 1), Value::none()};
    for (Value& bound : bounds) {
      if (bound.is_missing()) bound = Value::none();
    }
    start = 0;
    if (bounds[0].is_none() && bounds[1].is_none()) return text_;
    const auto length = static_cast<int64_t>(self_.as<String>().length());
    if (bounds[0].is_integral())
      start = std::max<int64_t>(0, bounds[0].as_int() < 0 ? bounds[0].as_int() + length : bounds[0].as_int());
    part_ = slice(heap_, self_, bounds);
    return text_of(part_);
  }
  Value affix() {
    at_least(1);
    int64_t start = 0;
    const std::string_view within = part(1, start);
    const Value& what = given_.positional[0];
    auto fits = [&](const Value& v) {
      if (!v.is_string()) type_error("{} for {} must only contain str, not {}", "tuple", name_, type_name(v));
      if (start > static_cast<int64_t>(self_.as<String>().length())) return false;
      return name_ == "startswith" ? within.starts_with(text_of(v)) : within.ends_with(text_of(v));
    };
    if (what.is(Type::kTuple)) return Value::boolean(std::ranges::any_of(items_of(what), fits));
    if (!what.is_string()) type_error("{} first arg must be str or a tuple of str, not {}", name_, type_name(what));
    return Value::boolean(fits(what));
  }
  Value find() {
    at_least(1);
    if (!given_.positional[0].is_string()) type_error("must be str, not {}", type_name(given_.positional[0]));
    int64_t start = 0;
    const std::string_view within = part(1, start);
    const std::string& what = text_of(given_.positional[0]);
    if (name_ == "count") {
      if (what.empty()) return Value::integer(static_cast<int64_t>(text::count_characters(within)) + 1);
      int64_t count = 0;
      for (size_t at = 0; (at = within.find(what, at)) != std::string_view::npos; at += what.size()) ++count;
      return Value::integer(count);
    }
    const size_t at = name_[0] == 'r' ? within.rfind(what) : within.find(what);
    if (at != std::string_view::npos)
      return Value::integer(start + static_cast<int64_t>(text::count_characters(within.substr(0, at))));
    if (name_.ends_with("index")) value_error("substring not found");
    return Value::integer(-1);
  }
  Value replace() {
    at_least(2);
    const std::string &from = text_argument(0), &to = text_argument(1);
    const Value most = argument(2);
    int64_t left = most.is_missing() || most.as_int() < 0 ? INT64_MAX : most.as_int();
    std::string out;
    std::string_view rest = text_;
    while (left-- > 0) {
      size_t at = from.empty() ? 0 : rest.find(from);
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
    return heap_.string(out.append(rest));
  }
  Value join() {
    if (given_.positional.size() != 1)
      type_error("str.join() takes exactly one argument ({} given)", given_.positional.size());
    if (!given_.positional[0].is_array() && !given_.positional[0].is_string() &&
        !given_.positional[0].is(Type::kDict) && !given_.positional[0].is(Type::kIterator) &&
        !given_.positional[0].is(Type::kDictView) && !given_.positional[0].is_undefined())
      type_error("can only join an iterable");
    std::string out;
    const std::vector<Value> items = to_vector(heap_, given_.positional[0]);
    for (size_t i = 0; i < items.size(); ++i) {
      if (!items[i].is_string())
        type_error("sequence item {}: expected str instance, {} found", i, type_name(items[i]));
      if (i > 0) out += text_;
      out += text_of(items[i]);
      heap_.budget().expect(out.size());
    }
    return heap_.string(std::move(out));
  }
  Value partition() {
    at_least(1);
    const std::string& by = text_argument(0);
    if (by.empty()) value_error("empty separator");
    const bool backwards = name_[0] == 'r';
    const size_t at = backwards ? text_.rfind(by) : text_.find(by);
    if (at == std::string::npos)
      return backwards ? heap_.tuple({heap_.string(""), heap_.string(""), self_})
                       : heap_.tuple({self_, heap_.string(""), heap_.string("")});
    return heap_.tuple(
        {heap_.string(text_.substr(0, at)), heap_.string(by), heap_.string(text_.substr(at + by.size()))});
  }
  Value remove() {
    at_least(1);
    const std::string& what = text_argument(0);
    if (name_ == "removeprefix") return heap_.string(text_.starts_with(what) ? text_.substr(what.size()) : text_);
    return heap_.string(text_.ends_with(what) ? text_.substr(0, text_.size() - what.size()) : text_);
  }
  Value pad() {
    at_least(1);
    if (!given_.positional[0].is_integral())
      type_error("'{}' object cannot be interpreted as an integer", type_name(given_.positional[0]));
    const int64_t missing = given_.positional[0].as_int() - static_cast<int64_t>(self_.as<String>().length());
    if (missing <= 0) return self_;
    const std::string fill = given_.positional.size() > 1 ? text_argument(1) : name_ == "zfill" ? "0" : " ";
    if (text::count_characters(fill) != 1) type_error("The fill character must be exactly one character long");
    heap_.budget().expect(static_cast<size_t>(missing) * fill.size());
    const int64_t width = given_.positional[0].as_int();
    const int64_t left = name_ == "ljust" ? 0 : name_ == "center" ? missing / 2 + (missing & width & 1) : missing;
    std::string out;
    size_t sign = name_ == "zfill" && !text_.empty() && (text_[0] == '-' || text_[0] == '+') ? 1 : 0;
    out += text_.substr(0, sign);
    for (int64_t i = 0; i < left; ++i) out += fill;
    out += text_.substr(sign);
    for (int64_t i = left; i < missing; ++i) out += fill;
    return heap_.string(std::move(out));
  }
  Value format() {
    std::string out;
    size_t next = 0;
    for (size_t i = 0; i < text_.size(); ++i) {
      if (text_[i] == '}' || (text_[i] == '{' && i + 1 < text_.size() && text_[i + 1] == '{')) {
        if (text_[i] == '}' && (i + 1 >= text_.size() || text_[i + 1] != '}'))
          value_error("Single '}}' encountered in format string");
        out += text_[i++];
        continue;
      }
      if (text_[i] != '{') {
        out += text_[i];
        continue;
      }
      const size_t close = text_.find('}', i);
      if (close == std::string::npos) value_error("Single '{{' encountered in format string");
      out += field(text_.substr(i + 1, close - i - 1), next);
      heap_.budget().expect(out.size());
      i = close;
    }
    return heap_.string(std::move(out));
  }
  std::string field(std::string_view field, size_t& next) {
    const size_t colon = field.find(':');
    const std::string spec(colon == std::string_view::npos ? "" : field.substr(colon + 1));
    std::string_view path = field.substr(0, colon);
    const size_t bang = path.find('!');
    const bool with_repr = bang != std::string_view::npos && path.substr(bang + 1) == "r";
    path = path.substr(0, bang);
    const size_t end = std::min(path.find_first_of(".["), path.size());
    const std::string first(path.substr(0, end));
    Value value;
    if (first.empty() || first.find_first_not_of("0123456789") == std::string::npos) {
      const size_t at = first.empty() ? next++ : first.size() > 6 ? SIZE_MAX : std::stoul(first);
      if (at >= given_.positional.size())
        raise(ExceptionType::kIndexError, "Replacement index {} out of range for positional args tuple", at);
      value = given_.positional[at];
    } else {
      for (const auto& [key, named] : given_.named) {
        if (key == first) value = named;
      }
      if (value.is_missing()) throw Exception{ExceptionType::kKeyError, quoted(first)};
    }
    for (path = path.substr(end); !path.empty();) {
      const bool is_item = path[0] == '[';
      const size_t stop = std::min(is_item ? path.find(']') : path.find_first_of(".[", 1), path.size());
      const std::string key(path.substr(1, stop - 1));
      const bool number =
          is_item && key.size() < 7 && !key.empty() && key.find_first_not_of("0123456789") == std::string::npos;
      value = number    ? in_.item(value, Value::integer(std::stol(key)))
              : is_item ? in_.item(value, heap_.string(key))
                        : in_.attribute(value, heap_.string(key));
      path = path.substr(std::min(stop + (is_item ? 1 : 0), path.size()));
    }
    if (with_repr) return repr(value);
    return spec.empty() ? to_text(value) : with_spec(value, spec);
  }
  std::string with_spec(const Value& value, const std::string& spec) {
    if (spec.size() > 12 || spec.find_first_of("{}") != std::string::npos) value_error("Invalid format specifier");
    size_t width = 0;
    for (char c : spec)
      width = c >= '0' && c <= '9' ? width * 10 + static_cast<size_t>(c - '0') : (heap_.budget().expect(width), 0);
    heap_.budget().expect(width);
    try {
      if (value.is_integral() && spec.find_first_of("eEfFgG%") == std::string::npos)
        return fmt::format(fmt::runtime("{:" + spec + "}"), value.as_int());
      if (value.is_number()) return fmt::format(fmt::runtime("{:" + spec + "}"), to_real(value));
      if (value.is_string()) return fmt::format(fmt::runtime("{:" + spec + "}"), text_of(value));
    } catch (const std::runtime_error&) {
      value_error("Invalid format specifier '{}' for object of type '{}'", spec, type_name(value));
    }
    type_error("unsupported format string passed to {}.__format__", type_name(value));
  }

  Interpreter& in_;
  Heap& heap_;
  const std::string& text_;
  const Value& self_;
  const std::string& name_;
  const Arguments& given_;
  Value part_;
};

Value dict_method(Heap& heap, const Value& self, const std::string& name, const Arguments& given) {
  auto& dict = self.as<Dict>();
  const auto& p = given.positional;
  if (name == "get") {
    if (!given.named.empty()) type_error("dict.get() takes no keyword arguments");
    if (p.empty()) type_error("get expected at least 1 argument, got 0");
    if (p.size() > 2) type_error("get expected at most 2 arguments, got {}", p.size());
    const Value* found = dict.find(p[0]);
    return found != nullptr ? *found : p.size() > 1 ? p[1] : Value::none();
  }
  if (!p.empty()) type_error("dict.{}() takes no arguments ({} given)", name, p.size());
  if (name == "items") return heap.make_value<DictView>(0, self, DictView::Part::kItems);
  if (name == "keys") return heap.make_value<DictView>(0, self, DictView::Part::kKeys);
  if (name == "values") return heap.make_value<DictView>(0, self, DictView::Part::kValues);
  if (name == "copy") return self;
  fail(ErrorCode::kUnsupported, "chat template: dict.{} is not supported", name);
}

Value array_method(const Value& self, const std::string& name, const Arguments& given) {
  if (name == "copy") return self;
  if (given.positional.empty()) type_error("{} expected at least 1 argument, got 0", name);
  const std::vector<Value>& items = items_of(self);
  auto same = [&](const Value& v) { return equals(v, given.positional[0]); };
  if (name == "count") return Value::integer(std::ranges::count_if(items, same));
  const auto found = std::ranges::find_if(items, same);
  if (found != items.end()) return Value::integer(found - items.begin());
  if (self.is(Type::kTuple)) value_error("tuple.index(x): x not in tuple");
  value_error("{} is not in list", repr(given.positional[0]));
}

}  // namespace

Value Interpreter::call_method(const Value& self, const std::string& name, Arguments given) {
  const auto& p = given.positional;
  switch (self.type()) {
    case Type::kString: return StringMethod(*this, self, name, given).run();
    case Type::kDict: return dict_method(heap_, self, name, given);
    case Type::kList:
    case Type::kTuple: return array_method(self, name, given);
    case Type::kFunction: {
      const Value made = heap_.make_value<Dict>(0);
      if (p.empty()) type_error("fromkeys expected at least 1 argument, got 0");
      for (const Value& key : to_vector(heap_, p[0])) made.as<Dict>().set(key, p.size() > 1 ? p[1] : Value::none());
      return made;
    }
    case Type::kCycler: {
      auto& cycler = self.as<Cycler>();
      const Value current = cycler.items[cycler.position];
      cycler.position = name == "reset" ? 0 : (cycler.position + 1) % cycler.items.size();
      return name == "reset" ? Value::none() : current;
    }
    case Type::kLoop: {
      auto& loop = self.as<Loop>();
      if (name == "cycle") {
        if (p.empty()) type_error("no items for cycling given");
        return p[static_cast<size_t>(loop.index0) % p.size()];
      }
      const Value now = heap_.tuple(p);
      const bool changed = loop.last_changed.is_missing() || !equals(loop.last_changed, now);
      if (changed) loop.last_changed = now;
      return Value::boolean(changed);
    }
    case Type::kFloat: return Value::boolean(self.as_real() == std::floor(self.as_real()));
    default:
      if (name == "bit_length")
        return Value::integer(64 - std::countl_zero(static_cast<uint64_t>(std::abs(self.as_int()))));
      if (name == "bit_count") return Value::integer(std::popcount(static_cast<uint64_t>(std::abs(self.as_int()))));
      return self;
  }
}

}  // namespace gamut::jinja
