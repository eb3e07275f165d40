// Tensors whose elements do not lie one after the other, made so.
#pragma once

#include "checkpoint/tensor_entry.h"

namespace gamut {

class MappedFile;

/// The tensor of an entry with strides, in memory and row-major. Reads the file piece by piece, not through its map:
/// throws as MappedFile::read. Reads at most 4 KiB for every element, and four bytes for each that is wanted where
/// elements lie close together.
Tensor gather(const TensorEntry& entry, const MappedFile& file);

}  // namespace gamut
