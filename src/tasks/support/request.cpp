#include "tasks/support/request.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/excerpt.h"

namespace gamut {
namespace {

/// A value as short text for a message.
std::string quote(const Json& value) { return excerpt(value.dump(-1, ' ', false, Json::error_handler_t::replace)); }

}  // namespace

const Json& request_inputs(const Json& request) {
  if (!request.is_object())
    fail(ErrorCode::kInvalidArgument, "request: {}, expected an object with \"inputs\"", quote(request));
  auto inputs = request.find("inputs");
  if (inputs == request.end()) fail(ErrorCode::kInvalidArgument, "request: \"inputs\" is missing");
  for (const auto& [name, value] : request.items()) {
    if (name != "inputs" && name != "parameters") {
      fail(ErrorCode::kInvalidArgument, "request: \"{}\" is unknown; expected \"inputs\" and \"parameters\"",
           excerpt(name));
    }
  }
  return *inputs;
}

std::vector<std::string> as_texts(const Json& value, const std::string& name) {
  if (value.is_string()) return {value.get<std::string>()};
  if (!value.is_array())
    fail(ErrorCode::kInvalidArgument, "{}: {}, expected a string or an array of strings", name, quote(value));
  std::vector<std::string> texts;
  for (const Json& item : value) {
    if (!item.is_string()) fail(ErrorCode::kInvalidArgument, "{}: {}, expected a string", name, quote(item));
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

const Json* find_parameter(const Json& request, const std::string& name) {
  auto parameters = request.find("parameters");
  if (parameters == request.end() || parameters->is_null()) return nullptr;
  if (!parameters->is_object())
    fail(ErrorCode::kInvalidArgument, "parameters: {}, expected an object", quote(*parameters));
  auto value = parameters->find(name);
  return value == parameters->end() || value->is_null() ? nullptr : &*value;
}

void check_parameters(const Json& request, const std::vector<std::string>& known) {
  find_parameter(request, "");  // says when it is no object
  auto parameters = request.find("parameters");
  if (parameters == request.end() || parameters->is_null()) return;
  for (const auto& [name, value] : parameters->items()) {
    if (std::ranges::count(known, name) > 0) continue;
    std::string list;
    for (const std::string& each : known) list += (list.empty() ? "" : ", ") + each;
    fail(ErrorCode::kInvalidArgument, "parameter \"{}\" is unknown; expected {}", excerpt(name),
         list.empty() ? "none" : "some of: " + list);
  }
}

bool bool_parameter(const Json& request, const std::string& name, bool fallback) {
  const Json* value = find_parameter(request, name);
  if (value == nullptr) return fallback;
  if (!value->is_boolean())
    fail(ErrorCode::kInvalidArgument, "parameter {}: {}, expected true or false", name, quote(*value));
  return value->get<bool>();
}

int64_t int_parameter(const Json& request, const std::string& name, int64_t fallback, int64_t min, int64_t max) {
  const Json* value = find_parameter(request, name);
  if (value == nullptr) return fallback;
  // Above the range of int64 get() would wrap around.
  const bool fits = value->is_number_integer() && (!value->is_number_unsigned() || value->get<uint64_t>() <= INT64_MAX);
  if (!fits || value->get<int64_t>() < min || value->get<int64_t>() > max) {
    fail(ErrorCode::kInvalidArgument, "parameter {}: {}, expected an integer from {} to {}", name, quote(*value), min,
         max);
  }
  return value->get<int64_t>();
}

}  // namespace gamut
