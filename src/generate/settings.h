// What a checkpoint's files say about generation: generation_config.json, or config.json where that is missing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "gamut/decoding.h"

namespace gamut {

struct GenerationSettings {
  std::vector<int64_t> eos_ids;
  std::optional<int64_t> padding_id;
  std::optional<int64_t> max_new_tokens, min_new_tokens;
  DecodingOptions decoding;
  std::vector<std::string> stop_strings;
  /// What is asked for and not done, one sentence each.
  std::vector<std::string> warnings;
};

/// The settings of an object as generation_config.json has it. Throws Error{kInvalidFile} for values of another type.
DecodingOptions read_decoding(const Config& config);

/// Throws Error{kInvalidFile} for a generation_config.json that is none.
GenerationSettings read_generation_settings(const std::filesystem::path& folder, const Config& config);

}  // namespace gamut
