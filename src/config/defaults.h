// The configuration defaults of each model type, embedded from src/config/defaults at build time.
#pragma once

#include <string_view>

namespace gamut {

/// The content of src/config/defaults/`model_type`.json: {"attribute_map": {name: other}, "defaults": {name: value}}.
/// Empty when there is no such file. tools/make_config_defaults.py writes these files.
std::string_view config_defaults_text(std::string_view model_type);

}  // namespace gamut
