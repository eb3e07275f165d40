// The filter pprint: a value over several lines where one is too short, as Python's pprint breaks it.
#include <algorithm>

#include "text/template/filter_call.h"
#include "text/template/operators.h"
#include "text/template/python_unicode.h"
#include "text/template/repr.h"
#include "text/utf8.h"

namespace gamut::jinja {
namespace {

constexpr int64_t kWidth = 80;

/// Whether a key comes first; keys without an order go by the names of their types.
bool comes_before(const Value& a, const Value& b) {
  try {
    return ordered(Operator::kLess, a, b);
  } catch (const Exception& e) {
    if (!e.is(ExceptionType::kTypeError)) throw;
    return type_name(a) < type_name(b);
  }
}

/// A copy whose dicts are in the order of their keys.
Value sorted_copy(Heap& heap, const Value& v) {
  heap.budget().step();
  if (v.is(Type::kDict)) {
    std::vector<Dict::Entry> entries = v.as<Dict>().entries();
    std::ranges::stable_sort(entries, comes_before, &Dict::Entry::key);
    Value made = heap.make_value<Dict>(0);
    for (const Dict::Entry& entry : entries) made.as<Dict>().set(entry.key, sorted_copy(heap, entry.value));
    return made;
  }
  if (!v.is_array() || v.as<Array>().is_group) return v;
  std::vector<Value> items;
  for (const Value& item : items_of(v)) items.push_back(sorted_copy(heap, item));
  return v.is(Type::kList) ? heap.list(std::move(items)) : heap.tuple(std::move(items));
}

int64_t length(const std::string& text) { return static_cast<int64_t>(text::count_characters(text)); }

/// A text cut behind each run of white space.
std::vector<std::string> words_with_space(std::string_view line) {
  std::vector<std::string> words;
  bool space = true;
  for (const char* p = line.data(); p != line.data() + line.size();) {
    const char* start = p;
    const bool is_space = has_property(text::decode_utf8(p), kSpace);
    if (space && !is_space) words.emplace_back();
    if (words.empty()) words.emplace_back();
    words.back().append(start, p);
    space = is_space;
  }
  return words;
}

class Printer {
 public:
  Printer(Interpreter& in, std::string& out) : in_(in), out_(out) {}

  /// Appends a value; the text begins at a column and has to leave room for some characters behind it.
  void print(const Value& v, int64_t column, int64_t behind, int level) {
    const std::string whole = repr(v);
    in_.heap().budget().touch(whole.size());
    in_.heap().budget().expect(out_.size() + whole.size());
    const bool is_plain_text = v.is_string() && !v.as<String>().is_markup();
    if (length(whole) <= kWidth - column - behind) out_ += whole;
    else if (v.is(Type::kDict)) dict(v.as<Dict>(), column, behind + 1, level + 1);
    else if (v.is(Type::kList) || (v.is(Type::kTuple) && !v.as<Array>().is_group)) items(v, column, behind, level + 1);
    else if (is_plain_text) text(v, column, behind, level + 1);
    else out_ += whole;
  }

 private:
  void line(int64_t column) { (out_ += '\n').append(static_cast<size_t>(column), ' '); }

  void dict(const Dict& dict, int64_t column, int64_t behind, int level) {
    out_ += '{';
    for (const Dict::Entry& entry : dict.entries()) {
      const bool is_last = &entry == &dict.entries().back();
      const std::string key = repr(entry.key);
      out_ += key + ": ";
      print(entry.value, column + 1 + length(key) + 2, is_last ? behind : 1, level);
      if (!is_last) out_ += ',', line(column + 1);
    }
    out_ += '}';
  }
  void items(const Value& v, int64_t column, int64_t behind, int level) {
    const bool is_list = v.is(Type::kList);
    const std::string close = is_list ? "]" : items_of(v).size() == 1 ? ",)" : ")";
    out_ += is_list ? '[' : '(';
    const std::vector<Value>& all = items_of(v);
    for (const Value& item : all) {
      const bool is_last = &item == &all.back();
      print(item, column + 1, is_last ? behind + length(close) : 1, level);
      if (!is_last) out_ += ',', line(column + 1);
    }
    out_ += close;
  }
  void text(const Value& v, int64_t column, int64_t behind, int level) {
    if (level == 1) ++column, ++behind;
    const Value lines = in_.call_method(v, "splitlines", {{Value::boolean(true)}, {}});
    std::vector<std::string> chunks;
    std::string shown;
    for (const Value& line : items_of(lines)) {
      const int64_t last = &line == &items_of(lines).back() ? behind : 0;
      shown = quoted(text_of(line));
      if (length(shown) <= kWidth - column - last) chunks.push_back(shown);
      else break_line(text_of(line), kWidth - column, last, chunks);
    }
    if (chunks.size() == 1) return void(out_ += shown);
    if (level == 1) out_ += '(';
    for (size_t i = 0; i < chunks.size(); ++i) {
      if (i > 0) line(column);
      out_ += chunks[i];
    }
    if (level == 1) out_ += ')';
  }
  void break_line(const std::string& line, int64_t width, int64_t behind, std::vector<std::string>& chunks) {
    const std::vector<std::string> words = words_with_space(line);
    std::string current;
    for (const std::string& word : words) {
      if (&word == &words.back()) width -= behind;
      in_.heap().budget().touch(current.size() + word.size());
      if (length(quoted(current + word)) > width) {
        if (!current.empty()) chunks.push_back(quoted(current));
        current = word;
      } else {
        current += word;
      }
    }
    if (!current.empty()) chunks.push_back(quoted(current));
  }

  Interpreter& in_;
  std::string& out_;
};

}  // namespace

Value filter::pprint(FilterCall& c) {
  c.bind("do_pprint", {{"value", Value()}});
  std::string out;
  Printer(c.in, out).print(sorted_copy(c.heap, c.v), 0, 0, 0);
  return c.heap.string(std::move(out));
}

}  // namespace gamut::jinja
