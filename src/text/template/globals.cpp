// The functions that templates find by name.
#include <sys/time.h>

#include <ctime>

#include "base/error.h"
#include "text/template/frames.h"
#include "text/template/interpreter.h"
#include "text/template/operators.h"
#include "text/template/repr.h"

namespace gamut::jinja {
namespace {

Value make_dict(Heap& heap, const Arguments& given) {
  Value made = heap.make_value<Dict>(0);
  auto& dict = made.as<Dict>();
  if (given.positional.size() > 1) type_error("dict expected at most 1 argument, got {}", given.positional.size());
  if (!given.positional.empty()) {
    const Value& from = given.positional[0];
    if (from.is(Type::kDict)) {
      for (const Dict::Entry& entry : from.as<Dict>().entries()) dict.set(entry.key, entry.value);
    } else {
      size_t position = 0;
      for (const Value& pair : to_vector(heap, from)) {
        if (!is_iterable(pair))
          type_error("cannot convert dictionary update sequence element #{} to a sequence", position);
        const std::vector<Value> both = to_vector(heap, pair);
        if (both.size() != 2)
          value_error("dictionary update sequence element #{} has length {}; 2 is required", position, both.size());
        dict.set(both[0], both[1]);
        ++position;
      }
    }
  }
  for (const auto& [name, value] : given.named) dict.set(heap.string(name), value);
  return made;
}

Value make_range(Heap& heap, const Arguments& given) {
  const auto& p = given.positional;
  if (!given.named.empty()) type_error("range() takes no keyword arguments");
  if (p.empty()) type_error("range expected at least 1 argument, got 0");
  if (p.size() > 3) type_error("range expected at most 3 arguments, got {}", p.size());
  for (const Value& v : p) {
    if (!v.is_integral()) type_error("'{}' object cannot be interpreted as an integer", type_name(v));
  }
  const int64_t step = p.size() > 2 ? p[2].as_int() : 1;
  if (step == 0) value_error("range() arg 3 must not be zero");
  Value made = p.size() == 1 ? heap.make_value<Range>(0, 0, p[0].as_int(), 1)
                             : heap.make_value<Range>(0, p[0].as_int(), p[1].as_int(), step);
  if (made.as<Range>().length > 100000)
    raise(ExceptionType::kOverflowError, "Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).");
  return made;
}

/// datetime.now().strftime(format).
std::string formatted_now(const std::string& format) {
  timeval now{};
  gettimeofday(&now, nullptr);
  tm local{};
  localtime_r(&now.tv_sec, &local);
  std::string prepared;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      prepared += format[i];
      continue;
    }
    const char c = format[++i];
    if (c == 'f') prepared += fmt::format("{:06d}", now.tv_usec);
    else if (c != 'z' && c != 'Z') (prepared += '%') += c;
  }
  if (prepared.empty()) return "";
  std::string out(prepared.size() * 16 + 256, '\0');
  out.resize(std::strftime(out.data(), out.size(), prepared.c_str(), &local));
  return out;
}

}  // namespace

Value Interpreter::call_function(const std::string& name, Arguments& given) {
  if (name == "raise_exception") {
    const auto p = bind("_cached_compile_jinja_template.<locals>.raise_exception", {{"message", Value()}}, given);
    raise(ExceptionType::kTemplateError, "{}", p[0].is_undefined() ? std::string() : to_text(p[0]));
  }
  if (name == "strftime_now") {
    const auto p = bind("_cached_compile_jinja_template.<locals>.strftime_now", {{"format", Value()}}, given);
    if (!p[0].is_string()) type_error("strftime() argument 1 must be str, not {}", type_name(p[0]));
    heap_.budget().expect(text_of(p[0]).size() * 64);
    return heap_.string(formatted_now(text_of(p[0])));
  }
  if (name == "range") return make_range(heap_, given);
  if (name == "dict") return make_dict(heap_, given);
  if (name == "namespace") {
    const Value attributes = make_dict(heap_, given);
    for (const Dict::Entry& entry : attributes.as<Dict>().entries()) Namespace::check_name(entry.key);
    return heap_.make_value<Namespace>(0, heap_, attributes);
  }
  if (name == "joiner")
    return heap_.make_value<Joiner>(0, bind("Joiner.__init__", {{"sep", heap_.string(", ")}}, given, 1)[0]);
  if (name == "cycler") {
    if (given.positional.empty()) raise(ExceptionType::kRuntimeError, "at least one item has to be provided");
    return heap_.make_value<Cycler>(0, given.positional);
  }
  fail(ErrorCode::kUnsupported, "chat template: {}() is not supported", name);
}

}  // namespace gamut::jinja
