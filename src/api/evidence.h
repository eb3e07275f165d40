// The results of the last parity run, embedded from tests/parity/results.json.
#pragma once

#include <string_view>

namespace gamut {

/// JSON: {"bert BertModel": {"cases": 6, "errors": {"cpu f32": "<=1e-05"}}}. Written by `parity_status`.
std::string_view evidence_text();

}  // namespace gamut
