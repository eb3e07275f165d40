#include "text/template/arguments.h"

#include <algorithm>

#include "text/template/repr.h"

namespace gamut::jinja {

Value Arguments::take(std::string_view name) {
  const auto found = std::ranges::find_if(named, [&](const auto& argument) { return argument.first == name; });
  if (found == named.end()) return Value();
  Value value = std::move(found->second);
  named.erase(found);
  return value;
}

int64_t index_of(const Value& v) {
  if (v.is_integral()) return v.as_int();
  if (v.is(Type::kBigInt)) raise(ExceptionType::kOverflowError, "Python int too large to convert to C ssize_t");
  type_error("'{}' object cannot be interpreted as an integer", type_name(v));
}

namespace {

[[noreturn]] void too_many(std::string_view function, Signature parameters, size_t got, size_t hidden) {
  size_t required = hidden;
  for (const auto& parameter : parameters) required += parameter.second.is_missing() ? 1 : 0;
  const size_t most = hidden + parameters.size();
  const char* verb = got == 1 ? "was" : "were";
  if (required == most)
    type_error("{}() takes {} positional argument{} but {} {} given", function, most, most == 1 ? "" : "s", got, verb);
  type_error("{}() takes from {} to {} positional arguments but {} {} given", function, required, most, got, verb);
}

[[noreturn]] void lacks(std::string_view function, const std::vector<std::string>& names) {
  std::string all;
  for (size_t i = 0; i < names.size(); ++i) {
    all += i == 0 ? "" : i + 1 < names.size() ? ", " : names.size() == 2 ? " and " : ", and ";
    all += names[i];
  }
  type_error("{}() missing {} required positional argument{}: {}", function, names.size(), names.size() == 1 ? "" : "s",
             all);
}

}  // namespace

std::vector<Value> bind(std::string_view function, Signature parameters, const Arguments& given, size_t hidden) {
  std::vector<Value> bound(parameters.size());
  const auto* names = parameters.begin();
  const size_t taken = std::min(bound.size(), given.positional.size());
  std::copy_n(given.positional.begin(), taken, bound.begin());
  for (const auto& [name, value] : given.named) {
    size_t at = 0;
    while (at < bound.size() && name != names[at].first) ++at;
    if (at == bound.size()) type_error("{}() got an unexpected keyword argument {}", function, quoted(name));
    if (!bound[at].is_missing()) type_error("{}() got multiple values for argument {}", function, quoted(name));
    bound[at] = value;
  }
  if (given.positional.size() > bound.size()) too_many(function, parameters, hidden + given.positional.size(), hidden);
  std::vector<std::string> lacking;
  for (size_t i = 0; i < bound.size(); ++i) {
    if (bound[i].is_missing()) bound[i] = names[i].second;
    if (bound[i].is_missing()) lacking.push_back(quoted(names[i].first));
  }
  if (!lacking.empty()) lacks(function, lacking);
  return bound;
}

}  // namespace gamut::jinja
