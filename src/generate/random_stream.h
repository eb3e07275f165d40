// Random numbers by counter: the n-th number of a stream is a function of its seed and n, on every machine.
#pragma once

#include <array>
#include <cstdint>

namespace gamut {

/// Ten rounds of Philox-4x32 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; 2011).
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// The random numbers of one sequence. Sequences of one seed have streams of their own, told apart by their number.
class RandomStream {
 public:
  RandomStream() = default;
  RandomStream(uint64_t seed, uint32_t sequence) : seed_(seed), sequence_(sequence) {}

  /// Number `draw` of step `step`: one of 2^53 evenly spaced numbers in (0, 1).
  double uniform(uint64_t step, uint32_t draw = 0) const;

 private:
  uint64_t seed_ = 0;
  uint32_t sequence_ = 0;
};

}  // namespace gamut
