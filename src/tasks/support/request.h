// Reading the JSON requests of tasks: inputs and parameters with their types checked and unknown ones refused.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace gamut {

/// The member "inputs". Throws Error{kInvalidArgument} when the request is no object or has none.
const Json& request_inputs(const Json& request);
/// A string, or an array of strings. Throws Error{kInvalidArgument} that names `name` for anything else.
std::vector<std::string> as_texts(const Json& value, const std::string& name);
/// Throws Error{kInvalidArgument} when "parameters" holds a name that is not among `known`.
void check_parameters(const Json& request, const std::vector<std::string>& known);
/// A member of "parameters", or the fallback when it is absent or null.
bool bool_parameter(const Json& request, const std::string& name, bool fallback);
int64_t int_parameter(const Json& request, const std::string& name, int64_t fallback, int64_t min, int64_t max);
/// The parameter's value, or null.
const Json* find_parameter(const Json& request, const std::string& name);

}  // namespace gamut
