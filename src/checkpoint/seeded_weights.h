// Deterministic weights from a name and a seed, the same numbers as the Python twin that makes the parity cases.
#pragma once

#include <cstdint>
#include <string_view>

#include "gamut/tensor.h"

namespace gamut {

/// An F32 tensor whose element i is float32(offset + scale * u_i), u_i in [-1, 1), computed in double:
/// base = fnv1a64(name) xor seed * 0x9E3779B97F4A7C15; h = the finalizer of splitmix64 over
/// base + (i + 1) * 0x9E3779B97F4A7C15; u_i = (h >> 40) * 2^-23 - 1. All integers wrap at 64 bits.
Tensor seeded_tensor(std::string_view name, Dims dims, uint64_t seed, double scale, double offset);

/// The 64-bit FNV-1a hash of the bytes of `text`.
uint64_t fnv1a64(std::string_view text);

}  // namespace gamut
