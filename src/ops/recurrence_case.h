// Sizes of the sample cases of recurrences: packed and padded, rows of one token, odd numbers of channels.
#pragma once

#include "graph/op_case_builder.h"

namespace gamut::op {

struct RecurrenceCase {
  const char* name;
  int64_t channels;
  std::vector<int64_t> lengths;
  bool packed;
  float scale = 1;  // of what goes into exponents
  double tolerance = 1e-5;
};

inline const RecurrenceCase kRecurrenceCases[] = {
    {"one", 1, {1}, true},
    {"packed", 37, {5, 1, 9, 2}, true},
    {"padded", 37, {5, 1, 9, 2}, false},
    {"ones", 16, {1, 1, 1}, false},
    // Without a running maximum these exponents would overflow; f32 holds them to 1e-5.
    {"long", 70, {203, 3}, true, 60, 2e-4},
    {"empty_row", 8, {4, 0, 3}, true},
};

inline RowTable rows_of(const RecurrenceCase& size) {
  return size.packed ? RowTable::packed(size.lengths) : RowTable::padded(size.lengths);
}

}  // namespace gamut::op
