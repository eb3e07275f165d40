// Where one tensor lies in the files of a checkpoint.
#pragma once

#include <cstdint>
#include <string>

#include "gamut/tensor.h"

namespace gamut {

struct TensorEntry {
  std::string name;
  DType dtype = DType::kF32;
  Dims dims;
  uint32_t file = 0;    ///< index of the file within its checkpoint
  uint64_t offset = 0;  ///< of the first byte, counted from the start of that file
  uint64_t bytes = 0;   ///< of all elements
  Dims strides;         ///< in elements, for each dimension; empty: row-major, one after the other
};

}  // namespace gamut
