// Where the sum of weights passes a limit in the order of keys, found without sorting.
#pragma once

#include <cstddef>
#include <span>

namespace gamut {

/// The place of the first key, in ascending order (of equal keys the first place first), at which the sum of the
/// weights up to and with it exceeds `limit`; keys.size() when none does. Keys are finite, weights not negative. Takes
/// time in proportion to the number of keys.
size_t weighted_place(std::span<const float> keys, std::span<const float> weights, double limit);

}  // namespace gamut
