#include "generate/weighted_place.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <vector>

namespace gamut {
namespace {

constexpr size_t kBins = 1024, kFew = 64;

/// Evenly spaced bins between the least and the greatest key; these two are in the first and the last.
struct Bins {
  double low, scale;

  Bins(float least, float greatest)
      : low(least), scale(static_cast<double>(kBins) / (static_cast<double>(greatest) - least)) {}
  size_t of(float key) const { return std::min(static_cast<size_t>((key - low) * scale), kBins - 1); }
};

/// The place among few keys, or many equal ones, by sorting them.
size_t sorted_place(std::span<const float> keys, std::span<const float> weights, std::vector<uint32_t> places,
                    double room) {
  const auto key = [&](uint32_t place) { return keys[place]; };
  if (!std::ranges::is_sorted(places, {}, key)) std::ranges::stable_sort(places, {}, key);
  for (const uint32_t place : places) {
    room -= weights[place];
    if (room < 0) return place;
  }
  return keys.size();
}

}  // namespace

size_t weighted_place(std::span<const float> keys, std::span<const float> weights, double limit) {
  std::vector<uint32_t> places(keys.size());
  std::iota(places.begin(), places.end(), 0u);
  double room = limit;  // what may still be added before the sum passes the limit
  while (places.size() > kFew) {
    const auto [least, greatest] =
        std::ranges::minmax(places, {}, [&](uint32_t place) { return keys[place]; });
    if (keys[least] == keys[greatest]) break;
    const Bins bins(keys[least], keys[greatest]);
    std::array<double, kBins> sums{};
    for (const uint32_t place : places) sums[bins.of(keys[place])] += weights[place];
    size_t bin = 0;
    while (bin < kBins && sums[bin] <= room) room -= sums[bin++];
    if (bin == kBins) return keys.size();
    std::erase_if(places, [&](uint32_t place) { return bins.of(keys[place]) != bin; });
  }
  return sorted_place(keys, weights, std::move(places), room);
}

}  // namespace gamut
