// Results that are numbers: what a task answers with must not come from NaN or infinity.
#pragma once

#include <cstddef>
#include <span>

namespace gamut {

/// Throws Error{kInvalidFile} that names the text and `what` holds the values unless all of them are finite. Weights
/// that hold NaN or infinity, or that overflow, are found here; other texts are not affected.
void require_finite(std::span<const float> values, size_t text, const char* what);

}  // namespace gamut
