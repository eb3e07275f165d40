// Jinja's filters and tests.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "text/template/interpreter.h"
#include "text/template/names.h"
#include "text/template/operators.h"
#include "text/template/python_unicode.h"
#include "text/template/repr.h"
#include "text/utf8.h"

namespace gamut::jinja {
namespace {

constexpr std::string_view kFilters =
    " abs attr batch capitalize center count d default dictsort e escape filesizeformat first float forceescape format "
    "groupby "
    "indent int join last length list lower items map min max pprint random reject rejectattr replace reverse round "
    "safe select "
    "selectattr slice sort string striptags sum title trim truncate unique upper urlencode urlize wordcount wordwrap "
    "xmlattr "
    "tojson ";
constexpr std::string_view kTests =
    " odd even divisibleby defined undefined filter test none boolean false true integer float lower upper string "
    "mapping number "
    "sequence iterable callable sameas escaped in == eq equalto != ne > gt greaterthan ge >= < lt lessthan <= le ";

bool listed(std::string_view list, std::string_view name) {
  return name.find(' ') == std::string_view::npos && list.find(" " + std::string(name) + " ") != std::string_view::npos;
}

/// Items that are worked out already, given once as a generator gives them.
class Generated : public Iterator {
 public:
  Generated(std::vector<Value> items, const char* name) : Iterator(name), items_(std::move(items)) {}
  bool next(Value& out) override { return at_ < items_.size() && (out = items_[at_++], true); }

 private:
  std::vector<Value> items_;
  size_t at_ = 0;
};

bool is_iterable(const Value& v) {
  return v.is_undefined() || v.is_string() || v.is_array() || v.is(Type::kDict) || v.is(Type::kDictView) ||
         v.is(Type::kRange) || v.is(Type::kIterator) || v.is(Type::kLoop);
}

class Filters {
 public:
  Filters(Interpreter& interpreter, const std::string& name, const Value& v, Arguments& given)
      : in_(interpreter), heap_(interpreter.heap()), name_(name), v_(v), given_(given) {}

  Value run() {
    if (name_ == "default" || name_ == "d") {
      const auto p =
          bind_for("do_default", {{"value", Value()}, {"default_value", heap_.string("")}, {"boolean", no()}});
      return p[0].is_undefined() || (truth(p[2]) && !truth(p[0])) ? p[1] : p[0];
    }
    if (name_ == "length" || name_ == "count") return Value::integer(length_of(v_));
    if (name_ == "string") return v_.is_string() ? v_ : heap_.string(to_text(v_));
    if (name_ == "tojson") return tojson();
    if (name_ == "trim" || name_ == "upper" || name_ == "lower" || name_ == "capitalize" || name_ == "title" ||
        name_ == "center" || name_ == "replace")
      return text_filter();
    if (name_ == "indent" || name_ == "truncate" || name_ == "wordcount" || name_ == "striptags" || name_ == "format")
      return layout_filter();
    if (name_ == "safe") return heap_.markup(to_text(v_));
    if (name_ == "escape" || name_ == "e") return escape(heap_, v_);
    if (name_ == "forceescape") return escape(heap_, heap_.string(to_text(v_)));
    if (name_ == "int" || name_ == "float" || name_ == "abs" || name_ == "round" || name_ == "sum")
      return number_filter();
    if (name_ == "urlencode") return heap_.string(url_encoded(to_text(v_), "/"));
    if (name_ == "attr") return attr();
    if (name_ == "items") {
      if (v_.is_undefined()) return generated({});
      if (!v_.is(Type::kDict)) type_error("Can only get item pairs from a mapping.");
      return generated(to_vector(heap_, heap_.make_value<DictView>(0, v_, DictView::Part::kItems)));
    }
    if (name_ == "dictsort" || name_ == "sort" || name_ == "unique" || name_ == "min" || name_ == "max" ||
        name_ == "groupby")
      return order_filter();
    if (name_ == "map") return map();
    if (name_ == "select" || name_ == "reject" || name_ == "selectattr" || name_ == "rejectattr") return select();
    if (name_ == "join" || name_ == "list" || name_ == "first" || name_ == "last" || name_ == "reverse" ||
        name_ == "batch" || name_ == "slice")
      return sequence_filter();
    fail(ErrorCode::kUnsupported, "chat template: the filter \"{}\" is not supported", name_);
  }

 private:
  static Value no() { return Value::boolean(false); }
  std::vector<Value> bind_for(const char* function, std::initializer_list<std::pair<const char*, Value>> parameters,
                              size_t hidden = 0) {
    Arguments with_operand = given_;
    with_operand.positional.insert(with_operand.positional.begin(), v_);
    return bind(function, parameters, with_operand, hidden);
  }
  Value generated(std::vector<Value> items, const char* name = "generator") {
    const size_t bytes = items.capacity() * sizeof(Value);
    return heap_.make_value<Generated>(bytes, std::move(items), name);
  }
  Value text_method(const char* method, std::vector<Value> arguments = {}) {
    const Value text = v_.is_string() ? v_ : heap_.string(to_text(v_));
    return in_.call_method(text, method, {std::move(arguments), {}});
  }

  Value tojson() {
    const auto p = bind_for("_cached_compile_jinja_template.<locals>.tojson", {{"x", Value()},
                                                                               {"ensure_ascii", no()},
                                                                               {"indent", Value::none()},
                                                                               {"separators", Value::none()},
                                                                               {"sort_keys", no()}});
    JsonStyle style;
    style.ensure_ascii = truth(p[1]);
    style.sort_keys = truth(p[4]);
    if (!p[2].is_none()) {
      style.has_indent = true;
      style.item_separator = ",";
      if (p[2].is_string()) style.indent = text_of(p[2]);
      else if (p[2].is_integral()) {
        heap_.budget().expect(static_cast<size_t>(std::clamp<int64_t>(p[2].as_int(), 0, INT64_MAX / 2)));
        style.indent = std::string(static_cast<size_t>(std::max<int64_t>(p[2].as_int(), 0)), ' ');
      } else type_error("can't multiply sequence by non-int of type '{}'", type_name(p[2]));
    }
    if (!p[3].is_none()) {
      const std::vector<Value> both = to_vector(heap_, p[3]);
      if (both.size() != 2)
        value_error("{} values to unpack (expected 2{})", both.size() < 2 ? "not enough" : "too many",
                    both.size() < 2 ? fmt::format(", got {}", both.size()) : "");
      style.item_separator = to_text(both[0]);
      style.key_separator = to_text(both[1]);
    }
    std::string out;
    append_json(out, p[0], style);
    return heap_.string(std::move(out));
  }
  Value text_filter() {
    if (name_ == "replace") {
      const auto p =
          bind_for("do_replace", {{"s", Value()}, {"old", Value()}, {"new", Value()}, {"count", Value::none()}}, 1);
      return text_method("replace", {heap_.string(to_text(p[1])), heap_.string(to_text(p[2])),
                                     p[3].is_none() ? Value::integer(-1) : p[3]});
    }
    if (name_ == "trim")
      return text_method("strip", {bind_for("do_trim", {{"value", Value()}, {"chars", Value::none()}})[1]});
    if (name_ == "center")
      return text_method("center", {bind_for("do_center", {{"value", Value()}, {"width", Value::integer(80)}})[1]});
    bind_for(("do_" + name_).c_str(), {{"s", Value()}});
    if (name_ != "title") return text_method(name_.c_str());
    std::string out, word;
    auto flush = [&] {
      const char* p = word.data();
      if (!word.empty()) text::decode_utf8(p);
      const auto first = static_cast<size_t>(p - word.data());
      out += to_upper(std::string_view(word).substr(0, first)) + to_lower(std::string_view(word).substr(first));
      word.clear();
    };
    const std::string text = to_text(v_);
    for (const char* p = text.data(); p != text.data() + text.size();) {
      const char* start = p;
      const char32_t c = text::decode_utf8(p);
      const bool breaks = has_property(c, kSpace) ||
                          (c < 0x80 && std::string_view("-({[<").find(static_cast<char>(c)) != std::string_view::npos);
      if (breaks) flush();
      (breaks ? out : word).append(start, p);
    }
    flush();
    return heap_.string(std::move(out));
  }
  Value layout_filter() {
    if (name_ == "format")
      return format_percent(heap_, heap_.string(to_text(v_)),
                            given_.named.empty() ? heap_.tuple(given_.positional) : named_dict());
    if (name_ == "wordcount") {
      int64_t count = 0;
      bool inside = false;
      const std::string text = to_text(v_);
      for (const char* p = text.data(); p != text.data() + text.size();) {
        const char32_t c = text::decode_utf8(p);
        const bool is_word = c == '_' || has_property(c, kAlphanumeric);
        count += is_word && !inside ? 1 : 0;
        inside = is_word;
      }
      return Value::integer(count);
    }
    if (name_ == "indent") return indent();
    if (name_ == "truncate") return truncate();
    fail(ErrorCode::kUnsupported, "chat template: the filter \"{}\" is not supported", name_);
  }
  Value named_dict() {
    const Value made = heap_.make_value<Dict>(0);
    for (const auto& [key, value] : given_.named) made.as<Dict>().set(heap_.string(key), value);
    return made;
  }
  Value indent() {
    const auto p =
        bind_for("do_indent", {{"s", Value()}, {"width", Value::integer(4)}, {"first", no()}, {"blank", no()}});
    if (!p[1].is_string())
      heap_.budget().expect(static_cast<size_t>(std::clamp<int64_t>(p[1].as_int(), 0, INT64_MAX / 2)));
    const std::string indention =
        p[1].is_string() ? text_of(p[1]) : std::string(static_cast<size_t>(std::max<int64_t>(0, p[1].as_int())), ' ');
    const Value text = binary(heap_, Operator::kAdd, p[0], heap_.string("\n"));
    const Value lines = in_.call_method(text, "splitlines", {});
    std::string out = truth(p[2]) ? indention : "";
    for (size_t i = 0; i < items_of(lines).size(); ++i) {
      const std::string& line = text_of(items_of(lines)[i]);
      if (i > 0) out += '\n';
      if (i > 0 && (truth(p[3]) || !line.empty())) out += indention;
      out += line;
      heap_.budget().expect(out.size());
    }
    return heap_.string(std::move(out));
  }
  Value truncate() {
    const auto p = bind_for("do_truncate",
                            {{"s", Value()},
                             {"length", Value::integer(255)},
                             {"killwords", no()},
                             {"end", heap_.string("...")},
                             {"leeway", Value::none()}},
                            1);
    const int64_t length = p[1].as_int(), leeway = p[4].is_none() ? 5 : p[4].as_int(), end = length_of(p[3]);
    if (length < end) raise(ExceptionType::kAssertionError, "expected length >= {}, got {}", end, length);
    if (leeway < 0) raise(ExceptionType::kAssertionError, "expected leeway >= 0, got {}", leeway);
    if (length_of(p[0]) <= length + leeway) return p[0];
    const Value bounds[3] = {Value::none(), Value::integer(length - end), Value::none()};
    std::string cut = to_text(slice(heap_, p[0], bounds));
    if (!truth(p[2])) cut = cut.substr(0, cut.rfind(' '));
    return heap_.string(cut + to_text(p[3]));
  }
  std::string url_encoded(const std::string& text, std::string_view safe) {
    std::string out;
    for (char c : text) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                         std::string_view("_.-~").find(c) != std::string_view::npos ||
                         safe.find(c) != std::string_view::npos;
      out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
  }

  static bool parse_real(std::string_view text, double& d) {
    std::string digits(strip(text, kStripBoth));
    std::erase(digits, '_');
    const std::string_view body = std::string_view(digits).substr(!digits.empty() && digits[0] == '+' ? 1 : 0);
    const auto result = std::from_chars(body.data(), body.data() + body.size(), d);
    return !body.empty() && result.ec == std::errc() && result.ptr == body.data() + body.size();
  }
  Value number_filter() {
    if (name_ == "abs") {
      if (v_.is_undefined()) v_.as<Undefined>().fail();
      if (!v_.is_number()) type_error("bad operand type for abs(): '{}'", type_name(v_));
      return v_.is(Type::kFloat) ? Value::real(std::abs(v_.as_real()))
             : v_.as_int() < 0   ? unary(Operator::kNegate, v_)
                                 : unary(Operator::kPlus, v_);
    }
    if (name_ == "sum") {
      const auto p = bind_for("sync_do_sum",
                              {{"iterable", Value()}, {"attribute", Value::none()}, {"start", Value::integer(0)}}, 1);
      Value total = p[2];
      if (total.is_string()) type_error("sum() can't sum strings [use ''.join(seq) instead]");
      for (const Value& item : to_vector(heap_, p[0])) total = binary(heap_, Operator::kAdd, total, key_of(item, p[1]));
      return total;
    }
    if (v_.is_undefined()) v_.as<Undefined>().fail();
    if (name_ == "float") {
      const auto p = bind_for("do_float", {{"value", Value()}, {"default", Value::real(0)}});
      double d = 0;
      if (p[0].is_number()) return Value::real(to_real(p[0]));
      return p[0].is_string() && parse_real(text_of(p[0]), d) ? Value::real(d) : p[1];
    }
    if (name_ == "round") return round();
    const auto p =
        bind_for("do_int", {{"value", Value()}, {"default", Value::integer(0)}, {"base", Value::integer(10)}});
    if (p[0].is_integral()) return Value::integer(p[0].as_int());
    if (p[0].is(Type::kBigInt)) return p[0];
    double d = 0;
    if (p[0].is(Type::kFloat)) d = p[0].as_real();
    if (p[0].is_string()) {
      std::string digits(strip(text_of(p[0]), kStripBoth));
      std::erase(digits, '_');
      std::string_view body = digits;
      const int base = static_cast<int>(std::clamp<int64_t>(p[2].as_int(), 2, 36));
      if (body.starts_with('+')) body.remove_prefix(1);
      if (base != 10 && body.size() > 2 && body[0] == '0' &&
          std::string_view("xXoObB").find(body[1]) != std::string_view::npos)
        body.remove_prefix(2);
      int64_t whole = 0;
      const auto result = std::from_chars(body.data(), body.data() + body.size(), whole, base);
      if (!body.empty() && result.ec == std::errc() && result.ptr == body.data() + body.size())
        return Value::integer(whole);
      if (!parse_real(text_of(p[0]), d)) return p[1];
    } else if (!p[0].is(Type::kFloat)) {
      return p[1];
    }
    if (std::isnan(d) || std::isinf(d)) return p[1];
    if (std::abs(d) >= 9.2e18) raise(ExceptionType::kOverflowError, "integer result does not fit into 64 bits");
    return Value::integer(static_cast<int64_t>(d));
  }
  Value round() {
    const auto p = bind_for("do_round",
                            {{"value", Value()}, {"precision", Value::integer(0)}, {"method", heap_.string("common")}});
    const std::string method = to_text(p[2]);
    if (method != "common" && method != "ceil" && method != "floor")
      raise(ExceptionType::kFilterArgumentError, "method must be common, ceil or floor");
    if (!p[0].is_number()) type_error("type {} doesn't define __round__ method", type_name(p[0]));
    const auto precision = static_cast<int>(std::clamp<int64_t>(p[1].as_int(), -300, 300));
    if (method == "common") {
      if (p[0].is_integral() && precision >= 0) return Value::integer(p[0].as_int());
      if (precision > 0)
        return Value::real(std::strtod(fmt::format("{:.{}f}", to_real(p[0]), precision).c_str(), nullptr));
      const double scale = std::pow(10.0, -precision);
      const double rounded = std::nearbyint(to_real(p[0]) / scale) * scale;
      return p[0].is_integral() ? Value::integer(static_cast<int64_t>(rounded)) : Value::real(rounded);
    }
    const double scale = std::pow(10.0, precision), scaled = to_real(p[0]) * scale;
    return Value::real((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale);
  }

  Value attr() {
    const auto p = bind_for("do_attr", {{"obj", Value()}, {"name", Value()}}, 1);
    const Value found = in_.attribute(p[0], p[1]);
    if (p[0].is(Type::kDict) && p[0].as<Dict>().find(p[1]) != nullptr && !found.is(Type::kMethod))
      return heap_.make_value<Undefined>(0, p[0], p[1]);
    return found;
  }
  /// What attribute="a.b.0" finds in an item.
  Value key_of(const Value& item, const Value& path, const Value& otherwise = Value::none()) {
    if (path.is_none()) return item;
    if (!path.is_string()) return with_default(in_.item(item, path), otherwise);
    Value at = item;
    std::string_view rest = text_of(path);
    while (true) {
      const size_t dot = std::min(rest.find('.'), rest.size());
      const std::string part(rest.substr(0, dot));
      const bool number =
          !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == std::string::npos;
      at = with_default(in_.item(at, number ? Value::integer(std::stol(part)) : heap_.string(part)), otherwise);
      if (dot == rest.size()) return at;
      rest.remove_prefix(dot + 1);
    }
  }
  static Value with_default(Value v, const Value& otherwise) {
    return v.is_undefined() && !otherwise.is_none() ? otherwise : v;
  }
  Value folded(Value v, const Value& case_sensitive) {
    return v.is_string() && !truth(case_sensitive) ? heap_.string(to_lower(text_of(v))) : v;
  }
  void sort(std::vector<std::pair<Value, Value>>& keyed, bool reverse) {
    heap_.budget().step(keyed.size() * 16);
    if (reverse) std::reverse(keyed.begin(), keyed.end());
    std::stable_sort(keyed.begin(), keyed.end(),
                     [](const auto& a, const auto& b) { return ordered(Operator::kLess, a.first, b.first); });
    if (reverse) std::reverse(keyed.begin(), keyed.end());
  }
  Value order_filter() {
    if (name_ == "dictsort") {
      const auto p =
          bind_for("do_dictsort",
                   {{"value", Value()}, {"case_sensitive", no()}, {"by", heap_.string("key")}, {"reverse", no()}});
      const std::string by = to_text(p[2]);
      if (by != "key" && by != "value")
        raise(ExceptionType::kFilterArgumentError, "You can only sort by either \"key\" or \"value\"");
      if (p[0].is_undefined()) p[0].as<Undefined>().fail();
      if (!p[0].is(Type::kDict))
        raise(ExceptionType::kAttributeError, "'{}' object has no attribute 'items'", type_name(p[0]));
      std::vector<std::pair<Value, Value>> keyed;
      for (const Dict::Entry& entry : p[0].as<Dict>().entries())
        keyed.emplace_back(folded(by == "key" ? entry.key : entry.value, p[1]), heap_.tuple({entry.key, entry.value}));
      sort(keyed, truth(p[3]));
      return heap_.list(seconds(keyed));
    }
    if (name_ == "groupby") return groupby();
    if (name_ == "sort") {
      const auto p =
          bind_for("do_sort",
                   {{"value", Value()}, {"reverse", no()}, {"case_sensitive", no()}, {"attribute", Value::none()}}, 1);
      std::vector<std::pair<Value, Value>> keyed;
      for (const Value& item : to_vector(heap_, p[0])) {
        std::vector<Value> keys;
        std::string_view rest = p[3].is_string() ? std::string_view(text_of(p[3])) : std::string_view();
        for (size_t comma; (comma = rest.find(',')) != std::string_view::npos; rest.remove_prefix(comma + 1))
          keys.push_back(folded(key_of(item, heap_.string(rest.substr(0, comma))), p[2]));
        keys.push_back(folded(key_of(item, p[3].is_string() ? heap_.string(rest) : p[3]), p[2]));
        keyed.emplace_back(heap_.list(std::move(keys)), item);
      }
      sort(keyed, truth(p[1]));
      return heap_.list(seconds(keyed));
    }
    const auto p = bind_for(name_ == "unique" ? "sync_do_unique" : ("do_" + name_).c_str(),
                            {{"value", Value()}, {"case_sensitive", no()}, {"attribute", Value::none()}}, 1);
    const std::vector<Value> items = to_vector(heap_, p[0]);
    if (name_ == "unique") {
      const Value seen = heap_.make_value<Dict>(0);
      std::vector<Value> kept;
      for (const Value& item : items) {
        const Value key = folded(key_of(item, p[2]), p[1]);
        if (seen.as<Dict>().find(key) != nullptr) continue;
        seen.as<Dict>().set(key, Value::none());
        kept.push_back(item);
      }
      return generated(std::move(kept));
    }
    if (items.empty()) return in_.undefined("No aggregated item, sequence was empty.");
    size_t best = 0;
    for (size_t i = 1; i < items.size(); ++i) {
      const Operator op = name_ == "min" ? Operator::kLess : Operator::kGreater;
      if (ordered(op, folded(key_of(items[i], p[2]), p[1]), folded(key_of(items[best], p[2]), p[1]))) best = i;
    }
    return items[best];
  }
  static std::vector<Value> seconds(const std::vector<std::pair<Value, Value>>& keyed) {
    std::vector<Value> values;
    for (const auto& entry : keyed) values.push_back(entry.second);
    return values;
  }
  Value groupby() {
    const auto p =
        bind_for("sync_do_groupby",
                 {{"value", Value()}, {"attribute", Value()}, {"default", Value::none()}, {"case_sensitive", no()}}, 1);
    std::vector<std::pair<Value, Value>> keyed;
    for (const Value& item : to_vector(heap_, p[0])) keyed.emplace_back(folded(key_of(item, p[1], p[2]), p[3]), item);
    sort(keyed, false);
    std::vector<Value> groups;
    for (size_t i = 0; i < keyed.size();) {
      std::vector<Value> members;
      const size_t first = i;
      while (i < keyed.size() && equals(keyed[i].first, keyed[first].first)) members.push_back(keyed[i++].second);
      const Value key = key_of(members[0], p[1], p[2]);
      const Value group = heap_.tuple({key, heap_.list(std::move(members))});
      group.as<Array>().is_group = true;
      groups.push_back(group);
    }
    return heap_.list(std::move(groups));
  }

  Value map() {
    if (!truth(v_)) return generated({});
    std::vector<Value> made;
    Value attribute, otherwise = Value::none();
    for (const auto& [key, value] : given_.named) {
      if (key == "attribute") attribute = value;
      if (key == "default") otherwise = value;
    }
    const bool by_attribute = given_.positional.empty() && !attribute.is_missing();
    if (!by_attribute && given_.positional.empty())
      raise(ExceptionType::kFilterArgumentError, "map requires a filter argument");
    for (const auto& [key, value] : given_.named) {
      if (by_attribute && key != "attribute" && key != "default")
        raise(ExceptionType::kFilterArgumentError, "Unexpected keyword argument {}", quoted(key));
    }
    for (const Value& item : to_vector(heap_, v_)) {
      heap_.budget().step();
      made.push_back(by_attribute ? key_of(item, attribute, otherwise)
                                  : in_.call_filter(to_text(given_.positional[0]), item, rest(1)));
    }
    return generated(std::move(made));
  }
  Arguments rest(size_t from) const {
    return {{given_.positional.begin() + static_cast<ptrdiff_t>(from), given_.positional.end()}, given_.named};
  }
  Value select() {
    const bool by_attribute = name_.ends_with("attr"), wanted = name_.starts_with("select");
    const size_t offset = by_attribute ? 1 : 0;
    if (!truth(v_)) return generated({});
    if (by_attribute && given_.positional.empty())
      raise(ExceptionType::kFilterArgumentError, "Missing parameter for attribute name");
    std::vector<Value> kept;
    for (const Value& item : to_vector(heap_, v_)) {
      heap_.budget().step();
      const Value key = by_attribute ? key_of(item, given_.positional[0]) : item;
      const bool holds = given_.positional.size() > offset
                             ? in_.call_test(to_text(given_.positional[offset]), key, rest(offset + 1))
                             : truth(key);
      if (holds == wanted) kept.push_back(item);
    }
    return generated(std::move(kept));
  }
  Value sequence_filter() {
    if (name_ == "join") {
      const auto p =
          bind_for("sync_do_join", {{"value", Value()}, {"d", heap_.string("")}, {"attribute", Value::none()}}, 1);
      std::string out;
      bool first = true;
      for (const Value& item : to_vector(heap_, p[0])) {
        if (!std::exchange(first, false)) append_text(out, p[1]);
        append_text(out, key_of(item, p[2]));
        heap_.budget().expect(out.size());
      }
      return heap_.string(std::move(out));
    }
    if (name_ == "list") return heap_.list(to_vector(heap_, v_));
    if (name_ == "first") {
      Value item;
      const Value iterator = Value::adopt(iterate(heap_, v_));
      return iterator.as<Iterator>().next(item) ? item : in_.undefined("No first item, sequence was empty.");
    }
    if (name_ == "last" || name_ == "reverse") {
      if (v_.is(Type::kIterator) && name_ == "last") type_error("'{}' object is not reversible", type_name(v_));
      if (v_.is_string() && name_ == "reverse") {
        const Value bounds[3] = {Value::none(), Value::none(), Value::integer(-1)};
        return slice(heap_, v_, bounds);
      }
      if (!is_iterable(v_)) {
        if (name_ == "reverse") raise(ExceptionType::kFilterArgumentError, "argument must be iterable");
        type_error("'{}' object is not reversible", type_name(v_));
      }
      std::vector<Value> items = to_vector(heap_, v_);
      if (name_ == "last") return items.empty() ? in_.undefined("No last item, sequence was empty.") : items.back();
      std::reverse(items.begin(), items.end());
      return v_.is(Type::kIterator) ? heap_.list(std::move(items))
                                    : generated(std::move(items), "list_reverseiterator");
    }
    const bool is_batch = name_ == "batch";
    const auto p =
        bind_for(is_batch ? "do_batch" : "sync_do_slice",
                 {{"value", Value()}, {is_batch ? "linecount" : "slices", Value()}, {"fill_with", Value::none()}});
    const std::vector<Value> items = to_vector(heap_, p[0]);
    const auto count = static_cast<size_t>(std::clamp<int64_t>(p[1].as_int(), 0, 1 << 20));
    std::vector<Value> made;
    for (size_t i = 0; is_batch && i < items.size(); i += std::max<size_t>(count, 1)) {
      std::vector<Value> part(
          items.begin() + static_cast<ptrdiff_t>(i),
          items.begin() + static_cast<ptrdiff_t>(std::min(items.size(), i + std::max<size_t>(count, 1))));
      if (!p[2].is_none() && part.size() < count) part.resize(count, p[2]);
      made.push_back(heap_.list(std::move(part)));
    }
    if (!is_batch && count == 0) raise(ExceptionType::kZeroDivisionError, "integer division or modulo by zero");
    for (size_t i = 0, offset = 0; !is_batch && i < count; ++i) {
      const size_t each = items.size() / count, extra = items.size() % count, size = each + (i < extra ? 1 : 0);
      std::vector<Value> part(items.begin() + static_cast<ptrdiff_t>(offset),
                              items.begin() + static_cast<ptrdiff_t>(offset + size));
      offset += size;
      if (!p[2].is_none() && i >= extra) part.push_back(p[2]);
      made.push_back(heap_.list(std::move(part)));
    }
    return generated(std::move(made));
  }

  Interpreter& in_;
  Heap& heap_;
  const std::string& name_;
  const Value& v_;
  Arguments& given_;
};

}  // namespace

bool filter_exists(std::string_view name) { return listed(kFilters, name); }
bool test_exists(std::string_view name) { return listed(kTests, name); }

Value Interpreter::call_filter(const std::string& name, const Value& operand, Arguments given) {
  if (!filter_exists(name)) raise(ExceptionType::kTemplateRuntimeError, "No filter named {} found.", quoted(name));
  if (operand.is_string()) heap_.budget().touch(text_of(operand).size());
  return Filters(*this, name, operand, given).run();
}

bool Interpreter::call_test(const std::string& name, const Value& v, Arguments given) {
  if (!test_exists(name)) raise(ExceptionType::kTemplateRuntimeError, "No test named {} found.", quoted(name));
  const auto& p = given.positional;
  static constexpr std::pair<std::string_view, Operator> kComparisons[] = {
      {"==", Operator::kEqual},        {"eq", Operator::kEqual},
      {"equalto", Operator::kEqual},   {"!=", Operator::kNotEqual},
      {"ne", Operator::kNotEqual},     {">", Operator::kGreater},
      {"gt", Operator::kGreater},      {"greaterthan", Operator::kGreater},
      {">=", Operator::kGreaterEqual}, {"ge", Operator::kGreaterEqual},
      {"<", Operator::kLess},          {"lt", Operator::kLess},
      {"lessthan", Operator::kLess},   {"<=", Operator::kLessEqual},
      {"le", Operator::kLessEqual},    {"in", Operator::kIn}};
  for (const auto& [test, op] : kComparisons) {
    if (name != test) continue;
    if (p.size() != 1) type_error("{} expected 2 arguments, got {}", name, p.size() + 1);
    return compare(op, v, p[0]);
  }
  if (name == "defined") return !v.is_undefined();
  if (name == "undefined") return v.is_undefined();
  if (name == "none") return v.is_none();
  if (name == "boolean") return v.is(Type::kBool);
  if (name == "true" || name == "false") return v.is(Type::kBool) && v.as_bool() == (name == "true");
  if (name == "integer") return v.is(Type::kInt) || v.is(Type::kBigInt);
  if (name == "float") return v.is(Type::kFloat);
  if (name == "number") return v.is_number();
  if (name == "string") return v.is_string();
  if (name == "mapping") return v.is(Type::kDict);
  if (name == "iterable") return is_iterable(v);
  if (name == "sequence") return v.is_string() || v.is_array() || v.is(Type::kDict) || v.is(Type::kRange);
  if (name == "callable")
    return v.is(Type::kFunction) || v.is(Type::kMethod) || v.is(Type::kMacro) || v.is(Type::kJoiner) ||
           v.is(Type::kLoop) || v.is_undefined();
  if (name == "escaped") return v.is_string() && v.as<String>().is_markup();
  if (name == "filter") return v.is_string() && filter_exists(text_of(v));
  if (name == "test") return v.is_string() && test_exists(text_of(v));
  if (name == "lower" || name == "upper") return truth(call_method(heap_.string(to_text(v)), "is" + name, {}));
  if (name == "sameas") return !p.empty() && v.same_as(p[0]);
  const Value by = name == "divisibleby"
                       ? (p.empty() ? bind("test_divisibleby", {{"value", v}, {"num", Value()}}, given)[1] : p[0])
                       : Value::integer(2);
  const Value remainder = binary(heap_, Operator::kModulo, v, by);
  return equals(remainder, Value::integer(name == "odd" ? 1 : 0));
}

}  // namespace gamut::jinja
