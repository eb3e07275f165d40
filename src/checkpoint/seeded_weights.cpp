#include "checkpoint/seeded_weights.h"

namespace gamut {
namespace {

constexpr uint64_t kGolden = 0x9E3779B97F4A7C15u;

/// The output function of splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

uint64_t fnv1a64(std::string_view text) {
  uint64_t hash = 14695981039346656037u;
  for (unsigned char c : text) hash = (hash ^ c) * 1099511628211u;
  return hash;
}

Tensor seeded_tensor(std::string_view name, Dims dims, uint64_t seed, double scale, double offset) {
  Tensor t = Tensor::allocate(DType::kF32, std::move(dims));
  const uint64_t base = fnv1a64(name) ^ (seed * kGolden);
  uint64_t state = base;
  for (float& value : t.mutable_f32()) {
    state += kGolden;
    const double u = static_cast<double>(mix(state) >> 40) * 0x1p-23 - 1.0;
    // The product is rounded on its own: a fused multiply-add would differ from Python in the last bit.
    const volatile double product = scale * u;
    value = static_cast<float>(offset + product);
  }
  return t;
}

}  // namespace gamut
