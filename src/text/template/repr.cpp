#include "text/template/repr.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "text/template/frames.h"
#include "text/template/operators.h"
#include "text/template/python_unicode.h"
#include "text/utf8.h"

namespace gamut::jinja {

std::string type_name(const Value& v) {
  switch (v.type()) {
    case Type::kMissing:
    case Type::kNone: return "NoneType";
    case Type::kBool: return "bool";
    case Type::kBigInt:
    case Type::kInt: return "int";
    case Type::kFloat: return "float";
    case Type::kUndefined: return "Undefined";
    case Type::kString: return v.as<String>().is_markup() ? "Markup" : "str";
    case Type::kList: return "list";
    case Type::kTuple: return v.as<Array>().is_group ? "_GroupTuple" : "tuple";
    case Type::kDict: return "dict";
    case Type::kDictView: {
      const auto part = v.as<DictView>().part;
      return part == DictView::Part::kKeys     ? "dict_keys"
             : part == DictView::Part::kValues ? "dict_values"
                                               : "dict_items";
    }
    case Type::kRange: return "range";
    case Type::kIterator: return v.as<Iterator>().type_name;
    case Type::kNamespace: return "TemplateNamespace";
    case Type::kMacro: return "Macro";
    case Type::kLoop: return "LoopContext";
    case Type::kCycler: return "Cycler";
    case Type::kJoiner: return "Joiner";
    case Type::kMethod: return "builtin_function_or_method";
    case Type::kBlockReference: return "BlockReference";
    case Type::kTemplateReference: return "TemplateReference";
    case Type::kContext:
    case Type::kActivation:
    case Type::kFunction: return "function";
  }
  return "object";
}

std::string object_type_repr(const Value& v) {
  if (v.is_none()) return "None";
  const std::string name = type_name(v);
  switch (v.type()) {
    case Type::kNamespace: return "transformers.utils.chat_template_utils." + name + " object";
    case Type::kUndefined:
    case Type::kMacro:
    case Type::kBlockReference:
    case Type::kTemplateReference:
    case Type::kLoop: return "jinja2.runtime." + name + " object";
    case Type::kCycler:
    case Type::kJoiner: return "jinja2.utils." + name + " object";
    default: return (name == "Markup" ? "markupsafe.Markup" : name) + " object";
  }
}

std::string quoted(std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  for (const char* p = text.data(); p != text.data() + text.size();) {
    const char* start = p;
    const char32_t c = text::decode_utf8(p);
    if (c == '\n') out += "\\n";
    else if (c == '\r') out += "\\r";
    else if (c == '\t') out += "\\t";
    else if (c == static_cast<char32_t>(quote) || c == '\\') (out += '\\') += static_cast<char>(c);
    else if (has_property(c, kPrintable)) out.append(start, p);
    else if (c < 0x100) out += fmt::format("\\x{:02x}", static_cast<uint32_t>(c));
    else if (c < 0x10000) out += fmt::format("\\u{:04x}", static_cast<uint32_t>(c));
    else out += fmt::format("\\U{:08x}", static_cast<uint32_t>(c));
  }
  return out += quote;
}

std::string real_text(double d) {
  if (std::isnan(d)) return "nan";
  if (std::isinf(d)) return d < 0 ? "-inf" : "inf";
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), d, std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<size_t>(end - buffer));
  const size_t e = text.find('e');
  int exponent = 0;
  std::from_chars(text.data() + e + 1 + (text[e + 1] == '+'), end, exponent);
  std::string sign = d < 0 || std::signbit(d) ? "-" : "", digits;
  for (char c : text.substr(0, e)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  const int count = static_cast<int>(digits.size());
  if (exponent < -4 || exponent >= 16) {
    if (count > 1) digits.insert(1, ".");
    return fmt::format("{}{}e{}{:02d}", sign, digits, exponent < 0 ? '-' : '+', std::abs(exponent));
  }
  if (exponent < 0) return sign + "0." + std::string(static_cast<size_t>(-exponent) - 1, '0') + digits;
  if (count <= exponent + 1)
    return sign + digits + std::string(static_cast<size_t>(exponent) + 1 - digits.size(), '0') + ".0";
  return sign + digits.substr(0, static_cast<size_t>(exponent) + 1) + "." +
         digits.substr(static_cast<size_t>(exponent) + 1);
}

std::string integer_text(const BigInteger& value) {
  constexpr size_t kMostDigits = 4300, kBitsOfThem = 14285;
  std::string text = value.bits() > kBitsOfThem + 4 ? std::string() : value.text();
  if (text.empty() || text.size() - (value.is_negative() ? 1 : 0) > kMostDigits) {
    value_error(
        "Exceeds the limit (4300 digits) for integer string conversion; use sys.set_int_max_str_digits() to increase "
        "the limit");
  }
  return text;
}

namespace {

void append_repr(std::string& out, const Value& v, int depth);

void append_items(std::string& out, const std::vector<Value>& items, const char* brackets, int depth) {
  out += brackets[0];
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ", ";
    append_repr(out, items[i], depth);
  }
  if (brackets[0] == '(' && items.size() == 1) out += ',';
  out += brackets[1];
}

void append_dict(std::string& out, const Dict& dict, int depth) {
  out += '{';
  for (const Dict::Entry& entry : dict.entries()) {
    if (&entry != dict.entries().data()) out += ", ";
    append_repr(out, entry.key, depth);
    out += ": ";
    append_repr(out, entry.value, depth);
  }
  out += '}';
}

void append_view(std::string& out, const Value& v, int depth) {
  const auto& view = v.as<DictView>();
  out += type_name(v) + "([";
  for (const Dict::Entry& entry : view.dict.as<Dict>().entries()) {
    if (&entry != view.dict.as<Dict>().entries().data()) out += ", ";
    if (view.part == DictView::Part::kItems) out += '(';
    if (view.part != DictView::Part::kValues) append_repr(out, entry.key, depth);
    if (view.part == DictView::Part::kItems) out += ", ";
    if (view.part != DictView::Part::kKeys) append_repr(out, entry.value, depth);
    if (view.part == DictView::Part::kItems) out += ')';
  }
  out += "])";
}

void append_repr(std::string& out, const Value& v, int depth) {
  constexpr int kMostDepth = 600;
  if (depth > kMostDepth || out.size() > (size_t{32} << 20)) {
    raise(ExceptionType::kRuntimeError, "maximum recursion depth exceeded while getting the repr of an object");
  }
  switch (v.type()) {
    case Type::kMissing:
    case Type::kNone: out += "None"; return;
    case Type::kBool: out += v.as_bool() ? "True" : "False"; return;
    case Type::kInt: out += std::to_string(v.as_int()); return;
    case Type::kFloat: out += real_text(v.as_real()); return;
    case Type::kString:
      out += v.as<String>().is_markup() ? "Markup(" + quoted(text_of(v)) + ")" : quoted(text_of(v));
      return;
    case Type::kBigInt: out += integer_text(v.as<BigInt>().value()); return;
    case Type::kUndefined: out += "Undefined"; return;
    case Type::kList: return append_items(out, items_of(v), "[]", depth + 1);
    case Type::kTuple: return append_items(out, items_of(v), "()", depth + 1);
    case Type::kDict: return append_dict(out, v.as<Dict>(), depth + 1);
    case Type::kDictView: return append_view(out, v, depth + 1);
    case Type::kNamespace:
      out += "<Namespace ";
      append_dict(out, v.as<Namespace>().attributes(), depth + 1);
      out += '>';
      return;
    case Type::kRange: {
      const auto& range = v.as<Range>();
      out += fmt::format("range({}, {}", range.start, range.stop);
      out += range.step == 1 ? ")" : fmt::format(", {})", range.step);
      return;
    }
    case Type::kTemplateReference: out += "<TemplateReference None>"; return;
    case Type::kMacro: {
      const Value& name = v.as<Macro>().name;
      out += "<Macro " + (name.is_none() ? "anonymous" : quoted(text_of(name))) + ">";
      return;
    }
    case Type::kLoop: out += fmt::format("<LoopContext {}/{}>", v.as<Loop>().index0 + 1, v.as<Loop>().length()); return;
    default: out += "<" + object_type_repr(v) + ">";
  }
}

}  // namespace

std::string repr(const Value& v) {
  std::string out;
  append_repr(out, v, 0);
  return out;
}

std::string ascii_repr(const Value& v) {
  const std::string text = repr(v);
  std::string out;
  for (const char* p = text.data(); p != text.data() + text.size();) {
    const auto c = static_cast<uint32_t>(text::decode_utf8(p));
    if (c < 0x80) out += static_cast<char>(c);
    else
      out += c < 0x100     ? fmt::format("\\x{:02x}", c)
             : c < 0x10000 ? fmt::format("\\u{:04x}", c)
                           : fmt::format("\\U{:08x}", c);
  }
  return out;
}

void append_text(std::string& out, const Value& v) {
  if (v.is_string()) out += text_of(v);
  else if (!v.is_undefined()) append_repr(out, v, 0);
}

std::string to_text(const Value& v) {
  std::string out;
  append_text(out, v);
  return out;
}

std::string_view first_characters(std::string_view text, size_t count) {
  const char* p = text.data();
  for (size_t i = 0; i < count && p != text.data() + text.size(); ++i) text::decode_utf8(p);
  return text.substr(0, static_cast<size_t>(p - text.data()));
}

std::string_view strip(std::string_view text, StripSide side) {
  while ((side & kStripLeft) && !text.empty()) {
    const char* p = text.data();
    if (!has_property(text::decode_utf8(p), kSpace)) break;
    text.remove_prefix(static_cast<size_t>(p - text.data()));
  }
  while ((side & kStripRight) && !text.empty()) {
    size_t at = text.size() - 1;
    while (at > 0 && text::is_utf8_tail(text[at])) --at;
    const char* p = text.data() + at;
    if (!has_property(text::decode_utf8(p), kSpace)) break;
    text = text.substr(0, at);
  }
  return text;
}

namespace {

void append_json_string(std::string& out, std::string_view text, bool ascii) {
  out += '"';
  for (const char* p = text.data(); p != text.data() + text.size();) {
    const char* start = p;
    const char32_t c = text::decode_utf8(p);
    static constexpr std::string_view kFrom = "\"\\\n\r\t\f\b", kTo = "\"\\nrtfb";
    const size_t simple = c < 0x80 ? kFrom.find(static_cast<char>(c)) : std::string_view::npos;
    if (simple != std::string_view::npos) (out += '\\') += kTo[simple];
    else if (c < 0x20 || (ascii && c >= 0x7F && c < 0x10000 && c != 0x7F))
      out += fmt::format("\\u{:04x}", static_cast<uint32_t>(c));
    else if (ascii && c >= 0x10000)
      out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((static_cast<uint32_t>(c) - 0x10000) >> 10),
                         0xDC00 + (static_cast<uint32_t>(c) & 0x3FF));
    else out.append(start, p);
  }
  out += '"';
}

std::string json_key(const Value& key) {
  if (key.is_string()) return text_of(key);
  if (key.is_none()) return "null";
  if (key.is(Type::kBool)) return key.as_bool() ? "true" : "false";
  if (key.is_number()) return repr(key);
  type_error("keys must be str, int, float, bool or None, not {}", type_name(key));
}

class JsonWriter {
 public:
  JsonWriter(std::string& out, const JsonStyle& style, Budget* budget) : out_(out), style_(style), budget_(budget) {}
  void write(const Value& v) {
    if (budget_ != nullptr) budget_->expect(out_.size()), budget_->step();
    switch (v.type()) {
      case Type::kNone: out_ += "null"; return;
      case Type::kBool: out_ += v.as_bool() ? "true" : "false"; return;
      case Type::kInt:
      case Type::kBigInt: out_ += repr(v); return;
      case Type::kFloat:
        out_ += std::isnan(v.as_real())   ? "NaN"
                : std::isinf(v.as_real()) ? (v.as_real() < 0 ? "-Infinity" : "Infinity")
                                          : real_text(v.as_real());
        return;
      case Type::kString: return append_json_string(out_, text_of(v), style_.ensure_ascii);
      case Type::kList:
      case Type::kTuple: return items(items_of(v));
      case Type::kDict: return dict(v.as<Dict>());
      default: type_error("Object of type {} is not JSON serializable", type_name(v));
    }
  }

 private:
  void line() {
    if (!style_.has_indent) return;
    out_ += '\n';
    for (int i = 0; i < depth_; ++i) out_ += style_.indent;
  }
  void items(const std::vector<Value>& all) {
    if (all.empty()) return void(out_ += "[]");
    out_ += '[';
    ++depth_;
    for (size_t i = 0; i < all.size(); ++i) {
      if (i > 0) out_ += style_.item_separator;
      line();
      write(all[i]);
    }
    --depth_;
    line();
    out_ += ']';
  }
  void dict(const Dict& d) {
    if (d.size() == 0) return void(out_ += "{}");
    std::vector<const Dict::Entry*> entries;
    for (const Dict::Entry& entry : d.entries()) entries.push_back(&entry);
    if (style_.sort_keys) {
      std::stable_sort(entries.begin(), entries.end(),
                       [](auto* a, auto* b) { return ordered(Operator::kLess, a->key, b->key); });
    }
    out_ += '{';
    ++depth_;
    for (size_t i = 0; i < entries.size(); ++i) {
      if (i > 0) out_ += style_.item_separator;
      line();
      append_json_string(out_, json_key(entries[i]->key), style_.ensure_ascii);
      out_ += style_.key_separator;
      write(entries[i]->value);
    }
    --depth_;
    line();
    out_ += '}';
  }
  std::string& out_;
  const JsonStyle& style_;
  Budget* budget_;
  int depth_ = 0;
};

}  // namespace

void append_json(std::string& out, const Value& v, const JsonStyle& style, Budget* budget) {
  JsonWriter(out, style, budget).write(v);
}

}  // namespace gamut::jinja
