// GenerateOptions as the "parameters" of a request, both ways, from one list of their fields.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "gamut/generate.h"

namespace gamut {

/// The names that `read_generation_parameters` knows.
std::vector<std::string> generation_parameter_names();
/// What the request's parameters say; the others are as they are by default. Throws Error{kInvalidArgument} that names
/// a parameter of the wrong type or outside its range.
GenerateOptions read_generation_parameters(const Json& request);
/// The options that are not as they are by default.
Json write_generation_parameters(const GenerateOptions& options);

}  // namespace gamut
