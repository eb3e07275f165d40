// Numbers as the tokenizers package reads them from JSON.
#pragma once

#include <string_view>

namespace gamut::text {

/// The number that `digits`, a number of JSON, is to the package: not always the nearest double, as serde_json divides
/// the rounded digits by a power of ten. A last bit decides between two paths of a Unigram model now and then.
double package_number(std::string_view digits);
/// The same for a number that has been read as a double, from its shortest digits.
double package_number(double value);

}  // namespace gamut::text
